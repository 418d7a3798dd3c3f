"""The policy as a whole."""

from __future__ import annotations

from typing import Self

from pydantic import ValidationInfo, model_validator

from patching.policy import checks
from patching.policy.content import PolicyContent
from patching.policy.part import Findings, Reading


class Policy(PolicyContent):
    """A patch policy, as the file has it."""

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        findings = Findings()
        checks.check(self, findings, Reading.of(info.context))
        findings.report()
        return self
