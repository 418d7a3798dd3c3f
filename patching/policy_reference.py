"""The reference of the policy file, docs/policy.md: its parts and keys, what is refused, and an example of each part.

All of it comes from where it is decided: keys, values, defaults, limits and pages from the models, refusals from the
docstrings of the checks, examples from a policy that a test reads. `make reference` writes it anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pydantic.json_schema import JsonSchemaValue

from patching import policy_refusals as refusals
from patching import policy_values as values
from patching import yaml_file
from patching.operating_system import FILTER_KEYS, OperatingSystem
from patching.policy import pages
from patching.policy.part import Part
from patching.policy_schema import annotated_schema

EXAMPLE = "docs/example/policy.yaml"

_INTRODUCTION = f"""\
<!-- Written by `make reference` from the models in patching/policy and from {EXAMPLE}. -->

# The policy file

One YAML file says which nodes are patched with what, when and how, and who is told. This page has its parts in their
order: what each key means and takes, and what is refused. The examples are the parts of one policy,
[example/policy.yaml](example/policy.yaml).

Editors with the YAML language server (VS Code with the extension *YAML*, Neovim, Emacs and others) complete the keys
and explain them, if the file begins with `# yaml-language-server: $schema=policy.schema.json`: the path from the file
to [config/policy.schema.json](../config/policy.schema.json).

