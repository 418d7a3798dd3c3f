from __future__ import annotations

import pytest

from patching.errors import InvalidValueError
from patching.instance_type import check_processors
from tests.rows import each_row

ARM, X86 = "/aws/service/al2023-ami-kernel-default-arm64", "/aws/service/canonical/ubuntu/current/amd64/ami-id"


@each_row("instance", ["t4g.small", "c7gn.large", "x2gd.medium", "im4gn.large", "g5g.xlarge", "a1.large"])
def test_graviton_is_for_images_of_arm(instance: str) -> None:
    check_processors(instance, ARM)
    check_processors(instance, "/aws/service/some-image")
    with pytest.raises(InvalidValueError, match="has processors of Arm, but the image is for x86"):
        check_processors(instance, X86)


@each_row("instance", ["t3.small", "m7a.large", "m7i-flex.large", "g5.xlarge", "u-6tb1.metal", "g4dn.xlarge"])
def test_the_others_are_for_images_of_x86(instance: str) -> None:
    check_processors(instance, X86)
    check_processors(instance, "/aws/service/some-image")
    with pytest.raises(InvalidValueError, match="has processors of x86, but the image is for Arm"):
        check_processors(instance, ARM)
