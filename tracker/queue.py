"""The workers' queue, on PostgreSQL only: procrastinate keeps it in the database.

A job waits once at most; two with the same lock never run at the same time, on whatever machines; a run that
failed comes again later and later; what a dead worker had is given to another.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
from collections.abc import Callable, Sequence
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions
from procrastinate import jobs as queued
from sqlalchemy.engine import make_url

from tracker import jobs, schedule
from tracker.db import make_engine
from tracker.schedule import Job
from tracker.settings import Settings, load

TASK = "billtracker.run"
#: A worker that was silent for this long is dead; its jobs go to others. It gives six signs in that time.
DEAD_SECONDS = 30.0
#: Runs of a job that take their worker down with them, before it is given up.
MAX_LOST = 5
#: How long jobs under way may go on when their worker is told to end; then they are stopped and come again.
GRACE_SECONDS = 20.0
KEEP_FAILED_HOURS = 24 * 30
FIRST_PAUSE, LONGEST_PAUSE = 60, 3600

Errands = Sequence[Callable[[], object]]

log = structlog.get_logger(__name__)


class JobFailed(RuntimeError):
    """A run that should come again; its account is in ``job_run``."""


class QueueError(RuntimeError):
    """The queue cannot be used; one sentence."""


class _Later(procrastinate.BaseRetryStrategy):
    """One minute, four, sixteen, an hour: as often as the job allows."""

    def get_retry_decision(self, *, exception: BaseException, job: queued.Job) -> procrastinate.RetryDecision | None:
        if isinstance(exception, exceptions.JobAborted):
            return procrastinate.RetryDecision(retry_in={"seconds": 1})
        if job.attempts >= int(str(job.task_kwargs.get("retries", 0))):
            return None
        return procrastinate.RetryDecision(retry_in={"seconds": pause(job.attempts)})


def pause(attempts: int) -> int:
    """Seconds before the next try after so many."""
    return int(min(FIRST_PAUSE * 4**attempts, LONGEST_PAUSE))


def _dsn(settings: Settings) -> str:
    url = make_url(settings.url)
    if url.get_backend_name() != "postgresql":
        raise QueueError(
            "workers need PostgreSQL (setting database_url); on SQLite `billtracker schedule` runs the jobs itself"
        )
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _task(context: procrastinate.JobContext, name: str, retries: int = 0) -> str:
    """What a worker does with a queued job, in a thread."""
    settings = load()
    engine = make_engine(settings.url)
    try:
        job = schedule.job(settings, name)
        outcome = jobs.run(engine, settings, job, attempt=context.job.attempts + 1, stop=context.should_abort)
    except schedule.ScheduleError as error:
        log.warning("job left out", job=name, why=str(error))
        return str(error)
    finally:
        engine.dispose()
    if outcome.status == jobs.STOPPED:
        raise exceptions.JobAborted
    if outcome.again:
        raise JobFailed(outcome.message)
    return outcome.status


def _app(connector: Any) -> procrastinate.App:
    app = procrastinate.App(connector=connector)
    app.task(name=TASK, pass_context=True, retry=_Later())(_task)
    return app


def prepare(settings: Settings) -> None:
    """Make the queue's own tables where they are missing."""
    dsn = _dsn(settings)
    with psycopg.connect(dsn, autocommit=True) as connection:
        # Two workers that start at once must not both make them.
        connection.execute("SELECT pg_advisory_lock(7301944013)")
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
            with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=dsn)).open() as app:
                app.schema_manager.apply_schema()


def enqueue(settings: Settings, job: Job) -> bool:
    """Put a job into the queue; False when it is there already, waiting or under way."""
    dsn = _dsn(settings)
    app = _app(procrastinate.SyncPsycopgConnector(conninfo=dsn, min_size=1, max_size=1))
    with psycopg.connect(dsn) as connection, app.open():
        # Looking and putting must be one: a job that waits while it also runs could never be tried again.
        connection.execute("SELECT pg_advisory_xact_lock(7301944014)")
        there = connection.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status IN ('todo', 'doing')", (job.name,)
        )
        if there.fetchone():
            return False
        app.configure_task(TASK, lock=job.lock, queueing_lock=job.name).defer(name=job.name, retries=job.retries)
    return True


