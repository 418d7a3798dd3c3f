"""Why an instance is not managed, or does not patch: looked at from instance to agent, each finding with its remedy.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/troubleshooting-managed-nodes.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops import doctor_environment, doctor_network, drift
from ops.compliance import NEEDS as COMPLIANCE_NEEDS
from ops.compliance import NodeReport, judge
from ops.environment import Environment
from ops.errors import OperationError, in_words
from ops.finding import Finding, Verdict
from ops.nodes import Node, stream, with_tags
from ops.permissions import Need, On
from ops.session import Session
from patching.compliance import NodeCompliance
from patching.deployment import ENVIRONMENT_TAG
from patching.targets import IDS_KEY, Targets

NEEDS = (
    *COMPLIANCE_NEEDS,
    *drift.NEEDS,
    *doctor_network.NEEDS,
    *doctor_environment.NEEDS,
    Need(On.ANYTHING, "ec2:DescribeInstances"),
    Need(On.ANY_ROLE, "iam:GetInstanceProfile", "iam:ListAttachedRolePolicies"),
)

_LETS_REGISTER = ("AmazonSSMManagedInstanceCore", "AmazonEC2RoleforSSM", "AdministratorAccess")
_OLDEST_AGENT = (3, 0, 502)
"""From this version on an agent runs AWS-RunPatchBaselineWithHooks."""
_DEAD = ("terminated", "shutting-down")

Row = tuple[bool, str, str]


@dataclass(frozen=True)
class Diagnosis:
    """What a look at instances and their environment came to.

    Attributes:
        findings: what was found.
        at: when it was looked.
        problems: what could not be looked at, in words.
    """

    findings: tuple[Finding, ...]
    at: datetime
    problems: tuple[str, ...]


def diagnose(session: Session, targets: Targets, environment: Environment | None) -> Diagnosis:
    """Look at the instances and hybrid nodes that are targeted, and at the environment's own resources.

    Raises:
        OperationError: there is no such instance and no such node.
    """
    found = list(doctor_environment.check(session, environment)) if environment else []
    instances = {one["InstanceId"]: one for one in _instances(session, targets)}
    nodes = {one.id: one for one in with_tags(session, stream(session, targets))}
    if not instances and not nodes:
        message = f"no instance and no managed node matches {targets.in_words()}"
        raise OperationError(message)
    problems: list[str] = []
    reports = {one.node.id: one for one in judge(session, nodes.values(), problems, patches=False)}
    deployed = drift.read(session)
    for node_id in sorted({*instances, *nodes}):
        node, instance = nodes.get(node_id), instances.get(node_id)
        found += _of_one(session, node_id, instance, node)
        if node_id in reports:
            found += drift.of_node(reports[node_id], deployed)
            found += _patching(reports[node_id])
    problems += [f"{one.check} of {one.subject}: {one.text}" for one in found if one.verdict is Verdict.UNKNOWN]
    return Diagnosis(tuple(found), session.now(), tuple(problems))


def _of_one(session: Session, node_id: str, instance: Mapping[str, Any] | None, node: Node | None) -> Iterator[Finding]:
    tags = node.tags if node and node.tags else _tags(instance)
    name = tags.get("Name", "") or (node.name if node else "")
    healthy = node is not None and node.ping == "Online"
    looks: list[tuple[str, Callable[[], Iterator[Row]]]] = [("managed", lambda: _managed(node))]
    if instance is not None:
        looks.append(("instance", lambda: _running(instance)))
        if not healthy:
            looks.append(("profile", lambda: _profile(session, instance)))
            looks.append(("network", lambda: doctor_network.check(session, instance)))
    if node is not None:
        looks.append(("agent", lambda: _agent(node)))
    looks.append(("tags", lambda: _environment_tag(tags)))
    for check, look in looks:
        try:
            for fine, text, remedy in look():
                yield Finding(check, node_id, name, Verdict.OK if fine else Verdict.PROBLEM, text, remedy)
        except (BotoCoreError, ClientError) as error:
            yield Finding(check, node_id, name, Verdict.UNKNOWN, in_words(error))


def _managed(node: Node | None) -> Iterator[Row]:
    if node is None:
        yield False, "Systems Manager does not know it", "mend what is found below; the agent then registers by itself"
    elif node.ping != "Online":
        when = f", last heard of {node.last_ping:%Y-%m-%d %H:%M %Z}" if node.last_ping else ""
        yield False, f"a managed node, but {node.ping}{when}", "mend what is found below, or restart the agent"
    else:
        yield True, "a managed node, and online", ""


def _running(instance: Mapping[str, Any]) -> Iterator[Row]:
    state = instance["State"]["Name"]
    if state == "running":
        yield True, "the instance runs", ""
    else:
        start = f"`aws ec2 start-instances --instance-ids {instance['InstanceId']}`"
        yield False, f"the instance is {state}", f"start it: {start}"


def _profile(session: Session, instance: Mapping[str, Any]) -> Iterator[Row]:
    profile = instance.get("IamInstanceProfile")
    if not profile:
        yield (
            False,
            "the instance has no instance profile",
            "give it one whose role has AmazonSSMManagedInstanceCore and the environment's node policy",
        )
        return
    name = profile["Arn"].rpartition("/")[2]
    roles = session.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
    if not roles:
        yield False, f"the instance profile {name} has no role", f"add a role to the instance profile {name}"
        return
    role = roles[0]["RoleName"]
    pages = session.iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    attached = [one["PolicyName"] for page in pages for one in page["AttachedPolicies"]]
    if any(one in attached for one in _LETS_REGISTER):
        yield True, f"the role {role} lets the agent register", ""
    else:
        yield (
            False,
            f"the role {role} has no AWS policy that lets the agent register; it has {', '.join(attached) or 'none'}",
            f"attach AmazonSSMManagedInstanceCore to {role}, unless a policy of your own allows the same",
        )


def _agent(node: Node) -> Iterator[Row]:
    parts = node.agent_version.split(".")
    if all(one.isdecimal() for one in parts) and tuple(map(int, parts)) < _OLDEST_AGENT:
        yield (
            False,
            f"the agent {node.agent_version} is older than 3.0.502, and runs no hooks",
            "update it: `patchops run document AWS-UpdateSSMAgent`",
        )
    else:
        yield True, f"agent {node.agent_version}", ""


def _environment_tag(tags: Mapping[str, str]) -> Iterator[Row]:
    if ENVIRONMENT_TAG in tags:
        yield True, f"{ENVIRONMENT_TAG}={tags[ENVIRONMENT_TAG]}", ""
    else:
        yield (
            False,
            f"has no tag {ENVIRONMENT_TAG}: no window and no command of an environment reaches it",
            f"give it the tag {ENVIRONMENT_TAG} with the name of its environment",
        )


def _patching(report: NodeReport) -> Iterator[Finding]:
    node = report.node
    if report.compliance is NodeCompliance.UNKNOWN:
        text = report.why_unknown or "its compliance is not known"
        remedy = f"`patchops scan --instance {node.id}`"
        yield Finding("scan", node.id, node.name, Verdict.PROBLEM, text, remedy)


def _instances(session: Session, targets: Targets) -> Iterator[Mapping[str, Any]]:
    filters: list[Any] = []
    for key, values in targets.keys:
        if key == IDS_KEY:
            wanted = [one for one in values if one.startswith("i-")]
            if not wanted:
                return
            filters.append({"Name": "instance-id", "Values": wanted})
        elif key.startswith("tag:"):
            filters.append({"Name": key, "Values": list(values)})
        else:
            return
    for page in session.ec2.get_paginator("describe_instances").paginate(Filters=filters):
        for reservation in page["Reservations"]:
            yield from (one for one in reservation["Instances"] if one["State"]["Name"] not in _DEAD)


def _tags(instance: Mapping[str, Any] | None) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in (instance or {}).get("Tags", [])}
