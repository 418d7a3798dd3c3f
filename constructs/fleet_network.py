"""The network of a lab's fleet.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html and, for the buckets that
patching reads, https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledgment import HIPAA, NIST, PCI, acknowledge, in_packs

from patching.operating_system import OperatingSystem
from patching.policy.fleet import Network, NetworkKind

_BUCKETS = (
    "amazon-ssm-{}",
    "amazon-ssm-packages-{}",
    # The scripts of AWS-RunPatchBaseline. Each Region's name ends in a suffix of its own, and the stack is for any.
    "aws-patch-manager-{}-*",
    "aws-ssm-{}",
    "aws-ssm-document-attachments-{}",
    # What birdwatcher is elsewhere, in Cape Town and Milan.
    "aws-ssm-distributor-file-{}",
    "aws-windows-downloads-{}",
    # Some Regions' names have a suffix.
    "patch-baseline-snapshot-{}",
    "patch-baseline-snapshot-{}-*",
    "{}-birdwatcher-prod",
)
"""Buckets of AWS's that the agent and patching read from, for a Region."""


class FleetNetwork(Construct):
    """Where the nodes of a fleet are, and the one security group that they have: nothing in, HTTPS and HTTP out.

    Args:
        scope: where it is made.
        id: its name there.
        network: its kind; see `NetworkKind`.
        written_buckets: ARNs of the buckets that the nodes of an isolated network write their output to.
        read_objects: ARNs of further objects that they read.
        logs: whether they write to CloudWatch Logs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        network: Network,
        written_buckets: Sequence[str] = (),
        read_objects: Sequence[str] = (),
        logs: bool = False,
    ) -> None:
        super().__init__(scope, id)
        self._network = network
        self.public = network.kind is NetworkKind.PUBLIC
        self._read = iam.PolicyStatement(actions=["s3:GetObject"], principals=[iam.AnyPrincipal()])
        if network.kind is NetworkKind.EXISTING:
            self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
                self,
                "Resource",
                vpc_id=str(network.vpc_id),
                availability_zones=network.availability_zones,
                private_subnet_ids=network.subnet_ids,
            )
            self.subnets = ec2.SubnetSelection(subnets=self.vpc.private_subnets)
            acknowledge(
                self.vpc,
                "Nothing is added to the route tables of subnets that are there already.",
                "@aws-cdk/aws-ec2:noSubnetRouteTableId",
            )
        else:
            self.vpc = self._made(network.kind)
            self.subnets = ec2.SubnetSelection(subnet_group_name="Public" if self.public else "Private")
        self.security_group = ec2.SecurityGroup(
            self,
            "NodeSecurityGroup",
            vpc=self.vpc,
            description="Nodes of the fleet: out by HTTP and HTTPS, nothing in",
            allow_all_outbound=False,
        )
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "Systems Manager, S3, repositories")
        if network.reaches_internet:
            self.security_group.add_egress_rule(
                ec2.Peer.any_ipv4(), ec2.Port.HTTP, "Ubuntu's repositories, which apt verifies"
            )
        if network.kind is NetworkKind.ISOLATED:
            self._add_endpoints(written_buckets, read_objects, logs=logs)

    def let_reach_repositories(self, system: OperatingSystem) -> None:
        """Let nodes of a system reach their repositories.

        Raises:
            InvalidValueError: they cannot from this network.
        """
        self._network.check_reaches(system)
        if self._network.kind is NetworkKind.ISOLATED:
            self._let_read(system.repository_buckets(Stack.of(self).region))

    def _let_read(self, buckets: Iterable[str]) -> None:
        arns = [f"arn:{Stack.of(self).partition}:s3:::{bucket}/*" for bucket in buckets]
        self._read.add_resources(*(arn for arn in arns if arn not in self._read.resources))

    def _made(self, kind: NetworkKind) -> ec2.Vpc:
        public = ec2.SubnetConfiguration(
            name="Public",
            subnet_type=ec2.SubnetType.PUBLIC,
            cidr_mask=28 if kind is NetworkKind.NAT else 24,
            # A node of a public network asks for its address itself; nothing else there gets one.
            map_public_ip_on_launch=False,
        )
        private = ec2.SubnetConfiguration(
            name="Private",
            subnet_type=(
                ec2.SubnetType.PRIVATE_ISOLATED if kind is NetworkKind.ISOLATED else ec2.SubnetType.PRIVATE_WITH_EGRESS
            ),
            cidr_mask=24,
        )
        subnets = {
            NetworkKind.NAT: [public, private],
            NetworkKind.PUBLIC: [public],
            NetworkKind.ISOLATED: [private],
        }
        vpc = ec2.Vpc(
            self,
            "Resource",
            max_azs=1,
            nat_gateways=1 if kind is NetworkKind.NAT else 0,
            # Emptying the default group's rules takes a custom resource; nothing in this network uses that group.
            restrict_default_security_group=False,
            subnet_configuration=subnets[kind],
        )
        # Amazon Linux's repositories and the command output are in S3: this way they do not pass the NAT gateway.
        self.s3 = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        acknowledge(
            vpc,
            "A lab's network, alive for a day and without a way in: flow logs cost more than they tell.",
            "AwsSolutions-VPC7",
            *in_packs("VPCFlowLogsEnabled", NIST, HIPAA, PCI),
        )
        acknowledge(
            vpc,
            "Nothing in this network uses the default security group; emptying its rules takes a custom resource.",
            *in_packs("VPCDefaultSecurityGroupClosed", NIST, HIPAA, PCI),
        )
        for subnet in vpc.public_subnets:
            acknowledge(
                subnet,
                "The way out: through the NAT gateway, or from nodes whose security group lets nothing in.",
                *in_packs("VPCNoUnrestrictedRouteToIGW", NIST, HIPAA, PCI),
            )
        return vpc

    def _add_endpoints(self, written_buckets: Sequence[str], read_objects: Sequence[str], *, logs: bool) -> None:
        """Make what a node needs without a way to the internet: Systems Manager's endpoints, and S3's with a policy."""
        assert isinstance(self.vpc, ec2.Vpc)  # noqa: S101 only a network of ours is isolated
        endpoints = ec2.SecurityGroup(
            self,
            "EndpointSecurityGroup",
            vpc=self.vpc,
            description="Endpoints of the fleet: in from the nodes by HTTPS",
            allow_all_outbound=False,
        )
        endpoints.add_ingress_rule(self.security_group, ec2.Port.HTTPS, "The nodes of the fleet")
        services = {
            "Ssm": ec2.InterfaceVpcEndpointAwsService.SSM,
            "SsmMessages": ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES,
            "Ec2Messages": ec2.InterfaceVpcEndpointAwsService.EC2_MESSAGES,
        }
        if logs:
            services["Logs"] = ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS
        for name, service in services.items():
            self.vpc.add_interface_endpoint(
                name, service=service, subnets=self.subnets, security_groups=[endpoints], open=False
            )
        stack = Stack.of(self)
        self._let_read(bucket.format(stack.region) for bucket in _BUCKETS)
        self._read.add_resources(*read_objects)
        self.s3.add_to_policy(self._read)
        self.s3.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject", "s3:GetEncryptionConfiguration"],
                resources=[arn for bucket in written_buckets for arn in (bucket, f"{bucket}/*")],
                principals=[iam.AnyPrincipal()],
                conditions={"StringEquals": {"aws:PrincipalAccount": stack.account}},
            )
        )
