"""Where the lab has to change moto itself, each with the reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import moto.cloudformation.models as cloudformation_models
import moto.cloudformation.parsing as cloudformation
import moto.cloudformation.responses as cloudformation_responses
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import get_stack_from_s3_url
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.ssm.models import ssm_backends

from lab.aws.account import resource_groups
from lab.aws.cloudformation import change_sets, deletion, policy_sizes, stack_changes, template_check
from lab.aws.requests.error_replies import UNSUPPORTED, error_reply
from lab.world import access

_NOTHING = ("AWS::CDK::Metadata",)
"""Types that stand for nothing in an account."""

_LOOPBACK = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
"""What a policy is told of a connection: the loopback interface, which nobody listens in on, stands in for TLS."""


def install() -> None:
    """Correct moto, for as long as the process lives."""
    # For the account of each request moto looks in every partition, and fills each with all of AWS's policies first.
    os.environ["MOTO_ACCOUNT_ID"] = DEFAULT_ACCOUNT_ID
    deletion.install()
    policy_sizes.install()
    resource_groups.install()
    stack_changes.install()
    change_sets.install()
    BaseResponse.call_action = _refusing_the_rest(BaseResponse.call_action)
    for module in (cloudformation_models, cloudformation_responses):
        module.get_stack_from_s3_url = _template_behind
    FakeBucket.get_permission = _permission
    CloudFormationResponse.describe_change_set = _describe_change_set
    CloudFormationResponse.delete_change_set = _delete_change_set
    CloudFormationResponse.execute_change_set = _execute_change_set
    for name in ("create_stack", "update_stack", "create_change_set"):
        setattr(CloudFormationBackend, name, _refusing_unknown_types(getattr(CloudFormationBackend, name)))
    for name in ("validate_template", "get_template_summary"):
        setattr(CloudFormationResponse, name, _refusing_what_is_none(getattr(CloudFormationResponse, name)))
    cloudformation.ResourceMap.parse_ssm_parameter = _resolving_once(cloudformation.ResourceMap.parse_ssm_parameter)
    Stack.stack_resources = property(_resources_there)
    cloudformation.parse_and_update_resource = _refusing_half_updates(cloudformation.parse_and_update_resource)


def _refusing_the_rest(original: Callable[..., Any]) -> Callable[..., Any]:
    """Answer what moto does not have with an error that says so, in the form of the service; moto would break off."""

    def call_action(response: BaseResponse) -> Any:  # noqa: ANN401 moto's own kinds of answers
        try:
            return original(response)
        except NotImplementedError:
            service, action = response.boto3_service_name, response._get_action()  # noqa: SLF001
            refused = error_reply(service, UNSUPPORTED, f"The local AWS does not emulate {service}:{action}.")
            return refused.status_code, dict(refused.headers), refused.get_data(as_text=True)

    return call_action


def _resources_there(stack: Stack) -> list[Any]:
    """Leave out what a condition keeps out of a stack; moto lists it as a resource without a name."""
    return [one for one in stack.resource_map.values() if one is not None]


def _template_behind(url: str, account_id: str, partition: str) -> str:
    """Read a template from the lab's own S3; moto knows a URL of a server of its own only by the name localhost."""
    return str(get_stack_from_s3_url(url.replace("//127.0.0.1:", "//localhost:"), account_id, partition))


