"""What grows over the years has a bound, and only that is deleted."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select
from typer.testing import CliRunner

from tracker import doctor, leftovers
from tracker.cli import build
from tracker.db import reading, writing
from tracker.models.jobs import JobRunRow
from tracker.settings import Settings

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def file(home: Path, name: str, days: float, size: int = 10) -> Path:
    """A file of so many bytes, last changed so many days ago."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    at = NOW.timestamp() - days * 86_400
    os.utime(path, (at, at))
    return path


def left(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def test_each_kind_has_its_bound(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, logs_days=30, outbox_days=7, backups_kept=2, replaced_days=90, records_days=30, logs_mb=0
    )
    gone = [
        ("logs/va-1.log", 31),
        ("logs/jobs/tags-2026.json", 31),
        ("records/texts-1.wanted.jsonl", 31),
        ("outbox/1.eml", 8),
        ("backups/billtracker-20260101T000000.db", 5),
        ("backups/billtracker-20260501T000000.db.partial", 3),
        ("backups/before-restore-20260101T000000.dump", 91),
        ("billtracker.db.before-20260101T000000", 91),
        ("billtracker.db.restoring", 3),
        ("snapshots/.bills.db.partial", 3),
        ("certificates/bundles/ab.pem", 31),
        ("certificates/bundles/12.partial", 31),
    ]
    kept = [
        ("logs/va-2.log", 29),
        ("logs/notes-of-ours.txt", 900),
        ("outbox/2.eml", 6),
        ("outbox/sent.mbox", 900),
        ("backups/billtracker-20260102T000000.db", 4),
        ("backups/billtracker-20260103T000000.db", 3),
        ("backups/before-the-move.db", 10),
        ("backups/mine.db", 900),
        ("billtracker.db", 900),
        ("secret-key", 900),
        ("certificates/ftp.example.gov.pem", 900),
        ("certificates/bundles/cd.pem", 2),
    ]
    for name, days in gone + kept:
        file(tmp_path, name, days)
    outside = file(tmp_path.parent, "outside.log", 900)
    (tmp_path / "logs" / "link.log").symlink_to(outside)
    counts = leftovers.clean(settings, NOW)
    assert left(tmp_path) == {name for name, _ in kept} | {"logs/link.log"} and outside.exists()
    assert sum(counts.values()) == len(gone) and leftovers.clean(settings, NOW) == {}


def test_logs_have_a_size_and_what_is_being_written_stays(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, logs_mb=2, logs_days=0)
    for day in range(1, 5):
        file(tmp_path, f"logs/{day}.log", day + 1, 900_000)
    file(tmp_path, "logs/running.log", 0.2, 1_500_000)
    assert leftovers.clean(settings, NOW) == {"logs": 4}, "the oldest go until there is room"
    file(tmp_path, "logs/running.log", 0.2, 9_000_000)
    assert leftovers.clean(settings, NOW) == {}


def test_accounts_of_jobs_are_forgotten_but_not_the_newest(engine: Engine) -> None:
    def run(job: str, days: int) -> dict[str, object]:
        at = NOW - dt.timedelta(days=days)
        values = {"status": "done", "attempt": 1, "runner": "here:1", "message": ""}
        return {"job": job, **values, "started_at": at, "seen_at": at, "finished_at": at}

    with writing(engine) as connection:
        connection.execute(insert(JobRunRow), [run("tags", 500), run("tags", 450), run("tags", 1), run("backup", 600)])
    assert leftovers.forget_runs(engine, 0, NOW) == 0
    assert leftovers.forget_runs(engine, 400, NOW) == 2
    with reading(engine) as connection:
        assert connection.execute(select(JobRunRow.job).order_by(JobRunRow.id)).scalars().all() == ["tags", "backup"]


def test_the_command_says_what_there_is_and_the_doctor_what_is_overdue(
    sqlite: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("BILLTRACKER_HOME", str(home))
    monkeypatch.setenv("BILLTRACKER_DATABASE_URL", str(sqlite.url))
    os.utime(file(home, "logs/va.log", 0, 2_000))
    old = file(home, "logs/md.log", 0, 1_000)
    os.utime(old, (1_000_000_000, 1_000_000_000))
    found = {finding.check: finding for finding in doctor.examine(sqlite, Settings(home=home), now=NOW)[0]}
    assert found["logs"].count == 1 and "billtracker clean" in found["logs"].do
    dry = CliRunner().invoke(build(), ["clean", "--dry-run"])
    assert dry.exit_code == 0 and "3,000" in dry.stdout and "1 files would go" in dry.stdout and old.exists()
    (row,) = json.loads(CliRunner().invoke(build(), ["clean", "--dry-run", "--json"]).stdout)["files"]
    assert (row["kind"], row["files"], row["past"], row["kept"]) == ("logs", 2, 1, "90 days, 1,000 MB")
    done = CliRunner().invoke(build(), ["clean"])
    assert done.exit_code == 0 and "deleted: 1 logs" in done.stdout and not old.exists()


def test_a_worker_cleans_its_own_machine_once_a_day(tmp_path: Path) -> None:
    daily = leftovers.Daily(Settings(home=tmp_path))
    file(tmp_path, "logs/a.log", 100)
    assert daily.look(NOW) == {"logs": 1}
    file(tmp_path, "logs/b.log", 100)
    assert daily.look(NOW + dt.timedelta(hours=23)) == {}
    assert daily.look(NOW + dt.timedelta(hours=25)) == {"logs": 1}
