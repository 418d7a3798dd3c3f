"""How resources are deleted with their stack that moto's CloudFormation makes, and leaves behind."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.vpcs import VPCEndPoint


def install() -> None:
    """Give the classes of moto the method by which its CloudFormation deletes a resource."""
    for kind, delete in (
        (RouteTable, _route_table),
        (NatGateway, _nat_gateway),
        (ElasticAddress, _address),
        (InternetGateway, _internet_gateway),
        (VPCEndPoint, _endpoint),
    ):
        kind.delete = delete


def _route_table(table: Any, account_id: str, region: str) -> None:  # noqa: ANN401 moto's own classes, here and below
    # The subnets and the endpoints that use it go with the same stack.
    for association in list(table._associations):  # noqa: SLF001
        del table._associations[association]  # noqa: SLF001
    ec2_backends[account_id][region].delete_route_table(table.id)


def _nat_gateway(gateway: Any, account_id: str, region: str) -> None:  # noqa: ANN401
    backend = ec2_backends[account_id][region]
    backend.delete_nat_gateway(gateway.id)
    backend.enis.pop(gateway._eni.id, None)  # noqa: SLF001


def _address(address: Any, account_id: str, region: str) -> None:  # noqa: ANN401
    backend = ec2_backends[account_id][region]
    backend.addresses = [one for one in backend.addresses if one is not address]


def _internet_gateway(gateway: Any, account_id: str, region: str) -> None:  # noqa: ANN401
    gateway.vpc = None
    ec2_backends[account_id][region].delete_internet_gateway(gateway.id)


def _endpoint(endpoint: Any, account_id: str, region: str) -> None:  # noqa: ANN401
    backend = ec2_backends[account_id][region]
    # Its routes go with their tables, which may be gone already.
    endpoint.route_table_ids = [one for one in endpoint.route_table_ids if one in backend.route_tables]
    backend.delete_vpc_endpoints([endpoint.id])
