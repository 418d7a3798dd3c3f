"""Services that publish to a topic."""

from __future__ import annotations

from typing import Any

import pytest

from lab.world.cloud import RuleTarget
from tests.lab.simulated import KEY, LEAVES_IT_TO_IAM, PUBLISHER, TOPIC, Lab, day, trusting

EVENTS = "events.amazonaws.com"
ALARM = {
    "aws:SourceArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:one",
    "aws:SourceAccount": "123456789012",
}


def statement(*actions: str, service: str = EVENTS, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": list(actions), "Resource": "*", **more}


def lab_with(*topic: dict[str, Any], key: list[dict[str, Any]] | None = None) -> Lab:
    lab = Lab()
    lab.cloud.topic_policy = {"Statement": list(topic)}
    if key is not None:
        lab.cloud.topic_keys[TOPIC] = KEY
        lab.cloud.key_policies[KEY] = {"Statement": key}
    return lab


def publish(lab: Lab, service: str = EVENTS, topic: str = TOPIC, **context: str) -> bool:
    return lab.engine.publishing.publish("rule one", service, topic, '{"a": 1}', context=context)


def publish_as_role(lab: Lab, **context: str) -> bool:
    return lab.engine.publishing.publish("rule one", EVENTS, TOPIC, '{"a": 1}', role=PUBLISHER, context=context)


def problem(lab: Lab) -> str:
    return lab.engine.publishing.deliveries[-1].problem


def test_a_topic_that_lets_a_service_publish_is_told() -> None:
    lab = lab_with(statement("sns:Publish"))
    assert publish(lab)
    assert lab.cloud.messages == [{"a": 1}]
    (delivery,) = lab.engine.publishing.deliveries
    assert (delivery.at, delivery.source, delivery.to) == (day("2026-03-15"), "rule one", TOPIC)
    assert (delivery.message, delivery.problem) == ('{"a": 1}', "")
    assert "not told" not in lab.log


def test_a_topic_that_does_not_let_a_service_publish_is_not_told_and_the_lab_says_so() -> None:
    lab = lab_with(statement("sns:Publish", service="cloudwatch.amazonaws.com"))
    assert not publish(lab)
    assert lab.cloud.messages == []
    assert problem(lab) == "the topic's policy does not let events.amazonaws.com sns:Publish"
    assert f"rule one: {TOPIC} not told: the topic's policy does not let" in lab.log


def test_a_condition_that_the_service_sends_nothing_for_is_named() -> None:
    condition = {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}
    lab = lab_with(statement("sns:Publish", Condition=condition))
    assert not publish(lab)
    assert problem(lab).endswith("a condition does not hold; the service sends no value that a condition can ask for")


def test_a_condition_that_the_service_sends_something_else_for_is_named_with_what_it_sends() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": "999999999999"}}
    lab = lab_with(statement("sns:Publish", service="cloudwatch.amazonaws.com", Condition=condition))
    assert not publish(lab, "cloudwatch.amazonaws.com", **ALARM)
    assert "a condition does not hold; the service sends aws:SourceArn arn:aws:cloudwatch:" in problem(lab)
    condition["StringEquals"]["aws:SourceAccount"] = "123456789012"
    assert publish(lab, "cloudwatch.amazonaws.com", **ALARM)


def test_there_has_to_be_a_topic() -> None:
    lab = lab_with(statement("sns:Publish"))
    assert not publish(lab, topic=f"{TOPIC}-gone")
    assert problem(lab) == "there is no such topic"


@pytest.mark.parametrize("lacking", ["kms:GenerateDataKey", "kms:Decrypt"])
def test_the_key_of_a_topic_has_to_let_the_service_use_it(lacking: str) -> None:
    actions = {"kms:GenerateDataKey", "kms:Decrypt"}
    assert publish(lab_with(statement("sns:Publish"), key=[statement(*actions)]))
    assert publish(lab_with(statement("sns:Publish"), key=[statement("kms:GenerateDataKey*", "kms:Decrypt")]))
    lab = lab_with(statement("sns:Publish"), key=[statement(*actions - {lacking})])
    assert not publish(lab)
    assert lab.cloud.messages == []
    assert problem(lab) == f"the policy of the topic's key does not let events.amazonaws.com {lacking}"


def test_a_condition_of_the_key_on_the_source_never_holds_for_the_event_bus() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    lab = lab_with(statement("sns:Publish"), key=[statement("kms:*", Condition=condition)])
    assert not publish(lab)
    assert "the policy of the topic's key does not let events.amazonaws.com kms:GenerateDataKey: a cond" in problem(lab)


def test_a_condition_of_the_key_may_ask_for_the_topic() -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": TOPIC}}
    assert publish(lab_with(statement("sns:Publish"), key=[statement("kms:*", Condition=condition)]))


def test_a_key_that_aws_manages_lets_no_service_use_it() -> None:
    lab = lab_with(statement("sns:Publish"))
    lab.cloud.topic_keys[TOPIC] = "alias/aws/sns"
    assert not publish(lab)
    assert problem(lab).startswith("the topic is encrypted with alias/aws/sns, which no service may use")


def test_a_key_that_is_not_there_is_named() -> None:
    lab = lab_with(statement("sns:Publish"))
    lab.cloud.topic_keys[TOPIC] = KEY
    assert not publish(lab)
    assert problem(lab) == f"there is no key {KEY}"


def test_a_policy_that_the_lab_cannot_read_is_a_problem_and_no_crash() -> None:
    lab = lab_with(statement("sns:Publish", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    assert not publish(lab)
    assert problem(lab) == "the lab does not know the condition operator IpAddress"


# As a role.


def test_a_role_needs_nothing_of_the_topic_and_of_the_key_only_that_it_leaves_it_to_iam() -> None:
    lab = lab_with(key=[LEAVES_IT_TO_IAM["Statement"]])
    assert publish_as_role(lab)
    assert lab.cloud.messages == [{"a": 1}]


def test_a_role_that_the_key_names_needs_no_more_of_the_key() -> None:
    named = {**statement("kms:*"), "Principal": {"AWS": PUBLISHER}}
    assert publish_as_role(lab_with(key=[named]))
    assert not publish_as_role(lab_with(key=[statement("kms:*")]))


def test_a_key_that_does_not_leave_it_to_iam_is_named() -> None:
    lab = lab_with(key=[statement("kms:*")])
    assert not publish_as_role(lab)
    assert problem(lab) == (
        f"the policy of the topic's key neither lets {PUBLISHER} kms:GenerateDataKey nor leaves it to IAM"
    )


@pytest.mark.parametrize("action", ["sns:Publish", "kms:GenerateDataKey", "kms:Decrypt"])
def test_a_role_has_to_allow_what_publishing_takes(action: str) -> None:
    lab = lab_with(statement("sns:Publish"), key=[LEAVES_IT_TO_IAM["Statement"], statement("kms:*")])
    lab.cloud.forbid(PUBLISHER, action)
    assert not publish_as_role(lab)
    assert problem(lab) == f"{PUBLISHER} does not allow {action} on {TOPIC if action == 'sns:Publish' else KEY}"


def test_a_topic_may_deny_a_role() -> None:
    lab = lab_with({**statement("sns:*"), "Effect": "Deny", "Principal": {"AWS": PUBLISHER}})
    assert not publish_as_role(lab)
    assert problem(lab) == f"the topic's policy denies {PUBLISHER} sns:Publish"


@pytest.mark.parametrize(
    ("key", "value"),
    [("kms:EncryptionContext:aws:sns:topicArn", TOPIC), ("kms:ViaService", "sns.us-east-1.amazonaws.com")],
)
def test_conditions_of_a_key_may_ask_for_the_topic_and_for_sns(key: str, value: str) -> None:
    def guarded(wanted: str) -> Lab:
        return lab_with(key=[{**LEAVES_IT_TO_IAM["Statement"], "Condition": {"StringEquals": {key: wanted}}}])

    assert publish_as_role(guarded(value))
    assert not publish_as_role(guarded("other"))


def test_a_key_that_aws_manages_lets_roles_of_the_account_use_it() -> None:
    lab = lab_with()
    lab.cloud.topic_keys[TOPIC] = "alias/aws/sns"
    lab.cloud.forbid(PUBLISHER, "kms:*")
    assert publish_as_role(lab)


def test_a_key_of_a_topic_that_is_not_there_is_named_to_a_role_too() -> None:
    lab = lab_with()
    lab.cloud.topic_keys[TOPIC] = KEY
    assert not publish_as_role(lab)
    assert problem(lab) == f"there is no key {KEY}"


def test_a_service_that_cannot_assume_the_role_does_not_publish_by_the_policy_of_the_topic() -> None:
    lab = lab_with(statement("sns:Publish"))
    lab.cloud.trust[PUBLISHER] = trusting("ssm.amazonaws.com")
    assert not publish_as_role(lab, **ALARM)
    assert problem(lab).startswith(
        f"{EVENTS} cannot assume {PUBLISHER}; the service sends aws:SourceArn arn:aws:cloudwatch:"
    )


# The event bus.


def rule(**fields: Any) -> RuleTarget:
    return RuleTarget("failures", "arn:rule", fields.pop("arn", TOPIC), **fields)


def test_an_event_is_told_to_the_targets_of_its_rules_as_they_want_it() -> None:
    lab = lab_with(statement("sns:Publish"))
    lab.cloud.rules = [
        ("One", rule(variables={"a": "$.detail.a"}, template='{"said": <a>}')),
        ("One", rule()),
        ("Other", rule()),
    ]
    lab.engine.event_bus.emit("One", ["arn:one"], {"a": "b"})
    first, second = lab.cloud.messages
    assert first == {"said": "b"}
    assert {key: second[key] for key in ("source", "detail-type", "account", "region", "time", "resources")} == {
        "source": "aws.ssm",
        "detail-type": "One",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-03-15T00:00:00Z",
        "resources": ["arn:one"],
    }
    assert lab.cloud.subjects == ["", ""]


def test_what_cannot_be_told_is_noted_with_the_rule() -> None:
    lab = lab_with(statement("sns:Publish"))
    lab.cloud.rules = [("One", rule(path="detail")), ("One", rule(arn="arn:aws:sqs:us-east-1:123456789012:queue"))]
    lab.engine.event_bus.emit("One", [], {})
    assert lab.cloud.messages == []
    assert "rule failures: arn:aws:sns:us-east-1:123456789012:topic not told: 'detail' is not a path" in lab.log
    assert "rule failures: arn:aws:sqs:us-east-1:123456789012:queue not told: the local AWS tells topics" in lab.log


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, True),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, False),
        ({"ArnEquals": {"aws:SourceArn": "arn:rule"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:other"}}, False),
    ],
)
def test_the_role_of_a_target_may_ask_for_the_account_and_for_the_rule(condition: dict[str, Any], told: bool) -> None:
    lab = lab_with()
    lab.cloud.trust[PUBLISHER] = trusting(EVENTS, Condition=condition)
    lab.cloud.rules = [("One", rule(role=PUBLISHER))]
    lab.engine.event_bus.emit("One", [], {})
    assert len(lab.cloud.messages) == told
    if not told:
        assert f"{EVENTS} cannot assume {PUBLISHER}; the service sends aws:SourceArn arn:rule" in problem(lab)


def test_a_target_without_a_role_needs_the_policy_of_the_topic() -> None:
    lab = lab_with()
    lab.cloud.rules = [("One", rule())]
    lab.engine.event_bus.emit("One", [], {})
    assert problem(lab) == f"the topic's policy does not let {EVENTS} sns:Publish"
