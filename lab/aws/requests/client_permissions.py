"""Checks what clients ask for against a policy, for the access keys that somebody chose: that a policy is enough.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. Of all other keys
nothing is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from lab.aws.account.plane import Plane
from lab.aws.requests.asked_permissions import asked_of
from lab.aws.requests.calls import Call
from lab.aws.requests.error_replies import error_reply
from lab.world.access import allowed

_DEFAULT_REGION = "us-east-1"


class ClientPermissions:
    """The policies of clients, by their access keys.

    Args:
        plane: the lab, whose nodes and tags the conditions of a policy may ask for.
    """

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._policies: dict[str, Mapping[str, Any]] = {}

    def set(self, access_key: str, policy: Mapping[str, Any] | None) -> None:
        """Allow what is signed with an access key only what a policy allows.

        Args:
            access_key: the key's id.
            policy: the policy document; None to check nothing any more.

        Raises:
            ValueError: a policy that the lab's evaluation cannot read.
        """
        if policy is None:
            self._policies.pop(access_key, None)
            return
        for statement in _statements(policy):
            if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
                raise ValueError("a statement of the policy has no Effect of Allow or Deny")
        try:
            allowed([policy], "ssm:Nothing", "*")
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the policy cannot be read: {error!r}") from None
        self._policies[access_key] = policy

    def known(self) -> dict[str, Mapping[str, Any]]:
        """Return the policies by their access keys."""
        return dict(self._policies)

    def refusal(self, call: Call, environ: dict[str, Any]) -> Response | None:
        """Return what a call is answered that is not allowed; None for one that is."""
        policy = self._policies.get(call.access_key)
        if policy is None:
            return None
        with self._plane.engine(call.region or _DEFAULT_REGION) as engine:
            for asked in asked_of(call, environ, engine):
                if not allowed([policy], asked.action, asked.resource, asked.context):
                    who = f"arn:aws:iam::{engine.cloud.account}:user/{call.access_key}"
                    on = f" on resource: {asked.resource}" if asked.resource != "*" else ""
                    message = (
                        f"User: {who} is not authorized to perform: {asked.action}{on} because no identity-based "
                        f"policy allows the {asked.action} action"
                    )
                    return error_reply(call.service, "access-denied", message)
        return None


def _statements(policy: Mapping[str, Any]) -> list[Any]:
    found = policy.get("Statement", [])
    return found if isinstance(found, list) else [found]