def work(
    settings: Settings,
    *,
    at_once: int = 2,
    until_idle: bool = False,
    dead_seconds: float = DEAD_SECONDS,
    errands: Errands = (),
) -> None:
    """Work until told to end, on up to ``at_once`` jobs; a database that restarts is waited for.

    ``dead_seconds``: another worker silent for this long is dead; the same number for all workers.
    ``errands`` are run once a minute beside the work; each knows itself when it is time.
    """
    _dsn(settings)  # Wrong use is said at once, not tried again.
    asyncio.run(_work(settings, at_once, until_idle, dead_seconds, errands))


async def _work(settings: Settings, at_once: int, until_idle: bool, dead: float, errands: Errands) -> None:
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, me.cancel if me else lambda: None)
    wait = 1.0
    while True:
        started = loop.time()
        try:
            await asyncio.to_thread(prepare, settings)
            await _until_broken(settings, at_once, until_idle, dead, errands)
            if until_idle:
                return
            log.warning("the queue's connection broke; trying again")
        except asyncio.CancelledError:
            log.info("worker ends")
            return
        except (exceptions.ConnectorException, psycopg.Error, OSError) as error:
            log.warning("no database; trying again", why=f"{type(error).__name__}: {error}"[:200])
        if loop.time() - started > 60:
            wait = 1.0
        await asyncio.sleep(wait)
        wait = min(wait * 2, 30.0)


async def _until_broken(settings: Settings, at_once: int, until_idle: bool, dead: float, errands: Errands) -> None:
    app = _app(procrastinate.PsycopgConnector(conninfo=_dsn(settings), min_size=1, max_size=at_once + 4))
    async with app.open_async():
        helpers = [asyncio.create_task(_take_over(app, dead)), asyncio.create_task(_run_errands(errands))]
        try:
            await app.run_worker_async(
                name=jobs.runner(),
                concurrency=at_once,
                wait=not until_idle,
                update_heartbeat_interval=dead / 6,
                stalled_worker_timeout=dead,
                shutdown_graceful_timeout=GRACE_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        finally:
            for helper in helpers:
                helper.cancel()


async def _run_errands(errands: Errands) -> None:
    while True:
        for errand in errands:
            try:
                await asyncio.to_thread(errand)
            except OSError as error:
                log.warning("an errand failed", why=str(error)[:200])
        await asyncio.sleep(60)


async def _take_over(app: procrastinate.App, dead: float) -> None:
    """Give the jobs of dead workers back to the queue; one that keeps killing its workers is given up."""
    await app.job_manager.delete_old_jobs(nb_hours=KEEP_FAILED_HOURS, include_failed=True)
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=dead):
                if job.attempts >= MAX_LOST:
                    log.error("job given up: it ended every worker that had it", job=job.task_kwargs.get("name"))
                    await app.job_manager.finish_job(job, queued.Status.FAILED, delete_job=False)
                    continue
                log.warning("taking over from a dead worker", job=job.task_kwargs.get("name"))
                await app.job_manager.retry_job(job, retry_at=dt.datetime.now(dt.UTC))
        except (exceptions.ConnectorException, psycopg.Error) as error:
            log.warning("cannot look for dead workers", why=str(error)[:200])
        await asyncio.sleep(dead / 3)


def waiting(settings: Settings) -> list[dict[str, Any]]:
    """Jobs in the queue: name, status (todo, doing, failed), attempts, when next; the oldest first."""
    with psycopg.connect(_dsn(settings)) as connection:
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
            return []
        rows = connection.execute(
            "SELECT args->>'name', status::text, attempts, scheduled_at FROM procrastinate_jobs"
            " WHERE status IN ('todo', 'doing', 'failed') AND task_name = %s ORDER BY id LIMIT 1000",
            (TASK,),
        ).fetchall()
    return [{"job": n, "status": s, "attempts": a, "scheduled_at": at} for n, s, a, at in rows]
