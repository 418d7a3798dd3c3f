"""What IAM policies allow."""

from __future__ import annotations

from typing import Any

import pytest

from lab.world.access import allowed, denies, permits, trusts, without_conditions

OBJECT = "arn:aws:s3:::output/runs/1"


def policy(effect: str = "Allow", **statement: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Action": "s3:PutObject", "Resource": "*", **statement}]}


def writes(*documents: dict[str, Any], **context: str) -> bool:
    return allowed(documents, "s3:PutObject", OBJECT, context)


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return policy(Condition={operator: {key: list(values) if len(values) > 1 else values[0]}})


def test_nothing_is_allowed_by_nothing() -> None:
    assert not writes()


def test_what_a_statement_allows_is_allowed() -> None:
    assert writes(policy())


def test_a_policy_may_have_one_statement_without_a_list() -> None:
    assert writes({"Statement": {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [OBJECT]}})


@pytest.mark.parametrize("order", [1, -1])
def test_a_deny_wins_wherever_it_stands(order: int) -> None:
    assert not writes(*[policy(), policy("Deny")][::order])


def test_a_deny_that_does_not_match_denies_nothing() -> None:
    assert writes(policy(), policy("Deny", Action="s3:GetObject"))
    assert writes(policy(), policy("Deny", Resource="arn:aws:s3:::other/*"))


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Put*", "S3:putobject", "s3:P?tObject"])
def test_actions_match_with_wildcards_and_without_regard_to_case(action: str) -> None:
    assert writes(policy(Action=action))


@pytest.mark.parametrize("action", ["s3:Put", "s3:PutObjectAcl", "s3:PutObject?", "sns:*"])
def test_other_actions_do_not_match(action: str) -> None:
    assert not writes(policy(Action=action))


@pytest.mark.parametrize("resource", ["*", "arn:aws:s3:::output/*", "arn:aws:s3:::*/1", "arn:aws:s3:::output/runs/?"])
def test_resources_match_with_wildcards(resource: str) -> None:
    assert writes(policy(Resource=resource))


@pytest.mark.parametrize("resource", ["arn:aws:s3:::output", "arn:aws:s3:::OUTPUT/*", "arn:aws:s3:::output/run./1"])
def test_resources_match_in_full_with_case_and_without_regular_expressions(resource: str) -> None:
    assert not writes(policy(Resource=resource))


def test_not_action_is_about_all_other_actions() -> None:
    statement = {"Effect": "Allow", "Resource": "*"}
    assert writes({"Statement": [{**statement, "NotAction": "s3:Get*"}]})
    assert not writes({"Statement": [{**statement, "NotAction": ["iam:*", "s3:put*"]}]})


def test_not_resource_is_about_all_other_resources() -> None:
    statement = {"Effect": "Allow", "Action": "s3:*"}
    assert writes({"Statement": [{**statement, "NotResource": "arn:aws:s3:::other/*"}]})
    assert not writes({"Statement": [{**statement, "NotResource": ["arn:aws:s3:::output/*"]}]})


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("StringEquals", "a", True),
        ("StringEquals", "A", False),
        ("StringEquals", "?", False),
        ("StringNotEquals", "b", True),
        ("StringNotEquals", "a", False),
        ("StringLike", "?", True),
        ("StringLike", "b*", False),
        ("StringNotLike", "b*", True),
        ("StringNotLike", "*", False),
        ("ArnEquals", "a", True),
        ("ArnEquals", "b", False),
        ("ArnEquals", "*", True),
        ("ArnNotEquals", "*", False),
        ("ArnNotEquals", "b", True),
        ("ArnNotEquals", "a", False),
        ("ArnLike", "*", True),
        ("ArnLike", "b", False),
        ("ArnNotLike", "b", True),
        ("ArnNotLike", "*", False),
        ("StringEqualsIfExists", "a", True),
        ("StringEqualsIfExists", "b", False),
    ],
)
def test_a_condition_compares_as_its_operator_says(operator: str, value: str, holds: bool) -> None:
    assert writes(when(operator, "key", value), key="a") is holds


