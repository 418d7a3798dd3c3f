from __future__ import annotations

import re

from lab.aws.operation import OPERATIONS
from lab.aws.own_documents import CORRECTED
from lab.aws.ssm_service import _OWN_DOCUMENTS
from lab.local_aws import ROOT


def test_the_table_of_operations_names_what_is_emulated_and_nothing_else() -> None:
    table = (ROOT / "docs" / "local-aws.md").read_text().partition("## Operations")[2].partition("## Not as AWS")[0]
    named = set(
        re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", "\n".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)))
    )
    answered = {
        "".join(word.capitalize() for word in name.split("_")) for name in (*OPERATIONS, *_OWN_DOCUMENTS, *CORRECTED)
    }
    assert named - {"AwsRunPatchBaseline"} == answered | {"ListDocuments"}
