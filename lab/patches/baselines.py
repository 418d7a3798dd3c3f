"""The patch baselines of the account, AWS's own among them, and which of them a node uses.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html
and https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lab.patches.snapshots import Snapshot, Snapshots
from lab.world.errors import ApiError
from lab.world.ids import Ids
from lab.world.tags import Tags
from patching.baseline import ApprovalRule, PatchBaseline, filters_from
from patching.operating_system import PREDEFINED_DEFAULTS, OperatingSystem, PatchFamily
from patching.quotas import MAX_BASELINES, MAX_PATCH_GROUPS

_WEEK = 7
_SEED_OF_AWS = 1_000_003


@dataclass
class StoredBaseline:
    """A baseline as the account has it."""

    id: str
    baseline: PatchBaseline
    created: datetime
    modified: datetime
    by_aws: bool = False


class Baselines:
    """Baselines, their patch groups and the default of each operating system.

    Args:
        ids: where new ids come from.
        now: when AWS's own baselines were made.
        tags: the tags of baselines, and of other things; none by default.
    """

    def __init__(self, ids: Ids, now: datetime, tags: Tags | None = None) -> None:
        self._ids = ids
        self.tags = tags or Tags()
        self._stored: dict[str, StoredBaseline] = {}
        self._groups: dict[tuple[OperatingSystem, str], str] = {}
        self._defaults: dict[OperatingSystem, str] = {}
        self.snapshots = Snapshots()
        for system, name in PREDEFINED_DEFAULTS.items():
            stored = StoredBaseline(ids.resource("pb"), _predefined(name, system), now, now, by_aws=True)
            self._stored[stored.id] = stored
            self._defaults[system] = stored.id
        # Ids of their own: those of everything else do not depend on how many baselines AWS has.
        more = Ids(_SEED_OF_AWS)
        for baseline in _more_of_windows():
            stored = StoredBaseline(more.resource("pb"), baseline, now, now, by_aws=True)
            self._stored[stored.id] = stored

    def all(self) -> list[StoredBaseline]:
        """Return all baselines, AWS's first."""
        return list(self._stored.values())

    def get(self, baseline_id: str) -> StoredBaseline:
        """Return a baseline by its id; one of AWS may be named by its ARN."""
        stored = self._stored.get(baseline_id.rpartition("/")[2])
        if stored is None:
            raise ApiError("DoesNotExistException", f"Patch baseline {baseline_id} does not exist.")
        return stored

    def create(self, baseline: PatchBaseline, now: datetime) -> StoredBaseline:
        """Make a baseline."""
        if sum(not one.by_aws for one in self._stored.values()) >= MAX_BASELINES:
            raise ApiError("ResourceLimitExceededException", f"There are {MAX_BASELINES} patch baselines already.")
        stored = StoredBaseline(self._ids.resource("pb"), baseline, now, now)
        self._stored[stored.id] = stored
        return stored

    def update(self, baseline_id: str, baseline: PatchBaseline, now: datetime) -> StoredBaseline:
        """Change what a baseline approves."""
        stored = self._own(baseline_id)
        if baseline.operating_system is not stored.baseline.operating_system:
            raise ApiError("ValidationException", "The operating system of a patch baseline cannot be changed.")
        stored.baseline = baseline
        stored.modified = now
        return stored

    def delete(self, baseline_id: str) -> None:
        """Delete a baseline that no patch group uses and that is no default."""
        if baseline_id not in self._stored:
            return
        stored = self._own(baseline_id)
        groups = self.groups_of(stored.id)
        if groups:
            raise ApiError("ResourceInUseException", f"Patch baseline {stored.id} is used by {', '.join(groups)}.")
        if self.is_default(stored.id):
            system = stored.baseline.operating_system
            raise ApiError(
                "ResourceInUseException",
                f"Patch baseline {stored.id} is the default of {system}; register another one as the default first.",
            )
        del self._stored[stored.id]

    def register(self, baseline_id: str, group: str) -> None:
        """Have the nodes of a patch group use a baseline."""
        stored = self.get(baseline_id)
        key = (stored.baseline.operating_system, group)
        if self._groups.get(key, stored.id) != stored.id:
            raise ApiError(
                "AlreadyExistsException",
                f"Patch group {group} has baseline {self._groups[key]} for {key[0]} already.",
            )
        if key not in self._groups and len(self.groups_of(stored.id)) >= MAX_PATCH_GROUPS:
            raise ApiError(
                "ResourceLimitExceededException", f"Patch baseline {stored.id} has {MAX_PATCH_GROUPS} groups already."
            )
        self._groups[key] = stored.id

    def deregister(self, baseline_id: str, group: str) -> None:
        """Have the nodes of a patch group use the default again."""
        stored = self.get(baseline_id)
        key = (stored.baseline.operating_system, group)
        if self._groups.get(key) == stored.id:
            del self._groups[key]

    def groups_of(self, baseline_id: str) -> list[str]:
        """Return the patch groups that use a baseline."""
        return [group for (_, group), used in self._groups.items() if used == baseline_id]

    def groups(self) -> list[tuple[str, StoredBaseline]]:
        """Return all patch groups with their baselines."""
        return [(group, self._stored[used]) for (_, group), used in self._groups.items()]

    def set_default(self, baseline_id: str) -> None:
        """Make a baseline the default of its operating system."""
        stored = self.get(baseline_id)
        self._defaults[stored.baseline.operating_system] = stored.id

    def default(self, system: OperatingSystem) -> StoredBaseline:
        """Return the default of an operating system."""
        return self._stored[self._defaults[system]]

    def is_default(self, baseline_id: str) -> bool:
        """Tell whether a baseline is the default of its operating system."""
        return baseline_id in self._defaults.values()

    def effective(self, system: OperatingSystem, group: str) -> StoredBaseline:
        """Return the baseline that a node uses: its patch group's or, silently, the default of its system."""
        used = self._groups.get((system, group))
        return self._stored[used] if used else self.default(system)

    def snapshot(self, snapshot_id: str, system: OperatingSystem, group: str, now: datetime) -> Snapshot:
        """Return the baseline that a node uses, as it was when its operation began.

        Args:
            snapshot_id: what all nodes of the operation share; empty for a snapshot of the node's own.
            system: the node's operating system.
            group: its patch group.
            now: the lab's time.
        """

        def take() -> Snapshot:
            stored = self.effective(system, group)
            return Snapshot(stored.id, stored.baseline, now)

        return self.snapshots.find((snapshot_id, system, group), now, take) if snapshot_id else take()

    def _own(self, baseline_id: str) -> StoredBaseline:
        stored = self.get(baseline_id)
        if stored.by_aws:
            raise ApiError("ValidationException", f"Patch baseline {baseline_id} is AWS's and cannot be changed.")
        return stored


