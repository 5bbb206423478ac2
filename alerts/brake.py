"""Stops all sending when something is badly wrong, until a person releases it.

Too many mails in a day, or too many errors in a row: both are signs of a fault that more mails only make
worse. A stop is a row in ``mail_stop``; ``billtracker digest resume`` releases it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Engine, Text, cast, insert, select, update
from sqlalchemy import func as sql

from alerts.states import State
from tracker.db import reading, writing
from tracker.models.readers import DeliveryRow, MailStopRow

ERRORS_IN_A_ROW = 10
WINDOW = dt.timedelta(hours=24)
_LOOK_BACK = dt.timedelta(days=28)


def standing(connection: Connection) -> Any:
    """The stop that is in force (``reason``, ``at``), or None."""
    return connection.execute(
        select(MailStopRow.reason, MailStopRow.at).where(MailStopRow.released_at.is_(None)).limit(1)
    ).first()


def stop(engine: Engine, reason: str, *, now: dt.datetime) -> None:
    """Stop all sending."""
    with writing(engine) as connection:
        if standing(connection) is None:
            connection.execute(insert(MailStopRow).values(reason=reason, at=now))


def release(engine: Engine, *, now: dt.datetime) -> int:
    """Let mails go again; the volume is counted from here. Returns how many stops were in force."""
    with writing(engine) as connection:
        return connection.execute(
            update(MailStopRow).where(MailStopRow.released_at.is_(None)).values(released_at=now)
        ).rowcount


def room(engine: Engine, limit: int, *, now: dt.datetime) -> int:
    """How many mails may still go in this window of 24 hours.

    The bound is ``limit``, or twice the busiest of the last four weeks' days where that is more.
    """
    accepted = DeliveryRow.state == State.ACCEPTED
    with reading(engine) as connection:
        released = connection.execute(select(sql.max(MailStopRow.released_at))).scalar()
        since = max(now - WINDOW, released) if released is not None else now - WINDOW
        sent = connection.execute(select(sql.count()).where(accepted, DeliveryRow.finished_at >= since)).scalar_one()
        day = sql.substr(cast(DeliveryRow.planned_at, Text), 1, 10)
        busiest = connection.execute(
            select(sql.count())
            .where(accepted, DeliveryRow.planned_at >= now - _LOOK_BACK, DeliveryRow.planned_at < now - WINDOW)
            .group_by(day)
            .order_by(sql.count().desc())
            .limit(1)
        ).scalar()
    return max(limit, 2 * (busiest or 0)) - sent
