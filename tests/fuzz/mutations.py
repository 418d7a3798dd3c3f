"""Good policies, and how they are broken: in what they hold, and in how they are written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.cdk import ROOT
from tests.patching.policies import written

Place = tuple[Any, ...]

PATHS = sorted(
    path for folder in ("config", "tests/policies", "tests/fuzz/policies") for path in (ROOT / folder).glob("*.yaml")
)


@dataclass(frozen=True)
class Good:
    """A policy that keeps every rule."""

    path: Path
    text: str
    data: dict[str, Any]


GOOD = [
    Good(path, path.read_text(encoding="utf-8"), YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
    for path in PATHS
]


@dataclass(frozen=True)
class Broken:
    """The text of a policy that was broken, and the folder of its documents."""

    text: str
    folder: Path


# What it holds.

words = st.sampled_from(
    [
        *("", " ", "*", "?", "%", "0%", "100%", "101%", "-1", "1.5", "{environment}", "{", "a\nb", "ü", "KB5031364"),
        *("lab", "Lab", "x" * 41, "x" * 257, "Environment", "PatchGroup", "Patch Group", "patchgroup", "aws:x", "a+b"),
        *("rate(1 day)", "rate(1 days)", "rate(29 minutes)", "rate(99999 days)", "at(2026-12-24T02:00:00)"),
        *("at(1999-12-31T23:59:59)", "at(9999-12-31T23:59:59)", "cron(0 2 ? * SUN *)", "cron(0 2 * * * *)"),
        *("cron(* * * * ? *)", "cron(24 0 2 ? * SUN *)", "cron(0 2 LW * ? *)", "cron(0 0/4 * * ? *)", "cron(bad)"),
        *("Europe/Berlin", "Asia/Kathmandu", "Etc/GMT+12", "Mars/Phobos", "America/New_York", "localtime"),
        *("AMAZON_LINUX_2023", "UBUNTU", "WINDOWS", "SUSE", "MACOS", "AmazonLinux2023", "Ubuntu22.04", "Ubuntu-22.04"),
        *("Security", "Critical", "PRODUCT", "PRIORITY", "CLASSIFICATION", "openssl", "kernel*", "CVE-2025-0001"),
        *("s3://bucket/key", "https://s3.amazonaws.com/bucket/key", "s3://bucket", "a@b.io", "https://a.io/x"),
        *("arn:aws:iam::123456789012:root", "arn:aws:sqs:eu-west-1:123456789012:q", "nat", "isolated", "public"),
        *("existing", "vpc-01234567", "subnet-01234567", "t4g.small", "u-6tb1.metal", "Failed", "All", "BLOCK"),
        *("documents/check.yaml", "documents/none.yaml", "../x.yaml", "/etc/passwd", "note", "check", "reject"),
        *("${AWS::Region}", "${Token[TOKEN.1]}", "${Token[", "{{ ssm:x }}", "$(date)", "\ud800"),
    ]
)
numbers = st.sampled_from([-1, 0, 1, 2, 3, 6, 7, 8, 20, 23, 24, 25, 29, 30, 50, 51, 99, 100, 360, 361, 1000, 2**31])
dates = st.dates() | st.sampled_from(
    [date for good in GOOD for date in [one.get("until") for one in good.data.get("exceptions", {}).values()]]
)
scalars = st.one_of(
    words,
    numbers,
    dates,
    st.none(),
    st.booleans(),
    st.integers(-5, 500),
    st.floats(allow_nan=False, width=16),
    st.text("ab{}:% -*?#\n0", max_size=8),
    st.datetimes(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.integers(), inner, max_size=3),
    max_leaves=4,
)


def places(node: Any, path: Place = ()) -> Iterator[Place]:
    """Yield the way to everything in a policy."""
    if path:
        yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from places(value, (*path, key))


def at(node: Any, path: Place) -> Any:
    for key in path:
        node = node[key]
    return node


def misspelt(draw: st.DrawFn, word: str) -> str:
    """Leave out a letter, write one twice, swap two, or change one's case."""
    index = draw(st.integers(0, len(word) - 1)) if word else 0
    head, letter, tail = word[:index], word[index : index + 1], word[index + 1 :]
    return draw(
        st.sampled_from(
            [
                head + tail,
                head + letter * 2 + tail,
                head + tail[:1] + letter + tail[1:],
                head + letter.swapcase() + tail,
            ]
        )
    )


def drop(draw: st.DrawFn, data: Any, path: Place) -> None:
    del at(data, path[:-1])[path[-1]]


def replace(draw: st.DrawFn, data: Any, path: Place) -> None:
    at(data, path[:-1])[path[-1]] = draw(values)


