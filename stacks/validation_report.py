"""What validation plugins found in an app, one line a finding.

Under the CDK CLI an app leaves it to the CLI to fail, and that looks at the stacks of its command line only: a plain
`cdk synth` of stacks within a stage looks at none of them, and succeeds. So the app fails by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FAIL_IN_APP: dict[str, Any] = {
    "@aws-cdk/core:failSynthOnValidationErrors": True,
    # Raise instead of setting the exit code of Node's process, which is not the app's.
    "@aws-cdk/core:appMode": "inmemory",
}
"""Context, after the CLI's own, by which `App.synth` raises where a plugin has found something."""


def lines(directory: str) -> Iterator[str]:
    """Yield a line for each finding in the report of a cloud assembly that is not acknowledged, and for the report."""
    path = Path(directory) / "validation-report.json"
    for plugin in json.loads(path.read_text(encoding="utf-8"))["pluginReports"]:
        failed = (plugin.get("metadata") or {}).get("error")
        if failed:
            yield f"error: {failed}"
        for violation in plugin["violations"]:
            message = " ".join(violation["description"].split())
            for construct in violation["violatingConstructs"]:
                place = construct["constructPath"] or (construct.get("cloudFormationResource") or {}).get("logicalId")
                yield f"{violation['severity']}: {place}: {violation['ruleName']}: {message}"
    yield f"the templates break rules; the whole report is in {path}"
