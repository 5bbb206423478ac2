"""A load that is killed leaves its run open; whoever looks next closes it, and one under way is left alone."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from tests.tracker.analysts import bill
from tracker import freshness, lost_runs
from tracker.cli import build
from tracker.db import reading, writing
from tracker.ingest import Run, ingest
from tracker.models.runs import CrawlRunRow

ROOT = Path(__file__).resolve().parents[2]
NOW = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
LOADER = """
import datetime as dt, json, sys, time
from tests.tracker.analysts import bill
from tracker import ingest
from tracker.db import make_engine

def stand_still(done):
    print(done, flush=True)
    time.sleep(60)

ingest.BATCH = 5
bills = [json.dumps(bill("tx", "89R", f"HB {n}", f"A bill {n}")) for n in range(1, 21)]
now = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
ingest.ingest(make_engine(sys.argv[1]), bills, ingest.Run("official"), now=now, progress=stand_still)
"""


@contextmanager
def loading(engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a load, its first batch stored."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOADER, engine.url.render_as_string(hide_password=False)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "5\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def found_lost(engine: Engine) -> dict[int, str]:
    """What is lost, once the server has noticed that a client is gone: PostgreSQL frees its locks a moment later."""
    for _ in range(200):
        if found := lost_runs.find(engine, NOW):
            return found
        time.sleep(0.05)
    return {}


def rows(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(CrawlRunRow).order_by(CrawlRunRow.id)))


def test_a_killed_load_is_closed_by_the_next(engine: Engine) -> None:
    with loading(engine) as process:
        (row,) = rows(engine)
        assert row.status == "running" and f":{process.pid}:" in row.runner
        assert lost_runs.close(engine, NOW + dt.timedelta(days=30)) == {}, "it lives, however long it takes"
        process.kill()
        process.wait()
        assert found_lost(engine) == {row.id: "tx"}
    other = bill("oh", "136", "HB 1", "Of another state")
    ingest(engine, [json.dumps(other)], Run("official"), now=NOW + dt.timedelta(minutes=5))
    killed, good = rows(engine)
    assert (killed.status, killed.finished_at) == ("failed", NOW + dt.timedelta(minutes=5))
    assert killed.reason.startswith("killed: ") and good.status == "published"
    state = next(row for row in freshness.survey(engine, now=NOW) if row["code"] == "tx")["freshness"]
    assert state["state"] == "failing" and "killed" in state["reason"] and state["bills"] == 5
    again = [json.dumps(bill("tx", "89R", f"HB {n}", f"A bill {n}")) for n in range(1, 21)]
    report = ingest(engine, again, Run("official"), now=NOW + dt.timedelta(minutes=10))
    assert (report.total("new"), report.total("unchanged")) == (15, 5)
    assert [row.status for row in rows(engine)] == ["failed", "published", "published"]


def test_a_run_without_a_runner_is_lost_after_half_a_day(engine: Engine) -> None:
    ingest(engine, [json.dumps(bill("tx", "89R", "HB 1", "A bill"))], Run("official"), now=NOW)
    with writing(engine) as connection:
        connection.execute(text("UPDATE crawl_run SET status = 'running', runner = ''"))
    assert lost_runs.find(engine, NOW + dt.timedelta(hours=11)) == {}
    assert len(lost_runs.find(engine, NOW + dt.timedelta(hours=13))) == 1


def test_what_a_killed_load_stored_of_another_source_is_known(engine: Engine) -> None:
    """What sites said of their pages' freshness is forgotten when the stored bills are another source's."""
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO http_cache (url, jurisdiction, etag, last_modified, body_hash, stamp, bill, checked_at,"
                " changed_at) VALUES ('https://x.example/', 'tx', 'e', '', '', '', '', :now, :now)"
            ),
            {"now": NOW.isoformat()},
        )
    with loading(engine):
        pass
    ingest(engine, [json.dumps(bill("tx", "89R", "HB 1", "A bill"))], Run("mirror"), now=NOW)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM http_cache")).scalar() == 0


def test_clean_closes_them_and_leaves_no_lock(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(str(sqlite.url.database)).parent
    monkeypatch.setenv("BILLTRACKER_HOME", str(home))
    monkeypatch.setenv("BILLTRACKER_DATABASE_URL", str(sqlite.url))
    with loading(sqlite):
        assert len(list((home / "locks").glob("load-*"))) == 1
    said = json.loads(CliRunner().invoke(build(), ["doctor", "--json"]).stdout)["findings"]
    assert [finding["check"] for finding in said] == ["runs"]
    dry = json.loads(CliRunner().invoke(build(), ["clean", "--dry-run", "--json"]).stdout)
    assert dry["runs_killed"] == 1
    assert json.loads(CliRunner().invoke(build(), ["clean", "--json"]).stdout)["runs_closed"] == 1
    assert not list((home / "locks").glob("load-*"))
    assert CliRunner().invoke(build(), ["doctor"]).exit_code == 0
