"""EC2 instance types: which processors they have.

Follows https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html.
"""

from __future__ import annotations

import re

from patching.errors import InvalidValueError

INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_ARM = re.compile(r"a1\.|[a-z-]+[0-9]+[a-z]*g")
"""After the generation, a g among the letters stands for AWS Graviton."""


def check_processors(instance_type: str, image: str) -> None:
    """Refuse an image that is for other processors than the instance type has, as far as the names tell.

    Args:
        instance_type: such as t3.small.
        image: the name of the image, or of the parameter that holds its id.

    Raises:
        InvalidValueError: an image of Arm (arm64) for x86 (x86_64, amd64), or the other way round.
    """
    has = "Arm" if _ARM.match(instance_type) else "x86"
    wants = "Arm" if "arm64" in image else "x86" if re.search("x86_64|amd64|Windows_Server", image) else has
    if has != wants:
        message = f"{instance_type!r} has processors of {has}, but the image is for {wants}: {image}"
        raise InvalidValueError(message)
