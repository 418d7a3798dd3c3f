from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Environment, Stack, Stage, Tags, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as events_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs.acknowledgment import acknowledge

from patching.template_rules import RULES, findings, rule_id
from stacks.template_checks import TemplateChecks
from stacks.validation_report import FAIL_IN_APP, lines
from tests.cdk import ROOT, app
from tests.patching.policies import SMALL

pytestmark = pytest.mark.xdist_group("app")

CDK = ROOT / "node_modules" / ".bin" / "cdk"
BREAK = """
# A template without a permission, with a property that there is not, and with nothing acknowledged.
import runpy
from aws_cdk import Validations
from aws_cdk import aws_ssm as ssm
from constructs.notification_topic import NotificationTopic

make = ssm.CfnMaintenanceWindow.__init__
def misspell(self, *args, **kwargs):
    make(self, *args, **kwargs)
    self.add_property_override("Durration", 4)
ssm.CfnMaintenanceWindow.__init__ = misspell
NotificationTopic.grant_pass_publish_role = lambda self, grantee: None
Validations.acknowledge = lambda self, *rules: None
runpy.run_path("app.py", run_name="__main__")
"""


def test_cdk_synth_without_any_stack_named_stops_at_a_broken_template(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "broken.py").write_text(BREAK, encoding="utf-8")
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "AWS_", "PYTEST_"))}
    ended = subprocess.run(
        [
            *(CDK, "synth", "--quiet", "--output", tmp_path / "out"),
            *("--app", f"{sys.executable} {tmp_path / 'broken.py'}"),
            *("--context", f"config={tmp_path / 'policy.yaml'}"),
        ],
        cwd=ROOT,
        env=settings | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    for place, rule in (
        ("lab/Patching/WindowRole/Resource/Resource", "patchops::publish-role-not-passed"),
        ("lab/Patching/Output/Resource/Resource", "AwsSolutions-S1"),
        ("lab/Patching/Output/Resource/Resource", "NIST.800.53.R5-S3BucketLoggingEnabled"),
        ("lab/Patching/Output/Resource/Resource", "HIPAA.Security-S3BucketLoggingEnabled"),
        ("lab/Patching/Output/Resource/Resource", "PCI.DSS.321-S3BucketLoggingEnabled"),
        ("lab/Fleet/Node-web/Resource/Resource", "AwsSolutions-EC29"),
    ):
        assert sum(line.startswith(f"error: {place}: {rule}: ") for line in errors) == 1, rule
    (misspelt,) = [line for line in errors if "Durration" in line]
    assert misspelt.startswith("error: lab/Patching/Install-prod/Resource: ")


def made(*stages: Callable[[Stage], object]) -> tuple[str, bool]:
    """Synthesize an app with these stages and the plugin; return where to, and whether nothing was found."""
    whole = app()
    for key, value in FAIL_IN_APP.items():
        whole.node.set_context(key, value)
    for number, make in enumerate(stages):
        make(Stage(whole, f"stage{number}"))
    Validations.of(whole).add_plugins(TemplateChecks())
    try:
        whole.synth()
    except RuntimeError:
        return whole.outdir, False
    return whole.outdir, True


def baselines(stage: Stage, *, acknowledged: bool = False) -> None:
    """Make two stacks with a baseline each for the same patch group."""
    for name in ("One", "Two"):
        made = ssm.CfnPatchBaseline(
            Stack(stage, name), "Baseline", name=name, operating_system="UBUNTU", patch_groups=["web"]
        )
        if acknowledged:
            acknowledge(made, "The second one is never deployed into the account of the first.", RULE)


RULE = "patchops::baselines-in-conflict"


def test_a_finding_across_stacks_stops_the_synthesis_with_a_line_that_says_where() -> None:
    directory, fine = made(baselines)
    assert not fine
    found, where = lines(directory)
    assert found == (
        f"error: stage0/Two/Baseline: {RULE}: Baseline is the baseline of UBUNTU for the patch group web already, and "
        "a group has one of each system; take the group out here or there"
    )
    assert where == f"the templates break rules; the whole report is in {directory}/validation-report.json"


def test_environments_are_looked_at_one_by_one() -> None:
    def one(stage: Stage) -> None:
        ssm.CfnPatchBaseline(Stack(stage, "S"), "B", name="one", operating_system="UBUNTU", patch_groups=["web"])

    assert made(one, one)[1]


def test_a_finding_may_stay_where_it_is_acknowledged() -> None:
    assert made(lambda stage: baselines(stage, acknowledged=True))[1]


def test_the_plugin_says_its_name_and_rules() -> None:
    assert TemplateChecks().name == "patchops"
    assert TemplateChecks().version is None
    assert TemplateChecks().rule_ids == [rule_id(rule) for rule in RULES]


def test_a_plugin_that_fails_is_a_line_too(tmp_path: Path) -> None:
    report = {"pluginReports": [{"pluginName": "x", "violations": [], "metadata": {"error": "plugin x failed: why"}}]}
    (tmp_path / "validation-report.json").write_text(json.dumps(report), encoding="utf-8")
    assert next(lines(str(tmp_path))) == "error: plugin x failed: why"


def own_code(env: Environment | None) -> dict[str, Any]:
    """Synthesize patching as somebody else may write it, with the CDK's own constructs and grants."""
    whole = app()
    first, second = (Stack(whole, name, env=env) for name in ("First", "Second"))
    key = kms.Key(first, "Key")
    topic = sns.Topic(first, "Topic", master_key=key)
    publisher = iam.Role(first, "Publisher", assumed_by=iam.ServicePrincipal("ssm.amazonaws.com"))
    topic.grant_publish(publisher)
    bucket = s3.Bucket(first, "Output", encryption=s3.BucketEncryption.KMS)
    node = ec2.Instance(
        first,
        "Node",
        vpc=ec2.Vpc(first, "Vpc", max_azs=1),
        instance_type=ec2.InstanceType("t3.small"),
        machine_image=ec2.MachineImage.latest_amazon_linux2023(),
        ssm_session_permissions=True,
    )
    Tags.of(node).add("Patch", "yes")
    bucket.grant_write(node)
    events.Rule(first, "Rule", event_pattern={"source": ["aws.ssm"]}, targets=[events_targets.SnsTopic(topic)])
    metric = cloudwatch.Metric(namespace="AWS/SSM-RunCommand", metric_name="CommandsFailed")
    alarm = metric.create_alarm(first, "Alarm", threshold=1, evaluation_periods=1)
    alarm.add_alarm_action(actions.SnsAction(sns.Topic(first, "Plain")))
    sender = iam.Role(second, "Sender", assumed_by=iam.ServicePrincipal("ssm.amazonaws.com"))
    sender.add_to_policy(iam.PolicyStatement(actions=["ssm:SendCommand"], resources=["*"]))
    publisher.grant_pass_role(sender)
    step = {"action": "aws:runShellScript", "name": "x", "inputs": {"runCommand": ["true"]}}
    document = ssm.CfnDocument(second, "Document", content={"schemaVersion": "2.2", "mainSteps": [step]})
    window = ssm.CfnMaintenanceWindow(
        second,
        "Window",
        name="own",
        schedule="cron(0 2 ? * SUN *)",
        duration=3,
        cutoff=1,
        allow_unassociated_targets=False,
    )
    group = ssm.CfnMaintenanceWindowTarget(
        second,
        "Target",
        window_id=window.ref,
        resource_type="INSTANCE",
        targets=[ssm.CfnMaintenanceWindowTarget.TargetsProperty(key="tag:Patch", values=["yes"])],
    )
    ssm.CfnMaintenanceWindowTask(
        second,
        "Task",
        window_id=window.ref,
        task_type="RUN_COMMAND",
        task_arn=document.ref,
        priority=1,
        max_concurrency="1",
        max_errors="1",
        targets=[ssm.CfnMaintenanceWindowTask.TargetProperty(key="WindowTargetIds", values=[group.ref])],
        service_role_arn=sender.role_arn,
        task_invocation_parameters={
            "maintenanceWindowRunCommandParameters": {
                "outputS3BucketName": bucket.bucket_name,
                "outputS3KeyPrefix": "any/where",
                "serviceRoleArn": publisher.role_arn,
                "notificationConfig": {"notificationArn": topic.topic_arn, "notificationEvents": ["All"]},
            }
        },
    )
    return {stack.stack_name: stack.template for stack in whole.synth().stacks}


@pytest.mark.parametrize("env", [None, Environment(account="123456789012", region="eu-west-1")], ids=["any", "one"])
def test_patching_with_the_cdks_own_constructs_and_grants_is_no_finding(env: Environment | None) -> None:
    templates = own_code(env)
    assert [one.text for one in findings(templates)] == []
    sender = next(one for name, one in templates["Second"]["Resources"].items() if name.startswith("SenderDefault"))
    sender["Properties"]["PolicyDocument"]["Statement"].pop()
    assert [one.rule for one in findings(templates)] == ["publish-role-not-passed"]
