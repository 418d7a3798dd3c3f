"""The workshop: every section of the lab, from an empty account to patched nodes, on a local AWS of its own.

It calls the operations of `patchops` over HTTP, as a person would who types the commands that it prints.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.rule import Rule

from lab import local_aws
from lab.workshop_messages import Mailbox, read_message
from lab.world.errors import LabError
from ops import aws_cli, compliance, compliance_tables, documents, nodes, progress, run, schedules, tables
from ops import environment as environments
from ops.compliance import Review
from ops.compliance_summary import summarize
from ops.environment import Environment
from ops.session import Session
from ops.table import Table, moment, plain, table
from patching.compliance import NodeCompliance, PatchState
from patching.deployment import WORKLOAD_TAG, Deployment
from patching.policy_file import read_policy
from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_NAME, RunPatchBaseline
from patching.targets import Targets

FOLDER = local_aws.BUILD / "lab"
_WIDTH = 150
_WINDOW_SECONDS = 120
_SPEED = 300.0
"""Lab seconds in a second: an installation of six minutes takes little more than one."""


@dataclass
class Workshop:
    """One run of the workshop.

    Attributes:
        aws: the local AWS.
        session: the connection to it.
        console: where it shows what it does.
        environment_name: the environment of the policy.
        folder: where it leaves what happened.
    """

    aws: local_aws.LocalAws
    session: Session
    console: Console
    environment_name: str
    folder: Path
    claims: list[tuple[str, bool]] = field(default_factory=list)
    environment: Environment | None = None
    mailbox: Mailbox = field(init=False)

    @property
    def prod(self) -> Targets:
        """The nodes of Workload=Prod in this environment."""
        return Targets.tags({WORKLOAD_TAG: "Prod", "Environment": self.environment_name})

    @property
    def _shown(self) -> Path:
        """The folder as a person who stands in the checkout would write it."""
        return self.folder.relative_to(local_aws.ROOT) if self.folder.is_relative_to(local_aws.ROOT) else self.folder

    @property
    def _options(self) -> str:
        return f"--environment {self.environment_name} --tag {WORKLOAD_TAG}=Prod"

    # What every section has.

    def section(self, number: int, title: str, commands: Iterable[str] = (), equivalents: Iterable[str] = ()) -> None:
        """Show the heading of a section, what a person types for it, and the same with the AWS CLI."""
        self.console.print()
        self.console.print(Rule(f"{number}. {title}", align="left", style="bold"))
        for command in commands:
            self.console.print(f"  $ {command}", style="bold cyan", soft_wrap=True, markup=False)
        for command in equivalents:
            self.console.print(f"  = {command}", style="dim", soft_wrap=True, markup=False)

    def show(self, *shown: Table) -> None:
        """Show tables."""
        for one in shown:
            self.console.print(one.rich())

    def say(self, text: str) -> None:
        """Show a line."""
        self.console.print(text, soft_wrap=True, markup=False)

    def keep(self, name: str, value: object) -> None:
        """Leave the result of a step as JSON."""
        _write(self.folder / f"{name}.json", plain(value))

    def claim(self, what: str, *, holds: bool) -> None:
        """Note whether something is as it has to be."""
        self.claims.append((what, holds))

    # The sections.

    def provision(self, policy: str) -> None:
        """Deploy the policy, and listen to the topic."""
        self.section(
            0,
            "Provision",
            ['eval "$(patchops lab up)"', f"patchops lab deploy {policy}"],
            ["cdk bootstrap", f"cdk deploy '**' --context config={policy}"],
        )
        self.say("Everything here is simulated: a local AWS, a made-up patch catalogue, a clock of its own.")
        self.say(f"The local AWS listens at {self.aws.url}; its clock shows {moment(self._lab_time())}.")
        self.say(f"cdk bootstrap and cdk deploy take about 20 seconds; what they say goes to {self._shown}/deploy.log.")
        log = self.folder / "deploy.log"
        with log.open("w", encoding="utf-8") as output, self.console.status("cdk bootstrap, cdk deploy ..."):
            local_aws.deploy(self.aws, str(local_aws.ROOT / policy), None, output)
        self.environment = environments.find(self.session, self.environment_name)
        stacks = self._stacks()
        self.keep("0-provision", stacks)
        self.show(table("Deployed", ("Stack", "Status", "Resources"), stacks))
        self.show(tables.nodes(nodes.list_nodes(self.session)))
        name = f"patchops-{self.environment_name}-workshop"
        self.mailbox = Mailbox(self.session, self.environment.topic, name)
        self.claim("both stacks are deployed", holds=len(stacks) == 2 and all("COMPLETE" in one[1] for one in stacks))  # noqa: PLR2004

    def inspect(self) -> None:
        """Look at the documents, and at AWS-RunPatchBaseline above all."""
        prefix, platform = "AWS-Run", "Linux"
        self.section(
            1,
            "Inspect the document",
            [
                f"patchops documents --name-prefix {prefix} --platform {platform}",
                f"patchops documents show {DOCUMENT_NAME}",
            ],
            [
                aws_cli.command("ssm", "list_documents", documents.requests_for_list(prefix, platform)),
                aws_cli.command("ssm", "describe_document", {"Name": DOCUMENT_NAME}),
            ],
        )
        found = documents.list_documents(self.session, name_prefix=prefix, platform=platform)
        details = documents.show(self.session, DOCUMENT_NAME)
        self.keep("1-documents", {"documents": found, DOCUMENT_NAME: details})
        self.show(tables.documents(found), *tables.document(details))
        self.claim(f"{DOCUMENT_NAME} is there", holds=DOCUMENT_NAME in [one.name for one in found])

    def scan(self, number: int, title: str) -> None:
        """Scan Workload=Prod."""
        plan = self._plan(RunPatchBaseline.scan(snapshot_id=_guid()), RateControl("50%", 1))
        self.section(
            number,
            title,
            [f"patchops scan {self._options} --concurrency 50% --max-errors 1"],
            [aws_cli.command("ssm", "send_command", plan.request())],
        )
        self.say(f"Concurrency 50%, error threshold 1: {plan.rate_control.in_words()}.")
        ended = self._carry_out(plan, f"{number}-scan")
        self.show(*tables.steps(ended))
        self.claim(f"the scan of section {number} succeeded on every node", holds=ended.succeeded)

    def review(self, number: int, title: str) -> Review:
        """Review the compliance of Workload=Prod."""
        ids = [node.id for node in nodes.targeted(self.session, self.prod)]
        self.section(
            number,
            title,
            [f"patchops compliance {self._options}"],
            [
                aws_cli.command("ssm", "describe_instance_patch_states", {"InstanceIds": ids}),
                aws_cli.command(
                    "ssm",
                    "describe_instance_patches",
                    {"InstanceId": ids[0], "Filters": [{"Key": "State", "Values": ["Missing"]}]},
                ),
            ],
        )
        review = compliance.review(self.session, self.prod)
        self.keep(f"{number}-compliance", review)
        self.show(*compliance_tables.compliance(review))
        return review

    def install(self) -> None:
        """Install on Workload=Prod, one node at a time."""
        plan = self._plan(RunPatchBaseline.install(snapshot_id=_guid()), RateControl(1, 1))
        self.section(
            4,
            "Install",
            [f"patchops install {self._options} --concurrency 1 --max-errors 1 --yes"],
            [aws_cli.command("ssm", "send_command", plan.request())],
        )
        self.say(f"Concurrency 1, error threshold 1: {plan.rate_control.in_words()}.")
        ended = self._carry_out(plan, "4-install")
        self.show(*tables.steps(ended))
        reboots = [text for _, text in self.aws.events() if text.endswith("reboots")]
        self.say(f"Reboots: {', '.join(reboots) or 'none'}.")
        self.claim("the installation succeeded on every node", holds=ended.succeeded)
        self.claim("every node rebooted after it", holds=len(reboots) == len(ended.nodes))

    def compare(self, before: Review, after: Review) -> None:
        """Hold the two reviews against each other."""
        self.show(compliance_tables.before_and_after(before, after))
        self.claim("no Prod node was compliant before", holds=not any(_compliant(one) for one in before.nodes))
        self.claim("every Prod node is compliant after", holds=bool(after.nodes) and after.compliant)

    def wait_for_window(self) -> None:
        """Show what is scheduled, and let the next window of Workload=Test come."""
        deployment = Deployment(self.environment_name)
        self.section(
            6,
            "What is scheduled",
            [f"patchops windows --environment {self.environment_name}"],
            [
                aws_cli.command("ssm", "describe_maintenance_windows", {}),
                aws_cli.command("ssm", "list_associations", {}),
            ],
        )
        found = schedules.scheduled(self.session, deployment)
        self.keep("6-scheduled", found)
        self.show(*[one for one in tables.schedules(found) if one.rows])
        window = next(one for one in found.windows if one.name == deployment.name("test"))
        opens = window.next_runs[0]
        self.say(f"The lab's clock moves to the next run of {window.name}, {moment(opens)}.")
        self.say(f"  $ patchops lab advance --to {opens.isoformat(timespec='minutes')}")
        self.aws.advance(opens)
        ended = self._follow_window(deployment, window.name)
        after = schedules.scheduled(self.session, deployment)
        self.show(tables.executions(after.windows))
        commands = [progress.progress(self.session, one) for one in ended.commands]
        self.keep("6-window", {"execution": ended, "commands": commands})
        self.show(*[tables.progress(one) for one in commands])
        self.claim("the window of Workload=Test ran by itself", holds=ended.status == "SUCCESS" and bool(commands))

    def collect(self) -> None:
        """Show what the topic was told and what the bucket has."""
        self.mailbox.receive()
        self.keep("notifications", self.mailbox.messages)
        told = [read_message(one["Message"]) for one in self.mailbox.messages]
        self.show(
            table(
                f"{len(told)} notifications received by the topic",
                ("Event time", "What", "Subject", "Status"),
                ((one.at, one.what, one.subject, one.status) for one in told),
            )
        )
        objects = self._save_objects()
        self.show(table(f"{len(objects)} objects in the bucket", ("Key", "Bytes"), objects))
        commands = {one.command_id for one in told if one.command_id}
        folders = {key.split("/")[1] for key, _ in objects}
        self.claim("every command that asked for it was told of by the topic", holds=len(commands) >= 4)  # noqa: PLR2004
        self.claim("every such command left its output in the bucket", holds=bool(commands) and commands <= folders)
        self._save_templates()

    def summarize(self, before: Review, after: Review) -> bool:
        """Leave the figures, show what held, and tell whether everything did."""
        summary = {
            "simulated": "on the local AWS, with a made-up patch catalogue",
            "environment": self.environment_name,
            "lab_time": self._lab_time(),
            "before": _figures(before),
            "after": _figures(after),
            "notifications": len(self.mailbox.messages),
            "objects": sum(1 for path in (self.folder / "bucket").rglob("*") if path.is_file()),
            "claims": dict(self.claims),
        }
        self.keep("summary", summary)
        self.console.print()
        for what, holds in self.claims:
            self.console.print(f"  {'ok  ' if holds else 'FAIL'}  {what}", style="green" if holds else "bold red")
        self.say(f"\nEvery step's JSON, output, notifications and templates are in {self._shown}/.")
        return all(holds for _, holds in self.claims)

    # Parts of sections.

    def _plan(self, task: RunPatchBaseline, rate_control: RateControl) -> run.Plan:
        return run.plan(
            self.session, task, self.prod, rate_control=rate_control, environment=self.environment, comment="Workshop"
        )

    def _carry_out(self, plan: run.Plan, name: str) -> progress.Progress:
        command_id = run.send(self.session, plan)
        self._follow(lambda on_change: progress.watch(self.session, command_id, on_change))
        ended = progress.with_output(self.session, progress.progress(self.session, command_id))
        self.keep(name, ended)
        self.show(tables.progress(ended))
        self.mailbox.receive()
        return ended

    def _follow(self, watch: Callable[[Callable[[progress.Progress], None]], object]) -> None:
        """Show a command while it runs: as a table that changes on a terminal, as a line a change elsewhere."""
        if self.console.is_terminal:
            with Live(console=self.console, transient=True, auto_refresh=False) as live:
                watch(lambda state: live.update(tables.progress(state).rich(), refresh=True))
        else:
            watch(lambda state: self.say(f"  {state.at:%H:%M:%S} {state.details}: {_node_details(state)}"))

    def _follow_window(self, deployment: Deployment, name: str) -> schedules.Execution:
        """Follow the window that has just opened to its end."""
        deadline = time.monotonic() + _WINDOW_SECONDS
        watched: set[str] = set()
        while time.monotonic() < deadline:
            (window,) = [one for one in schedules.scheduled(self.session, deployment).windows if one.name == name]
            execution = window.executions[0] if window.executions else None
            for command in set(execution.commands if execution else ()) - watched:
                watched.add(command)
                self._follow(lambda on_change, command=command: progress.watch(self.session, command, on_change))  # type: ignore[misc]
            if execution and execution.status not in ("PENDING", "IN_PROGRESS"):
                return execution
            time.sleep(0.1)
        raise LabError(f"the window {name} did not come to its end within {_WINDOW_SECONDS} s")

    def _stacks(self) -> list[tuple[str, str, int]]:
        client = self.session.cloudformation
        deployment = Deployment(self.environment_name)
        found = []
        for name in (deployment.patching_stack, deployment.fleet_stack):
            (stack,) = client.describe_stacks(StackName=name)["Stacks"]
            resources = client.get_paginator("list_stack_resources").paginate(StackName=name)
            count = sum(len(page["StackResourceSummaries"]) for page in resources)
            found.append((name, str(stack["StackStatus"]), count))
        return found

    def _save_objects(self) -> list[tuple[str, int]]:
        bucket = self.environment.bucket if self.environment else ""
        saved = []
        for page in self.session.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", []):
                body = self.session.s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                path = self.folder / "bucket" / one["Key"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
                saved.append((one["Key"], len(body)))
        return saved

    def _save_templates(self) -> None:
        deployment = Deployment(self.environment_name)
        for name in (deployment.patching_stack, deployment.fleet_stack):
            template: Any = self.session.cloudformation.get_template(StackName=name)["TemplateBody"]
            _write(
                self.folder / "templates" / f"{name}.json",
                template if isinstance(template, dict) else json.loads(template),
            )

    def _lab_time(self) -> datetime:
        return datetime.fromisoformat(self.aws.status()["now"]).astimezone(UTC)


def run_sections(workshop: Workshop, policy: str) -> bool:
    """Go through all sections, and tell whether every one did what it says."""
    workshop.provision(policy)
    workshop.inspect()
    workshop.scan(2, "Scan")
    before = workshop.review(3, "Review compliance")
    workshop.install()
    workshop.scan(5, "Review again: scan")
    after = workshop.review(5, "Review again: compliance")
    workshop.compare(before, after)
    workshop.wait_for_window()
    workshop.collect()
    return workshop.summarize(before, after)


def run_all(policy: str = local_aws.DEFAULT_POLICY, folder: Path = FOLDER) -> bool:
    """Run the workshop on a local AWS that lives as long as it does, and tell whether every section did what it says.

    Raises:
        LabError: the local AWS does not start, or the deployment fails.
    """
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    environment_name = read_policy(local_aws.ROOT / policy).environment
    local_aws.empty(folder)
    # Whoever ends this process by a signal is to leave no server behind either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with local_aws.running(speed=_SPEED) as aws:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(aws.environment())
        return run_sections(Workshop(aws, Session(), console, environment_name, folder), policy)


def _guid() -> str:
    return str(uuid.uuid4())


def _compliant(report: compliance.NodeReport) -> bool:
    return report.compliance is NodeCompliance.COMPLIANT


def _node_details(state: progress.Progress) -> str:
    return ", ".join(f"{node.name or node.node_id} {node.details}" for node in state.nodes) or "no node yet"


def _figures(review: Review) -> dict[str, Any]:
    return {
        "compliant": sum(_compliant(one) for one in review.nodes),
        "nodes": {
            one.node.name: {
                "compliance": one.compliance,
                "missing": one.counts.get(PatchState.MISSING, 0),
                "installed": one.counts.get(PatchState.INSTALLED, 0),
                "installed_other": one.counts.get(PatchState.INSTALLED_OTHER, 0),
                "highest_severity": one.severity,
                "baseline": one.baseline_name,
            }
            for one in review.nodes
        },
        "open_patches_by_severity": {one.severity: one.patches for one in summarize(review).severities},
    }


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
