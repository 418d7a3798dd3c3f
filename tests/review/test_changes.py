"""What is said of a change, for each thing that can change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from review.build import review
from review.model import Area, Weight
from tests.review.assemblies import DAY, Template, corp, find, mended, properties, reviewed, told

pytestmark = pytest.mark.xdist_group("review")


def setting(path: str, *keys: str | int, to: Any) -> Callable[[Template], None]:
    """Return a change of one value below the properties of a resource."""

    def change(resources: Template) -> None:
        node: Any = properties(resources, path)
        for key in keys[:-1]:
            node = node[key]
        if to is None:
            del node[keys[-1]]
        else:
            node[keys[-1]] = to

    return change


RUN = ("TaskInvocationParameters", "MaintenanceWindowRunCommandParameters")
CHANGES = [
    (
        setting("Install-databases", "Schedule", to="cron(0 2 ? * SUN *)"),
        (
            "window databases moves from 5 days after the second Tuesday of the month at 01:00 to 5 days after "
            "every Sunday at 02:00 Asia/Seoul"
        ),
    ),
    (
        setting("Install-web-a", "ScheduleTimezone", to="Asia/Seoul"),
        "window web-a moves from every Tuesday at 02:00 Europe/Berlin to every Tuesday at 02:00 Asia/Seoul",
    ),
    (setting("Install-web-a", "Duration", to=5), "window web-a is open for 5 hours instead of 3 hours"),
    (
        setting("Install-web-a", "Cutoff", to=2),
        "window web-a stops starting tasks 2 hours before its end instead of 1 hour",
    ),
    (
        setting("Install-office", "StartDate", to=None),
        "window office opens without a first or last day instead of from 2027-01-01 on",
    ),
    (
        setting("Install-web-a/Target", "Targets", 1, "Values", to=["a", "c"]),
        "window web-a is for nodes with Service=shop and Ring=a,c instead of nodes with Service=shop and Ring=a",
    ),
    (
        setting("Install-web-a/Task", "MaxConcurrency", to="100%"),
        "window web-a takes 100% of the nodes at a time instead of 20% of the nodes at a time",
    ),
    (
        setting("Install-web-a/Task", "MaxErrors", to="3"),
        (
            "window web-a now stops starting new nodes after the fourth failure (before: stops starting new nodes "
            "after the second failure)"
        ),
    ),
    (
        setting("Install-databases/Task", *RUN, "Parameters", "RebootOption", to=["RebootIfNeeded"]),
        (
            "window databases now reboots a node after anything was installed on it (before: never reboots a node: "
            "patches that need it wait, and the node is not compliant until somebody reboots it)"
        ),
    ),
    (
        setting("Install-web-a/Task", *RUN, "Parameters", "OnExitHookDocName", to=None),
        (
            "window web-a now runs patchops-corp-drain before anything is installed (before: runs patchops-corp-drain "
            "before anything is installed and patchops-corp-undrain at the very end, whatever failed)"
        ),
    ),
    (
        setting("Install-web-a/Task", "CutoffBehavior", to="CONTINUE_TASK"),
        (
            "window web-a now: what is running at the cutoff goes on, and nodes that wait still begin (before: at the "
            "cutoff it is cancelled: nodes that have not begun do not begin)"
        ),
    ),
    (
        setting("Install-web-a/Task", *RUN, "NotificationConfig", "NotificationEvents", to=["Failed"]),
        (
            "window web-a tells Notifications of Failed, for each node instead of Notifications of TimedOut, "
            "Cancelled, Failed, for each node"
        ),
    ),
    (
        setting("Install-web-a/Task", *RUN, "Parameters", "Operation", to=["Scan"]),
        "window web-a now reports what is missing, and changes nothing (before: installs what the baseline approves)",
    ),
    (
        setting("Patching/Scan", "ScheduleExpression", to="cron(0 13 * * ? *)"),
        "association scan moves from every day at 12:00 to every day at 13:00 UTC",
    ),
    (
        setting("Patching/Scan", "ApplyOnlyAtCronInterval", to=False),
        (
            "association scan runs as soon as it is deployed or changed, and then by its schedule instead of by its "
            "schedule"
        ),
    ),
    (
        setting("Patching/Scan", "ComplianceSeverity", to="LOW"),
        "association scan counts a node that does not keep to it as LOW instead of HIGH",
    ),
    (
        setting("Patching/Scan", "CalendarNames", to=["freeze"]),
        "association scan now: runs only while these calendars are open: freeze",
    ),
    (
        setting("Baseline-suse", "ApprovalRules", "PatchRules", 0, "ApproveUntilDate", to="2026-12-31"),
        (
            "baseline suse approves otherwise: security and recommended patches of SUSE Linux Enterprise Server if "
            "they were released on 2026-12-31 (UTC) or before instead of if they were released on 2026-09-30 (UTC) or "
            "before"
        ),
    ),
    (
        setting("Baseline-red-hat", "ApprovalRules", "PatchRules", 0, "ComplianceLevel", to="LOW"),
        (
            "baseline red-hat counts missing Critical, Important and Moderate security patches of Red Hat Enterprise "
            "Linux as LOW instead of HIGH"
        ),
    ),
    (
        setting("Baseline-amazon-linux-2023", "RejectedPatches", to=["kernel*"]),
        "baseline amazon-linux-2023 rejects kernel* by name",
    ),
    (
        setting("Baseline-amazon-linux-2023", "RejectedPatchesAction", to="ALLOW_AS_DEPENDENCY"),
        (
            "baseline amazon-linux-2023 treats rejected patches otherwise: they may come in as a dependency of others "
            "(before: not even as a dependency, and nothing that depends on it)"
        ),
    ),
    (
        setting("Baseline-amazon-linux-2023", "PatchGroups", to=["web-a", "batch", "cache"]),
        (
            "baseline amazon-linux-2023 is no longer for the patch group web-b: their nodes get the default of their "
            "system"
        ),
    ),
    (
        setting("Baseline-windows", "DefaultBaseline", to=None),
        "baseline windows is no longer the default of Windows for every node whose patch group names no other",
    ),
    (
        setting("Baseline-red-hat", "GlobalFilters", to=None),
        (
            "baseline red-hat now approves by its rules without a limit (before: nothing but all patches of Red Hat "
            "Enterprise Linux, product RedhatEnterpriseLinux8.10 or RedhatEnterpriseLinux9.4)"
        ),
    ),
    (
        setting("Patching/Output", "LifecycleConfiguration", "Rules", 0, "ExpirationInDays", to=30),
        "bucket Output keeps what is in it 30 days instead of 400 days; what is older is deleted",
    ),
    (
        setting("Patching/Output", "PublicAccessBlockConfiguration", to=None),
        "bucket Output does not block public access; before, it blocks public access",
    ),
    (
        setting("Patching/Key", "EnableKeyRotation", to=False),
        "Key: EnableKeyRotation is false instead of true",
    ),
]


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[words[:60] for _, words in CHANGES])
def test_a_change_is_told_in_words_and_once(change: Callable[[Template], None], words: str) -> None:
    said = told(change)
    assert words in said
    about = words.split()[:2]
    others = [one for one in said if one.split()[:2] == about and one != words]
    assert all("differs" not in one and "raw difference" not in one for one in others), others


def test_a_new_window_is_told_once_with_all_its_parts() -> None:
    def add(resources: Template) -> None:
        name, window = find(resources, "Install-web-a")
        members = [find(resources, f"Install-web-a/{part}") for part in ("Target", "Task")]
        for old, one in ((name, window), *members):
            text = one["Metadata"]["aws:cdk:path"].replace("web-a", "web-c")
            resources[old.replace("weba", "webc")] = _renamed(one, name) | {"Metadata": {"aws:cdk:path": text}}

    review = reviewed(add)
    assert [one.text for one in review.changes or ()] == [
        (
            "window web-c is new: it opens every Tuesday at 02:00 Europe/Berlin and installs what the baseline "
            "approves on nodes with Service=shop and Ring=a"
        )
    ]
    assert len(review.resources) == 3


def _renamed(node: Any, window: str) -> Any:
    match node:
        case {"Ref": str(name)} if name.startswith("Installweba"):
            return {"Ref": name.replace("weba", "webc")}
        case dict():
            return {key: _renamed(value, window) for key, value in node.items()}
        case list():
            return [_renamed(value, window) for value in node]
        case "patchops-corp-web-a":
            return "patchops-corp-web-c"
        case _:
            return node


def test_a_window_that_is_gone_is_told_once() -> None:
    def remove(resources: Template) -> None:
        for part in ("Install-office", "Install-office/Target", "Install-office/Task"):
            del resources[find(resources, part)[0]]

    said = told(remove)
    assert said[0] == "window office is gone: it opens on the third Sunday of the month at 03:00 Asia/Seoul"
    assert not [one for one in said if "MaintenanceWindow" in one]


def test_a_window_without_its_task_installs_nothing() -> None:
    def disable(resources: Template) -> None:
        del resources[find(resources, "Install-office/Task")[0]]

    assert "window office now installs nothing: it has no task (before: has a task)" in told(disable)


def test_a_permission_that_is_new_is_told_with_its_wildcard() -> None:
    def widen(resources: Template) -> None:
        statement = properties(resources, "WindowRole/Policy")["PolicyDocument"]["Statement"][0]
        statement["Action"] = ["ssm:SendCommand", "ssm:StartSession"]
        statement["Resource"] = "*"

    review = reviewed(widen)
    (new,) = [one for one in review.grants if one.change == "added"]
    assert (new.who, new.actions, new.on, new.wildcard) == (
        "role WindowRole",
        ("ssm:SendCommand", "ssm:StartSession"),
        ("*",),
        True,
    )
    said = [one for one in review.changes or () if one.area is Area.PERMISSION]
    assert "role WindowRole may now ssm:SendCommand and ssm:StartSession on *" in [one.text for one in said]


def test_everybody_is_a_danger() -> None:
    def open_to_all(resources: Template) -> None:
        statements = properties(resources, "Notifications/Policy")["PolicyDocument"]["Statement"]
        statements.append({"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"})

    (said,) = [one for one in reviewed(open_to_all).changes or () if one.weight is Weight.DANGER]
    assert said.text == "everybody (*) may now sns:Publish on Notifications"


def test_statements_that_are_only_put_otherwise_change_nothing() -> None:
    def split(resources: Template) -> None:
        document = properties(resources, "WindowRole/Policy")["PolicyDocument"]
        first = document["Statement"][0]
        document["Statement"] = [{**first, "Resource": one} for one in first["Resource"]] + document["Statement"][1:]

    review = reviewed(split)
    assert review.changes == ()
    assert [str(one.effect) for one in review.resources] == ["changed"]


def test_a_port_that_is_open_to_the_world_is_a_danger() -> None:
    def open_port(resources: Template) -> None:
        resources["Open"] = {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "x",
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}],
            },
            "Metadata": {"aws:cdk:path": "corp/Patching/Open"},
        }

    (said,) = reviewed(open_port).changes or ()
    assert said.weight is Weight.DANGER
    assert said.text == "security group Open is new: lets in tcp 22 (0.0.0.0/0) and Lets out nothing"


def test_a_tag_that_changes_everywhere_is_told_once() -> None:
    def retag(resources: Template) -> None:
        for one in resources.values():
            for tag in one["Properties"].get("Tags", []):
                if isinstance(tag, dict) and tag["Key"] == "Owner":
                    tag["Value"] = "security"

    (said,) = told(retag)
    assert said.startswith("the tag Owner is security instead of platform on ")


def test_an_exception_that_runs_longer_is_told() -> None:
    whole = corp()
    later = mended(lambda _: None)
    assert whole.told is not None
    exceptions = {**whole.told["exceptions"]}
    exceptions["print-spooler"] = {**exceptions["print-spooler"], "until": "2030-06-30"}
    del exceptions["shop-openssl"]
    object.__setattr__(later, "told", {**whole.told, "exceptions": exceptions})
    said = [one.text for one in review(later, whole, day=DAY).changes or ()]
    assert "exception print-spooler runs longer: until 2030-06-30 instead of 2029-12-31" in said
    assert any(one.startswith("exception shop-openssl is gone: openssl is rejected in ubuntu until") for one in said)


def test_a_service_that_windows_are_held_to_no_longer_is_told() -> None:
    whole = corp()
    without = mended(lambda _: None)
    assert whole.told is not None
    object.__setattr__(without, "told", {**whole.told, "services": {}})
    (gone,) = review(without, whole, day=DAY).changes or ()
    assert gone.text == (
        "service shop is gone: windows may now take the nodes with Service=shop and Ring=a and the nodes with "
        "Service=shop and Ring=b at one time"
    )
    assert gone.weight is Weight.CAUTION
    (new,) = review(whole, without, day=DAY).changes or ()
    assert new.text.startswith("service shop is new: of the nodes with")
