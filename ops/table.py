"""A table, and the three ways in which it is written."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from patching.targets import Targets

_STYLES = {
    "COMPLIANT": "green",
    "NON_COMPLIANT": "red",
    "UNKNOWN": "yellow",
    "Success": "green",
    "SUCCESS": "green",
    "Failed": "red",
    "FAILED": "red",
    "TimedOut": "red",
    "Missing": "red",
    "InProgress": "cyan",
    "Online": "green",
    "ConnectionLost": "red",
    "Critical": "bold red",
    "Important": "red",
}


_TO_THE_MINUTE = len("2026-11-18 02:00")


@dataclass(frozen=True)
class Table:
    """Rows of text under a title.

    Attributes:
        title: what it shows.
        columns: headings.
        rows: a text for each column; the same everywhere, so that nothing hides in a wider form.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def rich(self) -> Group:
        """Return it as a terminal shows it: the title on a line of its own, and nothing below if there are no rows."""
        parts: list[RenderableType] = [Text(self.title, style="bold")] if self.title else []
        if self.rows:
            headed = any(self.columns)
            grid = RichTable(box=SIMPLE_HEAD if headed else None, show_header=headed, pad_edge=False)
            for column in self.columns:
                grid.add_column(column, overflow="fold")
            for row in self.rows:
                grid.add_row(*(Text(cell, style=_STYLES.get(cell.partition(" ")[0], "")) for cell in row))
            parts.append(grid if headed else Padding(grid, (0, 0, 1, 2)))
        return Group(*parts)

    def csv(self) -> str:
        """Return it as comma-separated values with a heading."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return buffer.getvalue()


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """Make a table; what is no text is written as a person reads it."""
    return Table(title, tuple(columns), tuple(tuple(text(cell) for cell in row) for row in rows))


def text(value: object) -> str:
    """Write a value for a person: a time to the minute, a list with commas, nothing as nothing."""
    if isinstance(value, str | int):  # most are
        return str(value)
    match value:
        case None:
            return ""
        case datetime():
            return moment(value)
        case list() | tuple() | set() | frozenset():
            return ", ".join(text(one) for one in value)
        case _:
            return str(value)


def moment(value: datetime) -> str:
    """Write a time with its offset: 2026-11-18 02:00 +09:00, or with UTC instead of +00:00."""
    written = value.isoformat(sep=" ", timespec="minutes")
    day_and_time, offset = written[:_TO_THE_MINUTE], written[_TO_THE_MINUTE:]
    return f"{day_and_time} {'UTC' if offset in ('', '+00:00') else offset}"


def to_json(value: object) -> str:
    """Write anything that an operation returns as JSON."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def plain(value: Any) -> Any:  # noqa: ANN401 it takes and returns anything that JSON has
    """Turn what an operation returns into what JSON has."""
    match value:
        case Targets():
            return value.to_api()
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(plain(key)): plain(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(one) for one in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value
