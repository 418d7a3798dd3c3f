from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab import local_aws
from review.synthesis import Source, synthesize
from tests.patchops import Patchops
from tests.workshop.conftest import Ran

pytestmark = pytest.mark.xdist_group("workshop")
PROD = ("--environment", "lab", "--tag", "Workload=Prod")


def test_documents_are_listed_by_prefix_and_platform(patchops: Patchops) -> None:
    result = patchops("documents", "--name-prefix", "AWS-RunP", "--platform", "Linux", "--output", "json")
    assert result.code == 0
    assert [one["name"] for one in json.loads(result.out)] == [
        "AWS-RunPatchBaseline",
        "AWS-RunPatchBaselineAssociation",
        "AWS-RunPatchBaselineWithHooks",
        "AWS-RunPowerShellScript",
    ]


def test_a_document_is_shown_with_its_parameters_and_steps(patchops: Patchops) -> None:
    document = json.loads(patchops("documents", "show", "AWS-RunPatchBaseline", "-o", "json").out)
    parameters = {one["name"]: one for one in document["parameters"]}
    assert parameters["Operation"]["default"] is None
    assert parameters["Operation"]["allowed"] == ["Scan", "Install"]
    assert parameters["RebootOption"]["default"] == "RebootIfNeeded"
    assert [one["name"] for one in document["steps"]] == ["PatchWindows", "PatchLinux", "PatchMacOS"]
    assert document["shared_with"].startswith("everybody")


def test_a_document_that_is_not_there_is_one_line(patchops: Patchops) -> None:
    result = patchops("documents", "show", "AWS-RunPatchBasline")
    assert (result.code, result.out) == (1, "")
    assert result.err == "patchops: there is no document 'AWS-RunPatchBasline'; `patchops documents` lists them\n"


def test_nodes_are_listed_with_their_tags(patchops: Patchops) -> None:
    nodes = json.loads(patchops("nodes", "-e", "lab", "-o", "json").out)
    assert [(one["name"], one["tags"]["Workload"], one["tags"]["PatchGroup"]) for one in nodes] == [
        ("patchops-lab-prod-1", "Prod", "lab-prod"),
        ("patchops-lab-prod-2", "Prod", "lab-prod"),
        ("patchops-lab-test-ubuntu", "Test", "lab-test"),
        ("patchops-lab-test-windows", "Test", "lab-test"),
    ]


def test_csv_has_a_heading_and_a_row_a_node(patchops: Patchops) -> None:
    rows = list(csv.reader(io.StringIO(patchops("nodes", *PROD, "-o", "csv").out)))
    assert rows[0][:3] == ["Node", "Name", "Ping"]
    assert [row[1] for row in rows[1:]] == ["patchops-lab-prod-1", "patchops-lab-prod-2"]


