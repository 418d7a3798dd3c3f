"""The network around an instance, read from moto's own backend."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from moto.ec2.models import EC2Backend

from lab.world.network import InterfaceEndpoint, Network, Rule

_ANYWHERE = "0.0.0.0/0"


def network_of(backend: EC2Backend, region: str, instance: Any) -> Network | None:  # noqa: ANN401 moto's own class
    """Return the network around an instance; None in the default VPC, which AWS makes with a way out of it."""
    subnet = backend.get_subnet(instance.subnet_id) if instance.subnet_id else None
    vpc = backend.vpcs.get(subnet.vpc_id) if subnet else None
    if subnet is None or vpc is None or vpc.is_default:
        return None
    table = _route_table(backend, subnet)
    groups = [backend.get_security_group_from_id(one.id) for one in instance.nics[0].group_set]
    endpoints = [one for one in backend.vpc_end_points.values() if one.vpc_id == vpc.id and one.state == "available"]
    return Network(
        region=region,
        address=instance.private_ip,
        groups=tuple(one.id for one in groups),
        egress=_rules(backend, (rule for one in groups for rule in one.egress_rules)),
        way_out=_way_out(backend, table),
        public=bool(instance.public_ip),
        dns=_on(vpc.enable_dns_support) and _on(vpc.enable_dns_hostnames),
        interfaces=tuple(_interface(backend, one) for one in endpoints if _is_interface(one)),
        s3={
            one.id: json.loads(one.policy_document)
            for one in endpoints
            if one.service_name == f"com.amazonaws.{region}.s3" and table and table.id in one.route_table_ids
        },
    )


def _route_table(backend: EC2Backend, subnet: Any) -> Any:  # noqa: ANN401 moto's own classes, here and below
    """Return the route table of a subnet: its own, or its VPC's main one."""
    tables = [one for one in backend.route_tables.values() if one.vpc_id == subnet.vpc_id]
    own = [one for one in tables if subnet.id in one._associations.values()]  # noqa: SLF001 moto tells it nowhere else
    main = [one for one in tables if one.main_association_id]
    return next(iter([*own, *main]), None)


def _way_out(backend: EC2Backend, table: Any) -> str:  # noqa: ANN401
    """Tell by what a route table leads to the internet; a NAT gateway has to be in a subnet that leads there itself."""
    for route in table.routes if table else ():
        if route.destination_cidr_block != _ANYWHERE:
            continue
        if route.gateway and route.gateway.id.startswith("igw-"):
            return "igw"
        if route.nat_gateway:
            of_gateway = _route_table(backend, backend.get_subnet(route.nat_gateway.subnet_id))
            if any(
                one.destination_cidr_block == _ANYWHERE and one.gateway and one.gateway.id.startswith("igw-")
                for one in of_gateway.routes
            ):
                return "nat"
    return ""


def _is_interface(endpoint: Any) -> bool:  # noqa: ANN401
    return str(endpoint.vpc_endpoint_type).lower() == "interface"


def _interface(backend: EC2Backend, endpoint: Any) -> InterfaceEndpoint:  # noqa: ANN401
    named = [backend.get_security_group_from_id(one) for one in endpoint.security_group_ids]
    groups = named or [backend.get_security_group_by_name_or_id("default", endpoint.vpc_id)]
    return InterfaceEndpoint(
        id=endpoint.id,
        service=endpoint.service_name,
        private_dns=_on(endpoint.private_dns_enabled),
        cidrs=tuple(backend.get_subnet(one).cidr_block for one in endpoint.subnet_ids or ()),
        groups=tuple(one.id for one in groups if one),
        ingress=_rules(backend, (rule for one in groups if one for rule in one.ingress_rules)),
        policy=json.loads(endpoint.policy_document),
    )


def _rules(backend: EC2Backend, rules: Iterable[Any]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            protocol=str(one.ip_protocol),
            first=one.from_port,
            last=one.to_port,
            cidr=one.cidr_ipv4 or "",
            group=(one.source_group or {}).get("GroupId", ""),
            prefix_list=_service(backend, one.prefix_list_id),
        )
        for one in rules
    )


def _service(backend: EC2Backend, prefix_list: str | None) -> str:
    found = backend.managed_prefix_lists.get(prefix_list) if prefix_list else None
    return str(found.prefix_list_name) if found else prefix_list or ""


def _on(value: Any) -> bool:  # noqa: ANN401 moto keeps booleans, text and None
    return str(value).lower() == "true"
