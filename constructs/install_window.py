"""A maintenance window that installs patches.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-maintenancewindowtask.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ssm as ssm
from constructs import Construct
from constructs.dispatch_role import DispatchRole
from constructs.notification_topic import NotificationTopic
from constructs.output_bucket import OutputBucket
from constructs.output_log import OutputLog

from patching.command_events import check_events
from patching.maintenance_window import check_cutoff, check_delivery_timeout, check_groups, check_name
from patching.open_times import OpenTimes
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.targets import Targets


class InstallWindow(Construct):
    """A maintenance window with its target groups and one Run Command task that installs.

    Args:
        scope: where it is made.
        id: its name there.
        name: the window's name.
        times: when it is open, with its time zone.
        cutoff_hours: hours before its end from which on it starts nothing more; below the duration.
        targets: which nodes: those of any of these groups.
        rate_control: how many at one time, and when to stop.
        task: what is run on them.
        role: the role as which the window sends commands; it has to be able to pass the topic's publish role.
        output: where the output goes; the nodes write it as themselves.
        notifications: who is told.
        events: the statuses that are told; all by default.
        per_node: a message for every node instead of one for the command; the default.
        log: the log group that output goes to as well; none by default.
        cancel_at_cutoff: cancel what is running at the cutoff, instead of letting it finish.
        delivery_timeout_seconds: seconds within which a node has to take the command.
        enabled: without it the window has no task: it opens, and nothing happens.
        description: what people read of it.

    Raises:
        InvalidValueError: a name, a description, a cutoff, groups, events or a delivery timeout that AWS would refuse.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        times: OpenTimes,
        cutoff_hours: int,
        targets: Sequence[Targets],
        rate_control: RateControl,
        task: RunPatchBaseline,
        role: DispatchRole,
        output: OutputBucket,
        notifications: NotificationTopic,
        events: Sequence[str] = ("All",),
        per_node: bool = True,
        log: OutputLog | None = None,
        cancel_at_cutoff: bool = False,
        delivery_timeout_seconds: int | None = None,
        enabled: bool = True,
        description: str = "",
    ) -> None:
        super().__init__(scope, id)
        check_name(name, description)
        check_cutoff(cutoff_hours, times.duration_hours)
        check_groups(targets)
        check_delivery_timeout(delivery_timeout_seconds)
        check_events(events)
        schedule = times.schedule
        # What windows share is read once, by who makes it: each reading is a call to Node, and windows may be many.
        self.window_id = ssm.CfnMaintenanceWindow(
            self,
            "Resource",
            name=name,
            schedule=schedule.expression,
            schedule_timezone=schedule.timezone,
            schedule_offset=schedule.offset_days or None,
            description=description or None,
            start_date=times.active_from.isoformat() if times.active_from else None,
            end_date=times.active_until.isoformat() if times.active_until else None,
            duration=times.duration_hours,
            cutoff=cutoff_hours,
            allow_unassociated_targets=False,
        ).ref
        groups = [
            ssm.CfnMaintenanceWindowTarget(
                self,
                f"Target{number if number > 1 else ''}",
                window_id=self.window_id,
                resource_type="INSTANCE",
                name=name if number == 1 else f"{name}-{number}",
                targets=[
                    ssm.CfnMaintenanceWindowTarget.TargetsProperty(key=one["Key"], values=one["Values"])
                    for one in group.to_api()
                ],
            )
            for number, group in enumerate(targets, 1)
        ]
        if not enabled:
            return
        ssm.CfnMaintenanceWindowTask(
            self,
            "Task",
            window_id=self.window_id,
            name=name,
            task_type="RUN_COMMAND",
            task_arn=task.document,
            priority=1,
            cutoff_behavior="CANCEL_TASK" if cancel_at_cutoff else "CONTINUE_TASK",
            targets=[
                ssm.CfnMaintenanceWindowTask.TargetProperty(
                    key="WindowTargetIds", values=[group.ref for group in groups]
                )
            ],
            max_concurrency=rate_control.max_concurrency,
            max_errors=rate_control.max_errors,
            # The role that sends the command; the other one, below, publishes how it went.
            service_role_arn=role.arn,
            task_invocation_parameters=ssm.CfnMaintenanceWindowTask.TaskInvocationParametersProperty(
                maintenance_window_run_command_parameters=(
                    ssm.CfnMaintenanceWindowTask.MaintenanceWindowRunCommandParametersProperty(
                        parameters=task.to_api(),
                        timeout_seconds=delivery_timeout_seconds,
                        cloud_watch_output_config=(
                            ssm.CfnMaintenanceWindowTask.CloudWatchOutputConfigProperty(
                                cloud_watch_log_group_name=log.name, cloud_watch_output_enabled=True
                            )
                            if log is not None
                            else None
                        ),
                        output_s3_bucket_name=output.name,
                        output_s3_key_prefix=output.prefix,
                        service_role_arn=notifications.publish_role_arn,
                        notification_config=ssm.CfnMaintenanceWindowTask.NotificationConfigProperty(
                            notification_arn=notifications.arn,
                            notification_events=list(events),
                            notification_type="Invocation" if per_node else "Command",
                        ),
                    )
                )
            ),
        ).node.add_dependency(role.policy)
