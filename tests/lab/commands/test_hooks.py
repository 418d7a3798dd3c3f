"""AWS-RunPatchBaselineWithHooks: which steps run, in which order, and what a failing one does."""

from __future__ import annotations

import pytest

from lab.records.command import Command
from patching.run_patch_baseline import Hooks, RunPatchBaseline
from patching.targets import Targets
from tests.lab.simulated import NODE_ROLE, Lab, fleet, invocations, reported, shell, step_of, went

HOOKS = Hooks(pre_install="before", post_install="after", on_exit="at-the-end")
NAMES = {
    "Scan": "scan",
    "VerifyPatchStatesLinux": "verify",
    "PreInstallHook": "before",
    "InstallWithNoReboot": "install",
    "PostInstallHook": "after",
    "VerifyRebootLinux": "verify reboot",
    "RebootAndReport": "reboot",
    "OnExitHook": "at the end",
}


@pytest.fixture
def hooked(lab: Lab) -> Lab:
    """A lab with a node that lacks a patch, and a document for each hook."""
    fleet(lab, 1)
    for name in ("before", "after", "at-the-end"):
        lab.add_document(name, shell("only"))
    return lab


def install(lab: Lab, reboot: str = "RebootIfNeeded", hooks: Hooks = HOOKS) -> Command:
    return lab.run(RunPatchBaseline.install(reboot=reboot, hooks=hooks))


def ran(command: Command) -> list[str]:
    """Return which steps ran, in order."""
    assert set(went(command).values()) <= {"skipped", "Success", "Failed"}
    return [NAMES[name] for name, how in went(command).items() if how != "skipped"]


def booted(lab: Lab) -> bool:
    return "reboots" in lab.log


def test_an_installation_scans_runs_its_hooks_installs_and_reboots(hooked: Lab) -> None:
    command = install(hooked)
    assert ran(command) == list(NAMES.values())
    assert (command.status, invocations(command)[0].status) == ("Success", "Success")
    (node,) = hooked.engine.fleet.nodes()
    assert reported(node)["tool"] == "Installed"
    assert booted(hooked)


def test_the_node_reboots_after_the_hook_after_the_installation_and_before_the_last_one(hooked: Lab) -> None:
    command = install(hooked)
    (node,) = hooked.engine.fleet.nodes()
    after, last = step_of(command, "PostInstallHook").ended, step_of(command, "OnExitHook").started
    assert after
    assert last
    assert after < node.booted <= last


def test_a_scan_runs_no_hook(hooked: Lab) -> None:
    given = {"Operation": ["Scan"], "PreInstallHookDocName": ["before"], "OnExitHookDocName": ["at-the-end"]}
    command = hooked.run_document("AWS-RunPatchBaselineWithHooks", given)
    assert ran(command) == ["scan", "verify"]
    assert invocations(command)[0].status == "Success"
    (node,) = hooked.engine.fleet.nodes()
    assert reported(node)["tool"] == "Missing"


def test_with_nothing_to_install_only_the_last_hook_runs(hooked: Lab) -> None:
    install(hooked)
    assert ran(install(hooked)) == ["scan", "verify", "at the end"]


def test_without_a_reboot_the_last_hook_follows_the_installation(hooked: Lab) -> None:
    command = install(hooked, reboot="NoReboot")
    assert ran(command) == ["scan", "verify", "before", "install", "after", "verify reboot", "at the end"]
    assert not booted(hooked)
    (node,) = hooked.engine.fleet.nodes()
    assert reported(node)["tool"] == "InstalledPendingReboot"


def test_a_reboot_that_is_pending_and_not_wanted_runs_only_the_last_hook(hooked: Lab) -> None:
    install(hooked, reboot="NoReboot")
    assert ran(install(hooked, reboot="NoReboot")) == ["scan", "verify", "at the end"]


