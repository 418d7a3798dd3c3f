"""Faults on request: what goes wrong between a client and AWS, at the calls that somebody chose.

The same calls fail in every run: a rule counts the calls that match it, and acts on those from the n-th on, so many
times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from socket import SHUT_RDWR
from threading import Lock
from typing import Any

from lab.aws.requests.calls import Call
from lab.aws.requests.error_replies import ERRORS, error_reply

DELAY = "delay"
CUT_BEFORE, CUT_AFTER, CUT_WITHIN = "cut-before", "cut-after", "cut-within"
KINDS = (*ERRORS, DELAY, CUT_BEFORE, CUT_AFTER, CUT_WITHIN)
"""What a fault can do: answer with an error; be late; cut the connection before the request is looked at, after it has
had its effect but before the reply, or in the middle of the reply."""

_LONGEST_DELAY = 60_000
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Fault:
    """A rule about what goes wrong.

    Attributes:
        calls: the calls that it is about, such as `ssm:SendCommand`; `*` and `?` stand for anything: `ssm:Describe*`.
        do: what happens: one of `KINDS`.
        first: the number of the first matching call that it happens to, from 1; 1 by default.
        times: to how many calls it happens; None, the default, for all from then on.
        milliseconds: for a delay, how long it is.

    Raises:
        ValueError: one of them makes no sense.
    """

    calls: str
    do: str
    first: int = 1
    times: int | None = None
    milliseconds: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.calls, str) or ":" not in self.calls.replace("*", ":"):
            raise ValueError(f"calls: {self.calls!r} is no pattern like ssm:SendCommand or ssm:Describe*")
        if self.do not in KINDS:
            raise ValueError(f"do: {self.do!r} is none of {', '.join(KINDS)}")
        for name, least in (("first", 1), ("times", 1), ("milliseconds", 0)):
            value = getattr(self, name)
            if name == "times" and value is None:
                continue
            if type(value) is not int or value < least:
                raise ValueError(f"{name}: {value!r} is not a whole number of at least {least}")
        if self.do == DELAY and not 0 < self.milliseconds <= _LONGEST_DELAY:
            raise ValueError(f"milliseconds: {self.milliseconds} is not between 1 and {_LONGEST_DELAY}")

    @classmethod
    def from_json(cls, given: Any) -> Fault:  # noqa: ANN401 whatever somebody sent
        """Read a rule as the control request has it: an object with the attributes."""
        if not isinstance(given, Mapping) or not {"calls", "do"} <= set(given):
            raise ValueError('expected {"calls": "ssm:SendCommand", "do": "throttle"}')
        unknown = set(given) - set(cls.__dataclass_fields__)
        if unknown:
            raise ValueError(
                f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(cls.__dataclass_fields__)}"
            )
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """Return it as the control request has it."""
        return asdict(self)

    def concerns(self, call: Call) -> bool:
        """Tell whether it is about a call."""
        return fnmatchcase(call.name, self.calls)


class Faults:
    """The faults that are in force; none at first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rules: tuple[Fault, ...] = ()
        self._seen: list[int] = []

    def set(self, *rules: Fault) -> None:
        """Have these rules in force, and no other ones; each begins to count anew."""
        with self._lock:
            self._rules = rules
            self._seen = [0] * len(rules)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self.set()

    def known(self) -> list[dict[str, Any]]:
        """Return the rules, each with the number of calls that it was about (`seen`)."""
        with self._lock:
            return [{**rule.to_json(), "seen": seen} for rule, seen in zip(self._rules, self._seen, strict=True)]

    def due(self, call: Call) -> list[Fault]:
        """Count a call, and return what is to happen to it: delays, and one other fault at most."""
        if not self._rules:
            return []
        with self._lock:
            due = list(self._due(call))
        other = [fault for fault in due if fault.do != DELAY]
        return [fault for fault in due if fault.do == DELAY] + other[:1]

    def _due(self, call: Call) -> Iterator[Fault]:
        for number, rule in enumerate(self._rules):
            if not rule.concerns(call):
                continue
            self._seen[number] += 1
            past = self._seen[number] - rule.first
            if past >= 0 and (rule.times is None or past < rule.times):
                yield rule

    def apply(self, call: Call, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        """Answer a request by an application, with what is due to go wrong. No lock is held while it is late."""
        for fault in self.due(call):
            if fault.do == DELAY:
                time.sleep(fault.milliseconds / 1000)
            elif fault.do in ERRORS:
                return error_reply(call.service, fault.do)(environ, start_response)
            elif fault.do == CUT_BEFORE:
                _cut(environ)
            else:
                return _cut_reply(fault.do, app, environ, start_response)
        return app(environ, start_response)


def _cut_reply(how: str, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
    """Let a request have its effect, and send nothing of the reply, or its headers and the first half of its body."""
    kept: list[Any] = []

    def keep(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:  # noqa: ANN401 WSGI's own
        kept[:] = [status, headers]
        return lambda _: None

    reply = app(environ, keep)
    body = b"".join(reply)
    close = getattr(reply, "close", None)
    if close:
        close()
    if how == CUT_WITHIN:
        status, headers = kept
        kind = [(name, value) for name, value in headers if name.lower() != "content-length"]
        # What has no body is cut within its headers, in effect: a client waits for a byte that does not come.
        write = start_response(status, [*kind, ("Content-Length", str(max(len(body), 1)))])
        write(body[: len(body) // 2])
    _cut(environ)
    return ()


def _cut(environ: dict[str, Any]) -> None:
    """Close the connection that a request came by.

    Raises:
        ConnectionAbortedError: always; it keeps the server from answering.
    """
    environ["werkzeug.socket"].shutdown(SHUT_RDWR)
    raise ConnectionAbortedError("cut by a fault of the lab")
