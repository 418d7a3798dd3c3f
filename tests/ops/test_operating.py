"""Operating the lab's fleet: what each command says of a world in which something is as it should not be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
import typer

from lab.local_aws import LocalAws
from ops.session import Session
from tests.ops.conftest import PROD, SPEED, connect
from tests.patchops import Patchops

pytestmark = pytest.mark.xdist_group("ops")

ENVIRONMENT = ("--environment", "lab")
JSON = ("--output", "json")


def node(patchops: Patchops, name: str) -> str:
    (found,) = patchops("nodes", "--tag", f"Name=patchops-lab-{name}", *JSON).json
    return str(found["id"])


@pytest.fixture
def launched(aws: LocalAws) -> Iterator[str]:
    """An instance of the environment that lacks patches, and everything but its tags and its profile."""
    ec2 = connect(aws, "ec2")
    reservations = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["patchops-lab-prod-1"]}])
    like = reservations["Reservations"][0]["Instances"][0]
    tags = {"Environment": "lab", "Name": "new", "Patch-Group": "lab-prod"}
    (made,) = ec2.run_instances(
        ImageId=like["ImageId"],
        MinCount=1,
        MaxCount=1,
        SubnetId=like["SubnetId"],
        SecurityGroupIds=[one["GroupId"] for one in like["SecurityGroups"]],
        IamInstanceProfile={"Arn": like["IamInstanceProfile"]["Arn"]},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )["Instances"]
    yield made["InstanceId"]
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


def test_a_node_that_never_reported_is_unknown_and_a_finding(patchops: Patchops, scanned: None, launched: str) -> None:
    result = patchops("compliance", "--instance", launched, *JSON)
    assert result.code == 3
    (one,) = result.json["nodes"]
    assert (one["compliance"], one["why_unknown"], one["at"]) == ("UNKNOWN", "never scanned", None)


def test_a_plan_says_why_a_node_gets_its_baseline_and_what_is_not_known(
    patchops: Patchops, scanned: None, launched: str
) -> None:
    plan = patchops("plan", *ENVIRONMENT, *JSON).json
    by_name = {one["node"]["name"]: one for one in plan["nodes"]}
    assert by_name["patchops-lab-prod-1"]["baseline"] == "patchops-lab-amazon-linux-2023"
    assert by_name["patchops-lab-prod-1"]["baseline_reason"] == "patch group lab-prod"
    assert by_name["patchops-lab-prod-1"]["windows"] == ["patchops-lab-prod"]
    assert (by_name["new"]["missing"], by_name["new"]["reboots"]) == (None, None)
    assert by_name["new"]["baseline_reason"] == "default of AMAZON_LINUX_2023: no patch group"
    assert by_name["new"]["windows"] == []
    assert (plan["summary"]["nodes"], plan["summary"]["unknown"], plan["summary"]["without_window"]) == (5, 1, 1)


def test_a_plan_lists_instances_that_are_not_managed(aws: LocalAws, patchops: Patchops, scanned: None) -> None:
    ec2 = connect(aws, "ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Environment", "Value": "lab"}]}]
    (made,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"]
    try:
        plan = patchops("plan", *ENVIRONMENT, "--no-patches", *JSON).json
        (one,) = [one for one in plan["nodes"] if not one["managed"]]
        assert (one["node"]["id"], one["baseline_reason"]) == (made["InstanceId"], "not a managed node")
        result = patchops("doctor", "--instance", made["InstanceId"], *JSON)
        problems = {one["check"]: one for one in result.json["findings"] if one["verdict"] == "problem"}
        assert result.code == 3
        assert problems["profile"]["text"] == "the instance has no instance profile"
        assert "AmazonSSMManagedInstanceCore" in problems["profile"]["remedy"]
    finally:
        ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


def test_drift_finds_a_mistyped_group_and_a_node_in_no_window(patchops: Patchops, scanned: None, launched: str) -> None:
    result = patchops("drift", *ENVIRONMENT, *JSON)
    assert result.code == 3
    assert {one["check"] for one in result.json["findings"] if one["subject"] == launched} >= {
        "patch group",
        "no window",
    }


def test_doctor_says_that_an_instance_is_stopped_and_how_it_is_started(
    aws: LocalAws, patchops: Patchops, scanned: None
) -> None:
    ec2, wanted = connect(aws, "ec2"), node(patchops, "prod-2")
    ec2.stop_instances(InstanceIds=[wanted])
    try:
        found = patchops("doctor", "--instance", wanted, *JSON).json["findings"]
    finally:
        ec2.start_instances(InstanceIds=[wanted])
    (stopped,) = [one for one in found if one["check"] == "instance"]
    assert (stopped["verdict"], stopped["text"]) == ("problem", "the instance is stopped")
    assert f"aws ec2 start-instances --instance-ids {wanted}" in stopped["remedy"]


@pytest.mark.parametrize(
    ("arguments", "code", "compliance"),
    [
        (("--stale", "0"), 3, None),
        (("--since", "2999-01-01"), 3, "UNKNOWN"),
        (("--since", "2000-01-01T00:00+09:00"), None, None),
    ],
)
def test_old_reports_are_stale_or_say_nothing(
    patchops: Patchops, aws: LocalAws, scanned: None, arguments: tuple[str, ...], code: int | None, compliance: str
) -> None:
    aws.advance(datetime.fromisoformat(aws.status()["now"]) + timedelta(minutes=1))
    result = patchops("compliance", *PROD, *arguments, *JSON)
    assert code in (None, result.code)
    assert {one["compliance"] for one in result.json["nodes"]} == {compliance} if compliance else True
    assert result.json["summary"]["stale"] == (2 if arguments[0] == "--stale" else 0)


@pytest.mark.parametrize(
    ("by", "column"), [("severity", "Severity"), ("group", "Patch group"), ("baseline", "Baseline")]
)
def test_compliance_is_shown_by_what_is_asked_for(patchops: Patchops, scanned: None, by: str, column: str) -> None:
    assert patchops("compliance", *ENVIRONMENT, "--by", by, "-o", "csv").out.startswith(f"{column},")


def test_patches_cannot_be_shown_without_being_read(patchops: Patchops) -> None:
    result = patchops("compliance", *ENVIRONMENT, "--by", "patch", "--no-patches")
    assert (result.code, "leave --no-patches out" in result.err) == (2, True)


def test_missing_shows_nodes_that_lack_patches_and_counts_all(patchops: Patchops, scanned: None) -> None:
    found = patchops("compliance", *ENVIRONMENT, "--missing", *JSON).json
    assert all(one["counts"]["Missing"] for one in found["nodes"])
    assert found["summary"]["nodes"] == 4


def test_the_whole_output_of_a_step_is_read_from_the_bucket(patchops: Patchops) -> None:
    command = patchops("scan", *PROD, "-q", *JSON).json["command_id"]
    logs = patchops("logs", command, node(patchops, "prod-1"), "--step", "PatchLinux", *JSON).json
    (output,) = [one for one in logs["outputs"] if one["stream"] == "stdout"]
    assert output["source"].startswith("s3://patchops-lab-patching-")
    assert output["whole"]
    assert output["text"].endswith("Reboot is not permitted for a scan.\n")
    followed = patchops("logs", command, node(patchops, "prod-1"), "--follow")
    assert "==> PatchLinux stdout <==" in followed.out


def test_output_that_the_bucket_does_not_have_is_what_the_service_keeps(patchops: Patchops) -> None:
    wanted = node(patchops, "prod-1")
    command = patchops("scan", "--instance", wanted, "-q", *JSON).json["command_id"]
    (output,) = patchops("logs", command, wanted, *JSON).json["outputs"]
    assert (output["source"], output["whole"]) == ("Systems Manager", True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("watch", "01234567-89ab-cdef-0123-456789abcdef"), "there is no command 01234567-"),
        (("watch", "x"), "there is no command x in this Region"),
        (("logs", "01234567-89ab-cdef-0123-456789abcdef", "i-0123456789abcdef0"), "there is no command"),
        (("windows", "disable", "prd", *ENVIRONMENT), "has no window 'prd' in this Region; it has prod, test"),
        (("scan", *ENVIRONMENT, "--window", "prd"), "has no window 'prd'"),
        (("scan", *PROD, "--at-most", "1"), "2 nodes match, and --at-most is 1"),
        (("install", *PROD, "--yes", "--calendar", "Freze"), "there is no Change Calendar Freze"),
        (("install", *PROD, "--yes", "--override-list", "none.yaml"), "the file cannot be read: No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(patchops: Patchops, arguments: tuple[str, ...], message: str) -> None:
    result = patchops(*arguments, "-q")
    assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
    assert message in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hook", "before=stop"), "is not WHEN=DOCUMENT, where WHEN is pre-install, post-install, on-exit"),
        (("--hook", "on-exit=a.b", "--hook", "on-exit=c.d"), "given twice"),
        (("--hook", "on-exit=stop-app", "--override-list", "s3://b/k"), "takes no list"),
        (("--window", "prod"), "give --window, or --tag"),
        (("--window", "prod", "--reboot", "NoReboot"), "--window does what its task does"),
    ],
)
def test_options_that_make_no_sense_together_are_wrong_usage(
    patchops: Patchops, arguments: tuple[str, ...], message: str
) -> None:
    result = patchops("install", *PROD, "--yes", *arguments)
    assert (result.code, message in result.err) == (2, True), result.err


def test_a_closed_calendar_stops_an_installation(patchops: Patchops, session: Session) -> None:
    closed = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-CALENDAR-TYPE:DEFAULT_CLOSED\r\nEND:VCALENDAR\r\n"
    session.ssm.create_document(Name="Freeze", Content=closed, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    try:
        result = patchops("install", *PROD, "--yes", "--calendar", "Freeze", "-q")
    finally:
        session.ssm.delete_document(Name="Freeze")
    assert result.code == 1
    assert "the Change Calendar Freeze is closed" in result.err


def sent(session: Session, command: str) -> dict[str, Any]:
    (found,) = session.ssm.list_commands(CommandId=command)["Commands"]
    return dict(found)


def test_an_override_list_is_checked_put_into_the_bucket_and_used(
    patchops: Patchops, session: Session, tmp_path: Path, launched: str
) -> None:
    listed = tmp_path / "hotfix.yaml"
    listed.write_text("patches:\n  - title: no id\n")
    options = ("install", *ENVIRONMENT, "--instance", launched, "--yes", "-q", "--override-list", str(listed), *JSON)
    refused = patchops(*options)
    assert (refused.code, "has no id" in refused.err) == (1, True)
    listed.write_text("patches:\n  - id: 'kernel*'\n")
    installed = patchops(*options).json["install"]
    parameters = sent(session, installed["command_id"])["Parameters"]
    assert parameters["InstallOverrideList"][0].startswith("s3://patchops-lab-patching-")
    (step,) = [one for one in installed["nodes"][0]["steps"] if one["name"] == "PatchLinux"]
    assert step["status"] == "Success", step["output"]
    assert "Installed: kernel" in step["output"]


def test_a_baseline_override_is_checked_put_into_the_bucket_and_used(
    patchops: Patchops, session: Session, tmp_path: Path, launched: str
) -> None:
    override = tmp_path / "everything.json"
    override.write_text('{"OperatingSystem": "AMAZON_LINUX_2023"}')
    options = ("install", *ENVIRONMENT, "--instance", launched, "--yes", "-q", *JSON)
    refused = patchops(*options, "--baseline-override", str(override))
    assert (refused.code, "not a list of baselines" in refused.err) == (1, True)
    override.write_text(json.dumps([{"OperatingSystem": "AMAZON_LINUX_2023", "ApprovedPatches": ["bash*"]}]))
    installed = patchops(*options, "--baseline-override", str(override)).json["install"]
    assert installed["status"] == "Success", installed["nodes"][0]["steps"]
    assert sent(session, installed["command_id"])["Parameters"]["BaselineOverride"][0].endswith(".json")


def test_an_installation_ends_with_a_scan_by_the_same_snapshot(patchops: Patchops, session: Session) -> None:
    result = patchops("install", *PROD, "--yes", "-q", *JSON)
    assert result.code == 0
    install, scan = (sent(session, result.json[one]["command_id"])["Parameters"] for one in ("install", "scan"))
    assert (install["Operation"], scan["Operation"]) == (["Install"], ["Scan"])
    assert install["SnapshotId"] == scan["SnapshotId"]
    assert result.json["compliance"]["compliant"] == result.json["compliance"]["nodes"] == 2


def test_a_windows_task_is_done_now_with_its_nodes_and_pace(patchops: Patchops, session: Session) -> None:
    result = patchops("install", *ENVIRONMENT, "--window", "test", "--yes", "-q", *JSON)
    command = sent(session, result.json["install"]["command_id"])
    assert (command["MaxConcurrency"], command["MaxErrors"]) == ("100%", "1")
    assert {one["Key"]: one["Values"] for one in command["Targets"]} == {
        "tag:Workload": ["Test"],
        "tag:Environment": ["lab"],
    }
    assert len(result.json["install"]["nodes"]) == 2


def test_a_hook_of_the_environment_is_named_as_it_is_deployed(patchops: Patchops, session: Session) -> None:
    content = {
        "schemaVersion": "2.2",
        "mainSteps": [{"action": "aws:runShellScript", "name": "stop", "inputs": {"runCommand": ["true"]}}],
    }
    session.ssm.create_document(Name="patchops-lab-stop", Content=json.dumps(content), DocumentType="Command")
    try:
        result = patchops("install", *PROD, "--yes", "-q", "--hook", "pre-install=stop", *JSON)
    finally:
        session.ssm.delete_document(Name="patchops-lab-stop")
    command = sent(session, result.json["install"]["command_id"])
    assert command["DocumentName"] == "AWS-RunPatchBaselineWithHooks"
    assert command["Parameters"]["PreInstallHookDocName"] == ["patchops-lab-stop"]


def test_a_disabled_window_opens_no_more_until_it_is_enabled(patchops: Patchops) -> None:
    try:
        disabled = patchops("windows", "disable", "test", *ENVIRONMENT, *JSON).json
        assert (disabled["enabled"], disabled["next_run"]) == (False, None)
        calendar = patchops("calendar", *ENVIRONMENT, *JSON).json
        assert {one["name"] for one in calendar["occasions"]} == {"patchops-lab-prod", "patchops-lab-scan"}
    finally:
        assert patchops("windows", "enable", "test", *ENVIRONMENT, *JSON).json["next_run"]


def test_a_calendar_for_people_has_the_same_times(patchops: Patchops, tmp_path: Path) -> None:
    file = tmp_path / "patching.ics"
    found = patchops("calendar", *ENVIRONMENT, "--days", "10", "--ics", str(file), *JSON).json["occasions"]
    events: Any = icalendar.Calendar.from_ical(file.read_bytes()).walk("VEVENT")
    assert [one["dtstart"].dt.isoformat() for one in events] == [one["begins"] for one in found]
    assert len({str(one["uid"]) for one in events}) == len(events) >= 10
    (seoul, *_) = [one for one in found if one["name"] == "patchops-lab-test"]
    assert seoul["local"].endswith("T02:00:00+09:00")


def test_runs_are_those_of_the_environment_without_the_marks(patchops: Patchops) -> None:
    patchops("scan", *PROD, "-q", "--comment", "For the audit")
    (run, *_) = patchops("runs", *ENVIRONMENT, "--most", "1", *JSON).json
    assert (run["comment"], run["operation"], run["nodes"]) == ("For the audit", "Scan", 2)
    assert patchops("runs", "--since", "2999-01-01", *JSON).json == []


def test_nodes_of_a_resource_group_are_read_and_scanned(aws: LocalAws, patchops: Patchops, session: Session) -> None:
    filters = [{"Key": "Workload", "Values": ["Test"]}, {"Key": "Environment", "Values": ["lab"]}]
    query = json.dumps({"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": filters})
    groups = connect(aws, "resource-groups")
    groups.create_group(Name="testers", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": query})
    try:
        names = [one["name"] for one in patchops("nodes", "--resource-group", "testers", *JSON).json]
        assert names == ["patchops-lab-test-ubuntu", "patchops-lab-test-windows"]
        scan = patchops("scan", "--resource-group", "testers", "-q", *JSON)
        assert (scan.code, len(scan.json["nodes"])) == (0, 2), scan.err
        assert (
            patchops("compliance", "--resource-group", "testers", "--no-patches", *JSON).json["summary"]["nodes"] == 2
        )
    finally:
        groups.delete_group(GroupName="testers")
    gone = patchops("scan", "--resource-group", "testers")
    assert (gone.code, "there is no resource group testers in this Region" in gone.err) == (1, True)


def test_a_process_that_ends_between_sending_and_watching_leaves_a_command_that_is_picked_up(
    patchops: Patchops, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cli.run_options.follow", killed)
        assert patchops("scan", *PROD, "--comment", "cut short").code == 130
    (run, *_) = patchops("runs", *ENVIRONMENT, *JSON).json
    assert run["comment"] == "cut short"
    assert patchops("watch", run["command_id"], *JSON).json["completed"] == 2


def test_an_installation_shows_its_plan_and_asks(
    patchops: Patchops, scanned: None, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    before = patchops("runs", *JSON).json
    result = patchops("install", *PROD)
    assert result.code == 1
    assert "Plan for 2 nodes" in result.err
    assert "Installs patches on these 2 nodes and reboots them: one node at a time" in result.err
    assert result.err.endswith("patchops: not done\n")
    assert patchops("runs", *JSON).json == before


def test_nothing_is_sent_while_an_association_patches_the_same_nodes(
    patchops: Patchops, account: LocalAws, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether AWS lists the commands of associations is not documented; the lab does.
    monkeypatch.setattr("ops.guards._going_on", lambda _: iter(()))
    names = {one["AssociationName"]: one["AssociationId"] for one in session.ssm.list_associations()["Associations"]}
    association = names["patchops-lab-scan"]
    account.pace(speed=1)
    try:
        session.ssm.start_associations_once(AssociationIds=[association])
        result = patchops("scan", *PROD)
    finally:
        account.pace(speed=SPEED)
    assert result.code == 1
    nodes = "patchops-lab-prod-1, patchops-lab-prod-2"
    assert f"the association patchops-lab-scan is patching {nodes} already" in result.err
    account.advance(datetime.fromisoformat(account.status()["now"]) + timedelta(hours=1))
    assert patchops("scan", *PROD, "-q").code == 0
