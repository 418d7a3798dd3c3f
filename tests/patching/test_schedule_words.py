from __future__ import annotations

import pytest

from patching.schedule import Schedule
from patching.schedule_words import in_words, joined, when
from tests.rows import each_row


@each_row(
    ("fields", "words"),
    [
        ("0 2 ? * TUE *", "every Tuesday at 02:00"),
        ("0 2 ? * 1 *", "every Sunday at 02:00"),
        ("5 9 * * ? *", "every day at 09:05"),
        ("0 3 ? * MON-FRI *", "every Monday to Friday at 03:00"),
        ("0 3 ? * MON,WED *", "every Monday and Wednesday at 03:00"),
        ("0 1 ? * TUE#2 *", "on the second Tuesday of the month at 01:00"),
        ("0 2 ? * 6L *", "on the last Friday of the month at 02:00"),
        ("0 2 L * ? *", "on the last day of the month at 02:00"),
        ("0 2 1,15 * ? *", "on days 1 and 15 of the month at 02:00"),
        ("0 2,14 * * ? *", "every day at 02:00 and 14:00"),
        ("0 2 1 JAN,7 ? *", "on day 1 of the month in January and July at 02:00"),
        ("0 2 1 1 ? 2027", "on day 1 of the month in January 2027 at 02:00"),
        ("0/30 * * * ? *", "every 30 minutes"),
        ("0 */4 * * ? *", "every 4 hours"),
        ("15 * * * ? *", "every hour, 15 minutes past"),
        ("0 0 2 ? * SUN *", "every Sunday at 02:00"),
    ],
)
def test_a_cron_expression_is_said_in_words(fields: str, words: str) -> None:
    assert when(Schedule.cron(fields)) == words


@pytest.mark.parametrize(
    "fields", ["0 2 15W * ? *", "30 0 2 ? * SUN *", "0 2-5 * * ? *", "0 2 1/3 * ? *", "0 2 ? 1/2 SUN *"]
)
def test_what_has_no_plain_words_is_left_as_it_is(fields: str) -> None:
    assert when(Schedule.cron(fields)) == f"at cron({fields})"


def test_rates_single_times_offsets_and_zones_are_said() -> None:
    assert in_words(Schedule.rate(1, "day")) == "every day"
    assert in_words(Schedule.rate(7, "days")) == "every 7 days"
    assert (
        in_words(Schedule.at("2027-01-31T02:00:00", timezone="Asia/Seoul")) == "once, on 2027-01-31 at 02:00 Asia/Seoul"
    )
    offset = Schedule.cron("0 1 ? * TUE#2 *", timezone="Asia/Seoul", offset_days=5)
    assert in_words(offset) == "5 days after the second Tuesday of the month at 01:00 Asia/Seoul"
    assert when(Schedule.cron("0 1 ? * SUN *", offset_days=1)) == "1 day after every Sunday at 01:00"


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_parts_are_joined(parts: list[str], text: str) -> None:
    assert joined(parts) == text
