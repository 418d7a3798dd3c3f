from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patching.baseline import (
    ApprovalRule,
    ComplianceLevel,
    Decision,
    Patch,
    PatchBaseline,
    PatchFilter,
    RejectedPatchesAction,
    filters_from,
)
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from tests.rows import each_row

AL2023 = OperatingSystem.AMAZON_LINUX_2023
UBUNTU = OperatingSystem.UBUNTU
WINDOWS = OperatingSystem.WINDOWS

RELEASED = datetime(2025, 11, 9, 18, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 9, tzinfo=UTC)

OPENSSL = Patch(
    name="openssl",
    version="1:3.2.2-1.amzn2023.0.1",
    arch="x86_64",
    released=RELEASED,
    classification="Security",
    severity="Important",
    product="AmazonLinux2023",
    advisory="ALAS2023-2025-1234",
    cves=("CVE-2025-0001", "CVE-2025-0002"),
)
CURL_DEB = Patch(
    name="curl",
    version="8.5.0-2ubuntu10.6",
    arch="amd64",
    released=RELEASED,
    severity="Optional",
    product="Ubuntu24.04",
    section="web",
    security=True,
)
KB = Patch(
    name="KB5068787",
    version="",
    arch="",
    released=RELEASED,
    classification="SecurityUpdates",
    severity="Critical",
    product="WindowsServer2022",
    family="Windows",
)


def rule(system: OperatingSystem = AL2023, /, **options: Any) -> ApprovalRule:
    filters = filters_from(options.pop("filters", {}), system)
    return ApprovalRule(filters, **options)


def baseline(*rules: ApprovalRule, system: OperatingSystem = AL2023, **options: Any) -> PatchBaseline:
    return PatchBaseline("test", system, rules, **options)


def approved(judge: PatchBaseline, patch: Patch, now: datetime = LATER) -> bool:
    return judge.decide(patch, now).approved


# Dates.


def test_a_delay_counts_from_the_second_of_the_release() -> None:
    after_a_week = baseline(rule(approve_after_days=7))
    assert not approved(after_a_week, OPENSSL, datetime(2025, 11, 16, 17, 59, 59, tzinfo=UTC))
    assert approved(after_a_week, OPENSSL, datetime(2025, 11, 16, 18, 0, tzinfo=UTC))


@pytest.mark.parametrize("delay", [None, 0])
def test_without_a_delay_a_patch_is_approved_when_it_is_released(delay: int | None) -> None:
    at_once = baseline(rule(approve_after_days=delay))
    assert approved(at_once, OPENSSL, RELEASED)
    assert not approved(at_once, OPENSSL, RELEASED - timedelta(seconds=1))


def test_an_approval_date_includes_the_whole_day_in_utc() -> None:
    until = baseline(rule(approve_until_date=date(2025, 11, 16)))
    assert approved(until, replace(OPENSSL, released=datetime(2025, 11, 16, 23, 59, 59, tzinfo=UTC)))
    assert not approved(until, replace(OPENSSL, released=datetime(2025, 11, 17, tzinfo=UTC)))


def test_an_approval_date_is_read_in_utc_wherever_the_release_was_written() -> None:
    until = baseline(rule(approve_until_date=date(2025, 11, 16)))
    assert approved(until, replace(OPENSSL, released=datetime.fromisoformat("2025-11-17T01:30:00+02:00")))
    assert not approved(until, replace(OPENSSL, released=datetime.fromisoformat("2025-11-16T22:30:00-02:00")))


def test_an_approval_date_in_the_future_approves_nothing_before_its_release() -> None:
    assert not approved(baseline(rule(approve_until_date=date(2030, 1, 1))), OPENSSL, RELEASED - timedelta(days=1))


