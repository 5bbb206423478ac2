"""The clock with real processes: jobs run at their time, once; a second clock refuses; a kill leaves nothing half."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Engine, select, text
from typer.main import get_command
from typer.testing import CliRunner

from tracker import clock, jobs, schedule, signs
from tracker.cli import build
from tracker.db import make_engine, reading, writing
from tracker.locks import Lock
from tracker.models.jobs import JobRunRow
from tracker.settings import Settings

COMMAND = [sys.executable, "-m", "tracker.cli"]


@pytest.fixture
def place(tmp_path: Path, var: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Settings]]:
    """An installation of its own on SQLite."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLTRACKER_HOME", str(var))
    monkeypatch.setenv("BILLTRACKER_JOBS", json.dumps({n: "off" for n in ("texts", "tags", "digests", "snapshot")}))
    settings = Settings()
    engine = make_engine(settings.url)
    yield engine, settings
    engine.dispose()


def billtracker(*words: str) -> Any:
    """A command in this process; its result has ``exit_code``, ``stdout`` and ``stderr``."""
    return CliRunner().invoke(build(), list(words))


def eventually(question: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return answer


def sleeper(seconds: float, **changes: Any) -> schedule.Job:
    """A job whose process sleeps: the clock runs `billtracker` only, so it is the runner that is tested."""
    values: dict[str, Any] = {
        "name": "health",
        "about": "",
        "command": ("sql", _slow(seconds)),
        "trigger": CronTrigger.from_crontab("0 0 1 1 *"),
        "lock": "health",
        "hours": 1.0,
    }
    return schedule.Job(**{**values, **changes})


def _slow(seconds: float) -> str:
    # Some millions of rows a second on any machine; read-only SQL has its own time limit.
    numbers = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {int(seconds * 5e6)}"
    return f"WITH RECURSIVE n(i) AS ({numbers}) SELECT max(i) FROM n"


def test_every_job_is_a_command_that_exists_and_has_json(place: tuple[Engine, Settings]) -> None:
    settings = place[1].model_copy(update={"jobs": {}, "scheduled_states": ["all"]})
    found = schedule.jobs(settings)
    assert len([name for name in found if name.startswith("crawl-")]) == 56
    root = get_command(build())
    for job in {job.command[0]: job for job in found.values()}.values():
        command: Any = root
        for word in job.words(settings, dt.datetime.now(dt.UTC)):
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, f"{job.name} runs `billtracker {word}`, which is not there"
            command = command.commands[word]
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options, f"{job.name}: {command.name} has no --json"
        assert {word for word in job.command if word.startswith("--")} <= options


def test_times_come_from_the_settings(place: tuple[Engine, Settings]) -> None:
    settings = place[1]
    changed = settings.model_copy(update={"jobs": {"backup": "0 2 * * *", "crawl-va": "off"}})
    assert "crawl-va" not in schedule.jobs(changed)
    assert "hour='2'" in str(schedule.jobs(changed)["backup"].trigger)
    with pytest.raises(schedule.ScheduleError, match="no job 'backups'"):
        schedule.jobs(settings.model_copy(update={"jobs": {"backups": "off"}}))
    with pytest.raises(schedule.ScheduleError, match="not a crontab line"):
        schedule.jobs(settings.model_copy(update={"jobs": {"backup": "at dawn"}}))


def test_the_store_keeps_what_is_paused_and_due(place: tuple[Engine, Settings]) -> None:
    engine, settings = place
    wanted = schedule.jobs(settings)
    with clock.opened(engine) as scheduler:
        clock.align(scheduler, wanted)
        scheduler.pause_job("backup", "default")
        due = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)
        scheduler.modify_job("health", "default", next_run_time=due)
    with clock.opened(engine) as scheduler:
        clock.align(scheduler, wanted)
        stored = clock.stored(scheduler)
        assert stored["backup"].next_run_time is None
        assert stored["health"].next_run_time == due, "what was missed while the clock stood still is still due"
        clock.align(scheduler, {name: wanted[name] for name in ("health", "checks")})
        assert set(clock.stored(scheduler)) == {"health", "checks"}


