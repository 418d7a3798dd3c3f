from __future__ import annotations

from typing import Any

from review.cloud_assembly import CloudAssembly
from review.costs import costs
from review.facts import Facts

WINDOWS_IMAGE = {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": "/aws/ami-windows-latest/x"}


def facts(*resources: dict[str, Any]) -> Facts:
    template = {
        "Parameters": {"Windows": WINDOWS_IMAGE},
        "Resources": {f"R{number}": one for number, one in enumerate(resources)},
    }
    return Facts(CloudAssembly("e", {"s": template}))


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def instance(kind: str, image: Any = "ami-1", **disk: Any) -> dict[str, Any]:
    disks = [{"DeviceName": "/dev/xvda", "Ebs": disk}] if disk else []
    return resource("AWS::EC2::Instance", InstanceType=kind, ImageId=image, BlockDeviceMappings=disks)


def test_what_is_paid_by_the_month_and_by_the_hour_is_added_up() -> None:
    found = costs(
        None,
        facts(
            resource("AWS::KMS::Key"),
            resource("AWS::CloudWatch::Alarm"),
            resource("AWS::CloudWatch::Alarm"),
            resource("AWS::EC2::NatGateway"),
            resource("AWS::EC2::EIP"),
            resource("AWS::SNS::Topic"),
        ),
    )
    assert {one.what: (one.count, one.monthly) for one in found.lines} == {
        "NAT gateway": (1, 32.85),
        "public IPv4 address": (1, 3.65),
        "KMS key": (1, 1.0),
        "CloudWatch alarm on one metric, of standard resolution": (2, 0.2),
    }
    assert found.total == 37.7
    assert found.before is None
    assert (found.region, found.currency) == ("us-east-1", "USD")


def test_instances_cost_by_type_and_system_and_their_volumes_by_size() -> None:
    found = costs(
        None,
        facts(instance("t3.small", VolumeType="gp3", VolumeSize=30), instance("t3.medium", {"Ref": "Windows"})),
    )
    assert {one.what: one.monthly for one in found.lines} == {
        "instance t3.small with Linux, on demand": 15.18,
        "instance t3.medium with Windows, on demand": 43.8,
        "volume gp3": 2.4,
    }


def test_an_interface_endpoint_costs_in_each_of_its_zones_and_a_gateway_nothing() -> None:
    interface = resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=["a", "b"])
    found = costs(None, facts(interface, resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Gateway")))
    assert [(one.count, one.monthly) for one in found.lines] == [(2, 14.6)]


def test_what_has_no_price_is_said() -> None:
    found = costs(None, facts(instance("x9.huge", VolumeType="io2", VolumeSize=100)))
    assert found.total == 0
    assert found.not_priced[:2] == ("instances of the type x9.huge with Linux", "volumes of the type io2")
    assert any("S3" in one for one in found.not_priced)


def test_what_it_cost_before_stands_beside_it() -> None:
    found = costs(facts(resource("AWS::CloudWatch::Dashboard")), facts(resource("AWS::KMS::Key")))
    assert (found.total, found.before) == (1.0, 3.0)
    assert {one.what: (one.before, one.monthly) for one in found.lines} == {
        "KMS key": (0, 1.0),
        "CloudWatch dashboard": (3.0, 0),
    }
