"""Every command on the local AWS: what it writes fits its schema, and its declared permissions are what it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from cli import main, schemas
from lab.local_aws import LocalAws
from ops.permissions import policy
from tests.ops.conftest import PROD
from tests.patchops import Patchops

pytestmark = pytest.mark.xdist_group("ops")

ENVIRONMENT = ("--environment", "lab")
POLICY = str(Path(__file__).parents[2] / "config" / "enterprise.yaml")


IDS: dict[str, str] = {}


@pytest.fixture
def ids(patchops: Patchops, scanned: None) -> dict[str, str]:
    """What the examples name: a command that has ended, and a node on which it ran."""
    if not IDS:
        IDS["COMMAND"] = patchops("runs", "-o", "json", "--document", "AWS-RunPatchBaseline").json[0]["command_id"]
        IDS["NODE"] = patchops("nodes", "--tag", "Name=patchops-lab-prod-1", "-o", "json").json[0]["id"]
    return IDS


LINES: dict[str, tuple[str, ...]] = {
    "nodes": ENVIRONMENT,
    "plan": PROD,
    "scan": (*ENVIRONMENT, "--window", "prod"),
    "install": (*PROD, "--yes"),
    "compliance": ENVIRONMENT,
    "drift": ENVIRONMENT,
    "doctor": (*ENVIRONMENT, "--all"),
    "documents": ("--name-prefix", "AWS-RunPatch"),
    "documents show": ("AWS-RunPatchBaseline",),
    "run document": ("AWS-RunShellScript", *PROD, "--parameter", "commands=uptime", "--yes"),
    "watch": ("COMMAND",),
    "runs": ENVIRONMENT,
    "run show": ("COMMAND",),
    "run cancel": ("COMMAND",),
    "logs": ("COMMAND", "NODE"),
    "windows": ENVIRONMENT,
    "windows disable": ("prod", *ENVIRONMENT),
    "windows enable": ("prod", *ENVIRONMENT),
    "calendar": ENVIRONMENT,
    "exceptions": (POLICY, "--environment", "lab", "--deployed"),
}


def test_no_command_is_left_out() -> None:
    assert set(LINES) == set(main.commands())


@pytest.fixture
def with_policy(account: LocalAws, ids: dict[str, str]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Allow the test's credentials only what a policy allows, until its end."""
    key = account.environment()["AWS_ACCESS_KEY_ID"]
    yield lambda document: account.permit(key, document)
    account.permit(key, None)


@pytest.fixture
def run(patchops: Patchops, ids: dict[str, str]) -> Callable[..., Any]:
    def go(path: str, *more: str) -> Any:
        return patchops(*path.split(), *(ids.get(word, word) for word in LINES[path]), *more)

    return go


@pytest.mark.parametrize("path", LINES)
def test_a_command_writes_what_its_schema_says_with_the_permissions_that_it_declares(
    path: str, run: Callable[..., Any], with_policy: Callable[[dict[str, Any]], None]
) -> None:
    command = main.commands()[path]
    with_policy(policy(command.needs, "lab"))
    result = run(path, "--output", "json")
    assert result.code in (0, 3), result.err
    validator = Draft202012Validator(schemas.of(command), validate_formats=True)
    assert [error.message for error in validator.iter_errors(json.loads(result.out))] == []
    assert "no permission" not in result.err


@pytest.mark.parametrize("path", LINES)
def test_a_command_without_permissions_says_so_and_shows_nothing_as_whole(
    path: str, run: Callable[..., Any], with_policy: Callable[[dict[str, Any]], None]
) -> None:
    with_policy({"Statement": []})
    result = run(path, "--output", "json")
    assert (result.code, "Traceback" in result.err) == (1, False)
    assert "no permission" in result.err


@pytest.mark.parametrize("path", LINES)
def test_the_schema_in_the_documentation_is_the_one_of_the_model(path: str) -> None:
    command = main.commands()[path]
    assert schemas.file_of(command).read_text(encoding="utf-8") == schemas.text_of(command), "run: make schema"


def test_every_member_of_every_schema_is_explained() -> None:
    silent = [
        f"{command.path}: {name}.{member}"
        for command in schemas.documented()
        for name, part in schemas.of(command).get("$defs", {}).items()
        for member, described in part.get("properties", {}).items()
        if "description" not in described
    ]
    assert silent == []


def test_a_schema_refuses_what_is_not_in_it() -> None:
    schema = schemas.of(main.commands()["nodes"])
    validator = Draft202012Validator(schema)
    assert validator.is_valid([])
    assert not validator.is_valid([{"id": "i-1"}])


@pytest.mark.parametrize("path", LINES)
def test_the_help_of_a_command_has_its_examples(path: str, patchops: Patchops) -> None:
    result = patchops(*path.split(), "--help")
    words = " ".join(result.out.split())
    for example in main.commands()[path].examples:
        assert f"patchops {example}" in words


def test_permissions_of_one_command_are_no_more_than_it_needs(patchops: Patchops) -> None:
    document = patchops("permissions", "runs", "-e", "lab").json
    actions = {action for one in document["Statement"] for action in one["Action"]}
    assert actions == {"ssm:ListCommands", "cloudformation:DescribeStacks"}
    everything = patchops("permissions", "-e", "lab").json
    assert "*" not in json.dumps([one["Action"] for one in everything["Statement"]])


def test_permissions_of_an_unknown_command_are_wrong_usage(patchops: Patchops) -> None:
    result = patchops("permissions", "scna")
    assert result.code == 2
    assert "there is no command 'scna' that talks to AWS" in result.err


def test_explain_writes_the_aws_commands_of_the_requests_once_for_all_pages(patchops: Patchops, scanned: None) -> None:
    result = patchops("compliance", *PROD, "--explain", "--no-patches", "--output", "json")
    lines = [line for line in result.err.splitlines() if line.startswith("= aws ")]
    assert [line.split()[2:4] for line in lines][:2] == [
        ["ssm", "describe-instance-properties"],
        ["ssm", "describe-instance-patch-states"],
    ]
    assert "--page-size 1000" in lines[0]
    assert json.loads(result.out)["nodes"]


def test_quiet_leaves_progress_out_and_mistakes_in(patchops: Patchops) -> None:
    assert patchops("scan", *PROD, "--quiet").err == ""
    assert patchops("scan", "--tag", "Workload=Prd", "--quiet").err.startswith("patchops: no managed node matches")
