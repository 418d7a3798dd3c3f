"""How the service says an association, its versions and its runs."""

from __future__ import annotations

from collections import Counter

from lab.aws.ssm.command_replies import alarms_to_api
from lab.aws.ssm.operation import Reply, without_empty
from lab.records.association import Association, AssociationExecution


def overview(association: Association) -> Reply:
    """Return how an association went the last time."""
    if not association.executions:
        return {"Status": "Pending", "DetailedStatus": "Creating", "AssociationStatusAggregatedCount": {}}
    last = association.executions[-1]
    return {"Status": last.status, "DetailedStatus": last.status, "AssociationStatusAggregatedCount": _counts(last)}


def _counts(execution: AssociationExecution) -> dict[str, int]:
    invocations = execution.command.invocations.values() if execution.command else ()
    return dict(Counter(str(one.status) for one in invocations))


def summary(association: Association) -> Reply:
    """Return how the service says an association in a list."""
    return without_empty(
        {
            "Name": association.document,
            "DocumentVersion": association.document_version,
            "AssociationId": association.id,
            "AssociationVersion": str(association.version),
            "InstanceId": association.instance_id,
            "Targets": association.targets.to_api(),
            "LastExecutionDate": association.executions[-1].created if association.executions else None,
            "Overview": overview(association),
            "ScheduleExpression": association.schedule.expression if association.schedule else None,
            "AssociationName": association.name,
        }
    )


def description(association: Association) -> Reply:
    """Return how the service says an association."""
    location = {
        "S3Location": without_empty({"OutputS3BucketName": association.bucket, "OutputS3KeyPrefix": association.prefix})
    }
    return without_empty(
        {
            **summary(association),
            "Date": association.created,
            "LastUpdateAssociationDate": association.changed or association.created,
            "LastSuccessfulExecutionDate": next(
                (one.created for one in reversed(association.executions) if one.status == "Success"), None
            ),
            "Status": association.reported or None,
            **alarms_to_api(association.alarms, {}),
            "Parameters": association.parameters,
            "OutputLocation": location if association.bucket else None,
            "MaxErrors": association.rate_control.max_errors,
            "MaxConcurrency": association.rate_control.max_concurrency,
            "ComplianceSeverity": association.severity,
            "CalendarNames": list(association.calendars),
            "ScheduleOffset": (association.schedule.offset_days if association.schedule else 0) or None,
            "SyncCompliance": "MANUAL" if association.sync_manually else "AUTO",
            "ApplyOnlyAtCronInterval": association.only_at_interval,
            "AssociationDispatchAssumeRole": association.dispatch_role,
        }
    )


_OF_VERSIONS = (
    *("AssociationId", "AssociationVersion", "Name", "DocumentVersion", "Parameters", "Targets", "ScheduleExpression"),
    *("OutputLocation", "AssociationName", "MaxErrors", "MaxConcurrency", "ComplianceSeverity", "SyncCompliance"),
    *("ApplyOnlyAtCronInterval", "CalendarNames", "ScheduleOffset", "AssociationDispatchAssumeRole"),
)


def version_reply(association: Association) -> Reply:
    """Return how the service says a version of an association."""
    told = description(association)
    made = association.changed or association.created
    return {**{key: told[key] for key in _OF_VERSIONS if key in told}, "CreatedDate": made}


def execution_reply(association: Association, execution: AssociationExecution) -> Reply:
    """Return how the service says a run of an association."""
    counts = _counts(execution)
    return without_empty(
        {
            "AssociationId": association.id,
            "AssociationVersion": str(execution.version),
            "ExecutionId": execution.id,
            "Status": execution.status,
            "DetailedStatus": execution.problem or execution.status,
            "CreatedTime": execution.created,
            "LastExecutionDate": execution.created,
            "ResourceCountByStatus": "{" + ", ".join(f"{key}={value}" for key, value in counts.items()) + "}",
        }
    )
