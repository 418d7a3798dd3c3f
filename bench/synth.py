"""How long `cdk synth` takes, against an empty app with the same plugins, in one run.

Measured are whole processes, `cdk synth` as people call it and the app alone, of config/lab.yaml and of a policy with
100 windows and 15 baselines. They take turns, so that what else the machine does falls on all alike, and a ratio is
the median of the rounds' ratios: seconds on one machine say nothing about another. Then follows where the time goes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
WINDOWS, BASELINES = 100, 15
# Of `cdk synth` as a whole; the app alone has none.
GOALS = {"config/lab.yaml": 1.5, f"{WINDOWS} windows, {BASELINES} baselines": 2.0}
LAB, LARGE = GOALS
FLOOR = "an empty app"
EMPTY = f"""
import sys

sys.path.append({str(ROOT)!r})

from aws_cdk import Acknowledgment, App, Stack, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from stacks.template_checks import TemplateChecks

PACKS = (AwsSolutionsChecks, NIST80053R5Checks, HIPAASecurityChecks, PCIDSS321Checks)


def main():
    app = App()
    stack = Stack(app, "Empty")
    # The CDK's own validation refuses a template without resources.
    Validations.of(stack).acknowledge(Acknowledgment(id="CloudFormation-Validate::F0001", reason="it is empty"))
    Validations.of(app).add_plugins(*(pack(app) for pack in PACKS), TemplateChecks())
    app.synth()


if __name__ == "__main__":
    main()
"""


def large_policy() -> str:
    """Return a policy with many windows and baselines, and without a fleet."""
    hours = cycle(f"{minute} {hour} ? * {day} *" for day in range(1, 8) for hour in range(24) for minute in (0, 30))
    windows = {
        f"team-{number}": {
            "targets": {"Team": f"Team{number}"},
            "schedule": f"cron({when})",
            "timezone": "Europe/Berlin",
            "duration_hours": 2,
            "cutoff_hours": 1,
            "concurrency": "25%",
            "max_errors": "10%",
        }
        for number, when in enumerate(islice(hours, 0, 3 * WINDOWS, 3))
    }
    rules = [
        {"filters": {"CLASSIFICATION": ["Security"]}, "approve_after_days": 7, "compliance_level": "CRITICAL"},
        {"filters": {"CLASSIFICATION": ["Bugfix"]}, "approve_after_days": 14, "compliance_level": "MEDIUM"},
    ]
    baselines = {
        f"baseline-{number}": {
            "operating_system": "AMAZON_LINUX_2023",
            "patch_groups": [f"group-{number}"],
            "rules": rules,
        }
        for number in range(BASELINES)
    }
    scan = {"schedule_utc": "cron(0 20 * * ? *)"}
    policy = {
        "environment": "large",
        "quotas": {"windows": WINDOWS},
        "baselines": baselines,
        "scan": scan,
        "install": windows,
    }
    return json.dumps(policy, indent=1)  # which is YAML as well


class Run:
    """Runs one command after the other, as `make` would, each with an output folder of its own."""

    def __init__(self, folder: Path) -> None:
        (folder / "empty.py").write_text(EMPTY, encoding="utf-8")
        (folder / "large.yaml").write_text(large_policy(), encoding="utf-8")
        self.folder = folder
        settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
        self.python = settings["app"].split()[:-1]
        self.context = settings["context"] | {"aws:cdk:enable-path-metadata": True}
        self.apps = {FLOOR: folder / "empty.py", LAB: ROOT / "app.py", LARGE: ROOT / "app.py"}
        self.policies = {FLOOR: "-", LAB: LAB, LARGE: str(folder / "large.yaml")}

    def cdk(self, case: str) -> tuple[float, int]:
        """Synthesize with the CDK CLI."""
        app = " ".join([*self.python, str(self.apps[case])])
        cdk = [str(ROOT / "node_modules" / ".bin" / "cdk"), "synth", "--quiet", "--app", app]
        return self.run([*cdk, "--context", f"config={self.policies[case]}"], case)

    def app(self, case: str) -> tuple[float, int]:
        """Synthesize by the app itself."""
        return self.run([*self.python, str(self.apps[case])], case)

    def phases(self, case: str) -> dict[str, float]:
        """Synthesize by the app itself, in phases; what is left over is the start and the end of the processes."""
        out = self.folder / "phases.json"
        script = str(ROOT / "bench" / "phases.py")
        seconds, _ = self.run([*self.python, script, str(out), str(self.apps[case])], case)
        found: dict[str, float] = json.loads(out.read_text(encoding="utf-8"))
        calls = found.pop("calls")
        return {**found, "start and end of Python and Node": seconds - sum(found.values()), "calls": calls}

    def run(self, command: list[str], case: str) -> tuple[float, int]:
        """Return how many seconds a command took, and the peak memory of its largest process in MiB."""
        context = json.dumps(self.context | {"config": self.policies[case]})
        out = {"CDK_OUTDIR": str(self.folder / "out"), "CDK_CONTEXT_JSON": context}
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "JSII_"))}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with (self.folder / "log").open("w+", encoding="utf-8") as log:
            started = time.perf_counter()
            process = subprocess.Popen(command, cwd=ROOT, env=environment | out, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                log.seek(0)
                sys.exit(f"{' '.join(command)}\nended with {process.returncode}: {log.read()}")
        return seconds, usage.ru_maxrss // 1024


def ratios(title: str, measure: Callable[[str], tuple[float, int]], goals: Mapping[str, float]) -> Iterator[str]:
    """Measure all cases in turns, after a first time that fills the caches, and yield the lines that say it."""
    cases = [FLOOR, *GOALS]
    rounds = [{case: measure(case) for case in cases} for _ in range(ROUNDS + 1)][1:]
    yield f"{title:32} {'median':>8} {'min':>6} {'max':>6} {'ratio':>6} {'goal' if goals else '':>6} {'memory':>8}"
    for case in cases:
        seconds = [one[case][0] for one in rounds]
        ratio = statistics.median(one[case][0] / one[FLOOR][0] for one in rounds)
        memory = max(one[case][1] for one in rounds)
        yield (
            f"  {case:30} {statistics.median(seconds):6.2f} s {min(seconds):6.2f} {max(seconds):6.2f} {ratio:6.2f} "
            f"{goals.get(case, ''):>6} {memory:4} MiB"
        )


def table(measure: Callable[[str], dict[str, float]]) -> Iterator[str]:
    """Yield a table of the phases, each the median of the rounds."""
    cases = [FLOOR, *GOALS]
    rounds = [{case: measure(case) for case in cases} for _ in range(ROUNDS)]
    yield f"{'where the time goes, in seconds':40}" + "".join(f"{case:>28}" for case in cases)
    for phase in rounds[0][LAB]:
        medians = [statistics.median(one[case].get(phase, 0) for one in rounds) for case in cases]
        digits = 0 if phase == "calls" else 2
        name = "calls to Node" if phase == "calls" else phase
        yield f"  {name:38}" + "".join(f"{median:28.{digits}f}" for median in medians)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        for lines in (ratios("cdk synth", run.cdk, GOALS), ratios("the app alone", run.app, {}), table(run.phases)):
            print(*lines, "", sep="\n")
        print("memory: the peak of the largest process of a run, which is Node with the CDK")


if __name__ == "__main__":
    main()
