"""Which properties CloudFormation cannot change in place, and which resources hold data.

Read from the database of resource types that the CDK's own command comes with, and from which its `cdk diff` decides
the same; it is made from CloudFormation's schemas. See
https://docs.aws.amazon.com/cdk/v2/guide/ref-cli-cmd-diff.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

DATABASE = Path(__file__).resolve().parents[1] / "node_modules" / "aws-cdk" / "db.json.gz"


@dataclass(frozen=True)
class Kind:
    """What CloudFormation does with resources of a type.

    Attributes:
        known: whether the type is in the database.
        replacing: properties whose change replaces a resource.
        maybe_replacing: properties whose change replaces it in some cases.
        stateful: whether data is lost with it.
    """

    known: bool = False
    replacing: frozenset[str] = field(default_factory=frozenset)
    maybe_replacing: frozenset[str] = field(default_factory=frozenset)
    stateful: bool = False


UNKNOWN = Kind()
_WITH_DISKS = "AWS::EC2::Instance"
"""The database has instances as stateless, but their volumes go with them."""


def is_available() -> bool:
    """Tell whether the database is installed, as `make setup` does."""
    return DATABASE.is_file()


def kind(name: str) -> Kind:
    """Return what is known of a type of resource."""
    found = _kinds().get(name, UNKNOWN)
    return replace(found, stateful=True) if name == _WITH_DISKS else found


@lru_cache(maxsize=1)
def _kinds() -> dict[str, Kind]:
    if not is_available():
        return {}
    with gzip.open(DATABASE, "rt", encoding="utf-8") as file:
        entities = json.load(file)["schema"]["resource"]["entities"]
    return {
        one["cloudFormationType"]: Kind(
            known=True,
            replacing=_properties(one, "yes"),
            maybe_replacing=_properties(one, "maybe"),
            stateful=bool(one.get("isStateful")),
        )
        for one in entities
    }


def _properties(entity: dict[str, Any], answer: str) -> frozenset[str]:
    return frozenset(name for name, one in entity["properties"].items() if one.get("causesReplacement") == answer)