def _permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """Read a bucket's policy with its conditions; moto would take a Deny without TLS for a Deny of everything."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    document = json.loads(bucket.policy.decode())
    statements = [one for one in document["Statement"] if one.get("Principal") in ("*", {"AWS": "*"})]
    for effect, result in (("Deny", PermissionResult.DENIED), ("Allow", PermissionResult.PERMITTED)):
        those = [{**one, "Effect": "Allow"} for one in statements if one["Effect"] == effect]
        if access.allowed([{"Statement": those}], action, resource, _LOOPBACK):
            return result
    return PermissionResult.NEUTRAL


def _change_set_id(response: CloudFormationResponse) -> str | None:
    """Return the id of the change set that a request names: by its ARN, or by its name and its stack's.

    moto looks at the name alone, and the CDK gives the change sets of all stacks the same name.
    """
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")  # noqa: SLF001
    # The newest first: a name is used again once its change set has been executed.
    for change_set_id, change_set in reversed(response.cloudformation_backend.change_sets.items()):
        if name == change_set_id or (name == change_set.change_set_name and stack in _names(change_set)):
            return str(change_set_id)
    return None


def _names(change_set: ChangeSet) -> tuple[str, str]:
    return (change_set.stack_name, change_set.stack_id)


def _describe_change_set(response: CloudFormationResponse) -> ActionResult:
    found = response.cloudformation_backend.change_sets[_required_change_set_id(response)]
    values = response._get_bool_param("IncludePropertyValues", if_none=False)  # noqa: SLF001
    return ActionResult(change_sets.described(found, values=bool(values)))


def _delete_change_set(response: CloudFormationResponse) -> ActionResult:
    response.cloudformation_backend.change_sets.pop(_change_set_id(response), None)
    return EmptyResult()


def _execute_change_set(response: CloudFormationResponse) -> ActionResult:
    change_set_id = _required_change_set_id(response)
    status = response.cloudformation_backend.change_sets[change_set_id].execution_status
    if status != "AVAILABLE":
        raise CloudFormationError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{change_set_id}] cannot be executed in its current execution status of [{status}]",
        )
    response.cloudformation_backend.execute_change_set(change_set_id)
    return EmptyResult()


def _required_change_set_id(response: CloudFormationResponse) -> str:
    found = _change_set_id(response)
    if found is None:
        name = response._get_param("ChangeSetName")  # noqa: SLF001
        raise CloudFormationError("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist")
    return found


def _refusing_unknown_types(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse a template with a type that is not emulated; moto would leave the resource out with a warning."""

    def refusing(backend: CloudFormationBackend, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 moto's own signature
        template = kwargs.get("template")
        if isinstance(template, str):
            resources = template_check.check(template)["Resources"]
            unknown = sorted(
                f"{name} ({resource['Type']})"
                for name, resource in resources.items()
                if not _is_known(resource["Type"])
            )
            if unknown:
                raise ValidationError(message=f"The local AWS does not emulate these resources: {', '.join(unknown)}")
        return original(backend, *args, **kwargs)

    return refusing


def _refusing_what_is_none(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse what is no template also where nothing is made of it."""

    def refusing(response: CloudFormationResponse) -> Any:  # noqa: ANN401 moto's own signature
        body = response._get_param("TemplateBody")  # noqa: SLF001
        if body is not None:
            template_check.check(body)
        return original(response)

    return refusing


def _is_known(resource_type: str) -> bool:
    return resource_type in (*_NOTHING, *cloudformation.NULL_MODELS) or resource_type in cloudformation.get_model_map()


def _refusing_half_updates(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to change a resource that moto cannot change; it would forget the resource instead."""

    def updating(logical_id: str, resource_json: dict[str, Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 moto's own signature
        changed = original(logical_id, resource_json, *args, **kwargs)
        if changed is None:
            what = f"{logical_id} ({resource_json['Type']})"
            raise ValidationError(
                message=f"The local AWS cannot change {what} in place; destroy the stack and deploy it anew"
            )
        return changed

    return updating


def _resolving_once(original: Callable[..., str]) -> Callable[..., str]:
    """Keep a parameter's previous value in an update; moto would take what an SSM parameter held for one's name."""

    def resolve(resources: Any, value: str, value_type: str) -> str:  # noqa: ANN401 moto's own class
        named = ssm_backends[resources._account_id][resources._region_name].get_parameter(value)  # noqa: SLF001
        if named is None and value in resources.resolved_parameters.values():
            return value
        if named is None:
            raise ValidationError(
                message=f"Unable to fetch parameters [{value}] from parameter store for this account."
            )
        return original(resources, value, value_type)

    return resolve
