"""Where commands write: results to standard output, all else to standard error."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from time import monotonic
from typing import Any, TypeVar

import typer
from rich.console import Console

from ops.table import Table, plain, table, text, to_json

OK, ERROR, USAGE, FOUND, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: all is well; it could not be done; it was asked wrongly; it ran, and found something."""

T = TypeVar("T")
_WIDTH_OFF_TERMINAL = 200
_FLUSH_SECONDS = 0.1
_FIRST_ROWS = 100
"""Rows by which the widths of a table's columns are found, if it is longer than that."""


class OutputFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Terminal:
    """Where a command writes: results to standard output, all else to standard error.

    Args:
        output: how results are written.
        quiet: whether progress is left out; what is wrong is said all the same.
    """

    def __init__(self, output: OutputFormat, *, quiet: bool = False) -> None:
        self.output = output
        self.quiet = quiet
        self._flushed = -_FLUSH_SECONDS
        self.out = Console(width=None if sys.stdout.isatty() else _WIDTH_OFF_TERMINAL, highlight=False)
        self.err = Console(stderr=True, width=None if sys.stderr.isatty() else _WIDTH_OFF_TERMINAL, highlight=False)

    def show(self, value: object, tables: Iterable[Table]) -> None:
        """Write a result in the form that was asked for."""
        match self.output:
            case OutputFormat.JSON:
                print(to_json(value))
            case OutputFormat.CSV:
                print("\n".join(table.csv() for table in tables if table.columns), end="")
            case OutputFormat.TABLE:
                for table in tables:
                    self.out.print(table.rich())

    def stream(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write the rows of one table as they come, as CSV or for people, without keeping them."""
        if self.output is OutputFormat.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            for cells in rows:
                writer.writerow([cell if isinstance(cell, str | int) else text(cell) for cell in cells])
                self._flush()
            sys.stdout.flush()
            return
        texts = ([text(cell) for cell in row] for row in rows)
        first = list(islice(texts, _FIRST_ROWS))
        if len(first) < _FIRST_ROWS:
            self.out.print(table(title, columns, first).rich())
            return
        widths = [max(map(len, column)) for column in zip(columns, *first, strict=True)]
        for row in chain(([*columns], ["\u2500" * width for width in widths]), first, texts):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
            self._flush()
        print(flush=True)

    def stream_json(self, name: str, items: Iterable[T], rest: Callable[[], Mapping[str, Any]]) -> Iterator[T]:
        """Write an object with a list under this name, whose items are written and yielded as they come.

        Args:
            name: of the list.
            items: what is in it.
            rest: the object's other members, asked for at the end.
        """
        # What fails before there is anything to write leaves nothing half written.
        source = iter(items)
        first = list(islice(source, 1))
        print("{\n" + f'  "{name}": [', end="")
        comma = ""
        for one in chain(first, source):
            print(f"{comma}\n    {json.dumps(plain(one), ensure_ascii=False)}", end="")
            self._flush()
            comma = ","
            yield one
        print("\n  ]", end="")
        for key, value in rest().items():
            written = json.dumps(plain(value), indent=2, ensure_ascii=False).replace("\n", "\n  ")
            print(f',\n  "{key}": {written}', end="")
        print("\n}", flush=True)

    def _flush(self) -> None:
        """Show what was written, unless that was done just now: whoever reads rows that come fast is woken for each."""
        now = monotonic()
        if now - self._flushed > _FLUSH_SECONDS:
            sys.stdout.flush()
            self._flushed = now

    def say(self, text: str) -> None:
        """Write progress, unless that is not wanted."""
        if not self.quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Write what has to be said in any case."""
        self.err.print(text, soft_wrap=True, markup=False)

    def problems(self, found: Iterable[str]) -> None:
        """Name what could not be read, and end with the code for it if there is something.

        Raises:
            typer.Exit: something was not read: what was shown is not the whole.
        """
        names = list(found)
        for one in names:
            self.warn(f"patchops: not read: {one}")
        if names:
            raise typer.Exit(ERROR)
