"""Every operation that the local AWS answers, held against the service model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import xform_name

from tests.lab.aws.replies import problems
from tests.lab.aws.world import (
    GONE,
    NOBODY,
    SCAN,
    World,
    activation,
    automation,
    custom_inventory,
    data_sync,
    deletion,
    finished_automation,
    fresh_association,
    fresh_window,
    inventory_bucket,
    machine,
    rack,
    stopping,
    task_of,
    waiting_automation,
    window_named,
)

pytestmark = pytest.mark.xdist_group("local-aws")

READS: dict[str, Callable[[World], dict[str, Any]]] = {
    "describe_available_patches": lambda _: {},
    "describe_effective_patches_for_patch_baseline": lambda world: {
        "BaselineId": world.ssm.get_default_patch_baseline()["BaselineId"]
    },
    "describe_patch_properties": lambda _: {"OperatingSystem": "WINDOWS", "Property": "CLASSIFICATION"},
    "get_deployable_patch_snapshot_for_instance": lambda world: {"InstanceId": world.nodes[0], "SnapshotId": GONE},
    "describe_association": lambda world: {"AssociationId": world.association},
    "describe_association_execution_targets": lambda world: {
        "AssociationId": world.association,
        "ExecutionId": world.association_execution,
    },
    "describe_association_executions": lambda world: {"AssociationId": world.association},
    "describe_activations": lambda world: {
        "Filters": [{"FilterKey": "IamRole", "FilterValues": [activation(world)[2]]}]
    },
    "describe_instance_information": lambda _: {},
    "describe_instance_properties": lambda _: {},
    "get_connection_status": lambda world: {"Target": world.nodes[0]},
    "describe_instance_patch_states": lambda world: {"InstanceIds": world.nodes},
    "describe_instance_patch_states_for_patch_group": lambda _: {"PatchGroup": "prod"},
    "describe_instance_patches": lambda world: {"InstanceId": world.nodes[0]},
    "describe_maintenance_window_execution_task_invocations": lambda world: {
        "WindowExecutionId": world.execution,
        "TaskId": world.task_execution,
    },
    "describe_maintenance_window_execution_tasks": lambda world: {"WindowExecutionId": world.execution},
    "describe_maintenance_windows_for_target": lambda _: {"Targets": NOBODY, "ResourceType": "INSTANCE"},
    "get_maintenance_window_execution_task": lambda world: {
        "WindowExecutionId": world.execution,
        "TaskId": world.task_execution,
    },
    "get_maintenance_window_execution_task_invocation": lambda world: {
        "WindowExecutionId": world.execution,
        "TaskId": world.task_execution,
        "InvocationId": world.ssm.describe_maintenance_window_execution_task_invocations(
            WindowExecutionId=world.execution, TaskId=world.task_execution
        )["WindowExecutionTaskInvocationIdentities"][0]["InvocationId"],
    },
    "describe_maintenance_window_executions": lambda world: {"WindowId": world.window},
    "describe_maintenance_window_schedule": lambda world: {"WindowId": fresh_window(world)},
    "describe_maintenance_window_targets": lambda world: {"WindowId": world.window},
    "describe_maintenance_window_tasks": lambda world: {"WindowId": world.window},
    "describe_maintenance_windows": lambda _: {},
    "describe_patch_baselines": lambda _: {},
    "describe_patch_group_state": lambda _: {"PatchGroup": "prod"},
    "describe_patch_groups": lambda _: {},
    "get_calendar_state": lambda world: {"CalendarNames": [world.calendar], "AtTime": "2026-11-16T00:00:00Z"},
    "get_command_invocation": lambda world: {
        "CommandId": world.command,
        "InstanceId": world.nodes[0],
        "PluginName": "PatchLinux",
    },
    "get_default_patch_baseline": lambda _: {"OperatingSystem": "AMAZON_LINUX_2023"},
    "get_maintenance_window": lambda world: {"WindowId": world.window},
    "get_maintenance_window_execution": lambda world: {"WindowExecutionId": world.execution},
    "get_maintenance_window_task": lambda world: {"WindowId": world.window, "WindowTaskId": world.task},
    "get_patch_baseline": lambda world: {"BaselineId": world.baseline},
    "get_patch_baseline_for_patch_group": lambda _: {"PatchGroup": "prod", "OperatingSystem": "AMAZON_LINUX_2023"},
    "list_associations": lambda _: {},
    "get_automation_execution": lambda world: {"AutomationExecutionId": automation(world)},
    "describe_automation_executions": lambda world: {
        "Filters": [{"Key": "ExecutionId", "Values": [automation(world)]}]
    },
    "describe_automation_step_executions": lambda world: {"AutomationExecutionId": finished_automation(world)},
    "list_association_versions": lambda world: {"AssociationId": world.association},
    "describe_effective_instance_associations": lambda world: {"InstanceId": world.nodes[0]},
    "describe_instance_associations_status": lambda world: {"InstanceId": world.nodes[0]},
    "list_command_invocations": lambda world: {"CommandId": world.command, "Details": True},
    "list_commands": lambda _: {},
    "get_inventory": lambda _: {},
    "get_inventory_schema": lambda _: {},
    "list_inventory_entries": lambda world: {"InstanceId": world.nodes[0], "TypeName": "AWS:Tag"},
    "describe_inventory_deletions": lambda world: {"DeletionId": deletion(world)},
    "list_resource_data_sync": lambda world: {"SyncType": data_sync(world)},
    "list_compliance_items": lambda world: {"ResourceIds": [world.nodes[0]], "ResourceTypes": ["ManagedInstance"]},
    "list_compliance_summaries": lambda _: {},
    "list_resource_compliance_summaries": lambda _: {},
    "describe_document": lambda _: {"Name": "AWS-RunPatchBaseline"},
    "get_document": lambda _: {"Name": "AWS-RunPatchBaseline"},
    "list_document_versions": lambda _: {"Name": "AWS-RunPatchBaseline"},
    "list_documents": lambda _: {},
}
"""What is asked of each operation that changes nothing."""

WRITES: dict[str, Callable[[World], dict[str, Any]]] = {
    "cancel_command": lambda world: {
        "CommandId": world.ssm.send_command(**SCAN, Targets=NOBODY)["Command"]["CommandId"]
    },
    "create_association": lambda world: {
        "Name": "AWS-RunPatchBaseline",
        "Parameters": {"Operation": ["Scan"]},
        "Targets": NOBODY,
    },
    "create_association_batch": lambda _: {
        "Entries": [
            {"Name": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}, "Targets": NOBODY},
            {"Name": "AWS-RunPatchBaseline", "Targets": NOBODY},
        ]
    },
    "update_association": lambda world: {
        "AssociationId": fresh_association(world),
        "Parameters": {"Operation": ["Scan"]},
        "AssociationName": "changed",
    },
    "update_association_status": lambda world: {
        "Name": "AWS-RunPatchBaseline",
        "InstanceId": world.nodes[0],
        "AssociationStatus": {"Date": 1_795_000_000, "Name": "Success", "Message": "It went well"},
    },
    "put_compliance_items": lambda world: {
        "ResourceId": world.nodes[0],
        "ResourceType": "ManagedInstance",
        "ComplianceType": "Custom:Virus",
        "ExecutionSummary": {"ExecutionTime": 0},
        "Items": [],
    },
    "put_inventory": lambda world: {"InstanceId": world.nodes[0], "Items": [rack()]},
    "delete_inventory": lambda world: {"TypeName": custom_inventory(world), "DryRun": True},
    "create_resource_data_sync": lambda world: {"SyncName": "another", "S3Destination": inventory_bucket(world)},
    "delete_resource_data_sync": lambda world: {"SyncType": data_sync(world), "SyncName": "fresh"},
    "create_activation": lambda _: {"IamRole": "sender", "Tags": [{"Key": "a", "Value": "b"}]},
    "delete_activation": lambda world: {"ActivationId": activation(world)[0]},
    "deregister_managed_instance": lambda world: {"InstanceId": machine(world)},
    "update_managed_instance_role": lambda world: {"InstanceId": machine(world), "IamRole": "sender"},
    "create_maintenance_window": lambda _: window_named("another"),
    "create_patch_baseline": lambda _: {"Name": "another"},
    "delete_association": lambda world: {"AssociationId": fresh_association(world)},
    "delete_maintenance_window": lambda world: {"WindowId": fresh_window(world)},
    "delete_patch_baseline": lambda world: {"BaselineId": world.ssm.create_patch_baseline(Name="fresh")["BaselineId"]},
    "deregister_patch_baseline_for_patch_group": lambda world: {"BaselineId": world.spare, "PatchGroup": "fresh"},
    "deregister_target_from_maintenance_window": lambda world: {
        "WindowId": fresh_window(world),
        "WindowTargetId": world.target,
    },
    "deregister_task_from_maintenance_window": lambda world: {
        "WindowId": fresh_window(world),
        "WindowTaskId": world.task,
    },
    "register_default_patch_baseline": lambda world: {
        "BaselineId": world.ssm.get_default_patch_baseline(OperatingSystem="DEBIAN")["BaselineId"]
    },
    "register_patch_baseline_for_patch_group": lambda world: {"BaselineId": world.spare, "PatchGroup": "fresh"},
    "register_target_with_maintenance_window": lambda world: {
        "WindowId": fresh_window(world),
        "ResourceType": "INSTANCE",
        "Targets": NOBODY,
    },
    "register_task_with_maintenance_window": lambda world: {
        **task_of(fresh_window(world), world.target, world.sender),
        "Targets": [{"Key": "InstanceIds", "Values": [world.nodes[0]]}],
    },
    "send_command": lambda world: {**SCAN, "InstanceIds": [world.nodes[0]]},
    "start_associations_once": lambda world: {"AssociationIds": [world.association]},
    "start_automation_execution": lambda _: stopping(),
    "stop_automation_execution": lambda world: {"AutomationExecutionId": waiting_automation(world)},
    "cancel_maintenance_window_execution": lambda world: {"WindowExecutionId": world.execution},
    "update_maintenance_window_target": lambda world: {
        "WindowId": world.window,
        "WindowTargetId": world.target,
        "OwnerInformation": "changed",
    },
    "update_maintenance_window_task": lambda world: {
        "WindowId": world.window,
        "WindowTaskId": world.task,
        "Description": "Changed",
    },
    "update_maintenance_window": lambda world: {"WindowId": fresh_window(world), "Duration": 3},
    "update_patch_baseline": lambda world: {"BaselineId": world.spare, "Description": "Changed"},
}
"""What is asked of each operation that changes something."""

WITHOUT_ANSWER = {
    "cancel_command",
    "stop_automation_execution",
    "create_resource_data_sync",
    "delete_activation",
    "delete_association",
    "delete_resource_data_sync",
    "deregister_managed_instance",
    "put_compliance_items",
    "start_associations_once",
    "update_managed_instance_role",
}


def operations() -> set[str]:
    from lab.aws.ssm.operation import OPERATIONS  # noqa: PLC0415 with moto out of the way of the other tests

    return set(OPERATIONS)


def test_every_operation_is_called_here(world: World) -> None:
    assert {*READS, *WRITES} == operations() | {
        "describe_document",
        "get_document",
        "list_document_versions",
        "list_documents",
    }


@pytest.mark.parametrize("name", [*READS, *WRITES])
def test_an_operation_answers_in_the_shape_that_the_service_model_gives_it(world: World, name: str) -> None:
    arguments = {**READS, **WRITES}[name](world)
    world.replies.problems.clear()
    reply = getattr(world.ssm, name)(**arguments)
    assert world.replies.problems == []
    del reply["ResponseMetadata"]
    assert any(reply.values()) is (name not in WITHOUT_ANSWER)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ({"WindowIdentities": [{"Fancy": 1}]}, ".WindowIdentities[0].Fancy is not in the model"),
        ({"WindowIdentities": [{"Duration": "2"}]}, ".WindowIdentities[0].Duration: '2' is no integer"),
        ({"WindowIdentities": {}}, ".WindowIdentities: {} is no list"),
        ({"WindowIdentities": [{"Enabled": 1}]}, ".WindowIdentities[0].Enabled: 1 is no boolean"),
        ({"WindowIdentities": [{"WindowId": "1"}]}, ".WindowIdentities[0].WindowId: '1' does not match ^mw-"),
    ],
)
def test_the_comparison_with_the_model_finds_differences(reply: dict[str, Any], problem: str) -> None:
    model = boto3.Session()._session.get_service_model("ssm")
    shape = model.operation_model("DescribeMaintenanceWindows").output_shape
    (found,) = problems(shape, reply)
    assert found.startswith(problem)


# Paging.

LONG = {
    "describe_available_patches": "Patches",
    "describe_effective_patches_for_patch_baseline": "EffectivePatches",
    "describe_patch_properties": "Properties",
    "describe_association_execution_targets": "AssociationExecutionTargets",
    "describe_association_executions": "AssociationExecutions",
    "describe_instance_information": "InstanceInformationList",
    "describe_instance_properties": "InstanceProperties",
    "describe_instance_patch_states": "InstancePatchStates",
    "describe_instance_patches": "Patches",
    "describe_maintenance_window_execution_tasks": "WindowExecutionTaskIdentities",
    "describe_maintenance_window_executions": "WindowExecutions",
    "describe_maintenance_window_schedule": "ScheduledWindowExecutions",
    "describe_maintenance_window_targets": "Targets",
    "describe_maintenance_window_tasks": "Tasks",
    "describe_maintenance_windows": "WindowIdentities",
    "describe_patch_baselines": "BaselineIdentities",
    "describe_patch_groups": "Mappings",
    "list_associations": "Associations",
    "list_command_invocations": "CommandInvocations",
    "get_inventory": "Entities",
    "list_compliance_items": "ComplianceItems",
    "list_resource_compliance_summaries": "ResourceComplianceSummaryItems",
    "list_documents": "DocumentIdentifiers",
}
"""Operations that have more than a page to tell, and where they tell it."""


@pytest.mark.parametrize("name", LONG)
def test_small_pages_together_are_the_whole(world: World, name: str) -> None:
    operation = next(one for one in world.ssm.meta.service_model.operation_names if xform_name(one) == name)
    size = world.ssm.meta.service_model.operation_model(operation).input_shape.members["MaxResults"].metadata["min"]
    arguments = READS[name](world)
    whole = world.ssm.get_paginator(name).paginate(**arguments).build_full_result()[LONG[name]]
    pages = list(world.ssm.get_paginator(name).paginate(**arguments, PaginationConfig={"PageSize": size}))
    assert len(pages) == -(-len(whole) // size) > 1
    assert [one for page in pages for one in page[LONG[name]]] == whole
    assert "NextToken" not in pages[-1]


def test_commands_are_paged_too(world: World) -> None:
    commands = world.ssm.get_paginator("list_commands").paginate(PaginationConfig={"PageSize": 20})
    ids = [one["CommandId"] for page in commands for one in page["Commands"]]
    assert world.command in ids
    assert len(set(ids)) == len(ids) > 20
