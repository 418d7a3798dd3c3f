"""The one error of this room."""

from __future__ import annotations

from patching.errors import UserError


class ReviewError(UserError):
    """What cannot be reviewed, on one line: what, where and how to mend it."""
