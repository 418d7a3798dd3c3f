from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from patching.template_rules import RULES, findings, page, rule_id
from tests.patching.template_cases import BROKEN, CLOUDWATCH, COMMAND, FINE, FLEET_BROKEN, FLEET_FINE, SEND
from tests.patching.templates import (
    GOOD,
    ROOT,
    att,
    changed,
    found,
    ref,
    role,
    target,
    window,
)
from tests.rows import each_row


def ids(table: list[Any]) -> list[str]:
    return [f"{row[0]}-{index}" for index, row in enumerate(table)]


def test_where_everything_works_nothing_is_found() -> None:
    assert found({}) == []
    assert found({}, fleet={}) == []


@each_row(("rule", "where", "changes"), BROKEN, ids=ids(BROKEN))
def test_what_does_not_work_is_found_where_it_is_mended(rule: str, where: str, changes: dict[str, Any]) -> None:
    assert set(found(changes)) == {(rule, where)}


@each_row("changes", FINE, ids=range(len(FINE)))
def test_what_works_or_is_not_known_is_no_finding(changes: dict[str, Any]) -> None:
    assert found(changes) == []


@each_row(("rule", "where", "changes", "fleet"), FLEET_BROKEN, ids=ids(FLEET_BROKEN))
def test_what_does_not_work_is_found_across_stacks(
    rule: str, where: str, changes: dict[str, Any], fleet: dict[str, Any]
) -> None:
    assert set(found(changes, fleet=fleet)) == {(rule, where)}


@each_row(("changes", "fleet"), FLEET_FINE, ids=range(len(FLEET_FINE)))
def test_what_works_across_stacks_is_no_finding(changes: dict[str, Any], fleet: dict[str, Any]) -> None:
    assert found(changes, fleet=fleet) == []


def test_every_rule_has_a_template_that_breaks_it() -> None:
    assert {rule_id(rule) for rule in RULES} == {row[0] for row in (*BROKEN, *FLEET_BROKEN)}


@each_row("rule", RULES, ids=rule_id)
def test_every_rule_says_what_it_finds_and_which_page_it_follows(rule: Any) -> None:
    assert str(rule.__doc__).startswith("Find ")
    assert page(rule).startswith("https://docs.aws.amazon.com/")


def test_a_finding_says_where_it_is_and_how_to_mend_it_on_one_line() -> None:
    (one,) = findings({"demo": changed(GOOD, {f"{SEND}.2.Resource": att("EventRole")})})
    assert one.text == (
        "demo: Sender: publish-role-not-passed: a window's task sends commands as this role, which may not pass the "
        "role that publishes how they went: none is sent; allow it iam:PassRole on "
        "arn:<AWS::Partition>:iam::<AWS::AccountId>:role/<Publisher>, for ssm.amazonaws.com"
    )
    path = {"Metadata": {"aws:cdk:path": "app/Stack/Sender/Resource"}}
    template = changed(GOOD, {f"{SEND}.2.Resource": att("EventRole")})
    template["Resources"]["Sender"] |= path
    (other,) = findings({"demo": template})
    assert other.text.startswith("app/Stack/Sender: publish-role-not-passed: ")
    assert (
        other.page == "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html"
    )


@pytest.mark.parametrize(("where", "at"), [(COMMAND, COMMAND.partition(".")[2]), ("Scan", "")])
def test_a_finding_names_the_property(where: str, at: str) -> None:
    (one,) = findings({"demo": changed(GOOD, {f"{where}.Parameters.Operation": ["Scann"]})})
    assert one.at == f"{at}.Parameters".lstrip(".")


def test_many_windows_of_one_role_are_one_finding() -> None:
    windows = {
        f"{kind}{number}": one
        for number in range(20)
        for kind, one in (
            ("Window", window(f"w{number}")),
            ("Target", target(f"Window{number}", f"Web{number}")),
            (
                "Task",
                changed(
                    GOOD,
                    {"Task.WindowId": ref(f"Window{number}"), "Task.Targets.0.Values": [ref(f"Target{number}")]},
                )["Resources"]["Task"],
            ),
        )
    }
    assert found({**windows, f"{SEND}.2.Resource": att("EventRole")}) == [("publish-role-not-passed", "Sender")]


def test_a_template_without_patching_has_nothing_to_find() -> None:
    assert findings({}) == []
    assert findings({"empty": {}, "none": {"Resources": {}}}) == []
    assert (
        findings({"odd": {"Resources": {"A": "not a resource", "B": {"Type": "AWS::SSM::MaintenanceWindowTask"}}}})
        == []
    )


def test_an_export_of_two_templates_is_not_known() -> None:
    templates = {
        "a": changed(GOOD, {f"{SEND}.2.Resource": {"Fn::ImportValue": "role"}}) | {"Outputs": export("Publisher")},
    }
    assert findings(templates) == []
    templates["b"] = {"Resources": {"EventRole": role("x")}, "Outputs": export("EventRole")}
    assert findings(templates) == []
    del templates["a"]["Outputs"]
    assert [one.rule for one in findings(templates)] == ["publish-role-not-passed"]


def export(name: str) -> dict[str, Any]:
    return {"Out": {"Value": att(name), "Export": {"Name": "role"}}}


def test_the_root_of_the_account_is_no_role() -> None:
    changes = {
        "Publisher.Policies": [],
        "TopicPolicy.PolicyDocument.Statement.0.Principal": {**ROOT, **CLOUDWATCH},
    }
    assert set(found(changes)) == {("publisher-may-not-publish", "Publisher")}


def test_the_documentation_names_every_rule_and_what_it_finds() -> None:
    text = (Path(__file__).parents[2] / "docs" / "template-rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\S+)` \| (.*) \| \[\S+\]\((\S+)\) \|$", text, re.MULTILINE)
    assert rows == [(rule_id(rule), says(rule), page(rule)) for rule in RULES]


def says(rule: Any) -> str:
    return " ".join(str(rule.__doc__).split("\n\n", 1)[0].split()).removeprefix("Find ").rstrip(".")
