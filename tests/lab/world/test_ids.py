"""Identifiers of the lab."""

from __future__ import annotations

import random
from uuid import UUID

from lab.world.ids import Ids


def test_ids_are_random_guids_of_version_4() -> None:
    numbers = random.Random(7)
    ids = Ids(7)
    for _ in range(200):
        assert ids.uuid() == str(UUID(int=numbers.getrandbits(128), version=4))


def test_the_same_seed_gives_the_same_ids() -> None:
    assert [Ids(3).uuid(), Ids(3).resource("pb")] == [Ids(3).uuid(), Ids(3).resource("pb")]
    assert Ids(3).uuid() != Ids(4).uuid()
