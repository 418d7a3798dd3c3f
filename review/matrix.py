"""Permissions as a matrix: who by service, with the actions in each cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from review.model import Grant

MOST_NAMED = 4


@dataclass(frozen=True)
class Entry:
    """An action in a cell."""

    name: str
    wildcard: bool
    change: str
    may: bool


@dataclass(frozen=True)
class Matrix:
    """Who may do what.

    Attributes:
        services: the columns.
        rows: who, and for each service the actions.
    """

    services: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[Entry, ...], ...]], ...]


def matrix(grants: Iterable[Grant]) -> Matrix:
    """Return the matrix of permissions, by the services of their actions."""
    cells: dict[str, dict[str, dict[str, Entry]]] = {}
    services: dict[str, None] = {}
    for one in grants:
        for action in one.actions:
            service, colon, name = action.partition(":")
            if not colon:
                service, name = ("all", action) if action == "*" else ("policies of AWS", action)
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
    rows = tuple(
        (who, tuple(tuple(_ordered(found.get(service, {}).values())) for service in columns))
        for who, found in cells.items()
    )
    return Matrix(columns, rows)


def _ordered(entries: Iterable[Entry]) -> list[Entry]:
    """Put first what a reviewer looks at first."""
    return sorted(entries, key=lambda one: (not one.change, not one.wildcard, one.name))
