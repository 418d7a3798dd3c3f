"""What a node can reach: the services that its agent talks to, and S3.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html. Network ACLs,
proxies, IPv6 and endpoints in other networks are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

from lab.world import access
from lab.world.patching_buckets import patching_buckets

HTTPS = 443
_ANYWHERE = "0.0.0.0/0"
_WITHOUT_EC2MESSAGES = (3, 3, 40, 0)
"""From this version on the agent uses ssmmessages instead of ec2messages."""


@dataclass(frozen=True)
class Rule:
    """A rule of a security group.

    Attributes:
        protocol: tcp, udp, icmp or -1 for all.
        first: the first port; None for all.
        last: the last port.
        cidr: addresses at the other end; empty if it names none.
        group: security group at the other end; empty if it names none.
        prefix_list: service whose addresses AWS lists, such as com.amazonaws.us-east-1.s3; empty if it names none.
    """

    protocol: str
    first: int | None
    last: int | None
    cidr: str = ""
    group: str = ""
    prefix_list: str = ""

    def lets_https(self, cidr: str, groups: tuple[str, ...] = (), prefix_list: str = "") -> bool:
        """Tell whether it lets HTTPS pass with these addresses, or with a member of these groups, at the other end."""
        port = self.protocol == "-1" or (self.protocol == "tcp" and (self.first or 0) <= HTTPS <= (self.last or 0))
        if not port:
            return False
        if self.group:
            return self.group in groups
        if self.prefix_list:
            return self.prefix_list == prefix_list
        return bool(self.cidr) and _network(cidr).subnet_of(_network(self.cidr))


@dataclass(frozen=True)
class InterfaceEndpoint:
    """An interface endpoint in a node's network.

    Attributes:
        id: its id.
        service: such as com.amazonaws.us-east-1.ssm.
        private_dns: whether the service's own name leads to it.
        cidrs: of the subnets that it is in.
        groups: its security groups.
        ingress: what these let in.
        policy: what may be asked through it.
    """

    id: str
    service: str
    private_dns: bool
    cidrs: tuple[str, ...]
    groups: tuple[str, ...]
    ingress: tuple[Rule, ...]
    policy: Mapping[str, Any]


@dataclass(frozen=True)
class Network:
    """The network around a node.

    Attributes:
        region: the Region.
        address: the node's private address.
        groups: its security groups.
        egress: what these let out.
        way_out: how its subnet reaches the internet: by nat, by igw, or not at all.
        public: whether it has a public address.
        dns: whether the network resolves private names: its DNS support and DNS host names are both on.
        interfaces: the interface endpoints of the network.
        s3: the policies of the gateway endpoints for S3 that its subnet routes to, by their ids.
    """

    region: str
    address: str
    groups: tuple[str, ...]
    egress: tuple[Rule, ...]
    way_out: str
    public: bool
    dns: bool
    interfaces: tuple[InterfaceEndpoint, ...]
    s3: Mapping[str, Mapping[str, Any]]


def agent_services(agent_version: str) -> tuple[str, ...]:
    """Return the services that an agent of this version talks to all the time."""
    version = tuple(int(part) for part in agent_version.split("."))
    older = () if version >= _WITHOUT_EC2MESSAGES else ("ec2messages",)
    return ("ssm", "ssmmessages", *older)


def unreachable(network: Network | None, service: str, role: str, actions: tuple[str, ...]) -> str:
    """Say why a node cannot reach a service, or may not ask it for something; empty if it can and may.

    Args:
        network: the node's network; None for one that can reach everything.
        service: such as `ssm`.
        role: ARN of the node's role.
        actions: what it asks the service for.
    """
    if network is None:
        return ""
    name = f"com.amazonaws.{network.region}.{service}"
    endpoints = [one for one in network.interfaces if one.service == name]
    resolved = [one for one in endpoints if one.private_dns and network.dns]
    if not resolved:
        hint = ""
        if endpoints:
            what = "private DNS is off" if network.dns else "the VPC's DNS support or DNS host names are off"
            hint = f"; the name of {service} does not lead to {endpoints[0].id}: {what}"
        return _no_way_out(network, service, hint)
    # The name leads to the endpoint, even if there is a way to the internet as well.
    endpoint = resolved[0]
    if not any(rule.lets_https(cidr, endpoint.groups) for rule in network.egress for cidr in endpoint.cidrs):
        return f"its security groups do not let HTTPS out to {endpoint.id} ({service})"
    if not any(rule.lets_https(f"{network.address}/32", network.groups) for rule in endpoint.ingress):
        return f"the security groups of {endpoint.id} ({service}) do not let HTTPS in from {network.address}"
    for action in actions:
        if not access.permits_role(endpoint.policy, role, action, "*"):
            return f"the policy of {endpoint.id} does not allow {action}"
    return ""


def s3_refusal(network: Network | None, role: str, action: str, resource: str) -> str:
    """Say why a node cannot do something with S3, as far as its network is concerned; empty if it can."""
    if network is None:
        return ""
    prefixes = f"com.amazonaws.{network.region}.s3"
    if network.s3:
        if not any(rule.lets_https(_ANYWHERE, prefix_list=prefixes) for rule in network.egress):
            return "its security groups do not let HTTPS out to S3"
        refusing = [
            name for name, policy in network.s3.items() if not access.permits_role(policy, role, action, resource)
        ]
        return f"the policy of {refusing[0]} does not allow {action} on {resource}" if refusing else ""
    if any(one.service == prefixes and one.private_dns for one in network.interfaces):
        return unreachable(network, "s3", role, (action,))
    return _no_way_out(network, "s3", "")


def patching_refusal(network: Network | None, role: str) -> str:
    """Say why AWS-RunPatchBaseline cannot fetch what it needs from S3; empty if it can.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html.
    """
    buckets = patching_buckets(network.region) if network else ()
    refusals = (s3_refusal(network, role, "s3:GetObject", f"arn:aws:s3:::{bucket}/object") for bucket in buckets)
    return next(filter(None, refusals), "")


def _no_way_out(network: Network, service: str, hint: str) -> str:
    """Say why a node cannot reach a service by the internet; empty if it can."""
    if not network.way_out:
        return f"it cannot reach {service}: no route to the internet, and no endpoint{hint}"
    if network.way_out == "igw" and not network.public:
        return f"it cannot reach {service}: its route is to an internet gateway, and it has no public address{hint}"
    if not any(rule.lets_https(_ANYWHERE) for rule in network.egress):
        return f"it cannot reach {service}: its security groups do not let HTTPS out{hint}"
    return ""


def _network(cidr: str) -> IPv4Network:
    network = ip_network(cidr, strict=False)
    return network if isinstance(network, IPv4Network) else IPv4Network("255.255.255.255/32")
