"""Services of which one group of nodes has to be up at any time: promises that windows keep, and no resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from patching.errors import InvalidValueError
from patching.schedule_words import joined
from patching.targets import Targets
from review.cloud_assembly import CloudAssembly
from review.errors import ReviewError
from review.model import Weight


def service_changes(before: CloudAssembly, after: CloudAssembly) -> Iterator[tuple[str, Weight]]:
    """Yield what changes of the services, if both assemblies tell of them."""
    old, new = _told(before), _told(after)
    if old is None or new is None:
        return
    for name in dict.fromkeys((*new, *old)):
        first, second = (_in_words(name, one[name]) if name in one else "" for one in (old, new))
        if not first:
            yield f"service {name} is new: of {second} one has to be up at any time", Weight.PLAIN
        elif not second:
            yield f"service {name} is gone: windows may now take {first} at one time", Weight.CAUTION
        elif first != second:
            yield f"service {name} is now {second} (before: {first})", Weight.CAUTION


def _told(whole: CloudAssembly) -> Mapping[str, Any] | None:
    found = (whole.told or {}).get("services")
    return found if isinstance(found, Mapping) else None


def _in_words(name: str, service: Mapping[str, Any]) -> str:
    try:
        return joined([f"the nodes with {Targets.tags(group).in_words()}" for group in service["groups"]])
    except (InvalidValueError, KeyError, TypeError, AttributeError):
        raise ReviewError(f"the assembly's metadata tells of a service {name} in a form that is not known") from None
