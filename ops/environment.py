"""Where an environment's output goes and who is told: read from its stack."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from ops.errors import OperationError
from ops.permissions import Need, On
from ops.session import Session
from patching.deployment import OUTPUT_PREFIX, Deployment, Output

NEEDS = (Need(On.STACK, "cloudformation:DescribeStacks"),)


@dataclass(frozen=True)
class Environment:
    """What a command of an environment is sent with.

    Attributes:
        deployment: its names.
        bucket: bucket of the output.
        prefix: folder in the bucket.
        topic: ARN of the topic.
        publish_role: ARN of the role by which Run Command publishes to it.
    """

    deployment: Deployment
    bucket: str
    prefix: str
    topic: str
    publish_role: str


def find(session: Session, name: str) -> Environment:
    """Find an environment by its name.

    Raises:
        OperationError: there is no such stack, or it is not one of ours.
    """
    deployment = Deployment(name)
    stack_name = deployment.patching_stack
    try:
        (stack,) = session.cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        message = (
            f"there is no stack {stack_name} in {session.cloudformation.meta.region_name}; deploy the environment "
            f"{name!r}, or name another one with --environment"
        )
        raise OperationError(message) from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    missing = [name for name in (Output.BUCKET, Output.TOPIC, Output.PUBLISH_ROLE) if name not in outputs]
    if missing:
        message = f"the stack {stack_name} ({stack['StackStatus']}) has no output {', '.join(missing)}; deploy it anew"
        raise OperationError(message)
    return Environment(
        deployment, outputs[Output.BUCKET], OUTPUT_PREFIX, outputs[Output.TOPIC], outputs[Output.PUBLISH_ROLE]
    )
