"""Break policies, and deploy what gets through to the local AWS: `make fuzz`.

Nothing may be refused with anything but lines to mend, and what is a policy has to synthesize, keep the rules for
templates, deploy and go again. What does not is written to build/fuzz/, each policy with what happened.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import threading
import traceback
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from hypothesis import HealthCheck, Phase, given, seed, settings

from lab.aws.server import LocalAws
from patching.policy import Policy
from patching.policy.fleet import NetworkKind
from patching.template_rules import findings
from tests.cdk import ROOT, Stacks, normalised, synthesize
from tests.fuzz.mutations import GOOD, Broken, broken_data, broken_text
from tests.fuzz.test_policy_fuzz import read
from tests.lab.aws.deployed import Deployed

REGION = "eu-central-1"
FAILED = ROOT / "build" / "fuzz"
IMAGES = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "lab/data/catalogue").glob("*.json")
}


class Fuzz:
    """What was broken, and what became of it."""

    def __init__(self, url: str) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._seen: set[str] = {good.text for good in GOOD}
        self._templates: set[str] = set()
        self._url = url

    @cache  # noqa: B019 there is one
    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self._url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def try_one(self, broken: Broken) -> None:
        """Break one policy, and count what becomes of it."""
        if broken.text in self._seen:
            return
        self._seen.add(broken.text)
        self.counts["broken"] += 1
        step = "read"
        try:
            policy = read(broken)
            if not isinstance(policy, Policy):
                self.counts["refused"] += 1
                return
            self.counts["accepted"] += 1
            step = "synthesize"
            stacks = synthesize(policy)
            found = findings({policy.deployment.name(str(n)): one.template for n, one in enumerate(stacks.all)})
            assert not found, found
            self.counts["synthesized"] += 1
            step = "deploy"
            self._deploy(policy, stacks)
        except Exception:  # noqa: BLE001 whatever it is, it is what is looked for
            self.counts[f"failed to {step}"] += 1
            self._keep(broken, step, traceback.format_exc())

    def _deploy(self, policy: Policy, stacks: Stacks) -> None:
        if policy.fleet and policy.fleet.network.kind is NetworkKind.EXISTING:
            self.counts["not deployed: a fleet in somebody's own network"] += 1
            return
        if policy.fleet and any(node.image_parameter not in self._images() for node in policy.fleet.nodes):
            self.counts["not deployed: an image that the local AWS has not"] += 1
            return
        text = json.dumps([normalised(one) for one in stacks.all], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest in self._templates:
            self.counts["not deployed: the same templates as before"] += 1
            return
        self._templates.add(digest)
        deployed = Deployed(self.client("cloudformation"), self.client("ssm"), policy, stacks)
        try:
            deployed.deploy()
        finally:
            deployed.destroy()
            # The log group stays where output is kept, and its name with it.
            for group in self.client("logs").describe_log_groups()["logGroups"]:
                self.client("logs").delete_log_group(logGroupName=group["logGroupName"])
        self.counts["deployed and destroyed"] += 1

    @cache  # noqa: B019 there is one
    def _images(self) -> set[str]:
        return {name for one in IMAGES.values() for image in one["images"] for name in image["parameters"]}

    def _keep(self, broken: Broken, step: str, trace: str) -> None:
        FAILED.mkdir(parents=True, exist_ok=True)
        path = FAILED / f"{len(self.failures) + 1:03}-{step}.yaml"
        path.write_text(broken.text, encoding="utf-8", errors="surrogatepass")
        path.with_suffix(".txt").write_text(f"{broken.folder}\n{trace}", encoding="utf-8")
        self.failures.append(f"{path}: {trace.strip().splitlines()[-1][:300]}")


def fuzz(number: int, start: int) -> int:
    """Break so many policies, and print what became of them; return 1 if anything went wrong."""
    server = LocalAws(speed=100_000)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    runs = Fuzz(server.url)
    rounds = 0
    while runs.counts["broken"] < number:
        rounds += 1

        @seed(start + rounds)
        @settings(
            max_examples=min(200, number),
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(broken_data() | broken_text())
        def one_round(broken: Broken) -> None:
            if runs.counts["broken"] < number:
                runs.try_one(broken)

        one_round()
        print(f"{runs.counts['broken']} of {number}: {dict(runs.counts)}", file=sys.stderr, flush=True)
    server.stop()
    thread.join(5)
    print(f"seed {start}")
    for what, count in runs.counts.items():
        print(f"{count:6} {what}")
    for failure in runs.failures:
        print(failure)
    return 1 if runs.failures else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", nargs="?", type=int, default=2000, help="policies to break")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same policies again")
    arguments = parser.parse_args()
    for old in FAILED.glob("*") if FAILED.is_dir() else ():
        Path(old).unlink()
    sys.exit(fuzz(arguments.number, arguments.seed))


if __name__ == "__main__":
    main()
