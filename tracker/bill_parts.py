"""What hangs on bills, for many bills at once: as it is, or as it was known at a moment.

Each reader takes bill rows and ``as_of`` and returns a list of plain objects for each bill.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from tracker.bill_tables import table
from tracker.models.access import BillNoteRow, WatchRow
from tracker.models.bills import (
    AbstractRow,
    ActionRow,
    BillEventRow,
    BillTextRow,
    HearingRow,
    RelatedBillRow,
    SponsorshipRow,
    SubjectRow,
    VersionLinkRow,
    VersionRow,
)
from tracker.models.tags import ClassifierRow, TagEvidenceRow, TagRow

Found = Mapping[int, list[Any]]
Reader = Callable[[Connection, Sequence[int], dt.datetime | None], Found]
_HIDDEN = {"id", "bill_id", "removed_at"}


def _known(rows: Any, as_of: dt.datetime | None) -> list[Any]:
    """Which rows were there at that moment: seen, and not yet dropped."""
    if as_of is None:
        return [rows.c.removed_at.is_(None)]
    begun = rows.c.first_seen_at if "first_seen_at" in rows.c else rows.c.created_at
    return [begun <= as_of, rows.c.removed_at.is_(None) | (rows.c.removed_at > as_of)]


def _children(model: Any, order: str, connection: Connection, ids: Sequence[int], as_of: dt.datetime | None) -> Found:
    rows = table(model)
    query = select(rows).where(rows.c.bill_id.in_(ids), *_known(rows, as_of)).order_by(rows.c[order], rows.c.id)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.bill_id].append({n: v for n, v in row._mapping.items() if n not in _HIDDEN})
    return found


def _subjects(connection: Connection, ids: Sequence[int], as_of: dt.datetime | None) -> Found:
    read = _children(SubjectRow, "id", connection, ids, as_of)
    return defaultdict(list, {bill: [row["subject"] for row in rows] for bill, rows in read.items()})


def _versions(connection: Connection, ids: Sequence[int], as_of: dt.datetime | None) -> Found:
    rows, texts = table(VersionRow), table(BillTextRow)
    versions = connection.execute(
        select(rows).where(rows.c.bill_id.in_(ids), *_known(rows, as_of)).order_by(rows.c.ordinal, rows.c.id)
    ).all()
    # Everything of a text but the text itself, which may be long.
    columns = [column for column in texts.c if column.name not in ("text", "struck", "added")]
    query = select(*columns).where(texts.c.bill_id.in_(ids)).order_by(texts.c.id)
    if as_of is not None:
        query = query.where(texts.c.fetched_at <= as_of)
    read: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query):
        named = {name: getattr(row, name) for name in ("id", "status", "reason", "words", "url", "media_type")}
        read[row.version_id].append({**named, "extractor": row.extractor, "fetched": row.fetched_at})
    links: dict[int, list[dict[str, str]]] = defaultdict(list)
    keys = [row.id for row in versions]
    for link in connection.execute(
        select(table(VersionLinkRow)).where(VersionLinkRow.version_id.in_(keys)).order_by(VersionLinkRow.id)
    ):
        links[link.version_id].append({"url": link.url, "media_type": link.media_type})
    found: dict[int, list[Any]] = defaultdict(list)
    for row in versions:
        named = {name: getattr(row, name) for name in ("id", "note", "date", "first_seen_at")}
        found[row.bill_id].append({**named, "links": links[row.id], "texts": read[row.id]})
    return found


def _tags(connection: Connection, ids: Sequence[int], as_of: dt.datetime | None) -> Found:
    rows = table(TagRow)
    query = (
        select(rows, ClassifierRow.version)
        .join(ClassifierRow, ClassifierRow.id == rows.c.classifier_id)
        .where(rows.c.bill_id.in_(ids), *_known(rows, as_of))
        .order_by(rows.c.applied.desc(), rows.c.score.desc(), rows.c.strategy)
    )
    tags = connection.execute(query).all()
    evidence: dict[int, list[dict[str, Any]]] = defaultdict(list)
    quotes = table(TagEvidenceRow)
    for row in connection.execute(
        select(quotes).where(quotes.c.tag_id.in_([tag.id for tag in tags])).order_by(quotes.c.ordinal)
    ):
        evidence[row.tag_id].append(
            {"field": row.field, "start": row.start_offset, "end": row.end_offset, "quote": row.quote}
        )
    found: dict[int, list[Any]] = defaultdict(list)
    for tag in tags:
        found[tag.bill_id].append(
            {
                "strategy": tag.strategy,
                "score": tag.score,
                "applied": tag.applied,
                "since": tag.first_seen_at,
                "classifier": tag.version,
                "text_id": tag.bill_text_id,
                "evidence": evidence[tag.id],
            }
        )
    return found


def _notes(connection: Connection, ids: Sequence[int], as_of: dt.datetime | None) -> Found:
    rows = table(BillNoteRow)
    query = select(rows).where(rows.c.bill_id.in_(ids), *_known(rows, as_of)).order_by(rows.c.id)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        named = {name: getattr(row, name) for name in ("id", "author", "note", "stance")}
        found[row.bill_id].append({**named, "created": row.created_at})
    return found


def _watch_lists(connection: Connection, ids: Sequence[int], as_of: dt.datetime | None) -> Found:
    rows = table(WatchRow)
    query = select(rows.c.bill_id, rows.c.watch_list).distinct().where(rows.c.bill_id.in_(ids), *_known(rows, as_of))
    found: dict[int, list[Any]] = defaultdict(list)
    for row in sorted(map(tuple, connection.execute(query))):
        found[row[0]].append(row[1])
    return found


def _events(connection: Connection, ids: Sequence[int], _as_of: dt.datetime | None) -> Found:
    """All events, later ones too: they tell how to take back what was overwritten."""
    rows = table(BillEventRow)
    query = select(rows).where(rows.c.bill_id.in_(ids)).order_by(rows.c.seq)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.bill_id].append({n: v for n, v in row._mapping.items() if n != "bill_id"})
    return found


READERS: dict[str, Reader] = {
    "subjects": _subjects,
    "abstracts": partial(_children, AbstractRow, "ordinal"),
    "actions": partial(_children, ActionRow, "ordinal"),
    "sponsorships": partial(_children, SponsorshipRow, "ordinal"),
    "related_bills": partial(_children, RelatedBillRow, "id"),
    "hearings": partial(_children, HearingRow, "date"),
    "versions": _versions,
    "tags": _tags,
    "notes": _notes,
    "watch_lists": _watch_lists,
    "events": _events,
}
PARTS = tuple(READERS)
