"""`patchops lab status`: the lab's clock, its nodes and what is deployed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cli.options import Output, OutputFormat, Terminal
from lab import local_aws
from ops.table import Table, moment, table

_NAMED = 30
"""As many instances are named one by one; of more there are only numbers."""


def status(output: Output = OutputFormat.TABLE) -> None:
    """Show the lab's clock, its nodes, why an instance is not one, and who was not told of something, and why."""
    running = local_aws.required()
    state = {"url": running.url, **running.status()}
    general = table(
        "Local AWS",
        ("", " "),
        (
            ("Address", running.url),
            ("Clock", moment(datetime.fromisoformat(state["now"]))),
            ("Working", "yes" if state["working"] else "no"),
            ("Speed", f"{state['speed']:g} lab seconds a second{'' if state['running'] else ', while something runs'}"),
            ("Chaos", _chaos(state["chaos"])),
        ),
    )
    regions = table(
        "Regions",
        ("Region", "Managed nodes", "Baselines", "Windows", "Associations", "Commands running"),
        (
            (name, len(one["managed"]), one["baselines"], one["windows"], one["associations"], one["commands_running"])
            for name, one in state["regions"].items()
        ),
    )
    systems = table(
        "Nodes by operating system",
        ("Region", "Operating system", "Nodes"),
        ((name, *pair) for name, one in state["regions"].items() for pair in one["systems"].items()),
    )
    unmanaged = _unmanaged(state["regions"])
    untold = table(
        "Not told",
        ("Region", "Source", "To", "Why", "Times"),
        (
            (name, row["source"], row["to"], row["problem"], row["times"])
            for name, one in state["regions"].items()
            for row in one["not_told"]
        ),
    )
    Terminal(output).show(state, [one for one in (general, regions, systems, unmanaged, untold) if one.rows])


def _unmanaged(regions: Mapping[str, Mapping[str, Any]]) -> Table:
    """Say of each instance that is not managed why; of many, how many for which reason."""
    if sum(len(one["unmanaged"]) for one in regions.values()) <= _NAMED:
        return table(
            "Instances that are not managed",
            ("Region", "Instance", "Why"),
            ((name, *pair) for name, one in regions.items() for pair in one["unmanaged"].items()),
        )
    return table(
        "Instances that are not managed, by reason",
        ("Region", "Why", "Instances"),
        ((name, *pair) for name, one in regions.items() for pair in Counter(one["unmanaged"].values()).most_common()),
    )


def _chaos(rates: Mapping[str, float]) -> str:
    told = [f"{name.replace('_', ' ')} {value * 100:g}%" for name, value in rates.items() if value and name != "seed"]
    return f"{', '.join(told)}; seed {rates['seed']}" if told else "none"
