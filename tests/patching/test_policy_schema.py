from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from patching.policy_schema import schema

CONFIG = Path(__file__).resolve().parents[2] / "config"
LAB = YAML(typ="safe", pure=True).load((CONFIG / "lab.yaml").read_text())


def test_the_committed_schema_is_current() -> None:
    committed = json.loads((CONFIG / "policy.schema.json").read_text())
    assert committed == schema(), "run: make schema"


def test_the_labs_policy_names_the_schema_and_keeps_it() -> None:
    assert (CONFIG / "lab.yaml").read_text().startswith("# yaml-language-server: $schema=policy.schema.json\n")
    jsonschema.validate(LAB, schema())


@pytest.mark.parametrize(
    "broken",
    [
        {"scann": {}},
        {"scan": {}},
        {"scan": {"schedule_utc": "rate(1 day)", "run_at_deploymet": True}},
        {"install": {"prod": {**LAB["install"]["prod"], "duration_hours": 25}}},
        {"baselines": {"x": {**LAB["baselines"]["ubuntu"], "operating_system": "UBUNTOO"}}},
    ],
)
def test_an_editor_marks_what_the_models_refuse(broken: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**LAB, **broken}, schema())


def test_every_key_has_its_hover_text() -> None:
    lacking = [
        f"{name}.{key}"
        for name, model in {"Policy": schema(), **schema()["$defs"]}.items()
        for key, field in model.get("properties", {}).items()
        if "description" not in field and "$ref" not in field
    ]
    assert lacking == []
