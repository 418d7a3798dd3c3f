"""The list of patches that an installation puts in instead of what the baseline approves: where it lies, what is in it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html#patch-manager-aws-runpatchbaseline-parameters-installoverridelist
and https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from ruamel.yaml.error import MarkedYAMLError

from patching.baseline import Patch
from patching.errors import InvalidValueError
from patching.findings import Finding
from patching.operating_system import OperatingSystem, PatchFamily
from patching.yaml_file import NO_YAML, load

MAX_LOCATION = 256
"""Characters that the location may have, as the compliance report repeats it."""

_FORBIDDEN = "`'\"$"
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_S3 = re.compile(rf"s3://(?P<bucket>{_BUCKET})/(?P<key>.*[^/])")
_DOMAIN = r"s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?"
_PATH_STYLE = re.compile(rf"https://{_DOMAIN}/(?P<bucket>{_BUCKET})/(?P<key>.*[^/])")
_HOST_STYLE = re.compile(rf"https://(?P<bucket>{_BUCKET})\.{_DOMAIN}/(?P<key>.*[^/])")


@dataclass(frozen=True)
class OverrideListLocation:
    """Where an override list lies.

    Attributes:
        bucket: the bucket.
        key: the object's key.
        public: whether it is fetched like any web page, without the node's role: an https address is. The bucket has
            to be public then; one in a private bucket is named `s3://BUCKET/KEY`.
    """

    bucket: str
    key: str
    public: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the location as AWS-RunPatchBaseline takes it.

        Raises:
            InvalidValueError: it is no address of an object in S3, or has what the document refuses.
        """
        if len(text) > MAX_LOCATION:
            message = f"the override list's location has {len(text)} characters, but AWS takes {MAX_LOCATION}"
            raise InvalidValueError(message)
        if any(character in text for character in _FORBIDDEN):
            message = f"override list {text!r} has one of {' '.join(_FORBIDDEN)} in its name; name the object without"
            raise InvalidValueError(message)
        for form, public in ((_S3, False), (_PATH_STYLE, True), (_HOST_STYLE, True)):
            match = form.fullmatch(text)
            if match:
                return cls(match["bucket"], match["key"], public)
        message = (
            f"override list {text!r} is not an object in S3; expected s3://BUCKET/KEY, or "
            "https://s3.REGION.amazonaws.com/BUCKET/KEY if everybody may read it"
        )
        raise InvalidValueError(message)


@dataclass(frozen=True)
class ListedPatch:
    """An entry of an override list.

    Attributes:
        id: package name and architecture on Linux, with `*` for anything; a KB number on Windows.
        title: name, architecture and version, with `*` for anything; empty for any version. Linux only.
    """

    id: str
    title: str = ""

    def selects(self, patch: Patch, system: OperatingSystem) -> bool:
        """Tell whether it names this release."""
        match system.family:
            case PatchFamily.WINDOWS:
                return self.id.casefold() in (patch.name.casefold(), patch.advisory.casefold())
            case PatchFamily.MACOS:
                return self.id in (patch.name, f"{patch.name}.{patch.version}")
            case _:
                names = [form for form in patch.identifiers() if form.startswith(patch.name)]
                versions = [form for form in patch.identifiers() if patch.version.rpartition(":")[2] in form]
                return _matches(self.id, names) and (not self.title or _matches(self.title, versions))


@dataclass(frozen=True)
class InstallOverrideList:
    """The patches of an override list, in its order. Make one with `InstallOverrideList.parse`."""

    patches: tuple[ListedPatch, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the YAML text of a list.

        Raises:
            InvalidValueError: it is no such list; all that is wrong on one line.
        """
        found = findings(text)
        if found:
            raise InvalidValueError("; ".join(one.text for one in found))
        entries = load(text)["patches"]
        return cls(tuple(ListedPatch(one["id"], one.get("title") or "") for one in entries))

    def selects(self, patch: Patch, system: OperatingSystem) -> bool:
        """Tell whether the list names this release."""
        return any(one.selects(patch, system) for one in self.patches)


def findings(text: str) -> list[Finding]:
    """Return all that is wrong with the YAML text of an override list."""
    try:
        data = load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context or "not YAML").split())
        return [Finding((), f"not YAML: {what}" + (f" in line {mark.line + 1} of the list" if mark else ""))]
    except (*NO_YAML, RecursionError) as error:
        return [Finding((), f"not YAML: {' '.join(str(error).split())}")]
    return list(_broken_rules(data))


def _broken_rules(data: object) -> Iterator[Finding]:
    if not isinstance(data, Mapping) or "patches" not in data:
        yield Finding((), "not a list of patches: expected the key patches, and under it a list of entries with an id")
        return
    entries = data["patches"]
    if not isinstance(entries, list) or not entries:
        yield Finding(("patches",), "expected a list with at least one entry that has an id")
        return
    for index, entry in enumerate(entries):
        at = ("patches", index)
        if not isinstance(entry, Mapping) or "id" not in entry:
            yield Finding(at, f"{entry!r} has no id; write id: 'kernel.x86_64', or id: 'KB1234567' for Windows")
        elif not isinstance(entry["id"], str) or not entry["id"]:
            yield Finding((*at, "id"), f"{entry['id']!r} is not text; put it in quotes")
        elif not isinstance(entry.get("title") or "", str):
            yield Finding((*at, "title"), f"{entry['title']!r} is not text; put it in quotes")


def _matches(pattern: str, forms: list[str]) -> bool:
    return any(fnmatchcase(form.casefold(), pattern.casefold()) for form in forms)
