from __future__ import annotations

import inspect
import re
from datetime import date
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from patching.policy import Policy
from patching.policy_file import parse_policy, read_policy
from patching.policy_reference import EXAMPLE, Section, home, reference, sections_of
from patching.policy_refusals import MODULES, of_part, of_whole, said
from patching.policy_schema import annotated_schema
from patching.policy_values import anchor

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "policy.md"
TODAY = date(2026, 11, 23)


@cache
def sections() -> list[Section]:
    return list(sections_of(annotated_schema()))


def test_the_committed_reference_is_current() -> None:
    assert PAGE.read_text() == reference((ROOT / EXAMPLE).read_text()), "run: make reference"


def test_the_examples_make_a_policy_that_nothing_is_said_against() -> None:
    examples = "\n".join(re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    warnings: list[str] = []
    shown = parse_policy(examples, folder=(ROOT / EXAMPLE).parent, today=TODAY, warn=warnings.append)
    assert warnings == []
    assert shown == read_policy(ROOT / EXAMPLE, today=TODAY)
    assert shown.model_fields_set == set(Policy.model_fields)


def test_every_link_within_the_page_and_to_a_file_leads_somewhere() -> None:
    text = PAGE.read_text()
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    links = set(re.findall(r"\]\(([^)]+)\)", text))
    assert {link[1:] for link in links if link.startswith("#")} - headings == set()
    files = {link for link in links if not link.startswith(("#", "https://docs.aws.amazon.com/"))}
    assert files
    assert [link for link in files if not (PAGE.parent / link).exists()] == []


def test_every_key_is_in_the_reference_with_its_value_and_its_meaning() -> None:
    for section in sections():
        text = PAGE.read_text().partition(f"# `{section.heading}`\n")[2].partition("\n#")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
        assert list(rows) == list(section.keys), section.heading
        for key, row in rows.items():
            assert re.fullmatch(r".+<br>(\*\*required\*\*|optional|default: `.+`) \| .+", row), (section.heading, key)


def test_what_is_refused_is_said_of_keys_that_there_are() -> None:
    for section in sections():
        if section.model:
            own = {key.partition(".")[0] for one in of_part(section.model) for key in one.keys}
            assert own <= set(section.model.model_fields)
    for one in of_whole():
        for key in one.keys:
            found = home(key, sections())
            assert found, key
            below = key.removeprefix(found.path).removeprefix(".").removesuffix(".*")
            assert below in {"", found.heading, *found.keys}, key


def checks() -> list[Any]:
    return [
        *(
            function
            for module in MODULES
            for function in vars(module).values()
            if isinstance(function, FunctionType) and function.__module__ == module.__name__
        ),
        *(
            validator.func
            for section in sections()
            if section.model and not section.alike
            for validator in section.model.__pydantic_decorators__.model_validators.values()
        ),
    ]


def test_whatever_finds_something_says_so_in_the_reference() -> None:
    finds = [one for one in checks() if re.search(r"findings\.(add|make)\w*\(|raise |\.warn\(", inspect.getsource(one))]
    assert len(finds) > 15
    assert [one.__qualname__ for one in finds if not list(said(one.__doc__))] == []


def test_every_module_of_checks_is_read() -> None:
    files = {path.stem for path in (ROOT / "patching" / "policy").glob("*checks.py")}
    assert len(files) > 2
    assert files <= {module.__name__.rpartition(".")[2] for module in MODULES}


def test_a_line_of_another_form_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="not a line of the form"):
        list(said("Find it.\n\nRefused:\n- the cutoff, if it is late\n"))
