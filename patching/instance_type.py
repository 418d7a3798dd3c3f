"""EC2 instances: their types, with the processors that these have, their images and volumes.

Follows https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-finding-public-parameters.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-mac-instances.html.
"""

from __future__ import annotations

import re

from patching.errors import InvalidValueError
from patching.form import Form
from patching.operating_system import OperatingSystem

INSTANCE_TYPE = Form(re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+"), "an instance type like t3.small")
IMAGE_PARAMETER = Form(re.compile(r"/aws/service/[A-Za-z0-9_.\-/]+"), "a public parameter: /aws/service/...")
VOLUME_GIB = (8, 1024)
"""What a root volume may have: not below any image, and no more than a lab needs."""
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


def check_virtual(system: OperatingSystem) -> None:
    """Refuse a system that runs on no instance without a dedicated host; raise `InvalidValueError`."""
    if system is OperatingSystem.MACOS:
        message = "a Mac needs a dedicated host, which a lab fleet does not make; use a policy without a fleet"
        raise InvalidValueError(message)


def check_volume(gib: int) -> None:
    """Refuse the size of a root volume that is not 8 to 1,024 GiB; raise `InvalidValueError`."""
    least, most = VOLUME_GIB
    if not least <= gib <= most:
        message = f"a volume of {gib} GiB; expected {least} to {most:,}"
        raise InvalidValueError(message)
