"""Rules about messages that never arrive: what publishes to a topic, and may not, or not with the topic's key.

The topics and keys are those of the assembly; others' policies are not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from patching.template_rules.assembly import Resource, texts
from patching.template_rules.commands import run_command, run_command_tasks
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.permissions import Statement, key_lets, lets_service, statements

TOPIC, KEY, ALIAS = "AWS::SNS::Topic", "AWS::KMS::Key", "AWS::KMS::Alias"
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
_ALARM_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_AWS_OWN_KEY = "alias/aws/sns"


def publisher_may_not_publish(whole: Whole) -> Iterator[Found]:
    """Find roles by which Run Command is to publish, and that may not use the topic, or not the key that encrypts it.

    The command runs all the same; nobody hears of it. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html and
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
    """
    for task in run_command_tasks(whole.assembly):
        sent = run_command(task) or {}
        told = sent.get("NotificationConfig")
        role = whole.permissions.role(sent.get("ServiceRoleArn"))
        topic = whole.assembly.find(told.get("NotificationArn"), TOPIC) if isinstance(told, Mapping) else None
        if role is not None and topic is not None:
            yield from _publishing_as(whole, role, topic, "Run Command publishes")


def event_not_delivered(whole: Whole) -> Iterator[Found]:
    """Find EventBridge rules whose events do not reach the topic that they are to go to.

    A rule with a role publishes as that role, which has to trust events.amazonaws.com; one without is let in by the
    topic's policy, and the policy of the topic's key. See
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html and
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
    """
    service = "events.amazonaws.com"
    for rule in whole.assembly.of("AWS::Events::Rule"):
        for target in (one for one in rule.listed("Targets") if isinstance(one, Mapping)):
            role = whole.permissions.role(target.get("RoleArn"))
            topic = whole.assembly.find(target.get("Arn"), TOPIC)
            if role is not None and not whole.permissions.trusts(role, service):
                message = (
                    "an EventBridge rule publishes as this role, which EventBridge may not assume; let its trust "
                    f"policy allow sts:AssumeRole to {service}"
                )
                yield Found(role, message, "AssumeRolePolicyDocument")
            if topic is None:
                continue
            if role is not None:
                yield from _publishing_as(whole, role, topic, "EventBridge publishes")
            elif "RoleArn" not in target:
                yield from _publishing_service(whole, topic, service, "EventBridge", by_default=False)


def alarm_not_delivered(whole: Whole) -> Iterator[Found]:
    """Find alarms of CloudWatch that do not reach the topic that they are to go to.

    A topic's own policy takes the place of the one that lets everything of the account publish, and the key of an
    encrypted topic has to let CloudWatch use it, which AWS's own key for SNS never does. See
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html.
    """
    service = "cloudwatch.amazonaws.com"
    for alarm in whole.assembly.of("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        for arn in texts(one for key in _ALARM_ACTIONS for one in alarm.listed(key)):
            topic = whole.assembly.find(arn, TOPIC)
            if topic is not None:
                yield from _publishing_service(whole, topic, service, "CloudWatch", by_default=True)


RULES: tuple[Rule, ...] = (publisher_may_not_publish, event_not_delivered, alarm_not_delivered)


def _policy(whole: Whole, topic: Resource) -> list[Statement] | None:
    """Return the statements of a topic's own policy; None if it has none in the assembly."""
    found = [
        statement
        for policy in whole.assembly.of("AWS::SNS::TopicPolicy")
        if topic.arn in policy.listed("Topics")
        for statement in statements(policy.properties.get("PolicyDocument"))
    ]
    return found or None


def _key(whole: Whole, topic: Resource) -> Resource | None:
    """Return the key of the assembly that encrypts a topic."""
    named = topic.properties.get("KmsMasterKeyId")
    alias = whole.assembly.find(named, ALIAS)
    return whole.assembly.find(alias.properties.get("TargetKeyId") if alias else named, KEY)


def _publishing_as(whole: Whole, role: Resource, topic: Resource, who: str) -> Iterator[Found]:
    """Find what keeps a role from publishing to a topic."""
    if not whole.permissions.may(role, "sns:Publish", topic.arn, _policy(whole, topic) or ()):
        message = f"{who} to {topic.logical_id} as this role, which may not; allow it sns:Publish on {topic.arn}"
        yield Found(role, message)
    key = _key(whole, topic)
    if key is None:
        return
    lacking = [action for action in _KEY_ACTIONS if not whole.permissions.may_use(role, action, key)]
    if lacking:
        message = (
            f"{who} to {topic.logical_id} as this role, which may not use the key {key.logical_id} that encrypts it; "
            f"allow it {' and '.join(lacking)} on {key.arn}"
        )
        yield Found(role, message)


def _publishing_service(whole: Whole, topic: Resource, service: str, who: str, *, by_default: bool) -> Iterator[Found]:
    """Find what keeps a service from publishing to a topic; `by_default`: a topic without a policy lets it."""
    policy = _policy(whole, topic)
    let_in = by_default if policy is None else lets_service(policy, service, "sns:Publish")
    if not let_in:
        message = (
            f"{who} is to publish to this topic, and the topic's policy does not let it; allow sns:Publish to the "
            f"service {service} in it"
        )
        yield Found(topic, message)
    if topic.properties.get("KmsMasterKeyId") == _AWS_OWN_KEY:
        message = (
            f"{who} is to publish to this topic, and may not use {_AWS_OWN_KEY} that encrypts it; encrypt it with a "
            f"key of your own whose policy allows {' and '.join(_KEY_ACTIONS)} to {service}"
        )
        yield Found(topic, message, "KmsMasterKeyId")
    key = _key(whole, topic)
    lacking = [action for action in _KEY_ACTIONS if key is not None and not key_lets(key, "Service", service, action)]
    if key is not None and lacking:
        message = (
            f"{who} is to publish to {topic.logical_id}, and may not use this key that encrypts it; allow "
            f"{' and '.join(lacking)} to the service {service} in the key's policy"
        )
        yield Found(key, message, "KeyPolicy")
