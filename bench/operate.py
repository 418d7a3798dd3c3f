"""How `patchops` reads a large fleet: `compliance`, `plan` and `drift` on the local AWS, 50 ms a call.

Of each command: how many calls it makes, by the least number that the API's page sizes allow; how long it takes, by
calls / concurrency x latency; when the first row is there; and how much memory it needs at most. Beside it, as whole
processes:

- what of the same calls goes with the number of nodes, by boto3 alone, as many at one time, and with nothing done with
  the replies: how near to calls / concurrency x latency one comes here, where the local AWS runs on the same cores;
- the same nodes and states by a plain loop: one request after the other, by the operations and page sizes that `aws
  ssm` scripts have. It is made with boto3, without the start of a process for each request that the AWS CLI would add,
  and over a part of the fleet; its time for the whole is reckoned from that.

    python bench/operate.py                   50,000 nodes
    python bench/operate.py --nodes 5000 --only compliance
    python bench/operate.py --latency 150         from another continent
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from lab import local_aws  # noqa: E402 the checkout is not installed
from ops.session import CONCURRENCY  # noqa: E402

LATENCY = 50
CALLS_GOAL, TIME_GOAL, FIRST_ROW_GOAL, MEMORY_GOAL = 1.05, 1.3, 2.0, 300.0
SPEED = 2_000_000.0
PART_OF_LOOP = 10
"""The plain loop goes over a tenth of the fleet."""


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=50_000)
    parser.add_argument("--only", choices=("compliance", "plan", "drift"), help="measure this command only")
    parser.add_argument("--latency", type=int, default=LATENCY, help="milliseconds that each call is late")
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    nodes = chosen.nodes
    if chosen.bare:
        by_boto3_alone(chosen.bare)
        return
    with local_aws.running(speed=SPEED) as aws:
        connect = connecting(aws)
        deploy(connect)
        aws.populate(nodes)
        scan(connect, nodes)
        systems = len({one["BaselineId"] for one in states(connect, nodes)})
        aws.set_faults([{"calls": "*", "do": "delay", "milliseconds": chosen.latency}])
        print(f"{nodes:,} nodes, {chosen.latency} ms a call, {CONCURRENCY} calls at one time")
        for command, floor in floors(nodes, systems).items():
            if chosen.only in (None, command[0]):
                bare = measure(aws, ("python", __file__, "--bare", command[0]))
                report(command, floor, measure(aws, ("patchops", *command)), bare, chosen.latency / 1_000)
        loop(connect, nodes)


def floors(nodes: int, systems: int) -> dict[tuple[str, ...], int]:
    """Return the least number of calls of each command by the API's page sizes."""
    listing, states = math.ceil(nodes / 1_000), math.ceil(nodes / 50)
    # Five tags a node and a thousand tags a page; windows, groups, baselines and associations are one page each, and
    # each baseline that a node was held against is a call.
    tags, deployed, baselines = math.ceil(nodes * 5 / 1_000), 2 + 1 + 2 * 3, systems
    target = ("--environment", "lab", "--output", "csv")
    return {
        ("compliance", *target, "--no-patches"): listing + states + baselines,
        ("plan", *target, "--no-patches"): 2 * listing + states + tags + deployed + baselines,
        ("drift", *target): listing + states + tags + deployed + 1 + baselines,
    }


