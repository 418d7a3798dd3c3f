"""The table in which findings are shown."""

from __future__ import annotations

from ops.finding import Finding

COLUMNS = ("What", "Check", "Found", "Remedy")


def row(one: Finding) -> tuple[str, ...]:
    """Return a finding as a row of `COLUMNS`."""
    return (one.name or one.subject, f"{one.verdict}: {one.check}", one.text, one.remedy)
