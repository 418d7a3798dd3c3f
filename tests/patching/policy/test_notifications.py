from __future__ import annotations

import pytest

from patching.command_events import CommandEvent
from patching.policy.notifications import Per
from patching.policy_file import parse_policy
from tests.patching.policies import TODAY, bare, problems
from tests.rows import each_row

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:patching"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:patching"


@each_row(
    ("settings", "expected"),
    [
        ("emails: [ops]", "emails.0: 'ops' is not an e-mail address"),
        ("emails: ['a@b c.io']", "emails.0: 'a@b c.io' is not an e-mail address"),
        ("emails: [a@b.io, a@b.io]", "emails.1: 'a@b.io' is in the list already; take one out"),
        ("emails: a@b.io", "emails: found 'a@b.io'; input should be a valid list"),
        ("queues: [patching]", "queues.0: 'patching' is not the ARN of an SQS queue"),
        (f"queues: ['{QUEUE}.fifo']", f"queues.0: '{QUEUE}.fifo' is not the ARN of an SQS queue (a standard one: the"),
        (f"queues: ['{QUEUE}', '{QUEUE}']", f"queues.1: '{QUEUE}' is in the list already; take one out"),
        (f"queues: ['{FUNCTION}']", f"queues.0: '{FUNCTION}' is not the ARN of an SQS queue"),
        ("functions: [patching]", "functions.0: 'patching' is not the ARN of a Lambda function"),
        ("urls: ['http://a.io/x']", "urls.0: 'http://a.io/x' is not an https:// address"),
        ("urls: ['https://a.io/x y']", "urls.0: 'https://a.io/x y' is not an https:// address"),
        ("commands: {events: []}", "commands.events: list should have at least 1 item"),
        ("commands: {events: [Done]}", "commands.events.0: found 'Done'; input should be 'All', 'InProgress'"),
        ("commands: {events: [All, Failed]}", "commands.events: All stands for every event; take it out, or take the"),
        ("commands: {events: [Failed, Failed]}", "commands.events.1: 'Failed' is in the list already; take one out"),
        ("commands: {per: nodes}", "commands.per: found 'nodes'; input should be 'command' or 'node'"),
        ("compliance_changes: 1", "compliance_changes: found 1; input should be a valid boolean"),
    ],
)
def test_a_rule_of_the_notifications_is_named_at_its_key(settings: str, expected: str) -> None:
    (found,) = problems(bare(f"notifications: {{{settings}}}"))
    assert found.startswith(f"p.yaml:6: notifications.{expected}")


@pytest.mark.parametrize(
    "settings",
    [
        "emails: [a@b.io, c@d.io]",
        f"queues: ['{QUEUE}', 'arn:aws-cn:sqs:cn-north-1:123456789012:{'q' * 80}']",
        f"functions: ['{FUNCTION}', '{FUNCTION}:live', '{FUNCTION}:$LATEST']",
        "urls: ['https://a.io', 'https://a.io:8443/x?y=z']",
        "commands: {events: [InProgress, Success, TimedOut, Cancelled, Failed]}",
    ],
)
def test_notifications_nearby_are_fine(settings: str) -> None:
    assert problems(bare(f"notifications: {{{settings}}}")) == []


def test_by_default_all_is_told_of_every_node_but_not_when_its_compliance_changes() -> None:
    told = parse_policy(bare(), today=TODAY).notifications
    assert (told.commands.events, told.commands.per) == ([CommandEvent.ALL], Per.NODE)
    assert (told.association_failures, told.window_executions, told.compliance_changes) == (True, True, False)


def test_subscriptions_fit_into_a_stack_with_baselines_and_documents() -> None:
    def text(number: int) -> str:
        return bare(f"notifications: {{emails: {[f'a{one}@b.io' for one in range(number)]}}}")

    (found,) = problems(text(140))
    assert found.startswith(
        "p.yaml:6: notifications: baselines, documents and subscriptions make 141 resources, but one stack has room for"
    )
    assert problems(text(139)) == []


# Output.


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("retention_days: 0", "retention_days: found 0; input should be greater than or equal to 1"),
        ("retention_days: 3651", "retention_days: found 3651; input should be less than or equal to 3650"),
        ("retention_days: long", "retention_days: found 'long'; input should be a valid integer"),
        ("keep_on_destroy: 1", "keep_on_destroy: found 1; input should be a valid boolean"),
    ],
)
def test_a_rule_of_the_output_is_named_at_its_key(settings: str, expected: str) -> None:
    (found,) = problems(bare(f"output: {{{settings}}}"))
    assert found.startswith(f"p.yaml:6: output.{expected}")


@pytest.mark.parametrize("settings", ["retention_days: 1", "retention_days: 3650", "keep_on_destroy: false"])
def test_output_nearby_is_fine(settings: str) -> None:
    assert problems(bare(f"output: {{{settings}}}", "monitoring: {alarms: false}")) == []
