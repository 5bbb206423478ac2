"""Load a corpus into SQLite, twice, against a bare ``executemany`` of the same rows in the same run.

    python benchmarks/ingest.py ../shared/corpus/bills-2025-2026.jsonl.gz

Prints seconds, the ratio to the floor, events of the second load, and peak memory of the loading process and
of the one that reads records beside it.
The floor inserts the very rows that the load produced, read back from its database, into the same tables
with the same indexes, in batches of the same number of bills.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from tracker import record_files
from tracker.db import make_engine, upgrade
from tracker.ingest import Run, ingest

TABLES = [
    "jurisdiction",
    "session",
    "crawl_run",
    "bill",
    "bill_title",
    "bill_abstract",
    "bill_subject",
    "action",
    "sponsorship",
    "version",
    "version_link",
    "related_bill",
    "hearing",
    "bill_event",
    "crawl_issue",
]
ROWS_AT_ONCE = 5_000


def load(path: Path, database: Path) -> tuple[float, int, int]:
    """Seconds, bills and events of one load."""
    engine = make_engine(f"sqlite:///{database}")
    upgrade(engine)
    start = time.perf_counter()
    report = ingest(engine, record_files.read(path), Run("file"), now=dt.datetime.now(dt.UTC))
    seconds = time.perf_counter() - start
    engine.dispose()
    return seconds, report.total("bills"), report.total("events")


def floor(loaded: Path, database: Path) -> tuple[float, int]:
    """Seconds and rows of inserting the same rows with nothing around it."""
    engine = make_engine(f"sqlite:///{database}")
    upgrade(engine)
    engine.dispose()
    source, target = sqlite3.connect(loaded), sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-64000"):
        target.execute(f"PRAGMA {pragma}")
    seconds, total = 0.0, 0
    for table in TABLES:
        rows = source.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        start = time.perf_counter()
        for at in range(0, len(rows), ROWS_AT_ONCE):
            target.execute("BEGIN IMMEDIATE")
            target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows[at : at + ROWS_AT_ONCE])
            target.execute("COMMIT")
        seconds += time.perf_counter() - start
        total += len(rows)
    return seconds, total


def main() -> None:
    """Run it and print one JSON object."""
    path = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "load.db"
        first, bills, events = load(path, database)
        second, _, events_again = load(path, database)
        memory = (
            sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024
        )
        bare, rows = floor(database, Path(folder) / "floor.db")
    result = {
        "bills": bills,
        "rows": rows,
        "first_s": round(first, 1),
        "floor_s": round(bare, 1),
        "first_over_floor": round(first / bare, 2),
        "second_s": round(second, 1),
        "second_over_first": round(second / first, 2),
        "events_first": events,
        "events_second": events_again,
        "peak_memory_mib": memory,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
