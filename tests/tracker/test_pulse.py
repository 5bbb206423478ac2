"""Silence is found: of the clock, of crawls, of the mail; and an outside watcher hears when all is well."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, insert, text
from typer.testing import CliRunner

from tests.tracker.analysts import NOW, fill
from tracker import morning, pulse, signs
from tracker.cli import build
from tracker.db import make_engine, writing
from tracker.heartbeat import Heartbeat, refusal
from tracker.models.jobs import JobRunRow
from tracker.settings import Settings

HOUR = dt.timedelta(hours=1)


def test_a_new_installation_is_not_silent(engine: Engine) -> None:
    assert pulse.take(engine, now=NOW)["problems"] == []


def test_when_nothing_comes_any_more_somebody_hears(engine: Engine) -> None:
    fill(engine)
    assert pulse.take(engine, now=NOW + HOUR)["problems"] == []
    (problem,) = pulse.take(engine, now=NOW + 40 * HOUR)["problems"]
    assert problem == "no crawl of any jurisdiction has brought anything for 40 hours"


def test_crawls_that_run_over_a_log_that_stands_still(engine: Engine) -> None:
    fill(engine)  # Several of its legislatures sit in February.
    late = NOW + 4 * 24 * HOUR
    with writing(engine) as connection:
        connection.execute(text("UPDATE crawl_run SET finished_at = :at"), {"at": late.isoformat()})
    problems = pulse.take(engine, now=late)["problems"]
    assert any("legislatures sit, and nothing has changed" in problem for problem in problems)


def test_a_silent_clock_and_a_broken_job(engine: Engine) -> None:
    signs.give(engine, "here:1", NOW)
    now = dt.datetime.now(dt.UTC)
    with writing(engine) as connection:
        values = {"job": "crawl-va", "attempt": 1, "runner": "m:1", "message": "", "started_at": now, "seen_at": now}
        connection.execute(insert(JobRunRow).values(**values, status="failed"))
    problems = pulse.take(engine, now=now + 2 * HOUR)["problems"]
    assert "the clock stands still since 2 hours" in problems[0]
    assert "jobs ended badly: crawl-va" in problems[1]
    with writing(engine) as connection:
        connection.execute(insert(JobRunRow).values(**values, status="done"))
    assert len(pulse.take(engine, now=now)["problems"]) == 0


def test_the_heartbeat_is_sent_while_all_is_well_only(sqlite: Engine, tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/ping").respond_with_data("ok")
    httpserver.expect_request("/away").respond_with_data("", 302, {"Location": httpserver.url_for("/ping")})
    settings = Settings(home=tmp_path, heartbeat_url=SecretStr(httpserver.url_for("/ping")))
    fill(sqlite)
    heart = Heartbeat()
    assert heart.tell(sqlite, settings, NOW) is True
    assert heart.tell(sqlite, settings, NOW + dt.timedelta(minutes=1)) is False, "every five minutes is enough"
    assert heart.tell(sqlite, settings, NOW + 40 * HOUR) is False, "nothing happens: it stays silent"
    assert len(httpserver.log) == 1
    away = Settings(home=tmp_path, heartbeat_url=SecretStr(httpserver.url_for("/away")))
    assert Heartbeat().tell(sqlite, away, NOW) is False, "redirects are not followed"
    for bad in ("file:///etc/passwd", "http://127.0.0.1:1/", "nonsense"):
        assert Heartbeat().tell(sqlite, Settings(home=tmp_path, heartbeat_url=SecretStr(bad)), NOW) is False
    assert len(httpserver.log) == 2


@pytest.mark.parametrize(
    ("url", "well"),
    [
        ("https://hc-ping.com/3a0f", True),
        ("https://uptime.hc-ping.com/3a0f", True),
        ("http://127.0.0.1:9000/ping", True),
        ("http://hc-ping.com/3a0f", False),
        ("https://hc-ping.com.evil.example/3a0f", False),
        ("https://nothc-ping.com/", False),
        ("https://hc-ping.com@evil.example/", False),
        ("https://user@hc-ping.com/", False),
        ("https://169.254.169.254/latest/", False),
        ("ftp://hc-ping.com/", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_only_hosts_on_the_list_hear_the_heartbeat(url: str, well: bool) -> None:
    assert (refusal(url, Settings(home=Path("x")).heartbeat_hosts) == "") is well  # type: ignore[call-arg]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("BILLTRACKER_HOME", str(tmp_path))
    return Settings()


def test_a_backup_is_missed_after_two_days(engine: Engine, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)  # type: ignore[call-arg]

    def asked_for(hours: int) -> bool:
        return any("no good backup" in line for line in morning.page(engine, settings, now=NOW + hours * HOUR)["todo"])

    assert not asked_for(99)
    fill(engine)
    assert not asked_for(40)
    assert asked_for(99)
    with writing(engine) as connection:
        made = {"job": "backup", "status": "done", "attempt": 1, "message": "", "runner": ""}
        at = NOW + 90 * HOUR
        connection.execute(insert(JobRunRow).values(**made, started_at=at, seen_at=at, finished_at=at))
    assert not asked_for(99)
    assert asked_for(140)


def test_health_and_the_morning_page(installed: Settings) -> None:
    run = CliRunner().invoke
    assert run(build(), ["health"]).exit_code == 0
    assert "Nothing to do." in run(build(), ["morning"]).stdout
    engine = make_engine(installed.url)
    fill(engine)
    found = morning.page(engine, installed, now=NOW + HOUR)
    assert found["events"]["new_bill"] >= 5 and found["crawls"] == {"published": found["crawls"]["published"]}
    words = morning.text(found)
    assert "Changes:" in words and "Disk:" in words
    engine.dispose()
    done = run(build(), ["morning", "--json"])
    assert done.exit_code == 1 and any("no crawl of any" in sentence for sentence in json.loads(done.stdout)["todo"])
    degraded = run(build(), ["health", "--json"])
    assert degraded.exit_code == 1 and json.loads(degraded.stdout)["problems"]
