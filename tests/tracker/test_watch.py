"""When clock or workers stand still, whoever still runs mails the admins: real processes, a real queue."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.conftest import new_database
from tracker import clock, pulse, queue, schedule, signs
from tracker.db import make_engine, writing
from tracker.settings import Settings
from tracker.watch import Watch

HOUR = dt.timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, var: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation with an admin, on each database."""
    monkeypatch.chdir(var.parent)
    monkeypatch.setenv("BILLTRACKER_HOME", str(var))
    monkeypatch.setenv("BILLTRACKER_ADMINS", '["admin@example.org"]')
    if request.param == "postgresql":
        server, template = (request.getfixturevalue(f"postgres_{name}") for name in ("server", "template"))
        monkeypatch.setenv("BILLTRACKER_DATABASE_URL", new_database(server, template))
    yield Settings()


@pytest.fixture
def engine(place: Settings) -> Iterator[Engine]:
    made = make_engine(place.url)
    yield made
    made.dispose()


def mails(settings: Settings) -> list[EmailMessage]:
    found = sorted(settings.outbox.glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]  # type: ignore[misc]


def test_a_clock_that_stands_still_is_told_by_whoever_still_runs(engine: Engine, place: Settings) -> None:
    now = dt.datetime.now(dt.UTC)
    watch = Watch(engine, place)
    assert watch.look(now) is False, "there was never a clock: a new installation"
    signs.give(engine, "here:1", now)
    assert watch.look(now + HOUR / 60) is False, "it looks every ten minutes"
    assert Watch(engine, place).look(now) is False, "it lives"
    with writing(engine) as connection:
        connection.execute(text("UPDATE heartbeat SET seen_at = :at"), {"at": (now - HOUR).isoformat()})
    first, second = Watch(engine, place), Watch(engine, place)
    for each in (first, second):
        assert each.look(now) is True
    for each in (first, second):
        assert each.telling is not None
        each.telling.join(60)
    (mail,) = mails(place)
    assert mail["Subject"] == "the service needs you: clock" and mail["To"] == "admin@example.org"
    assert "the clock stands still since" in mail.get_content()


def test_a_due_job_that_nobody_begins_is_trouble(engine: Engine, place: Settings) -> None:
    now = dt.datetime.now(dt.UTC)
    signs.give(engine, "here:1", now)
    with clock.opened(engine) as scheduler:
        clock.align(scheduler, {"backup": schedule.job(place, "backup"), "tags": schedule.job(place, "tags")})
        scheduler.pause_job("tags", "default")
    assert pulse.take(engine, now=now)["problems"] == []
    with writing(engine) as connection:
        at = (now - 3 * HOUR).timestamp()
        connection.execute(text("UPDATE apscheduler_jobs SET next_run_time = :at WHERE id = 'backup'"), {"at": at})
    (problem,) = pulse.take(engine, now=now)["problems"]
    assert problem == "due and not begun since 3 hours: backup; the clock's log says why"


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_without_a_worker_the_clock_tells_the_admins_itself(engine: Engine, place: Settings) -> None:
    queue.prepare(place)
    signs.give(engine, "here:1", dt.datetime.now(dt.UTC))
    clock.fire("tags")
    assert [row["job"] for row in queue.waiting(place)] == ["tags"]
    with writing(engine) as connection:
        connection.execute(text("UPDATE procrastinate_events SET at = now() - interval '3 hours'"))
    start = time.monotonic()
    clock.fire("alerts")  # Not into the queue, where nobody would take it.
    assert time.monotonic() - start < 60
    (mail,) = mails(place)
    assert mail["Subject"] == "the service needs you: workers"
    assert "no worker takes what waits since 3 hours: tags; start `billtracker worker`" in mail.get_content()


def test_a_clock_that_was_set_back_does_not_stop_the_jobs(engine: Engine, place: Settings) -> None:
    """A machine that started with next year's date put its jobs there; they take their moments anew."""
    now = dt.datetime.now(dt.UTC)
    names = ("backup", "tags", "crawl-va")
    with clock.opened(engine) as scheduler:
        clock.align(scheduler, {name: schedule.job(place, name) for name in names})
        assert clock.settle(scheduler, now) == [], "what is right stays"
        scheduler.pause_job("tags", "default")
        scheduler.modify_job("backup", "default", next_run_time=now + 9000 * HOUR)
        scheduler.modify_job("crawl-va", "default", next_run_time=now - HOUR)
        assert clock.settle(scheduler, now) == ["backup"], "what is due stays due, what is paused stays paused"
        stored = clock.stored(scheduler)
    assert now < stored["backup"].next_run_time <= now + 25 * HOUR
    assert stored["tags"].next_run_time is None and stored["crawl-va"].next_run_time < now
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM heartbeat"))
    signs.give(engine, "here:1", now)
    with writing(engine) as connection:
        connection.execute(text("UPDATE heartbeat SET seen_at = :at"), {"at": (now + 9000 * HOUR).isoformat()})
    assert "the clock stands still" in pulse.take(engine, now=now)["problems"][0], "a sign from the future is none"