def test_a_target_that_matches_nothing_is_an_error(patchops: Patchops) -> None:
    result = patchops("scan", "--tag", "Workload=Prd")
    assert result.code == 1
    assert result.err.startswith("patchops: no managed node matches Workload=Prd;")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scan",), "say which nodes: --environment NAME, --tag KEY=VALUE, --instance ID or"),
        (("scan", "--tag", "Workload"), "--tag 'Workload' is not KEY=VALUE"),
        (("scan", "--tag", "a=b", "--instance", "i-0123456789abcdef0"), "not two of them"),
        (("scan", "-e", "lab", "--tag", "Environment=bob"), "lab and --tag Environment=bob contradict each other"),
        (("scan", "--instance", "web-1"), "'web-1' is not an instance id"),
        ((*("scan", *PROD), "--concurrency", "0"), "concurrency '0' is neither a number from 1"),
        ((*("scan", *PROD), "--max-errors", "101%"), "error threshold '101%' is neither"),
        (("scann",), "No such command 'scann'"),
        (("install", *PROD), "give --yes to install"),
        (("run", "document", "x", *PROD), "give --yes to run it"),
        (("run", "document", "x", *PROD, "--parameter", "a"), "--parameter 'a' is not NAME=VALUE"),
        (("nodes", "--output", "yaml"), "'yaml' is not one of"),
    ],
)
def test_wrong_usage_is_one_line_and_exits_with_2(
    patchops: Patchops, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    result = patchops(*arguments)
    assert result.code == 2
    assert message in result.err.splitlines()[-1]


def test_an_environment_that_is_not_deployed_is_told(patchops: Patchops) -> None:
    result = patchops("scan", "--environment", "bob")
    assert result.code == 1
    assert "there is no stack patchops-bob-patching in us-east-1" in result.err


def test_no_way_to_aws_is_one_line(patchops: Patchops) -> None:
    result = patchops("nodes", "--endpoint-url", "http://127.0.0.1:9")
    assert result.code == 1
    assert len(result.err.splitlines()) == 1
    assert "is the Region right, the network there, and the local AWS running?" in result.err


def test_no_region_is_one_line(patchops: Patchops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert patchops("nodes").err == "patchops: no Region given; set AWS_REGION or give --region\n"


def test_compliance_of_patched_nodes_exits_with_0(patchops: Patchops) -> None:
    result = patchops("compliance", *PROD, "-o", "json")
    assert result.code == 0
    assert [one["compliance"] for one in json.loads(result.out)["nodes"]] == ["COMPLIANT"] * 2


def test_a_scan_without_waiting_gives_the_command_to_watch(patchops: Patchops) -> None:
    result = patchops("scan", *PROD, "--no-wait", "-o", "json")
    assert result.code == 0
    assert len(json.loads(result.out)["command_id"]) == 36


def test_a_scan_is_followed_to_its_end(patchops: Patchops) -> None:
    result = patchops("scan", *PROD, "-o", "json")
    assert result.code == 0
    ended = json.loads(result.out)
    assert ended["status"] == "Success"
    assert "2 of 2 done" in result.err
    assert "patchops-lab-prod-1 Success" in result.err


def test_a_node_that_does_not_answer_makes_a_scan_exit_with_3(ran: Ran, patchops: Patchops) -> None:
    ec2: Any = boto3.client("ec2")
    (node,) = json.loads(patchops("nodes", "--tag", "Name=patchops-lab-prod-2", "-o", "json").out)
    of_node = [{"Name": "instance-id", "Values": [node["id"]]}]
    (profile,) = ec2.describe_iam_instance_profile_associations(Filters=of_node)["IamInstanceProfileAssociations"]
    ec2.disassociate_iam_instance_profile(AssociationId=profile["AssociationId"])
    try:
        result = patchops("scan", "--instance", node["id"], "-o", "json")
        assert result.code == 3
        assert json.loads(result.out)["nodes"][0]["details"] == "DeliveryTimedOut"
        assert "the instance has no instance profile" in str(ran.aws.status()["regions"]["us-east-1"]["unmanaged"])
    finally:
        named = {"Arn": profile["IamInstanceProfile"]["Arn"]}
        ec2.associate_iam_instance_profile(IamInstanceProfile=named, InstanceId=node["id"])
    assert node["id"] in ran.aws.status()["regions"]["us-east-1"]["managed"]


@pytest.fixture
def hello(patchops: Patchops) -> Iterator[None]:
    """A document of the environment's own, with a parameter that has no default."""
    ssm = boto3.client("ssm")
    content = {
        "schemaVersion": "2.2",
        "parameters": {"who": {"type": "String"}},
        "mainSteps": [
            {"action": "aws:runShellScript", "name": "hello", "inputs": {"runCommand": ["echo {{ who }}"]}},
        ],
    }
    ssm.create_document(Name="patchops-lab-hello", Content=json.dumps(content), DocumentType="Command")
    yield
    ssm.delete_document(Name="patchops-lab-hello")


def test_a_document_of_the_policy_is_run_on_nodes(hello: None, patchops: Patchops) -> None:
    result = patchops("run", "document", "hello", *PROD, "--parameter", "who=world", "--yes", "--output", "json")
    assert result.code == 0, result.err
    nodes = json.loads(result.out)["nodes"]
    assert [(one["name"], one["status"]) for one in nodes] == [
        ("patchops-lab-prod-1", "Success"),
        ("patchops-lab-prod-2", "Success"),
    ]
    assert "patchops-lab-hello on 2 nodes, one node at a time" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "document", "hello", *PROD, "--yes"), "patchops-lab-hello needs the parameter who: it has no default"),
        (
            ("run", "document", "hello", *PROD, "--yes", "--parameter", "whom=x"),
            "no parameter whom in this Region; expected one of",
        ),
        (("run", "document", "helo", *PROD, "--yes"), "there is no document patchops-lab-helo in this Region"),
    ],
)
def test_a_document_that_cannot_be_run_is_one_line(
    hello: None, patchops: Patchops, arguments: tuple[str, ...], message: str
) -> None:
    result = patchops(*arguments)
    assert (result.code, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert message in result.err


def test_windows_and_associations_are_shown(patchops: Patchops) -> None:
    result = patchops("windows", "--environment", "lab")
    assert result.code == 0
    assert "patchops-lab-prod" in result.out
    assert "Workload=Prod and Environment=lab" in result.out
    assert "02:00 +09:00" in result.out


def test_another_environments_windows_are_left_out(patchops: Patchops) -> None:
    assert json.loads(patchops("windows", "-e", "alice", "-o", "json").out)["windows"] == []


def test_as_time_goes_by_new_patches_make_nodes_fall_behind_and_the_next_window_mends_it(
    ran: Ran, patchops: Patchops
) -> None:
    now = datetime.fromisoformat(ran.aws.status()["now"])
    ran.aws.advance(now + timedelta(days=3))
    assert patchops("compliance", *PROD).code == 3
    sunday = json.loads(patchops("windows", "-e", "lab", "-o", "json").out)["windows"][0]["next_runs"][0]
    ran.aws.advance(datetime.fromisoformat(sunday) + timedelta(hours=4))
    assert patchops("scan", *PROD).code == 0
    assert patchops("compliance", *PROD).code == 0


def cdk(ran: Ran, *arguments: str, assembly: Path) -> tuple[int, str]:
    """Run the CDK's own command on a cloud assembly, and return how it ended and what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [local_aws.ROOT / "node_modules" / ".bin" / "cdk", *arguments, "**", "--app", assembly],
        cwd=assembly.parent,
        env={**kept, **ran.aws.environment(), "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


def test_a_policy_that_is_changed_is_compared_deployed_and_then_the_same(
    ran: Ran, patchops: Patchops, tmp_path: Path
) -> None:
    text = (local_aws.ROOT / "config" / "lab.yaml").read_text()
    for old, new in (
        (" SEVERITY: [Critical, Important]", " SEVERITY: [Critical, Important, Medium, Low]"),
        ("24.04/stable/20251022/", "24.04/stable/current/"),
    ):
        assert old in text
        text = text.replace(old, new)
    changed, assembly = tmp_path / "lab.yaml", tmp_path / "assembly"
    changed.write_text(text)
    synthesize(Source(str(changed)), assembly)
    (before,) = json.loads(patchops("nodes", "--tag", "Name=patchops-lab-test-ubuntu", "-o", "json").out)
    sets = ran.aws.calls().get("cloudformation:CreateChangeSet", 0)
    code, shown = cdk(ran, "diff", "--fail", assembly=assembly)
    assert code == 1, shown
    # By a change set, not by the templates alone: it tells that the instance behind the parameter is another one.
    assert ran.aws.calls()["cloudformation:CreateChangeSet"] == sets + 2
    assert "[~] AWS::SSM::PatchBaseline Patching/Baseline-amazon-linux-2023" in shown
    assert re.search(r"\[~\] AWS::EC2::Instance \S+ \S+ (may be )?replace", shown), shown
    assert "Number of stacks with differences: 2" in shown
    code, said = cdk(ran, "deploy", "--require-approval", "never", assembly=assembly)
    assert code == 0, said
    code, shown = cdk(ran, "diff", "--fail", assembly=assembly)
    assert (code, shown.count("There were no differences")) == (0, 2), shown
    code, said = cdk(ran, "deploy", "--require-approval", "never", assembly=assembly)
    assert (code, said.count("(no changes)")) == (0, 2), said
    (after,) = json.loads(patchops("nodes", "--tag", "Name=patchops-lab-test-ubuntu", "-o", "json").out)
    assert after["id"] != before["id"]
    assert patchops("scan", *PROD).code == 0
    review = json.loads(patchops("compliance", *PROD, "-o", "json").out)
    assert all(one["compliance"] == "NON_COMPLIANT" for one in review["nodes"])


def test_what_was_deployed_is_destroyed_and_nothing_is_left(ran: Ran, patchops: Patchops) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_aws, "required", lambda: ran.aws)
        assert patchops("lab", "destroy").code == 0
    assert ran.aws.status()["regions"]["us-east-1"] == {
        "managed": [],
        "systems": {},
        "unmanaged": {},
        "commands_running": 0,
        "baselines": 0,
        "associations": 0,
        "windows": 0,
        "not_told": [],
    }
    buckets = [one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]]
    assert buckets == ["cdk-hnb659fds-assets-123456789012-us-east-1"]
    assert boto3.client("sns").list_topics()["Topics"] == []
    assert boto3.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert [one["VpcId"] for one in boto3.client("ec2").describe_vpcs()["Vpcs"] if not one["IsDefault"]] == []