def test_one_of_several_values_is_enough_and_for_a_negation_none_may_match() -> None:
    assert writes(when("StringEquals", "key", "b", "a"), key="a")
    assert not writes(when("StringNotEquals", "key", "b", "a"), key="a")


def test_bool_and_numbers_are_read_from_text() -> None:
    assert writes(when("Bool", "aws:SecureTransport", "true"), **{"aws:SecureTransport": "True"})
    assert not writes(when("Bool", "aws:SecureTransport", "false"), **{"aws:SecureTransport": "true"})
    assert writes(when("NumericLessThan", "s3:TlsVersion", "1.2"), **{"s3:TlsVersion": "1.1"})
    assert not writes(when("NumericLessThan", "s3:TlsVersion", "1.2"), **{"s3:TlsVersion": "1.2"})


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("ArnLike", False),
        ("Bool", False),
        ("NumericLessThan", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("ArnNotEquals", True),
        ("ArnNotLike", True),
        ("StringEqualsIfExists", True),
        ("BoolIfExists", True),
    ],
)
def test_a_key_that_is_absent_holds_for_negations_and_if_exists_only(operator: str, holds: bool) -> None:
    assert writes(when(operator, "key", "1")) is holds


def test_null_asks_whether_a_key_is_absent() -> None:
    assert writes(when("Null", "key", "true"))
    assert not writes(when("Null", "key", "false"))
    assert writes(when("Null", "key", "false"), key="a")
    assert not writes(when("Null", "key", "true"), key="a")


def test_all_conditions_of_a_statement_have_to_hold() -> None:
    both = policy(Condition={"StringEquals": {"one": "1", "two": "2"}, "StringLike": {"three": "*"}})
    assert writes(both, one="1", two="2", three="3")
    for missing in ("one", "two", "three"):
        assert not writes(
            both, **{key: value for key, value in (("one", "1"), ("two", "2"), ("three", "3")) if key != missing}
        )


@pytest.mark.parametrize("context", [{"key": "a"}, {}], ids=["key present", "key absent"])
def test_an_operator_that_is_not_known_is_never_passed_over(context: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="does not know the condition operator DateGreaterThan"):
        writes(when("DateGreaterThan", "key", "a"), **context)


