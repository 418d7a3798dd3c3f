"""The ways in and out of a template's network: gateways, addresses, route tables and their routes.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/.
"""

from __future__ import annotations

import contextlib

from moto.core.common_models import CloudFormationModel
from moto.core.exceptions import ServiceException
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.route_tables import Route, RouteTable

from lab.aws.cloudformation.completed import Replaced
from lab.aws.cloudformation.network import tag
from lab.aws.cloudformation.resource import Properties, Resource


class _Tagged(Replaced):
    """A resource of which moto makes everything but what changes: its tags."""

    deleted_last = True

    @classmethod
    def complete(cls, resource: RouteTable, properties: Properties, account_id: str, region: str) -> None:
        tag(resource, properties, account_id, region)


class RouteTableResource(_Tagged, CloudFormationModel):
    """A route table."""

    moto_class = RouteTable
    replaces_on = ("VpcId",)
    attributes = ("RouteTableId",)


class InternetGatewayResource(_Tagged, CloudFormationModel):
    """An internet gateway."""

    moto_class = InternetGateway
    attributes = ("InternetGatewayId",)


class NatGatewayResource(_Tagged, CloudFormationModel):
    """A NAT gateway."""

    moto_class = NatGateway
    replaces_on = ("AllocationId", "ConnectivityType", "SubnetId")
    attributes = ("NatGatewayId",)


class AddressResource(_Tagged, CloudFormationModel):
    """An address that stays."""

    moto_class = ElasticAddress
    replaces_on = ("Domain",)
    attributes = ("AllocationId", "PublicIp")


class RouteTableAssociationResource(Resource, CloudFormationModel):
    """The route table of a subnet. moto's own is one that nothing else of moto looks at."""

    type_name = "AWS::EC2::SubnetRouteTableAssociation"
    replaces_on = frozenset({"SubnetId"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        made = ec2_backends[account_id][region].associate_route_table(
            properties["RouteTableId"], subnet_id=properties["SubnetId"]
        )
        return cls(made, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        backend = ec2_backends[self.account_id][self.region]
        self._physical_id = backend.replace_route_table_association(self._physical_id, properties["RouteTableId"])

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        # Its route table may be gone already, and the association with it.
        for table in ec2_backends[self.account_id][self.region].route_tables.values():
            table._associations.pop(self._physical_id, None)  # noqa: SLF001 moto has no other way


class RouteResource(Resource, CloudFormationModel):
    """A route. moto leaves it where it is when its stack no longer has it."""

    type_name = "AWS::EC2::Route"
    replaces_on = frozenset({"DestinationCidrBlock", "DestinationIpv6CidrBlock", "RouteTableId"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        made = Route.create_from_cloudformation_json("", {"Properties": properties}, account_id, region)
        return cls(made.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        self.delete(self.account_id, self.region)
        Route.create_from_cloudformation_json("", {"Properties": properties}, self.account_id, self.region)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        table = ec2_backends[self.account_id][self.region].route_tables.get(self.properties["RouteTableId"])
        if table:
            table._routes.pop(self._physical_id, None)  # noqa: SLF001 its table is all that has it


class GatewayAttachmentResource(Resource, CloudFormationModel):
    """An internet gateway in a VPC."""

    type_name = "AWS::EC2::VPCGatewayAttachment"
    replaces_on = frozenset({"InternetGatewayId", "VpcId"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        gateway, vpc = properties["InternetGatewayId"], properties["VpcId"]
        ec2_backends[account_id][region].attach_internet_gateway(internet_gateway_id=gateway, vpc_id=vpc)
        return cls(f"IGW|{vpc}", properties, account_id, region)

    def change(self, properties: Properties) -> None:
        """Keep it: there is nothing else that could change."""

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        backend = ec2_backends[self.account_id][self.region]
        # Either of the two may be gone already.
        with contextlib.suppress(ServiceException):
            backend.detach_internet_gateway(self.properties["InternetGatewayId"], self.properties["VpcId"])
