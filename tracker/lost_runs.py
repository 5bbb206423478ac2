"""Tells a load under way from one whose process is gone, and closes the rows that the latter left open.

A load holds a lock with its own name for as long as it lives; the lock is free when its process ends, by SIGKILL,
too (on PostgreSQL as soon as the server notices that the client is gone). So nobody needs to guess by the hour, and
a load that takes long is never taken for dead.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select, update

from tracker.db import reading, writing
from tracker.locks import Lock
from tracker.models.runs import CrawlRunRow

REASON = "killed: its process ended before the load did; what it had stored is kept, the next run goes on from there"
#: A row without a runner is of an older version of this program: nothing loads for so long.
NAMELESS = dt.timedelta(hours=12)


@contextmanager
def under_way(engine: Engine) -> Iterator[str]:
    """Hold the lock of a load; yields the name that its rows carry as ``runner``."""
    runner = f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(4)}"
    lock = Lock(engine, _lock(runner), once=True)
    lock.take()
    try:
        yield runner
    finally:
        lock.release()


def find(engine: Engine, now: dt.datetime) -> dict[int, str]:
    """Rows that say ``running`` though nobody runs them: id → jurisdiction."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(CrawlRunRow.id, CrawlRunRow.jurisdiction, CrawlRunRow.runner, CrawlRunRow.started_at)
            .where(CrawlRunRow.status == "running")
            .order_by(CrawlRunRow.id)
        ).all()
    gone = {runner for runner in {row.runner for row in rows} if runner and _is_gone(engine, runner)}
    return {
        row.id: row.jurisdiction
        for row in rows
        if row.runner in gone or (not row.runner and now - row.started_at > NAMELESS)
    }


def close(engine: Engine, now: dt.datetime) -> dict[int, str]:
    """Close them as failed, with the reason; returns what :func:`find` found."""
    lost = find(engine, now)
    if lost:
        with writing(engine) as connection:
            connection.execute(
                update(CrawlRunRow)
                .where(CrawlRunRow.id.in_(lost), CrawlRunRow.status == "running")
                .values(status="failed", reason=REASON, finished_at=now)
            )
    return lost


def _is_gone(engine: Engine, runner: str) -> bool:
    lock = Lock(engine, _lock(runner), once=True)
    if not lock.take():
        return False
    lock.release()
    return True


def _lock(runner: str) -> str:
    return f"load-{runner}"
