"""What all parts of the policy are made of: strict models, names and tags, and findings at the keys they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic import Tag as Alternative
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from patching import rate_control
from patching.errors import InvalidValueError
from patching.form import Form
from patching.tags import MAX_KEY, MAX_VALUE, TAG, TAG_FORM, check_own

Place = tuple[str | int, ...]

FINDINGS = "findings"
"""Type of the error that holds several findings in its context."""

_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class PolicyFinding:
    """One thing that is wrong with a part of the policy.

    Attributes:
        at: the keys below the part that lead there.
        message: what was found, what is expected and how to mend it.
        source: file, line and key, where that is another file than the policy's.
    """

    at: Place
    message: str
    source: tuple[str, int, str] | None = None


class Findings:
    """What is wrong with one part of the policy, each thing at the key that it belongs to.

    All of it leaves the part as one error, whose context `patching.policy_file` takes apart again.
    """

    def __init__(self) -> None:
        self._found: list[PolicyFinding] = []

    @property
    def found(self) -> list[PolicyFinding]:
        """What was noted."""
        return list(self._found)

    def add(self, at: Place, message: str) -> None:
        """Note a problem."""
        self._found.append(PolicyFinding(at, message))

    def extend(self, findings: list[PolicyFinding]) -> None:
        """Note problems that were found elsewhere."""
        self._found += findings

    def add_repeated(self, at: Place, listed: Sequence[object]) -> None:
        """Note every entry of the list at this place that is in it already."""
        for index, one in enumerate(listed):
            if one in listed[:index]:
                self.add((*at, index), f"{str(one)!r} is in the list already; take one out")

    def make(self, at: Place, factory: Callable[..., object], *arguments: object) -> bool:
        """Make a value object, and note what it says of the key that it was made from; return whether it was made."""
        try:
            factory(*arguments)
        except InvalidValueError as error:
            self.add(at, str(error))
            return False
        return True

    def report(self) -> None:
        """Refuse the part if anything was found."""
        if self._found:
            raise refused(self._found)


def refused(found: list[PolicyFinding]) -> PydanticCustomError:
    """Return the error that refuses a part; its text is for those who make the part in Python, without a file."""
    text = "; ".join(": ".join((*([".".join(map(str, one.at))] if one.at else []), one.message)) for one in found)
    return PydanticCustomError(FINDINGS, "{text}", {"found": found, "text": text})


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass
class Reading:
    """What a policy is read with.

    Attributes:
        folder: where the files that the policy names are looked for; the working directory by default.
        today: the day (UTC) that exceptions and schedules are judged on.
        warnings: what is to be said although nothing is wrong, each with the keys that lead there.
    """

    folder: Path = field(default_factory=Path)
    today: date = field(default_factory=_today)
    warnings: list[PolicyFinding] = field(default_factory=list)

    def warn(self, at: Place, message: str) -> None:
        """Note something that is to be said."""
        self.warnings.append(PolicyFinding(at, message))

    @classmethod
    def of(cls, context: Any) -> Reading:  # noqa: ANN401 what pydantic hands through is anything
        """Return the reading that a model is validated in, or one with the defaults."""
        return context if isinstance(context, cls) else cls()


class Part(BaseModel):
    """A part of the policy: no key that is not known, no value of another type than the one that is meant."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Matching:
    """Part of an annotated type: a text of this form, in the model and in its JSON schema."""

    form: Form

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 pydantic's own signature
        """Check the text once it is one."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the form to the schema."""
        return handler(schema) | for_editors(self.form.pattern, self.form.expected)

    def _checked(self, value: str) -> str:
        # Not the form's own check, which lets tokens of the CDK pass: a file has none.
        if not self.form.pattern.fullmatch(value):
            message = f"{value!r} is not {self.form.expected}"
            raise ValueError(message)
        return value


def for_editors(pattern: re.Pattern[str], expected: str) -> JsonSchemaValue:
    """Return what the JSON schema of a text says of its form.

    It lets `{environment}` through, which is replaced before a model sees the text; and, as editors know no letters but
    a-z, every character beyond ASCII.
    """
    letters = pattern.pattern.replace(r"\w", r"\w\u0080-\uffff")
    return {
        "pattern": rf"^({letters})$|\{{environment\}}",
        "patternErrorMessage": f"expected {expected}",
    }


def _own_tag(value: str) -> str:
    check_own(value)
    return value


NAME_FORM = "1 to 40 lower-case letters, digits and hyphens after a letter"
SCHEDULE_FORM = "cron(...), rate(...) or at(...)"
Key = Annotated[str, Matching(Form(_KEY, NAME_FORM))]
Tag = Annotated[str, Field(max_length=MAX_VALUE), Matching(Form(TAG, TAG_FORM))]
TagValue = Annotated[Tag, Field(min_length=1)]
TagKey = Annotated[Tag, Field(min_length=1, max_length=MAX_KEY), AfterValidator(_own_tag)]


ScheduleExpression = Annotated[
    str, WithJsonSchema({"type": "string", **for_editors(re.compile(r"(cron|rate|at)\(.+\)"), SCHEDULE_FORM)})
]
"""A schedule as its text; its part makes a `patching.schedule.Schedule` of it, which says what is wrong with it."""


def _rate(least: int, pattern: re.Pattern[str], expected: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["integer", "string"], "minimum": least, **for_editors(pattern, expected)})


Concurrency = Annotated[int | str, _rate(1, rate_control.CONCURRENCY, "a number from 1, or a share from 1% to 100%")]
MaxErrors = Annotated[int | str, _rate(0, rate_control.MAX_ERRORS, "a number from 0, or a share from 0% to 100%")]
"""The two numbers of rate control, which `patching.rate_control.RateControl` judges."""


def _form(value: object) -> str:
    return "many" if isinstance(value, list) else "one"


BY_FORM = Discriminator(_form)
"""Tells one value, as `pydantic.Tag("one")`, from a list of them, as `pydantic.Tag("many")`."""

TagValues = Annotated[
    Annotated[TagValue, Alternative("one")] | Annotated[list[TagValue], Field(min_length=1), Alternative("many")],
    BY_FORM,
]
"""The value of a tag, or several of which it has one."""
