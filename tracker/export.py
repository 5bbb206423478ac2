"""Takes bills out: jsonl (records that load again), csv, parquet, sqlite; all or by filter, with a manifest.

Every export reads one snapshot of the database, a few hundred bills at a time, writes beside its target and
puts the result in place at the end. ``PATH.manifest.json`` says what is in it: filters, counts, the newest
event, and the files' hashes.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, select

from tracker import spreadsheet
from tracker.bill_records import read_records
from tracker.bill_tables import table
from tracker.db import reading
from tracker.events import last_seq
from tracker.export_parts import ExportError, Manifest, Progress, batches, in_place, view_rows
from tracker.models.bills import BillRow
from tracker.search import matching
from tracker.search_index import catch_up
from tracker.search_sql import Query
from tracker.snapshot import write_snapshot

__all__ = ["ExportError", "Manifest", "bill_count", "export", "flat_bills"]

FORMATS = ("csv", "jsonl", "parquet", "sqlite")
BILL_COLUMNS = (
    "key", "ocd_id", "jurisdiction", "session", "identifier", "title", "chamber", "classification", "stage",
    "stage_date", "latest_action", "latest_action_date", "first_action_date", "subjects", "sponsors", "tags",
    "notes", "watch_lists", "first_seen", "last_changed", "last_seen", "vanished", "url",
)  # fmt: skip


def export(
    engine: Engine,
    format_: str,
    path: Path,
    query: Query | None = None,
    *,
    now: dt.datetime,
    progress: Progress | None = None,
) -> Manifest:
    """Write an export and its manifest. Raises :class:`ExportError` and ``QueryError``."""
    if format_ not in FORMATS:
        raise ExportError(f"an export is {', '.join(FORMATS)}, not {format_!r}")
    if format_ != "parquet" and path.is_dir():
        raise ExportError(f"{path} is a folder: name a file")
    query = query or Query()
    if query != Query():
        catch_up(engine)
    path.parent.mkdir(parents=True, exist_ok=True)
    with reading(engine) as connection:
        ids = _ids(connection, query)
        manifest = Manifest(format_, now.astimezone(dt.UTC).isoformat(), last_seq(connection), _filters(query))
        files = _writer(format_)(connection, path, ids, manifest, progress or (lambda done, total: None))
    for file in files:
        manifest.files.append({"name": file.name, "bytes": file.stat().st_size, "sha256": _sha256(file)})
    manifest_path = path.with_name(path.name + ".manifest.json")
    manifest_path.write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    return manifest


def _writer(format_: str) -> Callable[[Connection, Path, list[int], Manifest, Progress], list[Path]]:
    if format_ == "sqlite":
        return write_snapshot
    if format_ == "parquet":
        # Its library takes half a second to be imported.
        from tracker.parquet import write_parquet

        return write_parquet
    return _write_jsonl if format_ == "jsonl" else _write_csv


def _ids(connection: Connection, query: Query) -> list[int]:
    if query == Query():
        return list(connection.execute(select(BillRow.id).order_by(BillRow.id)).scalars())
    return sorted(matching(connection, query))


def _filters(query: Query) -> dict[str, Any]:
    usual = asdict(Query())
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in asdict(query).items()
        if value != usual[name] and name not in ("limit", "offset", "sort")
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _text_file(path: Path, compressed: bool) -> Iterator[IO[str]]:
    if compressed:
        # Without a time in it, the same bills give the same bytes.
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as packed:
            import io

            with io.TextIOWrapper(packed, "utf-8", newline="") as file:
                yield file
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file


def _write_jsonl(
    connection: Connection, path: Path, ids: list[int], manifest: Manifest, progress: Progress
) -> list[Path]:
    done = 0
    with in_place(path) as partial, _text_file(partial, path.suffix == ".gz") as file:
        for part in batches(ids):
            for record in read_records(connection, part):
                file.write(record.to_line() + "\n")
                done += 1
            progress(done, len(ids))
    manifest.counts["bills"] = done
    notes = list(_notes(connection, ids))
    if not notes:
        return [path]
    beside = path.with_name(path.name + ".notes.jsonl")
    with in_place(beside) as partial:
        partial.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in notes), "utf-8")
    manifest.counts["notes"] = len(notes)
    return [path, beside]


def _notes(connection: Connection, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    for view in ("v_notes", "v_watch"):
        for row in view_rows(connection, view, ids):
            yield {"kind": view.removeprefix("v_"), **{k: v for k, v in row.items() if k != "bill_id"}}


def _write_csv(
    connection: Connection, path: Path, ids: list[int], manifest: Manifest, progress: Progress
) -> list[Path]:
    def rows() -> Iterator[dict[str, Any]]:
        done = 0
        for part in batches(ids):
            yield from flat_bills(connection, part)
            done += len(part)
            progress(done, len(ids))

    with in_place(path) as partial, _text_file(partial, path.suffix == ".gz") as file:
        manifest.counts["bills"] = spreadsheet.write(file, BILL_COLUMNS, rows())
    return [path]


def flat_bills(connection: Connection, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Bills in one row each (:data:`BILL_COLUMNS`), with subjects, sponsors, tags and notes as lists."""
    lists: dict[str, dict[int, list[Any]]] = {
        name: defaultdict(list) for name in ("subjects", "sponsors", "notes", "watch_lists")
    }
    tags: dict[int, dict[str, float]] = defaultdict(dict)
    for row in view_rows(connection, "v_subjects", ids):
        lists["subjects"][row["bill_id"]].append(row["subject"])
    for row in view_rows(connection, "v_sponsors", ids):
        lists["sponsors"][row["bill_id"]].append(row["name"])
    for row in view_rows(connection, "v_notes", ids):
        noted = {name: row[name] for name in ("author", "note", "stance", "created")}
        lists["notes"][row["bill_id"]].append(noted)
    for row in view_rows(connection, "v_watch", ids):
        lists["watch_lists"][row["bill_id"]].append(row["watch_list"])
    for row in view_rows(connection, "v_tags", ids):
        if row["applied"] and row["strategy"] != "in_scope":
            tags[row["bill_id"]][row["strategy"]] = row["score"]
    for row in view_rows(connection, "v_bills", ids):
        bill = row["bill_id"]
        yield {
            **{name: row[name] for name in BILL_COLUMNS if name in row},
            "key": row["bill_key"],
            "classification": json.loads(row["classification"]),
            "tags": tags[bill],
            **{name: found[bill] for name, found in lists.items()},
        }


def bill_count(connection: Connection) -> int:
    """How many bills there are."""
    from sqlalchemy import func

    return int(connection.execute(select(func.count()).select_from(table(BillRow))).scalar_one())
