from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from review.calendar import calendar
from review.calendar_drawing import LABELS, draw_calendar
from review.cloud_assembly import CloudAssembly
from review.facts import Facts
from tests.review.assemblies import DAY, corp

pytestmark = pytest.mark.xdist_group("review")


def window(schedule: str, zone: str = "UTC", hours: int = 2, targets: dict[str, str] | None = None, **task: str) -> Any:
    """Return the resources of a window with one task."""

    def resources(name: str) -> dict[str, Any]:
        tags = [{"Key": f"tag:{key}", "Values": [value]} for key, value in (targets or {"Role": name}).items()]
        return {
            name: {
                "Type": "AWS::SSM::MaintenanceWindow",
                "Properties": {
                    "Name": name,
                    "Schedule": schedule,
                    "ScheduleTimezone": zone,
                    "Duration": hours,
                    "Cutoff": 0,
                },
            },
            f"{name}Target": {
                "Type": "AWS::SSM::MaintenanceWindowTarget",
                "Properties": {"WindowId": {"Ref": name}, "Targets": tags},
            },
            f"{name}Task": {
                "Type": "AWS::SSM::MaintenanceWindowTask",
                "Properties": {
                    "WindowId": {"Ref": name},
                    "TaskType": "RUN_COMMAND",
                    "TaskArn": "AWS-RunPatchBaseline",
                    "Targets": [{"Key": "WindowTargetIds", "Values": [{"Ref": f"{name}Target"}]}],
                    "MaxConcurrency": task.get("concurrency", "1"),
                    "MaxErrors": "0",
                    "TaskInvocationParameters": {
                        "MaintenanceWindowRunCommandParameters": {"Parameters": {"Operation": ["Install"]}}
                    },
                },
            },
        }

    return resources


def scan(schedule: str) -> dict[str, Any]:
    return {
        "scan": {
            "Type": "AWS::SSM::Association",
            "Properties": {
                "AssociationName": "scan",
                "Name": "AWS-RunPatchBaseline",
                "Parameters": {"Operation": ["Scan"]},
                "ScheduleExpression": schedule,
                "Targets": [{"Key": "tag:Role", "Values": ["a"]}],
            },
        }
    }


def node(name: str, **tags: str) -> dict[str, Any]:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {name: {"Type": "AWS::EC2::Instance", "Properties": {"Tags": listed}}}


def facts(*parts: dict[str, Any]) -> Facts:
    return Facts(CloudAssembly("e", {"s": {"Resources": {key: one for part in parts for key, one in part.items()}}}))


def test_windows_keep_their_local_time_when_the_clocks_change() -> None:
    found = calendar(Facts(corp()), DAY)
    berlin = next(one for one in found.lanes if one.name == "web-a")
    assert [one.local for one in berlin.openings[:2]] == [
        "Tue 2026-10-20 02:00 UTC+02:00",
        "Tue 2026-10-27 02:00 UTC+01:00",
    ]
    assert [(one.at, one.text) for one in berlin.clock_changes] == [
        (datetime(2026, 10, 25, 1, tzinfo=UTC), "Europe/Berlin: clocks go back 1 hour")
    ]


def test_the_calendar_begins_on_the_given_day_and_no_other() -> None:
    made = facts(window("cron(0 2 * * ? *)")("a"))
    found = calendar(made, date(2026, 3, 1), days=3)
    (lane,) = found.lanes
    assert [one.begin.day for one in lane.openings] == [1, 2, 3]


def test_a_window_that_opened_the_day_before_and_is_still_open_is_there() -> None:
    (lane,) = calendar(facts(window("cron(0 23 * * ? *)", hours=4)("a")), date(2026, 3, 1), days=1).lanes
    assert [one.begin.day for one in lane.openings] == [28, 1]


def test_an_offset_is_counted_in() -> None:
    databases = next(one for one in calendar(Facts(corp()), DAY).lanes if one.name == "databases")
    assert [one.local for one in databases.openings] == ["Sun 2026-11-15 01:00 UTC+09:00"]


def test_overlaps_are_marked_and_whether_they_can_be_of_one_node() -> None:
    made = facts(
        window("cron(0 2 * * ? *)", targets={"Role": "a"})("a"),
        window("cron(0 3 * * ? *)", targets={"Role": "b"})("b"),
        window("cron(30 2 * * ? *)", targets={"Tier": "x"})("c"),
    )
    found = calendar(made, DAY, days=1)
    assert {one.lanes: one.same_nodes for one in found.meetings} == {
        ("a", "b"): False,
        ("a", "c"): True,
        ("b", "c"): True,
    }
    assert found.meetings[0].text == "a and b meet, 2026-10-20 03:00 to 04:00 UTC; no node is in both"
    assert found.lanes[0].openings[0].meets == ("b", "c")


def test_a_scan_in_an_open_window_is_marked_and_one_outside_is_not() -> None:
    inside = calendar(facts(window("cron(0 2 * * ? *)")("a"), scan("cron(0 3 * * ? *)")), DAY, days=1)
    assert [one.lanes for one in inside.meetings] == [("a", "scan")]
    outside = calendar(facts(window("cron(0 2 * * ? *)")("a"), scan("cron(0 4 * * ? *)")), DAY, days=1)
    assert outside.meetings == ()


def test_a_rate_is_not_drawn_but_said() -> None:
    (lane,) = calendar(facts(window("rate(7 days)")("a")), DAY).lanes
    assert lane.openings == ()
    assert lane.note == "a rate counts from the moment at which the window is made"


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        (None, "At most 20% of the nodes of a and 5 of b are patched or rebooting at one time, first on"),
        (
            100,
            (
                "At most 25 nodes are patched or rebooting at one time (20% of a and 5 of b, with 100 nodes in each "
                "window)"
            ),
        ),
        (3, "At most 4 nodes are patched or rebooting at one time (20% of a and 5 of b, with 3 nodes in each window)"),
    ],
)
def test_the_most_nodes_at_one_time_follow_from_rate_control(nodes: int | None, text: str) -> None:
    made = facts(
        window("cron(0 2 * * ? *)", concurrency="20%")("a"),
        window("cron(0 3 * * ? *)", concurrency="5")("b"),
        window("cron(0 12 * * ? *)", concurrency="10%")("c"),
    )
    busiest = calendar(made, DAY, nodes=nodes).busiest
    assert busiest is not None
    assert busiest.text.startswith(text)
    assert busiest.at == datetime(2026, 10, 20, 3, tzinfo=UTC)


def test_nodes_of_the_templates_are_counted_whatever_is_given() -> None:
    made = facts(
        window("cron(0 2 * * ? *)", concurrency="50%", targets={"Role": "a"})("a"),
        node("one", Role="a"),
        node("two", Role="a"),
        node("three", Role="b"),
    )
    found = calendar(made, DAY, nodes=1000)
    assert (found.lanes[0].nodes, found.lanes[0].at_most) == (2, 1)
    assert found.busiest is not None
    assert found.busiest.nodes == 1


def test_bars_are_where_their_times_are() -> None:
    found = calendar(facts(window("cron(0 12 * * ? *)", hours=12)("a")), DAY, days=2)
    drawing = draw_calendar(found)
    (row,) = drawing.rows
    assert [(bar.x, bar.width) for bar in row.bars] == [(LABELS + 15, 15.0), (LABELS + 45, 15.0)]
    assert [day.number for day in drawing.days] == ["20", "21"]
    assert [day.month for day in drawing.days] == ["October 2026", ""]
