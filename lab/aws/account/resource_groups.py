"""Who is in a resource group, which moto keeps without its members.

Follows https://docs.aws.amazon.com/ARG/latest/userguide/getting_started-query.html.
"""

from __future__ import annotations

import json
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models import ec2_backends
from moto.resourcegroups import urls
from moto.resourcegroups.exceptions import NotFoundException
from moto.resourcegroups.models import resourcegroups_backends
from moto.resourcegroups.responses import ResourceGroupsResponse

_INSTANCE = "AWS::EC2::Instance"
_TYPES = {_INSTANCE, "AWS::AllSupported"}


def install() -> None:
    """Have moto's server say who is in a group, for as long as the process lives."""
    ResourceGroupsResponse.list_group_resources = _list_group_resources
    urls.url_paths["{0}/list-group-resources$"] = ResourceGroupsResponse.dispatch


def _list_group_resources(response: ResourceGroupsResponse) -> str:
    """Follow https://docs.aws.amazon.com/ARG/latest/APIReference/API_ListGroupResources.html, in one page."""
    account, region = response.current_account, response.region
    name = response._get_param("Group") or response._get_param("GroupName")  # noqa: SLF001 moto's own way to read one
    ids = members(account, region, str(name).rpartition("/")[2])
    if ids is None:
        raise NotFoundException(f"Cannot find group: {name}")
    found = [
        {"ResourceArn": f"arn:aws:ec2:{region}:{account}:instance/{one}", "ResourceType": _INSTANCE} for one in ids
    ]
    return json.dumps({"ResourceIdentifiers": found, "Resources": [{"Identifier": one} for one in found]})


def members(account: str, region: str, name: str) -> list[str] | None:
    """Return the ids of the EC2 instances in a resource group, or None if there is no such group."""
    group = resourcegroups_backends[account][region].groups.by_name.get(name)
    if group is None:
        return None
    written = group.resource_query
    query = json.loads(written["Query"])
    if not _TYPES.intersection(query.get("ResourceTypeFilters") or _TYPES):
        return []
    instances = [
        one for one in ec2_backends[account][region].all_instances() if one.state not in ("terminated", "shutting-down")
    ]
    if written["Type"] == "CLOUDFORMATION_STACK_1_0":
        stack = cloudformation_backends[account][region].get_stack(query["StackIdentifier"])
        of_stack = {one.physical_resource_id for one in stack.stack_resources if one.type == _INSTANCE}
        return [one.id for one in instances if one.id in of_stack]
    return [one.id for one in instances if _has(one, query.get("TagFilters") or ())]


def _has(instance: Any, filters: Any) -> bool:  # noqa: ANN401 moto's own class, and JSON
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    return all(one["Key"] in tags and (not one.get("Values") or tags[one["Key"]] in one["Values"]) for one in filters)
