"""The figures of a rehearsal, which the table, the JSON and the charts are all written from."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the figures."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ComplianceDay(Part):
    """How many nodes were compliant at the end of a day, by their last report."""

    day: date
    compliant: int
    not_compliant: int
    unknown: int
    """Nodes that have reported nothing yet."""


class Exposure(Part):
    """Days from a patch's release to its installation, over all nodes that it is for."""

    severity: str
    patches: int
    """Patches that came out early enough to be counted."""
    pairs: int
    """Pairs of such a patch and a node."""
    median: float | None
    """Days; None if half of the pairs were still open at the end."""
    p95: float | None
    """Days; None if more than one in twenty of the pairs was still open at the end."""
    still_open: int
    """Pairs that were open when the rehearsal ended."""


class HourOfReboots(Part):
    """How many reboots there were in an hour."""

    at: datetime
    """The beginning of the hour, in UTC."""
    reboots: int


class Kind(Part):
    """A kind of nodes that the rehearsal made."""

    system: str
    tags: dict[str, str]
    window: str
    """The window for whose targets they were made; empty for none."""
    nodes: int
    without_window: int
    """How many of them no installation ever began on."""


class Rehearsal(Part):
    """What a plan would have done."""

    name: str
    compliance: tuple[ComplianceDay, ...]
    exposure: tuple[Exposure, ...]
    reboots: tuple[HourOfReboots, ...]
    """The hours with reboots."""
    most_rebooting: int
    """The most nodes that rebooted at one time."""
    most_rebooting_at: datetime | None
    most_patching: int
    """The most nodes that were patched at one time."""
    installations: int
    """Installations that began or should have begun on a node."""
    failed: int
    not_started: int
    """Installations that did not begin: the error threshold or the cutoff came before."""
    without_window: int
    """Nodes that no installation ever began on."""
    windows: dict[str, int]
    """How openings of windows ended, by status."""
    kinds: tuple[Kind, ...]
    left_out: tuple[str, ...] = ()

    @property
    def last_compliance(self) -> float:
        """The share of nodes that were compliant at the end."""
        last = self.compliance[-1]
        return last.compliant / max(1, last.compliant + last.not_compliant + last.unknown)

    @property
    def mean_compliance(self) -> float:
        """The share of nodes that were compliant, over all days."""
        shares = [one.compliant / max(1, one.compliant + one.not_compliant + one.unknown) for one in self.compliance]
        return sum(shares) / len(shares)


class Rehearsals(Part):
    """One or two plans rehearsed with the same patches and the same faults."""

    format: int = 1
    first: date
    days: int
    nodes: int
    chaos: float
    """The share of nodes on which an installation fails."""
    seed: int
    counted_days: int
    """Patches that came out in the first so many days are counted in the exposure: they have time to be installed."""
    rates: tuple[str, ...]
    """From which rates the patches are made up."""
    assumptions: tuple[str, ...]
    plans: tuple[Rehearsal, ...]
