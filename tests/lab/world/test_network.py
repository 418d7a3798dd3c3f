"""What a node can reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.world.network import (
    InterfaceEndpoint,
    Network,
    Rule,
    agent_services,
    patching_refusal,
    s3_refusal,
    unreachable,
)
from lab.world.patching_buckets import patching_buckets
from patching.run_patch_baseline import RunPatchBaseline
from tests.lab.simulated import NODE_ROLE, Lab, invocations, work_of

OUT = Rule("tcp", 443, 443, cidr="0.0.0.0/0")
ALL: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


def network(**changes: Any) -> Network:
    """An isolated network, but for what a test adds."""
    fields: dict[str, Any] = {
        "region": "us-east-1",
        "address": "10.0.1.7",
        "groups": ("sg-node",),
        "egress": (OUT,),
        "way_out": "",
        "public": False,
        "dns": True,
        "interfaces": (),
        "s3": {},
    }
    return Network(**{**fields, **changes})


def endpoint(service: str = "ssm", **changes: Any) -> InterfaceEndpoint:
    fields: dict[str, Any] = {
        "id": f"vpce-{service}",
        "service": f"com.amazonaws.us-east-1.{service}",
        "private_dns": True,
        "cidrs": ("10.0.2.0/24",),
        "groups": ("sg-endpoint",),
        "ingress": (Rule("tcp", 443, 443, cidr="10.0.0.0/16"),),
        "policy": ALL,
    }
    return InterfaceEndpoint(**{**fields, **changes})


def problem(around: Network) -> str:
    return unreachable(around, "ssm", NODE_ROLE, ("ssm:UpdateInstanceInformation",))


def test_a_network_that_nobody_describes_reaches_everything() -> None:
    assert unreachable(None, "ssm", NODE_ROLE, ()) == s3_refusal(None, NODE_ROLE, "s3:GetObject", "*") == ""


# By the internet.


@pytest.mark.parametrize(("way_out", "public"), [("nat", False), ("igw", True), ("nat", True)])
def test_a_service_is_reached_by_the_internet(way_out: str, public: bool) -> None:
    assert problem(network(way_out=way_out, public=public)) == ""


def test_without_any_way_a_service_cannot_be_reached() -> None:
    assert problem(network()) == "it cannot reach ssm: no route to the internet, and no endpoint"


def test_an_internet_gateway_serves_public_addresses_only() -> None:
    assert "internet gateway, and it has no public address" in problem(network(way_out="igw"))


@pytest.mark.parametrize(
    ("rule", "out"),
    [
        (Rule("-1", None, None, cidr="0.0.0.0/0"), True),
        (Rule("tcp", 0, 65535, cidr="0.0.0.0/0"), True),
        (Rule("tcp", 80, 80, cidr="0.0.0.0/0"), False),
        (Rule("udp", 443, 443, cidr="0.0.0.0/0"), False),
        (Rule("tcp", 443, 443, cidr="10.0.0.0/8"), False),
        (Rule("tcp", 443, 443, group="sg-endpoint"), False),
        (Rule("tcp", 443, 443), False),
    ],
)
def test_the_security_groups_of_a_node_have_to_let_https_out(rule: Rule, out: bool) -> None:
    found = problem(network(way_out="nat", egress=(rule,)))
    assert found == ("" if out else "it cannot reach ssm: its security groups do not let HTTPS out")


# By interface endpoints.


def test_a_service_is_reached_by_its_endpoint() -> None:
    assert problem(network(interfaces=(endpoint(),))) == ""


def test_an_endpoint_of_another_service_does_not_help() -> None:
    assert problem(network(interfaces=(endpoint("ssmmessages"),))) != ""


@pytest.mark.parametrize(
    ("changes", "dns", "hint"),
    [
        ({"private_dns": False}, True, "the name of ssm does not lead to vpce-ssm: private DNS is off"),
        ({}, False, "does not lead to vpce-ssm: the VPC's DNS support or DNS host names are off"),
    ],
)
def test_the_name_of_a_service_has_to_lead_to_its_endpoint(changes: dict[str, Any], dns: bool, hint: str) -> None:
    isolated = network(interfaces=(endpoint(**changes),), dns=dns)
    assert problem(isolated).endswith(hint)
    assert problem(replace(isolated, way_out="nat")) == ""


@pytest.mark.parametrize(
    ("ingress", "lets"),
    [
        (Rule("tcp", 443, 443, cidr="10.0.1.0/24"), True),
        (Rule("tcp", 443, 443, cidr="10.0.2.0/24"), False),
        (Rule("tcp", 443, 443, group="sg-node"), True),
        (Rule("tcp", 443, 443, group="sg-other"), False),
        (Rule("tcp", 22, 22, cidr="10.0.0.0/16"), False),
    ],
)
def test_an_endpoint_has_to_let_https_in_from_the_node(ingress: Rule, lets: bool) -> None:
    found = problem(network(interfaces=(endpoint(ingress=(ingress,)),)))
    expected = "the security groups of vpce-ssm (ssm) do not let HTTPS in from 10.0.1.7"
    assert found == ("" if lets else expected)


@pytest.mark.parametrize(
    ("egress", "lets"),
    [
        (Rule("tcp", 443, 443, cidr="10.0.0.0/16"), True),
        (Rule("tcp", 443, 443, group="sg-endpoint"), True),
        (Rule("tcp", 443, 443, cidr="10.0.1.0/24"), False),
    ],
)
def test_a_node_has_to_let_https_out_to_the_endpoint(egress: Rule, lets: bool) -> None:
    found = problem(network(egress=(egress,), interfaces=(endpoint(),)))
    assert found == ("" if lets else "its security groups do not let HTTPS out to vpce-ssm (ssm)")


def test_an_endpoint_that_lets_nobody_in_is_in_the_way_of_the_internet() -> None:
    assert "do not let HTTPS in" in problem(network(way_out="nat", interfaces=(endpoint(ingress=()),)))


@pytest.mark.parametrize(
    ("principal", "action", "lets"),
    [
        ("*", "ssm:*", True),
        ({"AWS": "*"}, "ssm:UpdateInstanceInformation", True),
        ({"AWS": NODE_ROLE}, "*", True),
        ({"AWS": "123456789012"}, "*", True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, "*", True),
        ({"AWS": "arn:aws:iam::123456789012:role/other"}, "*", False),
        ("*", "ssm:GetParameter", False),
    ],
)
def test_the_policy_of_an_endpoint_has_to_let_the_role_ask(principal: Any, action: str, lets: bool) -> None:
    policy = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}]}
    found = problem(network(interfaces=(endpoint(policy=policy),)))
    assert found == ("" if lets else "the policy of vpce-ssm does not allow ssm:UpdateInstanceInformation")


# What the agent needs.


@pytest.mark.parametrize(
    ("version", "services"),
    [
        ("3.3.39.9", ("ssm", "ssmmessages", "ec2messages")),
        ("3.3.40.0", ("ssm", "ssmmessages")),
        ("3.10.0.0", ("ssm", "ssmmessages")),
        ("2.3.1550.0", ("ssm", "ssmmessages", "ec2messages")),
    ],
)
def test_only_an_old_agent_needs_ec2messages(version: str, services: tuple[str, ...]) -> None:
    assert agent_services(version) == services


def place(lab: Lab, around: Network) -> str:
    """Put the first instance into a network, and return why it is not managed."""
    (first,) = lab.cloud.running
    lab.cloud.running[first] = replace(lab.cloud.running[first], network=around)
    lab.engine.fleet.nodes()
    return lab.engine.fleet.unmanaged.get(first, "")


def test_a_node_stays_managed_as_long_as_its_agent_reaches_all_of_its_services() -> None:
    lab = Lab()
    node = lab.launch()
    services = ("ssm", "ssmmessages", "ec2messages")
    assert place(lab, network(interfaces=tuple(map(endpoint, services)))) == ""
    for service in services:
        others = tuple(endpoint(one) for one in services if one != service)
        assert place(lab, network(interfaces=others)).startswith(f"it cannot reach {service}: no route")
    assert not node.online
    assert f"{node.id} lost its connection: it cannot reach ssm: no route to the internet" in lab.log


# S3.

S3 = "com.amazonaws.us-east-1.s3"


def allow(*resources: str) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": list(resources)}]}


def refusal(around: Network, resource: str = "arn:aws:s3:::output/key") -> str:
    return s3_refusal(around, NODE_ROLE, "s3:PutObject", resource)


def test_s3_is_reached_by_the_internet_by_a_gateway_or_by_an_interface() -> None:
    assert refusal(network(way_out="nat")) == ""
    assert refusal(network(s3={"vpce-s3": ALL})) == ""
    assert refusal(network(interfaces=(endpoint("s3"),))) == ""
    assert refusal(network()) == "it cannot reach s3: no route to the internet, and no endpoint"


def test_the_policy_of_a_gateway_decides_even_where_there_is_another_way() -> None:
    around = network(way_out="nat", s3={"vpce-s3": allow("arn:aws:s3:::output/*")})
    assert refusal(around) == ""
    assert refusal(around, "arn:aws:s3:::other/key") == (
        "the policy of vpce-s3 does not allow s3:PutObject on arn:aws:s3:::other/key"
    )


def test_the_security_groups_of_a_node_have_to_let_https_out_to_a_gateway() -> None:
    around = network(s3={"vpce-s3": ALL})
    assert refusal(replace(around, egress=(Rule("tcp", 443, 443, prefix_list=S3),))) == ""
    closed = replace(around, egress=(Rule("tcp", 443, 443, cidr="10.0.0.0/16"),))
    assert refusal(closed) == "its security groups do not let HTTPS out to S3"


PATCHING = ("arn:aws:s3:::aws-patch-manager-us-east-1-1970c647d/*", "arn:aws:s3:::patch-baseline-snapshot-us-east-1/*")


def test_patching_needs_two_buckets_of_aws() -> None:
    assert patching_refusal(network(s3={"vpce-s3": allow(*PATCHING)}), NODE_ROLE) == ""
    for lacking in PATCHING:
        policy = allow(*[one for one in PATCHING if one != lacking])
        found = patching_refusal(network(s3={"vpce-s3": policy}), NODE_ROLE)
        assert found == f"the policy of vpce-s3 does not allow s3:GetObject on {lacking.replace('*', 'object')}"


@pytest.mark.parametrize(
    ("region", "buckets"),
    [
        ("eu-west-1", ("aws-patch-manager-eu-west-1-5522fb710", "patch-baseline-snapshot-eu-west-1")),
        ("me-south-1", ("aws-patch-manager-me-south-1-a53fc9dce", "patch-baseline-snapshot-me-south-1-uduvl7q8")),
    ],
)
def test_the_buckets_have_the_names_that_they_have_in_their_region(region: str, buckets: tuple[str, str]) -> None:
    assert patching_buckets(region) == buckets


ENDPOINTS = tuple(map(endpoint, ("ssm", "ssmmessages", "ec2messages")))


def test_a_node_without_s3_fails_to_patch_as_aws_documents() -> None:
    lab = Lab()
    node = lab.launch()
    place(lab, network(interfaces=ENDPOINTS))
    command = lab.run(RunPatchBaseline.scan())
    (invocation,) = invocations(command)
    assert (invocation.details, work_of(invocation).code, node.states) == ("Failed", 156, None)
    assert "Unable to download payload: it cannot reach s3: no route" in work_of(invocation).error
    lab.scan(lab.launch())


def test_a_node_writes_its_output_only_where_its_network_lets_it() -> None:
    lab = Lab()
    lab.launch()
    place(lab, network(interfaces=ENDPOINTS, s3={"vpce-s3": allow(*PATCHING)}))
    command = lab.run(RunPatchBaseline.scan(), bucket="output", log_group="group")
    assert (command.details, lab.cloud.objects, lab.cloud.logs) == ("Success", {}, {})
    assert "not stored: the policy of vpce-s3 does not allow s3:PutObject on arn:aws:s3:::output/" in lab.log
    assert "not logged: it cannot reach logs: no route to the internet" in lab.log
    place(lab, network(interfaces=(*ENDPOINTS, endpoint("logs")), s3={"vpce-s3": ALL}))
    lab.run(RunPatchBaseline.scan(), bucket="output", log_group="group")
    assert len(lab.cloud.objects) == len(lab.cloud.logs) == 1
