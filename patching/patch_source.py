"""Alternative sources of patches: repositories that a baseline uses instead of those that a node is configured with.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-alternative-source-repository.html
and https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchSource.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from patching.errors import InvalidValueError, is_token

MAX_SOURCES = 20
_MAX_PRODUCTS = 20
_MAX_PRODUCT = 128
_MAX_CONFIGURATION = 1024
_NAME = re.compile(r"[A-Za-z0-9_.-]{3,50}")
_ADDRESS = re.compile(r"[a-z]+://[^\s,;\"']+")
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_S3 = r"s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?"
_IN_S3 = re.compile(rf"https://(?:(?P<host>{_BUCKET})\.{_S3}|{_S3}/(?P<path>{_BUCKET}))(?:/.*)?")


@dataclass(frozen=True)
class PatchSource:
    """A repository, for some versions of an operating system.

    Attributes:
        name: 3 to 50 letters, digits, `_`, `.` and `-`.
        products: the versions that it is for, such as AmazonLinux2023, or `*`; 1 to 20.
        configuration: what the package manager needs of it, 1 to 1,024 characters: a section of a yum repository
            file, or one line of an apt source list.

    Raises:
        InvalidValueError: a name, products or a configuration that AWS would refuse.
    """

    name: str
    products: tuple[str, ...]
    configuration: str

    def __post_init__(self) -> None:
        if not is_token(self.name) and not _NAME.fullmatch(self.name):
            message = f"patch source name {self.name!r} is not 3 to 50 letters, digits, '_', '.' or '-'"
            raise InvalidValueError(message)
        if not 1 <= len(self.products) <= _MAX_PRODUCTS:
            message = f"patch source {self.name} has {len(self.products)} products, but AWS takes 1 to {_MAX_PRODUCTS}"
            raise InvalidValueError(message)
        for product in self.products:
            if not 1 <= len(product) <= _MAX_PRODUCT:
                message = (
                    f"patch source {self.name} has a product of {len(product)} characters, but AWS takes 1 to "
                    f"{_MAX_PRODUCT}"
                )
                raise InvalidValueError(message)
        length = len(self.configuration)
        if not is_token(self.configuration) and not 1 <= length <= _MAX_CONFIGURATION:
            message = (
                f"patch source {self.name} has a configuration of {length} characters, but AWS takes 1 to "
                f"{_MAX_CONFIGURATION:,}"
            )
            raise InvalidValueError(message)

    @property
    def addresses(self) -> dict[str, str]:
        """The addresses in its configuration, each with the bucket of S3 that it leads to by HTTPS; empty for none.

        Those with a variable of the package manager's (`$`) are left out: where they lead is not known.
        """
        found = [one for one in _ADDRESS.findall(self.configuration) if "$" not in one]
        matches = {one: _IN_S3.fullmatch(one) for one in found}
        return {one: (match["host"] or match["path"]) if match else "" for one, match in matches.items()}

    def to_api(self) -> dict[str, Any]:
        """Write the source as CreatePatchBaseline takes it."""
        return {"Name": self.name, "Products": list(self.products), "Configuration": self.configuration}

    @classmethod
    def from_api(cls, api: Mapping[str, Any]) -> Self:
        """Read a source as CreatePatchBaseline takes it."""
        return cls(api["Name"], tuple(api["Products"]), api["Configuration"])
