"""What goes wrong in the lab: what a client of the local AWS sees, and what its owner does."""

from __future__ import annotations

from patching.errors import UserError


class ApiError(Exception):
    """A request that the service refuses.

    Attributes:
        code: the exception's name in the service model, such as InvalidInstanceId.
        message: what a person reads.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class LabError(UserError):
    """Something that keeps the lab from running. Its text is for the person in front of it, on one line."""
