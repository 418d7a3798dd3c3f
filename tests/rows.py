"""Many rows of one rule in one test: to begin, run and report a test takes longer than most rules take."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each_row(
    names: str | tuple[str, ...], rows: Iterable[Any], ids: Iterable[Any] | Callable[[Any], str] | None = None
) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Let one test go through all rows, in the form that `pytest.mark.parametrize` has, and name all that fail.

    The test can ask for no fixture.

    Args:
        names: what the test calls the values of a row: a tuple, or one name, for rows that are the value itself.
        rows: the values.
        ids: what each row is called if it fails, or what makes a name of it; by default, it is shown itself.
    """
    table = list(rows)
    called = list(map(ids, table)) if callable(ids) else list(ids or (f"{row!r:.200}" for row in table))
    assert table
    assert len(called) == len(table)

    def decorate(test: Callable[..., None]) -> Callable[[], None]:
        @functools.wraps(test)
        def all_rows() -> None:
            failed: list[tuple[Any, BaseException]] = []
            for name, row in zip(called, table, strict=True):
                values = {names: row} if isinstance(names, str) else dict(zip(names, row, strict=True))
                try:
                    test(**values)
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 the other rows count as well
                    error.add_note(f"row: {name}")
                    failed.append((name, error))
            if failed:
                message = f"{len(failed)} of {len(table)} rows: {'; '.join(str(name) for name, _ in failed)}"
                raise BaseExceptionGroup(message, [error for _, error in failed])

        all_rows.__signature__ = inspect.Signature()  # type: ignore[attr-defined]  # in which pytest looks for fixtures
        return all_rows

    return decorate