def _more_of_windows() -> list[PatchBaseline]:
    """Make the baselines for Windows that AWS provides beside the default: of the system, and of applications too."""
    windows = OperatingSystem.WINDOWS
    system = _predefined("AWS-WindowsPredefinedPatchBaseline-OS", windows)
    applications = ApprovalRule(
        filters_from({"PATCH_SET": ["APPLICATION"], "PRODUCT_FAMILY": ["*"], "PRODUCT": ["*"]}, windows),
        approve_after_days=_WEEK,
    )
    both = replace(
        system,
        name="AWS-WindowsPredefinedPatchBaseline-OS-Applications",
        rules=(*system.rules, applications),
        description="Patch baseline for WINDOWS and applications of Microsoft provided by AWS.",
    )
    return [replace(system, description="Patch baseline for WINDOWS provided by AWS."), both]


def _predefined(name: str, system: OperatingSystem) -> PatchBaseline:
    """Make the baseline that AWS provides for a system."""
    match system.family:
        case PatchFamily.WINDOWS:
            groups: list[dict[str, list[str]]] = [
                {"CLASSIFICATION": ["CriticalUpdates", "SecurityUpdates"], "MSRC_SEVERITY": ["Critical", "Important"]}
            ]
        case PatchFamily.APT:
            groups = [{"PRIORITY": ["Required", "Important", "Standard", "Optional", "Extra"]}]
        case PatchFamily.MACOS:
            groups = [{"CLASSIFICATION": ["Security"]}]
        case _ if system is OperatingSystem.CENTOS:
            groups = [{"CLASSIFICATION": ["*"], "SEVERITY": ["*"]}]
        case _ if system is OperatingSystem.SUSE:
            groups = [{"CLASSIFICATION": ["Security"], "SEVERITY": ["Critical", "Important"]}]
        case _ if system is OperatingSystem.ORACLE_LINUX:
            groups = [
                {"CLASSIFICATION": ["Security"], "SEVERITY": ["Important", "Moderate"]},
                {"CLASSIFICATION": ["Bugfix"]},
            ]
        case _:
            groups = [
                {"CLASSIFICATION": ["Security"], "SEVERITY": ["Critical", "Important"]},
                {"CLASSIFICATION": ["Bugfix"]},
            ]
    return PatchBaseline(
        name=name,
        operating_system=system,
        rules=tuple(
            ApprovalRule(
                filters_from(group, system),
                approve_after_days=_WEEK if system.dates_patches else 0,
                enable_non_security=system is OperatingSystem.CENTOS,
            )
            for group in groups
        ),
        description=f"Default patch baseline for {system} provided by AWS.",
    )
