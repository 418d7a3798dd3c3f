"""One local AWS with the lab deployed on it, for all tests of this folder: from the snapshots of its templates, by one
call each, so that it is there in seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.retries.bucket import TokenBucket

from lab import local_aws
from ops.session import Session
from tests.conftest import SNAPSHOTS
from tests.patchops import Patchops, Result, share_models
from tests.patchops import run as run_here

SPEED = 200_000.0
PROD = ("--environment", "lab", "--tag", "Workload=Prod")


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions share the service models."""
    share_models(monkeypatch)


@pytest.fixture(scope="session")
def aws() -> Iterator[local_aws.LocalAws]:
    """The local AWS, with the policy `config/lab.yaml` deployed."""
    with local_aws.running(speed=SPEED) as running:
        cloudformation = connect(running, "cloudformation")
        for stack in ("patching", "fleet"):
            template = (SNAPSHOTS / f"lab-{stack}.json").read_text(encoding="utf-8")
            cloudformation.create_stack(
                StackName=f"patchops-lab-{stack}",
                TemplateBody=template,
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Tags=[{"Key": "Environment", "Value": "lab"}],
            )
            (made,) = cloudformation.describe_stacks(StackName=f"patchops-lab-{stack}")["Stacks"]
            assert made["StackStatus"] == "CREATE_COMPLETE", made.get("StackStatusReason")
        running.advance(datetime.fromisoformat(running.status()["now"]) + timedelta(minutes=10))
        yield running


def connect(running: local_aws.LocalAws, service: str) -> Any:
    names = {"AWS_ENDPOINT_URL": "endpoint_url", "AWS_REGION": "region_name"}
    names |= {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
    values = running.environment()
    return boto3.client(service, **{argument: values[name] for name, argument in names.items()})  # type: ignore[call-overload]


@pytest.fixture
def account(aws: local_aws.LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[local_aws.LocalAws]:
    """The local AWS as boto3 finds it in the environment, on which nothing goes wrong before or after the test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    yield aws
    aws.set_faults([])


@pytest.fixture
def session(account: local_aws.LocalAws) -> Session:
    """A connection to it."""
    return Session()


@pytest.fixture
def patchops(
    account: local_aws.LocalAws, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Patchops:
    """Run `patchops` in this process."""

    def run(*arguments: str) -> Result:
        return run_here(monkeypatch, capfd, *arguments)

    return run


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore waits between its attempts, and by itself when it is throttled: not here."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr(TokenBucket, "acquire", lambda *_, **__: True)


REPORTED: set[str] = set()


@pytest.fixture
def scanned(account: local_aws.LocalAws, patchops: Patchops) -> None:
    """Every node has reported once."""
    nodes = set(account.status()["regions"]["us-east-1"]["managed"])
    if nodes <= REPORTED:
        return
    if patchops("compliance", "--environment", "lab", "--no-patches", "--quiet").out.count("never"):
        assert patchops("scan", "--environment", "lab", "--quiet").code == 0
    REPORTED.update(nodes)
