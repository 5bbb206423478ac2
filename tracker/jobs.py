"""Runs one job as a process and keeps its account: what it says now, how it ended.

The process ends with whoever runs it, and is ended when it takes too long. A database that is away for a
while does not end a job; its account is written when the database is back.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine, insert, select, update
from sqlalchemy import func as sql
from sqlalchemy.exc import DBAPIError, OperationalError

from tracker import lost_runs, parent
from tracker.console import printable
from tracker.db import reading, writing
from tracker.models.jobs import JobRunRow
from tracker.schedule import Job
from tracker.settings import Settings

DONE, LOOK, FAILED, STOPPED, LOST = "done", "look", "failed", "stopped", "lost"
KEEP_LOGS = 20
_RESULT_BYTES = 20_000
_NOTE_SECONDS = 5.0
_PATIENCE = 300.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``again``: it is worth another try soon."""

    status: str
    exit_code: int | None
    message: str
    again: bool = False


def runner() -> str:
    """This process, as the accounts name it."""
    return f"{socket.gethostname()[:90]}:{os.getpid()}"


def run(
    engine: Engine,
    settings: Settings,
    job: Job,
    *,
    attempt: int = 1,
    stop: Callable[[], bool] = lambda: False,
    show: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Run a job to its end; the caller holds its lock.

    ``stop`` is asked twice a second, ``show`` gets what the job says, every few seconds.
    """
    started = dt.datetime.now(dt.UTC)
    clock = time.monotonic()
    run_id = _begin(engine, job, attempt, started)
    out, errors = _files(settings, job, started)
    bound = log.bind(job=job.name, run=run_id)
    bound.info("job starts", attempt=attempt)
    with out.open("wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracker.cli", *job.words(settings, started), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=parent.environment(),
        )
    why = _watch(engine, run_id, process, errors, job.hours * 3600, stop, show)
    outcome = _outcome(process.returncode, why, out, errors)
    if process.returncode < 0:
        _close_loads(engine)
    seconds = round(time.monotonic() - clock, 2)
    _end(engine, run_id, outcome, _result(out), seconds)
    bound.info("job ends", status=outcome.status, exit_code=outcome.exit_code, seconds=seconds, said=outcome.message)
    return outcome


def _begin(engine: Engine, job: Job, attempt: int, now: dt.datetime) -> int:
    with writing(engine) as connection:
        # We hold the job's lock, so whoever had it before is gone.
        connection.execute(
            update(JobRunRow)
            .where(JobRunRow.job == job.name, JobRunRow.status == "running")
            .values(status=LOST, finished_at=now, message="whoever ran it is gone")
        )
        values = {"job": job.name, "status": "running", "attempt": attempt, "runner": runner(), "message": ""}
        return int(
            connection.execute(
                insert(JobRunRow).values(**values, started_at=now, seen_at=now).returning(JobRunRow.id)
            ).scalar_one()
        )


def _files(settings: Settings, job: Job, now: dt.datetime) -> tuple[Path, Path]:
    folder = settings.home / "logs" / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob(f"{job.name}-2*"))[: -2 * KEEP_LOGS]:
        old.unlink(missing_ok=True)
    stem = f"{job.name}-{now:%Y%m%dT%H%M%S%f}"
    return folder / f"{stem}.json", folder / f"{stem}.log"


def _watch(
    engine: Engine,
    run_id: int,
    process: subprocess.Popen[bytes],
    errors: Path,
    seconds: float,
    stop: Callable[[], bool],
    show: Callable[[str], None],
) -> str:
    """Wait for the end; returns why we ended it, if we did."""
    end, noted, said = time.monotonic() + seconds, time.monotonic(), ""
    while True:
        try:
            process.wait(0.5)
            return ""
        except subprocess.TimeoutExpired:
            pass
        why = STOPPED if stop() else f"stopped after {seconds / 3600:g} hours" if time.monotonic() > end else ""
        if why:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            return why
        if time.monotonic() - noted >= _NOTE_SECONDS:
            noted, line = time.monotonic(), _last_line(errors)
            if line != said:
                said = line
                show(line)
            _note(engine, run_id, said)


def _note(engine: Engine, run_id: int, message: str) -> None:
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(
                update(JobRunRow).where(JobRunRow.id == run_id).values(message=message, seen_at=dt.datetime.now(dt.UTC))
            )
    except DBAPIError as error:
        log.warning("cannot note a job's progress", run=run_id, why=str(error.orig)[:200])


def _close_loads(engine: Engine) -> None:
    """Close what a process that was killed had begun to load. The next load does it, too, if we cannot."""
    try:
        lost_runs.close(engine, dt.datetime.now(dt.UTC))
    except DBAPIError as error:
        log.warning("cannot close the runs of a killed job", why=str(error.orig)[:200])


def _end(engine: Engine, run_id: int, outcome: Outcome, result: Any, seconds: float) -> None:
    """Write the account, waiting for a database that restarts."""
    until, pause = time.monotonic() + _PATIENCE, 0.5
    while True:
        try:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                now = dt.datetime.now(dt.UTC)
                connection.execute(
                    update(JobRunRow)
                    .where(JobRunRow.id == run_id)
                    .values(
                        status=outcome.status,
                        exit_code=outcome.exit_code,
                        message=outcome.message,
                        result=result,
                        seen_at=now,
                        finished_at=now,
                        seconds=seconds,
                    )
                )
            return
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(pause)
            pause = min(pause * 2, 10)


def _outcome(code: int, why: str, out: Path, errors: Path) -> Outcome:
    line = _last_line(errors)
    if why == STOPPED:
        return Outcome(STOPPED, code, "whoever ran it was told to stop", again=True)
    if why:
        return Outcome(FAILED, code, why)
    if code == 0:
        return Outcome(DONE, code, line)
    if code == 1:
        return Outcome(LOOK, code, line or "something needs a look", again=_failed_inside(_result(out)))
    if code == 2:
        return Outcome(FAILED, code, line)
    reason = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return Outcome(FAILED, code, f"{reason}: {line}" if line else reason, again=True)


def _failed_inside(result: Any) -> bool:
    """Whether a command that did its work reports a part that failed, or nothing at all: a later try may do it."""
    if result is None:
        return True
    rows = result if isinstance(result, list) else [result]
    return any(isinstance(row, dict) and "failed" in (row.get("status"), row.get("outcome")) for row in rows)


def _result(out: Path) -> Any:
    if out.stat().st_size > _RESULT_BYTES:
        return {"file": out.name}
    try:
        return json.loads(out.read_text("utf-8", "replace").replace("\\u0000", ""))
    except ValueError:
        return None


def _last_line(path: Path) -> str:
    """The newest full line a person may read; progress bars rewrite theirs with carriage returns."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = file.read().decode("utf-8", "replace").replace("\r", "\n").split("\n")
    words = [printable(line).strip() for line in lines if line.strip()]
    return words[-1][:500] if words else ""


def latest(engine: Engine) -> dict[str, Any]:
    """The newest run of each job, by name."""
    newest = select(sql.max(JobRunRow.id)).group_by(JobRunRow.job)
    with reading(engine) as connection:
        rows = connection.execute(select(JobRunRow).where(JobRunRow.id.in_(newest))).all()
    return {row.job: row for row in rows}
