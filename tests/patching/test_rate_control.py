from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from tests.rows import each_row

# The patterns of MaxConcurrency and MaxErrors in the API's model.
AWS_CONCURRENCY = re.compile(r"^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$")
AWS_ERRORS = re.compile(r"^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$")


def test_the_defaults_are_run_commands_own() -> None:
    assert RateControl() == RateControl("50", "0")


@each_row("value", ["1", 1, "50", "9999999", "1%", "10%", "99%", "100%"])
def test_a_count_or_a_share_is_a_concurrency(value: str | int) -> None:
    assert RateControl(value).max_concurrency == str(value)


@each_row("value", ["0", "0%", "101%", "1.5", "-1", "10 %", "010", "", "many", True, "10000000"])
def test_what_aws_refuses_is_no_concurrency(value: str | int) -> None:
    with pytest.raises(InvalidValueError, match=rf"^concurrency '{value}' is neither"):
        RateControl(value)


@each_row("value", ["0", 0, "1", "0%", "5%", "99%", "100%"])
def test_a_count_or_a_share_from_zero_is_an_error_threshold(value: str | int) -> None:
    assert RateControl(1, value).max_errors == str(value)


@each_row("value", ["101%", "-1", "1.5", "01", "", "none"])
def test_what_aws_refuses_is_no_error_threshold(value: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"^error threshold '{value}' is neither"):
        RateControl(1, value)


@given(st.from_regex(r"[0-9]{1,4}%?", fullmatch=True))
def test_a_concurrency_is_accepted_exactly_when_aws_accepts_it(value: str) -> None:
    assert _accepted(value, "0") == bool(AWS_CONCURRENCY.match(value))


@given(st.from_regex(r"[0-9]{1,4}%?", fullmatch=True))
def test_an_error_threshold_is_accepted_exactly_when_aws_accepts_it(value: str) -> None:
    assert _accepted("1", value) == bool(AWS_ERRORS.match(value))


def test_a_token_is_left_for_the_deployment_to_check() -> None:
    assert RateControl("${Token[TOKEN.1]}", "${Token[TOKEN.2]}").max_errors == "${Token[TOKEN.2]}"


@pytest.mark.parametrize(
    ("concurrency", "targets", "expected"),
    [("1", 10, 1), ("10%", 50, 5), ("10%", 19, 1), ("10%", 3, 1), ("100%", 7, 7)],
)
def test_a_share_of_the_targets_is_rounded_down_but_never_to_none(
    concurrency: str, targets: int, expected: int
) -> None:
    assert RateControl(concurrency).concurrent(targets) == expected


@each_row(
    ("errors", "targets", "failures"),
    [("0", 50, 1), ("1", 50, 2), ("3", 50, 4), ("10%", 50, 6), ("10%", 5, 1), ("100%", 4, 5)],
)
def test_the_failure_after_the_tolerated_ones_stops_the_rest(errors: str, targets: int, failures: int) -> None:
    assert RateControl("1", errors).stops_after(targets) == failures


@each_row(
    ("rate_control", "words"),
    [
        (RateControl("1", "0"), "one node at a time; stops starting new nodes after the first failure"),
        (RateControl("1", "1"), "one node at a time; stops starting new nodes after the second failure"),
        (RateControl("10", "10"), "up to 10 nodes at a time; stops starting new nodes after the 11th failure"),
        (RateControl("10", "20"), "up to 10 nodes at a time; stops starting new nodes after the 21st failure"),
        (RateControl("10", "110"), "up to 10 nodes at a time; stops starting new nodes after the 111th failure"),
        (RateControl("50", "100%"), "up to 50 nodes at a time; goes on however many of them fail"),
        (
            RateControl("25%", "10%"),
            "25% of the nodes at a time; stops starting new nodes once more than 10% of them have failed",
        ),
    ],
)
def test_rate_control_is_said_in_plain_words(rate_control: RateControl, words: str) -> None:
    assert rate_control.in_words() == words


@given(st.integers(1, 100), st.integers(0, 100), st.integers(1, 5000))
def test_a_share_lets_at_least_one_run_and_at_most_all(share: int, errors: int, targets: int) -> None:
    rate_control = RateControl(f"{share}%", f"{errors}%")
    assert 1 <= rate_control.concurrent(targets) <= targets
    assert 1 <= rate_control.stops_after(targets) <= targets + 1


def _accepted(concurrency: str, errors: str) -> bool:
    try:
        RateControl(concurrency, errors)
    except InvalidValueError:
        return False
    return True
