"""How long a month of a fleet takes in the local AWS: daily scans of 1,000 and of 10,000 nodes, each in a process.

All of it is there: moto's instances, roles and bucket, the association that sends, its permissions, a rule that tells a
topic, the output of every scan in the bucket and every evaluation. The last line shows that cost grows in
proportion to the invocations: what one of them takes in the large fleet, by what it takes in the small one, in time of
a core, so that what else the machine does falls on neither.

    python bench/month.py                 both fleets
    python bench/month.py 1000 --days 7   one fleet
    python bench/month.py 1000 --profile  where the time goes
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))
SIZES = (1_000, 10_000)
GOALS = {1_000: 30.0, 10_000: 300.0}
REGION = "us-east-1"
MONTH = 30


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nodes", type=int, nargs="*", help="sizes of the fleets")
    parser.add_argument("--days", type=int, default=MONTH)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.profile:
        profile = cProfile.Profile()
        profile.runcall(measure, chosen.nodes[0], chosen.days)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
        return
    if chosen.in_process:
        print(json.dumps(measure(chosen.nodes[0], chosen.days)))
        return
    measured = {size: _in_a_process(size, chosen.days) for size in chosen.nodes or SIZES}
    for size, one in measured.items():
        goal = f" (goal {GOALS[size]:g} s)" if size in GOALS and chosen.days == MONTH else ""
        print(
            f"{size:6,} nodes, {chosen.days} days: {one['seconds']:6.1f} s{goal}, {one['used']:6.1f} s of one core, "
            f"{one['invocations']:7,} invocations, {one['microseconds']:4.0f} µs each, {one['megabytes']:4.0f} MB"
        )
    if len(measured) > 1:
        first, *_, last = measured.values()
        ratio = last["microseconds"] / first["microseconds"]
        print(
            f"an invocation of the largest fleet takes {ratio:.2f} times what one of the smallest takes (goal: about 1)"
        )


def _in_a_process(size: int, days: int) -> dict[str, Any]:
    command = [sys.executable, __file__, str(size), "--days", str(days), "--in-process"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def measure(nodes: int, days: int) -> dict[str, Any]:
    """Let days of a fleet go by, and return what it took."""
    import boto3  # noqa: PLC0415 the other process needs neither

    from lab.aws.account.population import populate  # noqa: PLC0415
    from lab.aws.server import LocalAws  # noqa: PLC0415

    server = LocalAws()
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}

        def connect(service: str) -> Any:  # noqa: ANN401 a client of any service
            return boto3.client(service, endpoint_url=server.url, region_name=REGION, **keys)  # type: ignore[call-overload]

        build(connect)
        with server.plane.engine(REGION) as engine:
            populate(server.plane.accounts[REGION], engine.catalogues, nodes)
        server.plane.changed()
        begun, used = time.perf_counter(), time.process_time()
        with server.plane.clock() as clock:
            clock.advance(clock.now + timedelta(days=days))
        seconds, used = time.perf_counter() - begun, time.process_time() - used
        with server.plane.engine(REGION) as engine:
            commands = engine.run_command.commands.values()
            invocations = sum(len(one.invocations) for one in commands)
            failed = {one.details for one in commands} - {"Success"}
    finally:
        server.stop()
    if failed or invocations != nodes * days:
        raise SystemExit(f"{invocations} invocations, {nodes * days} expected; {failed or 'all succeeded'}")
    return {
        "seconds": seconds,
        "invocations": invocations,
        "used": used,
        "microseconds": used / invocations * 1e6,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def build(connect: Any) -> None:  # noqa: ANN401 makes clients of boto3
    """Make what a deployed policy has: a bucket, a role that sends, a scan every day, and a rule that tells a topic."""
    connect("s3").create_bucket(Bucket="output")
    iam = connect("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="sender", AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    documents = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:*::document/AWS-*"}
    tagged = {
        "Effect": "Allow",
        "Action": "ssm:SendCommand",
        "Resource": "arn:aws:ec2:*:*:instance/*",
        "Condition": {"StringEquals": {"ssm:resourceTag/Environment": "lab"}},
    }
    iam.put_role_policy(RoleName="sender", PolicyName="send", PolicyDocument=_policy(documents, tagged))
    topic = connect("sns").create_topic(Name="told")["TopicArn"]
    events = connect("events")
    pattern = {"source": ["aws.ssm"], "detail-type": ["EC2 State Manager Association State Change"]}
    events.put_rule(Name="told", EventPattern=json.dumps({**pattern, "detail": {"status": ["Failed"]}}))
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": topic}])
    connect("ssm").create_association(
        Name="AWS-RunPatchBaseline",
        AssociationName="scan",
        Parameters={"Operation": ["Scan"]},
        Targets=[{"Key": "tag:Environment", "Values": ["lab"]}],
        ScheduleExpression="cron(0 2 * * ? *)",
        ApplyOnlyAtCronInterval=True,
        MaxConcurrency="10%",
        MaxErrors="100%",
        AssociationDispatchAssumeRole=role,
        OutputLocation={"S3Location": {"OutputS3BucketName": "output", "OutputS3KeyPrefix": "scans"}},
    )


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


if __name__ == "__main__":
    main()
