"""When windows are open and associations run in the days to come, where they meet, and on how many nodes at one time.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-schedule-options.html. The
times are computed in `patching`, from the templates and a given day: the same wherever and whenever that is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations

from patching.open_times import Period, common
from patching.rate_control import RateControl
from patching.schedule import Schedule, zone
from patching.schedule_words import in_words, joined
from patching.targets import Targets, may_share
from review.facts import Facts
from review.model import Busiest, Calendar, ClockChange, Lane, Meeting, Opening
from review.patching_facts import NodeAssociation, Sent, Window

DAYS = 30
MOST_OPENINGS = 800
"""Runs of one association that are drawn: more than one an hour."""
_HOUR = timedelta(hours=1)
_AN_HOUR = 60
_OF_NODES = " of the nodes"


@dataclass(frozen=True)
class _Planned:
    """A window or association with its times."""

    lane: Lane
    periods: tuple[Period, ...]
    groups: tuple[Targets, ...]
    rate: RateControl | None
    is_window: bool


def calendar(facts: Facts, first: date, *, nodes: int | None = None, days: int = DAYS) -> Calendar:
    """Return what runs when.

    Args:
        facts: what the templates say.
        first: the first day, in UTC.
        nodes: how many nodes each window and association selects where the templates do not tell; not known by default.
        days: how many days.
    """
    begin = datetime.combine(first, time(), UTC)
    end = begin + timedelta(days=days)
    planned = [
        *(_window(facts, one, begin, end, nodes) for one in facts.windows),
        *(_association(facts, one, begin, end, nodes) for one in facts.associations),
    ]
    meetings = list(_meetings(planned))
    lanes = tuple(_with_meetings(one, meetings) for one in planned)
    return Calendar(first=first, days=days, lanes=lanes, meetings=tuple(meetings), busiest=_busiest(planned, nodes))


def _window(facts: Facts, one: Window, begin: datetime, end: datetime, nodes: int | None) -> _Planned:
    times = one.times
    note, periods = "", []
    if times is None:
        note = "its times are not known before the deployment"
    elif not times.is_known:
        note = "a rate counts from the moment at which the window is made"
    else:
        # A window that opened before the first day may still be open on it.
        early = begin - timedelta(hours=times.duration_hours)
        periods = [period for period in times.periods(early, end) if period.end > begin]
        note = "" if periods else "it does not open in these days"
    return _planned(
        facts, one.name, one.tasks[0].sent if one.tasks else None, one.schedule, periods, note, nodes, is_window=True
    )


def _association(facts: Facts, one: NodeAssociation, begin: datetime, end: datetime, nodes: int | None) -> _Planned:
    periods: list[Period] = []
    if one.schedule is None:
        note = (
            "its times are not known before the deployment" if one.expression else "it runs once, when it is deployed"
        )
    elif one.schedule.kind == "rate":
        note = "a rate counts from the moment at which the association is made"
    else:
        for at in one.schedule.runs(begin - timedelta(seconds=1)):
            if at >= end or len(periods) == MOST_OPENINGS:
                break
            periods.append(Period(at, at))
        note = "only while its calendars are open" if one.calendars else ""
    return _planned(facts, one.name, one.sent, one.schedule, periods, note, nodes, is_window=False)


def _planned(
    facts: Facts,
    name: str,
    sent: Sent | None,
    schedule: Schedule | None,
    periods: Sequence[Period],
    note: str,
    nodes: int | None,
    *,
    is_window: bool,
) -> _Planned:
    zone_name = schedule.timezone if schedule else "UTC"
    rate = sent.rate if sent else None
    selected = facts.selected(sent.groups) if sent else 0
    count = nodes if selected is None else selected
    lane = Lane(
        name=name,
        kind="window" if is_window else "association",
        operation=sent.operation if sent else "nothing",
        when=in_words(schedule) if schedule else "not known before the deployment",
        timezone=zone_name,
        targets=sent.targets if sent else "no node",
        pace=rate.in_words() if rate else "not known",
        concurrency=rate.max_concurrency if rate else "not known",
        nodes=count,
        at_most=_at_most(rate, count),
        reboots=bool(sent and sent.is_install and sent.patching and sent.patching.reboot == "RebootIfNeeded"),
        openings=tuple(
            Opening(begin=period.begin, end=period.end, local=_local(period.begin, zone_name)) for period in periods
        ),
        clock_changes=tuple(_clock_changes(zone_name, periods)),
        note=note,
    )
    return _Planned(lane, tuple(periods), sent.groups if sent else (), rate, is_window)


def _at_most(rate: RateControl | None, count: int | None) -> int | None:
    if rate is None:
        return None
    if count is not None:
        return min(count, rate.concurrent(count))
    return int(rate.max_concurrency) if rate.max_concurrency.isdigit() else None


def _local(moment: datetime, zone_name: str) -> str:
    local = moment.astimezone(zone(zone_name))
    offset = local.strftime("%z")
    named = "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"
    return f"{local:%a %Y-%m-%d %H:%M} {named}"


def _clock_changes(zone_name: str, periods: Sequence[Period]) -> Iterator[ClockChange]:
    """Yield when the clocks of a zone change between the first and the last opening."""
    if not periods:
        return
    tz = zone(zone_name)
    at, last = periods[0].begin.replace(minute=0, second=0, microsecond=0), periods[-1].end
    while at < last:
        following = at + _HOUR
        before, after = (moment.astimezone(tz).utcoffset() or timedelta() for moment in (at, following))
        if before != after:
            minutes = int((after - before).total_seconds() / 60)
            how = "forward" if minutes > 0 else "back"
            span = "1 hour" if abs(minutes) == _AN_HOUR else f"{abs(minutes)} minutes"
            yield ClockChange(at=following, text=f"{zone_name}: clocks go {how} {span}")
        at = following


def _may_meet(one: _Planned, other: _Planned) -> bool:
    """Tell whether there may be a node that both are for."""
    if not one.groups or not other.groups:
        return False
    for these in one.groups:
        for those in other.groups:
            mine, theirs = dict(these.keys), dict(those.keys)
            shared = mine.keys() & theirs.keys()
            if not shared or may_share(mine, theirs):
                return True
    return False


def _meetings(planned: Sequence[_Planned]) -> Iterator[Meeting]:
    """Yield where two of them meet, unless both only scan."""
    for one, other in combinations(planned, 2):
        if not (one.is_window or other.is_window):
            continue
        same = _may_meet(one, other)
        for period in _common(one, other):
            between = f"{one.lane.name} and {other.lane.name}"
            both = "; both may be for the same nodes" if same else "; no node is in both"
            yield Meeting(
                lanes=(one.lane.name, other.lane.name),
                begin=period.begin,
                end=period.end,
                text=f"{between} meet, {period.in_words()}{both}",
                same_nodes=same,
            )


def _common(one: _Planned, other: _Planned) -> Iterator[Period]:
    moments, stretches = (other, one) if one.is_window else (one, other)
    if moments.is_window:
        yield from common(one.periods, other.periods)
        return
    for moment in moments.periods:
        if any(stretch.begin <= moment.begin < stretch.end for stretch in stretches.periods):
            yield moment


def _with_meetings(one: _Planned, meetings: Sequence[Meeting]) -> Lane:
    own = [meeting for meeting in meetings if one.lane.name in meeting.lanes]
    if not own:
        return one.lane
    openings = []
    for opening in one.lane.openings:
        met = [meeting for meeting in own if _is_in(meeting, opening)]
        names = dict.fromkeys(name for meeting in met for name in meeting.lanes if name != one.lane.name)
        openings.append(opening.model_copy(update={"meets": tuple(names)}))
    return one.lane.model_copy(update={"openings": tuple(openings)})


def _is_in(meeting: Meeting, opening: Opening) -> bool:
    """Tell whether two meet in an opening; what has no length meets where it begins."""
    if meeting.begin == opening.begin:
        return True
    return meeting.begin < opening.end and opening.begin < meeting.end


def _busiest(planned: Sequence[_Planned], nodes: int | None) -> Busiest | None:
    """Say how many nodes are patched at one time at most, over the windows that install."""
    installing = [one for one in planned if one.is_window and one.periods and one.lane.operation == "Install"]
    if not installing:
        return None
    at, together = _most(installing)
    names = tuple(one.lane.name for one in together)
    counts = [one.lane.at_most for one in together]
    where = joined(
        [
            f"{one.lane.concurrency}{_OF_NODES if one.lane.at_most is None else ''} of {one.lane.name}"
            for one in together
        ]
    )
    reboots = "patched or rebooting" if any(one.lane.reboots for one in together) else "patched"
    when = f"first on {at:%Y-%m-%d at %H:%M} UTC"
    if any(count is None for count in counts):
        text = f"At most {where} are {reboots} at one time, {when}; with --nodes it is a number"
        return Busiest(text=text, at=at, windows=names)
    total = sum(count for count in counts if count is not None)
    if all(one.lane.nodes is not None for one in together):
        total = min(total, sum(one.lane.nodes or 0 for one in together))
    counted = nodes is not None and any(one.lane.concurrency.endswith("%") for one in together)
    given = f", with {nodes} nodes in each window" if counted else ""
    are = "node is" if total == 1 else "nodes are"
    text = f"At most {total} {are} {reboots} at one time ({where}{given}), {when}"
    return Busiest(text=text, nodes=total, at=at, windows=names)


def _most(installing: Sequence[_Planned]) -> tuple[datetime, list[_Planned]]:
    """Return the first moment at which the windows that are open take most nodes, and those windows."""

    def weight(together: Sequence[_Planned]) -> tuple[int, int]:
        # A share of who knows how many nodes may be more than any number.
        shares = [one.lane.concurrency.removesuffix("%") for one in together if one.lane.at_most is None]
        return sum(int(share) for share in shares if share.isdigit()), sum(one.lane.at_most or 0 for one in together)

    best: tuple[tuple[int, int], datetime, list[_Planned]] | None = None
    for at in sorted({period.begin for one in installing for period in one.periods}):
        together = [one for one in installing if any(period.begin <= at < period.end for period in one.periods)]
        if best is None or weight(together) > best[0]:
            best = weight(together), at, together
    assert best is not None  # noqa: S101 each of them opens
    return best[1], best[2]
