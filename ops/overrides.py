"""What an installation by hand does otherwise than the baselines say: a list of patches, or other baselines.

A file is checked before it is put into the environment's bucket, from which the nodes read it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-baselineoverride-parameter.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html#patch-manager-aws-runpatchbaseline-parameters-installoverridelist.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ops.environment import Environment
from ops.errors import OperationError
from ops.permissions import Need, On
from ops.session import Session
from patching.baseline_override import BaselineOverride
from patching.deployment import OVERRIDES_PREFIX
from patching.errors import InvalidValueError
from patching.install_override_list import InstallOverrideList, OverrideListLocation

NEEDS = (Need(On.OBJECTS, "s3:PutObject"), Need(On.KEY, "kms:GenerateDataKey", "kms:Decrypt"))

_IN_S3 = ("s3://", "https://")


def override_list(session: Session, given: str, environment: Environment | None) -> str:
    """Return where an override list lies: as it is given, or in the bucket if a file is.

    Raises:
        OperationError: the file cannot be read, is no override list, or there is no bucket for it.
        InvalidValueError: no place in S3 that the document takes.
    """
    return _placed(session, given, environment, "--override-list", InstallOverrideList.parse, "yaml")


def baseline_override(session: Session, given: str, environment: Environment | None) -> str:
    """Return where baselines lie that are used instead: as it is given, or in the bucket if a file is.

    Raises:
        OperationError: the file cannot be read, is no list of baselines, or there is no bucket for it.
        InvalidValueError: no place in S3 that the document takes.
    """
    return _placed(session, given, environment, "--baseline-override", BaselineOverride.parse, "json")


def _placed(
    session: Session,
    given: str,
    environment: Environment | None,
    option: str,
    check: Callable[[str], object],
    kind: str,
) -> str:
    if given.startswith(_IN_S3):
        OverrideListLocation.parse(given)
        return given
    try:
        text = Path(given).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"{option} {given}: the file cannot be read: {reason}; expected a file, or s3://BUCKET/KEY"
        raise OperationError(message) from None
    try:
        check(text)
    except InvalidValueError as error:
        message = f"{option} {given}: {error}"
        raise OperationError(message) from None
    if environment is None:
        message = (
            f"{option} {given}: a file is put into an environment's bucket; name the environment with --environment"
        )
        raise OperationError(message)
    # By what is in it: the same file is the same object, and one that is in use is never changed.
    key = f"{OVERRIDES_PREFIX}/{hashlib.sha256(text.encode()).hexdigest()[:32]}.{kind}"
    session.s3.put_object(Bucket=environment.bucket, Key=key, Body=text.encode())
    return f"s3://{environment.bucket}/{key}"
