"""What AWS's documents for updates of Windows do beside patch baselines.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html and the
descriptions of AWS-InstallWindowsUpdates, AWS-FindWindowsUpdates and AWS-InstallMissingWindowsUpdates. They report no
patch compliance. Which updates count as important AWS does not document: here those with a severity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from lab.nodes.node import ManagedNode
from lab.nodes.patch_operation import DURATIONS
from lab.patches.catalogue import Package
from lab.records.command import StepRun
from lab.records.document_run import Course, Job, Place
from patching.baseline import Patch

_UNSPECIFIED = ("", "Unspecified")


def install_windows_updates(job: Job, place: Place, run: StepRun) -> Course:
    """Look for updates by number, category, severity and age, or install them."""
    chosen = {name: _value(place, name) for name in place.document.command.parameters}
    durations = DURATIONS[job.node.catalogue.system.platform_type]
    try:
        found = [one for one in _lacking(job.node, job.now()) if _chosen(one[0].releases[one[1]], chosen, job.now())]
    except ValueError as error:
        yield timedelta(seconds=5)
        run.code, run.error = 1, f"{error}\n"
        return
    if chosen["Action"] == "Scan":
        yield durations.scan
        run.code, run.output = 0, _told(job.node, "Found", found)
        return
    yield durations.scan + len(found) * durations.install_each
    yield from _install(job, run, found, reboot=chosen["AllowReboot"] == "True")


def find_windows_updates(job: Job, place: Place, run: StepRun) -> Course:
    """Look for updates of a level."""
    yield DURATIONS[job.node.catalogue.system.platform_type].scan
    run.code, run.output = 0, _told(job.node, "Found", _of_level(job, place))


def install_missing_windows_updates(job: Job, place: Place, run: StepRun) -> Course:
    """Install updates of a level, and restart."""
    durations, found = DURATIONS[job.node.catalogue.system.platform_type], _of_level(job, place)
    yield durations.scan + len(found) * durations.install_each
    yield from _install(job, run, found, reboot=True)


def _install(job: Job, run: StepRun, found: list[tuple[Package, int]], *, reboot: bool) -> Course:
    node = job.node
    if node.fault and found:
        run.code, run.error = 1, f"{node.fault}\n"
        return
    for package, index in found:
        node.installed = {**node.installed, package.key: index}
        node.installed_at = {**node.installed_at, package.key: job.now()}
        node.pending_reboot.add(package.key)
    run.code, run.output = 0, _told(node, "Installed", found)
    if found and reboot:
        job.log(f"{node.id} reboots")
        yield DURATIONS[node.catalogue.system.platform_type].reboot
        node.reboot(job.now())


def _lacking(node: ManagedNode, now: datetime) -> Iterator[tuple[Package, int]]:
    """Yield the newest update of each chain that a node has a use for and lacks."""
    for package in node.catalogue.packages:
        newest = package.newest(now)
        here = not package.feature or package.feature in node.features
        if here and newest > node.installed.get(package.key, -1):
            yield package, newest


def _of_level(job: Job, place: Place) -> list[tuple[Package, int]]:
    level = _value(place, "UpdateLevel")
    return [
        (package, index)
        for package, index in _lacking(job.node, job.now())
        if level == "All"
        or (level == "Important" and package.releases[index].severity not in _UNSPECIFIED)
        or (level == "Optional" and package.releases[index].severity in _UNSPECIFIED)
    ]


def _chosen(patch: Patch, chosen: Mapping[str, str], now: datetime) -> bool:
    """Tell whether an update is meant; raise `ValueError` for a date that is none."""
    include, exclude = _numbers(chosen["IncludeKbs"]), _numbers(chosen["ExcludeKbs"])
    categories, severities = _list(chosen["Categories"]), _list(chosen["SeverityLevels"])
    after, before = _day(chosen["PublishedDateAfter"]), _day(chosen["PublishedDateBefore"])
    return (
        (not include or _number(patch.name) in include)
        and _number(patch.name) not in exclude
        and (not categories or patch.classification.casefold() in categories)
        and (not severities or (patch.severity or "Unspecified").casefold() in severities)
        and patch.released <= now - timedelta(days=int(chosen["PublishedDaysOld"] or 0))
        and (after is None or patch.released > after)
        and (before is None or patch.released < before)
    )


def _list(text: str) -> set[str]:
    return {part.strip().casefold() for part in text.split(",") if part.strip()}


def _numbers(text: str) -> set[str]:
    return {_number(part) for part in _list(text)}


def _number(name: str) -> str:
    return name.casefold().removeprefix("kb")


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a day such as 2026-11-16."
        raise ValueError(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _value(place: Place, name: str) -> str:
    declared = place.document.command.parameters[name].declared
    return str(place.parameters.get(name, [declared.get("default", "")])[0])


def _told(node: ManagedNode, what: str, found: Iterable[tuple[Package, int]]) -> str:
    lines = [f"{what}: {package.titles[index]}" for package, index in found]
    return "\n".join((f"[simulated] Updates of {node.id}, beside any patch baseline.", *(lines or ["None."]))) + "\n"