def test_a_missed_job_runs_once_and_a_second_clock_refuses(place: tuple[Engine, Settings]) -> None:
    engine, settings = place
    with clock.opened(engine) as scheduler:
        clock.align(scheduler, schedule.jobs(settings))
        for name in clock.stored(scheduler):
            if name != "health":
                scheduler.pause_job(name, "default")
        scheduler.modify_job("health", "default", next_run_time=dt.datetime.now(dt.UTC) - dt.timedelta(days=3))
    process = subprocess.Popen([*COMMAND, "schedule"], stderr=subprocess.PIPE, text=True)
    try:
        row = eventually(lambda: jobs.latest(engine).get("health") if _finished(engine) else None)
        assert row.status == "done" and row.exit_code == 0
        second = billtracker("schedule")
        assert second.exit_code == 1 and "a clock runs already" in second.stderr
        listed = json.loads(billtracker("schedule", "list", "--json").stdout)
        assert listed["clock"]["silent"] is False
        by_name = {entry["job"]: entry for entry in listed["jobs"]}
        assert by_name["health"]["state"] == "done" and by_name["backup"]["paused"]
        with reading(engine) as connection:
            assert connection.execute(text("SELECT count(*) FROM job_run")).scalar() == 1, "three days missed, one run"
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


def _finished(engine: Engine) -> bool:
    with reading(engine) as connection:
        return connection.execute(select(JobRunRow.id).where(JobRunRow.status != "running")).first() is not None


def test_pause_resume_and_run_by_hand(place: tuple[Engine, Settings]) -> None:
    engine, _ = place
    assert billtracker("schedule", "pause", "backup").exit_code == 0
    assert "runs next at" in billtracker("schedule", "resume", "backup").stdout
    wrong = billtracker("schedule", "pause", "nothing")
    assert wrong.exit_code == 2 and "there is no job 'nothing'" in wrong.stderr
    # a process of its own, which alone configures what is logged and where
    command = [sys.executable, "-m", "tracker.cli", "schedule", "run", "health", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["status"] == "done", done.stderr
    lock = Lock(engine, "job-health")
    assert lock.take()
    try:
        busy = billtracker("schedule", "run", "health")
    finally:
        lock.release()
    assert busy.exit_code == 1 and "runs already" in busy.stderr


@pytest.mark.slow
def test_a_killed_runner_takes_its_job_with_it_and_the_next_says_so(place: tuple[Engine, Settings]) -> None:
    engine, settings = place
    runner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from tests.tracker.test_schedule import *; s = Settings(); jobs.run(make_engine(s.url), s, sleeper(60))",
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    child = eventually(lambda: next(iter(psutil.Process(runner.pid).children()), None))
    eventually(lambda: "tracker.cli" in " ".join(child.cmdline()))
    time.sleep(0.5)
    runner.kill()
    runner.wait()
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert jobs.latest(engine)["health"].status == "running"
    outcome = jobs.run(engine, settings, sleeper(0, command=("health",)))
    assert outcome.status == "done"
    with reading(engine) as connection:
        assert connection.execute(select(JobRunRow.status).order_by(JobRunRow.id)).scalars().all() == ["lost", "done"]


def test_a_job_is_stopped_when_told_and_when_it_takes_too_long(place: tuple[Engine, Settings]) -> None:
    engine, settings = place
    assert jobs.run(engine, settings, sleeper(60), stop=lambda: True).status == "stopped"
    late = jobs.run(engine, settings, sleeper(60, hours=0.0001))
    assert late.status == "failed" and late.message.startswith("stopped after")


def test_a_wrong_command_fails_and_says_why(place: tuple[Engine, Settings]) -> None:
    engine, settings = place
    outcome = jobs.run(engine, settings, sleeper(0, command=("crawl", "zz", "--publish")))
    assert (outcome.status, outcome.exit_code, outcome.again) == ("failed", 2, False)
    assert "There is no jurisdiction" in jobs.latest(engine)["health"].message


def test_a_silent_clock_shows(place: tuple[Engine, Settings]) -> None:
    engine, _ = place
    assert "has never run" in billtracker("schedule", "list").stdout
    old = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    signs.give(engine, "here:1", old)
    with writing(engine) as connection:
        connection.execute(text("UPDATE heartbeat SET seen_at = :at"), {"at": "2026-01-01T00:00:00.000000Z"})
    done = billtracker("schedule", "list")
    assert done.exit_code == 1 and "stands still" in done.stdout
