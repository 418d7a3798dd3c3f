"""What a person can mend."""

from __future__ import annotations


class UserError(Exception):
    """What the person in front of it can mend. Its text is for them: what, where, got, expected, how to mend it."""


class InvalidValueError(UserError, ValueError):
    """A value that AWS would refuse, or accept and then do nothing with.

    Its text is one line: what was found, what is expected and how to mend it. Where it was found is for the
    caller to add: the policy file knows a line, a construct knows a path.
    """


def is_token(value: object) -> bool:
    """Tell whether a string holds a CDK token, which only has a value at deployment and so cannot be checked."""
    return isinstance(value, str) and ("${Token[" in value or "${AWS::" in value)
