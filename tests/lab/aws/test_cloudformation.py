"""The resources of CloudFormation that the lab adds to moto, made, changed and deleted through its API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.conftest import trust
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "eu-west-1"
Properties = dict[str, Any]


class Stack:
    """A stack of the resources that a test wants, made by change sets as the CDK makes it."""

    def __init__(self, connect: Connect, name: str) -> None:
        self._cloudformation = connect("cloudformation", REGION)
        self.name = name

    def deploy(self, outputs: Properties | None = None, **resources: tuple[str, Properties]) -> dict[str, str]:
        """Make or change the stack, and return the physical ids by the logical ones."""
        assert self.attempt(outputs, **resources).endswith("E_COMPLETE"), self.reasons
        return self.ids

    def attempt(self, outputs: Properties | None = None, **resources: tuple[str, Properties]) -> str:
        """Make or change the stack, and return its status."""
        template = {
            "Resources": {name: {"Type": kind, "Properties": values} for name, (kind, values) in resources.items()},
            **({"Outputs": outputs} if outputs else {}),
        }
        kind = "UPDATE" if self._exists else "CREATE"
        self._cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName="change",
            ChangeSetType=kind,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        self._cloudformation.execute_change_set(StackName=self.name, ChangeSetName="change")
        return self.status

    @property
    def _exists(self) -> bool:
        found = self._cloudformation.list_stacks()["StackSummaries"]
        return any(one["StackName"] == self.name and one["StackStatus"] != "DELETE_COMPLETE" for one in found)

    @property
    def _described(self) -> dict[str, Any]:
        (stack,) = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return dict(stack)

    @property
    def status(self) -> str:
        return str(self._described["StackStatus"])

    @property
    def outputs(self) -> dict[str, str]:
        return {one["OutputKey"]: one["OutputValue"] for one in self._described["Outputs"]}

    @property
    def ids(self) -> dict[str, str]:
        found = self._cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    @property
    def reasons(self) -> str:
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(one.get("ResourceStatusReason", "") for one in events)

    def delete(self) -> None:
        self._cloudformation.delete_stack(StackName=self.name)


@pytest.fixture
def stack(connect: Connect, request: pytest.FixtureRequest) -> Iterator[Stack]:
    made = Stack(connect, "".join(char if char.isalnum() else "-" for char in request.node.name)[:100])
    yield made
    if made._exists:
        made.delete()


@pytest.fixture
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


def gone(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError:
        return True
    return False


# Patch baselines.


def baseline(**changes: Any) -> tuple[str, Properties]:
    filters = {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]}
    rule = {"PatchFilterGroup": filters, "ApproveAfterDays": 7, "ComplianceLevel": "HIGH"}
    properties = {
        "Name": "one",
        "OperatingSystem": "AMAZON_LINUX_2023",
        "ApprovalRules": {"PatchRules": [rule]},
        "PatchGroups": ["prod", "test"],
    }
    return "AWS::SSM::PatchBaseline", {**properties, **changes}


def test_a_baseline_comes_changes_in_place_and_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(One=baseline())["One"]
    assert ssm.get_patch_baseline(BaselineId=made)["PatchGroups"] == ["prod", "test"]
    changed = stack.deploy(One=baseline(Name="two", PatchGroups=["test", "dev"]))["One"]
    stored = ssm.get_patch_baseline(BaselineId=made)
    assert (changed, stored["Name"], stored["PatchGroups"]) == (made, "two", ["test", "dev"])
    stack.delete()
    assert gone(ssm.get_patch_baseline, BaselineId=made)
    assert ssm.describe_patch_groups()["Mappings"] == []


def test_another_operating_system_makes_another_baseline(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(One=baseline(PatchGroups=[]))["One"]
    new = stack.deploy(One=("AWS::SSM::PatchBaseline", {"Name": "one", "OperatingSystem": "UBUNTU"}))["One"]
    assert new != made
    assert gone(ssm.get_patch_baseline, BaselineId=made)
    assert ssm.get_patch_baseline(BaselineId=new)["OperatingSystem"] == "UBUNTU"


def test_a_default_baseline_gives_way_when_it_is_deleted_or_no_longer_the_default(stack: Stack, ssm: Any) -> None:
    def default() -> str:
        return str(ssm.get_default_patch_baseline(OperatingSystem="AMAZON_LINUX_2023")["BaselineId"])

    own = default()
    made = stack.deploy(One=baseline(DefaultBaseline=True))["One"]
    assert default() == made
    stack.deploy(One=baseline(DefaultBaseline=False))
    assert default() == own
    stack.deploy(One=baseline(DefaultBaseline="true"))
    assert default() == made
    stack.delete()
    assert default() == own


def test_a_baseline_can_be_named_by_others_of_its_template(stack: Stack) -> None:
    made = stack.deploy(
        {"Ref": {"Value": {"Ref": "One"}}, "Id": {"Value": {"Fn::GetAtt": ["One", "Id"]}}}, One=baseline()
    )
    assert stack.outputs == {"Ref": made["One"], "Id": made["One"]}


# Associations.


def association(**changes: Any) -> tuple[str, Properties]:
    properties = {
        "Name": "AWS-RunPatchBaseline",
        "AssociationName": "scan",
        "Parameters": {"Operation": ["Scan"]},
        "Targets": [{"Key": "tag:Fleet", "Values": ["none"]}],
        "ScheduleExpression": "rate(1 day)",
        "MaxConcurrency": "10%",
    }
    return "AWS::SSM::Association", {**properties, **changes}


def test_an_association_comes_changes_in_place_runs_again_and_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(One=association())["One"]
    changed = stack.deploy(One=association(ScheduleExpression="rate(2 days)", MaxErrors="5"))["One"]
    described = ssm.describe_association(AssociationId=made)["AssociationDescription"]
    assert (changed, described["ScheduleExpression"]) == (made, "rate(2 days)")
    assert (described["MaxConcurrency"], described["MaxErrors"]) == ("10%", "5")
    assert len(ssm.describe_association_executions(AssociationId=made)["AssociationExecutions"]) == 2
    assert len(ssm.list_associations()["Associations"]) == 1
    stack.delete()
    assert ssm.list_associations()["Associations"] == []


# Windows.


def window(**changes: Any) -> tuple[str, Properties]:
    properties = {
        "Name": "nightly",
        "Description": "Every night",
        "Schedule": "cron(0 2 * * ? *)",
        "ScheduleTimezone": "Asia/Seoul",
        "Duration": 3,
        "Cutoff": 1,
        "AllowUnassociatedTargets": False,
    }
    return "AWS::SSM::MaintenanceWindow", {**properties, **changes}


def target(**changes: Any) -> tuple[str, Properties]:
    properties = {
        "WindowId": {"Ref": "Window"},
        "ResourceType": "INSTANCE",
        "Targets": [{"Key": "tag:Fleet", "Values": ["a"]}],
        "Name": "fleet",
    }
    return "AWS::SSM::MaintenanceWindowTarget", {**properties, **changes}


def task(role: str, **changes: Any) -> tuple[str, Properties]:
    properties = {
        "WindowId": {"Ref": "Window"},
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "Targets": [{"Key": "WindowTargetIds", "Values": [{"Ref": "Target"}]}],
        "ServiceRoleArn": role,
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        "Priority": 1,
        "TaskInvocationParameters": {"MaintenanceWindowRunCommandParameters": {"Parameters": {"Operation": ["Scan"]}}},
    }
    return "AWS::SSM::MaintenanceWindowTask", {**properties, **changes}


def test_a_window_comes_changes_in_place_and_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Window=window())["Window"]
    assert ssm.get_maintenance_window(WindowId=made)["NextExecutionTime"].endswith("T02:00+09:00")
    changed = stack.deploy(Window=window(Schedule="cron(0 4 * * ? *)", Duration=4))["Window"]
    described = ssm.get_maintenance_window(WindowId=made)
    assert (changed, described["Duration"]) == (made, 4)
    assert described["NextExecutionTime"].endswith("T04:00+09:00")
    stack.delete()
    assert gone(ssm.get_maintenance_window, WindowId=made)


def test_what_is_taken_out_of_a_window_is_gone(stack: Stack, ssm: Any) -> None:
    kind, properties = window()
    made = stack.deploy(Window=(kind, properties))["Window"]
    for name in ("Description", "ScheduleTimezone"):
        del properties[name]
    stack.deploy(Window=(kind, properties))
    described = ssm.get_maintenance_window(WindowId=made)
    assert (described.get("Description", ""), described.get("ScheduleTimezone", "UTC")) == ("", "UTC")


def test_the_target_and_the_task_of_a_window_come_change_in_place_and_go(
    stack: Stack, ssm: Any, roles: dict[str, str]
) -> None:
    role = roles["sender"]
    made = stack.deploy(Window=window(), Target=target(), Task=task(role))
    described = ssm.get_maintenance_window_task(WindowId=made["Window"], WindowTaskId=made["Task"])
    assert described["Targets"] == [{"Key": "WindowTargetIds", "Values": [made["Target"]]}]
    assert described["TaskInvocationParameters"]["RunCommand"]["Parameters"] == {"Operation": ["Scan"]}
    changed = stack.deploy(
        Window=window(), Target=target(Targets=[{"Key": "tag:Fleet", "Values": ["b"]}]), Task=task(role, Priority=5)
    )
    assert changed == made
    (one,) = ssm.describe_maintenance_window_targets(WindowId=made["Window"])["Targets"]
    assert one["Targets"] == [{"Key": "tag:Fleet", "Values": ["b"]}]
    (one,) = ssm.describe_maintenance_window_tasks(WindowId=made["Window"])["Tasks"]
    assert one["Priority"] == 5
    stack.deploy(Window=window())
    assert ssm.describe_maintenance_window_targets(WindowId=made["Window"])["Targets"] == []
    assert ssm.describe_maintenance_window_tasks(WindowId=made["Window"])["Tasks"] == []


def test_the_role_of_a_task_has_to_trust_systems_manager(stack: Stack, roles: dict[str, str]) -> None:
    status = stack.attempt(Window=window(), Target=target(), Task=task(roles["node"]))
    assert status == "ROLLBACK_COMPLETE"
    assert f"AWS::SSM::MaintenanceWindowTask: ssm.amazonaws.com cannot assume {roles['node']}" in stack.reasons


# Buckets, topics, roles and keys.


def test_a_bucket_comes_with_all_that_is_said_of_it_changes_in_place_and_goes(stack: Stack, connect: Connect) -> None:
    s3 = connect("s3", REGION)
    encryption = [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True},
    ]
    properties: Properties = {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        ),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 30}]},
    }
    name = stack.deploy(One=("AWS::S3::Bucket", properties))["One"]
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["BucketKeyEnabled"]
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
    owner = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    lifecycle = {"Rules": [{"Id": "old", "Status": "Enabled", "Prefix": "runs/", "ExpirationInDays": 90}]}
    assert stack.deploy(One=("AWS::S3::Bucket", {**properties, "LifecycleConfiguration": lifecycle}))["One"] == name
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (rule["Expiration"]["Days"], rule["Filter"]["Prefix"]) == (90, "runs/")
    stack.delete()
    assert name not in [one["Name"] for one in s3.list_buckets()["Buckets"]]


def policy(*actions: str, effect: str = "Allow", **more: Any) -> Properties:
    statement = {"Effect": effect, "Principal": "*", "Action": list(actions), "Resource": "*", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_the_policy_of_a_bucket_comes_changes_and_goes(stack: Stack, connect: Connect) -> None:
    s3 = connect("s3", REGION)
    bucket: tuple[str, Properties] = ("AWS::S3::Bucket", {})

    def with_policy(action: str) -> tuple[str, Properties]:
        return "AWS::S3::BucketPolicy", {"Bucket": {"Ref": "One"}, "PolicyDocument": policy(action)}

    name = stack.deploy(One=bucket, Policy=with_policy("s3:GetObject"))["One"]
    stack.deploy(One=bucket, Policy=with_policy("s3:PutObject"))
    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) == policy("s3:PutObject")
    stack.deploy(One=bucket)
    assert gone(s3.get_bucket_policy, Bucket=name)


def test_the_policy_of_a_topic_comes_and_changes(stack: Stack, connect: Connect) -> None:
    sns, topic = connect("sns", REGION), ("AWS::SNS::Topic", {"TopicName": "told"})

    def with_policy(action: str) -> tuple[str, Properties]:
        return "AWS::SNS::TopicPolicy", {"Topics": [{"Ref": "One"}], "PolicyDocument": policy(action)}

    arn = stack.deploy(One=topic, Policy=with_policy("sns:Publish"))["One"]
    stack.deploy(One=topic, Policy=with_policy("sns:Subscribe"))
    stored = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    assert json.loads(stored) == policy("sns:Subscribe")


def test_a_subscription_comes_is_replaced_and_goes(stack: Stack, connect: Connect) -> None:
    sns, topic = connect("sns", REGION), ("AWS::SNS::Topic", {"TopicName": "subscribed"})

    def subscription(to: str) -> tuple[str, Properties]:
        return "AWS::SNS::Subscription", {"TopicArn": {"Ref": "One"}, "Protocol": "email", "Endpoint": to}

    made = stack.deploy(One=topic, Subscription=subscription("a@example.com"))
    changed = stack.deploy(One=topic, Subscription=subscription("b@example.com"))
    assert made["Subscription"] != changed["Subscription"]
    (only,) = sns.list_subscriptions_by_topic(TopicArn=made["One"])["Subscriptions"]
    assert (only["Endpoint"], only["SubscriptionArn"]) == ("b@example.com", changed["Subscription"])
    stack.deploy(One=topic)
    assert sns.list_subscriptions_by_topic(TopicArn=made["One"])["Subscriptions"] == []


CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def role(*managed: str, service: str = "ec2.amazonaws.com", **more: Any) -> tuple[str, Properties]:
    properties = {"RoleName": "made", "AssumeRolePolicyDocument": json.loads(trust(service))}
    return "AWS::IAM::Role", {**properties, "ManagedPolicyArns": list(managed), **more}


def test_a_role_comes_with_its_managed_policies_changes_in_place_and_goes(stack: Stack, connect: Connect) -> None:
    iam = connect("iam", REGION)

    def attached() -> list[str]:
        return [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName="made")["AttachedPolicies"]]

    stack.deploy(One=role(CORE))
    assert attached() == [CORE]
    stack.deploy(One=role(READ, service="ssm.amazonaws.com"))
    assert attached() == [READ]
    trusted = iam.get_role(RoleName="made")["Role"]["AssumeRolePolicyDocument"]
    assert trusted["Statement"][0]["Principal"] == {"Service": "ssm.amazonaws.com"}
    stack.delete()
    assert gone(iam.get_role, RoleName="made")


def test_the_inline_policies_of_a_role_change_with_it(stack: Stack, connect: Connect) -> None:
    iam = connect("iam", REGION)

    def inline(name: str) -> list[Properties]:
        statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
        return [{"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}]

    stack.deploy(One=role(Policies=inline("old")))
    stack.deploy(One=role(Policies=inline("new")))
    assert iam.list_role_policies(RoleName="made")["PolicyNames"] == ["new"]


def test_a_key_comes_with_its_tags_changes_in_place_and_goes(stack: Stack, connect: Connect) -> None:
    kms = connect("kms", REGION)

    def key(**changes: Any) -> tuple[str, Properties]:
        tags = [{"Key": "Stage", "Value": "test"}]
        return "AWS::KMS::Key", {"KeyPolicy": policy("kms:*"), "Tags": tags, "EnableKeyRotation": True, **changes}

    made = stack.deploy(One=key())["One"]
    assert kms.list_resource_tags(KeyId=made)["Tags"] == [{"TagKey": "Stage", "TagValue": "test"}]
    assert kms.get_key_rotation_status(KeyId=made)["KeyRotationEnabled"]
    assert stack.deploy(One=key(EnableKeyRotation=False, KeyPolicy=policy("kms:Decrypt")))["One"] == made
    assert not kms.get_key_rotation_status(KeyId=made)["KeyRotationEnabled"]
    stored = kms.get_key_policy(KeyId=made, PolicyName="default")["Policy"]
    assert (json.loads(stored) if isinstance(stored, str) else stored) == policy("kms:Decrypt")
    stack.delete()
    assert gone(kms.describe_key, KeyId=made)


# Instances.


def image(ssm: Any, name: str) -> str:
    found = ssm.get_parameter(Name=f"/aws/service/ami-amazon-linux-latest/{name}")
    return str(found["Parameter"]["Value"])


def test_an_instance_comes_as_it_is_described_changes_its_tags_in_place_and_goes(
    stack: Stack, ssm: Any, connect: Connect, roles: dict[str, str]
) -> None:
    ec2 = connect("ec2", REGION)
    ami = image(ssm, "al2023-ami-kernel-6.1-x86_64")

    def instance(**tags: str) -> tuple[str, Properties]:
        return "AWS::EC2::Instance", {
            "ImageId": ami,
            "InstanceType": "t3.small",
            "IamInstanceProfile": "node",
            "MetadataOptions": {"HttpTokens": "required"},
            "PropagateTagsToVolumeOnCreation": True,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    made = stack.deploy(One=instance(Stage="test", Old="1"))["One"]
    (node,) = ssm.describe_instance_information()["InstanceInformationList"]
    assert node["InstanceId"] == made

    def described() -> dict[str, Any]:
        (one,) = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
        return dict(one)

    assert described()["MetadataOptions"]["HttpTokens"] == "required"
    assert stack.deploy(One=instance(Stage="prod"))["One"] == made
    tags = {one["Key"]: one["Value"] for one in described()["Tags"]}
    assert (tags["Stage"], "Old" in tags) == ("prod", False)
    stack.delete()
    assert described()["State"]["Name"] == "terminated"
    assert ssm.describe_instance_information()["InstanceInformationList"] == []


def test_a_change_keeps_the_tags_that_cloudformation_put_there(ssm: Any, connect: Connect) -> None:
    cloudformation, ami = connect("cloudformation", REGION), image(ssm, "al2023-ami-kernel-6.1-x86_64")

    def template(*tags: dict[str, str]) -> str:
        properties = {"ImageId": ami, "Tags": tags}
        return json.dumps({"Resources": {"One": {"Type": "AWS::EC2::Instance", "Properties": properties}}})

    cloudformation.create_stack(StackName="tagged", TemplateBody=template({"Key": "Stage", "Value": "test"}))
    cloudformation.update_stack(StackName="tagged", TemplateBody=template())
    (resource,) = cloudformation.describe_stack_resources(StackName="tagged")["StackResources"]
    found = connect("ec2", REGION).describe_instances(InstanceIds=[resource["PhysicalResourceId"]])
    tags = {one["Key"]: one["Value"] for one in found["Reservations"][0]["Instances"][0]["Tags"]}
    assert (tags.get("aws:cloudformation:stack-name"), "Stage" in tags) == ("tagged", False)
    cloudformation.delete_stack(StackName="tagged")


def test_another_image_makes_another_instance(stack: Stack, ssm: Any, connect: Connect, roles: dict[str, str]) -> None:
    path = "/aws/service/ecs/optimized-ami/amazon-linux-2023/al2023-ami-ecs-hvm-2023.0.20251108-kernel-6.1-x86_64"
    old = ssm.get_parameter(Name=f"{path}/image_id")["Parameter"]["Value"]
    made = stack.deploy(One=("AWS::EC2::Instance", {"ImageId": old, "IamInstanceProfile": "node"}))["One"]
    new = image(ssm, "al2023-ami-kernel-6.1-x86_64")
    changed = stack.deploy(One=("AWS::EC2::Instance", {"ImageId": new, "IamInstanceProfile": "node"}))["One"]
    assert changed != made
    nodes = [one["InstanceId"] for one in ssm.describe_instance_information()["InstanceInformationList"]]
    assert nodes == [changed]


# What cannot be made.


def test_a_type_that_is_not_emulated_is_named_and_nothing_is_made(stack: Stack, ssm: Any) -> None:
    with pytest.raises(ClientError, match=r"does not emulate these resources: Farm \(AWS::Fancy::Farm\)"):
        stack.attempt(One=baseline(), Farm=("AWS::Fancy::Farm", {}))
    assert ssm.describe_patch_groups()["Mappings"] == []


def test_create_stack_names_a_type_that_is_not_emulated_too(connect: Connect) -> None:
    template = json.dumps({"Resources": {"Farm": {"Type": "AWS::Fancy::Farm"}}})
    with pytest.raises(ClientError, match=r"Farm \(AWS::Fancy::Farm\)"):
        connect("cloudformation", REGION).create_stack(StackName="refused", TemplateBody=template)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (baseline(Name="a b"), "baseline name 'a b' is not 3 to 128"),
        (baseline(OperatingSystem="OS2"), "'OS2' is not an operating system"),
        (association(ScheduleExpression="rate(1 minute)"), "an association's rate is 30 minutes at least"),
        (window(Cutoff=3), "Cutoff 3 must be below the duration 3"),
        (window(Schedule="cron(bad)"), "cron(bad) has 1 field"),
        (("AWS::SSM::MaintenanceWindow", {"Name": "one"}), "'Schedule' is required"),
    ],
)
def test_a_property_that_is_wrong_fails_the_stack_with_the_reason(
    stack: Stack, ssm: Any, resource: tuple[str, Properties], reason: str
) -> None:
    assert stack.attempt(Kept=window(Name="kept"), One=resource) == "ROLLBACK_COMPLETE"
    assert f"{resource[0]}: " in stack.reasons
    assert reason in stack.reasons
    assert ssm.describe_maintenance_windows()["WindowIdentities"] == []


def test_a_change_that_is_wrong_is_taken_back(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Window=window())["Window"]
    assert stack.attempt(Window=window(Duration=1)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Cutoff 1 must be below the duration 1" in stack.reasons
    assert ssm.get_maintenance_window(WindowId=made)["Duration"] == 3


def test_a_group_that_another_baseline_has_fails_the_stack(stack: Stack) -> None:
    assert stack.attempt(One=baseline(), Two=baseline(Name="two")) == "ROLLBACK_COMPLETE"
    assert "Patch group prod has baseline pb-" in stack.reasons


# Exports.


def test_a_stack_imports_what_another_exports(stack: Stack, connect: Connect, ssm: Any) -> None:
    exporting = Stack(connect, "exporting")
    made = exporting.deploy({"Window": {"Value": {"Ref": "Window"}, "Export": {"Name": "window"}}}, Window=window())
    stack.deploy(Target=target(WindowId={"Fn::ImportValue": "window"}))
    (one,) = ssm.describe_maintenance_window_targets(WindowId=made["Window"])["Targets"]
    assert one["WindowTargetId"] == stack.ids["Target"]
    exports = connect("cloudformation", REGION).list_exports()["Exports"]
    assert [(one["Name"], one["Value"]) for one in exports] == [("window", made["Window"])]
    stack.delete()
    exporting.delete()


def test_an_export_follows_its_stack(connect: Connect) -> None:
    exporting = Stack(connect, "following")
    topics = [("AWS::SNS::Topic", {"TopicName": name}) for name in ("first", "second")]
    exporting.deploy({"Arn": {"Value": {"Ref": "First"}, "Export": {"Name": "arn"}}}, First=topics[0])
    exporting.deploy(
        {"Arn": {"Value": {"Ref": "Second"}, "Export": {"Name": "arn"}}}, First=topics[0], Second=topics[1]
    )
    (export,) = connect("cloudformation", REGION).list_exports()["Exports"]
    assert export["Value"].endswith(":second")
    exporting.delete()
    assert connect("cloudformation", REGION).list_exports()["Exports"] == []
