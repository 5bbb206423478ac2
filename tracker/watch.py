"""Who watches the clock: the workers and the pages look whether it lives, and tell the admins when it does not.

While the clock runs it tells them itself, hourly (job ``alerts``). When everything is down, only somebody outside can
notice: ``heartbeat_url``, or a monitor on ``/healthz/service``.
"""

from __future__ import annotations

import datetime as dt
import threading

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tracker import clock, schedule, signs
from tracker.settings import Settings

EVERY = dt.timedelta(minutes=10)
JOB = "alerts"

log = structlog.get_logger(__name__)


class Watch:
    """Keeps when it last looked. ``look`` never raises and never takes long; the mail is a process of its own."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        self.last: dt.datetime | None = None
        self.telling: threading.Thread | None = None

    def look(self, now: dt.datetime | None = None) -> bool:
        """Have the admins told if it is time to look and the clock stands still; whether that was begun."""
        now = now or dt.datetime.now(dt.UTC)
        if self.last is not None and now - self.last < EVERY:
            return False
        self.last = now
        try:
            beat = signs.last(self.engine)
        except DBAPIError:
            return False
        if beat is None or not signs.is_silent(beat, now) or (self.telling and self.telling.is_alive()):
            return False
        log.warning("the clock stands still", last_seen=beat.seen_at.isoformat())
        self.telling = threading.Thread(target=self._tell, name="watch", daemon=True)
        self.telling.start()
        return True

    def _tell(self) -> None:
        try:
            # Its lock lets one of many watchers do it, and the admins are told of each trouble once.
            clock.run_here(self.engine, self.settings, schedule.job(self.settings, JOB))
        except (schedule.ScheduleError, DBAPIError, OSError) as error:
            log.warning("the admins cannot be told", why=str(error)[:200])
