from __future__ import annotations

import pytest
from aws_cdk import Stack
from constructs.encryption_key import EncryptionKey
from constructs.notification_topic import NotificationTopic, Subscribers

from patching.errors import InvalidValueError
from tests.cdk import Resources, build
from tests.constructs.examples import SUBSCRIBERS

pytestmark = pytest.mark.xdist_group("constructs")

TRUST_IN_SYSTEMS_MANAGER = [
    {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}}
]


def test_the_topic_is_encrypted_with_the_key_and_no_fifo_topic(patching: Resources) -> None:
    assert patching["Notifications"].properties == {"TopicName": "demo-topic", "KmsMasterKeyId": "<Key.Arn>"}


def test_the_topic_refuses_anything_but_tls(patching: Resources) -> None:
    assert patching["Notifications/Policy"].properties["Topics"] == ["<Notifications>"]
    assert patching.statements("Notifications/Policy") == [
        {
            "Sid": "AllowPublishThroughSSLOnly",
            "Action": "sns:Publish",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Effect": "Deny",
            "Principal": "*",
            "Resource": "<Notifications>",
        }
    ]


def test_every_address_is_subscribed(patching: Resources, kept: Resources) -> None:
    subscriptions = patching.of("AWS::SNS::Subscription").values()
    assert [(one["Protocol"], one["TopicArn"], one["Endpoint"]) for one in subscriptions] == [
        ("email", "<Notifications>", "a@example.com"),
        ("email", "<Notifications>", "b@example.com"),
    ]
    assert kept.of("AWS::SNS::Subscription") == {}


def test_systems_manager_publishes_as_a_role_that_can_do_nothing_else(patching: Resources) -> None:
    role = patching["Notifications/PublishRole"].properties
    assert role["AssumeRolePolicyDocument"]["Statement"] == TRUST_IN_SYSTEMS_MANAGER
    assert role.keys() == {"AssumeRolePolicyDocument", "Description"}
    assert patching["Notifications/PublishPolicy"].properties["Roles"] == ["<Notifications/PublishRole>"]
    assert patching.statements("Notifications/PublishPolicy") == [
        {"Action": "sns:Publish", "Effect": "Allow", "Resource": "<Notifications>"},
        {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Effect": "Allow", "Resource": "<Key.Arn>"},
    ]


# Everyone who can be told.


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("email", SUBSCRIBERS.emails[0]),
        ("sqs", SUBSCRIBERS.queues[0]),
        ("lambda", SUBSCRIBERS.functions[0]),
        ("https", SUBSCRIBERS.urls[0]),
    ],
)
def test_every_kind_of_subscriber_is_subscribed_by_its_protocol(
    watched: Resources, protocol: str, endpoint: str
) -> None:
    assert {"Protocol": protocol, "Endpoint": endpoint, "TopicArn": "<Notifications>"} in list(
        watched.of("AWS::SNS::Subscription").values()
    )
    assert len(watched.of("AWS::SNS::Subscription")) == 4


def test_a_function_may_be_called_by_this_topic_only(watched: Resources) -> None:
    assert list(watched.of("AWS::Lambda::Permission").values()) == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": SUBSCRIBERS.functions[0],
            "Principal": "sns.amazonaws.com",
            "SourceArn": "<Notifications>",
        }
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"emails": ["ops"]}, "'ops' is not an e-mail address"),
        ({"queues": ["arn:aws:sqs:eu-west-1:123456789012:a.fifo"]}, "a standard one: the topic is no FIFO topic"),
        ({"functions": ["patching"]}, "'patching' is not the ARN of a Lambda function"),
        ({"urls": ["http://example.com"]}, "'http://example.com' is not an https:// address"),
        ({"emails": ["ops@example.com", "ops@example.com"]}, "'ops@example.com' is there twice"),
    ],
)
def test_who_cannot_be_told_is_refused_when_it_is_made(settings: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Subscribers(**settings)


def test_subscribers_of_almost_one_name_are_told_apart() -> None:
    alike = Subscribers(
        emails=["on/call@example.com", "on--call@example.com"],
        urls=["https://example.com/a/b", "https://example.com/a--b", "https://example.com/a-b"],
        functions=[f"arn:aws:lambda:eu-west-1:123456789012:function:{name}" for name in ("a--b", "a-b")],
    )

    def make(stack: Stack) -> None:
        key = EncryptionKey(stack, "Key", alias="demo", keep_on_destroy=False).key
        NotificationTopic(stack, "Topic", name="demo", key=key, subscribers=alike)

    made = [one["Endpoint"] for one in build(make).of("AWS::SNS::Subscription").values()]
    assert sorted(made) == sorted([*alike.emails, *alike.urls, *alike.functions])
