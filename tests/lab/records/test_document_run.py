"""Running a document: its steps in order, and what makes one be passed over or be the last."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lab.world.errors import ApiError
from patching.rate_control import RateControl
from patching.targets import Targets
from tests.lab.simulated import Lab, invocations, shell, step_of, went


def powershell(name: str, *commands: str) -> dict[str, object]:
    return {"action": "aws:runPowerShellScript", "name": name, "inputs": {"runCommand": list(commands)}}


def test_steps_run_one_after_the_other(lab: Lab) -> None:
    lab.launch()
    lab.add_document("three", shell("one"), shell("two"), shell("three"))
    command = lab.run_document("three")
    assert went(command) == {"one": "Success", "two": "Success", "three": "Success"}
    (only,) = invocations(command)
    for step, following in pairwise(only.steps):
        assert step.started
        assert step.ended
        assert following.started
        assert step.started < step.ended <= following.started
    assert (command.status, only.status) == ("Success", "Success")


def test_output_says_that_nothing_was_run(lab: Lab) -> None:
    lab.launch()
    lab.add_document("two-lines", shell("only", "ls", "date"))
    step = step_of(lab.run_document("two-lines"), "only")
    assert step.output == "[simulated] aws:runShellScript: 2 commands were not run; taken to end with 0.\n"


def test_a_step_that_fails_fails_the_node_and_lets_the_next_one_run(lab: Lab) -> None:
    lab.launch()
    lab.add_document("failing", shell("one", "exit 7"), shell("two"))
    command = lab.run_document("failing")
    assert went(command) == {"one": "Failed", "two": "Success"}
    assert (step_of(command, "one").code, step_of(command, "one").error) == (
        7,
        "failed to run commands: exit status 7\n",
    )
    assert invocations(command)[0].status == "Failed"


@pytest.mark.parametrize(
    ("first", "expected", "status"),
    [
        (shell("one", "exit 7", onFailure="exit"), {"one": "Failed", "two": "skipped"}, "Failed"),
        (shell("one", "exit 7", onFailure="successAndExit"), {"one": "Success", "two": "skipped"}, "Success"),
        (shell("one", onFailure="exit"), {"one": "Success", "two": "Success"}, "Success"),
        (shell("one", onSuccess="exit"), {"one": "Success", "two": "skipped"}, "Success"),
        (shell("one", "exit 7", onSuccess="exit"), {"one": "Failed", "two": "Success"}, "Failed"),
        (shell("one", "exit 168"), {"one": "Success", "two": "skipped"}, "Success"),
        (shell("one", "exit 169"), {"one": "Failed", "two": "skipped"}, "Failed"),
    ],
)
def test_a_step_can_end_the_document(lab: Lab, first: dict[str, object], expected: dict[str, str], status: str) -> None:
    lab.launch()
    lab.add_document("ending", first, shell("two"))
    command = lab.run_document("ending")
    assert went(command) == expected
    assert invocations(command)[0].status == status


def test_a_finally_step_runs_after_the_end_too(lab: Lab) -> None:
    lab.launch()
    lab.add_document("ending", shell("one", "exit 1", onFailure="exit"), shell("two"), shell("three", finallyStep=True))
    assert went(lab.run_document("ending")) == {"one": "Failed", "two": "skipped", "three": "Success"}


def test_a_step_after_the_end_says_who_ended_it(lab: Lab) -> None:
    lab.launch()
    lab.add_document("ending", shell("one", "exit 1", onFailure="exit"), shell("two"))
    step = step_of(lab.run_document("ending"), "two")
    assert (step.code, step.output) == (
        0,
        "Step execution skipped due to step one ended the document. Step name: two",
    )


def test_a_step_for_another_platform_is_skipped(lab: Lab) -> None:
    lab.launch()
    lab.add_document("both", shell("linux"), {**powershell("win"), "inputs": {"runCommand": ["ls"]}})
    assert went(lab.run_document("both")) == {"linux": "Success", "win": "Success"}
    lab.add_document("windows", shell("linux"), powershell("all", "ls"))
    windows = lab.launch("windows")
    command = lab.run_document("windows", targets=Targets.instances(windows.id))
    assert went(command) == {"linux": "skipped", "all": "Success"}
    assert "unsupported plugin: aws:runShellScript" in step_of(command, "linux").output


@pytest.mark.parametrize(
    ("pair", "given", "expected"),
    [
        (("platformType", "Linux"), "a", "Success"),
        (("Linux", "platformType"), "a", "Success"),
        (("platformType", "MacOS"), "a", "skipped"),
        (("{{ What }}", "a"), "a", "Success"),
        (("{{ What }}", "a"), "b", "skipped"),
        (("it is {{ What }}", "it is b"), "b", "Success"),
    ],
)
def test_a_step_runs_if_its_precondition_holds(lab: Lab, pair: tuple[str, str], given: str, expected: str) -> None:
    lab.launch()
    lab.add_document("choosing", shell("only", precondition=pair), shell("other"), What={"type": "String"})
    command = lab.run_document("choosing", {"What": [given]})
    assert went(command) == {"only": expected, "other": "Success"}
    assert invocations(command)[0].status == "Success"


def test_parameters_are_put_into_the_commands(lab: Lab) -> None:
    lab.launch()
    lab.add_document("ending", shell("only", "exit {{ Code }}"), Code={"type": "String", "default": "0"})
    assert step_of(lab.run_document("ending"), "only").code == 0
    assert step_of(lab.run_document("ending", {"Code": ["3"]}), "only").code == 3


def test_parameters_that_do_not_fit_are_refused(lab: Lab) -> None:
    lab.add_document("ending", shell("only", "exit {{ Code }}"), Code={"type": "String"})
    for given, problem in (({}, "the parameter Code is required"), ({"Cod": ["1"]}, "did you mean 'Code'?")):
        with pytest.raises(ApiError, match=problem) as error:
            lab.run_document("ending", given)
        assert error.value.code == "InvalidParameters"


def test_a_document_for_another_platform_is_not_sent_to_a_node_by_its_id(lab: Lab) -> None:
    windows = lab.launch("windows")
    with pytest.raises(ApiError, match=rf"AWS-RunShellScript is for Linux, MacOS; {windows.id} runs Windows") as error:
        lab.run_document("AWS-RunShellScript", {"commands": ["ls"]}, targets=Targets.instances(windows.id))
    assert error.value.code == "UnsupportedPlatformType"


def test_a_document_of_the_old_schema_fails_where_its_plugin_does_not_run(lab: Lab) -> None:
    lab.launch("windows")
    inputs = {
        "documentType": "SSMDocument",
        "documentPath": "AWS-RunShellScript",
        "documentParameters": {"commands": "ls"},
    }
    lab.add_document("outer", {"action": "aws:runDocument", "name": "inner", "inputs": inputs})
    command = lab.run_document("outer")
    assert went(command) == {"inner": "Failed"}
    assert "unsupported plugin" in step_of(command, "inner").error


def test_commands_of_one_node_wait_for_each_other(lab: Lab) -> None:
    lab.launch()
    lab.add_document("one", shell("only"))
    first, second = (
        lab.engine.run_command.send(
            document_name="one", parameters={}, targets=Targets.tag("Fleet", "a"), rate_control=lab.send().rate_control
        )
        for _ in range(2)
    )
    lab.clock.finish_work()
    ended, started = step_of(first, "only").ended, step_of(second, "only").started
    assert ended
    assert started
    assert started >= ended


# Scripts of the caller's own.


@pytest.mark.parametrize(
    ("document", "image", "folder"),
    [
        ("AWS-RunShellScript", "linux", "awsrunShellScript/0.awsrunShellScript"),
        ("AWS-RunPowerShellScript", "windows", "awsrunPowerShellScript/0.awsrunPowerShellScript"),
    ],
)
def test_commands_can_be_sent_without_a_document_of_ones_own(lab: Lab, document: str, image: str, folder: str) -> None:
    node = lab.launch(image)
    command = lab.run_document(document, {"commands": ["hostname", "exit 4"]}, bucket="output")
    (step,) = invocations(command)[0].steps
    assert (step.status, step.code) == ("Failed", 4)
    assert sorted(lab.cloud.objects) == [f"{command.id}/{node.id}/{folder}/{one}" for one in ("stderr", "stdout")]


# How long a step may take.


def test_a_step_that_takes_too_long_is_stopped(lab: Lab) -> None:
    lab.launch()
    lab.add_document("slow", shell("slow", "sleep 90", timeoutSeconds="30"), shell("next"))
    command = lab.run_document("slow", rate_control=RateControl(1, 0))
    step = step_of(command, "slow")
    assert (step.status, step.details, step.code) == ("TimedOut", "ExecutionTimedOut", 137)
    assert step.ended
    assert step.started
    assert (step.ended - step.started).total_seconds() == 30
    assert "timed out after 30 seconds" in step.error
    assert went(command)["next"] == "Success"
    assert [(one.status, one.details) for one in invocations(command)] == [("TimedOut", "ExecutionTimedOut")]
    assert (command.status, command.details) == ("TimedOut", "ExecutionTimedOut")


def test_a_step_that_takes_too_long_can_end_the_document(lab: Lab) -> None:
    lab.launch()
    lab.add_document("slow", shell("slow", "sleep 90", timeoutSeconds="30", onFailure="exit"), shell("next"))
    assert went(lab.run_document("slow")) == {"slow": "TimedOut", "next": "skipped"}


@pytest.mark.parametrize(
    ("timeout", "taken"),
    [("95", "Success"), ("94", "TimedOut"), ("4", "Success"), ("soon", "Success"), ("999999", "Success")],
)
def test_a_step_has_as_long_as_its_timeout_says_or_an_hour_if_that_is_none(lab: Lab, timeout: str, taken: str) -> None:
    lab.launch()
    parameter = {"After": {"type": "String"}}
    lab.add_document("slow", shell("slow", "sleep 90", timeoutSeconds="{{ After }}"), **parameter)
    assert went(lab.run_document("slow", {"After": [timeout]})) == {"slow": taken}


def test_the_parameter_of_a_document_says_how_long_it_may_take(lab: Lab) -> None:
    lab.launch()
    command = lab.run_document("AWS-RunShellScript", {"commands": ["sleep 90"], "executionTimeout": ["60"]})
    assert [one.details for one in invocations(command)] == ["ExecutionTimedOut"]


def test_steps_that_take_too_long_count_as_errors(lab: Lab) -> None:
    for _ in range(3):
        lab.launch()
    lab.add_document("slow", shell("slow", "sleep 90", timeoutSeconds="30"))
    command = lab.run_document("slow", rate_control=RateControl(1, 0))
    assert [one.details for one in invocations(command)] == ["ExecutionTimedOut", "Terminated", "Terminated"]
    assert command.errors == 1
