"""The database that the benchmarks of search and pages ask: a corpus of real bills, and many long texts.

    python benchmarks/corpus_database.py DATABASE-URL BILLS.jsonl.gz TEXTS.jsonl.gz [COUNT]

Loads BILLS, gives COUNT of them (20,000 if not said) a text made from TEXTS, tags those that have one, and
builds the search index. Each text is used several times, every time with its sentences turned to another
beginning and some left out, so that no two are the same. A database that is already there is left as it is.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import random
import re
import sys
import time
from pathlib import Path

from sqlalchemy import Engine, select, text

from tracker import record_files
from tracker.bill_tables import table
from tracker.classify import Classifier
from tracker.db import insert_rows, make_engine, reading, reserve_ids, upgrade, writing
from tracker.ingest import Run, ingest
from tracker.models.base import stamp
from tracker.models.bills import BillTextRow, VersionRow
from tracker.search_index import reindex
from tracker.tagging import tag_bills

COUNT = 20_000
TAGGED = 2_000
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
_VERSION = ["id", "bill_id", "ordinal", "note", "date", "first_seen_at"]
_TEXT = ["bill_id", "version_id", "url", "media_type", "status", "reason", "extractor", "sha256", "text", "struck",
         "added", "words", "fetched_at"]  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.;:])\s+")


def varied(source: str, place: int) -> str:
    """The text from another beginning, without some of its sentences; the same for the same place."""
    sentences = _SENTENCE.split(source)
    chance = random.Random(place)  # noqa: S311
    at = chance.randrange(len(sentences))
    kept = [s for s in sentences[at:] + sentences[:at] if chance.random() > 0.1]
    return "\n\n".join(kept)


def add_texts(engine: Engine, path: Path, count: int) -> list[int]:
    """Give every n-th bill a version and a text; returns the bills."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    with reading(engine) as connection:
        ids = list(connection.execute(text("SELECT id FROM bill ORDER BY id")).scalars())
        has = dict(
            connection.execute(select(VersionRow.bill_id, VersionRow.id).order_by(VersionRow.id.desc())).all()  # type: ignore[arg-type]
        )
    chosen = ids[:: max(len(ids) // count, 1)][:count]
    for start in range(0, len(chosen), 500):
        part = chosen[start : start + 500]
        with writing(engine) as connection:
            missing = [bill for bill in part if bill not in has]
            keys = reserve_ids(connection, table(VersionRow), len(missing))
            has |= dict(zip(missing, keys, strict=True))
            rows = [(has[b], b, 0, "Introduced", None, stamp(NOW)) for b in missing]
            insert_rows(connection, table(VersionRow), _VERSION, rows)
            bodies = [varied(texts[place % len(texts)], place) for place in range(start, start + len(part))]
            made = [_text_row(bill, has[bill], body) for bill, body in zip(part, bodies, strict=True)]
            insert_rows(connection, table(BillTextRow), _TEXT, made)
    return chosen


def add_second_versions(engine: Engine, bills: list[int]) -> None:
    """Every tenth bill gets an engrossed version: the same text with some sentences less."""
    chosen = bills[::10]
    for start in range(0, len(chosen), 500):
        part = chosen[start : start + 500]
        with writing(engine) as connection:
            first = connection.execute(
                select(BillTextRow.bill_id, BillTextRow.text).where(BillTextRow.bill_id.in_(part))
            ).all()
            keys = reserve_ids(connection, table(VersionRow), len(first))
            rows = [(key, bill, 1, "Engrossed", None, stamp(NOW)) for key, (bill, _) in zip(keys, first, strict=True)]
            insert_rows(connection, table(VersionRow), _VERSION, rows)
            changed = [
                (bill, key, "\n\n".join(s for n, s in enumerate(body.split("\n\n"), bill) if n % 20))
                for key, (bill, body) in zip(keys, first, strict=True)
            ]
            insert_rows(connection, table(BillTextRow), _TEXT, [_text_row(*row) for row in changed])


def _text_row(bill: int, version: int, body: str) -> tuple[object, ...]:
    address, digest = "https://legislature.example/text", hashlib.sha256(body.encode()).hexdigest()
    count = len(body.split())
    return (bill, version, address, "text/html", "ok", "", "benchmark", digest, body, "[]", "[]", count, stamp(NOW))


def build(url: str, bills: Path, texts: Path, count: int = COUNT, tagged: int = TAGGED) -> Engine:
    """The database at that address, filled if it is empty."""
    engine = make_engine(url)
    upgrade(engine)
    with reading(engine) as connection:
        if connection.execute(text("SELECT count(*) FROM bill_search")).scalar_one():
            return engine
    steps = [time.perf_counter()]

    def done(what: str) -> None:
        steps.append(time.perf_counter())
        print(f"{what} in {steps[-1] - steps[-2]:.0f} s", file=sys.stderr)

    ingest(engine, record_files.read(bills), Run("file"), now=NOW)
    done("bills loaded")
    chosen = add_texts(engine, texts, count)
    add_second_versions(engine, chosen)
    done("texts added")
    tag_bills(engine, Classifier.load(), now=NOW, bill_ids=chosen[:: max(len(chosen) // tagged, 1)][:tagged])
    done("bills tagged")
    reindex(engine)
    done("index built")
    return engine


if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *map(int, sys.argv[4:5]))
