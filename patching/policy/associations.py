"""What State Manager runs on every node of the environment: scans, inventory and updates of the agent."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from patching.association import check_severity
from patching.baseline import ComplianceLevel
from patching.form import CALENDAR
from patching.policy import pages
from patching.policy.part import Concurrency, Findings, Matching, MaxErrors, Part, ScheduleExpression
from patching.rate_control import RateControl
from patching.schedule import Schedule

Calendar = Annotated[str, Matching(CALENDAR)]

_SCHEDULE = (
    "When it runs, in UTC, as associations know no time zone: `cron(...)` for every 30 minutes, every 1, 2, 4, 8 or 12 "
    "hours, daily, weekly, or the n-th or last of a weekday in every month; `rate(...)` from 30 minutes to below 31 "
    "days, which runs at deployment too, and so needs `run_at_deployment: true`; or, once, `at(...)`."
)
_SEVERITIES: list[JsonValue] = [level.value for level in ComplianceLevel if level is not ComplianceLevel.INFORMATIONAL]
_SCHEDULE_EXAMPLES = ["cron(0 22 * * ? *)", "cron(0 4 ? * SUN *)", "cron(0 4 ? * TUE#2 *)", "rate(1 day)"]


class Association(Part, json_schema_extra=pages.CREATE_ASSOCIATION):
    """A State Manager association for every node of the environment."""

    schedule_utc: ScheduleExpression = Field(
        description=_SCHEDULE, examples=_SCHEDULE_EXAMPLES, json_schema_extra=pages.SCHEDULES
    )
    schedule_offset_days: int = Field(
        default=0,
        ge=0,
        le=6,
        description="Days to wait after the time that the cron expression gives: with `TUE#2` and 3, the Friday after "
        "the second Tuesday. Needs a cron expression, and `run_at_deployment: false`.",
    )
    run_at_deployment: bool = Field(
        default=False,
        description="Run not only on schedule, but also when the association is made or changed, and on a node as "
        "soon as it is found.",
        json_schema_extra=pages.WHEN_ASSOCIATIONS_RUN,
    )
    calendars: list[Calendar] = Field(
        default_factory=list,
        description="Change Calendars, by name or ARN, that all have to be open for it to run. They have to be there "
        "when the policy is deployed.",
        json_schema_extra=pages.CHANGE_CALENDAR,
    )
    concurrency: Concurrency = Field(
        default="100%",
        description="Nodes on which it runs at one time, as a number or as a share of them. A node that is found "
        "meanwhile runs it besides.",
        json_schema_extra=pages.ASSOCIATION_RATES,
    )
    max_errors: MaxErrors = Field(
        default="100%",
        description="Failures that are tolerated, as a number or as a share of the nodes. The one after them keeps "
        "further nodes from starting; those that run go on.",
        json_schema_extra=pages.ASSOCIATION_RATES,
    )
    compliance_severity: Annotated[ComplianceLevel, Field(strict=False)] = Field(
        default=ComplianceLevel.UNSPECIFIED,
        description="How serious it is when the association could not run on a node. (How serious a missing patch is, "
        "the baselines say.)",
        json_schema_extra=pages.CREATE_ASSOCIATION | {"enum": _SEVERITIES},
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find what an association does not take.

        Refused:
        - `schedule_utc`: an expression that associations do not take, although maintenance windows do
        - `schedule_utc`: a rate without `run_at_deployment: true`, as AWS runs it at deployment whatever is asked
        - `schedule_utc`: an offset with a rate, or with `run_at_deployment: true`, which AWS does not take together
        - `concurrency`, `max_errors`: neither a number nor a per cent value that AWS takes
        - `compliance_severity`: INFORMATIONAL, which baselines know and associations do not
        - `calendars`: one that is in the list already

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html,
        https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html and
        https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-about.html.
        """
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
    """The association that scans every node of the environment (AWS-RunPatchBaseline).

    Only a scan tells which patches are missing: what an installation reports lists none.
    """


class Inventory(Association):
    """The association that collects what is installed on every node (AWS-GatherSoftwareInventory).

    Without this part nothing is collected.
    """

    schedule_utc: ScheduleExpression = Field(
        default="rate(1 day)",
        description=_SCHEDULE,
        examples=_SCHEDULE_EXAMPLES,
        json_schema_extra=pages.INVENTORY,
    )
    run_at_deployment: bool = Field(
        default=True,
        description="Collect not only on schedule, but also when the association is made or changed, and from a node "
        "as soon as it is found.",
        json_schema_extra=pages.WHEN_ASSOCIATIONS_RUN,
    )


class AgentUpdates(Association):
    """The association that keeps the SSM Agent of every node up to date (AWS-UpdateSSMAgent).

    Without this part the agents stay as they are.
    """

    schedule_utc: ScheduleExpression = Field(
        default="cron(0 4 ? * SUN *)",
        description=_SCHEDULE,
        examples=_SCHEDULE_EXAMPLES,
        json_schema_extra=pages.AGENT_UPDATES,
    )