def test_a_reboot_that_is_pending_and_wanted_is_made_up_for(hooked: Lab) -> None:
    install(hooked, reboot="NoReboot")
    assert ran(install(hooked)) == list(NAMES.values())
    assert booted(hooked)


@pytest.mark.parametrize(
    ("hook", "ran_before", "state", "rebooted"),
    [
        ("before", ["scan", "verify", "before"], "Missing", False),
        ("after", ["scan", "verify", "before", "install", "after"], "InstalledPendingReboot", False),
        ("at-the-end", list(NAMES.values())[:-1], "Installed", True),
    ],
)
def test_a_hook_that_fails_leads_straight_to_the_last_one(
    hooked: Lab, hook: str, ran_before: list[str], state: str, rebooted: bool
) -> None:
    hooked.add_document(hook, shell("only", "systemctl is-active web", "exit 3"))
    command = install(hooked)
    assert ran(command) == [*ran_before, "at the end"]
    assert [NAMES[name] for name, how in went(command).items() if how == "Failed"] == [hook.replace("-", " ")]
    assert invocations(command)[0].status == "Failed"
    (node,) = hooked.engine.fleet.nodes()
    assert reported(node)["tool"] == state
    assert booted(hooked) is rebooted


def test_an_installation_that_fails_leads_straight_to_the_last_hook(hooked: Lab) -> None:
    (node,) = hooked.engine.fleet.nodes()
    node.fault = "No space left on device"
    command = install(hooked)
    assert ran(command) == ["scan", "verify", "before", "install", "at the end"]
    assert "No space left on device" in step_of(command, "InstallWithNoReboot").error
    assert reported(node)["tool"] == "Failed"


def test_a_hook_that_reboots_the_node_is_run_again(hooked: Lab) -> None:
    hooked.add_document("before", shell("only", "exit 194"))
    command = install(hooked, reboot="NoReboot")
    assert ran(command) == ["scan", "verify", "before", "install", "after", "verify reboot", "at the end"]
    assert booted(hooked)


def test_a_hook_that_is_left_out_does_nothing(hooked: Lab) -> None:
    command = install(hooked, hooks=Hooks(on_exit="at-the-end"))
    assert ran(command) == list(NAMES.values())
    assert "skipped" in step_of(command, "PreInstallHook").output  # the steps of AWS-Noop for other platforms


@pytest.mark.parametrize(
    ("name", "problem"),
    [("gone", "Document gone does not exist"), ("needy", "needy: the parameter Code is required")],
)
def test_a_hook_that_cannot_be_run_is_a_hook_that_fails(hooked: Lab, name: str, problem: str) -> None:
    hooked.add_document("needy", shell("only", "exit {{ Code }}"), Code={"type": "String"})
    command = install(hooked, hooks=Hooks(pre_install=name))
    assert problem in step_of(command, "PreInstallHook").error
    assert ran(command) == ["scan", "verify", "before", "at the end"]


def test_the_nodes_role_reads_the_documents(hooked: Lab) -> None:
    hooked.cloud.forbid(NODE_ROLE, "ssm:GetDocument", "arn:aws:ssm:us-east-1::document/AWS-RunPatchBaseline")
    command = install(hooked)
    assert "does not allow ssm:GetDocument" in step_of(command, "Scan").error
    assert ran(command) == ["scan", "at the end"]


def test_windows_runs_the_same_steps(lab: Lab) -> None:
    node = lab.launch("windows")
    for name in ("before", "after", "at-the-end"):
        step = {"action": "aws:runPowerShellScript", "name": "only", "inputs": {"runCommand": ["ls"]}}
        lab.add_document(name, step)
    lab.clock.advance(lab.clock.now.replace(month=6))
    command = lab.run(RunPatchBaseline.install(hooks=HOOKS), targets=Targets.instances(node.id))
    names = [name for name, how in went(command).items() if how != "skipped"]
    assert [name.replace("Windows", "Linux") for name in names] == list(NAMES)
    assert node.booted > command.requested
