"""`patchops windows`."""

from __future__ import annotations

from cli.options import EndpointUrl, EnvironmentName, Output, OutputFormat, Profile, Region, Terminal, session
from ops import schedules, tables
from patching.deployment import Deployment


def windows(
    environment: EnvironmentName = None,
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Show what is scheduled: windows and scans, their next runs, and how they ran."""
    found = schedules.scheduled(
        session(profile, region, endpoint_url), Deployment(environment) if environment else None
    )
    Terminal(output).show(found, tables.schedules(found))
