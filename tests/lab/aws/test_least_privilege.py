"""Every action that a policy of ours allows is one without which something stops working, or has its reason here.

What operators may is asked in tests/workshop/test_operator_policy.py, of all that `patchops` does.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from lab.world import access
from lab.world.errors import ApiError
from lab.world.network import s3_refusal
from tests.lab.aws.stacks import Stack
from tests.lab.aws.world import Connect

if TYPE_CHECKING:
    from lab.aws.server import LocalAws
    from tests.lab.aws.least import World
else:
    LocalAws = World = Any  # these import moto, which only the process that runs these tests is to wait for

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-northeast-2"
ACCOUNT = "123456789012"
ON_CALL = f"arn:aws:iam::{ACCOUNT}:role/on-call"
LOGS = f"logs.{REGION}.amazonaws.com"
LOG_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
FOLLOWING = {
    "WindowRolePolicy": "what AWS's example of a window's role has, to follow the command: "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/configuring-maintenance-window-permissions-cli.html",
    "ScanDispatchRolePolicy": "what the service-linked role has for it, in whose place this role is: "
    "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMServiceRolePolicy.html",
}
"""Why a role may follow what it sent, which the lab does not ask for."""

REASONS = {
    **{
        (role, f"ssm:{action}"): why
        for role, why in FOLLOWING.items()
        for action in ("CancelCommand", "GetCommandInvocation", "ListCommandInvocations", "ListCommands")
    },
    ("NodePolicy", "s3:GetEncryptionConfiguration"): "the agent asks for the bucket's encryption before it writes",
    ("NodePolicy", "kms:Decrypt"): "what S3 needs for an output so large that it is uploaded in parts",
    ("NetworkS3", "s3:GetEncryptionConfiguration"): "as for the node's own policy: the endpoint lets it through",
    **{
        ("Key", f"{LOGS} {action}"): "asked when a log group is made: see the test about that below"
        for action in LOG_ACTIONS
    },
    ("OperatorsRole", "sts:AssumeRole"): "people take it on, and nobody does in an hour: see the test about that below",
    ("HybridRole", "ssm.amazonaws.com sts:AssumeRole"): "asked when a machine outside of AWS registers: below",
}
"""Actions that nothing misses in an hour of the lab, by policy, with why they are there."""

TABLE = (
    "in the table of https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html: "
)
OTHER_REGIONS = "what it is called in some Regions, of which this is none"
BUCKETS = {
    f"amazon-ssm-{REGION}/*": f"{TABLE}new versions of the agent, which AWS-UpdateSSMAgent fetches",
    f"amazon-ssm-packages-{REGION}/*": f"{TABLE}packages that AWS-ConfigureAWSPackage installs with old agents",
    f"{REGION}-birdwatcher-prod/*": f"{TABLE}packages of Distributor",
    f"aws-ssm-distributor-file-{REGION}/*": f"{TABLE}packages of Distributor, in Cape Town and Milan",
    f"aws-ssm-document-attachments-{REGION}/*": f"{TABLE}packages of Distributor that AWS owns",
    f"aws-ssm-{REGION}/*": f"{TABLE}modules of AWS's documents, of others than AWS-RunPatchBaseline",
    f"aws-windows-downloads-{REGION}/*": f"{TABLE}files of documents that are for Windows",
    f"patch-baseline-snapshot-{REGION}-*/*": OTHER_REGIONS,
    f"al2023-repos-{REGION}-de612dc2/*": "the repository; the way to package repositories is not looked at",
}
"""What nodes of an isolated network may read of S3, and what nothing misses in an hour of the lab."""


@pytest.fixture(scope="module")
def world(local_aws: LocalAws, connect: Connect, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The environment, in which all has run once."""
    from tests.lab.aws.least import World  # noqa: PLC0415 as above

    made = World(local_aws, connect, tmp_path_factory.mktemp("least"))
    made.hour()
    yield made
    made.destroy()


@pytest.fixture(scope="module")
def whole(world: World) -> dict[str, Any]:
    """What is seen in an hour in which nothing is amiss."""
    seen = world.hour()
    assert (seen["nodes"], seen["scan"], seen["windows"], seen["streams"]) == (
        [True],
        ["Success"],
        ["SUCCESS", "SUCCESS"],
        True,
    )
    assert {one for one in seen["told"] if one[0] == "sqs"} == {
        ("sqs", what, True) for what in ("A maintenance window opened or ended", "An alarm", "Run Command")
    }
    assert all(arrived for _, _, arrived in seen["told"])
    return seen


