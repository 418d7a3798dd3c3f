"""What a State Manager association has to keep to, besides its schedule.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-change-calendar.html. As targets it takes
five tag keys, like Run Command: `patching.targets`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from patching.baseline import ComplianceLevel
from patching.errors import InvalidValueError
from patching.form import CALENDAR, Form
from patching.run_patch_baseline import DOCUMENT_NAME, DOCUMENT_WITH_HOOKS, Operation, RunPatchBaseline

_NAME = Form(
    re.compile(r"[A-Za-z0-9_.-]{3,128}"), "the name of an association: 3 to 128 letters, digits, '_', '.' or '-'"
)


def check_name(name: str) -> None:
    """Refuse a name that AWS does not take; raise `InvalidValueError`."""
    _NAME.check(name)


def check_run(document: str, parameters: Mapping[str, Sequence[str]], *, run_when_made: bool) -> None:
    """Refuse parameters that AWS-RunPatchBaseline refuses on the nodes, and an installation as soon as it is deployed.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-about.html.

    Raises:
        InvalidValueError: one of the two.
    """
    if document not in (DOCUMENT_NAME, DOCUMENT_WITH_HOOKS):
        return
    task = RunPatchBaseline.from_api({name: list(values) for name, values in parameters.items()}, document)
    if run_when_made and task.operation is Operation.INSTALL:
        message = (
            "an association with run_at_deployment installs, and reboots, as soon as it is made or changed; give it "
            "run_at_deployment: false, and a cron expression"
        )
        raise InvalidValueError(message)


def check_severity(severity: ComplianceLevel) -> None:
    """Refuse the one level that baselines have and associations have not; raise `InvalidValueError`."""
    if severity is ComplianceLevel.INFORMATIONAL:
        message = "an association's severity is CRITICAL, HIGH, MEDIUM, LOW or UNSPECIFIED, not INFORMATIONAL"
        raise InvalidValueError(message)


def check_calendar(calendar: str) -> None:
    """Refuse what is no Change Calendar's name or ARN; raise `InvalidValueError`."""
    CALENDAR.check(calendar)
