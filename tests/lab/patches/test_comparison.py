"""How filters compare."""

from __future__ import annotations

import pytest

from lab.patches.comparison import passes


@pytest.mark.parametrize(
    ("found", "values", "comparison", "expected"),
    [
        (["a"], ["a", "b"], "EQUAL", True),
        (["c"], ["a", "b"], "Equal", False),
        (["a", "c"], ["c"], "Equal", True),
        ([], ["a"], "Equal", False),
        (["a"], ["a"], "NOT_EQUAL", False),
        (["a"], ["b"], "NotEqual", True),
        (["apple"], ["app"], "BEGIN_WITH", True),
        (["apple"], ["ple"], "BeginWith", False),
        (["9"], ["10"], "LESS_THAN", True),
        (["10"], ["9"], "LessThan", False),
        (["10"], ["10"], "LessThan", False),
        (["10"], ["9"], "GREATER_THAN", True),
        (["9"], ["10"], "GreaterThan", False),
        (["2026-11-16T00:00:00Z"], ["2026-11-17T00:00:00Z"], "LESS_THAN", True),
        (["2026-11-16T00:00:00Z"], ["2026-11-17T00:00:00Z"], "GREATER_THAN", False),
        (["a"], ["true"], "Exists", True),
        ([], ["true"], "Exists", False),
        ([], ["false"], "Exists", True),
    ],
)
def test_a_filter_lets_through_what_fits_one_of_its_values(
    found: list[str], values: list[str], comparison: str, expected: bool
) -> None:
    assert passes(found, values, comparison) is expected
