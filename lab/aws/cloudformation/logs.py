"""AWS::Logs::LogGroup.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html and, for
the key, https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel
from moto.logs.models import LogGroup, logs_backends

from lab.aws.cloudformation import resource as resources
from lab.aws.cloudformation.completed import Completed, tags_of
from lab.aws.cloudformation.resource import Properties, made
from lab.aws.ssm.operation import refuse
from lab.world import access

_KEY_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
)
_NOT_EMULATED = ("DataProtectionPolicy", "DeletionProtectionEnabled", "FieldIndexPolicies", "ResourcePolicyDocument")


class LogGroupResource(Completed, CloudFormationModel):
    """A log group with its retention and its key, which moto leaves out and cannot change."""

    moto_class = LogGroup
    name_property = "LogGroupName"
    replaces_on = ("LogGroupName",)
    deleted_last = True

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401 moto's own signature
    ) -> LogGroup:
        properties = cloudformation_json["Properties"]
        made(cls.cloudformation_type(), lambda: refuse(properties, *_NOT_EMULATED))
        if resource_name in logs_backends[account_id][region_name].groups:
            raise ValidationError(message=f"Log group {resource_name} already exists")
        _check_key(properties, resource_name, account_id, region_name)
        group: LogGroup = super().create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        return group

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: LogGroup,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> LogGroup:
        properties = cloudformation_json["Properties"]
        if properties.get("LogGroupName", original_resource.name) != original_resource.name:
            return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
        made(cls.cloudformation_type(), lambda: refuse(properties, *_NOT_EMULATED))
        _check_key(properties, original_resource.name, account_id, region_name)
        group: LogGroup = super().update_from_cloudformation_json(
            original_resource, new_resource_name, cloudformation_json, account_id, region_name
        )
        return group

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        return {key: value for key, value in properties.items() if key == "LogGroupName"}

    @classmethod
    def complete(cls, resource: LogGroup, properties: Properties, account_id: str, region: str) -> None:
        resource.set_retention_policy(properties.get("RetentionInDays"))
        resource.kms_key_id = properties.get("KmsKeyId")
        backend, tags = logs_backends[account_id][region], tags_of(properties)
        gone = set(backend.list_tags_for_resource(resource.arn)) - set(tags)
        backend.untag_resource(resource.arn, list(gone))
        backend.tag_resource(resource.arn, tags)


def _check_key(properties: Properties, name: str, account_id: str, region: str) -> None:
    """Refuse a key whose policy does not let CloudWatch Logs use it for this log group, as the service does."""
    key = properties.get("KmsKeyId")
    if not key:
        return
    arn = f"arn:aws:logs:{region}:{account_id}:log-group:{name}"
    with resources.plane.engine(region) as engine:
        policy = engine.cloud.key_policy(key)
    service, context = f"logs.{region}.amazonaws.com", {"kms:EncryptionContext:aws:logs:arn": arn}
    for action in _KEY_ACTIONS:
        if policy is None or not access.permits(policy, service, action, key, context):
            why = f"its policy does not let {service} {action}" if policy else "there is no such key"
            refusal = "The specified KMS key does not exist or is not allowed to be used with LogGroup"
            raise ValidationError(message=f"{refusal} '{arn}' ({why})")
