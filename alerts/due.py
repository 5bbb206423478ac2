"""When a reader's next digest falls due: at their hour and day, in their own time zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from alerts.subscriptions import Reader


def slot(reader: Reader, now: dt.datetime) -> dt.datetime:
    """The latest moment up to ``now`` at which a weekly or daily digest falls due."""
    zone = ZoneInfo(reader.timezone)
    local = now.astimezone(zone)
    back = (local.weekday() - reader.weekday) % 7 if reader.cadence == "weekly" else 0
    step = dt.timedelta(days=7 if reader.cadence == "weekly" else 1)
    day = local.date() - dt.timedelta(days=back)
    # Wall-clock time: seven o'clock stays seven o'clock when the clocks change.
    found = dt.datetime.combine(day, dt.time(reader.hour), zone)
    if found.astimezone(dt.UTC) > now:
        found = dt.datetime.combine(day - step, dt.time(reader.hour), zone)
    return found.astimezone(dt.UTC)


def is_due(reader: Reader, last: dt.datetime | None, now: dt.datetime, *, today: int) -> bool:
    """Whether a digest is due. ``last``: when the newest was planned; ``today``: how many were, this local day.

    The first is due at once. A missed slot is made up for once, not once for each.
    """
    if reader.cadence == "immediate":
        return today < reader.daily_cap
    return last is None or last < slot(reader, now)


def day_start(reader: Reader, now: dt.datetime) -> dt.datetime:
    """When the reader's present day began."""
    zone = ZoneInfo(reader.timezone)
    return dt.datetime.combine(now.astimezone(zone).date(), dt.time(0), zone).astimezone(dt.UTC)
