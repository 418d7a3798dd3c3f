from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from patching.policy import Policy, pages
from patching.policy.part import Part
from patching.policy_schema import annotated_schema
from tests.rows import each_row

ROOT = Path(__file__).parents[2]
PAGES = {name: value for name, value in vars(pages).items() if name.isupper() and name not in {"PAGE", "OWN"}}


def parts(model: type[Part] = Part) -> Iterator[type[Part]]:
    for one in model.__subclasses__():
        yield one
        yield from parts(one)


@each_row("part", list(parts()), ids=lambda part: part.__name__)
def test_every_key_names_its_page_or_says_that_it_has_none(part: type[Part]) -> None:
    own = part.model_config.get("json_schema_extra") or {}
    lacking = [
        key
        for key, field in part.model_fields.items()
        if pages.PAGE not in (field.json_schema_extra or {}) and pages.PAGE not in own  # type: ignore[operator]
    ]
    assert lacking == []


def test_every_page_is_followed_by_something() -> None:
    schema = annotated_schema()
    keys = [key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {}).values()]
    filters = schema["$defs"]["Rule"]["properties"]["filters"]["properties"].values()
    followed = [one[pages.PAGE] for one in (*schema["$defs"].values(), *keys, *filters) if pages.PAGE in one]
    assert [name for name, page in PAGES.items() if page[pages.PAGE] not in followed] == []
    assert Policy.model_fields["environment"].json_schema_extra == pages.OWN


def test_a_page_has_one_name_and_an_address_in_the_documentation_of_aws() -> None:
    addresses = [page[pages.PAGE]["url"] for page in PAGES.values()]
    assert len(set(addresses)) == len(addresses)
    form = re.compile(r"https://docs\.aws\.amazon\.com/[A-Za-z0-9-]+/latest/[A-Za-z]+/[A-Za-z0-9_-]+\.html")
    assert [one for one in addresses if not form.fullmatch(one)] == []


def test_a_page_of_the_api_is_about_an_operation_or_a_type_of_it() -> None:
    # The library's model by itself: to import the whole library takes longer than these tests do.
    model = json.loads(gzip.decompress((files("botocore") / "data/ssm/2014-11-06/service-2.json.gz").read_bytes()))
    named = {page[pages.PAGE]["title"] for page in PAGES.values() if "/APIReference/" in page[pages.PAGE]["url"]}
    assert "CreatePatchBaseline" in named
    assert named <= {*model["operations"], *model["shapes"]}


URL = "https://docs.aws.amazon.com/"
OWN_RULES = {
    "deployment.py": "how environments are named is a matter of this project",
    "form.py": "each form names its page where it is made",
    "part.py": "what parts are made of; the parts name their pages",
    "policy.py": "calls the checks",
}


def functions(node: ast.AST, of: str = "") -> Iterator[tuple[ast.FunctionDef, str]]:
    """Yield the functions below a node, each with the docstring of its class."""
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.FunctionDef):
            yield one, of
        if isinstance(one, ast.ClassDef):
            yield from functions(one, ast.get_docstring(one) or "")


REFUSES = re.compile(r"raise InvalidValueError|findings\.(add|make)\(|\.warn\(")


@each_row("path", sorted((ROOT / "patching").rglob("*.py")), ids=lambda path: path.stem)
def test_whatever_refuses_something_names_the_page_that_it_follows(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if path.name in OWN_RULES or not REFUSES.search(source):
        return
    tree = ast.parse(source)
    if URL in (ast.get_docstring(tree) or ""):
        return
    lines = source.splitlines()
    found = [(one, "\n".join(lines[one.lineno - 1 : one.end_lineno]), of) for one, of in functions(tree)]
    naming = [text for one, text, of in found if URL in f"{of}{ast.get_docstring(one)}"]
    for one, text, _ in found:
        if REFUSES.search(text):
            assert any(f"{one.name}(" in other for other in naming), (
                f"{one.name} names no page, and is no part of what names one"
            )
