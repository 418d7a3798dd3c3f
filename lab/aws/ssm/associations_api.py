"""The State Manager operations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lab.associations.association_results import AssociationResult, results_on
from lab.aws.ssm.association_replies import description, execution_reply, overview, summary, version_reply
from lab.aws.ssm.commands_api import alarms_of
from lab.aws.ssm.operation import Reply, Request, operation, page, refuse, without_empty
from lab.engine import Engine
from lab.nodes.node import ManagedNode
from lab.records.association import Association, AssociationExecution
from lab.records.command import Status
from lab.records.documents import content_of
from lab.world.errors import ApiError
from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from patching.schedule import Schedule, point_in_time
from patching.targets import Targets


def create(engine: Engine, request: Request) -> Association:
    """Make an association from what CreateAssociation or CloudFormation takes."""
    return engine.state_manager.create(**_given(engine, request))


def change(engine: Engine, association_id: str, request: Request) -> Association:
    """Give an association another version: what is not given goes back to its default."""
    return engine.state_manager.update(association_id, **_given(engine, request))


def _given(engine: Engine, request: Request) -> dict[str, Any]:
    refuse(request, "AutomationTargetParameterName", "Duration", "TargetLocations", "TargetMaps")
    if not (request.get("Targets") or request.get("InstanceId")):
        raise ApiError("InvalidTarget", "An association needs Targets, or an InstanceId.")
    schedule = request.get("ScheduleExpression")
    s3 = (request.get("OutputLocation") or {}).get("S3Location", {})
    role = request.get("AssociationDispatchAssumeRole") or ""
    if role and not engine.cloud.trusts(role, "ssm.amazonaws.com"):
        raise ApiError("ValidationException", f"ssm.amazonaws.com cannot assume {role}.")
    return {
        "name": request.get("AssociationName") or "",
        "document": request["Name"],
        "document_version": request.get("DocumentVersion") or "",
        "parameters": dict(request.get("Parameters") or {}),
        "targets": Targets.from_api(
            request.get("Targets") or [{"Key": "InstanceIds", "Values": [request["InstanceId"]]}]
        ),
        "schedule": Schedule.parse(schedule, offset_days=int(request.get("ScheduleOffset") or 0)) if schedule else None,
        "only_at_interval": str(request.get("ApplyOnlyAtCronInterval", False)).lower() == "true",
        "rate_control": RateControl(request.get("MaxConcurrency") or "100%", request.get("MaxErrors") or "100%"),
        "bucket": s3.get("OutputS3BucketName", ""),
        "prefix": s3.get("OutputS3KeyPrefix", ""),
        "severity": request.get("ComplianceSeverity") or "UNSPECIFIED",
        "dispatch_role": role,
        "calendars": tuple(request.get("CalendarNames") or ()),
        "alarms": alarms_of(request),
        "sync_manually": request.get("SyncCompliance") == "MANUAL",
        "instance_id": request.get("InstanceId") or "",
    }


@operation
def create_association(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html."""
    association = create(engine, request)
    if request.get("Tags"):
        tags = {one["Key"]: one["Value"] for one in request["Tags"]}
        engine.tags.add("Association", association.id, tags)
    return {"AssociationDescription": description(association)}