@pytest.mark.parametrize("options", [{"approve_after_days": 30}, {"approve_until_date": date(2020, 1, 1)}])
def test_ubuntu_knows_neither_delays_nor_dates(options: dict[str, Any]) -> None:
    assert approved(baseline(rule(UBUNTU, **options), system=UBUNTU), CURL_DEB, RELEASED)
    assert not approved(baseline(rule(**options)), OPENSSL, RELEASED)


# What a rule selects.


def test_every_filter_has_to_let_a_patch_through_by_one_of_its_values() -> None:
    judge = baseline(rule(filters={"CLASSIFICATION": ["Security", "Bugfix"], "SEVERITY": ["Critical", "Important"]}))
    assert approved(judge, OPENSSL)
    assert not approved(judge, replace(OPENSSL, severity="Low"))
    assert not approved(judge, replace(OPENSSL, classification="Enhancement"))


def test_values_are_compared_without_regard_to_case() -> None:
    assert approved(baseline(rule(filters={"CLASSIFICATION": ["security"], "SEVERITY": ["IMPORTANT"]})), OPENSSL)


def test_a_star_lets_everything_through_even_what_has_no_value() -> None:
    nameless = replace(OPENSSL, severity="")
    assert approved(baseline(rule(filters={"SEVERITY": ["*"]})), nameless)
    assert not approved(baseline(rule(filters={"SEVERITY": ["Low"]})), nameless)


@pytest.mark.parametrize(
    ("system", "patch", "filters"),
    [
        (AL2023, OPENSSL, {"PRODUCT": ["AmazonLinux2023"]}),
        (UBUNTU, CURL_DEB, {"PRODUCT": ["Ubuntu24.04"], "PRIORITY": ["Optional"], "SECTION": ["web"]}),
        (
            WINDOWS,
            KB,
            {
                "PATCH_SET": ["OS"],
                "PRODUCT_FAMILY": ["Windows"],
                "MSRC_SEVERITY": ["Critical"],
                "PRODUCT": ["WindowsServer2022"],
            },
        ),
    ],
)
def test_each_filter_key_reads_its_own_field(
    system: OperatingSystem, patch: Patch, filters: dict[str, list[str]]
) -> None:
    assert approved(baseline(rule(system, filters=filters), system=system), patch)
    for key in filters:
        other = filters | {key: ["other"]}
        assert not approved(baseline(rule(system, filters=other), system=system), patch)


def test_what_is_no_part_of_windows_is_an_application() -> None:
    office = replace(KB, family="Office", product="Office 2016")
    applications = baseline(rule(WINDOWS, filters={"PATCH_SET": ["APPLICATION"]}), system=WINDOWS)
    assert approved(applications, office)
    assert not approved(applications, KB)


def test_a_bug_fix_with_a_notice_needs_no_non_security_option() -> None:
    assert approved(baseline(rule(filters={"CLASSIFICATION": ["Bugfix"]})), replace(OPENSSL, classification="Bugfix"))


def test_a_package_that_no_notice_names_needs_the_non_security_option_and_a_star() -> None:
    without_notice = replace(OPENSSL, classification="", severity="", advisory="", cves=())
    assert not approved(baseline(rule()), without_notice)
    assert approved(baseline(rule(enable_non_security=True)), without_notice)
    assert approved(baseline(rule(enable_non_security=True, filters={"CLASSIFICATION": ["*"]})), without_notice)
    assert not approved(
        baseline(rule(enable_non_security=True, filters={"CLASSIFICATION": ["Security"]})), without_notice
    )


@pytest.mark.parametrize(("version", "epoch"), [("1:3.0-2", "1"), ("3.0-2", "0")])
def test_a_package_is_named_in_every_form_that_a_list_may_have(version: str, epoch: str) -> None:
    patch = Patch("a", version, "x", RELEASED)
    assert patch.identifiers() == (
        "a",
        "a.x",
        f"a.x:{version}",
        "3.0",
        "3.0-2",
        f"{epoch}:3.0-2",
        f"a.x:{epoch}:3.0-2",
        "a-3.0",
        "a-3.0-2",
        "a-3.0-2.x",
        f"a-{epoch}:3.0-2",
        f"a-{epoch}:3.0-2.x",
        f"{epoch}:a-3.0-2.x",
    )
    assert replace(patch, version="7").identifiers()[3:5] == ("7", "7")


