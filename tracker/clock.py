"""The clock: one APScheduler with its job store in the database, which starts jobs or hands them to workers.

There is exactly one: a second one refuses to start. Missed moments count as one; a job never runs beside
itself. On SQLite a job is a process of the clock's own; on PostgreSQL the clock enqueues it.
"""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job as StoredJob
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tracker import jobs, schedule, signs
from tracker.db import make_engine
from tracker.heartbeat import Heartbeat
from tracker.locks import Lock
from tracker.schedule import Job
from tracker.settings import Settings, load

TICK_SECONDS = 30
AT_ONCE = 6
#: A job that waits for a moment this much later than its next one waits because the machine's clock was wrong.
AHEAD = dt.timedelta(minutes=1)

log = structlog.get_logger(__name__)
_stop = threading.Event()


class ClockError(RuntimeError):
    """The clock cannot run; one sentence."""


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]
    def _process_jobs(self) -> float | None:
        if not self.running:
            # Its shutdown wakes the thread once more, and what is due would be taken for done.
            return None
        try:
            return super()._process_jobs()  # type: ignore[no-any-return]
        except DBAPIError as error:
            # A database that restarts must not end the thread that watches the time.
            log.warning("no database", why=str(error.orig)[:200])
            return float(self.jobstore_retry_interval)


@contextmanager
def opened(engine: Engine) -> Iterator[BackgroundScheduler]:
    """The scheduler on its stored jobs, paused: it fires nothing before it is resumed. Waits for jobs at the end."""
    scheduler = _Scheduler(
        jobstores={"default": SQLAlchemyJobStore(engine=engine)},
        executors={"default": ThreadPoolExecutor(AT_ONCE)},
        # However late: what was missed while the machine was off is done once when it is back.
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=dt.UTC,
    )
    scheduler.start(paused=True)
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=True)


def stored(scheduler: BackgroundScheduler) -> dict[str, StoredJob]:
    """What is in the job store, by name."""
    return {job.id: job for job in scheduler.get_jobs("default")}


def align(scheduler: BackgroundScheduler, wanted: dict[str, Job]) -> None:
    """Bring the job store in line with the definitions; what is paused stays so, what is due stays due."""
    known = stored(scheduler)
    for name in known.keys() - wanted.keys():
        scheduler.remove_job(name, "default")
    for name, job in wanted.items():
        values: dict[str, Any] = {"args": (name,), "name": job.about}
        if name not in known:
            scheduler.add_job(fire, job.trigger, id=name, **values)
            continue
        scheduler.modify_job(name, "default", func=fire, **values)
        changed = _said(known[name].trigger) != _said(job.trigger)
        if changed and known[name].next_run_time is not None:
            scheduler.reschedule_job(name, "default", job.trigger)
        elif changed:
            scheduler.modify_job(name, "default", trigger=job.trigger)


def settle(scheduler: BackgroundScheduler, now: dt.datetime) -> list[str]:
    """Bring back jobs that wait for a moment too far ahead: the machine's clock was wrong when they were put there.

    Without this, a machine that once started with next year's date would do nothing until then. Returns their names.
    """
    moved = []
    for name, job in stored(scheduler).items():
        right = job.trigger.get_next_fire_time(None, now)
        if job.next_run_time is not None and right is not None and job.next_run_time - right > AHEAD:
            scheduler.modify_job(name, "default", next_run_time=right)
            moved.append(name)
    if moved:
        log.warning("the machine's clock was set back; jobs take their moments anew", jobs=sorted(moved))
    return moved


def _said(trigger: Any) -> tuple[str, str, str]:
    return str(trigger), str(getattr(trigger, "timezone", "")), str(getattr(trigger, "source", ""))


def fire(name: str) -> None:
    """Do a job whose moment has come; called by the scheduler, in a thread."""
    settings = load()
    engine = make_engine(settings.url)
    try:
        job = schedule.job(settings, name)
        if engine.dialect.name == "postgresql" and not job.here:
            _hand_over(settings, job)
        else:
            run_here(engine, settings, job)
    except schedule.ScheduleError as error:
        log.warning("job left out", job=name, why=str(error))
    finally:
        engine.dispose()


def _hand_over(settings: Settings, job: Job) -> None:
    """Put a job into the queue; its moment is not lost because the database restarts just then."""
    import psycopg
    from procrastinate.exceptions import ConnectorException

    from tracker import queue

    pause = 1.0
    while True:
        try:
            if not queue.enqueue(settings, job):
                log.info("still waiting for a worker", job=job.name)
            return
        except (psycopg.Error, ConnectorException) as error:
            log.warning("cannot reach the queue; trying again", job=job.name, why=str(error)[:200])
        if _stop.wait(pause):
            return
        pause = min(pause * 2, 30.0)


def run_here(engine: Engine, settings: Settings, job: Job, show: Any = lambda line: None) -> jobs.Outcome | None:
    """Run a job in this process's care, unless it (or one with its lock) runs already: then None."""
    lock = Lock(engine, f"job-{job.lock}")
    if not lock.take():
        log.info("runs already", job=job.name)
        return None
    try:
        return jobs.run(engine, settings, job, stop=_stop.is_set, show=show)
    finally:
        lock.release()


def run(engine: Engine, settings: Settings) -> None:
    """Run until we are told to end (SIGTERM, Ctrl-C). Raises :class:`ClockError` when another clock runs."""
    lock = Lock(engine, signs.CLOCK)
    if not lock.take():
        raise ClockError("a clock runs already for this database: only one may")
    _stop.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _told_to_stop)
    wanted = schedule.jobs(settings)
    started = dt.datetime.now(dt.UTC)
    heartbeat = Heartbeat()
    try:
        if engine.dialect.name == "postgresql":
            from tracker import queue

            queue.prepare(settings)
        with opened(engine) as scheduler:
            align(scheduler, wanted)
            settle(scheduler, started)
            signs.give(engine, jobs.runner(), started)
            scheduler.resume()
            log.info("clock runs", jobs=len(wanted))
            while not _stop.wait(TICK_SECONDS):
                _tick(engine, lock, started)
                heartbeat.tell(engine, settings)
                _settle(scheduler)
                scheduler.wakeup()
            log.info("clock ends; jobs under way are stopped, their work so far is kept")
            scheduler.pause()
    finally:
        lock.release()


def _tick(engine: Engine, lock: Lock, started: dt.datetime) -> None:
    """Show that we live; a database that is away is waited for, a lock that another took ends us."""
    if not lock.still_held():
        try:
            taken = lock.take()
        except DBAPIError as error:
            log.warning("no database", why=str(error.orig)[:200])
            return
        if not taken:
            raise ClockError("another clock has taken over this database")
    try:
        signs.give(engine, jobs.runner(), started)
    except DBAPIError as error:
        log.warning("cannot note a sign of life", why=str(error.orig)[:200])


def _settle(scheduler: BackgroundScheduler) -> None:
    try:
        settle(scheduler, dt.datetime.now(dt.UTC))
    except DBAPIError as error:
        log.warning("no database", why=str(error.orig)[:200])


def _told_to_stop(_number: int, _frame: FrameType | None) -> None:
    _stop.set()
