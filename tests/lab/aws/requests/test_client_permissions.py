"""What clients may do, for access keys that have a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.local_aws import LocalAws as Client
from lab.world.errors import LabError
from tests.lab.aws.test_control import JSON, ask
from tests.lab.aws.world import SCAN, Connect, window_named

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "eu-west-2"
KEY = "AKIALIMITED"
DENIED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "403")
NODES = f"arn:aws:ec2:{REGION}:123456789012:instance/*"
DOCUMENT = f"arn:aws:ssm:{REGION}::document/AWS-RunPatchBaseline"


@pytest.fixture
def limited(local_aws: LocalAws) -> Iterator[Callable[..., Any]]:
    """Make a client that may do only what these statements say: `limited("ssm", {"Action": ..., "Resource": ...})`."""

    def client(service: str, *statements: dict[str, Any]) -> Any:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        Client(local_aws.url, 0).permit(KEY, policy)
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=local_aws.url,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    yield client
    Client(local_aws.url, 0).permit(KEY, None)
    assert local_aws.traffic.permissions.known() == {}


def denied(call: Callable[[], Any]) -> str:
    """Return the action that a call was not allowed; empty if it was."""
    try:
        call()
    except ClientError as error:
        message: str = error.response["Error"]["Message"]
        code = error.response["Error"]["Code"]
        said = message.partition("perform: ")[2].partition(" because")[0] or message
        return said if code in DENIED else f"{code}: {said}"
    return ""


def test_what_the_policy_allows_is_done_and_nothing_else(limited: Callable[..., Any]) -> None:
    ssm = limited("ssm", {"Action": "ssm:ListCommands", "Resource": "*"})
    assert denied(ssm.list_commands) == ""
    assert denied(ssm.list_associations) == "ssm:ListAssociations"


def test_other_keys_are_not_checked(limited: Callable[..., Any], connect: Connect) -> None:
    limited("ssm", {"Action": "ssm:Nothing", "Resource": "*"})
    assert denied(connect("ssm", REGION).list_commands) == ""


def test_a_deny_wins(limited: Callable[..., Any]) -> None:
    everything = {"Action": "*", "Resource": "*"}
    ssm = limited("ssm", everything, {"Effect": "Deny", "Action": "ssm:List*", "Resource": "*"})
    assert denied(ssm.list_commands) == "ssm:ListCommands"
    assert denied(ssm.describe_patch_groups) == ""


def test_a_command_needs_its_document_every_node_and_the_role_that_it_hands_over(
    limited: Callable[..., Any], launch: Callable[..., list[str]], roles: dict[str, str]
) -> None:
    (node,) = launch(REGION, Environment="lab")
    (other,) = launch(REGION, Environment="prod")
    document = {"Action": "ssm:SendCommand", "Resource": DOCUMENT}
    nodes = {
        "Action": "ssm:SendCommand",
        "Resource": NODES,
        "Condition": {"StringEquals": {"ssm:resourceTag/Environment": "lab"}},
    }
    command = {**SCAN, "InstanceIds": [node]}
    assert denied(lambda: limited("ssm", document).send_command(**command)) == (
        f"ssm:SendCommand on resource: {NODES.removesuffix('*')}{node}"
    )
    assert denied(lambda: limited("ssm", nodes).send_command(**command)) == f"ssm:SendCommand on resource: {DOCUMENT}"
    assert denied(lambda: limited("ssm", document, nodes).send_command(**command)) == ""
    of_prod = f"ssm:SendCommand on resource: {NODES.removesuffix('*')}{other}"
    assert denied(lambda: limited("ssm", document, nodes).send_command(**SCAN, InstanceIds=[other])) == of_prod
    all_of_them = [{"Key": "tag:Fleet", "Values": ["a"]}]
    assert denied(lambda: limited("ssm", document, nodes).send_command(**SCAN, Targets=all_of_them)) == of_prod
    told = {"ServiceRoleArn": roles["sender"], "NotificationConfig": {"NotificationArn": "arn:aws:sns:us-east-1:1:a"}}
    passing = f"iam:PassRole on resource: {roles['sender']}"
    assert denied(lambda: limited("ssm", document, nodes).send_command(**command, **told)) == passing
    to_ssm = {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}
    passed = {"Action": "iam:PassRole", "Resource": roles["sender"], "Condition": to_ssm}
    assert denied(lambda: limited("ssm", document, nodes, passed).send_command(**command, **told)) == ""


def test_the_tags_of_a_window_decide(limited: Callable[..., Any], connect: Connect) -> None:
    tagged, bare = (
        connect("ssm", REGION).create_maintenance_window(**window_named(name), Tags=tags)["WindowId"]
        for name, tags in (("tagged", [{"Key": "Environment", "Value": "lab"}]), ("bare", []))
    )
    own = {
        "Action": "ssm:GetMaintenanceWindow",
        "Resource": f"arn:aws:ssm:{REGION}:123456789012:maintenancewindow/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/Environment": "lab"}},
    }
    ssm = limited("ssm", own)
    assert denied(lambda: ssm.get_maintenance_window(WindowId=tagged)) == ""
    assert denied(lambda: ssm.get_maintenance_window(WindowId=bare)).startswith("ssm:GetMaintenanceWindow on")


def test_objects_and_their_bucket_are_asked_for_by_themselves(limited: Callable[..., Any], connect: Connect) -> None:
    connect("s3").create_bucket(Bucket="limited")
    connect("s3").put_object(Bucket="limited", Key="runs/a", Body=b"a")
    read = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::limited/runs/*"}
    s3 = limited("s3", read)
    assert denied(lambda: s3.get_object(Bucket="limited", Key="runs/a")) == ""
    assert denied(lambda: s3.head_object(Bucket="limited", Key="runs/a")) == ""
    assert "s3:GetObject on" in denied(lambda: s3.get_object(Bucket="limited", Key="other"))
    assert "s3:ListBucket on resource: arn:aws:s3:::limited" in denied(lambda: s3.list_objects_v2(Bucket="limited"))
    objects = {"Objects": [{"Key": "runs/a"}]}
    assert "s3:DeleteObject on resource: arn:aws:s3:::limited/runs/a" in denied(
        lambda: s3.delete_objects(Bucket="limited", Delete=objects)
    )
    assert "s3:ListAllMyBuckets" in denied(s3.list_buckets)


def test_an_encrypted_bucket_asks_for_its_key(limited: Callable[..., Any], connect: Connect) -> None:
    key = connect("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = connect("s3")
    s3.create_bucket(Bucket="locked")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="locked", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="locked", Key="a", Body=b"a")
    read = {"Action": "s3:GetObject", "Resource": "*"}
    assert f"kms:Decrypt on resource: {key}" in denied(lambda: limited("s3", read).get_object(Bucket="locked", Key="a"))
    both = limited("s3", read, {"Action": "kms:Decrypt", "Resource": key})
    assert denied(lambda: both.get_object(Bucket="locked", Key="a")) == ""


def test_what_a_form_names_is_asked_for(limited: Callable[..., Any], roles: dict[str, str]) -> None:
    own = {"Action": "iam:GetRole", "Resource": roles["node"]}
    iam = limited("iam", own)
    assert denied(lambda: iam.get_role(RoleName="node")) == ""
    assert denied(lambda: iam.get_role(RoleName="sender")) == f"iam:GetRole on resource: {roles['sender']}"
    assert denied(limited("sts").get_caller_identity) == ""
    assert denied(limited("ec2").describe_instances) == "ec2:DescribeInstances"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", 'expected {"access_key":'),
        (b"[]", 'expected {"access_key":'),
        (b'{"access_key": "", "policy": {}}', 'expected {"access_key":'),
        (b'{"access_key": "A", "policy": 1}', 'expected {"access_key":'),
        (b'{"access_key": "A", "policy": {"Statement": [1]}}', "a statement of the policy has no Effect"),
        (b'{"access_key": "A", "policy": {"Statement": {"Effect": "Maybe"}}}', "has no Effect of Allow or Deny"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_in_one_line(local_aws: LocalAws, body: bytes, problem: str) -> None:
    code, answer = ask(local_aws, "/lab/permissions", body, JSON)
    assert (code, list(answer)) == (400, ["error"])
    assert problem in answer["error"]
    assert local_aws.traffic.permissions.known() == {}


def test_the_labs_own_client_says_what_is_wrong_with_a_policy(local_aws: LocalAws) -> None:
    with pytest.raises(LabError, match="has no Effect"):
        Client(local_aws.url, 0).permit(KEY, {"Statement": [{}]})


def test_a_key_is_named_by_its_arn(limited: Callable[..., Any], connect: Connect) -> None:
    key = connect("kms", REGION).create_key()["KeyMetadata"]
    client = limited("kms", {"Action": "kms:DescribeKey", "Resource": key["Arn"]})
    for name in (key["Arn"], key["KeyId"]):
        assert denied(lambda name=name: client.describe_key(KeyId=name)) == ""  # type: ignore[misc]
    other = connect("kms", REGION).create_key()["KeyMetadata"]
    assert denied(lambda: client.describe_key(KeyId=other["KeyId"])).startswith("kms:DescribeKey on resource: arn:aws:")
