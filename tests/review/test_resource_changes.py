from __future__ import annotations

from typing import Any

import pytest

from review.build import review
from review.cloud_assembly import CloudAssembly
from review.model import Effect, ResourceChange, Weight
from review.replacement import kind
from review.resource_changes import resource_changes
from tests.review.assemblies import DAY


def whole(**resources: dict[str, Any]) -> CloudAssembly:
    return CloudAssembly("e", {"stack": {"Resources": resources}})


def only(before: CloudAssembly, after: CloudAssembly) -> ResourceChange:
    (found,) = resource_changes(before, after)
    return found


def resource(kind: str, properties: dict[str, Any] | None = None, **attributes: str) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties or {}, **attributes}


def test_a_resource_is_added_removed_changed_or_left_alone() -> None:
    one, other = resource("AWS::SNS::Topic"), resource("AWS::SNS::Topic", {"DisplayName": "x"})
    assert only(whole(), whole(a=one)).effect is Effect.ADDED
    assert only(whole(a=one), whole()).effect is Effect.REMOVED
    changed = only(whole(a=one), whole(a=other))
    assert (changed.effect, changed.properties) == (Effect.CHANGED, ("DisplayName",))
    assert '+  "DisplayName": "x"' in changed.diff
    assert resource_changes(whole(a=one), whole(a={**one, "Metadata": {"x": "y"}})) == []


@pytest.mark.parametrize(
    ("kind", "name", "effect"),
    [
        ("AWS::SSM::PatchBaseline", "OperatingSystem", Effect.REPLACED),
        ("AWS::SSM::PatchBaseline", "Name", Effect.CHANGED),
        ("AWS::SSM::MaintenanceWindowTask", "WindowId", Effect.REPLACED),
        ("AWS::SSM::MaintenanceWindow", "Schedule", Effect.CHANGED),
        ("AWS::SNS::Topic", "TopicName", Effect.REPLACED),
        ("AWS::EC2::Instance", "ImageId", Effect.REPLACED),
        ("AWS::EC2::Instance", "InstanceType", Effect.MAY_BE_REPLACED),
    ],
)
def test_what_cannot_be_changed_in_place_is_replaced(kind: str, name: str, effect: Effect) -> None:
    before, after = (whole(a=resource(kind, {name: value})) for value in ("x", "y"))
    found = only(before, after)
    assert found.effect is effect
    assert found.because == ((name,) if effect is not Effect.CHANGED else ())


def test_another_type_is_another_resource() -> None:
    found = only(whole(a=resource("AWS::SNS::Topic")), whole(a=resource("AWS::SQS::Queue")))
    assert (found.effect, found.because) == (Effect.REPLACED, ("Type",))


def test_what_refers_to_a_replaced_resource_by_such_a_property_is_replaced_with_it() -> None:
    def state(cidr: str) -> CloudAssembly:
        return whole(
            vpc=resource("AWS::EC2::VPC", {"CidrBlock": cidr}),
            subnet=resource("AWS::EC2::Subnet", {"VpcId": {"Ref": "vpc"}, "CidrBlock": "10.0.0.0/24"}),
            endpoint=resource("AWS::EC2::VPCEndpoint", {"VpcId": {"Fn::GetAtt": ["vpc", "VpcId"]}}),
            other=resource("AWS::SNS::Topic", {"DisplayName": {"Ref": "vpc"}}),
        )

    # Nothing of the others changes in the templates: that they go along, only the references say.
    before, after = state("10.0.0.0/16"), state("10.1.0.0/16")
    found = {one.id: one for one in resource_changes(before, after)}
    assert found["stack/vpc"].because == ("CidrBlock",)
    assert found["stack/subnet"].because == ("VpcId",)
    assert found["stack/endpoint"].effect is Effect.REPLACED
    assert "stack/other" not in found


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("AWS::KMS::Key", "can be read by nobody any more"),
        ("AWS::S3::Bucket", "objects are lost"),
        ("AWS::Logs::LogGroup", "logs in it are deleted"),
        ("AWS::EC2::Instance", "volumes are deleted"),
    ],
)
def test_what_holds_data_and_is_removed_is_a_data_loss_unless_it_is_kept(kind: str, lost: str) -> None:
    assert lost in only(whole(a=resource(kind)), whole()).data_loss
    kept = only(whole(a=resource(kind, DeletionPolicy="Retain")), whole())
    assert kept.data_loss == ""
    assert kept.note == "it stays in the account, and no stack knows it any more"


def test_what_holds_data_and_is_replaced_is_a_data_loss_unless_it_is_kept() -> None:
    def bucket(name: str, **attributes: str) -> CloudAssembly:
        return whole(a=resource("AWS::S3::Bucket", {"BucketName": name}, **attributes))

    made = review(bucket("y"), bucket("x"), day=DAY)
    assert made.verdict.data_losses == 1
    assert made.verdict.headline.startswith("Data is lost")
    said = [one.text for one in made.changes or () if one.weight is Weight.DANGER]
    assert any("data is lost: the bucket's objects are lost" in one for one in said)
    kept = only(bucket("x", UpdateReplacePolicy="Retain"), bucket("y", UpdateReplacePolicy="Retain"))
    assert (kept.effect, kept.data_loss) == (Effect.REPLACED, "")


def test_what_holds_no_data_is_no_data_loss() -> None:
    assert only(whole(a=resource("AWS::SNS::Topic")), whole()).data_loss == ""


def test_a_replacement_under_the_same_name_is_known_to_fail() -> None:
    def topic(fifo: bool) -> CloudAssembly:
        return whole(a=resource("AWS::SNS::Topic", {"TopicName": "x", "FifoTopic": fifo}))

    assert "fails as the name is taken" in only(topic(False), topic(True)).note


def test_a_stack_that_is_gone_stays_deployed() -> None:
    before = CloudAssembly("e", {"stack": {"Resources": {"a": resource("AWS::SNS::Topic")}}})
    assert "stays deployed until somebody destroys it" in only(before, CloudAssembly("e", {})).note


def test_the_database_knows_our_types() -> None:
    assert kind("AWS::SSM::PatchBaseline").replacing == {"OperatingSystem"}
    assert not kind("AWS::Not::There").known
