"""A policy's stacks in the local AWS, made by change sets as the CDK makes them."""

from __future__ import annotations

import json
from typing import Any

from patching.policy import Policy
from tests.cdk import Stacks, normalised


class Deployed:
    """The stacks of a policy, in the local AWS.

    Args:
        cloudformation: a client of CloudFormation, for the Region.
        ssm: a client of Systems Manager, for the Region.
        policy: the policy.
        stacks: what it becomes.
    """

    def __init__(self, cloudformation: Any, ssm: Any, policy: Policy, stacks: Stacks) -> None:
        self._cloudformation = cloudformation
        self._ssm = ssm
        self._policy = policy
        names = ["patching", *(f"windows-{number}" for number, _ in enumerate(stacks.windows, 2)), "fleet"]
        self._templates = {
            policy.deployment.name(name): json.dumps(normalised(resources))
            for name, resources in zip(names, stacks.all, strict=False)
        }

    def deploy(self) -> list[dict[str, Any]]:
        """Make or change every stack; return the changes that were made."""
        changes = []
        for name, template in self._templates.items():
            changes += self._change(name, template)
        return changes

    def _change(self, name: str, template: str) -> list[dict[str, Any]]:
        known = [one["StackName"] for one in self._active()]
        self._cloudformation.create_change_set(
            StackName=name,
            ChangeSetName="change",
            ChangeSetType="UPDATE" if name in known else "CREATE",
            TemplateBody=template,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        found = self._cloudformation.describe_change_set(StackName=name, ChangeSetName="change")
        if found["Status"] == "FAILED":
            return []
        self._cloudformation.execute_change_set(StackName=name, ChangeSetName="change")
        (stack,) = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.reasons(name)
        return list(found.get("Changes", []))

    def reasons(self, name: str) -> str:
        """Return what the stack's events say."""
        events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return "\n".join(one.get("ResourceStatusReason", "") for one in events)

    def destroy(self) -> None:
        """Delete the stacks, the last one first, when AWS's own baselines are the defaults again."""
        for system in [one.operating_system for one in self._policy.baselines.values() if one.default]:
            known = self._ssm.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["AWS"]}], MaxResults=100)
            (own,) = [
                one["BaselineId"]
                for one in known["BaselineIdentities"]
                if one["OperatingSystem"] == system and "Predefined" not in one["BaselineName"]
            ]
            self._ssm.register_default_patch_baseline(BaselineId=own)
        for name in reversed(self._templates):
            self._cloudformation.delete_stack(StackName=name)
        left = [one for one in self._active() if one["StackName"] in self._templates]
        assert left == [], [self.reasons(one["StackName"]) for one in left]

    def _active(self) -> list[dict[str, Any]]:
        found = self._cloudformation.list_stacks()["StackSummaries"]
        return [one for one in found if one["StackStatus"] != "DELETE_COMPLETE"]
