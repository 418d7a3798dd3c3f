"""Long lists are read as far as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.aws.ssm import listing
from lab.aws.ssm.page_token import ASKED, Asked
from lab.world.errors import ApiError
from tests.lab.simulated import Lab

pytestmark = pytest.mark.xdist_group("local-aws")


class Numbers:
    """A list of a thousand numbers that counts how far it is read, and how often it begins."""

    def __init__(self) -> None:
        self.read = self.begun = 0

    def __call__(self) -> Iterator[int]:
        self.begun += 1
        for number in range(1_000):
            self.read += 1
            yield number


Ask = Callable[..., tuple[list[int], str | None]]


@pytest.fixture
def numbers() -> Numbers:
    return Numbers()


@pytest.fixture
def ask(lab: Lab, numbers: Numbers) -> Ask:
    ASKED.set(Asked("ListNumbers", datetime(2026, 11, 16, tzinfo=UTC)))

    def one(token: str | None = None, size: int = 10, **filters: Any) -> tuple[list[int], str | None]:
        request = {"MaxResults": size, **filters, **({"NextToken": token} if token else {})}
        reply = listing.paged(lab.engine, request, "Numbers", numbers)
        return reply["Numbers"], reply.get("NextToken")

    return one


def test_a_page_reads_what_it_shows_and_tells_whether_there_is_more(ask: Ask, numbers: Numbers) -> None:
    shown, token = ask()
    assert (shown, numbers.read) == ([*range(10)], 11)
    shown, token = ask(token)
    assert (shown, numbers.read, numbers.begun) == ([*range(10, 20)], 21, 1)
    shown, token = ask(token, size=980)
    assert (shown, token, numbers.read) == ([*range(20, 1_000)], None, 1_000)


def test_a_page_can_be_asked_for_again_and_one_before_it_begins_anew(ask: Ask, numbers: Numbers) -> None:
    _, second = ask()
    _, third = ask(second)
    assert ask(third)[0] == ask(third)[0] == [*range(20, 30)]
    assert numbers.begun == 1
    assert ask(second)[0] == [*range(10, 20)]
    assert numbers.begun == 2


def test_listings_with_other_filters_go_on_side_by_side(ask: Ask, numbers: Numbers) -> None:
    _, one = ask(Filters=["a"])
    _, other = ask(Filters=["b"])
    assert ask(one, Filters=["a"])[0] == ask(other, Filters=["b"])[0] == [*range(10, 20)]
    assert numbers.begun == 2


def test_only_so_many_are_kept_and_the_others_begin_anew(
    ask: Ask, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_KEPT", 2)
    tokens = [ask(Filters=[name])[1] for name in "abc"]
    assert [ask(token, Filters=[name])[0] for token, name in zip(tokens, "abc", strict=True)] == [[*range(10, 20)]] * 3
    assert numbers.begun > 3


def test_a_token_is_one_of_the_operation(ask: Ask) -> None:
    _, token = ask()
    ASKED.set(Asked("ListOthers", datetime(2026, 11, 16, tzinfo=UTC)))
    with pytest.raises(ApiError, match="one of ListNumbers"):
        ask(token)
