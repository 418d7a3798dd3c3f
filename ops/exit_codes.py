"""What the exit codes of the patching documents mean, with the usual cause and what mends it.

AWS documents no list of them. These are those that its pages on troubleshooting name, those by which a script asks
for a reboot, and those that a shell gives; any other says no more than that the step failed.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-troubleshooting.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-reboot.html.
"""

from __future__ import annotations

from patching.run_patch_baseline import STEPS

_WINDOWS = "PatchWindows"
_NOT_ENDED = -1

_PATCHING = {
    1: (
        "the script stopped with an error: often no suitable Python (Debian and Ubuntu need python3), a repository "
        "that cannot be reached, or a package that does not install; the end of the output says which"
    ),
    152: (
        "the script's own files could not be unpacked: another run of it on the node at the same time, or /var is "
        "full; let the windows and associations of a node not meet, and make room"
    ),
    155: (
        "the archive of the script could not be unpacked: another run of it on the node at the same time, or /var is "
        "full; let the windows and associations of a node not meet, and make room"
    ),
    156: (
        "the script could not be downloaded: the node does not reach AWS's buckets in S3; open the way (a gateway "
        "endpoint or NAT) and let its policies read the buckets that Patch Manager uses"
    ),
}
_SHELL = {
    126: (
        "the script may not be run: the file system of /var/lib/amazon is mounted with noexec; mount it with exec, or "
        "give it a partition of its own"
    ),
    127: "a program that the script calls is not there; the end of the output names it",
    137: "the script was killed, mostly because memory ran out; look into the system's log, and give the node more",
    143: "the script was ended from outside: its time ran out, the agent stopped or the node went down; run it again",
    194: "the script asks for a reboot; the agent reboots the node and runs it again",
}
_ON_WINDOWS = {
    1: (
        "the script stopped with an error: often Windows Update or WSUS that cannot be reached; an HRESULT in the "
        "output is explained in Microsoft's list of Windows Update errors"
    ),
    3010: "the script asks for a reboot; the agent reboots the node and runs it again",
    4294967295: (
        "Windows Update itself failed: look the HRESULT in the output up in Microsoft's list; 0x80072EE2 and the like "
        "mean that the update service cannot be reached"
    ),
}


def meaning(step: str, code: int, status: str) -> str:
    """Say what the exit code of a step means; empty if it means nothing in particular.

    Args:
        step: the step's name.
        code: the exit code; -1 as long as there is none.
        status: the step's status.
    """
    if status == "TimedOut":
        return "its time ran out before it ended; give it more (timeoutSeconds, StepTimeoutSeconds), or look what hung"
    if code in (0, _NOT_ENDED):
        return ""
    if step == _WINDOWS and code in _ON_WINDOWS:
        return _ON_WINDOWS[code]
    if step in STEPS.values() and step != _WINDOWS and code in _PATCHING:
        return _PATCHING[code]
    return _SHELL.get(code, "") if step != _WINDOWS else ""


_DETAILS = {
    "DeliveryTimedOut": (
        "the node did not fetch the command in time: it is stopped or its agent does not run; "
        "`patchops doctor` says why"
    ),
    "Undeliverable": "the node could not be reached, or is not a managed node; `patchops doctor` says why",
    "Terminated": "it was not started: more nodes failed before it than the error threshold allows",
    "InvalidPlatform": "the document is not for the node's operating system",
    "AccessDenied": "the sender may not send to this node: its tag Environment is another one, or it has none",
    "ExecutionTimedOut": "its time ran out before it ended",
    "Cancelled": "it was cancelled before it began",
}


def details_meaning(details: str) -> str:
    """Say what the detailed status of a command on a node means; empty if it says so itself.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
    """
    return _DETAILS.get(details.replace(" ", ""), "")
