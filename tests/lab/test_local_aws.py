from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lab import local_aws

AWS = local_aws.LocalAws("http://127.0.0.1:1", 0)


@pytest.mark.parametrize(("command", "judged"), [(local_aws.deploy, {None}), (local_aws.destroy, {"false"})])
def test_templates_are_validated_before_they_are_deployed_and_not_before_they_go(
    monkeypatch: pytest.MonkeyPatch, command: Callable[..., None], judged: set[str | None]
) -> None:
    settings: list[Mapping[str, str]] = []

    def run(arguments: list[Any], *, env: Mapping[str, str], **more: Any) -> subprocess.CompletedProcess[str]:
        settings.append(env)
        return subprocess.CompletedProcess(arguments, 0)

    monkeypatch.delenv("CDK_VALIDATION", raising=False)
    monkeypatch.setattr(subprocess, "run", run)
    command(AWS, "config/lab.yaml", None, None)
    assert {one.get("CDK_VALIDATION") for one in settings} == judged
    assert {one["AWS_ENDPOINT_URL"] for one in settings} == {AWS.url}
