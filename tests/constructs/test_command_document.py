from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from constructs.command_document import CommandDocument

from patching.errors import InvalidValueError
from tests.cdk import Resources, app
from tests.constructs.examples import DRAIN

pytestmark = pytest.mark.xdist_group("constructs")


def test_a_document_is_a_command_document_of_this_name_and_content(watched: Resources) -> None:
    assert watched["Document"].properties == {
        "Name": "demo-drain",
        "Content": DRAIN,
        "DocumentType": "Command",
        "DocumentFormat": "JSON",
        "UpdateMethod": "NewVersion",
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ab", DRAIN, "document name 'ab' is not 3 to 128 letters"),
        ("aws-drain", DRAIN, "which AWS keeps to itself"),
        ("drain", {**DRAIN, "schemaVersion": "0.3"}, "'0.3' is the schema of Automation runbooks"),
        ("drain", {**DRAIN, "mainSteps": []}, "an empty list is not a list with at least one step"),
        ("drain", {**DRAIN, "mainSteps": [{"action": "aws:sleep", "name": "a"}]}, "no plugin runs it on a node"),
    ],
)
def test_what_systems_manager_would_refuse_is_refused_when_it_is_made(
    name: str, content: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        CommandDocument(Stack(app(), "Stack"), "Document", name=name, content=content)
