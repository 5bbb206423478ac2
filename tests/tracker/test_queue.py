"""The queue on a real PostgreSQL: one at a time, retries later and later, a dead worker's job taken over."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from tests.conftest import new_database
from tracker import clock, queue, schedule
from tracker.cli import build
from tracker.db import make_engine, reading
from tracker.models.jobs import JobRunRow
from tracker.settings import Settings


@pytest.fixture
def place(
    postgres_server: str, postgres_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Engine, Settings]]:
    """An installation of its own on PostgreSQL, with the queue's tables."""
    url = new_database(postgres_server, postgres_template)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLTRACKER_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("BILLTRACKER_DATABASE_URL", url)
    settings = Settings()
    engine = make_engine(url)
    queue.prepare(settings)
    yield engine, settings
    engine.dispose()


def a_job(name: str, *command: str, lock: str = "", retries: int = 4) -> schedule.Job:
    return schedule.Job(name, "", command, CronTrigger.from_crontab("0 0 1 1 *"), lock or name, 1, retries)


def work(settings: Settings) -> None:
    queue.work(settings, until_idle=True, at_once=2)


def runs(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(JobRunRow).order_by(JobRunRow.id)))


def test_a_job_waits_once_and_is_done_once(place: tuple[Engine, Settings]) -> None:
    engine, settings = place
    queue.prepare(settings)  # A second time changes nothing.
    job = schedule.job(settings, "health")
    assert queue.enqueue(settings, job) is True
    assert queue.enqueue(settings, job) is False
    assert [(row["job"], row["status"]) for row in queue.waiting(settings)] == [("health", "todo")]
    work(settings)
    assert [(run.job, run.status, run.exit_code) for run in runs(engine)] == [("health", "done", 0)]
    assert queue.waiting(settings) == []


def test_what_failed_comes_again_later(place: tuple[Engine, Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    engine, settings = place
    # A crawl without a network fails; no site is asked for anything.
    monkeypatch.setenv("BILLTRACKER_SOURCES", '{"va": "no-such-source"}')
    monkeypatch.setattr(schedule, "job", lambda _settings, name: a_job(name, "crawl", "va", "--source", "x"))
    queue.enqueue(settings, a_job("crawl-va", retries=1))
    work(settings)
    (run,) = runs(engine)
    assert run.status in ("look", "failed") and run.attempt == 1
    (again,) = queue.waiting(settings)
    assert (again["status"], again["attempts"]) == ("todo", 1)
    assert again["scheduled_at"] > dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30)
    assert queue.enqueue(settings, a_job("crawl-va")) is False, "what waits for another try is not doubled"
    with engine.begin() as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
    work(settings)
    assert [row["status"] for row in queue.waiting(settings)] == ["failed"], "it is given up after its tries"
    assert [run.attempt for run in runs(engine)] == [1, 2]


def test_the_pauses_grow() -> None:
    assert [queue.pause(n) for n in range(5)] == [60, 240, 960, 3600, 3600]


@pytest.mark.slow
def test_a_job_of_a_dead_worker_is_taken_over(place: tuple[Engine, Settings]) -> None:
    engine, settings = place
    queue.enqueue(settings, schedule.job(settings, "tags"))
    command = [sys.executable, "-m", "tracker.cli", "worker", "--dead-after", "3"]
    first = subprocess.Popen(command)
    try:
        end = time.monotonic() + 60
        while not runs(engine):
            assert time.monotonic() < end
            time.sleep(0.02)
        children = psutil.Process(first.pid).children(recursive=True)
    finally:
        first.kill()  # In the middle of the job, by all chance; what counts is that it never acknowledged it.
        first.wait()
    (waiting,) = queue.waiting(settings)
    assert waiting["status"] == "doing"
    second = subprocess.Popen(command)
    try:
        end = time.monotonic() + 60
        while queue.waiting(settings):
            assert time.monotonic() < end, queue.waiting(settings)
            time.sleep(0.2)
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0, "a worker that is told to end ends well"
    assert [run.status for run in runs(engine)] == ["lost", "done"]
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_the_clock_hands_jobs_to_the_queue(place: tuple[Engine, Settings]) -> None:
    _, settings = place
    clock.fire("health")
    clock.fire("health")
    assert [row["job"] for row in queue.waiting(settings)] == ["health"]


def test_workers_need_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLTRACKER_HOME", str(tmp_path))
    done = CliRunner().invoke(build(), ["worker"])
    assert done.exit_code == 2 and "workers need PostgreSQL" in done.stderr
