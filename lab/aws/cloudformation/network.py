"""The network of a template, which moto makes only in part: what a node can reach depends on the rest.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC, VPCEndPoint

from lab.aws.cloudformation.completed import Replaced, tags_of
from lab.aws.cloudformation.resource import Properties, Resource

_NAMES = ("SourceSecurityGroupId", "DestinationSecurityGroupId")
_LISTS = ("SourcePrefixListId", "DestinationPrefixListId")


class VpcResource(Replaced, CloudFormationModel):
    """A VPC, with what it says of DNS: names of endpoints are only resolved where both are on."""

    moto_class = VPC
    deleted_last = True
    replaces_on = ("CidrBlock",)
    attributes = ("CidrBlock", "DefaultNetworkAcl", "DefaultSecurityGroup", "VpcId")

    @classmethod
    def complete(cls, resource: VPC, properties: Properties, account_id: str, region: str) -> None:
        resource.enable_dns_support = _on(properties.get("EnableDnsSupport", True))
        resource.enable_dns_hostnames = _on(properties.get("EnableDnsHostnames", False))
        tag(resource, properties, account_id, region)


class SubnetResource(Replaced, CloudFormationModel):
    """A subnet, with whether its instances get public addresses."""

    moto_class = Subnet
    deleted_last = True
    replaces_on = ("AvailabilityZone", "CidrBlock", "VpcId")

    @classmethod
    def complete(cls, resource: Subnet, properties: Properties, account_id: str, region: str) -> None:
        resource.map_public_ip_on_launch = _on(properties.get("MapPublicIpOnLaunch", False))
        tag(resource, properties, account_id, region)


class SecurityGroupResource(Replaced, CloudFormationModel):
    """A security group with its rules, both ways. Rules that are resources of their own stay with it."""

    moto_class = SecurityGroup
    name_property = "GroupName"
    deleted_last = True
    replaces_on = ("GroupDescription", "GroupName", "VpcId")
    attributes = ("GroupId", "VpcId")

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        return {key: value for key, value in properties.items() if key != "SecurityGroupIngress"}

    @classmethod
    def complete(cls, resource: SecurityGroup, properties: Properties, account_id: str, region: str) -> None:
        backend = ec2_backends[account_id][region]
        # What the template says takes the place of the rule that lets everything out.
        resource.egress_rules = [one for one in resource.egress_rules if not _is_default(one)]
        if not properties.get("SecurityGroupEgress"):
            out = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
            resource.egress_rules.append(_rule(backend, resource.id, out, egress=True))
        for rules, key, egress in (
            (resource.ingress_rules, "SecurityGroupIngress", False),
            (resource.egress_rules, "SecurityGroupEgress", True),
        ):
            rules[:] = [one for one in rules if not getattr(one, "lab_inline", False)]
            for said in properties.get(key, ()):
                rule = _rule(backend, resource.id, said, egress=egress)
                rule.lab_inline = True
                rules.append(rule)
        tag(resource, properties, account_id, region)


class _RuleResource(Resource):
    """A rule of a security group that is a resource of its own."""

    egress = False

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        backend = ec2_backends[account_id][region]
        group = backend.get_security_group_from_id(properties["GroupId"])
        if group is None:
            raise ValidationError(message=f"The security group {properties['GroupId']} does not exist")
        rule = _rule(backend, group.id, properties, egress=cls.egress)
        (group.egress_rules if cls.egress else group.ingress_rules).append(rule)
        return cls(rule.id, properties, account_id, region)

    @classmethod
    def replaced_by(cls, properties: Properties) -> frozenset[str]:  # noqa: ARG003
        return frozenset({"CidrIp", "CidrIpv6", "FromPort", "GroupId", "IpProtocol", "ToPort", *_NAMES, *_LISTS})

    def change(self, properties: Properties) -> None:
        """Keep it: but for its description nothing can change."""

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        group = ec2_backends[self.account_id][self.region].get_security_group_from_id(self.properties["GroupId"])
        for rules in (group.egress_rules, group.ingress_rules) if group else ():
            rules[:] = [one for one in rules if one.id != self._physical_id]


class SecurityGroupIngressResource(_RuleResource, CloudFormationModel):
    """A rule that lets something in."""

    type_name = "AWS::EC2::SecurityGroupIngress"


class SecurityGroupEgressResource(_RuleResource, CloudFormationModel):
    """A rule that lets something out."""

    type_name = "AWS::EC2::SecurityGroupEgress"
    egress = True


class VpcEndpointResource(Replaced, CloudFormationModel):
    """An endpoint of a service in a VPC, as an interface or a gateway."""

    moto_class = VPCEndPoint
    deleted_last = True
    replaces_on = ("ServiceName", "VpcEndpointType", "VpcId")
    attributes = ("Id",)

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        document = properties.get("PolicyDocument")
        return {
            "VpcEndpointType": "Gateway",
            **properties,
            "PolicyDocument": json.dumps(document) if isinstance(document, dict) else document,
            "RouteTableIds": properties.get("RouteTableIds", []),
            "SubnetIds": list(properties.get("SubnetIds", [])),
        }

    @classmethod
    def complete(cls, resource: VPCEndPoint, properties: Properties, account_id: str, region: str) -> None:
        backend, said = ec2_backends[account_id][region], cls.prepared(properties)
        resource.policy_document = said["PolicyDocument"] or json.dumps(VPCEndPoint.DEFAULT_POLICY)
        resource.private_dns_enabled = _on(properties.get("PrivateDnsEnabled", False))
        resource.security_group_ids = list(properties.get("SecurityGroupIds", []))
        resource.subnet_ids = said["SubnetIds"]
        prefixes = resource.destination_prefix_list_id
        before, wanted = set(resource.route_table_ids), set(said["RouteTableIds"])
        if prefixes:
            for table in before - wanted:
                backend.delete_route(table, None, destination_prefix_list_id=prefixes)
            for table in wanted - before:
                backend.create_route(table, None, gateway_id=resource.id, destination_prefix_list_id=prefixes)
        resource.route_table_ids = list(said["RouteTableIds"])
        tag(resource, properties, account_id, region)


def _on(value: Any) -> bool:  # noqa: ANN401 a template's boolean may be text
    return str(value).lower() == "true"


def tag(resource: Any, properties: Properties, account_id: str, region: str) -> None:  # noqa: ANN401 moto's own classes
    """Give a resource of EC2 just the tags of its template, and leave those of CloudFormation itself."""
    wanted = tags_of(properties)
    kept = {"aws:cloudformation:stack-name", "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"}
    gone = {tag["key"]: None for tag in resource.get_tags() if tag["key"] not in {*wanted, *kept}}
    if gone:
        ec2_backends[account_id][region].delete_tags([resource.id], gone)
    resource.add_tags(wanted)


def _is_default(rule: SecurityGroupRule) -> bool:
    return rule.ip_protocol == "-1" and rule.cidr_ipv4 == "0.0.0.0/0" and not hasattr(rule, "lab_inline")


def _rule(backend: EC2Backend, group_id: str, said: Properties, *, egress: bool) -> SecurityGroupRule:
    addresses = {key: said[key] for key in ("CidrIp", "CidrIpv6") if said.get(key)}
    if said.get("Description"):
        addresses["Description"] = said["Description"]
    other, prefixes = _first(said, _NAMES), _first(said, _LISTS)
    return SecurityGroupRule(
        backend,
        said["IpProtocol"],
        group_id,
        said.get("FromPort", -1),
        said.get("ToPort", -1),
        addresses,
        {"GroupId": other} if other else None,
        {"PrefixListId": prefixes} if prefixes else None,
        is_egress=egress,
    )


def _first(said: Properties, keys: Iterable[str]) -> str:
    return next((said[key] for key in keys if said.get(key)), "")
