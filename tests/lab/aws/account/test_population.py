"""A fleet that is there at once, and the lists of it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.aws.conftest import status
from tests.lab.aws.test_control import JSON, ask
from tests.lab.aws.world import Connect, error_code

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "us-east-2"
NODES = 130


@pytest.fixture(scope="module")
def ec2(local_aws: LocalAws, connect: Connect) -> Any:
    code, answer = ask(local_aws, "/lab/populate", b'{"region": "us-east-2", "nodes": 130}', JSON)
    assert (code, answer) == (200, {"nodes": NODES})
    return connect("ec2", REGION)


def listed(ec2: Any, size: int = 1000, **more: Any) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": size}, **more)
    return [one for page in pages for held in page["Reservations"] for one in held["Instances"]]


def tags(instance: dict[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in instance["Tags"]}


def test_ec2_and_systems_manager_see_the_same_nodes(ec2: Any, connect: Connect) -> None:
    pages = connect("ssm", REGION).get_paginator("describe_instance_information").paginate(MaxResults=50)
    nodes = {one["InstanceId"]: one for page in pages for one in page["InstanceInformationList"]}
    instances = {one["InstanceId"]: one for one in listed(ec2)}
    assert len(instances) == NODES
    assert nodes.keys() == instances.keys()
    assert all(nodes[key]["IPAddress"] == one["PrivateIpAddress"] for key, one in instances.items())
    assert len(Counter(one["PlatformName"] for one in nodes.values())) >= 3


def test_each_instance_is_one_of_its_own(ec2: Any) -> None:
    instances = listed(ec2)
    for name in ("InstanceId", "PrivateIpAddress", "PrivateDnsName", "PublicIpAddress", "PublicDnsName"):
        assert len({one[name] for one in instances}) == NODES, name
    interfaces = [one["NetworkInterfaces"][0] for one in instances]
    for name in ("NetworkInterfaceId", "MacAddress", "PrivateIpAddress"):
        assert len({one[name] for one in interfaces}) == NODES, name
    assert len({one["Attachment"]["AttachmentId"] for one in interfaces}) == NODES
    assert "@" not in str(instances)


def test_an_instance_tells_what_a_launched_one_tells(
    ec2: Any, connect: Connect, launch: Callable[..., list[str]]
) -> None:
    """It has no volume, and was not launched on a day of its own; the rest is there."""
    launch("af-south-1", Name="launched")
    (held,) = connect("ec2", "af-south-1").describe_instances()["Reservations"]

    def names(value: Any, path: str = "") -> set[str]:
        if isinstance(value, dict):
            return {path} | {name for key, one in value.items() for name in names(one, f"{path}.{key}")}
        if isinstance(value, list):
            return {path} | {name for one in value for name in names(one, path)}
        return {path}

    missing = names(held["Instances"][0]) - names(listed(ec2))
    assert {one for one in missing if not one.startswith(".BlockDeviceMappings")} <= {
        ".ClientToken",
        ".HibernationOptions",
    }


def test_pages_follow_each_other_without_gaps(ec2: Any) -> None:
    whole = [one["InstanceId"] for one in listed(ec2)]
    assert [one["InstanceId"] for one in listed(ec2, 7)] == whole


def test_tags_are_those_of_the_labs_policy(ec2: Any) -> None:
    found = Counter((tags(one)["Environment"], tags(one)["Workload"], tags(one)["PatchGroup"]) for one in listed(ec2))
    assert found == {("lab", "Prod", "lab-prod"): 104, ("lab", "Test", "lab-test"): 26}


def test_instances_are_found_by_their_tags_and_ids(ec2: Any) -> None:
    found = listed(ec2, Filters=[{"Name": "tag:Workload", "Values": ["Test"]}])
    assert {tags(one)["Workload"] for one in found} == {"Test"}
    assert len(found) == 26
    ids = [one["InstanceId"] for one in found[:2]]
    (one, other) = itertools.chain.from_iterable(
        held["Instances"] for held in ec2.describe_instances(InstanceIds=ids)["Reservations"]
    )
    assert [one, other] == found[:2]
    assert error_code(lambda: ec2.describe_instances(InstanceIds=["i-01234567"])) == "InvalidInstanceID.NotFound"


def test_a_list_is_looked_at_anew_after_a_change(ec2: Any) -> None:
    first = listed(ec2)[0]["InstanceId"]
    owned: dict[str, Any] = {"Filters": [{"Name": "tag-key", "Values": ["Owner"]}]}
    assert listed(ec2, **owned) == []
    ec2.create_tags(Resources=[first], Tags=[{"Key": "Owner", "Value": "<me & you>"}])
    assert tags(listed(ec2)[0])["Owner"] == "<me & you>"
    assert [one["InstanceId"] for one in listed(ec2, **owned)] == [first]
    ec2.delete_tags(Resources=[first], Tags=[{"Key": "Owner"}])
    assert "Owner" not in tags(listed(ec2)[0])


def test_one_that_changes_leaves_the_others_as_they_are(
    ec2: Any, connect: Connect, local_aws: LocalAws, advance: Callable[..., Any]
) -> None:
    first, second, third, *others = listed(ec2)
    ec2.modify_instance_attribute(InstanceId=first["InstanceId"], SourceDestCheck={"Value": False})
    ec2.stop_instances(InstanceIds=[second["InstanceId"]])
    volume = ec2.create_volume(AvailabilityZone="us-east-2a", Size=8)["VolumeId"]
    ec2.attach_volume(InstanceId=third["InstanceId"], VolumeId=volume, Device="/dev/sdf")
    now = listed(ec2)
    assert now[0]["SourceDestCheck"] is False
    assert now[1]["State"]["Name"] == "stopped"
    assert [one["Ebs"]["VolumeId"] for one in now[2]["BlockDeviceMappings"]] == [volume]
    assert now[3:] == others
    assert status(local_aws)["regions"][REGION]["unmanaged"] == {second["InstanceId"]: "the instance is stopped"}
    ec2.start_instances(InstanceIds=[second["InstanceId"]])
    assert status(local_aws)["regions"][REGION]["unmanaged"] == {}
    ec2.terminate_instances(InstanceIds=[others[-1]["InstanceId"]])
    assert listed(ec2)[-1]["State"]["Name"] == "terminated"


def test_what_moto_writes_of_one_is_what_is_written(ec2: Any) -> None:
    """A populated instance is written from a template until somebody changes it: both have to come to the same."""
    last = listed(ec2)[-2]
    ec2.modify_instance_attribute(InstanceId=last["InstanceId"], SourceDestCheck={"Value": True})
    assert listed(ec2)[-2] == last


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"region": "us-east-2", "nodes": 100000}', "100000 more nodes are not from 1 to 59870"),
        (b'{"region": "us-east-2", "nodes": 0}', "0 more nodes are not from 1 to"),
        (b'{"region": "us-east-2", "nodes": 1, "systems": ["BEOS"]}', "'BEOS' is not an operating system"),
        (b'{"nodes": 5}', "expected {"),
        (b"[]", "expected {"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(local_aws: LocalAws, ec2: Any, body: bytes, problem: str) -> None:
    code, answer = ask(local_aws, "/lab/populate", body, JSON)
    assert code == 400
    assert problem in answer["error"]


def test_only_json_adds_nodes(local_aws: LocalAws) -> None:
    assert ask(local_aws, "/lab/populate", b'{"region": "us-east-2", "nodes": 1}')[0] == 415


def test_chaos_stops_instances_and_starts_them_again(local_aws: LocalAws, connect: Connect) -> None:
    region = "ap-southeast-5"
    connect("ec2", region)
    ask(local_aws, "/lab/populate", json.dumps({"region": region, "nodes": 40}).encode(), JSON)
    try:
        code, answer = ask(local_aws, "/lab/chaos", b'{"stopped": 0.2, "unreachable": 0.2, "seed": 5}', JSON)
        assert code == 200
        assert answer["rates"]["stopped"] == 0.2
        states = Counter(one["State"]["Name"] for one in listed(connect("ec2", region)))
        assert 0 < states["stopped"] < 20
        reasons = Counter(status(local_aws)["regions"][region]["unmanaged"].values())
        assert reasons["the instance is stopped"] == states["stopped"]
        assert 0 < reasons["its agent does not answer"] < 20
    finally:
        ask(local_aws, "/lab/chaos", b"{}", JSON)
    assert {one["State"]["Name"] for one in listed(connect("ec2", region))} == {"running"}
    assert status(local_aws)["regions"][region]["unmanaged"] == {}
    assert ask(local_aws, "/lab/chaos")[1]["rates"]["stopped"] == 0


@pytest.mark.parametrize("body", [b"[]", b'{"fail": 7}', b'{"meteors": 0.1}'])
def test_chaos_that_makes_no_sense_is_refused(local_aws: LocalAws, body: bytes) -> None:
    assert ask(local_aws, "/lab/chaos", body, JSON)[0] == 400
    assert ask(local_aws, "/lab/chaos", body)[0] == 415


def test_events_are_told_from_where_somebody_left_off(local_aws: LocalAws) -> None:
    known = ask(local_aws, "/lab/events")[1]["events"]
    assert [one["number"] for one in known] == sorted({one["number"] for one in known})
    ask(local_aws, "/lab/chaos", b"{}", JSON)
    later = ask(local_aws, f"/lab/events?after={known[-1]['number']}")[1]["events"]
    assert later == [one for one in ask(local_aws, "/lab/events")[1]["events"] if one["number"] > known[-1]["number"]]
    assert ask(local_aws, "/lab/events?after=x")[0] == 400


def listed_tags(ec2: Any, filters: dict[str, list[str]], size: int = 1000) -> list[tuple[str, str, str, str]]:
    given = [{"Name": name, "Values": values} for name, values in filters.items()]
    pages = ec2.get_paginator("describe_tags").paginate(Filters=given, PaginationConfig={"PageSize": size})
    return [
        (one["ResourceId"], one["ResourceType"], one["Key"], one["Value"]) for page in pages for one in page["Tags"]
    ]


def test_the_tags_of_instances_are_listed_page_by_page(ec2: Any) -> None:
    expected = {(one["InstanceId"], "instance", key, value) for one in listed(ec2) for key, value in tags(one).items()}
    found = listed_tags(ec2, {"resource-type": ["instance"]}, 7)
    assert len(found) == len(set(found))
    assert set(found) == expected
    first = ec2.describe_tags(MaxResults=5)
    assert len(first["Tags"]) == 5
    assert first["NextToken"]


@pytest.mark.parametrize(
    ("filters", "test"),
    [
        ({"key": ["Name"]}, lambda tag: tag[2] == "Name"),
        ({"key": ["W*"]}, lambda tag: tag[2].startswith("W")),
        ({"key": ["Workload"], "value": ["Prod", "no such"]}, lambda tag: tag[2:] == ("Workload", "Prod")),
        ({"tag:Workload": ["T?st"]}, lambda tag: tag[2:] == ("Workload", "Test")),
        ({"value": ["Prod"]}, lambda tag: tag[3] == "Prod"),
        ({"tag:Workload": ["Prod"], "key": ["Name"]}, lambda _: False),
        ({"resource-id": ["i-*"], "key": ["Environment"]}, lambda tag: tag[2] == "Environment"),
        ({"resource-type": ["volume"]}, lambda _: False),
    ],
)
def test_tags_are_filtered(ec2: Any, filters: dict[str, list[str]], test: Callable[[Any], bool]) -> None:
    whole = {"resource-type": ["instance"]}
    expected = [one for one in listed_tags(ec2, whole) if test(one)]
    assert listed_tags(ec2, {**whole, **filters}) == expected


def test_tags_are_the_same_with_moto_in_between(ec2: Any) -> None:
    asked: dict[str, Any] = {"Filters": [{"Name": "key", "Values": ["Name", "W*"]}], "MaxResults": 9}
    while True:
        # What asks for a dry run, or for none, is left to moto.
        own, by_moto = ec2.describe_tags(**asked), ec2.describe_tags(**asked, DryRun=False)
        assert own["Tags"] == by_moto["Tags"]
        assert own.get("NextToken") == by_moto.get("NextToken")
        if not own.get("NextToken"):
            break
        asked["NextToken"] = own["NextToken"]


def test_the_tags_of_named_resources_are_listed_in_their_order(ec2: Any) -> None:
    one, other = listed(ec2)[3]["InstanceId"], listed(ec2)[1]["InstanceId"]
    found = listed_tags(ec2, {"resource-id": [one, "i-0123456789abcdef0", other]})
    assert list(dict.fromkeys(tag[0] for tag in found)) == [one, other]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"NextToken": "%%%"}, "InvalidNextToken"),
        ({"MaxResults": 4}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "color", "Values": ["red"]}]}, "InvalidParameterValue"),
    ],
)
def test_tags_that_cannot_be_listed_are_refused(ec2: Any, arguments: dict[str, Any], code: str) -> None:
    assert error_code(lambda: ec2.describe_tags(**arguments)) == code
