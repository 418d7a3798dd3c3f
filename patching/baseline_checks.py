"""What people write in a patch baseline that AWS takes, and then does nothing with.

It is asked of policies and of constructs, not of what an account already has.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchFilter.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-approved-rejected-package-name-formats.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from patching.baseline import ApprovalRule, PatchBaseline, PatchFilter
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem, PatchFamily
from patching.product import check_product

_BULLETIN = re.compile(r"KB[0-9]{6,8}|MS[0-9]{2}-[0-9]{3}")
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_APT_NAME = re.compile(r"[a-z0-9][a-z0-9+.*-]*")
_LISTED = re.compile(r"[^\s,]{1,100}")
_ANY = "*"


def check_values(filters: Iterable[PatchFilter], system: OperatingSystem) -> None:
    """Refuse a value that no patch of this operating system has.

    AWS takes any value, and a rule with a misspelt one then approves nothing, without a word.

    Raises:
        InvalidValueError: such a value, with the one that is nearest to it.
    """
    for one in filters:
        if one.key == "PRODUCT":
            for value in one.values:
                check_product(value, system)
        known = {value.casefold(): value for value in system.filter_values(one.key)}
        for value in one.values if known else ():
            if value != _ANY and value.casefold() not in known:
                near = get_close_matches(value.casefold(), known, n=1)
                hint = f"did you mean {known[near[0]]!r}?" if near else f"expected one of {', '.join(known.values())}"
                message = f"{one.key} {value!r} is none of {system}: the filter would let nothing through; {hint}"
                raise InvalidValueError(message)


def check_together(filters: Iterable[PatchFilter], global_filters: Iterable[PatchFilter]) -> None:
    """Refuse the filters of a rule with which the global filters have no value in common: nothing gets through both.

    Raises:
        InvalidValueError: with the key.
    """
    every = {one.key: {value.casefold() for value in one.values} for one in global_filters}
    for one in filters:
        values = {value.casefold() for value in one.values}
        through = every.get(one.key, {_ANY})
        if _ANY not in values | through and values.isdisjoint(through):
            message = (
                f"{one.key} {', '.join(one.values)}: the global filters let none of these through, so that the rule "
                "approves nothing; take the filter out in one of the two places, or name a value in both"
            )
            raise InvalidValueError(message)


def check_listed(patch: str, system: OperatingSystem, rejected: bool) -> None:  # noqa: FBT001 one of two lists
    """Refuse an entry of the approved or the rejected patches that names nothing on this operating system.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-approved-rejected-package-name-formats.html.

    Raises:
        InvalidValueError: Windows: neither a KB number nor a security bulletin. Linux: one of these, not one word, or
            what only approving understands among the rejected ones. apt: a name with a version or an architecture. Of
            the rejected ones also what rejects everything.
    """
    if rejected and patch == _ANY:
        message = "'*' rejects every patch, so that the baseline approves nothing; name what is to stay out"
        raise InvalidValueError(message)
    if not _LISTED.fullmatch(patch):
        message = f"{patch!r} is not a patch: expected one name of 1 to 100 characters without spaces and commas"
        raise InvalidValueError(message)
    match system.family:
        case PatchFamily.WINDOWS if not _BULLETIN.fullmatch(patch):
            message = f"{patch!r} is not a patch of Windows; expected a KB number like KB5031364, or one like MS10-048"
            raise InvalidValueError(message)
        case PatchFamily.RPM | PatchFamily.APT if _BULLETIN.fullmatch(patch):
            message = f"{patch!r} is a patch of Windows, not of {system}; name a package"
            raise InvalidValueError(message)
        case PatchFamily.RPM if rejected and (_CVE.fullmatch(patch) or patch.isdigit()):
            message = (
                f"{patch!r}: packages of {system} are rejected by name, not by CVE or Bugzilla number, which AWS takes "
                "for approving only; name the package"
            )
            raise InvalidValueError(message)
        case PatchFamily.RPM if patch.count("*") > 1:
            message = f"{patch!r} has {patch.count('*')} wildcards, but AWS takes a single one; leave one"
            raise InvalidValueError(message)
        case PatchFamily.APT if not _APT_NAME.fullmatch(patch):
            message = (
                f"{patch!r} is not a package name of {system}: AWS takes it without version and architecture, such as "
                "openssl"
            )
            raise InvalidValueError(message)
        case _:
            pass


def check_dates(rule: ApprovalRule, system: OperatingSystem) -> None:
    """Refuse an approval by date where packages carry no date that could be relied on.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html.

    Raises:
        InvalidValueError: a delay above 0, or a date, for a system that does not date its patches.
    """
    if not system.dates_patches and (rule.approve_after_days or rule.approve_until_date):
        key = "approve_after_days" if rule.approve_after_days else "approve_until_date"
        message = (
            f"{system} does not support approval by date: its packages carry no reliable one, and AWS approves "
            f"them at once whatever is written here; take {key} out"
        )
        raise InvalidValueError(message)


def check_approves(rules: Sequence[object], approved: Sequence[str]) -> None:
    """Refuse a baseline that approves nothing.

    Raises:
        InvalidValueError: neither a rule nor an approved patch.
    """
    if not rules and not approved:
        message = "a baseline without rules and approved_patches approves nothing; add one of them"
        raise InvalidValueError(message)


def rejecting(patch: str, rejected: Iterable[str]) -> str:
    """Return the entry that rejects an approved patch; empty if none does. Rejecting beats approving.

    An approved entry with a wildcard is rejected by one that stands for all that it stands for.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html.
    """
    return next((entry for entry in rejected if fnmatchcase(patch.casefold(), entry.casefold())), "")


def check_contradiction(approved: str, rejected: Iterable[str]) -> None:
    """Refuse an approved patch that the rejected ones name as well.

    Raises:
        InvalidValueError: with the entry that rejects it.
    """
    entry = rejecting(approved, rejected)
    if entry:
        message = f"{approved!r} is rejected as well, by {entry!r}, and rejected beats approved; take one of them out"
        raise InvalidValueError(message)


def check_baseline(baseline: PatchBaseline) -> None:
    """Refuse a baseline in which something is written that has no effect.

    Raises:
        InvalidValueError: with the first such thing.
    """
    system = baseline.operating_system
    for filters in (baseline.global_filters, *(rule.filters for rule in baseline.rules)):
        check_values(filters, system)
    for rule in baseline.rules:
        check_dates(rule, system)
        check_together(rule.filters, baseline.global_filters)
    for patches, rejected in ((baseline.approved, False), (baseline.rejected, True)):
        for patch in patches:
            check_listed(patch, system, rejected)
    for patch in baseline.approved:
        check_contradiction(patch, baseline.rejected)
    for source in baseline.sources:
        for product in source.products:
            check_product(product, system)
    check_approves(baseline.rules, baseline.approved)
