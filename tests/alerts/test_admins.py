"""The admins hear of trouble once, and once when it is over."""

from __future__ import annotations

import datetime as dt
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert

from alerts.admins import notify
from alerts.transport import Files, Outcome, Ready, at_once
from tracker import runs
from tracker.db import reading, writing
from tracker.ingest import Run, ingest
from tracker.models.jobs import JobRunRow
from tracker.models.runs import CrawlAlertRow, CrawlRunRow
from tracker.settings import Settings

NOW = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def setting(tmp_path: Path, **more: Any) -> Settings:
    given = {"silence_hours": 10_000.0, "alert_after_failures": 3, **more}
    return Settings(home=tmp_path, admins=["admin@example.org"], **given)


def good(engine: Engine, now: dt.datetime) -> None:
    """A run that brings a bill that moved the day before."""
    bill = {
        "jurisdiction": "va",
        "legislative_session": "2026",
        "identifier": "HB 1",
        "title": "A made-up bill",
        "actions": [{"date": (now - DAY).date().isoformat(), "description": "Read first time"}],
    }
    ingest(engine, [bill], Run("lis"), now=now)


def bad(engine: Engine, now: dt.datetime, status: str = "failed") -> None:
    with writing(engine) as connection:
        runs.hold(connection, "va", Run("lis"), "BILLS.CSV: the site's firewall\r\nBcc: x@y.z", now, status)


def test_one_mail_after_three_failures_and_one_when_it_is_well(engine: Engine, tmp_path: Path) -> None:
    box = Files(tmp_path / "outbox")
    good(engine, NOW)
    for day in range(1, 3):
        bad(engine, NOW + day * DAY, "held")
        assert notify(engine, setting(tmp_path), box, now=NOW + day * DAY)["trouble"] == []
    bad(engine, NOW + 3 * DAY)
    first = notify(engine, setting(tmp_path), box, now=NOW + 3 * DAY)
    assert (first["trouble"], first["told"]) == (["va"], ["admin@example.org"])
    for day in range(4, 7):
        bad(engine, NOW + day * DAY)
        assert notify(engine, setting(tmp_path), box, now=NOW + day * DAY)["told"] == []
    good(engine, NOW + 7 * DAY)
    assert notify(engine, setting(tmp_path), box, now=NOW + 7 * DAY)["well"] == ["va"]
    assert notify(engine, setting(tmp_path), box, now=NOW + 8 * DAY)["well"] == []
    mails = [message_from_bytes(p.read_bytes(), policy=policy.default) for p in sorted((tmp_path / "outbox").iterdir())]
    assert [mail["Subject"] for mail in mails] == ["crawls fail: Virginia", "well again: Virginia"]
    assert "firewall" in mails[0].get_content() and "Bcc" not in mails[0]
    for day in range(9, 12):
        bad(engine, NOW + day * DAY)
    assert notify(engine, setting(tmp_path), box, now=NOW + 12 * DAY)["trouble"] == ["va"]


def test_silence_is_trouble_though_every_run_is_good(engine: Engine, tmp_path: Path) -> None:
    good(engine, NOW - 25 * DAY)
    with writing(engine) as connection:
        row = {name: "" for name in ("session", "reason", "newest_action", "records_path")}
        row |= {name: 0 for name in ("bills", "new", "changed", "unchanged", "rejected", "events")}
        moments = {"started_at": NOW, "finished_at": NOW}
        values = {**row, **moments, "jurisdiction": "va", "source": "lis", "status": "published", "numbers": {}}
        connection.execute(insert(CrawlRunRow).values(**values, replayed=False, complete=True))
    report = notify(engine, setting(tmp_path), Files(tmp_path / "outbox"), now=NOW)
    assert report["trouble"] == ["va"]


def test_a_mail_that_nobody_took_is_sent_by_the_next_run(engine: Engine, tmp_path: Path) -> None:
    class Down:
        repeatable = False

        def send(self, mail: bytes, sender: str, to: str, name: str, *, ready: Ready = at_once) -> Outcome:
            return Outcome("deferred", "no route")

    good(engine, NOW)
    for day in range(1, 4):
        bad(engine, NOW + day * DAY)
    later = NOW + 3 * DAY
    assert notify(engine, setting(tmp_path), Down(), now=later)["errors"] == ["admin@example.org: deferred: no route"]
    with reading(engine) as connection:
        assert connection.execute(CrawlAlertRow.__table__.select()).all() == []
    assert notify(engine, setting(tmp_path), Files(tmp_path / "outbox"), now=later)["told"] == ["admin@example.org"]
    silent = Settings(home=tmp_path, alert_after_failures=1, silence_hours=10_000)  # type: ignore[call-arg]
    assert notify(engine, silent, Down(), now=later)["errors"] == []


def test_when_nothing_happens_the_admins_hear_once_and_once_when_it_is_over(engine: Engine, tmp_path: Path) -> None:
    box, settings = Files(tmp_path / "outbox"), setting(tmp_path, silence_hours=30)
    good(engine, NOW)
    assert notify(engine, settings, box, now=NOW + DAY)["service"] == []
    late = NOW + 2 * DAY
    with writing(engine) as connection:
        moments = {"started_at": late, "seen_at": late}
        row = {"job": "backup", "attempt": 1, "runner": "m:1", "message": "", "status": "failed", **moments}
        connection.execute(insert(JobRunRow).values(**row))
        connection.execute(insert(JobRunRow).values(**row | {"job": "crawl-va"}))
    first = notify(engine, settings, box, now=late)
    assert first["service"] == [
        "jobs ended badly: backup, crawl-va; see `billtracker schedule list`",
        "no crawl of any jurisdiction has brought anything for 2 days",
    ]
    assert notify(engine, settings, box, now=late + DAY / 4)["told"] == [], "once is enough"
    good(engine, late + DAY)
    with writing(engine) as connection:
        connection.execute(insert(JobRunRow).values(**row | {"status": "done"}))
    assert notify(engine, settings, box, now=late + DAY)["service_well"] == ["crawls", "job backup"]
    assert notify(engine, settings, box, now=late + DAY)["told"] == []
    mails = [message_from_bytes(p.read_bytes(), policy=policy.default) for p in sorted((tmp_path / "outbox").iterdir())]
    assert [mail["Subject"] for mail in mails] == [
        "the service needs you: crawls, job backup",
        "well again: crawls, job backup",
    ]
    assert "has brought anything for 2 days" in mails[0].get_content()
    assert "Over: crawls bring bills again." in mails[1].get_content()
