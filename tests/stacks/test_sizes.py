"""How large stacks become: more windows than one stack has room for, and what a policy may have at most."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from patching.deployment import Deployment
from patching.policy import Policy, size_checks
from patching.policy_file import PolicyError, parse_policy
from patching.quotas import (
    MAX_EVENT_PATTERN,
    MAX_MANAGED_POLICY,
    MAX_RESOURCES,
    MAX_TEMPLATE_BYTES,
    MAX_TRUST_POLICY,
    RESOURCES_FOR_WINDOWS,
)
from tests.cdk import ROOT, Resources, Stacks, synthesize
from tests.patching.policies import TODAY, written

pytestmark = pytest.mark.xdist_group("stacks")

POLICIES = ROOT / "tests" / "policies"
WHOLE = YAML(typ="safe", pure=True).load((POLICIES / "whole.yaml").read_text(encoding="utf-8"))
LONGEST = "e" * 20
"""An environment with the longest name."""


def whole(**parts: Any) -> Policy:
    """The policy with every part, with others in the place of some."""
    return parse_policy(written({**WHOLE, **parts}), folder=POLICIES, today=TODAY)


def window(number: int, **settings: Any) -> dict[str, Any]:
    day, hour = number // 24 % 28 + 1, number % 24
    return {
        "targets": {"Role": f"r{number}"},
        "schedule": f"cron(0 {hour} {day} * ? *)",
        "duration_hours": 1,
        **settings,
    }


def with_windows(names: Iterable[str], **parts: Any) -> Policy:
    windows = {name: window(number) for number, name in enumerate(names)}
    quotas = {"windows": 1000, "windows_open": 1000, "documents": 5000}
    return whole(install=windows, services={}, quotas=quotas, hybrid=None, **parts)


NAMES = [f"w{number:03}" for number in range(150)]


TOLD = WHOLE["notifications"]
ROOM = MAX_RESOURCES - RESOURCES_FOR_WINDOWS - size_checks.OTHER_RESOURCES
MORE_EMAILS = ROOM - len(WHOLE["baselines"]) - len(WHOLE["documents"]) - 4 - len(TOLD["emails"])
"""How many addresses more the first stack has room for."""


@cache
def many() -> Stacks:
    """A first stack full of windows, and a second one with as many as one rule can tell of."""
    return synthesize(with_windows(NAMES))


@cache
def one_more() -> Stacks:
    """The same with a window more, and with every address that there is room for."""
    emails = [*TOLD["emails"], *(f"a{number}@example.com" for number in range(MORE_EMAILS))]
    return synthesize(with_windows([*NAMES, "new"], notifications={**TOLD, "emails": emails}))


def windows_of(stack: Resources) -> list[str]:
    return [path.removeprefix("Install-") for path in stack.of("AWS::SSM::MaintenanceWindow")]


def logical_ids(stacks: Stacks) -> dict[str, set[str]]:
    return {f"{index}": set(stack.template["Resources"]) for index, stack in enumerate(stacks.all)}


# More windows than one stack has room for.


def test_windows_that_do_not_fit_go_to_further_stacks_in_their_order() -> None:
    stacks = many()
    found = [windows_of(stack) for stack in stacks.all]
    assert [len(one) for one in found] == [RESOURCES_FOR_WINDOWS // 3, 50]
    assert list(chain(*found)) == NAMES


def test_no_stack_has_more_resources_than_a_template_can() -> None:
    sizes = [len(stack.template["Resources"]) for stack in many().all]
    assert max(sizes) < MAX_RESOURCES
    assert sizes[0] > RESOURCES_FOR_WINDOWS


def test_every_window_of_every_stack_is_told_and_no_pattern_is_too_long() -> None:
    for stack in many().all:
        told: list[str] = []
        for rule in stack.of("AWS::Events::Rule").values():
            pattern = rule["EventPattern"]
            text = json.dumps(pattern)
            # In the template an id is a reference; deployed it has so many characters.
            for key, length in (("window-id", 20), ("patch-baseline-id", 20), ("association-id", 36)):
                for one in pattern["detail"].get(key, []):
                    text = text.replace(json.dumps(one), json.dumps("x" * length))
            assert len(text) <= MAX_EVENT_PATTERN
            told += pattern["detail"].get("window-id", [])
        assert sorted(told) == sorted(f"<Install-{name}>" for name in windows_of(stack))


def test_the_windows_of_a_further_stack_send_with_the_means_of_the_first() -> None:
    (further,) = many().windows
    task = further[f"Install-{NAMES[-1]}/Task"].properties
    command = task["TaskInvocationParameters"]["MaintenanceWindowRunCommandParameters"]
    for value in (task["ServiceRoleArn"], command["ServiceRoleArn"], command["OutputS3BucketName"]):
        assert value.startswith(f"<patchops-{WHOLE['environment']}-patching:ExportsOutput")
    assert not further.of("AWS::KMS::Key")
    assert set(further.of("AWS::IAM::Role")) == {"Events/Role"}


def test_what_stays_keeps_its_stack_and_its_logical_id_when_something_is_added() -> None:
    grown = one_more()
    assert [windows_of(stack) for stack in grown.all] == [
        windows_of(many().patching),
        [*windows_of(many().windows[0]), "new"],
    ]
    before, after = logical_ids(many()), logical_ids(grown)
    assert before["0"] <= after["0"]
    assert len(after["0"] - before["0"]) == MORE_EMAILS > 100
    assert before["1"] <= after["1"]
    # The window with its target and its task, and a rule, as the other one has 50 ids already.
    assert sorted(name[:10] for name in after["1"] - before["1"]) == ["EventsWind", *["Installnew"] * 3]


# The most that a policy may have.


def test_the_fullest_first_stack_still_has_room() -> None:
    size = len(one_more().patching.template["Resources"])
    assert MAX_RESOURCES - size_checks.OTHER_RESOURCES < size <= MAX_RESOURCES


def characters(document: Any) -> int:
    """Return the characters of a policy of IAM without white space, with the longest names that there can be."""
    text = json.dumps(document, separators=(",", ":")).replace(" ", "")
    for name, value in (("Partition", "aws-us-gov"), ("Region", "ap-southeast-1"), ("AccountId", "123456789012")):
        text = text.replace(f"<AWS::{name}>", value)
    # What else is referred to are ARNs of a key, a bucket and a role.
    longest = "arn:aws-us-gov:iam::123456789012:role/" + "x" * 64
    while "<" in text:
        head, _, rest = text.partition("<")
        text = head + longest + rest.partition(">")[2]
    return len(text)


WINDOWS = {
    name: {key: value for key, value in one.items() if key not in ("hooks", "override_list")}
    for name, one in WHOLE["install"].items()
}


def assert_taken_and_one_more_refused(make: Callable[[int], dict[str, Any]], number: int) -> Policy:
    with pytest.raises(PolicyError, match="characters, but IAM takes"):
        whole(environment=LONGEST, **make(number + 1))
    return whole(environment=LONGEST, **make(number))


def test_the_longest_operator_policy_that_is_taken_is_not_too_long_for_iam() -> None:
    def make(number: int) -> dict[str, Any]:
        documents = {f"d{one:02}".ljust(40, "x"): "documents/check.yaml" for one in range(number)}
        return {"install": WINDOWS, "documents": documents}

    name = len(Deployment(LONGEST).name("x" * 40))
    number = (MAX_MANAGED_POLICY - size_checks.OPERATOR_POLICY) // (size_checks.DOCUMENT_ARN + name)
    policy = assert_taken_and_one_more_refused(make, number)
    document = synthesize(policy).patching["Operators"].properties["PolicyDocument"]
    assert 0.8 * MAX_MANAGED_POLICY < characters(document) <= MAX_MANAGED_POLICY


def test_the_longest_node_policy_that_is_taken_is_not_too_long_for_iam() -> None:
    def make(number: int) -> dict[str, Any]:
        lists = [f"s3://{'b' * 63}/{one:03}{'k' * 180}" for one in range(number)]
        more = {f"x{one}": window(one, override_list=text) for one, text in enumerate(lists)}
        return {"documents": {}, "install": {**WINDOWS, **more}, "quotas": {"windows": 200, "windows_open": 200}}

    number = (MAX_MANAGED_POLICY - size_checks.NODE_POLICY) // (size_checks.OBJECT_ARN + 63 + 183)
    policy = assert_taken_and_one_more_refused(make, number)
    document = synthesize(policy).patching["NodePolicy"].properties["PolicyDocument"]
    assert 0.8 * MAX_MANAGED_POLICY < characters(document) <= MAX_MANAGED_POLICY


def test_the_longest_trust_policy_that_is_taken_is_not_too_long_for_iam() -> None:
    def make(number: int) -> dict[str, Any]:
        trusted = [f"arn:aws-us-gov:iam::123456789012:role/{one:064}" for one in range(number)]
        return {"operators": {"trusted": trusted, "require_mfa": True}}

    number = (MAX_TRUST_POLICY - size_checks.TRUST_POLICY) // (len("arn:aws-us-gov:iam::123456789012:role/") + 67)
    policy = assert_taken_and_one_more_refused(make, number)
    document = synthesize(policy).patching["Operators/Role"].properties["AssumeRolePolicyDocument"]
    assert 0.8 * MAX_TRUST_POLICY < characters(document) <= MAX_TRUST_POLICY


def test_the_largest_template_that_is_taken_is_not_too_large_for_cloudformation(tmp_path: Path) -> None:
    script = {
        "schemaVersion": "2.2",
        "mainSteps": [{"action": "aws:runShellScript", "name": "a", "inputs": {"runCommand": ["x" * 100] * 550}}],
    }
    (tmp_path / "long.yaml").write_text(json.dumps(script), encoding="utf-8")
    first = enumerate(NAMES[: RESOURCES_FOR_WINDOWS // 3])
    windows = {name: window(number, hooks={"on_exit": "d0"}, cloudwatch_logs=True) for number, name in first}

    def policy(number: int) -> Policy:
        documents = {f"d{index}": "long.yaml" for index in range(number)}
        quotas = {"windows": 1000, "windows_open": 1000}
        parts = {"documents": documents, "install": windows, "services": {}, "hybrid": None, "quotas": quotas}
        return parse_policy(written({**WHOLE, **parts}), folder=tmp_path, today=TODAY)

    with pytest.raises(PolicyError, match="bytes in a template, which has room for 600,000 of them"):
        policy(10)
    # As the CDK writes it.
    size = len(json.dumps(synthesize(policy(9)).patching.template, indent=1))
    assert 0.7 * MAX_TEMPLATE_BYTES < size <= MAX_TEMPLATE_BYTES
