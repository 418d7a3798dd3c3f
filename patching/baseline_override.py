"""The list of baselines that an operation uses instead of those that are registered.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-baselineoverride-parameter.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from patching.baseline import PatchBaseline
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem


@dataclass(frozen=True)
class BaselineOverride:
    """Baselines by their operating systems, as GetPatchBaseline writes them. Make one with `BaselineOverride.parse`.

    Attributes:
        baselines: the baseline of each system that the list has.
        ids: the ids of those that have one.
    """

    baselines: Mapping[OperatingSystem, PatchBaseline]
    ids: Mapping[OperatingSystem, str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the JSON text of a list.

        Raises:
            InvalidValueError: it is no list of baselines, or has two for one system.
        """
        try:
            entries = json.loads(text)
        except ValueError as error:
            message = f"not JSON: {' '.join(str(error).split())}"
            raise InvalidValueError(message) from None
        if not isinstance(entries, list) or not entries or not all(isinstance(one, dict) for one in entries):
            message = "not a list of baselines: expected [{...}], each as GetPatchBaseline gives it"
            raise InvalidValueError(message)
        baselines, ids = {}, {}
        for number, entry in enumerate(entries):
            baseline = _baseline(entry, number)
            system = baseline.operating_system
            if system in baselines:
                message = f"two baselines are for {system}; leave one in"
                raise InvalidValueError(message)
            baselines[system], ids[system] = baseline, str(entry.get("BaselineId") or "")
        return cls(baselines, ids)

    def for_system(self, system: OperatingSystem) -> PatchBaseline:
        """Return the baseline for a system; raise `InvalidValueError` if the list has none."""
        if system not in self.baselines:
            message = f"no baseline in it is for {system}; it has {', '.join(sorted(self.baselines))}"
            raise InvalidValueError(message)
        return self.baselines[system]


def _baseline(entry: dict[str, Any], number: int) -> PatchBaseline:
    try:
        # The service's own example has no names in it.
        return PatchBaseline.from_api({"Name": "override", **entry})
    except InvalidValueError as error:
        message = f"baseline {number + 1}: {error}"
        raise InvalidValueError(message) from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"baseline {number + 1} is not as GetPatchBaseline gives one: {type(error).__name__} at {error}"
        raise InvalidValueError(message) from None
