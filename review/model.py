"""The model that the page, the Markdown and the JSON are written from; its schema is docs/review.schema.json."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from review.rehearsal.model import Rehearsals

FORMAT = 1
"""Number of the JSON's form: it goes up when a key changes its meaning or is taken away, not when one is added."""


class Part(BaseModel):
    """A part of a review."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Weight(StrEnum):
    """How much a reviewer has to look at something."""

    DANGER = "danger"
    """Data is lost, something is replaced, or everybody may do something."""
    CAUTION = "caution"
    """What runs, when, on how many nodes, or who may do what becomes more or other."""
    PLAIN = "plain"
    """All else."""


class Area(StrEnum):
    """What a change is about."""

    SCHEDULE = "schedule"
    WINDOW = "window"
    ASSOCIATION = "association"
    BASELINE = "baseline"
    EXCEPTION = "exception"
    DOCUMENT = "document"
    PERMISSION = "permission"
    NETWORK = "network"
    NODES = "nodes"
    NOTIFICATION = "notification"
    OUTPUT = "output"
    OTHER = "other"


class Effect(StrEnum):
    """What becomes of a resource."""

    ADDED = "added"
    CHANGED = "changed"
    MAY_BE_REPLACED = "may be replaced"
    """It depends on values that only CloudFormation knows."""
    REPLACED = "replaced"
    """Another one is made, and this one deleted."""
    REMOVED = "removed"


class Change(Part):
    """One thing that changes, in words."""

    area: Area
    weight: Weight
    text: str
    """One sentence, which names what changes."""
    resources: tuple[str, ...] = ()
    """The resources that it is about, each as STACK/LOGICAL-ID."""


class ResourceChange(Part):
    """A resource that changes."""

    id: str
    """STACK/LOGICAL-ID."""
    path: str
    """Its construct path; its logical id if the template does not tell."""
    type: str
    """Such as AWS::SSM::PatchBaseline."""
    effect: Effect
    properties: tuple[str, ...] = ()
    """What of it changes."""
    because: tuple[str, ...] = ()
    """The properties for which it is replaced."""
    data_loss: str = ""
    """What is lost for good; empty for nothing."""
    note: str = ""
    """What else there is to know of it, such as why it will fail."""
    diff: str = ""
    """The difference of its JSON, line by line."""


class Verdict(Part):
    """What a reviewer decides first."""

    weight: Weight
    headline: str
    changes: int
    """Changes in words."""
    added: int
    changed: int
    replaced: int
    """Resources that are, or may be, replaced."""
    removed: int
    data_losses: int
    permission_changes: int
    schedule_changes: int
    violations: int
    """Findings that nobody acknowledged."""


class Opening(Part):
    """A stretch of time in which a window is open, or a moment at which an association runs."""

    begin: datetime
    end: datetime
    """The same as the beginning for what has no end."""
    local: str
    """The beginning in its own time zone, with its offset."""
    meets: tuple[str, ...] = ()
    """The lanes that are open or run in it as well."""


class ClockChange(Part):
    """A moment at which the clocks of a time zone change."""

    at: datetime
    text: str


class Lane(Part):
    """A window or an association in the calendar."""

    name: str
    kind: str
    """`window` or `association`."""
    operation: str
    """What it does, such as `Install`."""
    when: str
    timezone: str
    targets: str
    pace: str
    """Rate control in plain words."""
    concurrency: str
    """Nodes at one time, as a number or a share."""
    nodes: int | None = None
    """Nodes that it selects: counted in the templates, or as given; None if not known."""
    at_most: int | None = None
    """Nodes that run at one time; None if it is a share of a number that is not known."""
    reboots: bool = False
    openings: tuple[Opening, ...] = ()
    clock_changes: tuple[ClockChange, ...] = ()
    note: str = ""
    """Why nothing is drawn, if nothing is."""


class Busiest(Part):
    """When most nodes are patched, or reboot, at one time."""

    text: str
    nodes: int | None = None
    """None if it is a share of a number that is not known."""
    at: datetime | None = None
    windows: tuple[str, ...] = ()


class Meeting(Part):
    """A stretch of time in which two lanes meet."""

    lanes: tuple[str, str]
    begin: datetime
    end: datetime
    text: str
    same_nodes: bool
    """Whether there may be a node that both are for."""


class Calendar(Part):
    """What runs when."""

    first: date
    days: int
    lanes: tuple[Lane, ...]
    meetings: tuple[Meeting, ...]
    busiest: Busiest | None


class Meaning(Part):
    """What a window, an association, a baseline, or who is told of what, means in words."""

    kind: str
    name: str
    sentences: tuple[str, ...]


class Grant(Part):
    """An action that somebody may, or must not, do with something."""

    who: str
    resource_id: str
    """The role, policy or resource that says so, as STACK/LOGICAL-ID."""
    may: bool
    actions: tuple[str, ...]
    on: tuple[str, ...]
    condition: str = ""
    wildcard: bool = False
    """Whether the actions or what they are on are open: `*` in them."""
    change: str = ""
    """`added`, `removed`, or empty for neither."""


class Finding(Part):
    """Something that a rule found and nobody acknowledged."""

    rule: str
    severity: str
    where: str
    message: str
    page: str = ""


class Accepted(Part):
    """A finding that may stay, and why."""

    reason: str
    rules: tuple[str, ...]
    where: tuple[str, ...]
    is_new: bool = False


class OpenException(Part):
    """A patch that is treated otherwise than the rules say, for a while."""

    name: str
    patch: str
    action: str
    baselines: tuple[str, ...]
    reason: str
    owner: str
    until: date
    days_left: int


class Safety(Part):
    """Whether it is safe, as far as rules can tell."""

    validated: bool
    """Whether the assembly has a report of the CDK's validation and of rule packs."""
    findings: tuple[Finding, ...]
    accepted: tuple[Accepted, ...]
    exceptions: tuple[OpenException, ...] | None
    """None if the assembly does not tell."""


class CostLine(Part):
    """What one kind of thing costs."""

    what: str
    count: float
    unit: str
    price: float
    monthly: float
    before: float = 0
    """What it cost before the change."""


class Costs(Part):
    """What it costs a month, by list prices."""

    currency: str
    region: str
    as_of: date
    lines: tuple[CostLine, ...]
    total: float
    before: float | None
    """None if there is nothing to compare with."""
    not_priced: tuple[str, ...]


class Node(Part):
    """A part in the picture."""

    id: str
    label: str
    detail: str
    kind: str
    column: int
    change: str = ""


class Tie(Part):
    """How one part is tied to another."""

    source: str
    target: str
    label: str


class Picture(Part):
    """The deployed parts and how they are tied."""

    columns: tuple[str, ...]
    nodes: tuple[Node, ...]
    ties: tuple[Tie, ...]


class Review(Part):
    """Everything that a reviewer reads of one cloud assembly."""

    format: int = FORMAT
    environment: str
    subject: str
    """What is reviewed."""
    against: str = ""
    """What it is compared with; empty for nothing."""
    day: date
    """The first day of the calendar, and the day on which exceptions are judged."""
    notes: tuple[str, ...] = Field(default=())
    """What else there is to know of how the review was made."""
    verdict: Verdict
    changes: tuple[Change, ...] | None
    """None if it is compared with nothing."""
    resources: tuple[ResourceChange, ...]
    calendar: Calendar
    meanings: tuple[Meaning, ...]
    grants: tuple[Grant, ...]
    safety: Safety
    costs: Costs
    picture: Picture
    rehearsal: Rehearsals | None = None
    """What would happen in the weeks to come; None if that was not asked for."""