def misspell(draw: st.DrawFn, data: Any, path: Place) -> None:
    holder, key = at(data, path[:-1]), path[-1]
    if isinstance(key, str):
        holder[misspelt(draw, key)] = holder.pop(key)
    elif isinstance(holder[key], str):
        holder[key] = misspelt(draw, holder[key])


def insert(draw: st.DrawFn, data: Any, path: Place) -> None:
    holder = at(data, path)
    if isinstance(holder, dict):
        holder[draw(words | st.integers(0, 9))] = draw(values)
    elif isinstance(holder, list):
        holder.insert(draw(st.integers(0, len(holder))), draw(values))


def duplicate(draw: st.DrawFn, data: Any, path: Place) -> None:
    holder, key = at(data, path[:-1]), path[-1]
    if isinstance(holder, list):
        holder += [copy.deepcopy(holder[key]) for _ in range(draw(st.sampled_from([1, 2, 10, 50])))]
    else:
        for number in range(draw(st.sampled_from([1, 2, 10, 50]))):
            holder[f"{key}-{number}"] = copy.deepcopy(holder[key])


def nudge(draw: st.DrawFn, data: Any, path: Place) -> None:
    """Change a number a little, and a text in one letter."""
    holder, key = at(data, path[:-1]), path[-1]
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int):
        holder[key] = draw(st.sampled_from([value - 1, value + 1, -value, value * 10, str(value), f"{value}%"]))
    elif isinstance(value, str):
        holder[key] = misspelt(draw, value)


def swap(draw: st.DrawFn, data: Any, path: Place) -> None:
    """Put the value of one key in the place of another one's, and the other way round."""
    other = draw(st.sampled_from(sorted(places(data), key=repr)))
    if other[: len(path)] != path and path[: len(other)] != other:
        one, two = at(data, path), at(data, other)
        at(data, path[:-1])[path[-1]] = copy.deepcopy(two)
        at(data, other[:-1])[other[-1]] = one


def borrow(draw: st.DrawFn, data: Any, path: Place) -> None:
    """Put a part of another policy in a place, under the same key where there is one."""
    good = draw(st.sampled_from(GOOD))
    same = [one for one in places(good.data) if one[-1] == path[-1]]
    source = draw(st.sampled_from(same or sorted(places(good.data), key=repr)))
    at(data, path[:-1])[path[-1]] = copy.deepcopy(at(good.data, source))


WAYS: list[Callable[[st.DrawFn, Any, Place], None]] = [
    drop,
    replace,
    misspell,
    insert,
    duplicate,
    nudge,
    nudge,
    swap,
    borrow,
    borrow,
]


@st.composite
def broken_data(draw: st.DrawFn, good: list[Good] | None = None) -> Broken:
    """A policy that holds something else in one to three places."""
    chosen = draw(st.sampled_from(good or GOOD))
    data = copy.deepcopy(chosen.data)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        found = sorted(places(data), key=repr)
        if found:
            draw(st.sampled_from(WAYS))(draw, data, draw(st.sampled_from(found)))
    return Broken(written(data), chosen.path.parent)


# How it is written.

TOKENS = [
    *(
        ": ",
        "- ",
        "? ",
        "&a ",
        "*a",
        "<<: *a",
        "!!set ",
        "!!binary ",
        "!x ",
        "|\n",
        ">\n",
        "%YAML 1.1\n",
        "---\n",
        "...\n",
    ),
    *("{", "}", "[", "]", ",", "'", '"', "#", "\t", "\n", "\r\n", "  ", "@", "`", "\\", "\x00", "\ufeff", "\u2028"),
    *(
        "null",
        "~",
        "yes",
        "0x1F",
        "0o17",
        "1_000",
        "1e3",
        ".inf",
        ".nan",
        "2026-01-01T00:00:00Z",
        '"\\ud800"',
        "12:30:45",
    ),
]


@st.composite
def broken_text(draw: st.DrawFn, good: list[Good] | None = None) -> Broken:
    """A policy of whose text one to three lines are other ones."""
    chosen = draw(st.sampled_from(good or GOOD))
    lines = chosen.text.splitlines(keepends=True)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        if not lines:
            break
        index = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["cut", "twice", "move", "indent", "token", "letter", "end"])):
            case "cut":
                del lines[index]
            case "twice":
                lines.insert(index, lines[index])
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(index))
            case "indent":
                lines[index] = draw(st.sampled_from(["", " ", "  ", "    ", "\t"])) + lines[index].lstrip()
            case "token":
                column = draw(st.integers(0, len(lines[index])))
                lines[index] = lines[index][:column] + draw(st.sampled_from(TOKENS)) + lines[index][column:]
            case "letter":
                column = draw(st.integers(0, len(lines[index]) - 1)) if lines[index] else 0
                lines[index] = lines[index][:column] + draw(st.characters(codec="utf-8")) + lines[index][column + 1 :]
            case _:
                del lines[index:]
    return Broken("".join(lines), chosen.path.parent)
