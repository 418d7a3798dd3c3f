"""A maintenance window that installs patches.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-maintenancewindowtask.html.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct
from constructs.notification_topic import NotificationTopic
from constructs.output_bucket import OutputBucket

from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_NAME, RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets


class InstallWindow(Construct):
    """A maintenance window with one target group and one Run Command task that runs AWS-RunPatchBaseline.

    Args:
        scope: where it is made.
        id: its name there.
        name: the window's name.
        schedule: when it opens, with its time zone.
        duration_hours: hours that it is open, 1 to 24.
        cutoff_hours: hours before its end from which on it starts nothing more; below the duration.
        targets: which nodes.
        rate_control: how many at one time, and when to stop.
        task: what is run on them.
        role: the role as which the window sends commands; it has to be able to pass the topic's publish role.
        output: where the output goes; the nodes write it as themselves.
        notifications: who is told of the command and of each node.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        schedule: Schedule,
        duration_hours: int,
        cutoff_hours: int,
        targets: Targets,
        rate_control: RateControl,
        task: RunPatchBaseline,
        role: iam.IRole,
        output: OutputBucket,
        notifications: NotificationTopic,
    ) -> None:
        super().__init__(scope, id)
        self.resource = ssm.CfnMaintenanceWindow(
            self,
            "Resource",
            name=name,
            schedule=schedule.expression,
            schedule_timezone=schedule.timezone,
            schedule_offset=schedule.offset_days or None,
            duration=duration_hours,
            cutoff=cutoff_hours,
            allow_unassociated_targets=False,
        )
        target = ssm.CfnMaintenanceWindowTarget(
            self,
            "Target",
            window_id=self.resource.ref,
            resource_type="INSTANCE",
            name=name,
            targets=[
                ssm.CfnMaintenanceWindowTarget.TargetsProperty(key=one["Key"], values=one["Values"])
                for one in targets.to_api()
            ],
        )
        ssm.CfnMaintenanceWindowTask(
            self,
            "Task",
            window_id=self.resource.ref,
            name=name,
            task_type="RUN_COMMAND",
            task_arn=DOCUMENT_NAME,
            priority=1,
            cutoff_behavior="CONTINUE_TASK",
            targets=[ssm.CfnMaintenanceWindowTask.TargetProperty(key="WindowTargetIds", values=[target.ref])],
            max_concurrency=rate_control.max_concurrency,
            max_errors=rate_control.max_errors,
            # The role that sends the command; the other one, below, publishes how it went.
            service_role_arn=role.role_arn,
            task_invocation_parameters=ssm.CfnMaintenanceWindowTask.TaskInvocationParametersProperty(
                maintenance_window_run_command_parameters=(
                    ssm.CfnMaintenanceWindowTask.MaintenanceWindowRunCommandParametersProperty(
                        parameters=task.to_api(),
                        output_s3_bucket_name=output.bucket.bucket_name,
                        output_s3_key_prefix=output.prefix,
                        service_role_arn=notifications.publish_role.role_arn,
                        notification_config=ssm.CfnMaintenanceWindowTask.NotificationConfigProperty(
                            notification_arn=notifications.topic.topic_arn,
                            notification_events=["All"],
                            notification_type="Invocation",
                        ),
                    )
                )
            ),
        ).node.add_dependency(role)
