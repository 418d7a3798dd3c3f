from __future__ import annotations

import pytest

from patching.errors import InvalidValueError
from patching.retention import LOG_RETENTIONS, MAX_RETENTION_DAYS, check_retention, log_retention


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_output_is_kept_for_1_to_3650_days(days: int) -> None:
    for one in (1, 3650):
        check_retention(one)
    for check in (check_retention, log_retention):
        with pytest.raises(InvalidValueError, match=f"^{days} is not a number of days from 1 to 3,650$"):
            check(days)


def test_a_log_is_kept_as_long_as_it_is_asked_for_or_a_little_longer() -> None:
    assert list(LOG_RETENTIONS) == sorted(set(LOG_RETENTIONS))
    for days in range(1, MAX_RETENTION_DAYS + 1):
        kept = log_retention(days)
        assert kept in LOG_RETENTIONS
        assert kept >= days
        assert not [one for one in LOG_RETENTIONS if days <= one < kept]