def test_an_update_of_windows_is_named_by_its_number_and_notices_only() -> None:
    assert replace(KB, advisory="MS17-023", cves=("CVE-1",)).identifiers() == (KB.name, "MS17-023", "CVE-1")


@pytest.mark.parametrize(
    ("classification", "severity", "advisory", "expected"),
    [
        ("Security", "Important", "", True),
        ("", "", "ALAS-1", True),
        ("Security", "", "", False),
        ("", "Important", "", False),
        ("", "", "", False),
    ],
)
def test_a_notice_is_one_with_a_name_or_with_all_that_it_has_to_say(
    classification: str, severity: str, advisory: str, expected: bool
) -> None:
    patch = replace(OPENSSL, classification=classification, severity=severity, advisory=advisory)
    assert patch.has_notice is expected
    assert approved(baseline(rule()), patch) is expected


def test_ubuntu_takes_the_security_archive_only_unless_told_otherwise() -> None:
    update = replace(CURL_DEB, security=False)
    assert not approved(baseline(rule(UBUNTU), system=UBUNTU), update)
    assert approved(baseline(rule(UBUNTU, enable_non_security=True), system=UBUNTU), update)


# What a baseline decides.


def test_a_patch_that_no_rule_selects_is_not_approved() -> None:
    assert baseline(rule(filters={"CLASSIFICATION": ["Bugfix"]})).decide(OPENSSL, LATER) == Decision(approved=False)


def test_the_most_serious_level_of_the_rules_that_approve_counts() -> None:
    judge = baseline(
        rule(compliance_level=ComplianceLevel.LOW),
        rule(compliance_level=ComplianceLevel.HIGH, approve_after_days=30),
        rule(compliance_level=ComplianceLevel.CRITICAL, filters={"CLASSIFICATION": ["Bugfix"]}),
        rule(compliance_level=ComplianceLevel.INFORMATIONAL),
    )
    assert judge.decide(OPENSSL, RELEASED) == Decision(approved=True, level=ComplianceLevel.LOW)
    assert judge.decide(OPENSSL, LATER) == Decision(approved=True, level=ComplianceLevel.HIGH)


def test_levels_are_ranked_from_critical_to_unspecified() -> None:
    ranked = sorted(ComplianceLevel, key=lambda level: level.rank, reverse=True)
    assert ranked == ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED"]


def test_global_filters_hold_back_what_rules_approve_but_not_what_is_approved_by_name() -> None:
    filters = filters_from({"CLASSIFICATION": ["Bugfix"]}, AL2023)
    assert not approved(baseline(rule(), global_filters=filters), OPENSSL)
    assert approved(baseline(rule(), global_filters=filters, approved=("openssl",)), OPENSSL)


def test_a_patch_approved_by_name_waits_for_no_date() -> None:
    judge = baseline(rule(approve_after_days=360), approved=("openssl",), approved_level=ComplianceLevel.HIGH)
    assert judge.decide(OPENSSL, RELEASED) == Decision(approved=True, level=ComplianceLevel.HIGH)


def test_approval_by_name_needs_an_option_for_what_no_notice_names() -> None:
    without_notice = replace(OPENSSL, classification="", severity="", advisory="", cves=())
    assert not approved(baseline(approved=("openssl",)), without_notice)
    assert approved(baseline(approved=("openssl",), approved_non_security=True), without_notice)


