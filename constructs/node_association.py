"""A State Manager association that runs a document on an environment's nodes.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations-creating.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_ssm as ssm
from constructs import Construct
from constructs.dispatch_role import DispatchRole
from constructs.output_bucket import OutputBucket

from patching.association import check_calendar, check_name, check_run, check_severity
from patching.baseline import ComplianceLevel
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets


class NodeAssociation(Construct):
    """An association that runs a document on a schedule, as a role of its own, with its output in the bucket.

    The nodes write the output as themselves: they need `OutputBucket.grant_write`.

    Args:
        scope: where it is made.
        id: its name there.
        name: the association's name.
        document: the document's name.
        parameters: the document's parameters.
        schedule: when, in UTC; see `Schedule.for_association` for what an association takes.
        targets: which nodes.
        rate_control: how many at one time.
        environment: value of the nodes' tag `Environment`.
        output: where the output goes.
        run_at_deployment: run at once as well, when the association is made or changed.
        compliance_severity: how serious it is when the association itself could not run.
        calendars: names or ARNs of Change Calendars that all have to be open for it to run.

    Raises:
        InvalidValueError: a name, a schedule, a severity or a calendar that an association does not take, parameters
            that AWS-RunPatchBaseline refuses, or an installation as soon as it is deployed.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        document: str,
        parameters: Mapping[str, Sequence[str]],
        schedule: Schedule,
        targets: Targets,
        rate_control: RateControl,
        environment: str,
        output: OutputBucket,
        run_at_deployment: bool,
        compliance_severity: ComplianceLevel,
        calendars: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        schedule = schedule.for_association(run_when_made=run_at_deployment)
        check_name(name)
        check_run(document, parameters, run_when_made=run_at_deployment)
        check_severity(compliance_severity)
        for calendar in calendars:
            check_calendar(calendar)
        dispatch = DispatchRole(
            self,
            "DispatchRole",
            environment=environment,
            documents=[document],
            description=f"State Manager runs {document} as this role",
        )
        self.resource = ssm.CfnAssociation(
            self,
            "Resource",
            name=document,
            association_name=name,
            schedule_expression=schedule.expression,
            schedule_offset=schedule.offset_days or None,
            apply_only_at_cron_interval=None if run_at_deployment else True,
            calendar_names=list(calendars) or None,
            targets=[
                ssm.CfnAssociation.TargetProperty(key=target["Key"], values=target["Values"])
                for target in targets.to_api()
            ],
            parameters=parameters or None,
            max_concurrency=rate_control.max_concurrency,
            max_errors=rate_control.max_errors,
            compliance_severity=str(compliance_severity),
            association_dispatch_assume_role=dispatch.arn,
            output_location=ssm.CfnAssociation.InstanceAssociationOutputLocationProperty(
                s3_location=ssm.CfnAssociation.S3OutputLocationProperty(
                    output_s3_bucket_name=output.name, output_s3_key_prefix=output.prefix
                )
            ),
        )
        # Its policy first: an association that runs at once would find a role that may not do anything yet.
        self.resource.node.add_dependency(dispatch.policy)
