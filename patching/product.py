"""The names of products: what a PRODUCT filter compares with, and what an alternative source is for.

AWS lists them per account (DescribePatchProperties), and new ones come out all the time. So a name is refused only
where it cannot be one: a known form that is spelt otherwise, the product of another system, or, on a Linux whose names
AWS documents, one that begins otherwise than all of them.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchSource.html,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAvailablePatches.html and
https://docs.aws.amazon.com/cli/latest/reference/ssm/describe-patch-properties.html. The forms for CentOS and SUSE are
those that API_PatchFilter.html listed until 2019. For the other systems AWS documents no names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem, PatchFamily

_ANY = "*"
_SEPARATORS = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class _Form:
    """How the products of a system are called: a name, a version, and one of them."""

    name: str
    version: str
    example: str

    def spelt(self, product: str) -> str:
        """Return the product as AWS spells it; empty if it is none of these."""
        match = re.fullmatch(f"{self.name}({self.version})", product, re.IGNORECASE)
        return f"{self.name}{match[1].upper()}" if match else ""


_FORMS = {
    OperatingSystem.AMAZON_LINUX: _Form("AmazonLinux", r"201[2-8]\.[0-9]{2}", "AmazonLinux2018.03"),
    OperatingSystem.AMAZON_LINUX_2: _Form("AmazonLinux", r"2(\.[0-9]+)?", "AmazonLinux2"),
    OperatingSystem.AMAZON_LINUX_2022: _Form("AmazonLinux", r"2022(\.[0-9.]+)?", "AmazonLinux2022"),
    OperatingSystem.AMAZON_LINUX_2023: _Form("AmazonLinux", r"2023(\.[0-9.]+)?", "AmazonLinux2023"),
    OperatingSystem.UBUNTU: _Form("Ubuntu", r"[0-9]+\.[0-9]+", "Ubuntu24.04"),
    OperatingSystem.REDHAT_ENTERPRISE_LINUX: _Form(
        "RedhatEnterpriseLinux", r"[0-9]+(\.[0-9]+)?", "RedhatEnterpriseLinux9.4"
    ),
    OperatingSystem.SUSE: _Form("Suse", r"[0-9]+(\.[0-9]+)?", "Suse15.5"),
    OperatingSystem.CENTOS: _Form("CentOS", r"[0-9]+(\.[0-9]+)?", "CentOS7.9"),
    OperatingSystem.WINDOWS: _Form("WindowsServer", r"20[0-9]{2}(R2)?", "WindowsServer2022"),
}


def check_product(product: str, system: OperatingSystem) -> None:
    """Refuse what cannot be the name of a product of this system.

    Raises:
        InvalidValueError: with the name that was probably meant.
    """
    own = _FORMS.get(system)
    if product == _ANY or (own and own.spelt(product)):
        return
    effect = "it would match nothing"
    if _ANY in product:
        message = f"PRODUCT {product!r}: the wildcard * stands for every product, and cannot be a part of a name"
        raise InvalidValueError(message)
    squeezed = _SEPARATORS.sub("", product)
    if own and own.spelt(squeezed):
        message = f"PRODUCT {product!r} is none of {system}: {effect}; did you mean {own.spelt(squeezed)!r}?"
        raise InvalidValueError(message)
    others = [other for other, form in _FORMS.items() if form.spelt(squeezed)]
    if others:
        hint = f"; expected one like {own.example}" if own else ""
        message = f"PRODUCT {product!r} is one of {others[0]}, not of {system}: {effect}{hint}"
        raise InvalidValueError(message)
    if own and system.family is not PatchFamily.WINDOWS and not product.casefold().startswith(own.name.casefold()):
        message = f"PRODUCT {product!r} is none of {system}: {effect}; expected one like {own.example}"
        raise InvalidValueError(message)
