"""The account's patch baselines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab.patches.baselines import Baselines, StoredBaseline
from lab.world.errors import ApiError
from lab.world.ids import Ids
from patching.baseline import Patch
from patching.operating_system import OperatingSystem
from patching.quotas import MAX_BASELINES, MAX_PATCH_GROUPS
from tests.lab.simulated import baseline, day

TODAY = day("2026-03-15")
LINUX = OperatingSystem.AMAZON_LINUX_2023


@pytest.fixture
def baselines() -> Baselines:
    return Baselines(Ids(), TODAY)


def make(baselines: Baselines, system: OperatingSystem = LINUX) -> StoredBaseline:
    return baselines.create(baseline(system), TODAY)


def refused(error: pytest.ExceptionInfo[ApiError]) -> str:
    return error.value.code


def test_aws_has_a_default_for_each_operating_system(baselines: Baselines) -> None:
    assert {one.baseline.operating_system for one in baselines.all()} == set(OperatingSystem)
    for system in OperatingSystem:
        default = baselines.default(system)
        assert default.by_aws
        assert default.baseline.name.startswith("AWS-")
        assert baselines.is_default(default.id)


def test_windows_has_two_more_of_aws_one_of_them_for_applications_too(baselines: Baselines) -> None:
    found = {one.baseline.name: one for one in baselines.all() if one.baseline.operating_system == "WINDOWS"}
    assert list(found) == [
        "AWS-DefaultPatchBaseline",
        "AWS-WindowsPredefinedPatchBaseline-OS",
        "AWS-WindowsPredefinedPatchBaseline-OS-Applications",
    ]
    assert [baselines.is_default(one.id) for one in found.values()] == [True, False, False]
    assert {one.by_aws for one in found.values()} == {True}
    update = Patch("KB1", "", "", TODAY, "Updates", "Unspecified", "Office 2019", family="Office")
    later = TODAY + timedelta(days=7)
    assert [one.baseline.decide(update, later).approved for one in found.values()] == [False, False, True]
    assert not found["AWS-WindowsPredefinedPatchBaseline-OS-Applications"].baseline.decide(update, TODAY).approved


def test_the_default_of_amazon_linux_takes_security_and_bug_fixes_after_a_week(baselines: Baselines) -> None:
    rules = baselines.default(LINUX).baseline.rules
    assert [{one.key: one.values for one in rule.filters} for rule in rules] == [
        {"CLASSIFICATION": ("Security",), "SEVERITY": ("Critical", "Important")},
        {"CLASSIFICATION": ("Bugfix",)},
    ]
    assert [rule.approve_after_days for rule in rules] == [7, 7]


@pytest.mark.parametrize(("system", "delay"), [("UBUNTU", 0), ("WINDOWS", 7), ("SUSE", 7), ("CENTOS", 7)])
def test_only_systems_that_date_patches_have_a_delay_by_default(baselines: Baselines, system: str, delay: int) -> None:
    assert {rule.approve_after_days for rule in baselines.default(OperatingSystem(system)).baseline.rules} == {delay}


def test_only_the_default_of_centos_takes_updates_without_a_notice(baselines: Baselines) -> None:
    taking = [
        one.baseline.operating_system
        for one in baselines.all()
        if any(rule.enable_non_security for rule in one.baseline.rules)
    ]
    assert taking == [OperatingSystem.CENTOS]


def test_a_baseline_is_found_by_its_id_and_by_its_arn(baselines: Baselines) -> None:
    stored = make(baselines)
    assert baselines.get(stored.id) is stored
    assert baselines.get(f"arn:aws:ssm:us-east-1:075727635805:patchbaseline/{stored.id}") is stored
    with pytest.raises(ApiError) as error:
        baselines.get("pb-0123456789abcdef0")
    assert refused(error) == "DoesNotExistException"


def test_there_are_only_so_many_baselines_of_ones_own(baselines: Baselines) -> None:
    for _ in range(MAX_BASELINES):
        make(baselines)
    with pytest.raises(ApiError) as error:
        make(baselines)
    assert refused(error) == "ResourceLimitExceededException"


def test_a_change_keeps_the_id_and_the_time_of_creation(baselines: Baselines) -> None:
    stored = make(baselines)
    baselines.update(stored.id, baseline(delay=9), day("2026-03-16"))
    assert stored.baseline.rules[0].approve_after_days == 9
    assert (stored.created, stored.modified) == (TODAY, day("2026-03-16"))


def test_the_operating_system_of_a_baseline_cannot_change(baselines: Baselines) -> None:
    with pytest.raises(ApiError, match="operating system") as error:
        baselines.update(make(baselines).id, baseline(OperatingSystem.UBUNTU), TODAY)
    assert refused(error) == "ValidationException"


def test_the_baselines_of_aws_can_be_neither_changed_nor_deleted(baselines: Baselines) -> None:
    own = baselines.default(LINUX).id
    for change in (lambda: baselines.update(own, baseline(), TODAY), lambda: baselines.delete(own)):
        with pytest.raises(ApiError, match="is AWS's and cannot be changed"):
            change()


def test_a_baseline_that_a_group_or_a_default_uses_cannot_be_deleted(baselines: Baselines) -> None:
    stored = make(baselines)
    baselines.register(stored.id, "prod")
    with pytest.raises(ApiError) as error:
        baselines.delete(stored.id)
    assert refused(error) == "ResourceInUseException"
    baselines.deregister(stored.id, "prod")
    own = baselines.default(LINUX)
    baselines.set_default(stored.id)
    with pytest.raises(ApiError, match="is the default of AMAZON_LINUX_2023; register another one"):
        baselines.delete(stored.id)
    baselines.set_default(own.id)
    baselines.delete(stored.id)
    assert stored not in baselines.all()


def test_deleting_what_is_not_there_is_no_error(baselines: Baselines) -> None:
    before = baselines.all()
    baselines.delete("pb-0123456789abcdef0")
    assert baselines.all() == before


def test_a_group_has_one_baseline_for_an_operating_system(baselines: Baselines) -> None:
    first, second = make(baselines), make(baselines)
    baselines.register(first.id, "prod")
    baselines.register(first.id, "prod")
    with pytest.raises(ApiError, match=f"prod has baseline {first.id} for AMAZON_LINUX_2023 already") as error:
        baselines.register(second.id, "prod")
    assert refused(error) == "AlreadyExistsException"
    assert baselines.effective(LINUX, "prod") is first


def test_a_group_may_have_baselines_for_several_operating_systems(baselines: Baselines) -> None:
    linux, ubuntu = make(baselines), make(baselines, OperatingSystem.UBUNTU)
    baselines.register(linux.id, "prod")
    baselines.register(ubuntu.id, "prod")
    assert baselines.groups() == [("prod", linux), ("prod", ubuntu)]
    assert baselines.effective(LINUX, "prod") is linux
    assert baselines.effective(OperatingSystem.UBUNTU, "prod") is ubuntu


def test_a_baseline_has_only_so_many_groups(baselines: Baselines) -> None:
    stored = make(baselines)
    groups = [f"group-{number}" for number in range(MAX_PATCH_GROUPS)]
    for group in groups:
        baselines.register(stored.id, group)
    baselines.register(stored.id, "group-0")
    with pytest.raises(ApiError) as error:
        baselines.register(stored.id, "one-more")
    assert refused(error) == "ResourceLimitExceededException"
    assert baselines.groups_of(stored.id) == groups


def test_a_group_that_is_taken_away_uses_the_default_again(baselines: Baselines) -> None:
    stored = make(baselines)
    baselines.register(stored.id, "prod")
    baselines.deregister(stored.id, "prod")
    assert baselines.effective(LINUX, "prod") is baselines.default(LINUX)


def test_a_group_is_taken_away_only_from_the_baseline_that_has_it(baselines: Baselines) -> None:
    first, second = make(baselines), make(baselines)
    baselines.register(first.id, "prod")
    baselines.deregister(second.id, "prod")
    assert baselines.effective(LINUX, "prod") is first


def test_a_default_of_ones_own_takes_the_place_of_that_of_aws(baselines: Baselines) -> None:
    own, first = baselines.default(LINUX), make(baselines)
    baselines.set_default(first.id)
    assert baselines.effective(LINUX, "") is baselines.default(LINUX) is first
    baselines.set_default(own.id)
    assert baselines.default(LINUX) is own


def test_ids_come_out_the_same_for_the_same_seed() -> None:
    assert [one.id for one in Baselines(Ids(1), TODAY).all()] == [one.id for one in Baselines(Ids(1), TODAY).all()]
    assert Ids(1).uuid() != Ids(2).uuid()


SERIOUS = {"CLASSIFICATION": ["Security"], "SEVERITY": ["Critical", "Important"]}


@pytest.mark.parametrize(
    ("system", "rules"),
    [
        ("AMAZON_LINUX_2", [SERIOUS, {"CLASSIFICATION": ["Bugfix"]}]),
        ("REDHAT_ENTERPRISE_LINUX", [SERIOUS, {"CLASSIFICATION": ["Bugfix"]}]),
        ("CENTOS", [{"CLASSIFICATION": ["*"], "SEVERITY": ["*"]}]),
        ("SUSE", [SERIOUS]),
        (
            "ORACLE_LINUX",
            [{**SERIOUS, "SEVERITY": ["Important", "Moderate"]}, {"CLASSIFICATION": ["Bugfix"]}],
        ),
        ("UBUNTU", [{"PRIORITY": ["Required", "Important", "Standard", "Optional", "Extra"]}]),
        ("MACOS", [{"CLASSIFICATION": ["Security"]}]),
        (
            "WINDOWS",
            [{"CLASSIFICATION": ["CriticalUpdates", "SecurityUpdates"], "MSRC_SEVERITY": ["Critical", "Important"]}],
        ),
    ],
)
def test_what_the_default_of_a_system_approves_is_what_aws_documents(
    baselines: Baselines, system: str, rules: list[dict[str, list[str]]]
) -> None:
    found = baselines.default(OperatingSystem(system)).baseline.to_api()["ApprovalRules"]["PatchRules"]
    filters = [{one["Key"]: one["Values"] for one in rule["PatchFilterGroup"]["PatchFilters"]} for rule in found]
    assert filters == rules


def test_a_baseline_has_the_groups_that_were_registered_with_it_and_no_others(baselines: Baselines) -> None:
    one, other = make(baselines), make(baselines, OperatingSystem.UBUNTU)
    baselines.register(one.id, "prod")
    baselines.register(other.id, "test")
    assert (baselines.groups_of(one.id), baselines.groups_of(other.id)) == (["prod"], ["test"])
