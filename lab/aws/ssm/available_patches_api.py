"""The Patch Manager operations on patches themselves: what there is, and what a baseline says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from lab.aws.ssm.operation import Reply, Request, filters, operation, page, without_empty
from lab.engine import Engine
from lab.patches.catalogue import Catalogue
from lab.world.errors import ApiError
from patching.baseline import Patch, PatchBaseline
from patching.operating_system import OperatingSystem, PatchFamily, operating_system

_DEFAULT_PAGE = 100
_LISTED_SYSTEMS = (OperatingSystem.WINDOWS, OperatingSystem.AMAZON_LINUX, OperatingSystem.AMAZON_LINUX_2)
"""The systems whose patches the service itself knows; those of the others are known to their repositories only."""

_WINDOWS_KEYS = ("PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "MSRC_SEVERITY", "CLASSIFICATION", "PATCH_ID")
_LINUX_KEYS = (
    "PRODUCT",
    "NAME",
    "SEVERITY",
    "EPOCH",
    "VERSION",
    "RELEASE",
    "ARCH",
    "REPOSITORY",
    "ADVISORY_ID",
    "CVE_ID",
    "BUGZILLA_ID",
)
_PROPERTY_KEYS = {
    PatchFamily.WINDOWS: ("PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY"),
    PatchFamily.RPM: ("PRODUCT", "CLASSIFICATION", "SEVERITY"),
    PatchFamily.APT: ("PRODUCT", "PRIORITY"),
    PatchFamily.MACOS: ("PRODUCT", "CLASSIFICATION"),
}


@operation
def describe_available_patches(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAvailablePatches.html.

    Patches of Linux are found only with a filter for their product; without one it is those of Windows.
    """
    wanted = filters(request, known=(*dict.fromkeys((*_WINDOWS_KEYS, *_LINUX_KEYS)),), error="ValidationException")
    if "PRODUCT" not in wanted and not set(wanted) <= set(_WINDOWS_KEYS):
        keys = ", ".join(key for key in wanted if key not in _WINDOWS_KEYS)
        raise ApiError("ValidationException", f"{keys} is for patches of Linux, which need a filter for PRODUCT too.")
    found = [
        _described(catalogue, patch, title)
        for catalogue in engine.catalogues
        if catalogue.system in _LISTED_SYSTEMS
        for patch, title in _released(catalogue, engine.clock.now)
        if ("PRODUCT" in wanted or catalogue.system is OperatingSystem.WINDOWS)
        and all(_has(patch, key, values) for key, values in wanted.items())
    ]
    return page(request, "Patches", found, _DEFAULT_PAGE)


