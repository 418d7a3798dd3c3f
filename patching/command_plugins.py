"""The plugins that a step of a Command document can run: on which platforms, and with which inputs.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from patching.operating_system import PlatformType


class InputKind(StrEnum):
    """What an input takes."""

    STRING = "a String"
    BOOLEAN = "true or false"
    SECONDS = "a number of seconds"
    STRING_LIST = "a StringList"
    COMMANDS = "a String or a StringList"
    STRING_MAP = "a StringMap"


@dataclass(frozen=True)
class Input:
    """One input of a plugin.

    Attributes:
        kind: what it takes.
        required: whether the plugin cannot do without it.
        values: the values that it can have; empty if AWS lists none.
    """

    kind: InputKind = InputKind.STRING
    required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plugin:
    """What an action of a Command document's step stands for.

    Attributes:
        platforms: where it runs; elsewhere a document with schema 2.2 skips the step.
        inputs: its own inputs, by name; every plugin has `SHARED_INPUTS` too.
        withdrawn: why it cannot be used any more; empty for one that can.
    """

    platforms: frozenset[PlatformType]
    inputs: Mapping[str, Input] = field(default_factory=dict)
    withdrawn: str = ""


_EVERYWHERE = frozenset(PlatformType)
_WINDOWS = frozenset({PlatformType.WINDOWS})
_LINUX_AND_WINDOWS = frozenset({PlatformType.LINUX, PlatformType.WINDOWS})
_REQUIRED = Input(required=True)
_OPTIONAL = Input()
_INSTALL = Input(required=True, values=("Install", "Uninstall"))
_SCRIPT = {
    "runCommand": Input(InputKind.COMMANDS, required=True),
    "timeoutSeconds": Input(InputKind.SECONDS),
    "workingDirectory": _OPTIONAL,
}

SHARED_INPUTS: dict[str, Input] = {
    "finallyStep": Input(InputKind.BOOLEAN),
    "onFailure": Input(values=("exit", "successAndExit")),
    "onSuccess": Input(values=("exit",)),
}
"""Inputs that all plugins have, from SSM Agent 3.0.502 on."""

PLUGINS: dict[str, Plugin] = {
    "aws:applications": Plugin(
        _WINDOWS,
        {
            "action": Input(required=True, values=("Install", "Repair", "Uninstall")),
            "parameters": _OPTIONAL,
            "source": _REQUIRED,
            "sourceHash": _OPTIONAL,
        },
    ),
    "aws:cloudWatch": Plugin(_WINDOWS, withdrawn="AWS does not support it any more; use the CloudWatch agent"),
    "aws:configureDocker": Plugin(_LINUX_AND_WINDOWS, {"action": _INSTALL}),
    "aws:configurePackage": Plugin(
        _LINUX_AND_WINDOWS,
        {
            "name": _REQUIRED,
            "action": _INSTALL,
            "installationType": Input(values=("Uninstall and reinstall", "In-place update")),
            "additionalArguments": Input(InputKind.STRING_MAP),
            "version": _OPTIONAL,
        },
    ),
    "aws:domainJoin": Plugin(
        _LINUX_AND_WINDOWS,
        {
            "directoryId": _REQUIRED,
            "directoryName": _REQUIRED,
            "directoryOU": _OPTIONAL,
            "dnsIpAddresses": Input(InputKind.STRING_LIST, required=True),
            "keepHostName": Input(InputKind.BOOLEAN),
        },
    ),
    "aws:downloadContent": Plugin(
        _LINUX_AND_WINDOWS,
        {
            "sourceType": Input(required=True, values=("GitHub", "Git", "HTTP", "S3", "SSMDocument")),
            "sourceInfo": Input(InputKind.STRING_MAP, required=True),
            "destinationPath": _OPTIONAL,
        },
    ),
    "aws:psModule": Plugin(
        _WINDOWS,
        {
            **_SCRIPT,
            "runCommand": Input(InputKind.COMMANDS),
            "source": _REQUIRED,
            "sourceHash": _OPTIONAL,
        },
    ),
    "aws:refreshAssociation": Plugin(_EVERYWHERE, {"associationIds": Input(InputKind.STRING_LIST)}),
    "aws:runDockerAction": Plugin(
        _LINUX_AND_WINDOWS,
        {
            "action": _REQUIRED,
            "container": _OPTIONAL,
            "image": _OPTIONAL,
            "cmd": _OPTIONAL,
            "memory": _OPTIONAL,
            "cpuShares": _OPTIONAL,
            "volume": Input(InputKind.STRING_LIST),
            "env": _OPTIONAL,
            "user": _OPTIONAL,
            "publish": _OPTIONAL,
        },
    ),
    "aws:runDocument": Plugin(
        _LINUX_AND_WINDOWS,
        {
            "documentType": Input(required=True, values=("LocalPath", "SSMDocument")),
            # The reference calls it optional, but the agent fails a step that leaves it out.
            "documentPath": _REQUIRED,
            "documentParameters": Input(InputKind.STRING_MAP),
        },
    ),
    "aws:runPowerShellScript": Plugin(_EVERYWHERE, _SCRIPT),
    "aws:runShellScript": Plugin(frozenset({PlatformType.LINUX, PlatformType.MACOS}), _SCRIPT),
    "aws:softwareInventory": Plugin(
        _EVERYWHERE,
        dict.fromkeys(
            (
                "applications",
                "awsComponents",
                "networkConfig",
                "files",
                "services",
                "windowsRoles",
                "windowsRegistry",
                "windowsUpdates",
                "instanceDetailedInformation",
                "customInventory",
            ),
            _OPTIONAL,
        ),
    ),
    "aws:updateAgent": Plugin(
        _WINDOWS,
        {
            "agentName": _REQUIRED,
            "allowDowngrade": Input(InputKind.BOOLEAN),
            "source": _REQUIRED,
            "targetVersion": _OPTIONAL,
        },
    ),
    "aws:updateSsmAgent": Plugin(
        _EVERYWHERE,
        {
            "agentName": _REQUIRED,
            "allowDowngrade": Input(InputKind.BOOLEAN, required=True),
            "source": _REQUIRED,
            "targetVersion": _OPTIONAL,
        },
    ),
}
"""The plugins of Command documents by the name of their action."""

AUTOMATION_ACTIONS = frozenset(
    f"aws:{name}"
    for name in (
        "approve",
        "assertAwsResourceProperty",
        "branch",
        "changeInstanceState",
        "copyImage",
        "createImage",
        "createStack",
        "createTags",
        "deleteImage",
        "deleteStack",
        "executeAutomation",
        "executeAwsApi",
        "executeScript",
        "executeStateMachine",
        "invokeLambdaFunction",
        "invokeWebhook",
        "loop",
        "pause",
        "runCommand",
        "runInstances",
        "sleep",
        "updateVariable",
        "waitForAwsResourceProperty",
    )
)
"""Actions of Automation runbooks, which are often taken for plugins.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html.
"""
