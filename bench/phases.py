"""Run a CDK app within this process, and write down what took how long: `python phases.py FILE APP`.

APP is the path of a module with a function `main`, FILE gets a JSON object: seconds of each phase, and `calls`, how
often Python called Node. Nothing of the app knows of it: the CDK's own functions are timed from outside, and between
its validation plugins stand plugins that only look at the clock.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsii
from jsii._kernel.providers.process import _NodeProcess

spent: defaultdict[str, float] = defaultdict(float)
ticks: list[tuple[str, float]] = []
STARTED = "start Node"
LOADED = "load the CDK and the packs into Node"
IMPORTED = "import Python modules"


def timed(holder: Any, name: str, phase: Callable[..., str | None]) -> None:  # noqa: ANN401 a class or a module
    """Add what a function takes to the phase that its arguments tell, if any."""
    original = getattr(holder, name)

    @wraps(original)
    def measured(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 whatever the function takes and gives
        begun = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            label = phase(*args, **kwargs)
            if label:
                spent[label] += time.perf_counter() - begun

    setattr(holder, name, measured)


def of_request(_: _NodeProcess, request: Any, *__: object) -> str | None:  # noqa: ANN401 jsii's own classes
    """Count a call to Node, and tell the phase of those that load a library."""
    spent["calls"] += 1
    return LOADED if type(request).__name__ == "LoadRequest" else None


def main(out: str, app: str) -> None:
    """Run the app."""
    timed(_NodeProcess, "start", lambda *_: STARTED)
    timed(_NodeProcess, "send", of_request)
    sys.path[0] = str(Path(app).parent)
    begun = time.perf_counter()
    module = importlib.import_module(Path(app).stem)
    spent[IMPORTED] = time.perf_counter() - begun - spent[STARTED] - spent[LOADED]

    cdk = importlib.import_module("aws_cdk")

    @jsii.implements(cdk.IPolicyValidationPlugin)
    class Clock:
        """A plugin that finds nothing, and looks at the clock when its turn comes."""

        def __init__(self, after: str) -> None:
            self.after = after

        @property
        def name(self) -> str:
            """The plugin's name."""
            return f"clock after {self.after}"

        def validate(self, _: object) -> Any:  # noqa: ANN401 a report of the CDK, loaded above
            """Look at the clock."""
            ticks.append((self.after, time.time()))
            return cdk.PolicyValidationPluginReport(success=True, violations=[])

    add = cdk.Validations.add_plugins

    def add_with_clocks(self: object, *plugins: object) -> None:
        add(self, Clock(""), *(one for plugin in plugins for one in (plugin, Clock(type(plugin).__name__))))

    cdk.Validations.add_plugins = add_with_clocks
    for name, phase in (("read_policy", "read the policy"), ("Environment", "build the tree")):
        if hasattr(module, name):
            timed(module, name, lambda *_, phase=phase, **__: phase)
    synth = cdk.App.synth

    def synth_by_clocks(self: Any) -> Any:  # noqa: ANN401 the CDK's own classes
        begun = time.time()
        assembly = synth(self)
        ended = time.time()
        # The templates are written before the plugins run, and the assembly's manifest comes last of them.
        written = Path(self.outdir, "manifest.json").stat().st_mtime
        spent["synthesis"] = written - begun
        # The CDK's own plugin runs before those of the app, or, if the app has stacks of its own, after them.
        spent["template validation"] = ticks[0][1] - written + ended - ticks[-1][1]
        for (_, before), (name, after) in pairwise(ticks):
            spent[name] = after - before
        return assembly

    cdk.App.synth = synth_by_clocks
    module.main()
    Path(out).write_text(json.dumps(spent), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
