"""Reading a policy from its YAML file, with every error at its line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from patching.policy import FINDINGS, Policy

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a policy file.

    Attributes:
        line: where, counted from 1.
        key: the keys that lead there, joined by dots; empty for the file as a whole.
        message: what was found, what is expected and how to mend it.
    """

    line: int
    key: str
    message: str


class PolicyError(Exception):
    """A policy file with problems. Its text has one line a problem, in the order of the file."""

    def __init__(self, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = sorted(problems)
        super().__init__(
            "\n".join(
                f"{path}:{problem.line}: {problem.key + ': ' if problem.key else ''}{problem.message}"
                for problem in self.problems
            )
        )


def read_policy(path: str | Path, *, environment: str | None = None) -> Policy:
    """Read a policy.

    Args:
        path: the YAML file.
        environment: takes the place of the file's own environment, so that several people can use one file. Wherever
            the file has `{environment}`, the name is put in its place.

    Raises:
        PolicyError: the file is not there, is no YAML, or is no policy; all problems at one time.
    """
    name = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise PolicyError(name, [Problem(1, "", f"cannot be read: {reason}")]) from None
    return parse_policy(text, name=name, environment=environment)


def parse_policy(text: str, *, name: str = "policy", environment: str | None = None) -> Policy:
    """Read a policy from the text of its file; see `read_policy`."""
    try:
        data = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context or "not YAML").split())
        line = mark.line + 1 if mark else 1
        raise PolicyError(name, [Problem(line, "", f"not YAML: {what}")]) from None
    except RecursionError:
        raise PolicyError(name, [Problem(1, "", "not a policy: it is nested too deeply")]) from None
    except (YAMLError, ValueError) as error:
        raise PolicyError(name, [Problem(1, "", f"not YAML: {' '.join(str(error).split())}")]) from None
    if not isinstance(data, CommentedMap):
        expected = ", ".join(Policy.model_fields)
        raise PolicyError(name, [Problem(1, "", f"expected a mapping with the keys {expected}")])
    plain = _plain(data)
    if environment is not None:
        plain["environment"] = environment
    plain = _expanded(plain, str(plain.get("environment", "")))
    try:
        return Policy.model_validate(plain)
    except ValidationError as error:
        problems = [problem for detail in error.errors(include_url=False) for problem in _problems(detail, data)]
        raise PolicyError(name, problems) from None


def _plain(node: Any) -> Any:  # noqa: ANN401 YAML holds anything
    """Turn the parser's own classes, which strict validation would refuse, into plain ones."""
    if isinstance(node, dict):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _expanded(node: Any, environment: str) -> Any:  # noqa: ANN401 YAML holds anything
    """Put the environment's name where the file has `{environment}`."""
    if isinstance(node, dict):
        return {_expanded(key, environment): _expanded(value, environment) for key, value in node.items()}
    if isinstance(node, list):
        return [_expanded(value, environment) for value in node]
    return node.replace("{environment}", environment) if isinstance(node, str) else node


def _problems(detail: ErrorDetails, data: CommentedMap) -> list[Problem]:
    location = _location(data, detail["loc"])
    if detail["type"] == FINDINGS:
        found = [((*location, *at), message) for at, message in detail["ctx"]["found"]]
    elif detail["type"] == "missing":
        found = [(location, f"{detail['loc'][-1]} is missing")]
    else:
        found = [(location, _message(detail, location))]
    return [Problem(_line(data, place), ".".join(map(str, place)), message) for place, message in found]


def _message(detail: ErrorDetails, location: Location) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(location)
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    found = detail["input"]
    shown = f"found {found!r}; " if isinstance(found, str | int | float | bool) or found is None else ""
    return f"{shown}{detail['msg'][0].lower()}{detail['msg'][1:]}"


def _location(data: Any, parts: Location) -> Location:  # noqa: ANN401 YAML holds anything
    """Return the parts that the file has: pydantic also names the alternative of a union, or "[key]"."""
    node = data
    location: Location = ()
    for part in parts:
        if (isinstance(node, CommentedMap) and part in node) or (
            isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node)
        ):
            node, location = node[part], (*location, part)
    return location


def _unknown_key(location: Location) -> str:
    key = str(location[-1])
    known = _known_keys(location[:-1])
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"there is no key {key!r}; did you mean {near[0]!r}?"
    return f"there is no key {key!r}; expected one of {', '.join(known)}"


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


def _line(data: Any, location: Location) -> int:  # noqa: ANN401 YAML holds anything
    """Return the line of the last part of a location that the file has."""
    line = 1
    node = data
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
            node = node[part]
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
            node = node[part]
        else:
            break
    return line
