"""How long `cdk synth` of the lab's policy takes, against an empty app with the same plugins, in one run.

Whole processes, taken in turns so that what else the machine does falls on both alike. Printed is the ratio of the
medians; a run in seconds on one machine says nothing about another.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
EMPTY = """
from aws_cdk import App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

app = App()
Stack(app, "Empty")
Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
"""


def seconds(command: list[str]) -> float:
    """Run a command and return how long it took."""
    with tempfile.TemporaryDirectory() as outdir:
        started = time.perf_counter()
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "CDK_OUTDIR": outdir}, check=True, capture_output=True, text=True
        )
        return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    lab, empty = [sys.executable, "app.py"], [sys.executable, "-c", EMPTY]
    seconds(empty)
    seconds(lab)
    pairs = [(seconds(empty), seconds(lab)) for _ in range(ROUNDS)]
    floors, taken = zip(*pairs, strict=True)
    ratio = statistics.median(taken) / statistics.median(floors)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"empty app   median {statistics.median(floors):.2f} s   (min {min(floors):.2f}, max {max(floors):.2f})")
    print(f"lab.yaml    median {statistics.median(taken):.2f} s   (min {min(taken):.2f}, max {max(taken):.2f})")
    print(f"ratio       {ratio:.2f}")
    print(f"peak memory of one process {peak:.0f} MiB")


if __name__ == "__main__":
    main()
