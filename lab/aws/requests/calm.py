"""Moments in which no client's request is being answered: only then is moto's state all of a piece."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Calm:
    """Lets many requests go on at one time, or one thing that none of them may disturb."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._disturbing = 0
        self._kept = False

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        """Answer a request, once nobody keeps calm."""
        with self._changed:
            self._changed.wait_for(lambda: not self._kept)
            self._disturbing += 1
        try:
            yield
        finally:
            with self._changed:
                self._disturbing -= 1
                self._changed.notify_all()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Do something while no request is being answered: those that come wait for it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._kept)
            self._kept = True
            self._changed.wait_for(lambda: not self._disturbing)
        try:
            yield
        finally:
            with self._changed:
                self._kept = False
                self._changed.notify_all()
