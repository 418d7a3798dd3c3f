"""Reading a policy from its YAML file, with every error at its line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from patching import yaml_file
from patching.errors import UserError, is_token
from patching.policy import Policy
from patching.policy.checks import among_sound_parts
from patching.policy.part import FINDINGS, PolicyFinding, Reading

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Location = yaml_file.Location
_SHOWN = 120
"""Characters of what was found that a message has at most."""
_ENVIRONMENT = "{environment}"
_TOLD = ("invalid_key", "string_unicode")
_FORMS = ("int", "str")
"""What pydantic adds to the place of a value that may be either."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a policy file, or with one that it names.

    Attributes:
        line: where, counted from 1.
        key: the keys that lead there, joined by dots; empty for the file as a whole.
        message: what was found, what is expected and how to mend it.
        file: the file, where it is not the policy's own.
    """

    line: int
    key: str
    message: str
    file: str = ""

    def __post_init__(self) -> None:
        # What was found may be anything: a line break in it would make two problems of one.
        for field in ("key", "message", "file"):
            object.__setattr__(self, field, _on_one_line(getattr(self, field)))


def _on_one_line(text: str) -> str:
    """Write what would break the line, or cannot be printed, in escapes."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


class PolicyError(UserError):
    """A policy file with problems. Its text has one line a problem, in the order of the file; other files come last."""

    def __init__(self, path: str, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = _in_order(problems)
        super().__init__("\n".join(_said(path, problem) for problem in self.problems))


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.file, problem))


def _said(path: str, problem: Problem) -> str:
    return f"{problem.file or path}:{problem.line}: {problem.key + ': ' if problem.key else ''}{problem.message}"


def _silence(_: str) -> None:
    """Do nothing with a warning."""


def read_policy(
    path: str | Path,
    *,
    environment: str | None = None,
    today: date | None = None,
    warn: Callable[[str], None] = _silence,
) -> Policy:
    """Read a policy.

    Args:
        path: the YAML file.
        environment: takes the place of the file's own environment, so that several people can use one file. Wherever
            the file has `{environment}`, the name is put in its place.
        today: the day (UTC) that exceptions and schedules are judged on; the real one by default.
        warn: called with a line for everything that is no error, but that someone should know. Nobody is told by
            default.

    Raises:
        PolicyError: the file is not there, is no YAML, or is no policy; all problems at one time.
    """
    name = str(path)
    try:
        text = yaml_file.read(path)
    except yaml_file.UnreadableError as error:
        raise PolicyError(name, [Problem(error.line, "", error.message)]) from None
    return parse_policy(text, name=name, environment=environment, folder=Path(path).parent, today=today, warn=warn)


def parse_policy(
    text: str,
    *,
    name: str = "policy",
    environment: str | None = None,
    folder: Path | None = None,
    today: date | None = None,
    warn: Callable[[str], None] = _silence,
) -> Policy:
    """Read a policy from the text of its file, which names others in `folder`; see `read_policy`."""
    try:
        data = yaml_file.parse(text)
    except yaml_file.UnreadableError as error:
        raise PolicyError(name, [Problem(error.line, "", error.message)]) from None
    if not isinstance(data, yaml_file.Mapping):
        expected = ", ".join(Policy.model_fields)
        raise PolicyError(name, [Problem(1, "", f"expected a mapping with the keys {expected}")])
    written = list(yaml_file.keys_and_texts(data))
    unusable = [Problem(one.line, _shown(one.at), one.what) for one in yaml_file.unusable(written)]
    tokens = [
        Problem(one.line, _shown(one.at), f"{one.what!r} means something in a template only; write the value itself")
        for one in written
        if is_token(one.what)
    ]
    if tokens:  # what checks values lets them pass, for those who make constructs in Python
        raise PolicyError(name, [*unusable, *tokens])
    if environment is not None:
        data["environment"] = environment
    data, met = _expanded(data, written, str(data.get("environment", "")))
    unusable += [Problem(one.line, _shown(one.at), one.what) for one in met]
    reading = Reading(folder or Path())
    if today is not None:
        reading.today = today
    try:
        policy = Policy.model_validate(data, context=reading)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems = [problem for detail in details for problem in _problems(detail, data)]
        broken = {str(detail["loc"][0]) for detail in details if detail["loc"]}
        # A key that is not known may be meant to be another one, whose part is not what it seems then.
        broken |= {near for key in broken for near in _near(key, list(Policy.model_fields))}
        if broken:
            problems += [_problem(one, (), data) for one in among_sound_parts(data, broken, reading)]
        # Both forms of a value that can be a number or text are complained about, in the same words.
        raise PolicyError(name, dict.fromkeys([*unusable, *problems])) from None
    if unusable:
        raise PolicyError(name, unusable)
    for problem in _in_order(_problem(finding, (), data) for finding in reading.warnings):
        warn(_said(name, problem))
    return policy