def test_the_option_for_patches_approved_by_name_is_for_apt_too() -> None:
    feature = replace(CURL_DEB, security=False)
    assert not approved(baseline(approved=("curl",), system=UBUNTU), feature)
    assert approved(baseline(approved=("curl",), approved_non_security=True, system=UBUNTU), feature)
    assert approved(baseline(approved=("curl",), system=UBUNTU), CURL_DEB)


def test_a_rejected_patch_beats_an_approved_one() -> None:
    judge = baseline(rule(), approved=("openssl",), rejected=("openssl",))
    assert judge.decide(OPENSSL, LATER) == Decision(approved=False, rejected=True)


@each_row(
    "name",
    [
        "openssl",
        "OpenSSL",
        "openssl.x86_64",
        "openssl-3.2.2",
        "openssl-3.2.2-1.amzn2023.0.1",
        "openssl-3.2.2-1.amzn2023.0.1.x86_64",
        "openssl-1:3.2.2-1.amzn2023.0.1",
        "openssl-1:3.2.2-1.amzn2023.0.1.x86_64",
        "1:openssl-3.2.2-1.amzn2023.0.1.x86_64",
        "openssl.x86_64:1:3.2.2-1.amzn2023.0.1",
        "ALAS2023-2025-1234",
        "CVE-2025-0001",
        "CVE-2025-0002",
        "openssl*",
        "openssl-3.2.*",
        "*",
    ],
)
def test_a_list_may_name_an_rpm_in_each_documented_form(name: str) -> None:
    assert approved(baseline(approved=(name,)), OPENSSL)
    assert baseline(rejected=(name,)).decide(OPENSSL, LATER).rejected


@pytest.mark.parametrize("name", ["3.2.2", "3.2.2-1.amzn2023.0.1", "1:3.2.2-1.amzn2023.0.1"])
def test_a_list_may_name_an_rpm_by_its_version_alone(name: str) -> None:
    assert approved(baseline(approved=(name,)), OPENSSL)


@each_row("name", ["openss", "openssl-libs", "openssl-3.2", "openssl.aarch64", "CVE-2025-000", "ssl*", ""])
def test_a_list_does_not_mean_what_only_looks_alike(name: str) -> None:
    assert not approved(baseline(approved=(name,)), OPENSSL)


def test_an_epoch_that_is_not_written_is_zero() -> None:
    bash = replace(OPENSSL, name="bash", version="5.2.15-1.amzn2023")
    assert approved(baseline(approved=("bash-0:5.2.15-1.amzn2023.x86_64",)), bash)
    assert not approved(baseline(approved=("bash-1:5.2.15-1.amzn2023.x86_64",)), bash)


@pytest.mark.parametrize(
    ("system", "patch", "name"),
    [
        (UBUNTU, CURL_DEB, "curl"),
        (UBUNTU, CURL_DEB, "curl-8.5.0-2ubuntu10.6"),
        (WINDOWS, KB, "KB5068787"),
        (WINDOWS, KB, "kb506*"),
    ],
)
def test_a_list_may_name_packages_of_apt_and_updates_of_windows(
    system: OperatingSystem, patch: Patch, name: str
) -> None:
    assert approved(baseline(system=system, approved=(name,)), patch)
    assert not approved(baseline(rule(system), system=system, rejected=(name,)), patch)


# What AWS takes.


@pytest.mark.parametrize("name", ["abc", "AWS_like.name-1", "x" * 128, "${Token[TOKEN.2]}"])
def test_a_name_is_3_to_128_plain_characters(name: str) -> None:
    assert PatchBaseline(name, AL2023).name == name


