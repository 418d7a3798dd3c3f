"""What the plugins do on a simulated node."""

from __future__ import annotations

from typing import Any

import pytest

from lab.commands.plugins import ACTIONS, MOMENT, exit_code
from lab.nodes.patch_operation import DURATIONS
from patching.command_plugins import PLUGINS
from patching.operating_system import PlatformType
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets
from tests.lab.simulated import NODE_ROLE, Lab, invocations, shell, step_of, went


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([], 0),
        (["ls"], 0),
        (["exit 3"], 3),
        (["ls", "exit 3"], 3),
        (["ls", "exit 3;", ""], 3),
        (["if true; then\n  exit 5\nfi\nls\nexit 2\n# the end"], 2),
        (["exit 3", "ls"], 0),
        (["echo exit 3"], 0),
        (["exit 258"], 2),
    ],
)
def test_a_script_ends_with_the_code_of_its_last_line(script: list[str], code: int) -> None:
    assert exit_code(script, PlatformType.LINUX) == code


def test_windows_keeps_the_whole_code() -> None:
    assert exit_code(["Exit 3010"], PlatformType.WINDOWS) == 3010


@pytest.mark.parametrize(("image", "code"), [("linux", 194), ("windows", 3010)])
def test_a_script_can_reboot_its_node_and_runs_again(lab: Lab, image: str, code: int) -> None:
    node = lab.launch(image)
    before = node.booted
    plugin = "aws:runPowerShellScript"
    lab.add_document("reboot", {"action": plugin, "name": "only", "inputs": {"runCommand": ["make", f"exit {code}"]}})
    command = lab.run_document("reboot")
    step = step_of(command, "only")
    assert (step.status, step.code, step.error) == ("Success", 0, "")
    assert "Rebooted; run again" in step.output
    assert f"{node.id} reboots" in lab.log
    assert node.booted == step.ended > before  # type: ignore[operator]
    assert step.started
    assert step.ended - step.started == MOMENT + DURATIONS[node.catalogue.system.platform_type].reboot


def test_the_code_of_the_other_platform_is_a_failure(lab: Lab) -> None:
    lab.launch("windows")
    command = lab.run_document("AWS-RunPowerShellScript", {"commands": ["exit 194"]})
    assert invocations(command)[0].status == "Failed"


# Documents that run others.


def run(path: str, **inputs: Any) -> dict[str, Any]:
    more = {"documentType": "SSMDocument", "documentPath": path, **inputs}
    return {"action": "aws:runDocument", "name": "run", "inputs": more}


def test_a_document_runs_another_one_with_its_parameters(lab: Lab) -> None:
    lab.launch()
    lab.add_document("inner", shell("one", "exit {{ Code }}"), shell("two"), Code={"type": "String", "default": "0"})
    lab.add_document("outer", run("inner", documentParameters={"Code": "{{ Which }}"}), Which={"type": "String"})
    step = step_of(lab.run_document("outer", {"Which": ["0"]}), "run")
    assert (step.status, step.code) == ("Success", 0)
    assert step.output.count("[simulated]") == 2
    step = step_of(lab.run_document("outer", {"Which": ["5"]}), "run")
    assert (step.status, step.code) == ("Failed", 1)
    assert "exit status 5" in step.error


@pytest.mark.parametrize("parameters", ['{"Code": "5"}', "Code: '5'", {"Code": "5"}])
def test_parameters_can_be_text(lab: Lab, parameters: object) -> None:
    lab.launch()
    lab.add_document("inner", shell("only", "exit {{ Code }}"), Code={"type": "String"})
    lab.add_document("outer", run("inner", documentParameters=parameters))
    assert "exit status 5" in step_of(lab.run_document("outer"), "run").error


@pytest.mark.parametrize(
    ("path", "more", "problem"),
    [
        ("gone", {}, "Document gone does not exist."),
        ("inner:7", {}, "Document inner has no version 7."),
        ("inner", {}, "inner: the parameter Code is required."),
        ("inner", {"documentParameters": "5"}, "documentParameters is no mapping of names to values."),
        ("inner.json", {"documentType": "LocalPath"}, "there is no document on a path to run."),
        ("AWS-RunInspecChecks", {}, "AWS-RunInspecChecks is not simulated"),
        ("AWS-StopEC2Instance", {}, "AWS-StopEC2Instance is of type Automation"),
    ],
)
def test_a_document_that_cannot_be_run_fails_the_step_that_runs_it(
    lab: Lab, path: str, more: dict[str, Any], problem: str
) -> None:
    lab.launch()
    lab.add_document("inner", shell("only", "exit {{ Code }}"), Code={"type": "String"})
    lab.add_document("outer", run(path, **more))
    step = step_of(lab.run_document("outer"), "run")
    assert (step.status, step.code) == ("Failed", 1)
    assert problem in step.error


@pytest.mark.parametrize("path", ["inner:1", "inner", "arn:aws:ssm:us-east-1:123456789012:document/inner:1"])
def test_another_document_is_named_with_or_without_a_version(lab: Lab, path: str) -> None:
    lab.launch()
    lab.add_document("inner", shell("only"))
    lab.add_document("outer", run(path))
    assert went(lab.run_document("outer")) == {"run": "Success"}


