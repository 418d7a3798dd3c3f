from __future__ import annotations

import pytest

from tests.patching.policies import bare, problems, warnings, window
from tests.rows import each_row

SUNDAY, MONDAY = "cron(0 2 ? * SUN *)", "cron(0 2 ? * MON *)"


def windows(*lines: str, rest: tuple[str, ...] = ()) -> str:
    """A policy with windows a, b, ... from line 7 on."""
    return bare("install:", *(f"  {name}: {line}" for name, line in zip("abcdefghij", lines, strict=False)), *rest)


# Two runs on one node.


def test_windows_for_the_same_nodes_are_not_open_at_one_time() -> None:
    (found,) = problems(windows(window(SUNDAY), window("cron(0 3 ? * SUN *)")))
    assert found == (
        "p.yaml:8: install.b.schedule: windows a and b both patch nodes with Role=web, and both are open from "
        "2026-01-04 03:00 to 04:00 UTC; two runs on one node break each other: move one of them, or part their targets"
    )
    assert problems(windows(window(SUNDAY), window("cron(0 4 ? * SUN *)"))) == []
    assert problems(windows(window(SUNDAY), window(MONDAY))) == []


@pytest.mark.parametrize(
    ("targets", "shared"),
    [
        ("{Role: [db, web]}", "Role=web"),
        ("{Role: web, Ring: a}", "Role=web"),
        ("[{Role: db}, {Role: [web, cache]}]", "Role=web"),
    ],
)
def test_windows_share_nodes_by_any_of_their_groups_and_values(targets: str, shared: str) -> None:
    (found,) = problems(windows(window(SUNDAY), window(SUNDAY, targets=targets)))
    assert f"windows a and b both patch nodes with {shared}, and both are open" in found


@pytest.mark.parametrize(
    "targets",
    ["{Role: db}", "{Role: db, Ring: a}", "[{Role: db}, {Role: cache}]", "{Team: shop}"],
)
def test_windows_whose_tags_cannot_be_those_of_one_node_may_be_open_together(targets: str) -> None:
    text = windows(window(SUNDAY), window(SUNDAY, targets=targets))
    assert (problems(text), warnings(text)) == ([], [])


def test_a_node_of_the_fleet_is_seen_by_tags_that_windows_do_not_share() -> None:
    def text(team: str) -> str:
        fleet = (
            "fleet: {nodes: [{name: one, operating_system: AMAZON_LINUX_2023, tags: {Role: web, PatchGroup: web, "
            f"Team: {team}}}}}]}}"
        )
        return windows(window(SUNDAY), window(SUNDAY, targets="{Team: shop}"), rest=(fleet,))

    (found,) = problems(text("shop"))
    assert found.startswith("p.yaml:8: install.b.schedule: windows a and b both patch node one, and both are open from")
    assert problems(text("other")) == []
    assert problems(text("shop").replace(SUNDAY, MONDAY, 1)) == []


def test_the_tags_of_every_resource_are_those_of_the_fleets_nodes_too() -> None:
    fleet = "fleet: {nodes: [{name: one, operating_system: AMAZON_LINUX_2023, tags: {Role: web, PatchGroup: web}}]}"
    text = windows(window(SUNDAY), window(SUNDAY, targets="{Team: shop}"), rest=(fleet, "tags: {Team: shop}"))
    (found,) = problems(text)
    assert "windows a and b both patch node one" in found


def test_the_machines_of_an_activation_are_seen_too() -> None:
    hybrid = "hybrid: {tags: {Role: web, Team: shop, PatchGroup: web}}"
    (found,) = problems(windows(window(SUNDAY), window(SUNDAY, targets="{Team: shop}"), rest=(hybrid,)))
    assert "windows a and b both patch the machines of the hybrid activation" in found


def test_a_disabled_window_meets_nobody() -> None:
    text = windows(window(SUNDAY), window(SUNDAY, enabled="false"))
    assert (problems(text), warnings(text)) == ([], [])
    assert problems(windows(window(SUNDAY, enabled="false"), window(SUNDAY))) == []


def test_a_window_in_the_past_meets_nobody() -> None:
    assert problems(windows(window(SUNDAY), window("at(2025-12-28T02:00:00)"))) == []
    assert problems(windows(window(SUNDAY), window("at(2026-01-04T02:00:00)"))) != []


def test_windows_of_different_weeks_do_not_meet() -> None:
    def text(until: str) -> str:
        return windows(window(SUNDAY, end_date=until), window(SUNDAY, start_date="2026-02-01"))

    assert problems(text("2026-01-31")) == []
    (found,) = problems(text("2026-02-01"))
    assert "both are open from 2026-02-01 02:00 to 04:00 UTC" in found


def test_windows_are_compared_in_their_zones() -> None:
    # 02:00 in Seoul on a Sunday is 17:00 UTC on the Saturday before.
    assert problems(windows(window(SUNDAY, timezone="Asia/Seoul"), window(SUNDAY))) == []
    (found,) = problems(windows(window(SUNDAY, timezone="Asia/Seoul"), window("cron(0 18 ? * SAT *)")))
    assert "both are open from 2026-01-03 18:00 to 19:00 UTC" in found