def measure(aws: local_aws.LocalAws, command: tuple[str, ...]) -> dict[str, float]:
    """Run a command in a process of its own, and return what it took."""
    program, *arguments = command
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    aws.calls(reset=True)
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / program), *arguments],
            cwd=ROOT,
            env={**kept, **aws.environment()},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout  # noqa: S101 for the type
        process.stdout.readline()
        process.stdout.readline()
        first = time.perf_counter() - begun
        rows = 1 + sum(1 for _ in process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        if os.waitstatus_to_exitcode(status) not in (0, 3):
            errors.seek(0)
            raise SystemExit(errors.read().decode()[-2_000:])
    counted = aws.calls(reset=True)
    return {
        "seconds": seconds,
        "first": first,
        "rows": rows,
        "calls": sum(counted.values()),
        "megabytes": usage.ru_maxrss / 1024,
    }


def report(
    command: tuple[str, ...], floor: int, found: Mapping[str, float], bare: Mapping[str, float], latency: float
) -> None:
    """Print what a command took, by its goals, and by what boto3 alone took."""
    ideal, alone = (one["calls"] / CONCURRENCY * latency for one in (found, bare))
    print(f"patchops {' '.join(command)}: {found['rows']:,.0f} rows")
    print(f"  calls      {found['calls']:8,.0f}  {found['calls'] / floor:.2f} x the least number, {floor:,}")
    print(f"             (goal {CALLS_GOAL})")
    print(f"  time       {found['seconds']:8.1f}  s, {found['seconds'] / ideal:.2f} x calls / concurrency x latency")
    print(f"             (goal {TIME_GOAL}; the local AWS and this process share {os.cpu_count()} cores)")
    print(f"             boto3 alone, {bare['calls']:,.0f} of the calls: {bare['seconds']:.1f} s, ", end="")
    print(f"{bare['seconds'] / alone:.2f} x; patchops takes {found['seconds'] / bare['seconds']:.2f} x that")
    print(f"  first row  {found['first']:8.1f}  s (goal {FIRST_ROW_GOAL:g})")
    print(f"  memory     {found['megabytes']:8.0f}  MB at most (goal {MEMORY_GOAL:g})")


def by_boto3_alone(command: str) -> None:
    """Make the calls of a command that go with the number of nodes, and print an empty row for each node.

    The nodes are listed in the main thread while the others ask for what concerns the nodes of the pages before.
    """
    config = Config(max_pool_connections=CONCURRENCY)
    ssm, ec2 = boto3.client("ssm", config=config), boto3.client("ec2", config=config)
    by_tag: Any = {"Key": "tag:Environment", "Values": ["lab"], "Operator": "Equal"}

    def states(ids: list[str]) -> None:
        ssm.describe_instance_patch_states(InstanceIds=ids)
        sys.stdout.write("\n" * len(ids))
        sys.stdout.flush()

    def tags(ids: list[str]) -> None:
        ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": ids}], MaxResults=1_000)

    def instances() -> None:
        by_name: Any = [
            {"Name": "resource-type", "Values": ["instance"]},
            {"Name": "tag:Environment", "Values": ["lab"]},
        ]
        pages = ec2.get_paginator("describe_tags").paginate(Filters=by_name, PaginationConfig={"PageSize": 1_000})
        sum(1 for _ in pages)

    asked: list[Future[None]] = []
    with ThreadPoolExecutor(CONCURRENCY - 1) as pool:
        if command == "plan":
            asked.append(pool.submit(instances))
        pages = ssm.get_paginator("describe_instance_properties").paginate(
            FiltersWithOperator=[by_tag],
            PaginationConfig={"PageSize": 1_000},
        )
        for page in pages:
            ids = [one["InstanceId"] for one in page["InstanceProperties"]]
            if command != "compliance":
                asked += [pool.submit(tags, ids[start : start + 200]) for start in range(0, len(ids), 200)]
            asked += [pool.submit(states, ids[start : start + 50]) for start in range(0, len(ids), 50)]
    for one in asked:
        one.result()


def loop(connect: Any, nodes: int) -> None:  # noqa: ANN401 makes clients of boto3
    """Measure the same by one request after the other."""
    ssm = connect("ssm")
    part = nodes // PART_OF_LOOP
    begun = time.perf_counter()
    ids: list[str] = []
    pages = ssm.get_paginator("describe_instance_information").paginate(
        Filters=[{"Key": "tag:Environment", "Values": ["lab"]}], PaginationConfig={"PageSize": 50}
    )
    for page in pages:
        ids += [one["InstanceId"] for one in page["InstanceInformationList"]]
        if len(ids) >= part:
            break
    for start in range(0, part, 50):
        ssm.describe_instance_patch_states(InstanceIds=ids[start : start + 50])
    seconds = (time.perf_counter() - begun) * nodes / part
    print(f"plain loop over the same nodes and states, reckoned from {part:,} of them: {seconds:.0f} s")


def states(connect: Any, nodes: int) -> list[Any]:  # noqa: ANN401 makes clients of boto3
    """Return the patch states of some nodes, among which are all systems."""
    ssm = connect("ssm")
    found = ssm.describe_instance_properties(MaxResults=min(nodes, 1_000))["InstanceProperties"]
    ids = [one["InstanceId"] for one in found][:50]
    return list(ssm.describe_instance_patch_states(InstanceIds=ids)["InstancePatchStates"])


def connecting(aws: local_aws.LocalAws) -> Any:  # noqa: ANN401 makes clients of boto3
    """Return what makes clients."""
    names = {"AWS_ENDPOINT_URL": "endpoint_url", "AWS_REGION": "region_name"}
    names |= {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
    values = aws.environment()
    keys = {argument: values[name] for name, argument in names.items()}
    return lambda service: boto3.client(service, **keys)  # type: ignore[call-overload]


def deploy(connect: Any) -> None:  # noqa: ANN401 makes clients of boto3
    """Deploy what patches, as config/lab.yaml has it, from the snapshot of its template."""
    template = (ROOT / "tests" / "snapshots" / "lab-patching.json").read_text(encoding="utf-8")
    connect("cloudformation").create_stack(
        StackName="patchops-lab-patching", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
    )


def scan(connect: Any, nodes: int) -> None:  # noqa: ANN401 makes clients of boto3
    """Have every node report once."""
    ssm = connect("ssm")
    command = ssm.send_command(
        DocumentName="AWS-RunPatchBaseline",
        Parameters={"Operation": ["Scan"]},
        Targets=[{"Key": "tag:Environment", "Values": ["lab"]}],
        MaxConcurrency="100%",
        MaxErrors="100%",
    )["Command"]["CommandId"]
    while True:
        (state,) = ssm.list_commands(CommandId=command)["Commands"]
        if state["Status"] not in ("Pending", "InProgress"):
            break
        time.sleep(0.5)
    if state["CompletedCount"] != nodes:
        raise SystemExit(json.dumps(state, default=str))


if __name__ == "__main__":
    main()
