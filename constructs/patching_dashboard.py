"""A dashboard with what an on-call engineer looks at first.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct
from constructs.command_alarms import METRICS, NAMESPACE


class PatchingDashboard(Construct):
    """A dashboard: the alarms, the commands of the last week, and a text that says where to look further.

    Args:
        scope: where it is made.
        id: its name there.
        name: the dashboard's name.
        environment: named in the text.
        windows: names and times of the windows, in words.
        alarms: ARNs of the alarms that are shown; none by default.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        environment: str,
        windows: Sequence[str],
        alarms: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        metrics = [*(metric for metric, _ in METRICS.values()), "CommandsSucceeded"]
        body = {
            "start": "-P7D",
            "widgets": [
                _widget("text", 0, 6, {"markdown": _text(environment, stack.region, windows)}),
                *(
                    [_widget("alarm", 6, 3, {"title": "Alarms (account and Region)", "alarms": list(alarms)})]
                    if alarms
                    else []
                ),
                _widget(
                    "metric",
                    9,
                    8,
                    {
                        "title": "Commands that ended (account and Region)",
                        "region": stack.region,
                        "stat": "Sum",
                        "period": 3600,
                        "stacked": True,
                        "metrics": [[NAMESPACE, metric] for metric in metrics],
                    },
                ),
            ],
        }
        cloudwatch.CfnDashboard(self, "Resource", dashboard_name=name, dashboard_body=stack.to_json_string(body))


def _widget(kind: str, top: int, height: int, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "x": 0, "y": top, "width": 24, "height": height, "properties": properties}


def _text(environment: str, region: str, windows: Sequence[str]) -> str:
    console = f"https://{region}.console.aws.amazon.com/systems-manager"
    lines = [
        f"# Patching of {environment}",
        f"[Compliance]({console}/patch-manager/dashboard) · [Run Command]({console}/run-command/complete-commands)",
        f"[Windows]({console}/maintenance-windows) · [Associations]({console}/state-manager)",
        f"`patchops compliance --environment {environment}` names the nodes that lack patches.",
        f"`patchops windows --environment {environment}` says when the windows open, and how they ended.",
        *(f"- {window}" for window in windows),
    ]
    return "\n\n".join(lines)
