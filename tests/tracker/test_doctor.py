"""The doctor on damaged databases: each damage is found, named, and has a remedy that works where it is a command."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from tests.tracker.analysts import NOW, fill, tag
from tracker import doctor, record_files, signs
from tracker.cli import build
from tracker.db import writing
from tracker.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "var"
    home.mkdir()
    return Settings(home=home)


def damage(engine: Engine, *statements: str) -> None:
    """Statements that no part of the program would make, with the database's own guards off."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(engine.url.database))) as plain, plain:
            for statement in statements:
                plain.execute(statement)
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(text(statement))
        connection.invalidate()


def findings(engine: Engine, settings: Settings, now: dt.datetime = NOW) -> dict[str, doctor.Finding]:
    return {finding.check: finding for finding in doctor.examine(engine, settings, now=now)[0]}


def test_a_sound_database_has_no_findings(engine: Engine, settings: Settings) -> None:
    fill(engine)
    found, names = doctor.examine(engine, settings, now=NOW)
    assert found == [] and len(names) >= 8


DAMAGES = {
    "events_without_bills": "INSERT INTO bill_event (bill_id, kind, seen_at) VALUES (999999, 'title', '2026-01-01')",
    "bills_without_events": "DELETE FROM bill_event WHERE kind = 'new_bill'",
    "tags_without_evidence": "DELETE FROM tag_evidence",
    "quotes": "UPDATE tag_evidence SET quote = 'words that nobody wrote'",
    "views": "UPDATE bill SET session_id = 999999 WHERE jurisdiction = 'tx'",
    "runs": "UPDATE crawl_run SET status = 'running', started_at = '2026-01-01T00:00:00.000000Z'",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found(engine: Engine, settings: Settings, name: str) -> None:
    fill(engine)
    damage(engine, DAMAGES[name])
    found = findings(engine, settings)
    assert name in found and found[name].count > 0
    assert found[name].do


def test_the_remedy_for_wrong_quotes_works(engine: Engine, settings: Settings) -> None:
    fill(engine)
    damage(engine, "UPDATE tag_evidence SET start_offset = start_offset + 1, end_offset = end_offset + 1")
    assert "quotes" in findings(engine, settings)
    damage(engine, "UPDATE bill SET tagged_at = NULL")
    tag(engine, NOW + dt.timedelta(hours=1))
    assert "quotes" not in findings(engine, settings, NOW + dt.timedelta(hours=2))


def test_stuck_mail_and_readers_ahead(engine: Engine, settings: Settings) -> None:
    fill(engine)
    old = "'2026-01-01T00:00:00.000000Z'"
    yes, no = ("true", "false") if engine.dialect.name == "postgresql" else ("1", "0")
    damage(
        engine,
        "INSERT INTO subscriber (id, email, confirmed, cadence, timezone, min_score, paused, token_seed, created_at,"
        f" last_seq) VALUES (1, 'ann@example.org', {yes}, 'weekly', 'UTC', 0, {no}, 's', {old}, 10000000)",
        "INSERT INTO delivery (id, issue_id, subscriber_id, message_id, state, attempts, last_error, planned_at)"
        f" VALUES (1, 1, 1, '<m>', 'deferred', 3, 'connection refused', {old})",
    )
    found = findings(engine, settings)
    assert found["readers_ahead_of_the_log"].example == "ann@example.org"
    assert found["deliveries"].example == "connection refused"


def test_counters_that_lag_behind_are_found(postgres_engine: Engine, settings: Settings) -> None:
    fill(postgres_engine)
    damage(postgres_engine, "SELECT setval(pg_get_serial_sequence('action', 'id'), 1)")
    found = findings(postgres_engine, settings)["sequences"]
    assert found.example == "action.id"
    damage(postgres_engine, found.do.removeprefix("as the owner: "))
    assert "sequences" not in findings(postgres_engine, settings)


def test_a_silent_clock_and_an_open_key(sqlite: Engine, settings: Settings) -> None:
    signs.give(sqlite, "here:1", NOW)
    key = settings.home / "secret-key"
    key.write_text("k")
    key.chmod(0o644)
    found = findings(sqlite, settings, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    assert {"clock", "secret_key"} <= found.keys()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLTRACKER_HOME", str(tmp_path))
    done = CliRunner().invoke(build(), ["doctor", "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["findings"] == []
    from tracker.db import make_engine

    engine = make_engine(Settings(home=tmp_path).url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE bill_search_state SET seq = 0"))
    fill(engine)
    damage(engine, "DELETE FROM tag_evidence")
    engine.dispose()
    broken = CliRunner().invoke(build(), ["doctor"])
    assert broken.exit_code == 1 and "classify --all" in broken.stdout


def test_old_records_are_cleaned_after_a_load_and_told_of_until_then(engine: Engine, settings: Settings) -> None:
    settings.records.mkdir()
    names = ("va-1.jsonl", "va-1.run.json", "va-2.jsonl", "unfinished-va-lis-2026.jsonl", "notes.txt")
    for name in names:
        (settings.records / name).write_text("x")
    for name in names[:2] + names[3:]:
        age = NOW.timestamp() - 45 * 86_400
        os.utime(settings.records / name, (age, age))
    os.utime(settings.records / "va-2.jsonl", (NOW.timestamp(), NOW.timestamp()))
    assert findings(engine, settings)["records"].count == 3
    assert "records" not in findings(engine, Settings(home=settings.home, records_days=0))
    assert record_files.clean(settings.records, 0, NOW) == 0
    assert record_files.clean(settings.records, settings.records_days, NOW) == 3
    assert sorted(file.name for file in settings.records.iterdir()) == ["notes.txt", "va-2.jsonl"]
    assert "records" not in findings(engine, settings)
    assert record_files.clean(settings.home / "nowhere", 30, NOW) == 0


def test_a_file_with_damaged_pages_is_told_of_and_a_copy_brings_it_back(
    sqlite: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages overwritten on the disk, from the middle on: the doctor does not stumble, and its remedy works."""
    fill(sqlite)
    path = Path(str(sqlite.url.database))
    monkeypatch.setenv("BILLTRACKER_HOME", str(settings.home))
    monkeypatch.setenv("BILLTRACKER_DATABASE_URL", str(sqlite.url))
    copy = settings.home / "copy.db"
    assert CliRunner().invoke(build(), ["backup", str(copy)]).exit_code == 0
    with sqlite.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    sqlite.dispose()
    size = path.stat().st_size
    with path.open("r+b") as file:
        for at in range(size // 3 // 4096 * 4096, size, 4096):
            file.seek(at)
            file.write(b"\xff" * 4096)
    done = CliRunner().invoke(build(), ["doctor"])
    assert done.exit_code == 1 and "file: " in done.stdout and "restore" in done.stdout, done.output
    assert CliRunner().invoke(build(), ["restore", str(copy), "--replace"]).exit_code == 0
    assert CliRunner().invoke(build(), ["doctor"]).exit_code == 0
