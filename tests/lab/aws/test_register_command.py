"""`patchops lab register`: machines outside of EC2 register with an activation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cli import lab as lab_commands
from lab import local_aws as clients
from lab.world.errors import LabError
from tests.lab.aws.world import Connect

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-southeast-3"


@pytest.fixture
def ssm(connect: Connect, local_aws: LocalAws, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    assert roles
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr(clients, "required", lambda: clients.LocalAws(local_aws.url, os.getpid()))
    return connect("ssm", REGION)


def register(*arguments: str) -> list[str]:
    """Run the command, and return the lines that it printed."""
    result = CliRunner().invoke(lab_commands.app, ["register", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.split()


def test_machines_register_with_the_id_and_the_code_of_an_activation(ssm: Any) -> None:
    made = ssm.create_activation(IamRole="sender", RegistrationLimit=3)
    proof = ("--activation", made["ActivationId"], "--code", made["ActivationCode"])
    machines = register(*proof, "--system", "UBUNTU", "--name", "rack", "--count", "2")
    machines += register(*proof)
    found = {one["InstanceId"]: one for one in ssm.describe_instance_information()["InstanceInformationList"]}
    assert list(found) == machines
    assert [one["ComputerName"] for one in found.values()][:2] == ["rack-1", "rack-2"]
    assert [one["PlatformName"] for one in found.values()] == ["Ubuntu", "Ubuntu", "Amazon Linux"]
    with pytest.raises(LabError, match="has its 3 machines already"):
        register(*proof)


def test_a_system_that_the_lab_does_not_know_is_named(ssm: Any) -> None:
    made = ssm.create_activation(IamRole="sender")
    proof = ("--activation", made["ActivationId"], "--code", made["ActivationCode"])
    with pytest.raises(LabError, match="The lab has no operating system or image OS2; it has ALMA_LINUX"):
        register(*proof, "--system", "OS2")
    assert ssm.describe_activations()["ActivationList"][-1]["RegistrationsCount"] == 0
