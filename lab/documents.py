"""The documents of AWS that the lab knows: their parameters and steps are AWS's, their scripts are not there."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab.errors import ApiError

_FILE = Path(__file__).parent / "data" / "documents.json"


@dataclass(frozen=True)
class Step:
    """A step of a document."""

    name: str
    action: str
    platform: str
    """Platform that its precondition asks for; empty if any will do."""


@dataclass(frozen=True)
class Document:
    """A command document of AWS."""

    name: str
    schema_version: str
    platform_types: tuple[str, ...]
    version: str
    created: datetime
    description: str
    content: dict[str, Any]

    @property
    def text(self) -> str:
        """The content as GetDocument gives it."""
        return json.dumps(self.content, indent=2)

    @property
    def hash(self) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The declared parameters, by name."""
        return dict(self.content.get("parameters", {}))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, in order."""
        if "mainSteps" not in self.content:
            return tuple(Step(action, action, "") for action in self.content.get("runtimeConfig", {}))
        return tuple(
            Step(step["name"], step["action"], step.get("precondition", {}).get("StringEquals", ["", ""])[1])
            for step in self.content["mainSteps"]
        )

    def execution_timeout(self) -> int:
        """Return the seconds that all steps together may take."""
        return sum(
            int(step.get("inputs", {}).get("timeoutSeconds", 3600)) for step in self.content.get("mainSteps", [])
        )

    def check(self, given: dict[str, list[str]]) -> None:
        """Refuse parameters that the document does not declare, lacks, or does not allow."""
        for name in given:
            if name not in self.parameters:
                raise ApiError("InvalidParameters", f"Parameter {name} is not one that {self.name} declares.")
        for name, declared in self.parameters.items():
            if name not in given:
                if "default" not in declared:
                    raise ApiError("InvalidParameters", f"Parameter {name} of {self.name} is required.")
                continue
            for value in given[name]:
                choices = declared.get("allowedValues")
                if choices and value not in choices:
                    expected = ", ".join(choices)
                    raise ApiError("InvalidParameters", f"{value!r} is not a value of {name}; expected {expected}.")
                pattern = declared.get("allowedPattern")
                if pattern and not re.fullmatch(pattern, value):
                    raise ApiError("InvalidParameters", f"{value!r} does not match {name}'s pattern {pattern}.")


@lru_cache
def owned_by_aws() -> dict[str, Document]:
    """Return the documents of AWS, by name."""
    return {
        entry["name"]: Document(
            entry["name"],
            entry["schema_version"],
            tuple(entry["platform_types"]),
            entry["document_version"],
            datetime.fromisoformat(entry["created"]),
            entry["description"],
            entry["content"],
        )
        for entry in json.loads(_FILE.read_text(encoding="utf-8"))
    }
