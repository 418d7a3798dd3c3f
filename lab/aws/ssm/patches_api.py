"""The Patch Manager operations."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from lab.aws.ssm.listing import paged
from lab.aws.ssm.operation import Reply, Request, filters, operation, page, without_empty
from lab.engine import Engine
from lab.nodes.node import ManagedNode, PatchStates
from lab.patches.baselines import StoredBaseline
from lab.patches.findings import PatchReport
from lab.world.errors import ApiError
from patching.baseline import PatchBaseline
from patching.compliance import PatchState
from patching.operating_system import OperatingSystem, operating_system

_EPOCH = datetime.fromtimestamp(0, UTC)
"""What the service gives as the time of installation where it knows none."""
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "Equal": operator.eq,
    "NotEqual": operator.ne,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
}
_COUNTS = (
    "InstalledCount",
    "InstalledOtherCount",
    "InstalledPendingRebootCount",
    "InstalledRejectedCount",
    "MissingCount",
    "FailedCount",
    "UnreportedNotApplicableCount",
    "NotApplicableCount",
)
_NOT_INSTALLED = (
    PatchState.MISSING,
    PatchState.FAILED,
    PatchState.AVAILABLE_SECURITY_UPDATE,
    PatchState.NOT_APPLICABLE,
)
_COUNTED = tuple(
    (state.count_field, state)
    for state in (
        PatchState.INSTALLED,
        PatchState.INSTALLED_OTHER,
        PatchState.INSTALLED_PENDING_REBOOT,
        PatchState.INSTALLED_REJECTED,
        PatchState.MISSING,
        PatchState.FAILED,
        PatchState.NOT_APPLICABLE,
        PatchState.AVAILABLE_SECURITY_UPDATE,
    )
)
_UNSAID = (PatchState.INSTALLED_OTHER, PatchState.NOT_APPLICABLE)


@operation
def create_patch_baseline(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html."""
    stored = engine.baselines.create(PatchBaseline.from_api(request), engine.clock.now)
    engine.tags.add("PatchBaseline", stored.id, {one["Key"]: one["Value"] for one in request.get("Tags") or ()})
    return {"BaselineId": stored.id}


