"""A node of a lab's fleet."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledgment import HIPAA, NIST, PCI, acknowledge, in_packs
from constructs.fleet_network import FleetNetwork

from patching.instance_type import IMAGE_PARAMETER, INSTANCE_TYPE, check_processors, check_virtual, check_volume
from patching.operating_system import OperatingSystem, PlatformType
from patching.tags import check_instance_tags


class FleetNode(Construct):
    """An EC2 instance that Systems Manager manages.

    It takes instance metadata by IMDSv2 only, has an encrypted root volume, no key pair, and a public address only in
    a public network.

    Args:
        scope: where it is made.
        id: its name there.
        name: the instance's Name tag.
        operating_system: what the image holds.
        image_parameter: public SSM parameter with the image's id, read at every deployment: an instance whose parameter
            has a new value then is replaced.
        instance_type: such as t3.small.
        volume_gib: size of the root volume in GiB.
        tags: tags of the instance and its volume.
        network: where it is.
        profile: profile with the role that says what the instance may do.

    Raises:
        InvalidValueError: an instance type, an image, a volume or tags that AWS or a lab does not take, an image for
            other processors than the instance has, or a system whose repositories cannot be reached from the network.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        operating_system: OperatingSystem,
        image_parameter: str,
        instance_type: str,
        volume_gib: int,
        tags: Mapping[str, str],
        network: FleetNetwork,
        profile: iam.IInstanceProfile,
    ) -> None:
        super().__init__(scope, id)
        INSTANCE_TYPE.check(instance_type)
        IMAGE_PARAMETER.check(image_parameter)
        check_processors(instance_type, image_parameter)
        check_virtual(operating_system)
        check_volume(volume_gib)
        check_instance_tags(tags)
        network.let_reach_repositories(operating_system)
        windows = operating_system.platform_type is PlatformType.WINDOWS
        user_data = ec2.UserData.for_windows() if windows else ec2.UserData.for_linux()
        if "/ecs/" in image_parameter:
            # The image is an ECS host's; this one is no part of a cluster.
            user_data.add_commands("systemctl disable --now --no-block ecs docker")
        self.instance = ec2.Instance(
            self,
            "Resource",
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            associate_public_ip_address=network.public or None,
            security_group=network.security_group,
            instance_type=ec2.InstanceType(instance_type),
            machine_image=ec2.MachineImage.from_ssm_parameter(
                image_parameter,
                os=ec2.OperatingSystemType.WINDOWS if windows else ec2.OperatingSystemType.LINUX,
                user_data=user_data,
            ),
            instance_profile=profile,
            http_tokens=ec2.HttpTokens.REQUIRED,
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda" if operating_system is OperatingSystem.AMAZON_LINUX_2023 else "/dev/sda1",
                    volume=ec2.BlockDeviceVolume.ebs(
                        volume_gib, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3, delete_on_termination=True
                    ),
                )
            ],
            instance_name=name,
            ebs_optimized=True,
            propagate_tags_to_volume_on_creation=True,
        )
        for key, value in tags.items():
            Tags.of(self).add(key, value)
        acknowledge(
            self.instance,
            "A lab's node: metrics every five minutes are enough.",
            "AwsSolutions-EC28",
            "HIPAA.Security-EC2InstanceDetailedMonitoringEnabled",
        )
        acknowledge(self.instance, "A lab's node: destroying the lab has to take it along.", "AwsSolutions-EC29")
        if network.public:
            acknowledge(
                self.instance,
                "The policy wants this network, without a NAT gateway: the address is the way out, and the security "
                "group lets nothing in.",
                *in_packs("EC2InstanceNoPublicIp", NIST, HIPAA, PCI),
            )
            acknowledge(
                self.instance,
                "It is in a VPC: with a public address of its own, its subnet is named by its network interface.",
                *in_packs("EC2InstancesInVPC", NIST, HIPAA, PCI),
            )
