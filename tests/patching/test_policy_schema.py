from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from patching.baseline import ComplianceLevel
from patching.policy import Policy
from patching.policy.install import CutoffBehavior
from patching.policy.part import Reading
from patching.policy_schema import member_meanings, schema
from patching.yaml_file import changed as expanded
from patching.yaml_file import parse
from tests.patching.policies import SMALL
from tests.rows import each_row

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
EXAMPLE = ROOT / "docs" / "example"
SCHEMA = json.loads((CONFIG / "policy.schema.json").read_text())
PARTS = {"Policy": SCHEMA, **{name: part for name, part in SCHEMA["$defs"].items() if "properties" in part}}


def as_editors_see(node: Any) -> Any:
    """Return what a YAML text holds with its days as texts: JSON has no days."""
    if isinstance(node, dict):
        return {key: as_editors_see(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_editors_see(value) for value in node]
    return node.isoformat() if isinstance(node, date) else node


VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


def whole() -> Any:
    """Return the whole policy without its documents, which are files that every reading reads."""
    read = parse((EXAMPLE / "policy.yaml").read_text())
    del read["documents"], read["install"]["web-a"]["hooks"]
    return read


WHOLE = whole()


def test_the_committed_schema_is_current() -> None:
    made = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    assert (CONFIG / "policy.schema.json").read_text() == made, "run: make schema"


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


def test_the_labs_policy_names_the_schema() -> None:
    assert (CONFIG / "lab.yaml").read_text().startswith("# yaml-language-server: $schema=policy.schema.json\n")


POLICIES = [*CONFIG.glob("*.yaml"), *(ROOT / "tests" / "policies").glob("*.yaml"), EXAMPLE / "policy.yaml"]


@each_row("path", sorted(POLICIES), ids=str)
def test_a_policy_keeps_the_schema(path: Path) -> None:
    VALIDATOR.validate(as_editors_see(parse(path.read_text())))


def test_a_small_policy_keeps_the_schema() -> None:
    VALIDATOR.validate(as_editors_see(parse(SMALL)))


def at(data: dict[str, Any], *path: str | int, **changes: Any) -> dict[str, Any]:
    """Return the policy with something else at one place: `key=value` adds, `key=...` takes out."""
    changed = copy.deepcopy(data)
    node: Any = changed
    for key in path:
        node = node[key]
    for key, value in changes.items():
        if value is ...:
            del node[key]
        else:
            node[key] = value
    return changed


def test_the_whole_is_a_policy() -> None:
    assert is_policy(WHOLE)


@each_row(
    ("path", "changes"),
    [
        # Keys.
        ((), {"scann": {}}),
        ((), {"environment": ...}),
        (("scan",), {"schedule_utc": ...}),
        (("scan",), {"run_at_deploymet": True}),
        (("install", "web-a"), {"duration_hour": 4}),
        (("install",), {"Web": WHOLE["install"]["web-a"]}),
        (("baselines", "web", "rules", 0, "filters"), {"SEVERTY": ["Critical"]}),
        # Types.
        (("install", "web-a"), {"duration_hours": "3"}),
        (("tags",), {"CostCenter": 4711}),
        (("install", "web-a", "targets"), {"Ring": 1}),
        ((), {"documents": {"drain": {"file": "drain.yaml"}}}),
        (("baselines", "web", "rules", 0, "filters"), {"SEVERITY": "Critical"}),
        ((), {"monitoring": True}),
        # Values.
        ((), {"environment": "Lab"}),
        (("install", "web-a"), {"duration_hours": 25}),
        (("install", "web-a"), {"concurrency": "101%"}),
        (("install", "web-a"), {"concurrency": 0}),
        (("install", "web-a"), {"max_errors": "few"}),
        (("install", "web-a"), {"schedule": "daily"}),
        (("install", "web-a"), {"reboot": "never"}),
        (("install", "web-a"), {"targets": []}),
        (("install", "web-a"), {"targets": {}}),
        (("install", "web-a"), {"start_date": 20270101}),
        (("install", "web-a"), {"override_list": "my-bucket/list.yaml"}),
        (("baselines", "web"), {"operating_system": "UBUNTOO"}),
        (("baselines", "web", "rules", 0), {"approve_after_days": 361}),
        (("baselines", "office"), {"available_security_updates": "MAYBE"}),
        (("scan",), {"compliance_severity": "INFORMATIONAL"}),
        (("notifications",), {"emails": ["oncall"]}),
        (("notifications",), {"queues": ["patching-events"]}),
        (("operators",), {"trusted": ["oncall"]}),
        (("tags",), {"a;b": "c"}),
        (("fleet", "network"), {"kind": "vpn"}),
    ],
)
def test_an_editor_marks_a_typical_mistake_which_the_models_refuse_as_well(
    path: tuple[str | int, ...], changes: dict[str, Any]
) -> None:
    broken = at(WHOLE, *path, **changes)
    assert not VALIDATOR.is_valid(as_editors_see(broken))
    assert not is_policy(broken)


@each_row(
    ("path", "changes"),
    [
        ((), {"fleet": None, "monitoring": None}),
        ((), {"environment": "{environment}"}),
        (("tags",), {"팀": "결제 2"}),
        (("notifications",), {"queues": ["arn:aws:sqs:eu-central-1:111122223333:{environment}-events"]}),
        (("install",), {"{environment}-web": WHOLE["install"]["web-a"]}),
        (("install", "web-a"), {"targets": [{"Service": ["shop", "search"]}, {"Service": "cart"}]}),
        (("install", "web-a"), {"concurrency": "7", "max_errors": "5%"}),
        (("install", "web-a"), {"end_date": None, "override_list": "https://my-bucket.s3.amazonaws.com/list"}),
        (("baselines", "office"), {"available_security_updates": None}),
        (("baselines", "web", "rules", 0, "filters"), {"SEVERITY": ["critical", "*"]}),
    ],
)
def test_an_editor_marks_nothing_that_may_be_written(path: tuple[str | int, ...], changes: dict[str, Any]) -> None:
    VALIDATOR.validate(as_editors_see(at(WHOLE, *path, **changes)))


def test_letters_of_any_alphabet_pass_in_editors_whose_letters_are_ascii() -> None:
    pattern = SCHEMA["properties"]["tags"]["propertyNames"]["pattern"]
    assert re.search(pattern, "결제 Größe", re.ASCII)
    assert not re.search(pattern, "a;b", re.ASCII)


def is_policy(data: Any) -> bool:
    """Tell whether the models take it, with the environment's name put in its place as in a file."""
    named = expanded(data, lambda text: text.replace("{environment}", "demo") if isinstance(text, str) else text)
    try:
        Policy.model_validate(named, context=Reading(EXAMPLE, date(2026, 11, 23)))
    except ValidationError:
        return False
    return True


def places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from places(value, (*path, key))


@given(
    st.sampled_from(sorted(places(WHOLE), key=str)),
    st.sampled_from([..., None, "", [], {}, 1, 7, "10%", True, "x", "{environment}-x"]),
)
def test_the_schema_refuses_nothing_that_the_models_take(path: tuple[str | int, ...], value: Any) -> None:
    changed = copy.deepcopy(WHOLE)
    *parents, last = path
    node: Any = changed
    for key in parents:
        node = node[key]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    assert VALIDATOR.is_valid(as_editors_see(changed)) or not is_policy(changed)


def test_every_key_has_its_hover_text_and_no_other_heading() -> None:
    keys = {f"{name}.{key}": field for name, part in PARTS.items() for key, field in part["properties"].items()}
    assert [name for name, field in keys.items() if not field.get("description")] == []
    assert [name for name, field in keys.items() if "title" in field] == []
    assert [name for name, part in PARTS.items() if "title" in part] == []


def test_every_part_refuses_keys_that_it_has_not() -> None:
    assert [name for name, part in PARTS.items() if part["additionalProperties"] is not False] == []


def test_hover_text_is_markdown_with_the_aws_page_and_plain_for_editors_without_it() -> None:
    groups = SCHEMA["$defs"]["Baseline"]["properties"]["patch_groups"]
    assert "`PatchGroup`" in groups["markdownDescription"]
    assert groups["markdownDescription"].endswith("/patch-manager-patch-groups.html)")
    assert "`" not in groups["description"]
    assert "x-aws-page" not in json.dumps(SCHEMA)


def test_choices_have_their_meanings_beside_them() -> None:
    meanings = member_meanings(CutoffBehavior)
    assert list(meanings) == list(CutoffBehavior)
    assert meanings["CONTINUE_TASK"].startswith("It goes on")
    assert member_meanings(ComplianceLevel) == {}
    described = [one for one in [*SCHEMA["$defs"].values(), *WITHIN] if "enumDescriptions" in one]
    assert {len(one["enum"]) - len(one["enumDescriptions"]) for one in described} == {0}
    assert SCHEMA["$defs"]["CutoffBehavior"]["enumDescriptions"] == list(meanings.values())


WITHIN = [field for part in PARTS.values() for field in part["properties"].values()]


def test_a_filter_offers_the_values_that_are_known() -> None:
    filters = SCHEMA["$defs"]["Rule"]["properties"]["filters"]["properties"]
    assert {"Required", "*"} <= set(filters["PRIORITY"]["items"]["anyOf"][0]["enum"])
    assert "UBUNTU, DEBIAN, RASPBIAN: Required, Important" in filters["PRIORITY"]["description"]
