from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from aws_cdk import Stack
from constructs.patching_dashboard import PatchingDashboard

from tests.cdk import Resources, build

pytestmark = pytest.mark.xdist_group("constructs")


def widgets(resources: Resources) -> dict[str, dict[str, Any]]:
    body = json.loads(resources["Dashboard"].properties["DashboardBody"])
    return {one["type"]: one for one in body["widgets"]}


def test_the_dashboard_shows_alarms_commands_and_where_to_look_further(watched: Resources) -> None:
    found = widgets(watched)
    assert watched["Dashboard"].properties["DashboardName"] == "demo-dashboard"
    assert list(found) == ["text", "alarm", "metric"]
    assert found["alarm"]["properties"]["alarms"] == ["<Alarms/Failed.Arn>", "<Alarms/Undelivered.Arn>"]
    assert found["metric"]["properties"]["metrics"] == [
        ["AWS/SSM-RunCommand", metric] for metric in ("CommandsFailed", "CommandsDeliveryTimedOut", "CommandsSucceeded")
    ]
    assert "- prod: Sundays" in found["text"]["properties"]["markdown"]
    assert "`patchops compliance --environment demo`" in found["text"]["properties"]["markdown"]


def test_widgets_do_not_lie_on_each_other(watched: Resources) -> None:
    rows = sorted((one["y"], one["y"] + one["height"]) for one in widgets(watched).values())
    assert all(end <= begin for (_, end), (begin, _) in pairwise(rows))
    assert all((one["x"], one["width"]) == (0, 24) for one in widgets(watched).values())


def test_without_alarms_there_is_no_widget_for_them() -> None:
    def make(stack: Stack) -> None:
        PatchingDashboard(stack, "Dashboard", name="demo", environment="demo", windows=[])

    assert list(widgets(build(make))) == ["text", "metric"]


def test_the_links_lead_to_the_stacks_own_region(watched: Resources) -> None:
    text = widgets(watched)["text"]["properties"]["markdown"]
    assert text.count("https://<AWS::Region>.console.aws.amazon.com/systems-manager/") == 4
    assert widgets(watched)["metric"]["properties"]["region"] == "<AWS::Region>"