def test_the_node_has_to_be_allowed_to_read_the_other_document(lab: Lab) -> None:
    lab.launch()
    lab.cloud.forbid(NODE_ROLE, "ssm:GetDocument", "arn:aws:ssm:us-east-1:123456789012:document/inner")
    lab.add_document("inner", shell("only"))
    lab.add_document("outer", run("inner"))
    assert "does not allow ssm:GetDocument on arn:aws:ssm:us-east-1:123456789012:document/inner" in (
        step_of(lab.run_document("outer"), "run").error
    )


@pytest.mark.parametrize(("documents", "status"), [(3, "Success"), (4, "Failed")])
def test_documents_run_each_other_three_deep(lab: Lab, documents: int, status: str) -> None:
    lab.launch()
    for number in range(documents):
        lab.add_document(f"doc-{number}", run(f"doc-{number + 1}"))
    lab.add_document(f"doc-{documents}", shell("only"))
    assert went(lab.run_document("doc-0")) == {"run": status}


def test_documents_do_not_run_each_other_for_ever(lab: Lab) -> None:
    lab.launch()
    lab.add_document("loop", run("loop"))
    step = step_of(lab.run_document("loop"), "run")
    assert step.error == "Documents run each other more than 3 deep.\n"


# The agent.


def test_the_agent_is_brought_to_the_newest_version(lab: Lab) -> None:
    """The made-up catalogue of Amazon Linux has releases of the agent; here it stands in with a small one."""
    real = Lab(*_built_in(), start="2026-11-16")
    for image in ("al2023-ami-ecs-hvm-2023.0.20251108-kernel-6.1-x86_64", _windows_image()):
        node = real.launch(image)
        assert node.agent_version == "3.3.2958.0"
        command = real.run_document("AWS-UpdateSSMAgent", targets=Targets.instances(node.id))
        assert invocations(command)[0].status == "Success"
        assert node.agent_version == "3.3.3777.0"
        assert "updated from 3.3.2958.0 to 3.3.3777.0" in invocations(command)[0].steps[0].output


def _built_in() -> Any:
    from lab.patches.catalogue_file import built_in  # noqa: PLC0415 parsing it takes a moment

    return built_in()


def _windows_image() -> str:
    return str(next(one.images[0].name for one in _built_in() if one.system.platform_type is PlatformType.WINDOWS))


@pytest.mark.parametrize(
    ("given", "status", "version"),
    [
        ({"version": ["3.0.0.0"]}, "Success", "3.0.0.0"),
        ({"version": ["2.0.0.0"]}, "Failed", "3.0.0.0"),
    ],
)
def test_the_agent_is_brought_to_a_version_that_there_is(
    lab: Lab, given: dict[str, list[str]], status: str, version: str
) -> None:
    node = lab.launch()
    assert invocations(lab.run_document("AWS-UpdateSSMAgent", given))[0].status == status
    assert node.agent_version == version


@pytest.mark.parametrize(("allow", "version"), [("false", "3.3.3777.0"), ("true", "3.3.2958.0")])
def test_an_older_agent_has_to_be_allowed(allow: str, version: str) -> None:
    real = Lab(*_built_in(), start="2026-11-16")
    node = real.launch(_windows_image())
    real.run_document("AWS-UpdateSSMAgent")
    command = real.run_document("AWS-UpdateSSMAgent", {"version": ["3.3.2958.0"], "allowDowngrade": [allow]})
    assert node.agent_version == version
    assert invocations(command)[0].status == ("Success" if allow == "true" else "Failed")


# Inventory.


def test_inventory_is_gathered_by_an_association_alone(lab: Lab) -> None:
    lab.launch()
    command = lab.run_document("AWS-GatherSoftwareInventory")
    step = step_of(command, "collectSoftwareInventoryItems")
    assert (step.status, step.error) == (
        "Failed",
        "The aws:softwareInventory plugin can only be invoked via ssm-associate.\n",
    )
    association = lab.engine.state_manager.create(
        name="inventory",
        document="AWS-GatherSoftwareInventory",
        parameters={"windowsUpdates": ["Disabled"]},
        targets=Targets.tag("Fleet", "a"),
        schedule=Schedule.parse("rate(1 day)"),
        only_at_interval=False,
        rate_control=RateControl("100%", "100%"),
    )
    lab.clock.finish_work()
    sent = association.executions[0].command
    assert sent
    step = step_of(sent, "collectSoftwareInventoryItems")
    assert step.status == "Success"
    assert "[simulated]" in step.output
    assert "AWS:Application" in step.output
    assert "AWS:WindowsUpdate" not in step.output


# The others.


def test_every_plugin_is_known_to_the_lab() -> None:
    assert set(ACTIONS) == set(PLUGINS)


def test_a_plugin_whose_effects_nobody_sees_is_taken_to_succeed(lab: Lab) -> None:
    lab.launch()
    inputs = {"action": "Install", "name": "AmazonCloudWatchAgent"}
    lab.add_document("install", {"action": "aws:configurePackage", "name": "only", "inputs": inputs})
    step = step_of(lab.run_document("install"), "only")
    assert (step.status, step.output) == (
        "Success",
        "[simulated] aws:configurePackage was not run; taken to succeed.\n",
    )


def test_a_plugin_whose_effects_would_be_seen_is_refused(lab: Lab) -> None:
    lab.launch()
    lab.add_document("refresh", {"action": "aws:refreshAssociation", "name": "only", "inputs": {}})
    step = step_of(lab.run_document("refresh"), "only")
    assert (step.status, step.error) == ("Failed", "The lab does not emulate aws:refreshAssociation.\n")
