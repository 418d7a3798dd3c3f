"""The account around the engine in a rehearsal: its nodes, and nobody who is told or refused anything."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, SupportsBytes

from lab.world.cloud import Alarm, Instance, RuleTarget, StoredDocument, Topic

_STAND_IN = json.dumps(
    {
        "schemaVersion": "2.2",
        "mainSteps": [
            {
                "action": action,
                "name": f"on{platform}",
                "precondition": {"StringEquals": ["platformType", platform]},
                "inputs": {"runCommand": ["exit 0"]},
            }
            for action, platform in (("aws:runShellScript", "Linux"), ("aws:runPowerShellScript", "Windows"))
        ],
    }
)
ROLE = "arn:aws:iam::123456789012:role/rehearsal"


class RehearsedAccount:
    """An account in which everything is allowed: permissions are the review's matter, not the rehearsal's.

    Args:
        instances: the nodes.
        documents: names of the account's own documents; whatever they say, they succeed.
    """

    account = "123456789012"
    region = "us-east-1"

    def __init__(self, instances: Iterable[Instance], documents: Iterable[str]) -> None:
        self._instances = tuple(instances)
        self._documents = frozenset(documents)

    def changes(self) -> int:
        """Return always the same: nothing changes."""
        return 1

    def instances(self, ids: Collection[str] | None = None) -> Iterable[Instance]:
        """Return the nodes; with ids only these."""
        return self._instances if ids is None else tuple(one for one in self._instances if one.id in ids)

    def allowed(self, role: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:  # noqa: ARG002
        """Allow everything."""
        return True

    def trusts(self, role: str, service: str, context: Mapping[str, str] | None = None) -> bool:  # noqa: ARG002
        """Trust everybody."""
        return True

    def bucket_key(self, bucket: str) -> str | None:  # noqa: ARG002
        """Return none: no output is kept."""
        return None

    def bucket_policy(self, bucket: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Return none: there are no buckets."""
        return None

    def topic(self, topic: str) -> Topic | None:  # noqa: ARG002
        """Return none: nobody is told."""
        return None

    def key_policy(self, key: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Return none: nothing is encrypted."""
        return None

    def matching_targets(self, event: Mapping[str, Any]) -> Iterable[RuleTarget]:  # noqa: ARG002
        """Return none: nobody is told."""
        return ()

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float) -> None:
        """Count nothing."""

    def alarms(self) -> Iterable[Alarm]:
        """Return none."""
        return ()

    def alarm_state(self, name: str) -> str | None:  # noqa: ARG002
        """Return none: there are no alarms."""
        return None

    def group_members(self, name: str) -> list[str] | None:  # noqa: ARG002
        """Return none: there are no groups."""
        return None

    def change_state(self, instance_id: str, state: str) -> None:  # noqa: ARG002
        """Refuse: a rehearsal runs no runbooks."""
        raise KeyError(instance_id)

    def set_alarm_state(self, name: str, state: str, reason: str) -> None:
        """Keep nothing."""

    def put_object(self, bucket: str, key: str, body: SupportsBytes) -> None:
        """Keep nothing."""

    def get_object(self, bucket: str, key: str) -> bytes:
        """Find nothing."""
        raise KeyError(f"object {bucket}/{key}")

    def is_public(self, bucket: str, key: str) -> bool:  # noqa: ARG002
        """Tell that nothing is."""
        return False

    def document(self, name: str, version: str) -> StoredDocument | None:  # noqa: ARG002 there is one version only
        """Return a stand-in for a document of the plan."""
        return StoredDocument("Command", "1", _STAND_IN) if name in self._documents else None

    def has_log_group(self, group: str) -> bool:  # noqa: ARG002
        """Tell that there is none."""
        return False

    def put_log_events(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Keep nothing."""

    def publish(self, topic: str, subject: str, message: str) -> None:
        """Tell nobody."""
