"""Keeps the full-text index beside the bills: FTS5 on SQLite, a GIN index of words on PostgreSQL.

Loading bills never waits for it. :func:`catch_up` is a separate, quick step that looks up what changed since
the last event it read. A document's key starts with the day of the bill's latest action, so that both
databases hand out the newest first without sorting. What is indexed: title, abstracts, the number, and the
latest readable text; and as words of their own state, session, chamber, class, stage, subjects and sponsors,
so that a filter costs as little as a word. The sketches that find similar bills are such words, too.
"""

from __future__ import annotations

import datetime as dt
import itertools
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, bindparam, column, select, text
from sqlalchemy import table as sql_table

from tracker import query, sketches, statistics
from tracker.db import insert_rows, reading, writing
from tracker.models.bills import BillRow, SponsorshipRow
from tracker.tagging import read_bills
from tracker.words import words

BATCH = 500
# Words of one text that are indexed: 60,000 without small words is a bill of some 300 pages.
MAX_WORDS = 60_000
KEY_SHIFT = 36
# Stands between two titles or abstracts, so that no phrase runs from one into the next.
BREAK = "x__break"

_COLUMNS_SQLITE = ("doc_id", "bill_id", "record_hash", "tokens")
_COLUMNS_POSTGRESQL = (*_COLUMNS_SQLITE, "lexemes")
_TABLE = Table("bill_search", MetaData())


@dataclass(frozen=True)
class Document:
    """One bill as it is indexed."""

    doc_id: int
    bill_id: int
    record_hash: bytes
    title: list[str]
    abstract: list[str]
    body: list[str]
    marks: list[str]

    @property
    def tokens(self) -> str:
        """All words as one text, the three fields apart: `` tax credit | … | … ``."""
        return f" {' '.join(self.title)} | {' '.join(self.abstract)} | {' '.join(self.body)} "


def day_key(day: dt.date | None) -> int:
    """The smallest document key of that day; bills without any action come last."""
    return (day.toordinal() if day else 0) << KEY_SHIFT


def catch_up(engine: Engine, progress: Callable[[int, int], None] | None = None) -> int:
    """Index what is new or changed since last time; returns the number of bills. Safe to call at any time.

    Goes by the event log, and by records that changed without news; each batch is one short transaction.
    """
    with reading(engine) as connection:
        newest = connection.execute(text("SELECT coalesce(max(seq), 0) FROM bill_event")).scalar_one()
        read = connection.execute(text("SELECT seq FROM bill_search_state")).scalar_one()
        ids = _due(connection)
    for start in range(0, len(ids), BATCH):
        with writing(engine) as connection:
            index_bills(connection, ids[start : start + BATCH])
        if progress:
            progress(min(start + BATCH, len(ids)), len(ids))
    if newest > read:
        with writing(engine) as connection:
            connection.execute(text("UPDATE bill_search_state SET seq = :seq WHERE seq < :seq"), {"seq": newest})
    statistics.refresh(engine, ["bill_search"], len(ids))
    return len(ids)


def _due(connection: Connection) -> list[int]:
    rows = connection.execute(
        text(
            "SELECT bill_id FROM bill_event WHERE seq > (SELECT seq FROM bill_search_state)"
            " AND kind NOT IN ('tag_gained', 'tag_lost')"
            " UNION SELECT bill.id FROM bill LEFT JOIN bill_search ON bill_search.bill_id = bill.id"
            " WHERE bill_search.bill_id IS NULL OR bill_search.record_hash <> bill.record_hash"
        )
    )
    return sorted(rows.scalars())


def reindex(engine: Engine, progress: Callable[[int, int], None] | None = None) -> int:
    """Throw the index away and build it again; returns the number of bills."""
    postgres = engine.dialect.name == "postgresql"
    with writing(engine) as connection:
        if postgres:
            connection.execute(text("DROP INDEX IF EXISTS ix_bill_search_lexemes"))
            connection.execute(text("TRUNCATE bill_search"))
        else:
            connection.execute(text("INSERT INTO bill_fts(bill_fts) VALUES ('delete-all')"))
            connection.execute(text("DELETE FROM bill_search"))
        connection.execute(text("UPDATE bill_search_state SET seq = 0"))
    try:
        done = catch_up(engine, progress)
    finally:
        if postgres:
            with writing(engine) as connection:
                connection.execute(text(GIN_INDEX))
    if not postgres:
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO bill_fts(bill_fts) VALUES ('optimize')"))
    return done


GIN_INDEX = (
    "CREATE INDEX IF NOT EXISTS ix_bill_search_lexemes ON bill_search USING gin (lexemes) WITH (fastupdate = off)"
)


def index_bills(connection: Connection, bill_ids: Iterable[int]) -> None:
    """Put these bills into the index as they stand now, inside the caller's writing transaction."""
    ids = sorted(set(bill_ids))
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        documents = list(_documents(connection, part))
        if connection.dialect.name == "postgresql":
            _replace_postgresql(connection, part, documents)
        else:
            _replace_sqlite(connection, part, documents)


