"""Topics, their policies and subscriptions, rules and permissions in a stack; and who is told by them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.aws.conftest import status
from tests.lab.aws.stacks import REGION, Properties, Resource, Stack, gone, policy, role, window
from tests.lab.aws.world import Connect

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

EVENTS = {"Service": "events.amazonaws.com"}
ENABLED = "Maintenance Window State-change Notification"


def topic(**changes: Any) -> Resource:
    return "AWS::SNS::Topic", {"TopicName": "told", **changes}


def topic_policy(*statements: Properties) -> Resource:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return "AWS::SNS::TopicPolicy", {"Topics": [{"Ref": "Topic"}], "PolicyDocument": document}


def publishing(principal: Properties = EVENTS, **more: Any) -> Properties:
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sns:Publish",
        "Resource": {"Ref": "Topic"},
        **more,
    }


def rule(**changes: Any) -> Resource:
    target = {
        "Id": "topic",
        "Arn": {"Ref": "Topic"},
        "InputTransformer": {
            "InputPathsMap": {"window": "$.detail.window-id", "status": "$.detail.status"},
            "InputTemplate": '"<window> is <status>"',
        },
    }
    properties = {
        "Name": "windows",
        "EventPattern": {"source": ["aws.ssm"], "detail-type": [ENABLED], "detail": {"status": ["DISABLED"]}},
        "Targets": [target],
    }
    return "AWS::Events::Rule", {**properties, **changes}


# Made, changed and deleted.


def test_a_topic_changes_in_place_and_keeps_what_it_has(stack: Stack, connect: Connect) -> None:
    sns = connect("sns", REGION)
    arn = stack.deploy(Topic=topic(DisplayName="Old", Tags=[{"Key": "Stage", "Value": "test"}]))["Topic"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="somebody@example.com")
    changed = stack.deploy(Topic=topic(DisplayName="New", KmsMasterKeyId="alias/aws/sns"))
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (changed["Topic"], attributes["DisplayName"], attributes["KmsMasterKeyId"]) == (arn, "New", "alias/aws/sns")
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    assert len(sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]) == 1
    assert stack.deploy(Topic=topic(TopicName="other"))["Topic"] == arn.replace(":told", ":other")
    assert gone(sns.get_topic_attributes, TopicArn=arn)


def test_there_cannot_be_two_topics_of_one_name(stack: Stack) -> None:
    assert stack.attempt(Topic=topic(), Other=topic()) == "ROLLBACK_COMPLETE"
    assert "Topic told already exists" in stack.reasons


def test_the_policy_of_a_topic_comes_changes_and_gives_way_to_the_default(stack: Stack, connect: Connect) -> None:
    sns = connect("sns", REGION)

    def stored() -> Properties:
        return dict(json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]))

    arn = stack.deploy(Topic=topic())["Topic"]
    default = stored()
    stack.deploy(Topic=topic(), Policy=("AWS::SNS::TopicPolicy", {"Topics": [arn], "PolicyDocument": policy("sns:*")}))
    assert stored() == policy("sns:*")
    stack.deploy(Topic=topic(), Policy=topic_policy(publishing()))
    assert stored()["Statement"][0]["Principal"] == EVENTS
    stack.deploy(Topic=topic())
    assert stored() == default


def test_a_subscription_comes_is_replaced_and_goes(stack: Stack, connect: Connect) -> None:
    sns = connect("sns", REGION)

    def subscription(to: str) -> Resource:
        return "AWS::SNS::Subscription", {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": to}

    made = stack.deploy(Topic=topic(), Subscription=subscription("a@example.com"))
    changed = stack.deploy(Topic=topic(), Subscription=subscription("b@example.com"))
    assert made["Subscription"] != changed["Subscription"]
    (only,) = sns.list_subscriptions_by_topic(TopicArn=made["Topic"])["Subscriptions"]
    assert (only["Endpoint"], only["SubscriptionArn"]) == ("b@example.com", changed["Subscription"])
    stack.deploy(Topic=topic())
    assert sns.list_subscriptions_by_topic(TopicArn=made["Topic"])["Subscriptions"] == []


FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:page-somebody"


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("email", "somebody@example.com"),
        ("sqs", f"arn:aws:sqs:{REGION}:123456789012:elsewhere"),
        ("lambda", FUNCTION),
        ("https", "https://example.com/hook"),
    ],
)
def test_subscribers_are_of_many_kinds_and_change_in_place(
    stack: Stack, connect: Connect, protocol: str, endpoint: str
) -> None:
    properties = {"TopicArn": {"Ref": "Topic"}, "Protocol": protocol, "Endpoint": endpoint}

    def subscription(**changes: Any) -> Resource:
        return "AWS::SNS::Subscription", {**properties, **changes}

    sns, wanted = connect("sns", REGION), {"status": ["Failed"]}
    filters = {"FilterPolicy": wanted, "FilterPolicyScope": "MessageBody"}
    made = stack.deploy(Topic=topic(), One=subscription(**filters))["One"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]
    assert (attributes["Protocol"], attributes["Endpoint"]) == (protocol, endpoint)
    assert json.loads(attributes["FilterPolicy"]) == wanted
    assert stack.deploy(Topic=topic(), One=subscription())["One"] == made
    assert not sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"].get("FilterPolicy")


def test_a_rule_comes_changes_in_place_is_replaced_and_goes(stack: Stack, connect: Connect) -> None:
    events = connect("events", REGION)
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}}}
    assert stack.deploy(outputs, Topic=topic(), Rule=rule())["Rule"] == "windows"
    arn = events.describe_rule(Name="windows")["Arn"]
    assert stack.outputs == {"Arn": arn}
    other = {"source": ["aws.ssm"]}
    stack.deploy(Topic=topic(), Rule=rule(EventPattern=other, State="DISABLED", Targets=[]))
    described = events.describe_rule(Name="windows")
    assert (json.loads(described["EventPattern"]), described["State"]) == (other, "DISABLED")
    assert events.list_targets_by_rule(Rule="windows")["Targets"] == []
    stack.deploy(Topic=topic(), Rule=rule(Name="renamed"))
    assert gone(events.describe_rule, Name="windows")
    (target,) = events.list_targets_by_rule(Rule="renamed")["Targets"]
    assert target["InputTransformer"]["InputTemplate"] == '"<window> is <status>"'
    stack.delete()
    assert gone(events.describe_rule, Name="renamed")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Targets": [{"Id": "queue", "Arn": "arn:aws:sqs:eu-west-1:123456789012:queue"}]}, "no target but topics"),
        ({"ScheduleExpression": "rate(1 day)"}, "does not emulate the parameter ScheduleExpression"),
        ({"EventPattern": {"source": "aws.ssm"}}, "Event pattern is not valid"),
    ],
)
def test_a_rule_that_would_have_no_effect_is_refused(stack: Stack, changes: Properties, reason: str) -> None:
    assert stack.attempt(Topic=topic(), Rule=rule(**changes)) == "ROLLBACK_COMPLETE"
    assert reason in stack.reasons


def permission(**changes: Any) -> Resource:
    properties = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": FUNCTION,
        "Principal": "sns.amazonaws.com",
        "SourceArn": {"Ref": "Topic"},
    }
    return "AWS::Lambda::Permission", {**properties, **changes}


def test_a_permission_on_a_function_of_others_comes_is_replaced_and_goes(stack: Stack) -> None:
    old = stack.deploy(Topic=topic(), Permission=permission())["Permission"]
    assert stack.deploy(Topic=topic(), Permission=permission(SourceAccount="123456789012"))["Permission"] != old
    assert "Permission" not in stack.deploy(Topic=topic())


# Who is told.


@pytest.fixture
def queue(connect: Connect) -> Any:
    """Make a queue and tell what came to it: by a function that takes it all out."""
    sqs = connect("sqs", REGION)
    url = sqs.create_queue(QueueName="subscribed")["QueueUrl"]
    statement = {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})

    def take() -> list[str]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for one in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"])["Message"] for one in messages]

    yield take
    sqs.delete_queue(QueueUrl=url)


QUEUE: Resource = (
    "AWS::SNS::Subscription",
    {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:123456789012:subscribed"},
)


DEFAULT_KEY: Resource = (
    "AWS::KMS::Key",
    {
        "KeyPolicy": {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
        }
    },
)


def switch(ssm: Any, made: dict[str, str]) -> None:
    """Disable the window of a stack and enable it again, which are two events."""
    for enabled in (False, True):
        ssm.update_maintenance_window(WindowId=made["Window"], Enabled=enabled)


def deliveries(server: LocalAws, **wanted: str) -> list[str]:
    """Return the problems of the deliveries from a source, or to somebody; an empty one is none."""
    with urllib.request.urlopen(f"{server.url}/lab/deliveries") as response:
        found = json.load(response)["deliveries"]
    return [one["problem"] for one in found if wanted.items() <= one.items()]


def test_a_rule_tells_its_topic_what_its_target_wants_to_know(
    stack: Stack, ssm: Any, queue: Callable[[], list[str]]
) -> None:
    made = stack.deploy(
        Topic=topic(), Policy=topic_policy(publishing()), Rule=rule(), Queue=QUEUE, Window=window(Name="switched")
    )
    switch(ssm, made)
    assert queue() == [f'"{made["Window"]} is DISABLED"']


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, "the topic's policy does not let events.amazonaws.com sns:Publish: a condition does not hold"),
        ({"Policy": topic_policy(publishing({"Service": "cloudwatch.amazonaws.com"}))}, "does not let events."),
        (
            {"Policy": topic_policy(publishing(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}}))},
            "a condition does not hold; the service sends no value",
        ),
        (
            {"Policy": topic_policy(publishing()), "Topic": topic(KmsMasterKeyId="alias/aws/sns")},
            "alias/aws/sns, which no service may use",
        ),
        (
            {"Policy": topic_policy(publishing()), "Topic": topic(KmsMasterKeyId={"Ref": "Key"})},
            "the policy of the topic's key does not let events.amazonaws.com kms:GenerateDataKey",
        ),
    ],
)
def test_a_topic_that_does_not_let_the_event_bus_publish_is_not_told_and_the_lab_says_why(
    stack: Stack,
    ssm: Any,
    queue: Callable[[], list[str]],
    local_aws: LocalAws,
    changes: dict[str, Resource],
    problem: str,
) -> None:
    resources: dict[str, Resource] = {"Topic": topic(), "Rule": rule(), "Queue": QUEUE, "Key": DEFAULT_KEY}
    made = stack.deploy(**{**resources, "Window": window(Name="switched"), **changes})
    switch(ssm, made)
    assert queue() == []
    assert problem in deliveries(local_aws, source="rule windows", region=REGION)[-1]
    told = status(local_aws)["regions"][REGION]["not_told"]
    assert any(problem in one["problem"] and one["to"] == made["Topic"] and one["times"] for one in told)


def test_a_key_that_lets_the_event_bus_use_it_does(stack: Stack, ssm: Any, queue: Callable[[], list[str]]) -> None:
    statement = {"Effect": "Allow", "Principal": EVENTS, "Resource": "*"}
    use = {**statement, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"]}
    key = ("AWS::KMS::Key", {"KeyPolicy": {"Version": "2012-10-17", "Statement": [use]}})
    made = stack.deploy(
        Key=key,
        Topic=topic(KmsMasterKeyId={"Fn::GetAtt": ["Key", "Arn"]}),
        Policy=topic_policy(publishing()),
        Rule=rule(),
        Queue=QUEUE,
        Window=window(Name="switched"),
    )
    switch(ssm, made)
    assert len(queue()) == 1


def publisher(*actions: str, **condition: Properties) -> Resource:
    """Return a role that EventBridge may assume, and that may do this with the topic and its key."""
    trust = {"Effect": "Allow", "Principal": EVENTS, "Action": "sts:AssumeRole", "Condition": condition}
    resources = [{"Ref": "Topic"}, {"Fn::GetAtt": ["Key", "Arn"]}]
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
    return role(
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
        Policies=[{"PolicyName": "publish", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}],
    )


PUBLISH = ("sns:Publish", "kms:GenerateDataKey", "kms:Decrypt")


@pytest.mark.parametrize(
    ("made_role", "problem"),
    [
        (publisher(*PUBLISH, StringEquals={"aws:SourceAccount": "123456789012"}), ""),
        (publisher(*PUBLISH, ArnLike={"aws:SourceArn": f"arn:aws:events:{REGION}:123456789012:rule/windows"}), ""),
        (publisher(*PUBLISH, ArnLike={"aws:SourceArn": "arn:aws:events:*:*:rule/other"}), "cannot assume"),
        (publisher(*PUBLISH, StringEquals={"aws:SourceAccount": "999999999999"}), "cannot assume"),
        (role(service="ssm.amazonaws.com"), "cannot assume"),
        (publisher("kms:GenerateDataKey", "kms:Decrypt"), "does not allow sns:Publish"),
        (publisher("sns:Publish", "kms:Decrypt"), "does not allow kms:GenerateDataKey"),
        (publisher("sns:Publish", "kms:GenerateDataKey"), "does not allow kms:Decrypt"),
    ],
)
def test_a_rule_whose_target_has_a_role_publishes_as_it(
    stack: Stack,
    ssm: Any,
    queue: Callable[[], list[str]],
    local_aws: LocalAws,
    made_role: Resource,
    problem: str,
) -> None:
    (target,) = rule()[1]["Targets"]
    made = stack.deploy(
        Key=DEFAULT_KEY,
        Topic=topic(KmsMasterKeyId={"Fn::GetAtt": ["Key", "Arn"]}),
        Role=made_role,
        Rule=rule(Targets=[{**target, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}]),
        Queue=QUEUE,
        Window=window(Name="switched"),
    )
    switch(ssm, made)
    assert len(queue()) == (not problem)
    if problem:
        told = status(local_aws)["regions"][REGION]["not_told"]
        assert any(problem in one["problem"] and "role/made" in one["problem"] for one in told)
    else:
        assert deliveries(local_aws, source="rule windows", region=REGION)[-1] == ""


def test_a_rule_that_is_disabled_tells_nobody(stack: Stack, ssm: Any, queue: Callable[[], list[str]]) -> None:
    resources: dict[str, Resource] = {"Topic": topic(), "Policy": topic_policy(publishing()), "Queue": QUEUE}
    made = stack.deploy(**resources, Rule=rule(State="DISABLED"), Window=window(Name="switched"))
    switch(ssm, made)
    assert queue() == []


def test_a_queue_has_to_let_the_topic_send(stack: Stack, connect: Connect, local_aws: LocalAws) -> None:
    sqs, sns = connect("sqs", REGION), connect("sns", REGION)
    url = sqs.create_queue(QueueName="closed")["QueueUrl"]
    endpoint = f"arn:aws:sqs:{REGION}:123456789012:closed"
    subscription = {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": endpoint}
    arn = stack.deploy(Topic=topic(), One=("AWS::SNS::Subscription", subscription))["Topic"]
    sns.publish(TopicArn=arn, Message="one")
    sqs.delete_queue(QueueUrl=url)
    sns.publish(TopicArn=arn, Message="two")
    assert deliveries(local_aws, to=endpoint) == [
        "the queue's policy does not let sns.amazonaws.com sqs:SendMessage for this topic",
        "there is no such queue",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True),
        ({"FunctionName": "page-somebody"}, True),
        ({"Principal": "events.amazonaws.com"}, False),
        ({"SourceArn": f"arn:aws:sns:{REGION}:123456789012:other"}, False),
        ({"SourceAccount": "999999999999"}, False),
        ({"FunctionName": "other"}, False),
        ({"Action": "lambda:GetFunction"}, False),
    ],
)
def test_a_function_has_to_let_the_topic_invoke_it(
    stack: Stack, connect: Connect, local_aws: LocalAws, changes: Properties, told: bool
) -> None:
    subscription = {"TopicArn": {"Ref": "Topic"}, "Protocol": "lambda", "Endpoint": FUNCTION}
    made = stack.deploy(Topic=topic(), One=("AWS::SNS::Subscription", subscription), Permission=permission(**changes))
    connect("sns", REGION).publish(TopicArn=made["Topic"], Message="one")
    refusal = "the function has no permission that lets sns.amazonaws.com lambda:InvokeFunction for this topic"
    assert deliveries(local_aws, to=FUNCTION)[-1] == ("" if told else refusal)


def test_nobody_outside_of_the_lab_is_told(
    stack: Stack, connect: Connect, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[Any] = []
    monkeypatch.setattr("requests.post", lambda *arguments, **_: called.append(arguments))
    endpoint = "https://hooks.example.com/one"
    subscription = {"TopicArn": {"Ref": "Topic"}, "Protocol": "https", "Endpoint": endpoint}
    made = stack.deploy(Topic=topic(), One=("AWS::SNS::Subscription", subscription))
    connect("sns", REGION).publish(TopicArn=made["Topic"], Message="one")
    assert (called, deliveries(local_aws, to=endpoint)) == ([], [""])