@operation
def update_patch_baseline(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdatePatchBaseline.html."""
    stored = engine.baselines.get(request["BaselineId"])
    given = {key: value for key, value in request.items() if key not in ("BaselineId", "Replace")}
    if request.get("Replace") and not request.get("Name"):
        raise ApiError("ValidationException", "Replace needs Name too: what is not given is dropped.")
    kept = {} if request.get("Replace") else stored.baseline.to_api()
    system = {"OperatingSystem": str(stored.baseline.operating_system)}
    engine.baselines.update(stored.id, PatchBaseline.from_api({**kept, **given, **system}), engine.clock.now)
    return _baseline(stored)


@operation
def delete_patch_baseline(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeletePatchBaseline.html."""
    engine.baselines.delete(request["BaselineId"])
    return {"BaselineId": request["BaselineId"]}


@operation
def get_patch_baseline(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetPatchBaseline.html."""
    stored = engine.baselines.get(request["BaselineId"])
    return {**_baseline(stored), "PatchGroups": engine.baselines.groups_of(stored.id)}


@operation
def describe_patch_baselines(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribePatchBaselines.html."""
    wanted = filters(request, known=("OWNER", "NAME_PREFIX", "OPERATING_SYSTEM"), error="InvalidFilter")
    found = [
        one for one in engine.baselines.all() if all(_baseline_has(one, key, values) for key, values in wanted.items())
    ]
    return page(request, "BaselineIdentities", [_identity(engine, one) for one in found])


@operation
def get_default_patch_baseline(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDefaultPatchBaseline.html."""
    system = operating_system(request.get("OperatingSystem") or OperatingSystem.WINDOWS)
    return {"BaselineId": engine.baselines.default(system).id, "OperatingSystem": str(system)}


@operation
def register_default_patch_baseline(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterDefaultPatchBaseline.html."""
    engine.baselines.set_default(request["BaselineId"])
    return {"BaselineId": request["BaselineId"]}


@operation
def register_patch_baseline_for_patch_group(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterPatchBaselineForPatchGroup.html."""
    engine.baselines.register(request["BaselineId"], request["PatchGroup"])
    return {"BaselineId": request["BaselineId"], "PatchGroup": request["PatchGroup"]}


@operation
def deregister_patch_baseline_for_patch_group(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterPatchBaselineForPatchGroup.html."""
    engine.baselines.deregister(request["BaselineId"], request["PatchGroup"])
    return {"BaselineId": request["BaselineId"], "PatchGroup": request["PatchGroup"]}


@operation
def get_patch_baseline_for_patch_group(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetPatchBaselineForPatchGroup.html."""
    system = operating_system(request.get("OperatingSystem") or OperatingSystem.WINDOWS)
    stored = engine.baselines.effective(system, request["PatchGroup"])
    return {"BaselineId": stored.id, "PatchGroup": request["PatchGroup"], "OperatingSystem": str(system)}


@operation
def describe_patch_groups(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribePatchGroups.html."""
    wanted = filters(request, known=("NAME_PREFIX", "OPERATING_SYSTEM"), error="InvalidFilter")
    prefixes, systems = wanted.get("NAME_PREFIX"), wanted.get("OPERATING_SYSTEM")
    mappings = [
        {"PatchGroup": group, "BaselineIdentity": _identity(engine, stored)}
        for group, stored in engine.baselines.groups()
        if (prefixes is None or any(group.startswith(prefix) for prefix in prefixes))
        and (systems is None or stored.baseline.operating_system in systems)
    ]
    return page(request, "Mappings", mappings)


@operation
def describe_instance_patch_states(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatchStates.html."""
    nodes = [engine.fleet.get(one) for one in dict.fromkeys(request["InstanceIds"])]
    return page(request, "InstancePatchStates", [_state(one, one.states) for one in nodes if one and one.states])


@operation
def describe_instance_patch_states_for_patch_group(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatchStatesForPatchGroup.html."""
    group = request["PatchGroup"]
    tests = [_count_test(one) for one in request.get("Filters") or ()]
    nodes = engine.fleet.nodes()
    found = (_state(node, node.states) for node in nodes if node.states and node.patch_group() == group)
    return paged(
        engine, request, "InstancePatchStates", lambda: (one for one in found if all(test(one) for test in tests))
    )


def _count_test(given: Request) -> Callable[[Reply], bool]:
    """Return the test that a filter puts to a node's counts.

    Raises:
        ApiError: what has no such count, or a value that is no number from 0.
    """
    key, (text,), comparison = given["Key"], given["Values"], given["Type"]
    if key not in _COUNTS:
        raise ApiError("InvalidFilter", f"{key} is not a valid filter key; valid ones are {', '.join(_COUNTS)}.")
    if not (text.isascii() and text.isdecimal()):
        raise ApiError("InvalidFilter", f"{text!r} is not a number of patches.")
    value, compare = int(text), _COMPARISONS[comparison]
    return lambda state: compare(state[key], value)


@operation
def describe_instance_patches(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatches.html."""
    node = engine.fleet.get(request["InstanceId"])
    if node is None:
        raise ApiError("InvalidInstanceId", f"{request['InstanceId']} is not a managed node.")
    wanted = filters(request, known=("Classification", "KBId", "Severity", "State"), error="InvalidFilter")
    patches = [_patch(node, node.states, report) for report in node.states.reports] if node.states else []
    found = [one for one in patches if all(_patch_has(one, key, values) for key, values in wanted.items())]
    return page(request, "Patches", found, default_size=10)


@operation
def describe_patch_group_state(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribePatchGroupState.html."""
    nodes = [node for node in engine.fleet.nodes() if node.patch_group() == request["PatchGroup"]]
    # Most nodes of a fleet have found the same as others: what counts is looked at once for all of these.
    found = Counter((one.findings, one.available_updates_comply) for one in (node.states for node in nodes) if one)
    reply: Reply = {"Instances": len(nodes)}
    for key, state in {
        "InstancesWithInstalledPatches": PatchState.INSTALLED,
        "InstancesWithInstalledOtherPatches": PatchState.INSTALLED_OTHER,
        "InstancesWithInstalledPendingRebootPatches": PatchState.INSTALLED_PENDING_REBOOT,
        "InstancesWithInstalledRejectedPatches": PatchState.INSTALLED_REJECTED,
        "InstancesWithMissingPatches": PatchState.MISSING,
        "InstancesWithFailedPatches": PatchState.FAILED,
        "InstancesWithNotApplicablePatches": PatchState.NOT_APPLICABLE,
        "InstancesWithAvailableSecurityUpdates": PatchState.AVAILABLE_SECURITY_UPDATE,
    }.items():
        reply[key] = sum(number for (one, _), number in found.items() if one.count(state))
    for key, kind in {
        "InstancesWithCriticalNonCompliantPatches": "critical",
        "InstancesWithSecurityNonCompliantPatches": "security",
        "InstancesWithOtherNonCompliantPatches": "other",
    }.items():
        reply[key] = sum(
            number
            for (one, comply), number in found.items()
            if getattr(one.open_counts(available_updates_comply=comply), kind)
        )
    return {**reply, "InstancesWithUnreportedNotApplicablePatches": 0}


def _baseline(stored: StoredBaseline) -> Reply:
    baseline = stored.baseline
    api, available = baseline.to_api(), baseline.available_security_updates
    return {
        "BaselineId": stored.id,
        "Name": baseline.name,
        "OperatingSystem": str(baseline.operating_system),
        "GlobalFilters": api.get("GlobalFilters", {"PatchFilters": []}),
        "ApprovalRules": api.get("ApprovalRules", {"PatchRules": []}),
        "ApprovedPatches": list(baseline.approved),
        "ApprovedPatchesComplianceLevel": str(baseline.approved_level),
        "ApprovedPatchesEnableNonSecurity": baseline.approved_non_security,
        "RejectedPatches": list(baseline.rejected),
        "RejectedPatchesAction": str(baseline.rejected_action),
        "CreatedDate": stored.created,
        "ModifiedDate": stored.modified,
        "Description": baseline.description,
        "Sources": [one.to_api() for one in baseline.sources],
        **({"AvailableSecurityUpdatesComplianceStatus": str(available)} if available else {}),
    }


def _identity(engine: Engine, stored: StoredBaseline) -> Reply:
    return {
        "BaselineId": stored.id,
        "BaselineName": stored.baseline.name,
        "OperatingSystem": str(stored.baseline.operating_system),
        "BaselineDescription": stored.baseline.description,
        "DefaultBaseline": engine.baselines.is_default(stored.id),
    }


def _baseline_has(stored: StoredBaseline, key: str, values: list[str]) -> bool:
    match key:
        case "OWNER":
            return ("AWS" if stored.by_aws else "Self") in values
        case "NAME_PREFIX":
            return any(stored.baseline.name.startswith(value) for value in values)
        case _:
            return stored.baseline.operating_system in values


def _state(node: ManagedNode, states: PatchStates) -> Reply:
    open_counts = states.open_counts
    reply = without_empty(
        {
            "InstanceId": node.id,
            "BaselineId": states.baseline_id,
            "SnapshotId": states.snapshot_id,
            "InstallOverrideList": states.override_list,
            **{field: states.count(state) for field, state in _COUNTED},
            "UnreportedNotApplicableCount": 0,
            "OperationStartTime": states.started,
            "OperationEndTime": states.ended,
            "Operation": str(states.operation),
            "LastNoRebootInstallOperationTime": states.last_no_reboot_install,
            "RebootOption": str(states.reboot),
            "CriticalNonCompliantCount": open_counts.critical,
            "SecurityNonCompliantCount": open_counts.security,
            "OtherNonCompliantCount": open_counts.other,
        }
    )
    return {**reply, "PatchGroup": states.patch_group}


def _patch(node: ManagedNode, states: PatchStates, report: PatchReport) -> Reply:
    told = report.state not in _UNSAID
    patch: Reply = {
        "Title": report.title,
        "KBId": report.patch.name if not report.patch.arch else f"{report.patch.name}.{report.patch.arch}",
        "Classification": report.patch.classification if told else "",
        "Severity": report.patch.severity if told else "",
        "State": str(report.state),
        "InstalledTime": _installed_time(node, states, report),
    }
    if report.cves:
        patch["CVEIds"] = ",".join(report.cves)
    return patch


def _installed_time(node: ManagedNode, states: PatchStates, report: PatchReport) -> datetime:
    if report.state in _NOT_INSTALLED:
        return _EPOCH
    return states.installed_at.get(report.key) or node.image_built


def _patch_has(patch: Reply, key: str, values: list[str]) -> bool:
    if key == "State":
        return PatchState.parse(patch["State"]) in [PatchState.parse(value) for value in values]
    return patch[key] in values
