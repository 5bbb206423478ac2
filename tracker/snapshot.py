"""A SQLite file of everything public, from either database, that Datasette opens with titles and questions.

The tables are the documented views under shorter names (bills, actions …) with a full-text table of titles;
the views' own names work, too, so that every documented question runs.
Subscribers, keys and what sites said of their pages are not in it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tracker import questions
from tracker.export_parts import Manifest, Progress, batches, in_place, view_rows
from tracker.view_columns import VIEWS

_TYPES = {"int": "INTEGER", "bool": "INTEGER", "float": "REAL"}
_INDEXES = {
    "bills": ("jurisdiction", "stage", "latest_action_date", "identifier"),
    "actions": ("date",),
    "tags": ("strategy",),
    "evidence": ("strategy",),
    "hearings": ("date",),
    "sponsors": ("name",),
    "subjects": ("subject",),
    "changes": ("kind",),
}
# Those with a place to fill in, and the ones of docs/querying.md.
QUERIES: dict[str, tuple[str, str]] = {
    "search_titles": (
        "Bills whose title has these words",
        "SELECT bills.bill_key, bills.title, bills.stage, bills.latest_action_date, bills.url FROM bills_fts"
        " JOIN bills ON bills.bill_id = bills_fts.rowid WHERE bills_fts MATCH"
        # Datasette opens a question with its places empty, which FTS5 cannot read.
        " CASE WHEN trim(:words) = '' THEN '\"\"' ELSE :words END ORDER BY rank LIMIT 100",
    ),
    "tagged_bills": (
        "Bills with a strategy, with the words that show it",
        "SELECT bills.bill_key, bills.title, tags.score, tags.quote, bills.stage, bills.latest_action_date, bills.url"
        " FROM tags JOIN bills USING (bill_id) WHERE tags.applied AND tags.strategy = :strategy"
        " ORDER BY bills.latest_action_date DESC",
    ),
    "changes_after": (
        "What happened after a sequence number",
        "SELECT seq, kind, jurisdiction, session, identifier, title, before, after, seen_at FROM changes"
        " WHERE seq > :after ORDER BY seq LIMIT 1000",
    ),
    "hearings_ahead": (
        "Hearings from a day on",
        "SELECT date, time, jurisdiction, identifier, title, committee, location, status FROM hearings"
        " WHERE date >= :day ORDER BY date, time",
    ),
    **{question.name: (question.words, question.sql) for question in questions.QUESTIONS},
}


def write_snapshot(
    connection: Connection, path: Path, ids: list[int], manifest: Manifest, progress: Progress
) -> list[Path]:
    """The snapshot, and beside it the metadata: ``datasette serve FILE --metadata FILE.metadata.json``."""
    with in_place(path) as partial, closing(sqlite3.connect(partial, isolation_level=None)) as target:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-64000"):
            target.execute(f"PRAGMA {pragma}")
        target.execute("BEGIN")
        for view in VIEWS:
            target.execute(_create(view))
            if "bill_id" not in VIEWS[view][1]:
                manifest.counts[view.removeprefix("v_")] = _insert(target, view, list(view_rows(connection, view)))
        done = 0
        for part in batches(ids):
            for view, (_, columns) in VIEWS.items():
                if "bill_id" in columns:
                    name = view.removeprefix("v_")
                    count = _insert(target, view, list(view_rows(connection, view, part)))
                    manifest.counts[name] = manifest.counts.get(name, 0) + count
            done += len(part)
            progress(done, len(ids))
        _finish(target)
        target.execute("COMMIT")
        target.execute("ANALYZE")
        target.execute("VACUUM")
    beside = path.with_name(path.name + ".metadata.json")
    beside.write_text(json.dumps(metadata(path.stem, manifest), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return [path, beside]


def _create(view: str) -> str:
    columns = [f'"{name}" {_TYPES.get(kind, "TEXT")}' for name, (kind, _) in VIEWS[view][1].items()]
    if view == "v_bills":
        columns[0] += " PRIMARY KEY"
    if view == "v_changes":
        columns[0] += " PRIMARY KEY"
    return f"CREATE TABLE {view.removeprefix('v_')} ({', '.join(columns)})"


def _insert(target: sqlite3.Connection, view: str, rows: Sequence[dict[str, Any]]) -> int:
    marks = ", ".join("?" * len(VIEWS[view][1]))
    target.executemany(f"INSERT INTO {view.removeprefix('v_')} VALUES ({marks})", [tuple(row.values()) for row in rows])
    return len(rows)


def _finish(target: sqlite3.Connection) -> None:
    for view, (_, columns) in VIEWS.items():
        table = view.removeprefix("v_")
        wanted = [*_INDEXES.get(table, ()), *(["bill_id"] if "bill_id" in columns and table != "bills" else [])]
        for column in wanted:
            target.execute(f"CREATE INDEX ix_{table}_{column} ON {table} ({column})")
        target.execute(f"CREATE VIEW {view} AS SELECT * FROM {table}")
    target.execute(
        "CREATE VIRTUAL TABLE bills_fts USING fts5(title, content='bills', content_rowid='bill_id', tokenize='porter')"
    )
    target.execute("INSERT INTO bills_fts(bills_fts) VALUES ('rebuild')")


def metadata(database: str, manifest: Manifest) -> dict[str, Any]:
    """Datasette's metadata: what each table and column means, and questions to start from."""
    return {
        "title": "Bill tracker",
        "description": f"Bills of US legislatures, as of event {manifest.last_seq} ({manifest.created_at}).",
        "databases": {
            database: {
                "tables": {
                    view.removeprefix("v_"): {
                        "description": about,
                        "columns": {name: meaning for name, (_, meaning) in columns.items()},
                    }
                    for view, (about, columns) in VIEWS.items()
                },
                "queries": {name: {"title": title, "sql": sql} for name, (title, sql) in QUERIES.items()},
            }
        },
    }
