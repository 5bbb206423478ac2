"""The clock's sign of life: it writes one every half minute, and everybody may look how old the last is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from tracker.db import reading, writing
from tracker.models.jobs import HeartbeatRow

CLOCK = "clock"
#: Without a sign of life for this long, the clock is thought to stand still.
SILENT = dt.timedelta(minutes=5)


def give(engine: Engine, runner: str, started: dt.datetime) -> None:
    """Write that the clock lives now."""
    with writing(engine) as connection:
        connection.execute(delete(HeartbeatRow).where(HeartbeatRow.name == CLOCK))
        values = {"name": CLOCK, "runner": runner, "started_at": started, "seen_at": dt.datetime.now(dt.UTC)}
        connection.execute(insert(HeartbeatRow).values(**values))


def last(engine: Engine) -> Any | None:
    """The clock's last sign of life; None when there was never a clock."""
    with reading(engine) as connection:
        return connection.execute(select(HeartbeatRow).where(HeartbeatRow.name == CLOCK)).first()


def is_silent(beat: Any, now: dt.datetime) -> bool:
    """Whether a sign of life is too old, or from a future that the machine's clock has taken back."""
    return bool(abs(now - beat.seen_at) > SILENT)
