"""Exports from either database: what goes out comes back the same."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from tests.tracker import analysts
from tracker import record_files, spreadsheet
from tracker.cli import build
from tracker.db import make_engine, reading, upgrade, writing
from tracker.export import ExportError, Manifest, export
from tracker.export_parts import view_rows
from tracker.ingest import Run, ingest
from tracker.notes import add_note, watch
from tracker.records import BillRecord
from tracker.search import Query
from tracker.snapshot import QUERIES
from tracker.view_columns import VIEWS


@pytest.fixture
def bills(engine: Engine) -> Engine:
    """The test bills with a text, tags, a note and a watch list."""
    analysts.fill(engine)
    with writing(engine) as connection:
        add_note(connection, "tx/89R/HB 12", author="Ana", note="=cmd", stance="support", now=analysts.NOW)
        watch(connection, "tx/89R/HB 12", "CTE", by="Ana", now=analysts.NOW)
    return engine


@pytest.fixture
def out(bills: Engine, tmp_path: Path) -> Callable[..., tuple[Path, Manifest]]:
    """Exports and checks the manifest against the files."""

    def make(format_: str, name: str, query: Query | None = None) -> tuple[Path, Manifest]:
        path = tmp_path / "out" / name
        manifest = export(bills, format_, path, query, now=analysts.NOW)
        written = json.loads(path.with_name(name + ".manifest.json").read_text())
        assert written["counts"] == manifest.counts and written["last_seq"] > 0
        for file in manifest.files:
            found = (path if path.is_dir() else path.parent) / file["name"]
            assert hashlib.sha256(found.read_bytes()).hexdigest() == file["sha256"]
        assert not list(path.parent.rglob("*.partial"))
        return path, manifest

    return make


def copy_of(path: Path, folder: Path) -> Engine:
    """An empty database with the exported records in it."""
    engine = make_engine(f"sqlite:///{folder / 'copy.db'}")
    upgrade(engine)
    report = ingest(engine, record_files.read(path), Run("file"), now=analysts.NOW + dt.timedelta(days=9))
    assert not report.rejected
    return engine


def test_jsonl_loads_again_as_the_same_records(out: Callable[..., tuple[Path, Manifest]], tmp_path: Path) -> None:
    path, manifest = out("jsonl", "bills.jsonl.gz")
    assert manifest.counts == {"bills": 9, "notes": 2}
    copy = copy_of(path, tmp_path)
    again = tmp_path / "again.jsonl.gz"
    export(copy, "jsonl", again, now=analysts.NOW)
    copy.dispose()
    first, second = gzip.decompress(path.read_bytes()), gzip.decompress(again.read_bytes())
    by_key = {record.key: record for record in map(BillRecord.model_validate_json, first.splitlines())}
    assert sorted(first.splitlines()) == sorted(second.splitlines())
    for given_ in analysts.BILLS:
        original = BillRecord.model_validate(given_)
        exported = by_key[original.key]
        for action in exported.actions:
            action.classification = []
        assert exported == original, original.key
    beside = [json.loads(line) for line in path.with_name("bills.jsonl.gz.notes.jsonl").read_text().splitlines()]
    assert [(row["kind"], row["identifier"]) for row in beside] == [("notes", "HB 12"), ("watch", "HB 12")]


def test_notes_and_watch_lists_move_with_the_records(
    bills: Engine, out: Callable[..., tuple[Path, Manifest]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = out("jsonl", "bills.jsonl")
    beside = path.with_name("bills.jsonl.notes.jsonl")
    lines = beside.read_text("utf-8").splitlines()
    broken = [
        "no JSON",
        "[]",
        json.dumps({**json.loads(lines[0]), "identifier": "HB 999"}),
        json.dumps({**json.loads(lines[0]), "stance": "loves"}),
    ]
    beside.write_text("\n".join([*lines, *broken]) + "\n", "utf-8")
    monkeypatch.setenv("BILLTRACKER_DATABASE_URL", f"sqlite:///{tmp_path / 'moved.db'}")
    for found in ("1 notes and 1 bills", "0 notes and 0 bills"):
        done = CliRunner().invoke(build(), ["ingest", str(path), "--json"])
        assert done.exit_code == 0 and len(json.loads(done.stdout)) > 1
        assert f"{found} on watch lists restored, 4 lines not usable" in done.stderr
    moved = make_engine(f"sqlite:///{tmp_path / 'moved.db'}")
    for view in ("v_notes", "v_watch"):
        with reading(bills) as before, reading(moved) as after:
            kept, come = (list(view_rows(connection, view)) for connection in (before, after))
        for row in [*kept, *come]:
            row.pop("bill_id")
        assert come == kept and kept
    moved.dispose()


def test_real_bills_come_back_the_same(sqlite: Engine, shared: Path, tmp_path: Path) -> None:
    corpus = record_files.read(shared / "corpus" / "bills-2025-2026.jsonl.gz")
    # Every 400th bill, so that many states are among them.
    chosen = [line for at, line in enumerate(corpus) if at % 400 == 0]
    ingest(sqlite, chosen, Run("file"), now=analysts.NOW)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    export(sqlite, "jsonl", first, now=analysts.NOW)
    copy = copy_of(first, tmp_path)
    export(copy, "jsonl", second, now=analysts.NOW)
    with reading(sqlite) as one, reading(copy) as two:
        for table in ("bill", "action", "sponsorship", "version", "version_link", "bill_subject", "bill_abstract"):
            count = text(f"SELECT count(*) FROM {table}")
            assert one.execute(count).scalar() == two.execute(count).scalar(), table
        stages = text("SELECT ocd_id, stage, latest_action, chamber FROM bill ORDER BY 1")
        assert one.execute(stages).all() == two.execute(stages).all()
    copy.dispose()
    assert sorted(first.read_bytes().splitlines()) == sorted(second.read_bytes().splitlines())
    assert len(first.read_bytes().splitlines()) == len(chosen)


@pytest.mark.parametrize("format_", ["csv", "sqlite", "parquet"])
def test_what_is_made_for_reading_is_not_taken_for_records(
    out: Callable[..., tuple[Path, Manifest]], format_: str
) -> None:
    path, _ = out(format_, f"bills.{format_}")
    with pytest.raises(record_files.FileError, match="use `billtracker export jsonl`"):
        list(record_files.read(path))


def test_csv_is_safe_and_comes_back(out: Callable[..., tuple[Path, Manifest]]) -> None:
    path, manifest = out("csv", "bills.csv")
    assert manifest.counts == {"bills": 9}
    with path.open(newline="", encoding="utf-8") as file:
        raw = list(csv.reader(file))
    assert not [c for row in raw for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r"))]
    with path.open(newline="", encoding="utf-8") as file:
        rows = {row["key"]: row for row in spreadsheet.read(file)}
    assert rows["co/2026A/HB 26-1001"]["title"].startswith("=cmd|")
    assert rows["md/2026/SB 44"]["title"].startswith("+1 Income")
    assert json.loads(rows["tx/89R/HB 12"]["sponsors"]) == ["Murphy, Carol A.", "Ortiz"]
    assert json.loads(rows["tx/89R/HB 12"]["tags"]) == {"tax_credits": 0.9}
    assert json.loads(rows["tx/89R/HB 12"]["watch_lists"]) == ["CTE"]
    assert json.loads(rows["tx/89R/HB 12"]["notes"])[0]["note"] == "=cmd"


@given(st.lists(st.text(alphabet="=+-@\t'\"ab,\n\r ＝é1", max_size=12), min_size=1, max_size=4))
def test_any_cell_comes_back(values: list[str]) -> None:
    import io

    names = [f"c{at}" for at in range(len(values))]
    out_ = io.StringIO(newline="")
    spreadsheet.write(out_, names, [dict(zip(names, values, strict=True))])
    (row,) = spreadsheet.read(io.StringIO(out_.getvalue(), newline=""))
    assert list(row.values()) == values


def test_numbers_stay_numbers() -> None:
    assert [spreadsheet.cell(v) for v in (-1, -0.5, True, None, "-1", "'x")] == [-1, -0.5, "true", "", "'-1", "''x"]


def test_parquet_has_every_table_with_types(bills: Engine, out: Callable[..., tuple[Path, Manifest]]) -> None:
    path, manifest = out("parquet", "tables")
    found = pq.read_table(path / "bills.parquet").to_pylist()
    assert len(found) == 9
    (bill,) = [row for row in found if row["bill_key"] == "tx/89R/HB 12"]
    assert bill["latest_action_date"] == dt.date(2026, 2, 1)
    assert bill["first_seen"] == analysts.NOW and bill["classification"] == ["bill"]
    with reading(bills) as connection:
        for name, count in manifest.counts.items():
            assert pq.read_metadata(path / f"{name}.parquet").num_rows == count
            assert connection.execute(text(f"SELECT count(*) FROM v_{name}")).scalar() == count


def test_the_snapshot_equals_the_views(bills: Engine, out: Callable[..., tuple[Path, Manifest]]) -> None:
    path, manifest = out("sqlite", "bills.db")
    snapshot = sqlite3.connect(path)
    tables = {row[0] for row in snapshot.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {view.removeprefix("v_") for view in VIEWS} <= tables
    assert not tables & {"subscriber", "api_key", "http_cache", "delivery"}
    with reading(bills) as connection:
        for view in VIEWS:
            name = view.removeprefix("v_")
            count = snapshot.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            assert count == connection.execute(text(f"SELECT count(*) FROM {view}")).scalar()
            assert manifest.counts.get(name, 0) == count
    values = {"words": "credit", "strategy": "tax_credits", "after": 0, "day": "2026-01-01"}
    for name, (_, sql) in QUERIES.items():
        rows = snapshot.execute(sql, values).fetchall()
        assert rows or name in ("law", "moved", "late", "lost", "retitled", "unreadable", "unknown"), name
    snapshot.close()


def test_datasette_opens_the_snapshot(out: Callable[..., tuple[Path, Manifest]]) -> None:
    app = pytest.importorskip("datasette.app", reason="the datasette extra is not installed")
    import asyncio

    path, _ = out("sqlite", "bills.db")
    metadata = json.loads(path.with_name("bills.db.metadata.json").read_text())

    async def ask() -> None:
        site = app.Datasette([str(path)], metadata=metadata)
        reply = await site.client.get("/bills/tagged_bills.json?strategy=tax_credits&_shape=array")
        assert reply.status_code == 200 and {row["bill_key"] for row in reply.json()} == {"tx/89R/HB 12", "tx/89R/SB 7"}
        for address in ("/bills", "/bills/bills", "/bills/v_tags"):
            assert (await site.client.get(address)).status_code == 200, address
        values = {"words": "credit", "strategy": "tax_credits", "after": 0, "day": "2026-01-01"}
        for name in QUERIES:
            assert (await site.client.get(f"/bills/{name}", params=values)).status_code == 200, name
            # As it opens, before anything is filled in.
            assert (await site.client.get(f"/bills/{name}")).status_code == 200, name

    asyncio.run(ask())


def test_both_databases_export_the_same_bytes(sqlite: Engine, postgres_engine: Engine, tmp_path: Path) -> None:
    files: dict[str, list[Any]] = {}
    for engine in (sqlite, postgres_engine):
        analysts.fill(engine)
        folder = tmp_path / engine.dialect.name
        for format_, file in (("jsonl", "b.jsonl"), ("csv", "b.csv"), ("sqlite", "b.db")):
            export(engine, format_, folder / file, now=analysts.NOW)
        with sqlite3.connect(folder / "b.db") as snapshot:
            tables = [
                snapshot.execute(f"SELECT * FROM {view.removeprefix('v_')} ORDER BY 1, 2, 3, 4, 5").fetchall()
                for view in VIEWS
            ]
        snapshot.close()
        files[engine.dialect.name] = [(folder / "b.jsonl").read_bytes(), (folder / "b.csv").read_bytes(), tables]
    assert files["sqlite"] == files["postgresql"]


def test_filters_and_counts(out: Callable[..., tuple[Path, Manifest]]) -> None:
    path, manifest = out("jsonl", "some.jsonl", Query("apprentice*", states=("tx",)))
    assert manifest.filters == {"text": "apprentice*", "states": ("tx",)} and manifest.counts["bills"] == 2
    assert {json.loads(line)["identifier"] for line in path.read_text().splitlines()} == {"HB 12", "SB 7"}
    _, nothing = out("csv", "none.csv", Query("nosuchword"))
    assert nothing.counts == {"bills": 0}


def test_what_cannot_be_written(sqlite: Engine, tmp_path: Path) -> None:
    with pytest.raises(ExportError):
        export(sqlite, "xlsx", tmp_path / "a", now=analysts.NOW)
    with pytest.raises(ExportError):
        export(sqlite, "csv", tmp_path, now=analysts.NOW)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError):
        export(sqlite, "parquet", tmp_path / "file", now=analysts.NOW)
