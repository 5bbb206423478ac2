"""What the app does beside answering: keep the search index up with the log, note when keys were used, and watch the
clock.

A request never waits for any, and a failure of one (a locked database) is tried again.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from tracker.api_keys import note_use
from tracker.db import reading, writing
from tracker.search_index import catch_up
from tracker.watch import Watch
from tracker.web.api.limits import Meter

SECONDS = 5.0
# How long starting waits for the index, so that a small database is searchable from the first request on.
FIRST_SECONDS = 3.0
_log = structlog.get_logger(__name__)


class _Halted(Exception):
    """The app stops; the next start goes on with the index where this one left it."""


class Upkeep:
    """A thread from ``start`` to ``stop``."""

    def __init__(self, engine: Engine, meter: Meter, watch: Watch) -> None:
        self.engine = engine
        self.meter = meter
        self.watch = watch
        self._stop = threading.Event()
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin, and wait a moment for the first round."""
        self._thread.start()
        self._first.wait(FIRST_SECONDS)

    def stop(self) -> None:
        """Finish the round that is under way, and note the keys' last use."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while True:
            last = self._stop.is_set()
            try:
                if not last:
                    self._index(everything=not self._first.is_set())
                    self.watch.look()
                self._keys()
            except _Halted:
                continue
            except SQLAlchemyError as error:
                _log.warning("upkeep will try again", error=str(error).splitlines()[0])
            self._first.set()
            if last:
                return
            self._stop.wait(SECONDS)

    def _index(self, everything: bool) -> None:
        with reading(self.engine) as connection:
            behind = connection.execute(
                text("SELECT (SELECT coalesce(max(seq), 0) FROM bill_event) > (SELECT seq FROM bill_search_state)")
            ).scalar_one()
        # The first round also finds records that changed without news.
        if behind or everything:
            catch_up(self.engine, lambda done, total: self._halt())

    def _halt(self) -> None:
        if self._stop.is_set():
            raise _Halted

    def _keys(self) -> None:
        used = self.meter.take_used()
        if used:
            with writing(self.engine) as connection:
                note_use(connection, used)