def _expanded(
    data: yaml_file.Mapping, written: Iterable[yaml_file.Found], environment: str
) -> tuple[yaml_file.Mapping, list[yaml_file.Found]]:
    """Put the environment's name where the file has `{environment}`; return also what to say of keys that then meet."""
    if not any(_ENVIRONMENT in str(one.what) for one in written):
        return data, []

    def put(text: Any) -> Any:  # noqa: ANN401 YAML holds anything
        return text.replace(_ENVIRONMENT, environment) if isinstance(text, str) else text

    met = []
    expanded = yaml_file.changed(data, put)
    for at, line, key, other in yaml_file.meeting(data, put):
        message = f"the keys {other!r} and {key!r} both become {put(key)!r}; write one of them otherwise"
        met.append(yaml_file.Found((*map(put, at), put(key)), line, message))
    return expanded, met


def _problems(detail: ErrorDetails, data: yaml_file.Mapping) -> list[Problem]:
    location = yaml_file.location_of(data, detail["loc"])
    if detail["type"] == FINDINGS:
        return [_problem(finding, location, data) for finding in detail["ctx"]["found"]]
    if detail["type"] in _TOLD:
        return []  # among what is unusable, with its line
    if detail["type"] == "missing":
        return [_problem(PolicyFinding((), f"{detail['loc'][-1]} is missing"), location, data)]
    return [_problem(PolicyFinding((), _message(detail, location)), location, data)]


def _problem(finding: PolicyFinding, location: Location, data: yaml_file.Mapping) -> Problem:
    if finding.source:
        file, line, key = finding.source
        return Problem(line, key, finding.message, file)
    place = (*location, *finding.at)
    return Problem(yaml_file.line_of(data, place), _shown(place), finding.message)


def _shown(place: Location) -> str:
    return ".".join(map(str, place))


def _message(detail: ErrorDetails, location: Location) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(location)
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    found = detail["input"]
    expected = f"{detail['msg'][0].lower()}{detail['msg'][1:]}"
    if detail["loc"][-1:] and detail["loc"][-1] in _FORMS:
        expected = "expected a whole number, or per cent as text, such as 10%"
    shown = f"found {found!r}; " if isinstance(found, str | int | float | bool) or found is None else ""
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}...; "
    return f"{shown}{expected}"


def _unknown_key(location: Location) -> str:
    key = str(location[-1])
    known = _known_keys(location[:-1])
    for near in _near(key, known):
        return f"there is no key {key!r}; did you mean {near!r}?"
    return f"there is no key {key!r}; expected one of {', '.join(known)}"


def _near(key: str, known: list[str]) -> list[str]:
    """Return the known key that is most like a key, if one is like it."""
    return difflib.get_close_matches(key, known, n=1)


def _known_keys(location: Location) -> list[str]:
    """Return the keys that the model at this place has."""
    annotation: Any = Policy
    for part in location:
        annotation = _within(annotation, part)
    model = _model(annotation)
    return list(model.model_fields) if model else []


def _within(annotation: Any, part: int | str) -> Any:  # noqa: ANN401 an annotation is anything
    """Return what a model's field, a dictionary's value or a list's item is declared as."""
    model = _model(annotation)
    if model and part in model.model_fields:
        return model.model_fields[str(part)].annotation
    if get_origin(annotation) in (dict, list):
        return get_args(annotation)[-1]
    return None


def _model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 an annotation is anything
    """Return the model of `Model` or `Model | None`."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
