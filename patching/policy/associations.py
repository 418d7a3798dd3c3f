"""What State Manager runs on every node of the environment: scans, inventory and updates of the agent."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from patching.association import CALENDAR, check_severity
from patching.baseline import ComplianceLevel
from patching.policy.part import Findings, Part, matching
from patching.rate_control import RateControl
from patching.schedule import Schedule

Calendar = Annotated[
    str, AfterValidator(matching(CALENDAR, "the name or the ARN of a Change Calendar (3 to 128 of a-z A-Z 0-9 _ - .)"))
]


class Association(Part):
    """A State Manager association for every node of the environment."""

    schedule_utc: str = Field(
        description="cron(...) or rate(...) as an association takes it. Associations know no time zone: this is UTC."
    )
    schedule_offset_days: int = Field(
        default=0,
        ge=0,
        le=6,
        description="Days to wait after the time that the cron expression gives: with TUE#2 and 3, the Friday after "
        "the second Tuesday.",
    )
    run_at_deployment: bool = Field(
        default=False, description="Run also at once when the association is made or changed, not only on schedule."
    )
    calendars: list[Calendar] = Field(
        default_factory=list,
        description="Change Calendars, by name or ARN, that all have to be open for it to run. They have to be there "
        "when the policy is deployed.",
    )
    concurrency: int | str = Field(
        default="100%", description="Nodes on which it runs at one time, as a number or per cent."
    )
    max_errors: int | str = Field(default="100%", description="Failures after which no further node starts.")
    compliance_severity: Annotated[ComplianceLevel, Field(strict=False)] = Field(
        default=ComplianceLevel.UNSPECIFIED, description="How serious it is when it could not run."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        findings.make(
            ("schedule_utc",),
            lambda: self.schedule.for_association(run_when_made=self.run_at_deployment),
        )
        findings.make(("concurrency",), RateControl, self.concurrency)
        findings.make(("max_errors",), RateControl, 1, self.max_errors)
        findings.make(("compliance_severity",), check_severity, self.compliance_severity)
        findings.add_repeated(("calendars",), self.calendars)
        findings.report()
        return self

    @property
    def schedule(self) -> Schedule:
        """The schedule of the domain."""
        return Schedule.parse(self.schedule_utc, offset_days=self.schedule_offset_days)

    @property
    def rate_control(self) -> RateControl:
        """The rate control of the domain."""
        return RateControl(self.concurrency, self.max_errors)


class Scan(Association):
    """The association that scans every node of the environment."""


class Inventory(Association):
    """The association that collects what is installed on every node (AWS-GatherSoftwareInventory)."""

    schedule_utc: str = Field(
        default="rate(1 day)",
        description="cron(...) or rate(...) as an association takes it. Associations know no time zone: this is UTC.",
    )
    run_at_deployment: bool = Field(
        default=True, description="Collect also at once when the association is made or changed."
    )


class AgentUpdates(Association):
    """The association that keeps the SSM Agent of every node up to date (AWS-UpdateSSMAgent)."""

    schedule_utc: str = Field(
        default="cron(0 4 ? * SUN *)",
        description="cron(...) or rate(...) as an association takes it. Associations know no time zone: this is UTC.",
    )
