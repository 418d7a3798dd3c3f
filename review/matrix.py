"""Permissions as a matrix: who by service, with the actions in each cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from review.model import Grant


@dataclass(frozen=True)
class Entry:
    """An action in a cell."""

    name: str
    wildcard: bool
    change: str
    may: bool


@dataclass(frozen=True)
class Cell:
    """What somebody may do in a service."""

    entries: tuple[Entry, ...]

    @property
    def count(self) -> int:
        """How many actions."""
        return len(self.entries)

    @property
    def wildcard(self) -> bool:
        """Whether one of them is open."""
        return any(one.wildcard for one in self.entries)

    @property
    def change(self) -> str:
        """Whether some of them are new or gone; the new ones count more."""
        found = {one.change for one in self.entries}
        return "added" if "added" in found else "removed" if "removed" in found else ""

    @property
    def forbids(self) -> bool:
        """Whether all of them are forbidden."""
        return bool(self.entries) and not any(one.may for one in self.entries)

    @property
    def names(self) -> str:
        """The actions."""
        return ", ".join(f"not {one.name}" if not one.may else one.name for one in self.entries)


@dataclass(frozen=True)
class Matrix:
    """Who may do what.

    Attributes:
        services: the columns.
        rows: who, and for each service the actions.
    """

    services: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def matrix(grants: Iterable[Grant]) -> Matrix:
    """Return the matrix of permissions, by the services of their actions."""
    cells: dict[str, dict[str, dict[str, Entry]]] = {}
    services: dict[str, None] = {}
    for one in grants:
        for action in one.actions:
            service, colon, name = action.partition(":")
            if not colon:
                service, name = ("all", action) if action == "*" else ("AWS's policies", action)
            services[service] = None
            entries = cells.setdefault(one.who, {}).setdefault(service, {})
            known = entries.get(name)
            entries[name] = Entry(
                name,
                one.wildcard or (known.wildcard if known else False),
                one.change or (known.change if known else ""),
                one.may,
            )
    columns = tuple(sorted(services))
    roles_first = sorted(cells.items(), key=lambda row: not row[0].startswith("role "))
    rows = tuple(
        (who, tuple(Cell(tuple(_ordered(found.get(service, {}).values()))) for service in columns))
        for who, found in roles_first
    )
    return Matrix(columns, rows)


def _ordered(entries: Iterable[Entry]) -> list[Entry]:
    """Put first what a reviewer looks at first."""
    return sorted(entries, key=lambda one: (not one.change, not one.wildcard, one.name))
