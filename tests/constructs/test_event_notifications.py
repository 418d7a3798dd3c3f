from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest
from constructs.event_notifications import association_failures, compliance_changes, window_executions

from tests.cdk import Resources

pytestmark = pytest.mark.xdist_group("constructs")

RULES = ("Associations", "Compliance", "Windows", "Windows-2", "Windows-3")


def pattern(watched: Resources, rule: str) -> dict[str, Any]:
    found: dict[str, Any] = watched[f"Events/{rule}"].properties["EventPattern"]
    return found


def test_there_is_a_rule_for_each_kind_of_event_and_further_ones_for_more_ids(watched: Resources) -> None:
    assert set(watched.of("AWS::Events::Rule")) == {f"Events/{rule}" for rule in RULES}


@pytest.mark.parametrize(
    ("rule", "detail_types", "detail"),
    [
        (
            "Associations",
            ["EC2 State Manager Association State Change", "EC2 State Manager Instance Association State Change"],
            {"association-id": ["scan-id", "inventory-id"], "status": ["Failed"]},
        ),
        (
            "Compliance",
            ["Configuration Compliance State Change"],
            {"patch-baseline-id": ["pb-0123456789abcdef0"], "compliance-type": ["Patch"]},
        ),
    ],
)
def test_a_rule_is_for_the_environments_own_events(
    watched: Resources, rule: str, detail_types: list[str], detail: dict[str, list[str]]
) -> None:
    assert pattern(watched, rule) == {"source": ["aws.ssm"], "detail-type": detail_types, "detail": detail}


def test_a_window_is_told_when_it_opens_and_however_it_ends(watched: Resources) -> None:
    found = pattern(watched, "Windows")
    assert found["detail-type"] == ["Maintenance Window Execution State-change Notification"]
    assert "IN_PROGRESS" in found["detail"]["status"]
    assert {"SUCCESS", "FAILED", "TIMED_OUT", "CANCELLED", "SKIPPED_OVERLAPPING"} <= set(found["detail"]["status"])


def test_every_id_is_in_one_rule_and_no_pattern_is_longer_than_eventbridge_takes(watched: Resources) -> None:
    ids = [pattern(watched, rule)["detail"]["window-id"] for rule in RULES[2:]]
    assert [len(one) for one in ids] == [50, 50, 20]
    assert sorted(chain(*ids)) == [f"mw-{number:017x}" for number in range(120)]
    assert all(len(json.dumps(pattern(watched, rule))) <= 2048 for rule in RULES)


def test_a_rule_that_is_split_says_the_same_of_all_its_ids(watched: Resources) -> None:
    first, *others = (watched[f"Events/{rule}"].properties for rule in RULES[2:])
    for other in others:
        assert (other["Targets"], other["Description"]) == (first["Targets"], first["Description"])
        assert other["EventPattern"]["detail"]["status"] == first["EventPattern"]["detail"]["status"]


@pytest.mark.parametrize(
    ("rule", "subject", "status"),
    [
        ("Associations", "$.detail.association-id", "$.detail.status"),
        ("Compliance", "$.detail.resource-id", "$.detail.compliance-status"),
        ("Windows", "$.detail.window-id", "$.detail.status"),
    ],
)
def test_all_messages_have_one_form(watched: Resources, rule: str, subject: str, status: str) -> None:
    (target,) = watched[f"Events/{rule}"].properties["Targets"]
    assert (target["Arn"], target["RoleArn"]) == ("<Notifications>", "<Events/Role.Arn>")
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {
        "subject": subject,
        "status": status,
        "time": "$.time",
        "account": "$.account",
        "region": "$.region",
        "event": "$.detail-type",
    }
    # EventBridge puts quotes around a value that takes the place of a name.
    text = transformer["InputTemplate"]
    for name in transformer["InputPathsMap"]:
        text = text.replace(f"<{name}>", f'"{name} of the event"')
    message = json.loads(text)
    assert list(message) == ["summary", "environment", "subject", "status", "time", "account", "region", "event"]
    assert message["environment"] == "demo"


def test_eventbridge_of_this_account_publishes_as_a_role_that_can_do_nothing_else(watched: Resources) -> None:
    (trust,) = watched["Events/Role"].properties["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Condition"]) == (
        {"Service": "events.amazonaws.com"},
        {"StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"}},
    )
    assert watched["Events/Policy"].properties["Roles"] == ["<Events/Role>"]
    assert watched.statements("Events/Policy") == [
        {"Action": "sns:Publish", "Effect": "Allow", "Resource": "<Notifications>"},
        {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Effect": "Allow", "Resource": "<Key.Arn>"},
    ]


def test_the_roles_policy_is_there_before_a_rule_needs_it(watched: Resources) -> None:
    policy = next(name for name in watched.template["Resources"] if name.startswith("EventsPolicy"))
    assert all(policy in watched[f"Events/{rule}"].whole["DependsOn"] for rule in RULES)


def test_the_kinds_of_events_name_what_they_are_about() -> None:
    kinds = [association_failures(["a"]), compliance_changes(["b"]), window_executions(["c"])]
    assert [(one.id_key, list(one.ids)) for one in kinds] == [
        ("association-id", ["a"]),
        ("patch-baseline-id", ["b"]),
        ("window-id", ["c"]),
    ]
