"""The State Manager operations."""

from __future__ import annotations

from collections import Counter

from lab.aws.operation import Reply, Request, operation, page, refuse, without_empty
from lab.engine import Engine
from lab.errors import ApiError
from lab.state_manager import Association, AssociationExecution
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets


def create(engine: Engine, request: Request) -> Association:
    """Make an association from what CreateAssociation or CloudFormation takes."""
    refuse(
        request,
        "AlarmConfiguration",
        "AutomationTargetParameterName",
        "Duration",
        "TargetLocations",
        "TargetMaps",
    )
    if not (request.get("Targets") or request.get("InstanceId")):
        raise ApiError("InvalidTarget", "An association needs Targets, or an InstanceId.")
    schedule = request.get("ScheduleExpression")
    s3 = (request.get("OutputLocation") or {}).get("S3Location", {})
    role = request.get("AssociationDispatchAssumeRole") or ""
    if role and not engine.cloud.trusts(role, "ssm.amazonaws.com"):
        raise ApiError("ValidationException", f"ssm.amazonaws.com cannot assume {role}.")
    return engine.state_manager.create(
        name=request.get("AssociationName") or "",
        document=request["Name"],
        document_version=request.get("DocumentVersion") or "",
        parameters=dict(request.get("Parameters") or {}),
        targets=Targets.from_api(request.get("Targets") or [{"Key": "InstanceIds", "Values": [request["InstanceId"]]}]),
        schedule=Schedule.parse(schedule, offset_days=int(request.get("ScheduleOffset") or 0)) if schedule else None,
        only_at_interval=str(request.get("ApplyOnlyAtCronInterval", False)).lower() == "true",
        rate_control=RateControl(request.get("MaxConcurrency") or "100%", request.get("MaxErrors") or "100%"),
        bucket=s3.get("OutputS3BucketName", ""),
        prefix=s3.get("OutputS3KeyPrefix", ""),
        severity=request.get("ComplianceSeverity") or "UNSPECIFIED",
        dispatch_role=role,
        calendars=tuple(request.get("CalendarNames") or ()),
        sync_manually=request.get("SyncCompliance") == "MANUAL",
    )


@operation
def create_association(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html."""
    return {"AssociationDescription": _description(create(engine, request))}


@operation
def describe_association(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociation.html."""
    if not request.get("AssociationId"):
        raise ApiError("AssociationDoesNotExist", "The local AWS finds an association by its AssociationId only.")
    return {"AssociationDescription": _description(engine.state_manager.get(request["AssociationId"]))}


@operation
def delete_association(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteAssociation.html."""
    engine.state_manager.delete(request.get("AssociationId") or "")
    return {}


@operation
def start_associations_once(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAssociationsOnce.html."""
    for association in [engine.state_manager.get(one) for one in request["AssociationIds"]]:
        engine.state_manager.apply(association)
    return {}


@operation
def list_associations(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListAssociations.html."""
    wanted = {one["key"]: one["value"] for one in request.get("AssociationFilterList") or ()}
    fields = {"AssociationId": "AssociationId", "AssociationName": "AssociationName", "Name": "Name"}
    unknown = set(wanted) - set(fields)
    if unknown:
        raise ApiError(
            "ValidationException", f"The local AWS cannot filter associations by {', '.join(sorted(unknown))}."
        )
    described = [_summary(one) for one in engine.state_manager.associations.values()]
    found = [one for one in described if all(one.get(fields[key]) == value for key, value in wanted.items())]
    return page(request, "Associations", found)


@operation
def describe_association_executions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociationExecutions.html."""
    association = engine.state_manager.get(request["AssociationId"])
    found = [_execution(association, one) for one in reversed(association.executions)]
    return page(request, "AssociationExecutions", found)


@operation
def describe_association_execution_targets(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociationExecutionTargets.html."""
    association = engine.state_manager.get(request["AssociationId"])
    execution = next((one for one in association.executions if one.id == request["ExecutionId"]), None)
    if execution is None:
        raise ApiError(
            "AssociationExecutionDoesNotExist", f"{association.id} has no execution {request['ExecutionId']}."
        )
    invocations = execution.command.invocations.values() if execution.command else ()
    found = [
        {
            "AssociationId": association.id,
            "AssociationVersion": "1",
            "ExecutionId": execution.id,
            "ResourceId": one.node_id,
            "ResourceType": "ManagedInstance",
            "Status": str(one.status),
            "DetailedStatus": one.details,
            "LastExecutionDate": execution.created,
            "OutputSource": {
                "OutputSourceId": execution.command.id if execution.command else "",
                "OutputSourceType": "RunCommand",
            },
        }
        for one in invocations
    ]
    return page(request, "AssociationExecutionTargets", found)


def _overview(association: Association) -> Reply:
    if not association.executions:
        return {"Status": "Pending", "DetailedStatus": "Creating", "AssociationStatusAggregatedCount": {}}
    last = association.executions[-1]
    return {"Status": last.status, "DetailedStatus": last.status, "AssociationStatusAggregatedCount": _counts(last)}


def _counts(execution: AssociationExecution) -> dict[str, int]:
    invocations = execution.command.invocations.values() if execution.command else ()
    return dict(Counter(str(one.status) for one in invocations))


def _summary(association: Association) -> Reply:
    return without_empty(
        {
            "Name": association.document,
            "DocumentVersion": association.document_version,
            "AssociationId": association.id,
            "AssociationVersion": "1",
            "Targets": association.targets.to_api(),
            "LastExecutionDate": association.executions[-1].created if association.executions else None,
            "Overview": _overview(association),
            "ScheduleExpression": association.schedule.expression if association.schedule else None,
            "AssociationName": association.name,
        }
    )


def _description(association: Association) -> Reply:
    location = {
        "S3Location": without_empty({"OutputS3BucketName": association.bucket, "OutputS3KeyPrefix": association.prefix})
    }
    return without_empty(
        {
            **_summary(association),
            "Date": association.created,
            "LastUpdateAssociationDate": association.created,
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


def _execution(association: Association, execution: AssociationExecution) -> Reply:
    counts = _counts(execution)
    return without_empty(
        {
            "AssociationId": association.id,
            "AssociationVersion": "1",
            "ExecutionId": execution.id,
            "Status": execution.status,
            "DetailedStatus": execution.problem or execution.status,
            "CreatedTime": execution.created,
            "LastExecutionDate": execution.created,
            "ResourceCountByStatus": "{" + ", ".join(f"{key}={value}" for key, value in counts.items()) + "}",
        }
    )
