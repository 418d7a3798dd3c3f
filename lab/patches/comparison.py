"""How filters compare what they find with their values, where a request says how.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ComplianceStringFilter.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InventoryFilter.html. What is less than what AWS
does not document: here numbers are compared as numbers, and everything else as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

EQUAL = "Equal"


def _less(found: str, value: str) -> bool:
    try:
        return float(found) < float(value)
    except ValueError:
        return found < value


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    EQUAL: lambda found, value: found == value,
    "BeginWith": lambda found, value: found.startswith(value),
    "LessThan": _less,
    "GreaterThan": lambda found, value: _less(value, found),
}


def passes(found: Iterable[str], values: Sequence[str], comparison: str = EQUAL) -> bool:
    """Tell whether something gets through a filter.

    Args:
        found: what it has; nothing if it does not have what the filter is about.
        values: what the filter compares with; one that fits is enough.
        comparison: Equal, NotEqual, BeginWith, LessThan, GreaterThan or Exists, or the same in capitals.
    """
    name = comparison.replace("_", "").casefold()
    if name == "exists":
        return bool(list(found)) is (values[0].casefold() != "false")
    if name == "notequal":
        return not passes(found, values)
    fits = next(operator for known, operator in _OPERATORS.items() if known.casefold() == name)
    return any(fits(one, value) for one in found for value in values)
