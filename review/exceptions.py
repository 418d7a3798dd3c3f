"""Exceptions to baselines, of which the templates show only the lists that they end in: the app tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from patching.schedule_words import joined
from review.cloud_assembly import CloudAssembly
from review.errors import ReviewError
from review.model import OpenException, Weight


def open_exceptions(whole: CloudAssembly, day: date) -> tuple[OpenException, ...] | None:
    """Return the exceptions, those that end first in front; None if the assembly does not tell."""
    told = _told(whole)
    if told is None:
        return None
    found = [_exception(name, one, day) for name, one in told.items()]
    return tuple(sorted(found, key=lambda one: (one.until, one.name)))


def exception_changes(before: CloudAssembly, after: CloudAssembly) -> Iterator[tuple[str, Weight]]:
    """Yield what changes of the exceptions, if both assemblies tell of them."""
    old, new = _told(before), _told(after)
    if old is None or new is None:
        return
    day = date.min
    for name in dict.fromkeys((*new, *old)):
        first, second = (_exception(name, one[name], day) if name in one else None for one in (old, new))
        if first is None and second is not None:
            yield f"exception {name} is new: {_in_words(second)}", Weight.CAUTION
        elif second is None and first is not None:
            yield f"exception {name} is gone: {_in_words(first)}", Weight.CAUTION
        elif first is not None and second is not None:
            if first.until != second.until:
                longer = "runs longer" if second.until > first.until else "ends earlier"
                yield f"exception {name} {longer}: until {second.until} instead of {first.until}", Weight.CAUTION
            if (first.patch, first.action, first.baselines) != (second.patch, second.action, second.baselines):
                yield f"exception {name} is another: {_in_words(second)} (before: {_in_words(first)})", Weight.CAUTION
            if (first.reason, first.owner) != (second.reason, second.owner):
                said = [f"{one.reason} ({one.owner})" for one in (second, first)]
                yield f"exception {name} is explained otherwise: {said[0]}; before: {said[1]}", Weight.PLAIN


def _in_words(one: OpenException) -> str:
    verb = "rejected" if one.action == "reject" else "approved at once"
    return f"{one.patch} is {verb} in {joined(list(one.baselines))} until {one.until} ({one.reason}; {one.owner})"


def _told(whole: CloudAssembly) -> Mapping[str, Mapping[str, Any]] | None:
    found = (whole.told or {}).get("exceptions")
    return found if isinstance(found, Mapping) else None


def _exception(name: str, one: Mapping[str, Any], day: date) -> OpenException:
    try:
        return _read(name, one, day)
    except (KeyError, TypeError, ValueError):
        raise ReviewError(f"the assembly's metadata tells of an exception {name} in a form that is not known") from None


def _read(name: str, one: Mapping[str, Any], day: date) -> OpenException:
    until = date.fromisoformat(str(one["until"]))
    return OpenException(
        name=name,
        patch=str(one["patch"]),
        action=str(one["action"]),
        baselines=tuple(map(str, one["baselines"])),
        reason=str(one["reason"]),
        owner=str(one["owner"]),
        until=until,
        days_left=(until - day).days,
    )