def test_windows_that_meet_in_summer_only_are_found() -> None:
    # 02:00 in Berlin is 01:00 UTC in winter, and 00:00 UTC in summer.
    berlin = window(SUNDAY, timezone="Europe/Berlin", duration_hours=1)
    assert problems(windows(berlin, window("cron(0 2 ? * SUN *)", duration_hours=1))) == []
    (found,) = problems(windows(berlin, window("cron(0 0 ? * SUN *)", duration_hours=1)))
    assert "both are open from 2026-04-05 00:00 to 01:00 UTC" in found


def test_an_offset_moves_a_window() -> None:
    patch_tuesday = "cron(0 2 ? * TUE#2 *)"
    (found,) = problems(windows(window(SUNDAY), window(patch_tuesday, schedule_offset_days=5)))
    assert "both are open from 2026-01-18 02:00 to 04:00 UTC" in found
    assert problems(windows(window(SUNDAY), window(patch_tuesday, schedule_offset_days=4))) == []


def test_windows_open_beyond_midnight() -> None:
    (found,) = problems(windows(window("cron(0 22 ? * SAT *)", duration_hours=24), window(SUNDAY)))
    assert "both are open from 2026-01-04 02:00 to 04:00 UTC" in found


def test_of_a_rate_it_is_not_known_when_it_opens() -> None:
    text = windows(window(SUNDAY), window("rate(7 days)"))
    assert problems(text) == []
    (said,) = warnings(text)
    assert said == (
        "p.yaml:8: install.b.schedule: windows a and b both patch nodes with Role=web; whether they meet is not known, "
        "as a rate counts from the creation of its window; write a cron expression"
    )
    assert warnings(windows(window(SUNDAY), window("rate(7 days)", targets="{Role: db}"))) == []
    assert warnings(windows(window(SUNDAY), window("rate(7 days)", enabled="false"))) == []
    dated = window("rate(7 days)", start_date="2026-06-03")
    assert warnings(windows(window(SUNDAY, end_date="2026-05-31"), dated)) == []
    assert len(warnings(windows(window(SUNDAY, end_date="2026-06-30"), dated))) == 1


# How many AWS runs.


def test_aws_runs_five_windows_at_one_time() -> None:
    def text(number: int, *rest: str) -> str:
        return windows(*(window(SUNDAY, targets=f"{{Role: r{one}}}") for one in range(number)), rest=rest)

    assert problems(text(5)) == []
    (found,) = problems(text(6))
    assert found == (
        "p.yaml:12: install.f.schedule: 6 windows are open at one time (a, b, c, d, e, f on 2026-01-04 02:00 UTC), but "
        "AWS runs 5; move some, or, if AWS has raised that for you, say so in quotas.windows_open"
    )
    assert problems(text(6, "quotas: {windows_open: 6}")) == []
    assert problems(text(6).replace("f: {", "f: {enabled: false, ")) == []
    assert problems(text(6).replace("f: {", "f: {start_date: 2026-06-01, end_date: 2026-06-06, ")) == []


def test_a_window_that_comes_while_it_is_open_is_one_window() -> None:
    text = windows(window("cron(0 0/2 ? * SUN *)", duration_hours=12))
    assert problems(text) == []
    assert any("AWS skips that opening" in said for said in warnings(text))


# Services.


def services(*lines: str, groups: str = "[{Role: web}, {Role: db}]") -> str:
    return windows(*lines, rest=(f"services: {{shop: {{groups: {groups}}}}}",))


DB = "{Role: db}"


def test_of_a_service_one_group_is_up_at_any_time() -> None:
    (found,) = problems(services(window(SUNDAY), window("cron(0 3 ? * SUN *)", targets=DB)))
    assert found == (
        "p.yaml:9: services.shop: windows for all 2 groups of the service are open from 2026-01-04 03:00 to 04:00 UTC: "
        "none of them is sure to be up; move one of the windows"
    )
    assert problems(services(window(SUNDAY), window("cron(0 4 ? * SUN *)", targets=DB))) == []


def test_of_three_groups_two_may_be_down() -> None:
    three = "[{Role: web}, {Role: db}, {Role: cache}]"
    both = window(SUNDAY), window(SUNDAY, targets=DB)
    assert problems(services(*both, window(MONDAY, targets="{Role: cache}"), groups=three)) == []
    (found,) = problems(services(*both, window(SUNDAY, targets="{Role: cache}"), groups=three))
    assert "windows for all 3 groups of the service are open from 2026-01-04 02:00" in found


def test_one_window_for_all_groups_takes_them_all_down() -> None:
    (found,) = problems(services(window(SUNDAY, targets="[{Role: web}, {Role: db}]")))
    assert found.endswith(
        "none of them is sure to be up; window a patches all of them; give each group a window of its own"
    )
    (found,) = problems(services(window(SUNDAY, targets="{Role: [web, db]}")))
    assert found.endswith("give each group a window of its own")


