"""The types of CloudFormation that moto lacks.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/. moto finds them because they are subclasses of
its own class.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.s3.models import s3_backends

from lab.aws.cloudformation import resource
from lab.aws.cloudformation.resource import PARTITION, Properties, Resource
from lab.aws.ssm import associations_api, window_tasks_api, windows_api
from lab.engine import Engine
from lab.world.errors import ApiError
from patching.baseline import PatchBaseline
from patching.targets import Targets


class PatchBaselineResource(Resource, CloudFormationModel):
    """A patch baseline with its patch groups."""

    type_name = "AWS::SSM::PatchBaseline"
    replaces_on = frozenset({"OperatingSystem"})
    attributes = ("Id",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        with resource.plane.engine(region) as engine:
            stored = engine.baselines.create(PatchBaseline.from_api(properties), engine.clock.now)
            made = cls(stored.id, properties, account_id, region)
            try:
                _tag(engine, "PatchBaseline", stored.id, properties)
                for group in properties.get("PatchGroups", ()):
                    engine.baselines.register(stored.id, group)
                _make_default(engine, stored.id, properties)
            except ApiError:
                made.delete(account_id, region)
                raise
            return made

    def change(self, properties: Properties) -> None:
        with resource.plane.engine(self.region) as engine:
            engine.baselines.update(self._physical_id, PatchBaseline.from_api(properties), engine.clock.now)
            _tag(engine, "PatchBaseline", self._physical_id, properties)
            wanted = properties.get("PatchGroups", [])
            for group in set(engine.baselines.groups_of(self._physical_id)) - set(wanted):
                engine.baselines.deregister(self._physical_id, group)
            for group in wanted:
                engine.baselines.register(self._physical_id, group)
            _make_default(engine, self._physical_id, properties)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        # A default baseline is in use and stays, and with it the stack: CloudFormation does not look for another one.
        with resource.plane.engine(self.region) as engine:
            for group in engine.baselines.groups_of(self._physical_id):
                engine.baselines.deregister(self._physical_id, group)
            engine.baselines.delete(self._physical_id)

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401
        if attribute_name == "Id":
            return self._physical_id
        return super().get_cfn_attribute(attribute_name)


def _tag(engine: Engine, kind: str, resource_id: str, properties: Properties) -> None:
    """Give a resource the tags that the template says, and no others; they are written as a list or as a mapping."""
    said = properties.get("Tags") or {}
    tags = said if isinstance(said, dict) else {one["Key"]: one["Value"] for one in said}
    engine.tags.replace(kind, resource_id, tags)


def _make_default(engine: Engine, baseline_id: str, properties: Properties) -> None:
    """Register a baseline as the default one; CloudFormation does not do the opposite."""
    if str(properties.get("DefaultBaseline", False)).lower() == "true":
        engine.baselines.set_default(baseline_id)


class AssociationResource(Resource, CloudFormationModel):
    """A State Manager association; a change gives it another version."""

    type_name = "AWS::SSM::Association"
    replaces_on = frozenset({"InstanceId"})
    attributes = ("AssociationId",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        with resource.plane.engine(region) as engine:
            made = associations_api.create(engine, properties)
            _tag(engine, "Association", made.id, properties)
            return cls(made.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with resource.plane.engine(self.region) as engine:
            associations_api.change(engine, self._physical_id, properties)
            _tag(engine, "Association", self._physical_id, properties)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with resource.plane.engine(self.region) as engine:
            engine.state_manager.delete(self._physical_id)

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401
        if attribute_name == "AssociationId":
            return self._physical_id
        return super().get_cfn_attribute(attribute_name)


class MaintenanceWindowResource(Resource, CloudFormationModel):
    """A maintenance window."""

    type_name = "AWS::SSM::MaintenanceWindow"

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        with resource.plane.engine(region) as engine:
            made = windows_api.create(engine, properties)
            _tag(engine, "MaintenanceWindow", made.id, properties)
            return cls(made.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with resource.plane.engine(self.region) as engine:
            # What the template no longer says goes back to its default.
            windows_api.change(engine, engine.windows.get(self._physical_id), {**properties, "Replace": True})
            _tag(engine, "MaintenanceWindow", self._physical_id, properties)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with resource.plane.engine(self.region) as engine:
            engine.windows.delete(self._physical_id)


class MaintenanceWindowTargetResource(Resource, CloudFormationModel):
    """A group of nodes that a window's tasks can name."""

    type_name = "AWS::SSM::MaintenanceWindowTarget"
    replaces_on = frozenset({"WindowId", "ResourceType"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        with resource.plane.engine(region) as engine:
            target = engine.windows.add_target(
                properties["WindowId"],
                Targets.from_api(properties["Targets"]),
                name=properties.get("Name", ""),
                description=properties.get("Description", ""),
                owner_information=properties.get("OwnerInformation", ""),
                resource_type=properties.get("ResourceType", "INSTANCE"),
            )
            return cls(target.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with resource.plane.engine(self.region) as engine:
            target = engine.windows.get(properties["WindowId"]).targets[self._physical_id]
            target.targets = Targets.from_api(properties["Targets"])
            target.name, target.description = properties.get("Name", ""), properties.get("Description", "")
            target.owner_information = properties.get("OwnerInformation", "")

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with resource.plane.engine(self.region) as engine:
            if self.properties["WindowId"] in engine.windows.windows:
                engine.windows.remove_target(self.properties["WindowId"], self._physical_id)


class MaintenanceWindowTaskResource(Resource, CloudFormationModel):
    """A task of a window."""

    type_name = "AWS::SSM::MaintenanceWindowTask"
    replaces_on = frozenset({"WindowId", "TaskType"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        with resource.plane.engine(region) as engine:
            task = engine.windows.add_task(window_tasks_api.make_task(engine, _as_request(properties)))
            return cls(task.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with resource.plane.engine(self.region) as engine:
            engine.windows.add_task(window_tasks_api.make_task(engine, _as_request(properties), self._physical_id))

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with resource.plane.engine(self.region) as engine:
            window = engine.windows.windows.get(self.properties["WindowId"])
            if window:
                window.tasks.pop(self._physical_id, None)


_PARAMETERS = ("RunCommand", "Automation", "Lambda", "StepFunctions")


def _as_request(properties: Properties) -> Properties:
    """Write a task's properties as RegisterTaskWithMaintenanceWindow takes them: parameters have other names there."""
    parameters = properties.get("TaskInvocationParameters", {})
    named = {name: parameters.get(f"MaintenanceWindow{name}Parameters") for name in _PARAMETERS}
    return {**properties, "TaskInvocationParameters": {name: one for name, one in named.items() if one}}


class BucketPolicyResource(Resource, CloudFormationModel):
    """A bucket's policy."""

    type_name = "AWS::S3::BucketPolicy"
    replaces_on = frozenset({"Bucket"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        made = cls(properties["Bucket"], properties, account_id, region)
        made.change(properties)
        return made

    def change(self, properties: Properties) -> None:
        document = json.dumps(properties["PolicyDocument"]).encode()
        s3_backends[self.account_id][PARTITION].put_bucket_policy(properties["Bucket"], document)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        # moto deletes in no order: the bucket may be gone already.
        if self._physical_id in s3_backends[self.account_id][PARTITION].buckets:
            s3_backends[self.account_id][PARTITION].delete_bucket_policy(self._physical_id)
