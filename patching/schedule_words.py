"""When a schedule runs, in words.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html. What has
no plain words is left in AWS's notation: nothing is rounded.
"""

from __future__ import annotations

import re
from datetime import datetime

from patching.schedule import Schedule

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_EVERY = ("*", "?")
_STEP = re.compile(r"(?:\*|0)/([1-9][0-9]?)")
_NTH = re.compile(r"(\w+)#([1-5])")
_LAST = re.compile(r"(\w+)L")


def in_words(schedule: Schedule) -> str:
    """Say when a schedule runs and in which time zone: `every Tuesday at 02:00 Europe/Berlin`."""
    return when(schedule) if schedule.kind == "rate" else f"{when(schedule)} {schedule.timezone}"


def when(schedule: Schedule) -> str:
    """Say when a schedule runs, in its time zone, without naming that."""
    body = schedule.expression.partition("(")[2][:-1]
    if schedule.kind == "rate":
        number, unit = body.split()
        return f"every {unit}" if number == "1" else f"every {number} {unit}"
    if schedule.kind == "at":
        return f"once, on {datetime.fromisoformat(body):%Y-%m-%d at %H:%M}"
    words = _cron(body.split()) or f"at {schedule.expression}"
    later = schedule.offset_days
    return f"{later} day{'' if later == 1 else 's'} after {words.removeprefix('on ')}" if later else words


def joined(parts: list[str], last: str = "and") -> str:
    """Join parts of a sentence: `a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _cron(fields: list[str]) -> str:
    """Say a cron expression; nothing if it has no plain words."""
    if len(fields) == 7:  # noqa: PLR2004 with the optional seconds in front
        if fields[0] != "0":
            return ""
        fields = fields[1:]
    minute, hour, day_of_month, month, day_of_week, year = fields
    day, time = _day(day_of_month, day_of_week), _time(minute, hour)
    months = "" if month in _EVERY else _list(month, _MONTHS, 1)
    if not day or not time or (month not in _EVERY and not months) or not (year in _EVERY or year.isdigit()):
        return ""
    within = f" in {months}" if months else ""
    during = f" {year}" if year.isdigit() else ""
    if day == "every day" and not time.startswith("at "):
        return f"{time}{within}{during}"
    return f"{day}{within}{during} {time}"


def _time(minute: str, hour: str) -> str:
    """Say a time of the day, or how often it comes in a day."""
    if minute.isdigit() and all(one.isdigit() for one in hour.split(",")):
        return f"at {joined([f'{int(one):02}:{int(minute):02}' for one in hour.split(',')])}"
    step = _STEP.fullmatch(minute)
    if step and hour in _EVERY:
        return f"every {step[1]} minutes"
    if not minute.isdigit():
        return ""
    past = f", {int(minute)} minutes past" if int(minute) else ""
    if hour == "*":
        return f"every hour{past}"
    step = _STEP.fullmatch(hour)
    return f"every {step[1]} hours{past}" if step else ""


def _day(day_of_month: str, day_of_week: str) -> str:
    if day_of_month in _EVERY and day_of_week in _EVERY:
        return "every day"
    if day_of_week in _EVERY:
        if day_of_month == "L":
            return "on the last day of the month"
        if all(one.isdigit() for one in day_of_month.split(",")):
            days = [str(int(one)) for one in day_of_month.split(",")]
            return f"on day{'s' if len(days) > 1 else ''} {joined(days)} of the month"
        return ""
    if nth := _NTH.fullmatch(day_of_week):
        name = _list(nth[1], _DAYS, 1)
        return f"on the {_ORDINALS[int(nth[2]) - 1]} {name} of the month" if name else ""
    if last := _LAST.fullmatch(day_of_week):
        name = _list(last[1], _DAYS, 1)
        return f"on the last {name} of the month" if name else ""
    names = _list(day_of_week, _DAYS, 1)
    return f"every {names}" if names else ""


def _list(text: str, names: tuple[str, ...], first: int) -> str:
    """Say a list of numbers, names and ranges of them; nothing if there is something else in it."""
    parts = []
    for one in text.split(","):
        ends = [_named(end, names, first) for end in one.split("-")]
        if len(ends) > 2 or not all(ends):  # noqa: PLR2004 a range has two ends
            return ""
        parts.append(" to ".join(ends))
    return joined(parts)


def _named(text: str, names: tuple[str, ...], first: int) -> str:
    if text.isdigit():
        index = int(text) - first
        return names[index] if 0 <= index < len(names) else ""
    return next((name for name in names if name[:3].upper() == text.upper()), "")
