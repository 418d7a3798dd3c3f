"""The one error of this room."""

from __future__ import annotations


class ReviewError(Exception):
    """What cannot be reviewed, on one line: what, where and how to mend it."""
