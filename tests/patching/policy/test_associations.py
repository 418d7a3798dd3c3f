from __future__ import annotations

from datetime import date

import pytest

from patching.baseline import ComplianceLevel
from patching.policy_file import parse_policy
from tests.patching.policies import TODAY, bare, changed, policy, problems, warnings
from tests.rows import each_row


@each_row(
    ("old", "new", "expected"),
    [
        (
            "cron(0 10 * * ? *)",
            "cron(0 10 1 * ? *)",
            "16: scan.schedule_utc: cron(0 10 1 * ? *) is not a schedule that an association takes",
        ),
        (
            "cron(0 10 * * ? *)",
            "cron(0 10 ? * MON-FRI *)",
            "16: scan.schedule_utc: cron(0 10 ? * MON-FRI *) is not a schedule that an association takes",
        ),
        ("cron(0 10 * * ? *)", "cron(24 0 10 * * ? *)", "16: scan.schedule_utc: cron(24 0 10 * * ? *): an association"),
        ("cron(0 10 * * ? *)", "daily", "16: scan.schedule_utc: schedule 'daily' is none of cron("),
        (
            "cron(0 10 * * ? *)",
            "rate(1 day)",
            "16: scan.schedule_utc: rate(1 day): AWS runs an association with a rate when it is made",
        ),
        (
            "cron(0 10 * * ? *)",
            "rate(29 minutes)\n  run_at_deployment: true",
            "16: scan.schedule_utc: rate(29 minutes): an association's rate is 30 minutes at least and below 31 days",
        ),
        (
            "cron(0 10 * * ? *)",
            "cron(0 10 ? * TUE#2 *)\n  schedule_offset_days: 3\n  run_at_deployment: true",
            "16: scan.schedule_utc: an offset of 3 days needs run_at_deployment: false; take one of them out",
        ),
        (
            "cron(0 10 * * ? *)",
            "at(2026-02-01T00:00:00)\n  schedule_offset_days: 3",
            "16: scan.schedule_utc: schedule offset 3 needs a cron expression, not at(2026-02-01T00:00:00)",
        ),
        ("scan:", "scan:\n  schedule_offset_days: 7", "16: scan.schedule_offset_days: found 7; input should be less"),
        (
            "scan:",
            "scan:\n  compliance_severity: INFORMATIONAL",
            "16: scan.compliance_severity: an association's severity is CRITICAL, HIGH, MEDIUM, LOW or UNSPECIFIED",
        ),
        ("scan:", "scan:\n  concurrency: 0%", "16: scan.concurrency: concurrency '0%' is neither a number from 1"),
        ("scan:", "scan:\n  max_errors: -1", "16: scan.max_errors: error threshold '-1' is neither a number from 0"),
        ("scan:", "scan:\n  calendars: [ab]", "16: scan.calendars.0: 'ab' is not the name or the ARN of a Change"),
        ("scan:", "scan:\n  calendars: [abc, abc]", "16: scan.calendars.1: 'abc' is in the list already; take one out"),
    ],
)
def test_a_rule_of_the_scan_is_named_at_its_line_and_key(old: str, new: str, expected: str) -> None:
    (found,) = problems(changed((old, new)))
    assert found.startswith(f"p.yaml:{expected}")


@each_row(
    ("old", "new"),
    [
        ("cron(0 10 * * ? *)", "rate(1 day)\n  run_at_deployment: true"),
        ("cron(0 10 * * ? *)", "rate(30 minutes)\n  run_at_deployment: true"),
        ("cron(0 10 * * ? *)", "cron(0 10 ? * TUE#2 *)\n  schedule_offset_days: 3"),
        ("cron(0 10 * * ? *)", "cron(0/30 * * * ? *)"),
        ("cron(0 10 * * ? *)", "at(2026-02-01T00:00:00)"),
        ("scan:", "scan:\n  concurrency: 1%\n  max_errors: 0"),
        ("scan:", "scan:\n  calendars: [abc, 'arn:aws:ssm:eu-west-1:123456789012:document/freeze']"),
    ],
)
def test_a_scan_nearby_is_fine(old: str, new: str) -> None:
    assert old in bare()
    assert problems(bare().replace(old, new)) == []


@pytest.mark.parametrize("severity", ["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNSPECIFIED"])
def test_an_association_has_a_severity(severity: str) -> None:
    scan = policy(("scan:", f"scan:\n  compliance_severity: {severity}")).scan
    assert scan.compliance_severity is ComplianceLevel(severity)


def test_inventory_and_agent_updates_have_schedules_of_their_own() -> None:
    read = parse_policy(bare("inventory: {}", "agent_updates: {}"), today=TODAY)
    assert read.inventory is not None
    assert read.agent_updates is not None
    assert (read.inventory.schedule_utc, read.inventory.run_at_deployment) == ("rate(1 day)", True)
    assert (read.agent_updates.schedule_utc, read.agent_updates.run_at_deployment) == ("cron(0 4 ? * SUN *)", False)
    (found,) = problems(bare("inventory: {run_at_deployment: false}"))
    assert found.startswith("p.yaml:6: inventory.schedule_utc: rate(1 day): AWS runs an association with a rate when")


@pytest.mark.parametrize("part", ["scan", "inventory", "agent_updates"])
def test_an_association_that_is_over_is_told(part: str) -> None:
    def text(day: str) -> str:
        once = f"{part}: {{schedule_utc: 'at({day}T10:00:00)', run_at_deployment: false}}"
        return bare().replace("scan:\n  schedule_utc: cron(0 10 * * ? *)", once) if part == "scan" else bare(once)

    (said,) = warnings(text("2025-12-31"))
    assert f"{part}.schedule_utc: at(2025-12-31T10:00:00) is over: it never runs; give it a later time" in said
    assert warnings(text("2026-01-01")) == []
    assert warnings(text("2026-01-01"), today=date(2026, 1, 2)) != []
