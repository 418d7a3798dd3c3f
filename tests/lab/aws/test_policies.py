"""Every policy of the repository deploys to the local AWS, changes nothing when it is deployed again, and goes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from patching.policy_file import read_policy
from tests.cdk import ROOT, Stacks, normalised, synthesize
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "eu-central-1"
TODAY = date(2026, 11, 23)
POLICIES = sorted([*(ROOT / "config").glob("*.yaml"), *(ROOT / "tests" / "policies").glob("*.yaml")])


class Deployed:
    """The stacks of a policy, in the local AWS."""

    def __init__(self, cloudformation: Any, stacks: Stacks, environment: str) -> None:
        self._cloudformation = cloudformation
        names = ["patching", *(f"windows-{number}" for number, _ in enumerate(stacks.windows, 2)), "fleet"]
        self._templates = {
            f"patchops-{environment}-{name}": json.dumps(normalised(resources))
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
        """Delete the stacks, the last one first."""
        for name in reversed(self._templates):
            self._cloudformation.delete_stack(StackName=name)
        left = [one for one in self._active() if one["StackName"] in self._templates]
        assert left == [], [self.reasons(one["StackName"]) for one in left]

    def _active(self) -> list[dict[str, Any]]:
        found = self._cloudformation.list_stacks()["StackSummaries"]
        return [one for one in found if one["StackStatus"] != "DELETE_COMPLETE"]


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_deploys_and_goes(path: Path, connect: Connect) -> None:
    policy = read_policy(path, today=TODAY)
    deployed = Deployed(connect("cloudformation", REGION), synthesize(policy), policy.environment)
    assert deployed.deploy()
    assert deployed.deploy() == []
    for system in [one.operating_system for one in policy.baselines.values() if one.default]:
        ssm = connect("ssm", REGION)
        (own,) = [
            one["BaselineId"]
            for one in ssm.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["AWS"]}], MaxResults=100)[
                "BaselineIdentities"
            ]
            if one["OperatingSystem"] == system and "Predefined" not in one["BaselineName"]
        ]
        ssm.register_default_patch_baseline(BaselineId=own)
    deployed.destroy()
