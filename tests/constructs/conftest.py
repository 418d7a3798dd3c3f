"""The examples that many tests look at, each made once; what they are is said in tests/constructs/examples.py.

Only a worker imports the CDK for them: the process that starts the workers reads this file as well, and waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cdk import Resources


@pytest.fixture(scope="session")
def patching() -> Resources:
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.patching()


@pytest.fixture(scope="session")
def kept() -> Resources:
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.kept()


@pytest.fixture(scope="session")
def watched() -> Resources:
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.watched()


@pytest.fixture(scope="session")
def networks() -> dict[str, Resources]:
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.networks()


@pytest.fixture(scope="session")
def fleet() -> Resources:
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.fleet()
