from __future__ import annotations

from pathlib import Path

import pytest

from patching.policy_file import parse_policy
from patching.run_patch_baseline import Hooks
from tests.patching.policies import TODAY, bare, problems, window

SCRIPT = """\
schemaVersion: "2.2"
description: Take the node out of the load balancer
mainSteps:
  - name: drain
    action: aws:runShellScript
    inputs:
      runCommand: [echo drain]
"""
ON_EXIT = "{on_exit: drain}"
ASKING = SCRIPT.replace("mainSteps:", "parameters: {wait: {type: String}}\nmainSteps:")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "documents").mkdir()
    for name, text in {
        "drain": SCRIPT,
        "asking": ASKING,
        "broken": SCRIPT.replace("name: drain", "nam: drain"),
    }.items():
        (tmp_path / "documents" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "list.yaml").write_text("- a\n", encoding="utf-8")
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")
    (tmp_path / "token.yaml").write_text(SCRIPT.replace("echo drain", '"echo ${Token[0]}"'), encoding="utf-8")
    (tmp_path / "keys.yaml").write_text(f"{SCRIPT}1: x\n", encoding="utf-8")
    return tmp_path


def test_a_document_is_a_file_below_the_policys_folder(folder: Path) -> None:
    text = bare("documents: {drain: documents/drain.yaml}")
    assert problems(text, folder=folder) == []
    read = parse_policy(text, folder=folder, today=TODAY)
    assert read.documents["drain"].content["mainSteps"][0]["name"] == "drain"
    assert read.document_names == {"drain": "patchops-lab-drain"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/passwd", "6: documents.drain: '/etc/passwd' is not a path within the policy's folder"),
        ("../drain.yaml", "6: documents.drain: '../drain.yaml' is not a path within the policy's folder"),
        ("documents/../../x", "6: documents.drain: 'documents/../../x' is not a path within the policy's folder"),
        ("7", "6: documents.drain: 7 is not the path of a file in the policy's folder"),
        ("[a]", "6: documents.drain: ['a'] is not the path of a file in the policy's folder"),
    ],
)
def test_another_path_is_refused_where_the_policy_names_it(folder: Path, path: str, expected: str) -> None:
    (found,) = problems(bare(f"documents: {{drain: {path}}}"), folder=folder)
    assert found.startswith(f"p.yaml:{expected}")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("none.yaml", "none.yaml:1: cannot be read: No such file or directory"),
        ("documents", "documents:1: cannot be read: Is a directory"),
        ("list.yaml", "list.yaml:1: not a document: expected a mapping with schemaVersion"),
        ("empty.yaml", "empty.yaml:1: not a document: expected a mapping with schemaVersion"),
        ("token.yaml", "token.yaml:7: mainSteps[0].inputs.runCommand[0]: the CDK takes ${Token[...]} for its own"),
        ("keys.yaml", "keys.yaml:8: the key '1' is not text; put it in quotes"),
        ("documents/broken.yaml", "documents/broken.yaml:4: mainSteps[0].nam: there is no key 'nam' of a step"),
    ],
)
def test_what_is_wrong_with_a_document_is_told_in_its_own_lines(folder: Path, file: str, expected: str) -> None:
    found = problems(bare(f"documents: {{drain: {file}}}"), folder=folder)
    assert f"{folder}/{expected}" in "\n".join(found)


def test_the_problems_of_a_policy_come_before_those_of_its_documents(folder: Path) -> None:
    text = bare("documents: {drain: documents/broken.yaml}", "output: {retention_days: 0}")
    found = problems(text, folder=folder)
    assert [line.partition(":")[0] for line in found] == ["p.yaml", *[f"{folder}/documents/broken.yaml"] * 2]


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ("{}", "8: install.w.hooks: no hook is named; name pre_install, post_install or on_exit, or take hooks out"),
        (
            "{on_exit: undrain}",
            "8: install.w.hooks.on_exit: there is no document 'undrain'; expected one of drain, asking",
        ),
        (
            "{pre_install: asking}",
            "8: install.w.hooks.pre_install: document asking cannot be a hook: wait has no default, and a hook is",
        ),
        ("{before: drain}", "8: install.w.hooks.before: there is no key 'before'; expected one of pre_install"),
    ],
)
def test_a_hook_is_a_document_of_the_policy_that_asks_for_nothing(folder: Path, hooks: str, expected: str) -> None:
    documents = "documents: {drain: documents/drain.yaml, asking: documents/asking.yaml}"
    (found,) = problems(
        bare(documents, "install:", f"  w: {window('cron(0 2 ? * SUN *)', hooks=hooks)}"), folder=folder
    )
    assert found.startswith(f"p.yaml:{expected}")


@pytest.mark.parametrize("hooks", ["{pre_install: drain}", "{pre_install: drain, post_install: drain, on_exit: drain}"])
def test_a_window_may_have_one_hook_or_three(folder: Path, hooks: str) -> None:
    text = bare("documents: {drain: documents/drain.yaml}", f"install: {{w: {window('rate(7 days)', hooks=hooks)}}}")
    assert problems(text, folder=folder) == []


def test_the_hooks_of_a_window_are_deployed_documents(folder: Path) -> None:
    text = bare("documents: {drain: documents/drain.yaml}", f"install: {{w: {window('rate(7 days)', hooks=ON_EXIT)}}}")
    read = parse_policy(text, folder=folder, today=TODAY)
    assert read.install_task("w").hooks == Hooks(on_exit="patchops-lab-drain")


def test_a_hook_without_any_document_is_told(folder: Path) -> None:
    (found,) = problems(bare(f"install: {{w: {window('rate(7 days)', hooks=ON_EXIT)}}}"), folder=folder)
    assert found.endswith("there is no document 'drain'; expected one of none, for there are no documents")


def test_the_names_of_documents_fit_into_the_operator_policy(folder: Path) -> None:
    def documents(number: int, length: int) -> str:
        names = (f"d{one:03}".ljust(length, "x") for one in range(number))
        return bare("documents: {" + ", ".join(f"{name}: documents/drain.yaml" for name in names) + "}")

    (found,) = problems(documents(60, 40), folder=folder)
    assert found.startswith("p.yaml:6: documents: the names of 60 documents make an operator policy of")
    assert problems(documents(20, 40), folder=folder) == []
    assert problems(documents(25, 4), folder=folder) == []


def test_documents_fit_into_a_template(folder: Path) -> None:
    long = SCRIPT.replace("echo drain", "echo " + "x" * 60_000)
    (folder / "long.yaml").write_text(long, encoding="utf-8")

    def documents(number: int) -> str:
        return bare("documents: {" + ", ".join(f"d{one}: long.yaml" for one in range(number)) + "}")

    (found,) = problems(documents(10), folder=folder)
    assert found.startswith("p.yaml:6: documents: baselines, documents and the targets of windows have 60")
    assert problems(documents(9), folder=folder) == []


def test_documents_are_counted_as_aws_counts_them(folder: Path) -> None:
    text = bare("documents: {a: documents/drain.yaml, b: documents/drain.yaml}", "quotas: {documents: 1}")
    (found,) = problems(text, folder=folder)
    assert found.startswith("p.yaml:6: documents: 2 documents, but AWS allows 1 in an account and Region")
