"""Examples that many tests look at.

Only a worker imports the CDK for them: the process that starts the workers reads this file as well, and waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cdk import Resources


@pytest.fixture(scope="session")
def patching() -> Resources:
    """Every construct that patches, once."""
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.patching()


@pytest.fixture(scope="session")
def kept() -> Resources:
    """The same with the other choice wherever there is one: kept on destroy, no e-mails, scanning at deployment."""
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.kept()


@pytest.fixture(scope="session")
def watched() -> Resources:
    """What tells, watches and operates, with everyone who can be told."""
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.watched()


@pytest.fixture(scope="session")
def networks() -> dict[str, Resources]:
    """A network of every kind, with a node in it."""
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.networks()


@pytest.fixture(scope="session")
def fleet() -> Resources:
    """A network with a node of each kind."""
    from tests.constructs import examples  # noqa: PLC0415 see above

    return examples.fleet()
