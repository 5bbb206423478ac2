"""Planner statistics after large loads, on both real databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from tests.tracker import analysts
from tracker import db, statistics
from tracker.db import make_engine, reading, writing
from tracker.ingest import Run, ingest
from tracker.search import Query, search
from tracker.search_index import catch_up


def known(engine: Engine) -> set[str]:
    """The tables that the database has statistics of."""
    postgres = engine.dialect.name == "postgresql"
    with reading(engine) as connection:
        if postgres:
            sql = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'"
        elif not connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")).first():
            return set()
        else:
            sql = "SELECT DISTINCT tbl FROM sqlite_stat1"
        return set(connection.execute(text(sql)).scalars())


def load(engine: Engine, count: int, first: int = 1) -> None:
    """So many bills, each with an action and a sponsor."""
    records = [
        analysts.bill(
            "tx",
            "89R",
            f"HB {number}",
            f"An act on matter {number}",
            sponsorships=[{"name": "Lopez", "classification": "primary", "primary": True, "entity_type": "person"}],
        )
        for number in range(first, first + count)
    ]
    assert ingest(engine, records, Run("file"), now=analysts.NOW).total("new") == count


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A hundred rows are a large load here."""
    monkeypatch.setattr(statistics, "LARGE", 100)
    yield 100


def test_a_large_load_and_its_index_leave_statistics(engine: Engine, limit: int) -> None:
    load(engine, limit)
    assert {"bill", "action", "sponsorship", "bill_event"} <= known(engine)
    assert "bill_search" not in known(engine)
    catch_up(engine)
    assert "bill_search" in known(engine)
    with reading(engine) as connection:
        assert search(connection, Query("HB 12")).total == 1


def test_a_small_load_does_not(engine: Engine, limit: int) -> None:
    load(engine, limit - 1)
    catch_up(engine)
    assert known(engine).isdisjoint({"bill", "bill_search"})


def test_a_load_that_is_little_of_a_large_table_does_not(engine: Engine) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "LARGE", 10)
        patch.setattr(statistics, "SHARE", 2)
        load(engine, 9)
        assert not statistics.refresh(engine, ["bill"], 4)
        load(engine, 41, first=10)
        assert not statistics.refresh(engine, ["bill_search", "bill"], 9)
        assert not statistics.refresh(engine, ["bill"], 24)
        assert statistics.refresh(engine, ["bill"], 25)


def test_statistics_do_not_wait_for_a_writer_on_postgresql(postgres_engine: Engine, limit: int) -> None:
    """Another process's load, open for as long as it likes, holds up nothing."""
    load(postgres_engine, limit - 1)
    done = threading.Event()

    def look() -> None:
        assert statistics.refresh(postgres_engine, ["bill"], limit)
        done.set()

    with writing(postgres_engine) as connection:
        connection.execute(text("UPDATE bill SET title = title"))
        thread = threading.Thread(target=look)
        thread.start()
        assert done.wait(10)
    thread.join()


def test_a_database_that_is_held_loses_no_load(sqlite: Engine, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    load(sqlite, limit - 1)
    monkeypatch.setattr(db, "BUSY_SECONDS", 0)
    hasty = make_engine(str(sqlite.url))
    with writing(sqlite):
        assert statistics.refresh(hasty, ["bill"], limit) is False
    assert statistics.refresh(hasty, ["bill"], limit) is True
    hasty.dispose()
