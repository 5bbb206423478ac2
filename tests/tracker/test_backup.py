"""Copies of a database with data, and the way back, on both engines."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, func, select, text
from typer.testing import CliRunner

from tests.tracker.analysts import fill
from tracker import backup as copies
from tracker.cli import build
from tracker.db import make_engine, reading, writing
from tracker.locks import Lock
from tracker.models import Base
from tracker.settings import Settings
from tracker.signs import CLOCK

NOW = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "var")


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of ours."""
    with reading(engine) as connection:
        return {
            table.name: sorted(tuple(map(str, row)) for row in connection.execute(select(table)))
            for table in Base.metadata.sorted_tables
        }


def test_a_restored_copy_is_the_same_row_for_row(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    fill(engine)
    before = contents(engine)
    assert before["bill"] and before["tag_evidence"]
    made, _ = copies.backup(engine, tmp_path / "copy", now=NOW)
    assert made.stat().st_mode & 0o077 == 0, "readers' addresses are in it"
    with writing(engine) as connection:
        connection.execute(text("UPDATE bill SET title = 'overwritten'"))
        connection.execute(text("CREATE TABLE of_a_newer_version (id INTEGER)"))
    with pytest.raises(copies.BackupError, match="there is a database already"):
        copies.restore(engine, settings, made, now=NOW)
    kept = copies.restore(engine, settings, made, now=NOW, replace=True)
    assert contents(engine) == before
    assert kept is not None and kept.exists(), "what was replaced is kept"
    with engine.connect() as connection:
        assert not engine.dialect.has_table(connection, "of_a_newer_version")
    # And the log goes on where it was.
    with reading(engine) as connection:
        assert connection.execute(text("SELECT max(seq) FROM bill_event")).scalar()


def test_a_copy_taken_while_others_write_is_whole(sqlite: Engine, tmp_path: Path) -> None:
    fill(sqlite)
    stop = threading.Event()

    def write() -> None:
        other = make_engine(str(sqlite.url))
        while not stop.is_set():
            with writing(other) as connection:
                connection.execute(
                    text("INSERT INTO suppression (email_hash, reason, at) VALUES (hex(randomblob(8)), '', '')")
                )
        other.dispose()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for place in range(3):
            made, _ = copies.backup(sqlite, tmp_path / f"{place}.db", now=NOW)
            assert copies.check(made, sqlite)
    finally:
        stop.set()
        thread.join()


def test_only_the_newest_are_kept(sqlite: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    for day in range(4):
        made, gone = copies.backup(sqlite, folder, now=NOW + dt.timedelta(days=day), keep=2)
    assert made.name == "billtracker-20260304T040000.db"
    assert [path.name for path in gone] == ["billtracker-20260302T040000.db"]
    assert len(list(folder.iterdir())) == 2
    with pytest.raises(copies.BackupError, match="is there already"):
        copies.backup(sqlite, made, now=NOW)


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "other"])
def test_a_damaged_copy_is_refused_and_nothing_is_lost(
    sqlite: Engine, settings: Settings, tmp_path: Path, damage: str
) -> None:
    fill(sqlite)
    before = contents(sqlite)
    made, _ = copies.backup(sqlite, tmp_path / "copy.db", now=NOW)
    data = made.read_bytes()
    if damage == "cut":
        made.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        made.write_bytes(data[:8192] + os.urandom(40_000) + data[48_192:])
    elif damage == "text":
        made.write_text("not a database")
    else:
        made.unlink()
        with closing(sqlite3.connect(made)) as other:
            other.execute("CREATE TABLE t (i)")
    with pytest.raises(copies.BackupError, match=r"damaged|no copy of a database|not a bill tracker"):
        copies.restore(sqlite, settings, made, now=NOW, replace=True)
    assert contents(sqlite) == before


def test_a_copy_of_a_newer_version_is_refused(sqlite: Engine, tmp_path: Path) -> None:
    made, _ = copies.backup(sqlite, tmp_path / "copy.db", now=NOW)
    with closing(sqlite3.connect(made)) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(copies.BackupError, match="newer version"):
        copies.check(made, sqlite)


def test_no_restore_while_the_clock_runs(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    made, _ = copies.backup(engine, tmp_path / "copy", now=NOW)
    lock = Lock(engine, CLOCK)
    assert lock.take()
    try:
        with pytest.raises(copies.BackupError, match="the clock runs"):
            copies.restore(engine, settings, made, now=NOW, replace=True)
    finally:
        lock.release()


def test_a_missing_program_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(copies.BackupError, match="pg_nothing is not there: install"):
        copies._program("pg_nothing")


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLTRACKER_HOME", str(tmp_path / "one"))
    run = CliRunner().invoke
    assert run(build(), ["backup", str(tmp_path / "b.db"), "--json"]).exit_code == 0
    monkeypatch.setenv("BILLTRACKER_HOME", str(tmp_path / "two"))
    done = run(build(), ["restore", str(tmp_path / "b.db")])
    assert done.exit_code == 0, done.stderr
    engine = make_engine(Settings(home=tmp_path / "two").url)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(text("bill"))).scalar() == 0
        assert not MetaData().tables
    engine.dispose()
    again = run(build(), ["restore", str(tmp_path / "b.db")])
    assert again.exit_code == 1 and "--replace" in again.stderr
    assert run(build(), ["restore", str(tmp_path / "none.db")]).exit_code == 1
