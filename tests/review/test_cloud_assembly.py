from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review.cloud_assembly import Acknowledgement, read
from review.errors import ReviewError
from tests.review.assemblies import corp

pytestmark = pytest.mark.xdist_group("review")


def assembly(folder: Path, *stages: str) -> Path:
    """Write a small cloud assembly with stages of one stack each."""
    folder.mkdir(exist_ok=True)
    artifacts: dict[str, Any] = {}
    for stage in stages:
        nested = folder / f"assembly-{stage}"
        nested.mkdir()
        stack = {
            "type": "aws:cloudformation:stack",
            "displayName": f"{stage}/Stack",
            "properties": {"stackName": f"{stage}-stack", "templateFile": "stack.template.json"},
            "metadata": {"/x": [{"type": "aws:cdk:acknowledged-rules", "data": {"Annotation::Rule": "why"}}]},
        }
        (nested / "manifest.json").write_text(json.dumps({"artifacts": {"stack": stack}}), encoding="utf-8")
        template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
        (nested / "stack.template.json").write_text(json.dumps(template), encoding="utf-8")
        artifacts[f"assembly-{stage}"] = {
            "type": "cdk:cloud-assembly",
            "properties": {"directoryName": f"assembly-{stage}"},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    return folder


def test_the_stacks_of_a_stage_are_read_with_what_may_stay(tmp_path: Path) -> None:
    found = read(assembly(tmp_path, "prod"))
    assert found.environment == "prod"
    assert list(found.templates) == ["prod-stack"]
    assert found.acknowledgements == (Acknowledgement("Rule", "x", "why"),)
    assert found.violations is None
    assert found.told is None


def test_a_report_beside_the_outermost_manifest_is_found(tmp_path: Path) -> None:
    folder = assembly(tmp_path, "prod")
    violation = {
        "ruleName": "R1",
        "severity": "error",
        "description": "wrong\n here",
        "violatingConstructs": [{"constructPath": "prod/Stack/Topic"}],
    }
    report = {"pluginReports": [{"pluginName": "Pack", "violations": [violation]}]}
    (folder / "validation-report.json").write_text(json.dumps(report), encoding="utf-8")
    (found,) = read(folder).violations or ()
    assert (found.plugin, found.rule, found.path, found.message) == ("Pack", "R1", "prod/Stack/Topic", "wrong here")
    assert read(folder / "assembly-prod").violations == (found,)


def test_our_own_app_tells_of_exceptions_and_acknowledgements() -> None:
    whole = corp()
    assert set((whole.told or {})["exceptions"]) == {"shop-openssl", "print-spooler"}
    assert {one.rule for one in whole.acknowledgements} >= {"AwsSolutions-S1", "NIST.800.53.R5-S3BucketLoggingEnabled"}


def test_several_environments_are_one_too_many(tmp_path: Path) -> None:
    folder = assembly(tmp_path, "a", "b")
    with pytest.raises(
        ReviewError, match=r"has 2 environments \(a, b\), and a review is of one; name its own directory"
    ):
        read(folder)
    assert read(folder / "assembly-b").environment == "b"


def test_what_is_no_assembly_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"is no cloud assembly: it has no manifest.json"):
        read(tmp_path)
    with pytest.raises(ReviewError, match=r"nowhere: is not there; name a directory"):
        read(tmp_path / "nowhere")
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReviewError, match=r"manifest.json: is not JSON"):
        read(tmp_path)
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReviewError, match=r"has no stacks"):
        read(tmp_path)


def test_a_manifest_does_not_lead_out_of_its_directory(tmp_path: Path) -> None:
    folder = assembly(tmp_path / "in", "prod")
    (tmp_path / "secret.json").write_text('{"Resources": {}}', encoding="utf-8")
    manifest = folder / "assembly-prod" / "manifest.json"
    text = manifest.read_text(encoding="utf-8").replace("stack.template.json", "../../secret.json")
    manifest.write_text(text, encoding="utf-8")
    with pytest.raises(ReviewError, match=r"names '../../secret.json', which is not in the directory"):
        read(folder)
