"""AWS::EC2::Instance, which moto makes without security groups, metadata options and volumes.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-instance.html.
"""

from __future__ import annotations

from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance

from lab.aws.cloudformation.completed import Replaced, tags_of
from lab.aws.cloudformation.network import tag
from lab.aws.cloudformation.resource import Properties


class InstanceResource(Replaced, CloudFormationModel):
    """An instance with its security groups, metadata options and volumes."""

    moto_class = Instance
    deleted_last = True
    replaces_on = ("AvailabilityZone", "ImageId", "KeyName", "NetworkInterfaces", "PrivateIpAddress", "SubnetId")
    attributes = ("AvailabilityZone", "PrivateDnsName", "PublicDnsName", "PrivateIp", "PublicIp", "InstanceId", "VpcId")

    @classmethod
    def make(cls, resource_name: str, definition: dict[str, Any], account_id: str, region: str) -> Instance:  # noqa: ARG003 moto's other classes need it
        return _launch(definition["Properties"], account_id, region)

    @classmethod
    def complete(cls, resource: Instance, properties: Properties, account_id: str, region: str) -> None:
        backend = ec2_backends[account_id][region]
        tag(resource, properties, account_id, region)
        resource.instance_type = properties.get("InstanceType", resource.instance_type)
        if properties.get("SecurityGroupIds"):
            resource.security_groups = [
                backend.get_security_group_from_id(one) for one in properties["SecurityGroupIds"]
            ]
            resource.nics[0]._group_set = []  # noqa: SLF001 the interface has the instance's groups besides these
        _use_profile(backend, resource, properties.get("IamInstanceProfile", ""))


def _use_profile(backend: Any, instance: Instance, name: str) -> None:  # noqa: ANN401 moto's own class
    """Have an instance use a profile, or none, instead of what it uses."""
    found = backend.iam_instance_profile_associations.get(instance.id)
    if found and found.iam_instance_profile.name != name:
        backend.disassociate_iam_instance_profile(found.association_id)
        found = None
    if name and not found:
        backend.associate_iam_instance_profile(instance.id, iam_instance_profile_name=name)


def _launch(properties: Properties, account_id: str, region: str) -> Any:  # noqa: ANN401 moto's own class
    backend = ec2_backends[account_id][region]
    tags = tags_of(properties)
    volume_tags = tags if properties.get("PropagateTagsToVolumeOnCreation") else {}
    # With a public address asked for, the CDK describes the first network interface instead of the instance.
    first: Properties = next(iter(properties.get("NetworkInterfaces", ())), {})
    reservation = backend.run_instances(
        image_id=properties["ImageId"],
        count=1,
        user_data=properties.get("UserData"),
        security_group_names=[],
        security_group_ids=list(first.get("GroupSet") or properties.get("SecurityGroupIds") or ()),
        instance_type=properties.get("InstanceType", "m1.small"),
        is_instance_type_default="InstanceType" not in properties,
        subnet_id=first.get("SubnetId", properties.get("SubnetId")),
        associate_public_ip=first.get("AssociatePublicIpAddress"),
        ebs_optimized=properties.get("EbsOptimized", False),
        metadata_options=properties.get("MetadataOptions", {}),
        block_device_mappings=properties.get("BlockDeviceMappings", []),
        region_name=region,
        tags={"instance": tags, "volume": volume_tags},
    )
    return reservation.instances[0]