def without_each(document: dict[str, Any], part: str = "Action") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the document without each action of each statement that allows, in turn, or without each `Resource`.

    With each goes what was taken out; of a statement about a service, also the service.
    """
    for index, statement in enumerate(document["Statement"]):
        if statement["Effect"] != "Allow":
            continue
        principal = statement.get("Principal")
        service = principal.get("Service", "") if isinstance(principal, dict) else ""
        values = statement[part] if isinstance(statement[part], list) else [statement[part]]
        for value in values:
            changed = copy.deepcopy(document)
            changed["Statement"][index][part] = [one for one in values if one != value]
            if not changed["Statement"][index][part]:
                del changed["Statement"][index]
            yield f"{service} {value}".strip(), changed


def test_every_policy_that_is_deployed_is_asked(world: World) -> None:
    """A policy of a kind that `World.policies` does not know would be one that nobody asks."""
    with_statements = {
        one.type for stack in world.stacks.all for one in stack.values() if '"Statement"' in repr(one).replace("'", '"')
    }
    assert with_statements == {
        "AWS::EC2::VPCEndpoint",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
    }
    endpoints = [one for stack in world.stacks.all for one in stack.of("AWS::EC2::VPCEndpoint").values()]
    assert [one["VpcEndpointType"] for one in endpoints if "PolicyDocument" in one] == ["Gateway"]
    assert len(list(world.policies)) == 17


def test_without_any_action_something_stops_working(world: World, whole: dict[str, Any]) -> None:
    superfluous = set()
    for held, taken, changed in _taken_out(world, "Action"):
        held.put(changed)
        if world.hour() == whole:
            superfluous.add((held.name, taken))
    assert world.hour() == whole
    assert superfluous == set(REASONS)


def _taken_out(world: World, part: str) -> Iterator[tuple[Any, str, dict[str, Any]]]:
    """Yield every policy but the operators' without each of its parts, and put it back afterwards."""
    for held in world.policies:
        document = held.document
        for taken, changed in without_each(document, part) if held.name != "Operators" else ():
            yield held, taken, changed
            held.put(document)


def test_without_any_bucket_that_an_isolated_network_reaches_something_stops_working(
    world: World, whole: dict[str, Any]
) -> None:
    held, superfluous = world.held("AWS::EC2::VPCEndpoint"), set()
    document = held.document
    for taken, changed in without_each(document, "Resource"):
        held.put(changed)
        if world.hour() == whole:
            superfluous.add(taken.removeprefix("arn:aws:s3:::"))
    held.put(document)
    output = world.held("AWS::S3::Bucket").holder.name
    # The bucket itself is what its encryption is asked of, as `REASONS` says; what lies under overrides/ is read in an
    # installation by hand: see the test about that below.
    assert superfluous == {*BUCKETS, output, f"{output}/overrides/*"}


def test_what_an_installation_by_hand_does_instead_is_read_by_nodes_and_not_without_their_permission(
    world: World, local_aws: LocalAws
) -> None:
    bucket = world.held("AWS::S3::Bucket").holder.name
    arn = f"arn:aws:s3:::{bucket}/overrides/one.yaml"
    node_policy, endpoint = world.held("AWS::IAM::ManagedPolicy", "NodePolicy"), world.held("AWS::EC2::VPCEndpoint")

    def reads() -> bool:
        local_aws.plane.changed()
        with local_aws.plane.engine(REGION) as engine:
            (node,) = engine.fleet.nodes()
            refusal = s3_refusal(node.network, node.role, "s3:GetObject", arn)
            return not refusal and engine.cloud.allowed(node.role, "s3:GetObject", arn)

    assert reads()
    for held in (node_policy, endpoint):
        whole = held.document
        lacking = [changed for taken, changed in without_each(whole, "Resource") if "/overrides/" in taken]
        assert len(lacking) == 1
        held.put(lacking[0])
        assert not reads()
        held.put(whole)
    assert reads()


def test_without_any_action_of_the_keys_policy_a_log_group_cannot_be_made(world: World, connect: Connect) -> None:
    held, needed = world.held("AWS::KMS::Key"), []
    document = held.document
    group = ("AWS::Logs::LogGroup", {"LogGroupName": world.log_group, "KmsKeyId": held.holder.arn})
    logs = connect("logs", REGION)
    logs.delete_log_group(logGroupName=world.log_group)
    for number, (taken, changed) in enumerate(without_each(document)):
        held.put(changed)
        stack = Stack(connect, f"log-{number}", REGION)
        if not stack.attempt(One=group).endswith("E_COMPLETE"):
            needed.append(taken)
        stack.delete()
        held.put(document)
    logs.create_log_group(logGroupName=world.log_group)
    assert sorted(needed) == [f"{LOGS} {action}" for action in LOG_ACTIONS]


