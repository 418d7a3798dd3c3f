"""A command document of the policy, which is a file of its own beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from patching import yaml_file
from patching.command_document import findings
from patching.findings import place
from patching.policy.part import PolicyFinding, Reading, refused


@dataclass(frozen=True)
class Document:
    """A command document, read from its file and checked.

    Attributes:
        file: its path below the policy's folder.
        content: what it holds.
    """

    file: str
    content: dict[str, Any]


def _read(value: object, info: ValidationInfo) -> Document:
    """Read the file that the policy names.

    Refused:
    - `documents.*`: a path that leads out of the policy's folder, or to no file that can be read
    - `documents.*`: what is no document, or breaks a rule of its schema; each thing with its line in the document

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html.
    """
    if not isinstance(value, str):
        message = f"{value!r} is not the path of a file in the policy's folder"
        raise ValueError(message)  # noqa: TRY004 what pydantic turns into a finding
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        message = f"{value!r} is not a path within the policy's folder; put the document there, and name it from there"
        raise ValueError(message)
    whole = Reading.of(info.context).folder / path
    try:
        data = yaml_file.parse(yaml_file.read(whole))
    except yaml_file.UnreadableError as error:
        raise refused([PolicyFinding((), error.message, (str(whole), error.line, ""))]) from None
    if not isinstance(data, dict):
        message = "not a document: expected a mapping with schemaVersion, description, parameters and mainSteps"
        raise refused([PolicyFinding((), message, (str(whole), 1, ""))])
    written = list(yaml_file.keys_and_texts(data))
    unusable = [
        PolicyFinding((), one.what, (str(whole), one.line, place(one.at))) for one in yaml_file.unusable(written)
    ]
    unusable += [
        PolicyFinding(
            (), "the CDK takes ${Token[...]} for its own; write it otherwise", (str(whole), one.line, place(one.at))
        )
        for one in written
        if "${Token[" in str(one.what)
    ]
    if unusable:
        raise refused(unusable)
    found = findings(data)
    if found:
        raise refused(
            [
                PolicyFinding((), one.message, (str(whole), yaml_file.line_of(data, one.location), place(one.location)))
                for one in found
            ]
        )
    return Document(value, data)


DocumentFile = Annotated[Document, PlainValidator(_read), WithJsonSchema({"type": "string"})]
"""The path of a command document in YAML (schema 2.2), below the policy's folder; read, it is a `Document`."""