@operation
def describe_effective_patches_for_patch_baseline(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeEffectivePatchesForPatchBaseline.html.

    Only of Windows does the service itself know which patches there are.
    """
    baseline = engine.baselines.get(request["BaselineId"]).baseline
    if baseline.operating_system is not OperatingSystem.WINDOWS:
        message = f"The effective patches of a baseline for {baseline.operating_system} are known to its nodes only."
        raise ApiError("UnsupportedOperatingSystem", message)
    now = engine.clock.now
    found = [
        {"Patch": _described(catalogue, patch, title), "PatchStatus": status}
        for catalogue in engine.catalogues
        if catalogue.system is OperatingSystem.WINDOWS
        for patch, title in _released(catalogue, now)
        if (status := _status(baseline, patch, now))
    ]
    return page(request, "EffectivePatches", found, _DEFAULT_PAGE)


@operation
def describe_patch_properties(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribePatchProperties.html.

    What is listed is what filters of this system can have: the values that AWS documents, and the products that the
    catalogue has.
    """
    system, key = operating_system(request["OperatingSystem"]), request["Property"]
    if key not in _PROPERTY_KEYS[system.family]:
        known = ", ".join(_PROPERTY_KEYS[system.family])
        raise ApiError("ValidationException", f"{system} has no property {key}; it has {known}.")
    patch_set = request.get("PatchSet")
    if patch_set and system is not OperatingSystem.WINDOWS:
        raise ApiError("ValidationException", f"PatchSet is for WINDOWS only, not for {system}.")
    patches = [
        patch
        for catalogue in engine.catalogues
        if catalogue.system is system
        for package in catalogue.packages
        for patch in package.releases
        if patch_set in (None, patch.value("PATCH_SET"))
    ]
    values = sorted({*system.filter_values(key), *(patch.value(key) for patch in patches)} - {""})
    return page(request, "Properties", [{"Name": value} for value in values])


@operation
def get_deployable_patch_snapshot_for_instance(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDeployablePatchSnapshotForInstance.html.

    The address is where AWS keeps snapshots, and nothing lies there: the lab's nodes take theirs from the engine.
    """
    node = engine.fleet.get(request["InstanceId"])
    if node is None:
        # The model has no error for it; this is the one that nodes have everywhere else.
        raise ApiError("InvalidInstanceId", f"{request['InstanceId']} is not a managed node.")
    override, system = request.get("BaselineOverride"), node.catalogue.system
    if override:
        # Refuses what no baseline could be.
        PatchBaseline.from_api({"Name": "override", "OperatingSystem": str(system), **override})
        if override.get("OperatingSystem", system) != system:
            message = f"The override is for {override['OperatingSystem']}, and {node.id} has {system}."
            raise ApiError("UnsupportedOperatingSystem", message)
    else:
        engine.baselines.snapshot(request["SnapshotId"], system, node.patch_group(), engine.clock.now)
    bucket = f"patch-baseline-snapshot-{engine.cloud.region}"
    product = node.catalogue.packages[0].releases[0].product if node.catalogue.packages else str(system)
    return {
        "InstanceId": node.id,
        "SnapshotId": request["SnapshotId"],
        "Product": product,
        "SnapshotDownloadUrl": f"https://{bucket}.s3.{engine.cloud.region}.amazonaws.com/"
        f"{quote(product)}-{request['SnapshotId']}/baseline.json",
    }


def _released(catalogue: Catalogue, now: datetime) -> Iterator[tuple[Patch, str]]:
    """Yield what is out, with its title; of Windows what nothing has taken the place of, of Linux what has a notice."""
    windows = catalogue.system is OperatingSystem.WINDOWS
    for package in catalogue.packages:
        newest = package.newest(now)
        for index in range(newest if windows else 0, newest + 1):
            if index >= 0 and (windows or package.releases[index].has_notice):
                yield package.releases[index], package.titles[index]


def _status(baseline: PatchBaseline, patch: Patch, now: datetime) -> Reply:
    """Return what the baseline says of a patch; nothing if it says nothing of it."""
    if baseline.rejects(patch):
        return {"DeploymentStatus": "EXPLICIT_REJECTED", "ComplianceLevel": "UNSPECIFIED"}
    if baseline.approves_by_name(patch):
        return {"DeploymentStatus": "EXPLICIT_APPROVED", "ComplianceLevel": str(baseline.approved_level)}
    approvals = baseline.approvals(patch)
    if not approvals:
        return {}
    since = min(at for at, _ in approvals)
    counting = [level for at, level in approvals if at <= max(now, since)]
    return {
        "DeploymentStatus": "APPROVED" if since <= now else "PENDING_APPROVAL",
        "ComplianceLevel": str(max(counting, key=lambda level: level.rank)),
        "ApprovalDate": since,
    }


def _has(patch: Patch, key: str, values: Iterable[str]) -> bool:
    return any(value in values for value in _values(patch, key))


def _values(patch: Patch, key: str) -> tuple[str, ...]:
    epoch, version, release = _parts(patch)
    match key:
        case "PATCH_ID" | "NAME":
            return (patch.name,)
        case "EPOCH":
            return (str(epoch),)
        case "VERSION":
            return (version,)
        case "RELEASE":
            return (release,)
        case "ARCH":
            return (patch.arch,)
        case "ADVISORY_ID":
            return (patch.advisory,)
        case "CVE_ID":
            return patch.cves
        case _:
            # The catalogue has neither repositories nor numbers of Bugzilla: nothing has those that are asked for.
            return (patch.value(key),)


def _parts(patch: Patch) -> tuple[int, str, str]:
    epoch, _, rest = patch.version.rpartition(":")
    version, _, release = rest.rpartition("-")
    return int(epoch or 0), version or rest, release if version else ""


def _described(catalogue: Catalogue, patch: Patch, title: str) -> Reply:
    common: Reply = {
        # An id of Microsoft's own on AWS; here it only has to be one, and the same every time.
        "Id": str(uuid5(NAMESPACE_URL, f"{catalogue.system}/{title}")),
        "ReleaseDate": patch.released,
        "Title": title,
        "Product": patch.product,
        "Classification": patch.classification,
    }
    if catalogue.system is OperatingSystem.WINDOWS:
        return common | {
            "Description": title,
            "ContentUrl": f"https://support.microsoft.com/en-us/kb/{patch.name.removeprefix('KB')}",
            "Vendor": "Microsoft",
            "ProductFamily": patch.family,
            "MsrcSeverity": patch.severity,
            "KbNumber": patch.name,
            "MsrcNumber": patch.advisory,
            "Language": "All",
            "CVEIds": list(patch.cves),
        }
    epoch, version, release = _parts(patch)
    return without_empty(
        common
        | {
            "Name": patch.name,
            "Epoch": epoch,
            "Version": version,
            "Release": release,
            "Arch": patch.arch,
            "Severity": patch.severity,
            "AdvisoryIds": [patch.advisory] if patch.advisory else [],
            "BugzillaIds": [],
            "CVEIds": list(patch.cves),
        }
    )