@operation
def create_association_batch(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociationBatch.html."""
    role = request.get("AssociationDispatchAssumeRole")
    made: list[Reply] = []
    failed: list[Reply] = []
    for entry in request["Entries"]:
        try:
            made.append(
                description(create(engine, {**entry, "AssociationDispatchAssumeRole": role} if role else entry))
            )
        except (ApiError, InvalidValueError) as error:
            failed.append({"Entry": entry, "Message": str(error)[:1024], "Fault": "Client"})
    return {"Successful": made, "Failed": failed}


@operation
def update_association(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateAssociation.html."""
    association = engine.state_manager.get(request["AssociationId"])
    expected = request.get("AssociationVersion") or _LATEST
    if expected not in (_LATEST, str(association.version)):
        raise ApiError("InvalidAssociationVersion", f"{expected} is not the latest version, {association.version}.")
    # Of all that is not given, the document and the targets alone stay: there is no association without them.
    kept = {
        "Name": association.document,
        "Targets": association.targets.to_api(),
        "InstanceId": association.instance_id,
    }
    return {"AssociationDescription": description(change(engine, association.id, {**kept, **request}))}


@operation
def update_association_status(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateAssociationStatus.html."""
    association = _of_instance(engine, request)
    if association.reported == request["AssociationStatus"]:
        raise ApiError("StatusUnchanged", "The updated status is the same as the current status.")
    association.reported = dict(request["AssociationStatus"])
    return {"AssociationDescription": description(association)}


@operation
def describe_association(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociation.html."""
    association = _named(engine, request)
    wanted = request.get("AssociationVersion") or _LATEST
    known = [one for one in (*association.versions, association) if wanted in (_LATEST, str(one.version))]
    if not known:
        raise ApiError("InvalidAssociationVersion", f"{association.id} has no version {wanted}.")
    return {"AssociationDescription": description(known[-1])}


@operation
def list_association_versions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListAssociationVersions.html."""
    association = engine.state_manager.get(request["AssociationId"])
    return page(
        request, "AssociationVersions", [version_reply(one) for one in (association, *reversed(association.versions))]
    )


@operation
def delete_association(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteAssociation.html."""
    engine.state_manager.delete(_named(engine, request).id)
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
    refuse_filter = [one["key"] for one in request.get("AssociationFilterList") or () if one["key"] not in _LISTED]
    if refuse_filter:
        raise ApiError("ValidationException", f"The local AWS cannot filter associations by {refuse_filter[0]}.")
    found = [
        summary(one)
        for one in engine.state_manager.associations.values()
        if all(_LISTED[wanted["key"]](one, wanted["value"]) for wanted in request.get("AssociationFilterList") or ())
    ]
    return page(request, "Associations", found)


@operation
def describe_association_executions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociationExecutions.html."""
    association = engine.state_manager.get(request["AssociationId"])
    found = [
        execution_reply(association, one)
        for one in reversed(association.executions)
        if all(_execution_passes(one, wanted) for wanted in request.get("Filters") or ())
    ]
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
    wanted = [(_TARGET_FIELDS[one["Key"]], one["Value"]) for one in request.get("Filters") or ()]
    found = [
        {
            "AssociationId": association.id,
            "AssociationVersion": str(execution.version),
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
    found = [one for one in found if all(one[field] == value for field, value in wanted)]
    return page(request, "AssociationExecutionTargets", found)


@operation
def describe_effective_instance_associations(engine: Engine, request: Request) -> Reply:
    """Follow the operation's page.

    It is https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeEffectiveInstanceAssociations.html.
    """
    node = _managed(engine, request["InstanceId"])
    found = [
        {
            "AssociationId": one.id,
            "InstanceId": node.id,
            "AssociationVersion": str(one.version),
            "Content": content_of(engine.cloud, one.document, one.document_version),
        }
        for one in engine.state_manager.on(node)
    ]
    return page(request, "Associations", found, 5)


@operation
def describe_instance_associations_status(engine: Engine, request: Request) -> Reply:
    """Follow the operation's page.

    It is https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceAssociationsStatus.html.
    """
    node = _managed(engine, request["InstanceId"])
    known = {one.association.id: one for one in results_on(node, engine.state_manager.associations.values())}
    found = []
    for one in engine.state_manager.on(node):
        result = known.get(one.id)
        found.append(
            without_empty(
                {
                    "AssociationId": one.id,
                    "Name": one.document,
                    "DocumentVersion": one.document_version,
                    "AssociationVersion": str(result.execution.version if result else one.version),
                    "InstanceId": node.id,
                    "ExecutionDate": result.execution.created if result else None,
                    "Status": result.status if result else "Pending",
                    "DetailedStatus": result.invocation.details if result else "Pending",
                    "ExecutionSummary": _summed_up(result) if result else "",
                    "AssociationName": one.name,
                }
            )
        )
    return page(request, "InstanceAssociationStatusInfos", found)


def _summed_up(result: AssociationResult) -> str:
    steps = result.invocation.steps
    failed = sum(one.status in (Status.FAILED, Status.TIMED_OUT) for one in steps)
    return f"{len(steps)} out of {len(steps)} plugins processed, {len(steps) - failed} success, {failed} failed."


def _managed(engine: Engine, node_id: str) -> ManagedNode:
    node = engine.fleet.get(node_id)
    if node is None:
        raise ApiError("InvalidInstanceId", f"{node_id} is no managed node.")
    return node


def _named(engine: Engine, request: Request) -> Association:
    """Return the association that a request names: by its id, or one of the old kind by its document and its node."""
    if request.get("AssociationId"):
        return engine.state_manager.get(request["AssociationId"])
    return _of_instance(engine, request)


def _of_instance(engine: Engine, request: Request) -> Association:
    name, node_id = request.get("Name") or "", request.get("InstanceId") or ""
    found = engine.state_manager.of_instance(name, node_id)
    if found is None:
        raise ApiError("AssociationDoesNotExist", f"There is no association of {name or '?'} with {node_id or '?'}.")
    return found


def _last(association: Association) -> datetime | None:
    return association.executions[-1].created if association.executions else None


def _ran_before(association: Association, value: str) -> bool:
    last = _last(association)
    return last is not None and last < point_in_time(value)


def _ran_after(association: Association, value: str) -> bool:
    last = _last(association)
    return last is not None and last >= point_in_time(value)


_LISTED: dict[str, Callable[[Association, str], bool]] = {
    "InstanceId": lambda one, value: value in dict(one.targets.keys).get("InstanceIds", ()),
    "Name": lambda one, value: one.document == value,
    "AssociationId": lambda one, value: one.id == value,
    "AssociationName": lambda one, value: one.name == value,
    "AssociationStatusName": lambda one, value: overview(one)["Status"] == value,
    "LastExecutedBefore": _ran_before,
    "LastExecutedAfter": _ran_after,
    "ResourceGroupName": lambda one, value: value in dict(one.targets.keys).get("resource-groups:Name", ()),
}
_TARGET_FIELDS = {"Status": "Status", "ResourceId": "ResourceId", "ResourceType": "ResourceType"}
_LATEST = "$LATEST"


def _execution_passes(execution: AssociationExecution, wanted: Request) -> bool:
    """Tell whether an execution passes a filter; only its time can be less or greater than something."""
    if wanted["Key"] != "CreatedTime":
        if wanted["Type"] != "EQUAL":
            raise ApiError("ValidationException", f"{wanted['Key']} takes EQUAL only.")
        return bool(wanted["Value"] == {"ExecutionId": execution.id, "Status": execution.status}[wanted["Key"]])
    moment = point_in_time(wanted["Value"])
    return {
        "EQUAL": execution.created == moment,
        "LESS_THAN": execution.created < moment,
        "GREATER_THAN": execution.created > moment,
    }[wanted["Type"]]
