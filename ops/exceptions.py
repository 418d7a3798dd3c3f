"""What is excused: the exceptions of a policy, for whom, until when, and whether the deployed baselines know them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops import effective_baselines
from ops.errors import in_words
from ops.permissions import Need, On
from ops.session import Session
from patching.deployment import Deployment
from patching.policy import Policy
from patching.policy.baselines import Action

NEEDS = (*effective_baselines.NEEDS, Need(On.BASELINES, "ssm:GetPatchBaseline"))


@dataclass(frozen=True)
class Excused:
    """One exception, in one baseline.

    Attributes:
        name: the exception.
        patch: the patch that it is about.
        action: APPROVE or REJECT.
        baseline: the baseline of the policy that it is an exception to.
        groups: the patch groups whose nodes it is for; the nodes without a group if it is the default.
        reason: why.
        owner: who answers for it.
        until: its last day.
        days_left: how many days that is from now.
        deployed: whether the deployed baseline has it; null if that was not asked, or could not be read.
    """

    name: str
    patch: str
    action: str
    baseline: str
    groups: tuple[str, ...]
    reason: str
    owner: str
    until: date
    days_left: int
    deployed: bool | None


@dataclass(frozen=True)
class Exceptions:
    """The exceptions of a policy.

    Attributes:
        environment: the policy's environment.
        exceptions: the exceptions, those that end first in front.
        problems: what could not be read, in words.
    """

    environment: str
    exceptions: tuple[Excused, ...]
    problems: tuple[str, ...]

    @property
    def drifted(self) -> bool:
        """Tell whether a deployed baseline lacks one of them."""
        return any(one.deployed is False for one in self.exceptions)


def exceptions(policy: Policy, today: date, session: Session | None = None) -> Exceptions:
    """Return what a policy excuses.

    Args:
        policy: the policy.
        today: the day that it is.
        session: the connection by which the deployed baselines are looked at; they are not by default.
    """
    problems: list[str] = []
    deployed = _deployed(session, Deployment(policy.environment), problems) if session else {}
    found = sorted(_excused(policy, today, deployed), key=lambda one: (one.until, one.name, one.baseline))
    return Exceptions(policy.environment, tuple(found), tuple(problems))


def _excused(policy: Policy, today: date, deployed: dict[str, Any]) -> Iterator[Excused]:
    for name, one in policy.exceptions.items():
        for baseline in one.baselines:
            known = deployed.get(Deployment(policy.environment).name(baseline))
            listed = "ApprovedPatches" if one.action is Action.APPROVE else "RejectedPatches"
            yield Excused(
                name=name,
                patch=one.patch,
                action=str(one.action),
                baseline=baseline,
                groups=tuple(policy.baselines[baseline].patch_groups),
                reason=" ".join(one.reason.split()),
                owner=" ".join(one.owner.split()),
                until=one.until,
                days_left=(one.until - today).days,
                deployed=None if known is None else one.patch in known.get(listed, []),
            )


def _deployed(session: Session, deployment: Deployment, problems: list[str]) -> dict[str, Any]:
    """Return the environment's baselines by their names."""
    prefix = deployment.name("")
    try:
        names = effective_baselines.read(session).names
        wanted = [one for one, name in names.items() if name.startswith(prefix)]
        found: list[Any] = list(session.each(lambda one: session.ssm.get_patch_baseline(BaselineId=one), wanted))
    except (BotoCoreError, ClientError) as error:
        problems.append(f"the deployed baselines: {in_words(error)}")
        return {}
    if not found:
        problems.append(f"the environment {deployment.environment} has no baselines in this Region")
    return {one["Name"]: one for one in found}
