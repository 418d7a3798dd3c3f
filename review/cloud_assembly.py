"""A cloud assembly, as the CDK leaves it in a directory.

Follows https://github.com/aws/aws-cdk-cli/tree/main/packages/@aws-cdk/cloud-assembly-schema. Read from its files, so
that an assembly of any version and from anywhere will do: what is not there is not told, and nothing is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from patching.template_rules.assembly import Assembly
from review.errors import ReviewError

_STACK, _NESTED = "aws:cloudformation:stack", "cdk:cloud-assembly"
_ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
POLICY = "patchops:policy"
"""Type of the metadata in which the app tells what of its policy no template shows."""


@dataclass(frozen=True)
class Acknowledgement:
    """A finding that may stay.

    Attributes:
        rule: its id.
        path: the construct where it was acknowledged.
        reason: why.
    """

    rule: str
    path: str
    reason: str


@dataclass(frozen=True)
class Violation:
    """Something that a validation plugin found, and that nobody acknowledged.

    Attributes:
        plugin: who found it.
        rule: the rule's id.
        severity: such as error or warning.
        path: the construct, or the resource's logical id.
        message: what is wrong.
        page: where the rule is explained; empty if the plugin does not tell.
    """

    plugin: str
    rule: str
    severity: str
    path: str
    message: str
    page: str = ""


@dataclass(frozen=True)
class CloudAssembly:
    """The stacks of one environment.

    Attributes:
        environment: name of the stage; empty for stacks without one.
        templates: each template by the name of its stack.
        acknowledgements: findings that may stay.
        violations: findings that may not; None if there is no report of a validation.
        told: what the app says of its policy; None if it says nothing.
    """

    environment: str
    templates: Mapping[str, Mapping[str, Any]]
    acknowledgements: tuple[Acknowledgement, ...] = ()
    violations: tuple[Violation, ...] | None = None
    told: Mapping[str, Any] | None = None

    @cached_property
    def assembly(self) -> Assembly:
        """The templates with their references resolved."""
        return Assembly(self.templates)

    def short(self, name: str) -> str:
        """Return a name without what all names of the environment have in common."""
        return name.removeprefix(f"patchops-{self.environment}-") if self.environment else name


NOTHING = CloudAssembly("", {})
"""What was there before anything was."""


def read(directory: Path) -> CloudAssembly:
    """Read the one environment of a cloud assembly.

    Raises:
        ReviewError: no cloud assembly, one that cannot be read, without stacks, or with several environments.
    """
    found = [one for one in _environments(directory) if one.templates]
    if not found:
        raise ReviewError(f"{directory}: the cloud assembly has no stacks")
    if len(found) > 1:
        names = ", ".join(sorted(one.environment or "(none)" for one in found))
        raise ReviewError(
            f"{directory}: the cloud assembly has {len(found)} environments ({names}), and a review is of one; name "
            f"its own directory, such as {directory}/assembly-{found[0].environment}"
        )
    return found[0]


def _environments(directory: Path) -> Iterator[CloudAssembly]:
    manifest = _manifest(directory)
    stacks = _of_type(manifest, _STACK)
    report = next((path for path in _reports(directory) if path.is_file()), None)
    violations = tuple(_violations(_json(report))) if report else None
    templates: dict[str, Mapping[str, Any]] = {}
    acknowledgements: list[Acknowledgement] = []
    told: dict[str, Any] = {}
    environment = ""
    for artifact_id, artifact in stacks.items():
        properties = artifact.get("properties") or {}
        name = str(properties.get("stackName") or artifact_id)
        environment = str(artifact.get("displayName") or "").rpartition("/")[0]
        template = _json(_inside(directory, str(properties.get("templateFile", ""))))
        if not isinstance(template, dict) or not isinstance(template.get("Resources", {}), dict):
            raise ReviewError(f"{directory}: the template of the stack {name} is not one of CloudFormation's")
        templates[name] = template
        metadata = artifact.get("metadata") or {}
        if artifact.get("additionalMetadataFile"):
            metadata = {**metadata, **_json(_inside(directory, str(artifact["additionalMetadataFile"])))}
        for path, entries in metadata.items():
            for entry in entries:
                if entry.get("type") == _ACKNOWLEDGED and isinstance(entry.get("data"), dict):
                    acknowledgements += (
                        Acknowledgement(str(rule).removeprefix("Annotation::"), str(path).lstrip("/"), str(reason))
                        for rule, reason in entry["data"].items()
                    )
                elif entry.get("type") == POLICY and isinstance(entry.get("data"), dict):
                    told |= entry["data"]
    if stacks:
        once = tuple(sorted(set(acknowledgements), key=lambda one: (one.rule, one.path)))
        yield CloudAssembly(environment, templates, once, violations, told or None)
    for artifact in _of_type(manifest, _NESTED).values():
        name = str((artifact.get("properties") or {}).get("directoryName", ""))
        yield from _environments(_inside(directory, name))


def _manifest(directory: Path) -> Mapping[str, Any]:
    path = directory / "manifest.json"
    if not path.is_file():
        what = "is not there" if not directory.exists() else "is no cloud assembly: it has no manifest.json"
        raise ReviewError(f"{directory}: {what}; name a directory that `cdk synth` made, such as cdk.out")
    manifest = _json(path)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("artifacts", {}), dict):
        raise ReviewError(f"{path}: not the manifest of a cloud assembly")
    return manifest


def _of_type(manifest: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    artifacts = manifest.get("artifacts") or {}
    return {name: one for name, one in artifacts.items() if isinstance(one, dict) and one.get("type") == kind}


def _reports(directory: Path) -> Iterator[Path]:
    """Yield where the validation report may be: one of the whole app lies beside the outermost manifest."""
    yield directory / "validation-report.json"
    yield directory.parent / "validation-report.json"


def _violations(report: Any) -> Iterator[Violation]:  # noqa: ANN401 a file holds anything
    for plugin in report.get("pluginReports") or []:
        name = str((plugin.get("summary") or {}).get("pluginName") or plugin.get("pluginName") or "validation")
        failed = (plugin.get("metadata") or {}).get("error")
        if failed:
            yield Violation(name, "", "error", "", str(failed))
        for one in plugin.get("violations") or []:
            for place in one.get("violatingConstructs") or [{}]:
                logical_id = (place.get("cloudFormationResource") or {}).get("logicalId")
                yield Violation(
                    name,
                    str(one.get("ruleName", "")),
                    str(one.get("severity") or "error"),
                    str(place.get("constructPath") or logical_id or ""),
                    " ".join(str(one.get("description", "")).split()),
                    str(one.get("suggestedFix") or one.get("fix") or ""),
                )


def _inside(directory: Path, name: str) -> Path:
    """Return a file of the assembly; a manifest must not lead out of its directory."""
    path = directory / name
    if not name or not path.resolve().is_relative_to(directory.resolve()):
        raise ReviewError(f"{directory}: the manifest names {name!r}, which is not in the directory")
    return path


def _json(path: Path) -> Any:  # noqa: ANN401 a file holds anything
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise ReviewError(f"{path}: is not JSON") from None
