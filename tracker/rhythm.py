"""When a jurisdiction is crawled: often while its chambers sit, seldom when not, never in its quiet hours.

All hours are the capital's own. Before a day on which the chambers meet, sources that are cheap to ask are
asked every hour of the evening: that is when hearings and calendars appear.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger

from tracker import jurisdictions

# Hours of the day, local: while sitting; while the executive signs, or where we do not know; else.
SITTING = (6, 10, 14, 18, 22)
UNCLEAR = (6, 18)
ADJOURNED = (6,)
EVE = (15, 16, 17, 18, 19, 20, 21)
_LOOK_AHEAD = 10


class Rhythm(BaseTrigger):  # type: ignore[misc]
    """The moments at which a jurisdiction's default source is asked, for APScheduler.

    ``source`` is the name of a source to use instead of the default.
    """

    __slots__ = ("code", "source")

    def __init__(self, code: str, source: str = "") -> None:
        self.code, self.source = code, source

    def __getstate__(self) -> dict[str, str]:
        return {"code": self.code, "source": self.source}

    def __setstate__(self, state: dict[str, str]) -> None:
        self.code, self.source = state["code"], state["source"]

    def __str__(self) -> str:
        return f"by the calendar of {self.code}"

    def get_next_fire_time(self, previous: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
        """The first moment after ``previous`` (from ``now`` on, the first time)."""
        zone = jurisdictions.load().get(self.code).zone
        # Missed moments count as one, so there is no need to go through all of a long absence.
        after = max(previous, now - dt.timedelta(days=2)) if previous else now - dt.timedelta(microseconds=1)
        day = after.astimezone(zone).date()
        for ahead in range(-1, _LOOK_AHEAD):
            for moment in moments(self.code, day + dt.timedelta(days=ahead), self.source):
                if moment > after:
                    return moment.astimezone(zone)
        return None


def moments(code: str, day: dt.date, source: str = "") -> tuple[dt.datetime, ...]:
    """The moments (UTC) at which ``code`` is crawled on its own ``day``; at least one, unless all is quiet."""
    places = jurisdictions.load()
    place = places.get(code)
    asked = places.sources_for(code, source)[0]
    minute = 5 + zlib.crc32(code.encode()) % 50  # Not all states at the same minute.
    hours = set(_hours(code, day))
    if asked.conditional and not asked.budget and _meets(code, day + dt.timedelta(days=1)):
        hours |= set(EVE)
    quiet = (asked.politeness.quiet_hours, place.politeness.quiet_hours)
    found = {_utc(day, dt.time(hour, minute), place.zone) for hour in hours}
    allowed = {m for m in found if not any(q and q.covers(m.astimezone(place.zone).time()) for q in quiet)}
    if len(allowed) < len(found):
        # The same hour every day, whatever else is asked: two days would lie between a slow day and a busy one.
        allowed |= set(_any_allowed(day, minute, place.zone, quiet))
    return tuple(sorted(allowed))


def _any_allowed(
    day: dt.date, minute: int, zone: ZoneInfo, quiet: tuple[jurisdictions.QuietHours | None, ...]
) -> Iterator[dt.datetime]:
    """The first hour of the day that is not quiet."""
    for hour in range(24):
        moment = _utc(day, dt.time(hour, minute), zone)
        if not any(q and q.covers(moment.astimezone(zone).time()) for q in quiet):
            yield moment
            return


def _hours(code: str, day: dt.date) -> tuple[int, ...]:
    places = jurisdictions.load()
    sitting = places.sitting(code, day)
    if sitting == "sitting":
        return SITTING
    if sitting == "unknown" or places.awaits_signatures(code, day):
        return UNCLEAR
    return ADJOURNED


@lru_cache(maxsize=4096)
def _meets(code: str, day: dt.date) -> bool:
    return day.weekday() < 5 and jurisdictions.load().sitting(code, day) == "sitting"


def _utc(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, time, tzinfo=zone).astimezone(dt.UTC)