def test_a_group_that_several_windows_patch_is_down_in_all_of_them() -> None:
    text = services(window(SUNDAY), window("cron(0 4 ? * SUN *)"), window("cron(0 5 ? * SUN *)", targets=DB))
    (found,) = problems(text)
    assert "are open from 2026-01-04 05:00 to 06:00 UTC" in found


@each_row(
    ("groups", "expected"),
    [
        ("[{Role: web}]", "services.shop.groups: list should have at least 2 items"),
        ("[{Role: web}, {}]", "services.shop.groups.1: dictionary should have at least 1 item"),
        ("[{Role: web}, {Role: web}]", "services.shop.groups.1: the same tags are in the list already; take one out"),
        (
            "[{Role: web}, {Environment: x}]",
            "services.shop.groups.1.Environment: the tag Environment is a part of every",
        ),
        ("[{Role: web}, {patchgroup: x}]", "services.shop.groups.1.patchgroup: Patch Manager does not read the tag"),
        ("[{Role: web}, {Role: cache}]", "services.shop.groups.1: no window patches this group; add one, or take the"),
    ],
)
def test_a_rule_of_a_service_is_named_at_its_key(groups: str, expected: str) -> None:
    (found,) = problems(services(window(SUNDAY), groups=groups))
    assert found.startswith(f"p.yaml:8: {expected}")


def test_a_disabled_window_patches_no_group() -> None:
    (found,) = problems(services(window(SUNDAY), window(MONDAY, targets=DB, enabled="false")))
    assert found == "p.yaml:9: services.shop.groups.1: no window patches this group; add one, or take the group out"


def test_whether_a_window_patches_a_group_of_other_tags_is_not_known() -> None:
    text = services(window(SUNDAY), window(MONDAY, targets="{Tier: data}"))
    assert problems(text) == []
    (said,) = warnings(text)
    assert said == (
        "p.yaml:9: services.shop.groups.1: whether a window patches this group is not known: none names its tags, and "
        "b may select its nodes by other ones; name the group by tags that its window has"
    )


def test_of_a_rate_it_is_not_known_whether_a_service_is_up() -> None:
    text = services(window(SUNDAY), window("rate(7 days)", targets=DB))
    assert problems(text) == []
    (said,) = warnings(text)
    assert said.startswith(
        "p.yaml:9: services.shop: window b patches a group of the service; whether all groups are down with it is not"
    )


# Machines outside of AWS.


def test_an_activations_machines_are_for_a_window() -> None:
    def text(tags: str, targets: str = "{Role: web}") -> str:
        return windows(window(SUNDAY, targets=targets), rest=(f"hybrid: {{tags: {tags}}}",))

    (found,) = problems(text("{PatchGroup: web}"))
    assert found == (
        "p.yaml:8: hybrid.tags: no window patches machines with these tags; give them the tags that a window selects"
    )
    assert problems(text("{PatchGroup: web, Role: web}")) == []
    assert problems(text("{PatchGroup: web, Role: web}", "[{Role: db}, {Role: [web, cache]}]")) == []
    assert problems(text("{PatchGroup: web, Role: web}", "{Role: web, Ring: a}")) != []
    assert problems(bare("hybrid: {tags: {PatchGroup: web}}")) == []


# Scans.


def test_a_scan_that_begins_while_a_window_is_open_is_told() -> None:
    def text(schedule: str) -> str:
        return windows(window(schedule))

    (said,) = warnings(text("cron(0 9 ? * SUN *)"))
    assert said == (
        "p.yaml:5: scan.schedule_utc: the scan begins on 2026-01-04 10:00 UTC, while window a is open; scan before or "
        "after it, so that the two do not meet on a node"
    )
    assert len(warnings(text("cron(0 10 ? * SUN *)"))) == 1
    assert warnings(text("cron(0 8 ? * SUN *)")) == []
    assert warnings(text("cron(30 10 ? * SUN *)")) == []
    assert warnings(text("cron(0 9 ? * SUN *)").replace("duration_hours", "enabled: false, duration_hours")) == []


def test_of_a_scan_at_a_rate_it_is_not_known() -> None:
    text = windows(window("cron(0 9 ? * SUN *)"))
    rate = "schedule_utc: rate(1 day)\n  run_at_deployment: true"
    assert warnings(text.replace("schedule_utc: cron(0 10 * * ? *)", rate)) == []


def test_a_disabled_window_patches_no_hybrid_machine() -> None:
    def text(second: str) -> str:
        hybrid = "hybrid: {tags: {Role: db, PatchGroup: web}}"
        return windows(window(SUNDAY, targets="{Role: web}"), second, rest=(hybrid,))

    monday = "cron(0 2 ? * MON *)"
    assert problems(text(window(monday, targets="{Role: db}"))) == []
    (found,) = problems(text(window(monday, targets="{Role: db}", enabled="false")))
    assert "hybrid.tags: no window patches machines with these tags" in found