[How it is written](#{values.anchor(values.WRITING)}) comes first, and what baselines can filter on
[last](#{values.anchor(values.SYSTEMS)}).
"""

_WRITING = f"""\
## {values.WRITING}

- A key that is not listed here is refused, and so is a value of another type than the one that is named: a number in
  quotes is a text.
- Wherever the file has `{{environment}}`, the name of the environment is put in its place: the file's own, or the one
  of `make deploy ENVIRONMENT=NAME`. It needs quotes: `"{{environment}}-web"`.
- A *name* has 1 to 40 lower-case letters, digits and hyphens, the first of them a letter.
- A *tag* has letters of any alphabet, digits, spaces and `_.:/=+-@`: up to 128 characters as a key, 256 as a value.
- A *day* has no quotes: `2027-01-31`.
- A *schedule* is `cron(MINUTE HOUR DAY MONTH WEEKDAY YEAR)`, `rate(NUMBER UNIT)` or `at(YYYY-MM-DDTHH:MM:SS)`
  ({values.link(pages.SCHEDULES)}). A cron expression may have one more field in front, for the second. One of DAY and
  WEEKDAY is `?`. As WEEKDAY, `TUE#2` is the second Tuesday of the month and `6L` its last Friday (1 is Sunday); as DAY,
  `L` is its last day. The unit of a rate is singular after 1: `rate(1 day)`, `rate(7 days)`.

All mistakes of a file are told at one time, each with its line and how to mend it, by everything that reads the file:
`make synth CONFIG=FILE` does so, and deploys nothing.
"""

_BEGINNING = "The name of the environment, and what all of its resources carry."


@dataclass(frozen=True)
class Section:
    """Keys that stand together: a part of the policy, a part of a part, or keys of the policy without parts.

    Attributes:
        path: the keys that lead there, where `*` stands for a name; empty for keys of the policy itself.
        heading: what the section is called.
        introduction: what it is about.
        keys: the schemas of its keys.
        required: which of them have to be there.
        model: its class; none for keys of the policy itself.
        alike: an earlier section that has the other keys.
    """

    path: str
    heading: str
    introduction: str
    keys: dict[str, JsonSchemaValue]
    required: frozenset[str]
    model: type[Part] | None = None
    alike: Section | None = None

    @property
    def level(self) -> int:
        """How deep it is: 1 for a part of the policy."""
        return self.heading.count(".") - self.heading.count(".*") + 1


def reference(example: str) -> str:
    """Return the reference; `example` is the text of a policy with every part."""
    schema = annotated_schema()
    sections = list(sections_of(schema))
    headings = {one.model.__name__: one.heading for one in reversed(sections) if one.model}
    in_words = values.InWords(schema["$defs"], headings)
    blocks = _blocks(example)
    pieces = [_INTRODUCTION, _contents(sections, schema), _WRITING]
    for one in sections:
        pieces.append(f"##{'#' * (one.level - 1)} `{one.heading}`\n")
        pieces += [f"{text}\n" for text in [one.introduction] if text]
        pieces += [f"```yaml\n{text}\n```\n" for text in _example(one, blocks)]
        pieces.append(_table(one, in_words))
        pieces += _refusals(one, sections)
    pieces.append(_systems())
    return "\n".join(pieces)


def sections_of(schema: JsonSchemaValue) -> Iterator[Section]:
    """Yield the sections in the order of the policy, each followed by those of its parts."""
    definitions = schema["$defs"]
    seen: dict[frozenset[str], Section] = {}
    plain: list[str] = []
    for key in [*schema["properties"], ""]:
        part = key and _part_of(schema["properties"][key], definitions)
        if key and not part:
            plain.append(key)
            continue
        if plain:
            yield _plain(plain, schema)
            plain = []
        if part:
            for one in _of_part(key, *part, definitions):
                earlier = seen.setdefault(frozenset(one.keys), one)
                yield one if earlier is one else _unlike(one, earlier)


def _plain(keys: list[str], schema: JsonSchemaValue) -> Section:
    properties = {key: schema["properties"][key] for key in keys}
    about = _BEGINNING if len(keys) > 1 else ""
    return Section("", ", ".join(keys), about, properties, frozenset(schema["required"]))


def _of_part(path: str, suffix: str, name: str, definitions: JsonSchemaValue) -> Iterator[Section]:
    """Yield the section of a part, and those of the parts that it has."""
    found = definitions[name]
    model = next(one for one in _models(Part) if one.__name__ == name)
    required = frozenset(found.get("required", ()))
    yield Section(path + suffix, path, found["description"], found["properties"], required, model)
    for key, property_ in found["properties"].items():
        if part := _part_of(property_, definitions):
            yield from _of_part(f"{path}{suffix}.{key}", *part, definitions)


def _part_of(schema: JsonSchemaValue, definitions: JsonSchemaValue) -> tuple[str, str] | None:
    """Return what leads to the part that a key holds (`.*` if by names) and the part's definition; None if none."""
    by_name = isinstance(schema.get("additionalProperties"), dict)
    for one in (schema, *schema.get("oneOf", ()), schema.get("items", {}), by_name and schema["additionalProperties"]):
        if one and "properties" in definitions.get(name := one.get("$ref", "").rpartition("/")[2], {}):
            return ".*" if by_name else "", name
    return None


def _models(model: type[Part]) -> Iterator[type[Part]]:
    for one in model.__subclasses__():
        yield one
        yield from _models(one)


def _unlike(section: Section, earlier: Section) -> Section:
    """Leave out the keys that are as in an earlier section."""
    own = {key: schema for key, schema in section.keys.items() if schema != earlier.keys[key]}
    return replace(section, keys=own, alike=earlier)


def _contents(sections: list[Section], schema: JsonSchemaValue) -> str:
    lines = ["| part | meaning |", "|---|---|"]
    for one in sections:
        if one.level > 1:
            continue
        about = schema["properties"].get(one.heading, {}).get("description", one.introduction)
        within = [values.section(other.heading) for other in sections if other.heading.startswith(f"{one.heading}.")]
        more = f" Within it: {', '.join(within)}." if within else ""
        lines.append(f"| {values.section(one.heading)} | {about}{more} |")
    return "\n".join([*lines, ""])


def _example(section: Section, blocks: dict[str, str]) -> Iterator[str]:
    """Yield the section's part of the example, if it is a part of the policy."""
    if section.level == 1:
        yield "\n".join(blocks[key] for key in section.heading.split(", "))


def _blocks(example: str) -> dict[str, str]:
    """Cut a policy's text into its parts."""
    found = re.split(r"^(?=[a-z_]+:)", example, flags=re.MULTILINE)[1:]
    return {block.partition(":")[0]: block.rstrip() for block in found}


def _table(section: Section, in_words: values.InWords) -> str:
    lines = []
    if section.path.endswith(".*"):
        lines.append(f"Each entry of `{section.heading}`, under its name, has these keys:\n")
    if section.alike:
        as_there = values.section(section.alike.heading)
        lines.append(f"It has the keys of {as_there}, and what is refused there is refused here. Of its own are:\n")
    lines += ["| key | value | meaning |", "|---|---|---|"]
    for key, schema in section.keys.items():
        need = "**required**" if key in section.required else in_words.default(schema)
        lines.append(f"| `{key}` | {in_words.value(schema)}<br>{need} | {in_words.meaning(schema)} |")
    return "\n".join([*lines, ""])


def _refusals(section: Section, sections: list[Section]) -> Iterator[str]:
    found = []
    if section.model and not section.alike:
        found = [(one, ", ".join(f"`{key}`" for key in one.keys)) for one in refusals.of_part(section.model)]
    for one in refusals.of_whole():
        found += [(one, f"`{_within(key, section)}`") for key in one.keys if home(key, sections) is section]
    for kind in refusals.KINDS:
        lines = [
            f"- {keys}: {one.text}{f' ([AWS]({one.page}))' if one.page else ''}"
            for one, keys in found
            if one.kind == kind
        ]
        if lines:
            yield "\n".join([f"**{kind}**", "", *lines, ""])


def home(key: str, sections: Iterable[Section]) -> Section | None:
    """Return the innermost section that a key of the policy belongs to."""
    holding = [one for one in sections if one.model and f"{key}.".startswith(f"{one.heading}.")]
    plain = (one for one in sections if not one.model and key.partition(".")[0] in one.keys)
    return max(holding, key=lambda one: len(one.heading), default=next(plain, None))


def _within(key: str, section: Section) -> str:
    """Return a key of the policy as it is called in its section, and the section's own by its last name."""
    if key == section.path:
        return key if key.endswith("*") else key.rpartition(".")[2]
    return key.removeprefix(f"{section.path}.")


def _systems() -> str:
    lines = [
        f"## {values.SYSTEMS}\n",
        f"What `filters` and `global_filters` of a baseline can name: {values.link(pages.PATCH_FILTER)}.\n",
        "| operating systems | filter keys, and their values where AWS lists few |",
        "|---|---|",
    ]
    for family, keys in FILTER_KEYS.items():
        kinds: dict[tuple[tuple[str, ...], ...], list[str]] = {}
        for system in OperatingSystem:
            if system.family is family:
                kinds.setdefault(tuple(system.filter_values(key) for key in keys), []).append(system)
        for listed, systems in kinds.items():
            told = (
                f"`{key}`" + (f": {', '.join(known)}" if known else "") for key, known in zip(keys, listed, strict=True)
            )
            lines.append(f"| {'<br>'.join(f'`{one}`' for one in systems)} | {'<br>'.join(told)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(reference(yaml_file.read(EXAMPLE)))
