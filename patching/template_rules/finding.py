"""What a rule finds in the templates of an assembly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from patching.template_rules.assembly import Assembly, Resource
from patching.template_rules.commands import Command, commands
from patching.template_rules.permissions import Permissions

_PAGE = re.compile(r"https://docs\.aws\.amazon\.com/\S+?(?=[.,;]?(?:\s|$))")


@dataclass(frozen=True)
class Found:
    """One thing that a rule found.

    Attributes:
        resource: where.
        message: what is wrong there, why, and how to mend it, on one line.
        at: the property, with dots between the keys; empty for the resource as a whole.
    """

    resource: Resource
    message: str
    at: str = ""


class Whole:
    """The whole that a rule looks at: every template, what its windows and associations run, and who may do what."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """What windows and associations send, as far as it is known."""
        return tuple(commands(self.assembly))

    @cached_property
    def permissions(self) -> Permissions:
        """Who may do what."""
        return Permissions(self.assembly)


Rule = Callable[[Whole], Iterator[Found]]


@dataclass(frozen=True, order=True)
class TemplateFinding:
    """A finding, for people and for programs.

    Attributes:
        template: name of the template.
        logical_id: the resource's name there.
        rule: the rule's id.
        message: what is wrong, why, and how to mend it, on one line.
        path: the resource's construct path; empty if the template does not tell.
        at: the property, with dots between the keys; empty for the resource as a whole.
        page: the page of AWS's that the rule follows.
    """

    template: str
    logical_id: str
    rule: str
    message: str
    path: str = ""
    at: str = ""
    page: str = ""

    @property
    def text(self) -> str:
        """The place, the rule and the message on one line."""
        place = self.path or f"{self.template}: {self.logical_id}"
        return f"{place}: {self.rule}: {self.message}"


def rule_id(rule: Rule) -> str:
    """Return a rule's id, which is its function's name with hyphens."""
    return rule.__name__.replace("_", "-")


def page(rule: Rule) -> str:
    """Return the page of AWS's that a rule follows: the first that its docstring names."""
    found = _PAGE.search(rule.__doc__ or "")
    return found[0] if found else ""