def test_without_its_permission_the_function_is_not_told(
    world: World, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab.aws.cloudformation import lambda_permissions  # noqa: PLC0415 as above

    assert {arrived for service, _, arrived in whole["told"] if service == "lambda"} == {True}
    monkeypatch.setattr(lambda_permissions, "_STATEMENTS", {})
    assert {arrived for service, _, arrived in world.hour()["told"] if service == "lambda"} == {False}


def test_without_its_trust_policy_no_machine_registers_as_the_hybrid_role(
    world: World, local_aws: LocalAws, connect: Connect
) -> None:
    ssm, held = connect("ssm", REGION), world.held("AWS::IAM::Role", "HybridRole")
    made = ssm.create_activation(IamRole="patchops-least-hybrid", RegistrationLimit=1)
    proof = (made["ActivationId"], made["ActivationCode"], "AMAZON_LINUX_2023")
    whole = held.document
    ((_, changed),) = without_each(whole)
    held.put(changed)
    with (
        local_aws.plane.engine(REGION) as engine,
        pytest.raises(ApiError, match=r"ssm.amazonaws.com may not assume it"),
    ):
        engine.activations.register(*proof)
    held.put(whole)
    with local_aws.plane.engine(REGION) as engine:
        engine.activations.register(*proof)
    (node,) = ssm.describe_instance_information(Filters=[{"Key": "ResourceType", "Values": ["ManagedInstance"]}])[
        "InstanceInformationList"
    ]
    assert node["IamRole"] == "patchops-least-hybrid"
    ssm.deregister_managed_instance(InstanceId=node["InstanceId"])


HERE = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/mi-1"}


@pytest.mark.parametrize(
    ("role", "who", "by", "not_by"),
    [
        ("OperatorsRole", ON_CALL, {"aws:MultiFactorAuthPresent": "true"}, {"aws:MultiFactorAuthPresent": "false"}),
        ("HybridRole", "ssm.amazonaws.com", HERE, {**HERE, "aws:SourceAccount": "210987654321"}),
        (
            "HybridRole",
            "ssm.amazonaws.com",
            HERE,
            {**HERE, "aws:SourceArn": f"arn:aws:ssm:eu-west-1:{ACCOUNT}:managed-instance/mi-1"},
        ),
        ("EventsRole", "events.amazonaws.com", HERE, {"aws:SourceAccount": "210987654321"}),
    ],
)
def test_a_role_is_taken_on_by_its_statement_and_only_as_the_conditions_say(
    world: World, role: str, who: str, by: Mapping[str, str], not_by: Mapping[str, str]
) -> None:
    document = world.held("AWS::IAM::Role", role).document
    assert access.trusts(document, who, by)
    assert not access.trusts(document, who, not_by)
    assert not access.trusts(document, who)
    assert not access.trusts({"Statement": document["Statement"][1:]}, who, by)


def test_each_refusal_of_bucket_and_topic_refuses_what_nothing_else_does(world: World) -> None:
    secure = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    role = f"arn:aws:iam::{ACCOUNT}:role/node"
    bucket, topic = world.held("AWS::S3::Bucket"), world.held("AWS::SNS::Topic")
    name = f"arn:aws:s3:::{bucket.holder.name}"
    plain, old = {**secure, "aws:SecureTransport": "false"}, {**secure, "s3:TlsVersion": "1.1"}
    cases = (
        (bucket, "s3:PutObject", f"{name}/runs/one", (plain, old)),
        (bucket, "s3:ListBucket", name, (plain, old)),
        (topic, "sns:Publish", topic.holder.arn, (plain,)),
    )
    for held, action, resource, refused in cases:
        denials = [one for one in held.document["Statement"] if one["Effect"] == "Deny"]
        assert len(denials) == len(refused)
        assert not access.denies(held.document, role, action, resource, secure)
        for one, context in zip(denials, refused, strict=True):
            others = {"Statement": [other for other in held.document["Statement"] if other != one]}
            assert access.denies(held.document, role, action, resource, context)
            assert not access.denies(others, role, action, resource, context)
