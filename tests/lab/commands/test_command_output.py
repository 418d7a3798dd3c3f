"""Run Command: output in a bucket."""

from __future__ import annotations

from lab.records.command import Command
from patching.run_patch_baseline import RunPatchBaseline
from tests.lab.simulated import (
    KEY,
    NODE_ROLE,
    Lab,
    fleet,
    invocations,
)

SCAN = RunPatchBaseline.scan()


def stored(lab: Lab, *, broken: bool = False, bucket: str = "output") -> Command:
    fleet(lab, 1, broken=(0,) if broken else ())
    return lab.run(bucket=bucket, prefix="runs")


def test_output_goes_under_the_prefix_the_command_the_node_and_the_step(lab: Lab) -> None:
    command = stored(lab)
    (only,) = invocations(command)
    folder = f"runs/{command.id}/{only.node_id}/awsrunShellScript/PatchLinux"
    assert list(lab.cloud.objects) == [f"{folder}/stdout"]
    assert lab.cloud.objects[f"{folder}/stdout"] == next(
        step.output for step in only.steps if step.name == "PatchLinux"
    )
    assert only.output_stored


def test_errors_are_stored_beside_it(lab: Lab) -> None:
    stored(lab, broken=True)
    assert [key.rpartition("/")[2] for key in lab.cloud.objects] == ["stdout", "stderr"]


def test_without_a_prefix_a_key_begins_with_the_command(lab: Lab) -> None:
    fleet(lab, 1)
    command = lab.run(SCAN, bucket="output")
    assert all(key.startswith(f"{command.id}/") for key in lab.cloud.objects)


def test_output_is_not_stored_by_a_role_that_may_not_write_there(lab: Lab) -> None:
    lab.cloud.forbid(NODE_ROLE, "s3:PutObject", "arn:aws:s3:::output/runs/*")
    command = stored(lab)
    assert lab.cloud.objects == {}
    assert command.status == "Success"
    assert not invocations(command)[0].output_stored
    assert "not stored: arn:aws:iam::123456789012:role/node does not allow s3:PutObject" in lab.log


def test_output_of_an_encrypted_bucket_needs_its_key_too(lab: Lab) -> None:
    lab.cloud.forbid(NODE_ROLE, "kms:GenerateDataKey", KEY)
    lab.cloud.bucket_keys["output"] = "arn:aws:kms:us-east-1:123456789012:key/2"
    assert stored(lab).status == "Success"
    assert lab.cloud.objects
    lab.cloud.objects.clear()
    lab.cloud.bucket_keys["output"] = KEY
    assert lab.run(SCAN, bucket="output").status == "Success"
    assert lab.cloud.objects == {}
    assert f"does not allow kms:GenerateDataKey on {KEY}" in lab.log


def test_a_bucket_that_is_not_there_fails_nothing(lab: Lab) -> None:
    assert stored(lab, bucket="gone").status == "Success"
    assert "not stored: there is no bucket gone" in lab.log
