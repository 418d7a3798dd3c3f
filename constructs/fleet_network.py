"""The network of a lab's fleet."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct


class FleetNetwork(Construct):
    """A small VPC: private subnets in one zone, with one NAT gateway as the way out and no way in.

    Args:
        scope: where it is made.
        id: its name there.
    """

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        self.vpc = ec2.Vpc(
            self,
            "Resource",
            max_azs=1,
            nat_gateways=1,
            # Emptying the default group's rules takes a custom resource; nothing in this network uses that group.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=24),
            ],
        )
        # Amazon Linux's repositories and the command output are in S3: this way they do not pass the NAT gateway.
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.security_group = ec2.SecurityGroup(
            self,
            "NodeSecurityGroup",
            vpc=self.vpc,
            description="Nodes of the fleet: out by HTTP and HTTPS, nothing in",
            allow_all_outbound=False,
        )
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "Systems Manager, S3, repositories")
        self.security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.HTTP, "Ubuntu's repositories, which apt verifies"
        )
        Validations.of(self.vpc).acknowledge(
            Acknowledgment(
                id="AwsSolutions-VPC7",
                reason="A lab's network, alive for a day and without a way in: flow logs cost more than they tell.",
            )
        )
