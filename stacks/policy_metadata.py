"""What of a policy no template shows, as metadata of the cloud assembly: for those who review it."""

from __future__ import annotations

from typing import Any

from patching.policy import Policy

TOLD = "patchops:policy"
"""Type of the metadata. It is in the assembly only, and not deployed."""


def told(policy: Policy) -> dict[str, Any]:
    """Return the exceptions with their reasons and last days, and the services that have to stay up."""
    return {
        "exceptions": {name: one.model_dump(mode="json") for name, one in policy.exceptions.items()},
        "services": {name: one.model_dump(mode="json") for name, one in policy.services.items()},
    }
