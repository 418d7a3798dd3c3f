"""Whatever a policy file holds: it is refused with lines to mend, or it is a policy, and that deploys.

In the suite a few hundred policies are broken, always the same ones. `make fuzz` breaks more of them, others every
time, and deploys what gets through to the local AWS: see `tests/fuzz/deploy.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import GenericAlias, UnionType
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from patching.policy import Policy
from patching.policy_file import PolicyError, parse_policy
from tests.cdk import synthesize
from tests.fuzz.mutations import GOOD, Broken, Good, broken_data, broken_text

TODAY = date(2026, 11, 23)
SMALL = [good for good in GOOD if len(good.text) < 2000]
EXAMPLES = settings(max_examples=110, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def read(broken: Broken, environment: str | None = None) -> Policy | PolicyError:
    """Read a policy, and hold the error to what it promises if it is none."""
    said: list[str] = []
    try:
        policy = parse_policy(
            broken.text, name="p", folder=broken.folder, environment=environment, today=TODAY, warn=said.append
        )
    except PolicyError as error:
        refused = error
    else:
        assert all(len(one.splitlines()) == 1 for one in said)
        return policy
    assert refused.problems
    for problem in refused.problems:
        assert problem.message.strip()
        assert problem.line >= 1
        assert problem.file or problem.line <= len(broken.text.splitlines()) + 1
    lines = str(refused).splitlines()
    assert len(lines) == len(set(lines)) == len(refused.problems)
    str(refused).encode()
    return refused


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.path.stem)
def test_what_is_broken_was_good(good: Good) -> None:
    assert isinstance(read(Broken(good.text, good.path.parent)), Policy)


@EXAMPLES
@given(broken_data(SMALL) | broken_data(SMALL) | broken_data(), st.sampled_from([None, "alice", "Bad Name"]))
def test_a_policy_that_holds_anything_is_refused_with_lines_or_read(broken: Broken, environment: str | None) -> None:
    read(broken, environment)


@EXAMPLES
@given(broken_text(SMALL) | broken_text())
def test_a_text_that_is_written_anyhow_is_refused_with_lines_or_read(broken: Broken) -> None:
    read(broken)


@settings(parent=EXAMPLES, max_examples=30)
@given(broken_data(SMALL))
def test_what_gets_through_synthesizes(broken: Broken) -> None:
    policy = read(broken)
    if isinstance(policy, Policy):
        assert len(synthesize(policy).patching) > 10


# The good policies use every key, so that every key is broken.


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a declaration names, and those that they name."""
    if isinstance(annotation, type) and not isinstance(annotation, GenericAlias) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    elif get_origin(annotation) is not None or isinstance(annotation, UnionType):
        for one in get_args(annotation)[: 1 if get_origin(annotation) is Annotated else None]:
            yield from models(one)


def owner(model: type[BaseModel], key: str) -> str:
    """Return a key with the model that declares it, or declared it first."""
    first = [one for one in model.__mro__ if key in getattr(one, "model_fields", {})][-1]
    return f"{first.__name__}.{key}"


def keys_set(node: Any) -> Iterator[str]:
    """Yield the keys that a policy sets, each with its model."""
    if isinstance(node, BaseModel):
        for key in node.model_fields_set:
            yield owner(type(node), key)
            yield from keys_set(getattr(node, key))
    elif isinstance(node, dict | list):
        for one in node.values() if isinstance(node, dict) else node:
            yield from keys_set(one)


def test_the_good_policies_use_every_key() -> None:
    used = set()
    for good in GOOD:
        policy = read(Broken(good.text, good.path.parent))
        used |= set(keys_set(policy))
    every = {owner(model, key) for model in models(Policy) for key in model.model_fields}
    assert every - used == set()