@pytest.mark.parametrize("name", ["", "ab", "x" * 129, "my baseline", "naïve"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="is not 3 to 128 letters"):
        PatchBaseline(name, AL2023)


def test_a_delay_and_a_date_exclude_each_other() -> None:
    with pytest.raises(InvalidValueError, match="not both; take one out"):
        rule(approve_after_days=0, approve_until_date=date(2026, 1, 31))


@pytest.mark.parametrize("days", [-1, 361])
def test_a_delay_is_360_days_at_most(days: int) -> None:
    assert [rule(approve_after_days=bound).approve_after_days for bound in (0, 360)] == [0, 360]
    with pytest.raises(InvalidValueError, match=f"approve_after_days {days} is not a number of days from 0 to 360"):
        rule(approve_after_days=days)


@pytest.mark.parametrize(
    ("system", "key"), [(AL2023, "PRIORITY"), (UBUNTU, "SEVERITY"), (WINDOWS, "SEVERITY"), (AL2023, "product")]
)
def test_a_filter_of_another_system_is_answered_with_the_right_ones(system: OperatingSystem, key: str) -> None:
    expected = f"filter {key} is not one that {system} has; expected one of {', '.join(system.filter_keys)}"
    with pytest.raises(InvalidValueError, match=f"^{expected}$"):
        filters_from({key: ["x"]}, system)


def test_a_filter_group_has_four_filters_of_one_to_twenty_values() -> None:
    keys = ("PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY")
    assert len(filters_from({key: ["x"] * 20 for key in keys[:4]}, WINDOWS)) == 4
    with pytest.raises(InvalidValueError, match="5 filters, but AWS takes 4"):
        filters_from({key: ["x"] for key in keys}, WINDOWS)
    with pytest.raises(InvalidValueError, match="filter PRODUCT has 21 values"):
        filters_from({"PRODUCT": ["x"] * 21}, AL2023)
    with pytest.raises(InvalidValueError, match="filter PRODUCT has 0 values"):
        filters_from({"PRODUCT": []}, AL2023)


@pytest.mark.parametrize(
    ("most", "options", "message"),
    [
        (10, lambda count: {"rules": (rule(),) * count}, "11 approval rules, but AWS takes 10"),
        (50, lambda count: {"approved": ("x",) * count}, "51 approved patches, but AWS takes 50"),
        (50, lambda count: {"rejected": ("x",) * count}, "51 rejected patches, but AWS takes 50"),
    ],
)
def test_a_baseline_has_no_more_rules_and_patches_than_aws_takes(most: int, options: Any, message: str) -> None:
    assert PatchBaseline("test", AL2023, **options(most)).name == "test"
    with pytest.raises(InvalidValueError, match=message):
        PatchBaseline("test", AL2023, **options(most + 1))


@pytest.mark.parametrize("system", [WINDOWS, OperatingSystem.MACOS])
def test_non_security_updates_are_a_matter_of_linux(system: OperatingSystem) -> None:
    assert baseline(rule(enable_non_security=True), approved_non_security=True).approved_non_security
    with pytest.raises(InvalidValueError, match=f"a matter of Linux only, not of {system}"):
        baseline(rule(system, enable_non_security=True), system=system)
    with pytest.raises(InvalidValueError, match=f"a matter of Linux only, not of {system}"):
        baseline(system=system, approved_non_security=True)


# The API.


def test_a_baseline_is_written_as_create_patch_baseline_takes_it() -> None:
    judge = baseline(
        rule(filters={"CLASSIFICATION": ["Security"]}, approve_after_days=7, compliance_level=ComplianceLevel.CRITICAL),
        rule(approve_until_date=date(2026, 1, 31), enable_non_security=True),
        global_filters=filters_from({"PRODUCT": ["*"]}, AL2023),
        approved=("CVE-2025-0001",),
        approved_level=ComplianceLevel.HIGH,
        approved_non_security=True,
        rejected=("kernel*",),
        rejected_action=RejectedPatchesAction.BLOCK,
        description="A test",
    )
    assert judge.to_api() == {
        "Name": "test",
        "OperatingSystem": "AMAZON_LINUX_2023",
        "Description": "A test",
        "ApprovalRules": {
            "PatchRules": [
                {
                    "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
                    "ComplianceLevel": "CRITICAL",
                    "EnableNonSecurity": False,
                    "ApproveAfterDays": 7,
                },
                {
                    "PatchFilterGroup": {"PatchFilters": []},
                    "ComplianceLevel": "UNSPECIFIED",
                    "EnableNonSecurity": True,
                    "ApproveUntilDate": "2026-01-31",
                },
            ]
        },
        "GlobalFilters": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
        "ApprovedPatches": ["CVE-2025-0001"],
        "ApprovedPatchesComplianceLevel": "HIGH",
        "ApprovedPatchesEnableNonSecurity": True,
        "RejectedPatches": ["kernel*"],
        "RejectedPatchesAction": "BLOCK",
    }


def test_what_is_left_at_its_default_is_left_out() -> None:
    assert baseline(system=UBUNTU).to_api() == {"Name": "test", "OperatingSystem": "UBUNTU"}


def test_the_api_means_windows_when_it_names_no_system() -> None:
    assert PatchBaseline.from_api({"Name": "test"}) == baseline(system=WINDOWS)


VALUES = st.lists(st.sampled_from(["*", "Security", "Important", "OS"]), min_size=1, max_size=3)
FILTERS = {
    system: st.dictionaries(st.sampled_from(system.filter_keys), VALUES, max_size=3) for system in OperatingSystem
}
DELAYS = st.tuples(st.integers(0, 360), st.none()) | st.tuples(st.none(), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
LEVELS = st.sampled_from(ComplianceLevel)
APPROVED = st.lists(st.sampled_from(["openssl", "CVE-2025-0001", "KB1*"]), max_size=3)
REJECTED = st.lists(st.sampled_from(["kernel*", "bash.x86_64"]), max_size=2)


@st.composite
def rules(draw: st.DrawFn, system: OperatingSystem) -> ApprovalRule:
    days, until = draw(DELAYS)
    linux = system not in (WINDOWS, OperatingSystem.MACOS)
    filters = filters_from(draw(FILTERS[system]), system)
    return ApprovalRule(filters, days, until, draw(LEVELS), linux and draw(st.booleans()))


RULES = {system: st.lists(rules(system), max_size=3) for system in OperatingSystem}


@st.composite
def baselines(draw: st.DrawFn) -> PatchBaseline:
    system = draw(st.sampled_from(OperatingSystem))
    approved, rejected = draw(APPROVED), draw(REJECTED)
    return PatchBaseline(
        draw(st.sampled_from(["abc", "A.b-c_9"])),
        system,
        tuple(draw(RULES[system])),
        filters_from(draw(FILTERS[system]), system),
        tuple(approved),
        draw(LEVELS) if approved else ComplianceLevel.UNSPECIFIED,
        system not in (WINDOWS, OperatingSystem.MACOS) and draw(st.booleans()),
        tuple(rejected),
        draw(st.sampled_from(RejectedPatchesAction)) if rejected else RejectedPatchesAction.ALLOW_AS_DEPENDENCY,
    )


@given(baselines())
def test_a_baseline_survives_the_way_to_the_api_and_back(judge: PatchBaseline) -> None:
    assert PatchBaseline.from_api(judge.to_api()) == judge


@given(baselines(), st.sampled_from([OPENSSL, CURL_DEB, KB]), st.integers(0, 800))
def test_what_is_approved_stays_approved_and_is_never_rejected(judge: PatchBaseline, patch: Patch, days: int) -> None:
    now = RELEASED + timedelta(days=days)
    decision = judge.decide(patch, now)
    assert not (decision.approved and decision.rejected)
    if decision.approved:
        assert approved(judge, patch, now + timedelta(days=1))


def test_a_filter_of_stars_matches_what_has_no_such_field() -> None:
    assert PatchFilter("PRODUCT", ("*",)).matches(replace(KB, product=""))
    assert not PatchFilter("PRODUCT", ("WindowsServer2022",)).matches(replace(KB, product=""))
