"""Managed nodes through the API: how they are found and described, and machines outside of EC2 among them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.aws.replies import Replies
from tests.lab.aws.test_control import JSON, ask
from tests.lab.aws.world import Connect, error_code

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "me-central-1"
HYBRID = {"Site": "Bonn", "PatchGroup": "racks"}
Advance = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


@pytest.fixture(scope="module")
def instance(launch: Callable[..., list[str]], ssm: Any) -> str:
    (made,) = launch(REGION, 1, Name="web")
    return made


@pytest.fixture(scope="module")
def activation(ssm: Any, roles: dict[str, str]) -> dict[str, str]:
    assert roles
    tags = [{"Key": key, "Value": value} for key, value in HYBRID.items()]
    made = ssm.create_activation(IamRole="sender", DefaultInstanceName="rack 7", RegistrationLimit=2, Tags=tags)
    return dict(made)


@pytest.fixture(scope="module")
def machine(register: Callable[..., str], activation: dict[str, str], instance: str) -> str:
    assert instance
    return register(activation["ActivationId"], activation["ActivationCode"], REGION)


def found(ssm: Any, *filters: tuple[str, str]) -> list[str]:
    wanted = [{"Key": key, "Values": [value]} for key, value in filters]
    pages = ssm.get_paginator("describe_instance_information").paginate(Filters=wanted)
    return [one["InstanceId"] for one in pages.build_full_result()["InstanceInformationList"]]


def test_a_machine_is_described_as_it_was_activated(ssm: Any, machine: str, activation: dict[str, str]) -> None:
    replies = Replies(ssm)
    (node,) = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [machine]}])[
        "InstanceInformationList"
    ]
    assert (node["Name"], node["IamRole"], node["ActivationId"]) == ("rack 7", "sender", activation["ActivationId"])
    assert (node["ResourceType"], node["SourceType"]) == ("ManagedInstance", "AWS::SSM::ManagedInstance")
    assert node["RegistrationDate"].isoformat().startswith("2026-")
    assert replies.problems == []


def test_an_instance_has_no_role_and_no_activation(ssm: Any, instance: str, machine: str) -> None:
    (node,) = ssm.describe_instance_information(Filters=[{"Key": "ResourceType", "Values": ["EC2Instance"]}])[
        "InstanceInformationList"
    ]
    assert node["InstanceId"] == instance
    assert not {"IamRole", "ActivationId", "Name", "RegistrationDate"} & set(node)
    assert machine


def test_nodes_are_found_by_every_key(ssm: Any, instance: str, machine: str, activation: dict[str, str]) -> None:
    assert found(ssm) == [instance, machine]
    assert found(ssm, ("ActivationIds", activation["ActivationId"])) == [machine]
    assert found(ssm, ("IamRole", "sender")) == [machine]
    assert found(ssm, ("ResourceType", "ManagedInstance")) == [machine]
    assert found(ssm, ("SourceTypes", "AWS::EC2::Instance")) == [instance]
    assert found(ssm, ("SourceIds", machine)) == [machine]
    assert found(ssm, ("tag:Site", "Bonn")) == [machine]
    assert found(ssm, ("tag-key", "Name")) == [instance]
    assert found(ssm, ("tag-key", "Site"), ("tag:PatchGroup", "racks")) == [machine]
    assert found(ssm, ("AgentVersion", "1.0.0.0")) == []
    assert found(ssm, ("PlatformTypes", "Linux"), ("PingStatus", "Online")) == [instance, machine]
    assert found(ssm, ("InstanceIds", "i-00000001")) == []


def test_the_older_filters_work_alone(ssm: Any, machine: str) -> None:
    given = [{"key": "ResourceType", "valueSet": ["ManagedInstance"]}]
    (node,) = ssm.describe_instance_information(InstanceInformationFilterList=given)["InstanceInformationList"]
    assert node["InstanceId"] == machine


def test_nodes_tell_how_their_associations_went(ssm: Any, instance: str, machine: str, advance: Advance) -> None:
    for targets, command in (([instance, machine], "ls"), ([machine], "exit 1")):
        ssm.create_association(
            Name="AWS-RunShellScript",
            Parameters={"commands": [command]},
            Targets=[{"Key": "InstanceIds", "Values": targets}],
        )
    advance(hours=1)
    replies = Replies(ssm)
    well, badly = ssm.describe_instance_information()["InstanceInformationList"]
    assert (well["AssociationStatus"], badly["AssociationStatus"]) == ("Success", "Failed")
    assert badly["AssociationOverview"]["InstanceAssociationStatusAggregatedCount"] == {"Success": 1, "Failed": 1}
    assert badly["LastSuccessfulAssociationExecutionDate"] <= badly["LastAssociationExecutionDate"]
    assert found(ssm, ("AssociationStatus", "Failed")) == [machine]
    assert replies.problems == []


def properties(ssm: Any, **given: Any) -> list[dict[str, Any]]:
    return list(
        ssm.get_paginator("describe_instance_properties").paginate(**given).build_full_result()["InstanceProperties"]
    )


def test_properties_have_what_ec2_knows_of_an_instance(ssm: Any, instance: str, machine: str, connect: Connect) -> None:
    replies = Replies(ssm)
    of_instance, of_machine = properties(ssm)
    reservation = connect("ec2", REGION).describe_instances(InstanceIds=[instance])["Reservations"][0]
    known = reservation["Instances"][0]
    assert of_instance["InstanceType"] == known["InstanceType"]
    assert of_instance["AvailabilityZone"] == known["Placement"]["AvailabilityZone"]
    assert of_instance["InstanceRole"] == known["IamInstanceProfile"]["Arn"]
    assert (of_instance["Name"], of_instance["InstanceState"]) == ("web", "running")
    assert (of_machine["InstanceId"], of_machine["Name"], "InstanceType" in of_machine) == (machine, "rack 7", False)
    assert replies.problems == []


@pytest.mark.parametrize(
    ("key", "operator", "value", "kinds"),
    [
        ("ResourceType", "Equal", "EC2Instance", {"EC2Instance"}),
        ("ResourceType", "NotEqual", "EC2Instance", {"ManagedInstance"}),
        ("ResourceType", "BeginWith", "Man", {"ManagedInstance"}),
        ("AgentVersion", "GreaterThan", "3.3.100.0", {"EC2Instance", "ManagedInstance"}),
        ("AgentVersion", "LessThan", "3.3.100.0", set()),
        ("AgentVersion", "LessThan", "3.3.10000.0", {"EC2Instance", "ManagedInstance"}),
        ("AgentVersion", "GreaterThan", "3.3.10000.0", set()),
    ],
)
def test_properties_are_filtered_with_operators(
    ssm: Any, machine: str, key: str, operator: str, value: str, kinds: set[str]
) -> None:
    assert machine
    asked = [{"Key": key, "Values": [value], "Operator": operator}]
    assert {one["ResourceType"] for one in properties(ssm, FiltersWithOperator=asked)} == kinds


def test_properties_are_filtered_by_what_ran(ssm: Any, machine: str, instance: str) -> None:
    assert machine
    asked = [{"key": "DocumentName", "valueSet": ["AWS-RunShellScript"]}]
    assert len(properties(ssm, InstancePropertyFilterList=asked)) == 2
    assert properties(ssm, InstancePropertyFilterList=[{"key": "DocumentName", "valueSet": ["AWS-Noop"]}]) == []
    (one,) = properties(ssm, InstancePropertyFilterList=[{"key": "InstanceIds", "valueSet": [instance]}])
    assert one["InstanceId"] == instance


def test_a_machine_is_targeted_by_its_tags_and_patched(ssm: Any, machine: str, advance: Advance) -> None:
    targets = [{"Key": "tag:Site", "Values": ["Bonn"]}]
    scan = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}}
    command = ssm.send_command(**scan, Targets=targets)["Command"]["CommandId"]
    advance(hours=1)
    (invocation,) = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
    assert (invocation["InstanceId"], invocation["Status"]) == (machine, "Success")
    (state,) = ssm.describe_instance_patch_states(InstanceIds=[machine])["InstancePatchStates"]
    assert (state["PatchGroup"], state["MissingCount"] > 0) == ("racks", True)


def tags(ssm: Any, kind: str, resource: str) -> dict[str, str]:
    listed = ssm.list_tags_for_resource(ResourceType=kind, ResourceId=resource)["TagList"]
    return {one["Key"]: one["Value"] for one in listed}


def test_the_tags_of_a_machine_change(ssm: Any, machine: str) -> None:
    given = {"ResourceType": "ManagedInstance", "ResourceId": machine}
    ssm.add_tags_to_resource(**given, Tags=[{"Key": "Rack", "Value": "7"}, {"Key": "Site", "Value": "Bern"}])
    assert tags(ssm, "ManagedInstance", machine) == {**HYBRID, "Site": "Bern", "Rack": "7"}
    assert found(ssm, ("tag:Rack", "7")) == [machine]
    ssm.remove_tags_from_resource(**given, TagKeys=["Rack", "Gone"])
    assert found(ssm, ("tag:Rack", "7")) == []
    ssm.add_tags_to_resource(**given, Tags=[{"Key": "Site", "Value": "Bonn"}])
    assert tags(ssm, "ManagedInstance", machine) == HYBRID


def test_an_instance_has_its_tags_from_ec2(ssm: Any, instance: str) -> None:
    assert error_code(lambda: tags(ssm, "ManagedInstance", instance)) == "InvalidResourceId"


def test_baselines_windows_and_associations_have_tags(ssm: Any, instance: str) -> None:
    one = [{"Key": "Team", "Value": "a"}]
    baseline = ssm.create_patch_baseline(Name="tagged", Tags=one)["BaselineId"]
    assert tags(ssm, "PatchBaseline", baseline) == {"Team": "a"}
    window = ssm.create_maintenance_window(
        Name="tagged", Schedule="rate(1 day)", Duration=2, Cutoff=1, AllowUnassociatedTargets=True
    )["WindowId"]
    association = ssm.create_association(
        Name="AWS-RunShellScript", Parameters={"commands": ["ls"]}, InstanceId=instance
    )
    for kind, resource in (
        ("MaintenanceWindow", window),
        ("Association", association["AssociationDescription"]["AssociationId"]),
        ("PatchBaseline", baseline),
    ):
        ssm.add_tags_to_resource(ResourceType=kind, ResourceId=resource, Tags=[{"Key": "b", "Value": "c"}])
        assert tags(ssm, kind, resource)["b"] == "c"
        ssm.remove_tags_from_resource(ResourceType=kind, ResourceId=resource, TagKeys=["b"])
        assert "b" not in tags(ssm, kind, resource)


def test_a_resource_has_fifty_tags_at_most_and_none_of_aws(ssm: Any, machine: str) -> None:
    given = {"ResourceType": "ManagedInstance", "ResourceId": machine}
    many = [{"Key": f"key-{number}", "Value": ""} for number in range(49)]
    assert error_code(lambda: ssm.add_tags_to_resource(**given, Tags=many)) == "TooManyTagsError"
    reserved = [{"Key": "aws:mine", "Value": ""}]
    assert error_code(lambda: ssm.add_tags_to_resource(**given, Tags=reserved)) == "ValidationException"
    assert tags(ssm, "ManagedInstance", machine) == HYBRID


def test_an_activation_is_described_and_found(ssm: Any, activation: dict[str, str], machine: str) -> None:
    assert machine
    replies = Replies(ssm)
    key, other = activation["ActivationId"], ssm.create_activation(IamRole="sender", Description="Spare")
    (described,) = ssm.describe_activations(Filters=[{"FilterKey": "ActivationIds", "FilterValues": [key]}])[
        "ActivationList"
    ]
    assert (described["RegistrationsCount"], described["RegistrationLimit"], described["Expired"]) == (1, 2, False)
    assert (described["ExpirationDate"] - described["CreatedDate"]).total_seconds() == 24 * 60 * 60
    assert {one["Key"]: one["Value"] for one in described["Tags"]} == HYBRID
    (named,) = ssm.describe_activations(Filters=[{"FilterKey": "DefaultInstanceName", "FilterValues": ["rack 7"]}])[
        "ActivationList"
    ]
    assert named["ActivationId"] == key
    assert len(ssm.describe_activations()["ActivationList"]) == 2
    ssm.delete_activation(ActivationId=other["ActivationId"])
    assert len(ssm.describe_activations()["ActivationList"]) == 1
    assert replies.problems == []


def test_an_activation_has_a_date_by_the_clock_of_the_lab(ssm: Any, advance: Advance) -> None:
    now = advance(hours=0)["now"]
    made = ssm.create_activation(IamRole="sender", ExpirationDate=now[:8] + "30T00:00:00Z")["ActivationId"]
    asked = [{"FilterKey": "ActivationIds", "FilterValues": [made]}]
    (described,) = ssm.describe_activations(Filters=asked)["ActivationList"]
    assert described["ExpirationDate"].isoformat().startswith(now[:8] + "30T00:00:00")
    ssm.delete_activation(ActivationId=made)


def test_the_lab_says_why_a_machine_was_not_registered(local_aws: LocalAws, activation: dict[str, str]) -> None:
    body = {
        "region": REGION,
        "activation_id": activation["ActivationId"],
        "activation_code": "wrong",
        "image": "UBUNTU",
        "computer_name": "",
    }
    status, answer = ask(local_aws, "/lab/register", json.dumps(body).encode(), JSON)
    assert (status, answer) == (400, {"error": "There is no activation with this id and this code."})
    refused: list[Any] = [{**body, "image": 1}, {**body, "region": "mars-1"}, {"region": REGION}, []]
    for broken in refused:
        status, answer = ask(local_aws, "/lab/register", json.dumps(broken).encode(), JSON)
        assert status == 400
        assert answer["error"].startswith("expected texts region, activation_id")
    assert ask(local_aws, "/lab/register", b"{}")[0] == 415


def test_a_machine_that_is_deregistered_is_gone(ssm: Any, register: Callable[..., str], roles: dict[str, str]) -> None:
    assert roles
    made = ssm.create_activation(IamRole="sender")
    node = register(made["ActivationId"], made["ActivationCode"], REGION, "UBUNTU")
    ssm.update_managed_instance_role(InstanceId=node, IamRole="sender")
    assert ssm.get_connection_status(Target=node) | {"ResponseMetadata": {}} == {
        "Target": node,
        "Status": "connected",
        "ResponseMetadata": {},
    }
    ssm.deregister_managed_instance(InstanceId=node)
    assert node not in found(ssm)
    assert ssm.get_connection_status(Target=node)["Status"] == "notconnected"