def _documents(connection: Connection, ids: Sequence[int]) -> Iterator[Document]:
    readings = {reading_.bill_id: reading_.content for reading_ in read_bills(connection, ids)}
    sponsors: dict[int, list[str]] = defaultdict(list)
    for bill_id, name in connection.execute(
        select(SponsorshipRow.bill_id, SponsorshipRow.name).where(
            SponsorshipRow.bill_id.in_(ids), SponsorshipRow.removed_at.is_(None)
        )
    ):
        sponsors[bill_id].append(name)
    rows = connection.execute(
        select(
            BillRow.id,
            BillRow.chamber,
            BillRow.classification,
            BillRow.stage,
            BillRow.latest_action_date,
            BillRow.record_hash,
        ).where(BillRow.id.in_(ids))
    )
    for row in rows:
        content = readings[row.id]
        found = {
            query.EVERYTHING,
            query.jurisdiction_mark(content["jurisdiction"]),
            query.session_mark(content["session"]),
            query.identifier_mark(content["identifier"]),
            query.marks("c", row.chamber),
            query.marks("g", row.stage),
            *(query.marks("k", name) for name in row.classification),
        }
        for subject in content["subjects"]:
            found |= query.name_marks("s", subject)
        for sponsor in sponsors[row.id]:
            found |= query.name_marks("p", sponsor)
        abstracts: list[str] = []
        for abstract in content["abstracts"]:
            abstracts += [BREAK, *words(abstract)] if abstracts else words(abstract)
        title, abstract, body = (w[:MAX_WORDS] for w in (words(content["title"]), abstracts, words(content["text"])))
        found.update(sketches.heading_marks([*title, *abstract]), sketches.body_marks(body))
        key = day_key(row.latest_action_date) | row.id
        yield Document(key, row.id, bytes(row.record_hash), title, abstract, body, sorted(found))


def _replace_sqlite(connection: Connection, ids: Sequence[int], documents: Sequence[Document]) -> None:
    cursor = connection.connection.cursor()
    try:
        names = ", ".join("?" * len(ids))
        old = cursor.execute(f"SELECT doc_id, tokens FROM bill_search WHERE bill_id IN ({names})", list(ids)).fetchall()
        # A contentless index forgets a document only when told the very words it was given.
        for doc_id, packed in old:
            title, abstract, body, found = zlib.decompress(packed).decode().split("|")
            cursor.execute(
                "INSERT INTO bill_fts(bill_fts, rowid, title, abstract, body, marks) VALUES ('delete', ?, ?, ?, ?, ?)",
                (doc_id, title, abstract, body, found),
            )
        cursor.execute(f"DELETE FROM bill_search WHERE bill_id IN ({names})", list(ids))
        cursor.executemany(
            "INSERT INTO bill_fts(rowid, title, abstract, body, marks) VALUES (?, ?, ?, ?, ?)",
            [
                (d.doc_id, " ".join(d.title), " ".join(d.abstract), " ".join(d.body), " ".join(d.marks))
                for d in documents
            ],
        )
    finally:
        cursor.close()
    insert_rows(
        connection,
        _TABLE,
        _COLUMNS_SQLITE,
        [
            (d.doc_id, d.bill_id, d.record_hash, zlib.compress(f"{d.tokens}|{' '.join(d.marks)}".encode(), 1))
            for d in documents
        ],
    )


def _replace_postgresql(connection: Connection, ids: Sequence[int], documents: Sequence[Document]) -> None:
    search = sql_table("bill_search", column("bill_id"))
    connection.execute(search.delete().where(search.c.bill_id == bindparam("b_id")), [{"b_id": i} for i in ids])
    insert_rows(
        connection,
        _TABLE,
        _COLUMNS_POSTGRESQL,
        [(d.doc_id, d.bill_id, d.record_hash, d.tokens, " ".join(_lexemes(d))) for d in documents],
    )


def _lexemes(document: Document) -> set[str]:
    """Words and pairs of words; those of the heading once more with ``t__`` before them.

    Pairs make a phrase as quick to find as a word. PostgreSQL's own positions end at the 16,383rd word and
    the 256th occurrence, so they would lose phrases of long bills.
    """
    found = set(document.marks)
    for heading, forms in ((True, document.title), (True, document.abstract), (False, document.body)):
        alone = set(forms)
        pairs = {f"{a}_{b}" for a, b in set(itertools.pairwise(forms))}
        found |= alone
        found |= pairs
        if heading:
            found.update(f"t__{form}" for form in alone)
            found.update(f"t__{pair}" for pair in pairs)
    return found


def unpack(tokens: Any) -> str:
    """The ``tokens`` column of either database as text (see :attr:`Document.tokens`)."""
    return tokens if isinstance(tokens, str) else zlib.decompress(tokens).decode().rsplit("|", 1)[0]
