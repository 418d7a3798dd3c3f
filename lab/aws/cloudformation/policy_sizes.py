"""How large the policies of IAM may be, which moto does not look at.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend, Role

MANAGED = 6144
"""Characters of a managed policy."""

TRUST = 2048
"""Characters of a role's trust policy, as long as nobody has asked AWS for more."""

INLINE = 10240
"""Characters of all inline policies of a role together."""


def install() -> None:
    """Have moto refuse larger ones, for as long as the process lives."""
    IAMBackend.create_policy = _checked(IAMBackend.create_policy, "policy_document", 2, _managed)
    IAMBackend.create_policy_version = _checked(IAMBackend.create_policy_version, "policy_document", 1, _managed)
    IAMBackend.create_role = _checked(IAMBackend.create_role, "assume_role_policy_document", 1, check_trust)
    IAMBackend.update_assume_role_policy = _checked(
        IAMBackend.update_assume_role_policy, "policy_document", 1, check_trust
    )
    IAMBackend.put_role_policy = _inline(IAMBackend.put_role_policy)


def size(document: str) -> int:
    """Return how many characters of a policy count."""
    return len("".join(document.split()))


def _checked(
    original: Callable[..., Any], name: str, position: int, check: Callable[[str], None]
) -> Callable[..., Any]:
    def checked(backend: IAMBackend, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 moto's own signatures
        check(kwargs[name] if name in kwargs else args[position])
        return original(backend, *args, **kwargs)

    return checked


def check_trust(document: str) -> None:
    """Refuse a trust policy that is too large.

    Raises:
        LimitExceededException: it is.
    """
    if size(document) > TRUST:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")


def check_inline(role: Role, name: str, document: str) -> None:
    """Refuse an inline policy with which a role would have too much of them.

    Raises:
        LimitExceededException: it would.
    """
    total = size(document) + sum(size(one) for other, one in role.policies.items() if other != name)
    if total > INLINE:
        raise LimitExceededException(f"Maximum policy size of {INLINE} bytes exceeded for role {role.name}")


def _managed(document: str) -> None:
    if size(document) > MANAGED:
        raise LimitExceededException(f"Cannot exceed quota for PolicySize: {MANAGED}")


def _inline(original: Callable[..., None]) -> Callable[..., None]:
    def put(backend: IAMBackend, role_name: str, policy_name: str, policy_json: str) -> None:
        check_inline(backend.get_role(role_name), policy_name, policy_json)
        original(backend, role_name, policy_name, policy_json)

    return put