def trust(**changes: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ssm.amazonaws.com"}}
    return {"Statement": [{**statement, **changes}]}


def test_a_role_trusts_the_services_that_it_names() -> None:
    assert trusts(trust(), "ssm.amazonaws.com")
    assert trusts(trust(Principal={"Service": ["ec2.amazonaws.com", "ssm.amazonaws.com"]}), "ssm.amazonaws.com")
    assert not trusts(trust(Principal={"Service": "ec2.amazonaws.com"}), "ssm.amazonaws.com")
    assert not trusts(trust(Principal={"AWS": "arn:aws:iam::123456789012:root"}), "ssm.amazonaws.com")


def test_trust_needs_an_allow_of_assume_role() -> None:
    assert not trusts(trust(Effect="Deny"), "ssm.amazonaws.com")
    assert not trusts(trust(Action="sts:TagSession"), "ssm.amazonaws.com")


def test_trust_with_a_condition_that_nothing_is_known_to_meet_is_none() -> None:
    assert not trusts(trust(Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}), "ssm.amazonaws.com")
    assert trusts(trust(Condition={"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}), "ssm.amazonaws.com")


def test_trust_with_a_condition_depends_on_what_the_service_sends() -> None:
    conditional = trust(
        Condition={
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/told-*"},
        }
    )
    sent = {"aws:SourceAccount": "123456789012", "aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/told-one"}
    assert trusts(conditional, "ssm.amazonaws.com", sent)
    for key, value in (("aws:SourceAccount", "999999999999"), ("aws:SourceArn", "arn:aws:events:us-east-1:1:rule/b")):
        assert not trusts(conditional, "ssm.amazonaws.com", {**sent, key: value})


def test_a_deny_of_a_trust_policy_wins() -> None:
    both = {"Statement": [*trust()["Statement"], *trust(Effect="Deny", Principal="*")["Statement"]]}
    assert not trusts(both, "ssm.amazonaws.com")


# Resource policies.

EVENTS = "events.amazonaws.com"
TOPIC = "arn:aws:sns:us-east-1:123456789012:told"


def publishes(*statements: dict[str, Any], service: str = EVENTS, **context: str) -> bool:
    return permits({"Statement": list(statements)}, service, "sns:Publish", TOPIC, context)


def topic_statement(principal: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": "SNS:Publish", "Resource": TOPIC, **more}


@pytest.mark.parametrize(
    ("principal", "may"),
    [
        ({"Service": EVENTS}, True),
        ({"Service": ["cloudwatch.amazonaws.com", EVENTS]}, True),
        ({"Service": "cloudwatch.amazonaws.com"}, False),
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ["arn:aws:iam::123456789012:root", "*"]}, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, False),
        ({"AWS": EVENTS}, False),
    ],
)
def test_a_service_may_do_what_a_statement_about_it_allows(principal: Any, may: bool) -> None:
    assert publishes(topic_statement(principal)) is may


ROLE = "arn:aws:iam::123456789012:role/told"


@pytest.mark.parametrize(
    ("principal", "may"),
    [
        ({"AWS": ROLE}, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, True),
        ({"AWS": ["999999999999", "123456789012"]}, True),
        ({"AWS": "*"}, True),
        ("*", True),
        ({"AWS": "arn:aws:iam::999999999999:root"}, False),
        ({"AWS": f"{ROLE}-other"}, False),
        ({"Service": EVENTS}, False),
    ],
)
def test_a_statement_is_about_a_role_by_its_name_and_by_its_account(principal: Any, may: bool) -> None:
    assert publishes(topic_statement(principal), service=ROLE) is may
    assert denies({"Statement": topic_statement(principal, "Deny")}, ROLE, "sns:Publish", TOPIC) is may


def test_a_resource_denies_only_what_it_denies() -> None:
    assert not denies({"Statement": []}, ROLE, "sns:Publish", TOPIC)
    assert not denies({"Statement": topic_statement("*")}, ROLE, "sns:Publish", TOPIC)
    plain = topic_statement("*", "Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert not denies({"Statement": plain}, ROLE, "sns:Publish", TOPIC)
    assert denies({"Statement": plain}, ROLE, "sns:Publish", TOPIC, {"aws:SecureTransport": "false"})


def test_a_deny_about_a_service_wins_and_one_about_another_does_not() -> None:
    allow = topic_statement({"Service": EVENTS})
    assert not publishes(allow, topic_statement("*", "Deny"))
    assert publishes(allow, topic_statement({"Service": "cloudwatch.amazonaws.com"}, "Deny"))


def test_the_names_of_condition_keys_are_compared_without_regard_to_case() -> None:
    default = topic_statement({"AWS": "*"}, Condition={"StringEquals": {"AWS:SourceOwner": "123456789012"}})
    assert publishes(default, **{"aws:sourceOwner": "123456789012"})
    assert not publishes(default, **{"aws:sourceOwner": "999999999999"})
    assert not publishes(default)


def test_a_principal_that_is_not_known_is_never_passed_over() -> None:
    statement = topic_statement("*")
    statement["NotPrincipal"] = statement.pop("Principal")
    with pytest.raises(ValueError, match="NotPrincipal"):
        publishes(statement)


def test_a_policy_without_conditions_is_what_it_would_be_if_they_held() -> None:
    conditional = topic_statement("*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert not publishes(conditional)
    assert publishes(*without_conditions({"Statement": conditional})["Statement"])
    assert without_conditions({"Statement": [topic_statement("*", "Deny")]}) == {"Statement": []}
