"""One bill with everything on it, and the feed of changes: what ``show``, ``changes`` and the pages print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from tracker.bill_rows import table
from tracker.models.bills import (
    AbstractRow,
    ActionRow,
    BillEventRow,
    BillRow,
    BillTextRow,
    HearingRow,
    RelatedBillRow,
    SessionRow,
    SponsorshipRow,
    SubjectRow,
    VersionRow,
)
from tracker.models.tags import ClassifierRow, TagEvidenceRow, TagRow
from tracker.records import bill_key, normalise_identifier, ocd_bill_id


def read_bill(connection: Connection, key: str) -> dict[str, Any]:
    """The bill of a KEY (``tx/89R/HB 120``, any spelling of the number). Raises KeyError with one sentence."""
    parts = key.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise KeyError(f"{key!r} is not a KEY such as tx/89R/HB 120")
    code, session, identifier = parts[0].lower(), parts[1], normalise_identifier(parts[2])
    row = connection.execute(
        select(table(BillRow)).where(BillRow.ocd_id == ocd_bill_id(code, session, identifier))
    ).one_or_none()
    if row is None:
        raise KeyError(f"there is no bill {bill_key(code, session, identifier)} in the database")
    return {
        "id": row.id,
        "ocd_id": row.ocd_id,
        "key": bill_key(code, session, identifier),
        "jurisdiction": code,
        "session": session,
        "identifier": identifier,
        "title": row.title,
        "chamber": row.chamber,
        "classification": row.classification,
        "stage": row.stage,
        "stage_date": row.stage_date,
        "latest_action": row.latest_action,
        "latest_action_date": row.latest_action_date,
        "url": row.url,
        "sources": row.sources,
        "first_seen": row.first_seen_at,
        "last_changed": row.last_changed_at,
        "last_seen": row.last_seen_at,
        "vanished": row.vanished_at,
        "subjects": [r["subject"] for r in _children(connection, SubjectRow, row.id)],
        "abstracts": _children(connection, AbstractRow, row.id, "ordinal"),
        "actions": _children(connection, ActionRow, row.id, "ordinal"),
        "sponsorships": _children(connection, SponsorshipRow, row.id, "ordinal"),
        "related_bills": _children(connection, RelatedBillRow, row.id),
        "hearings": _children(connection, HearingRow, row.id, "date"),
        "versions": _versions(connection, row.id),
        "tags": _tags(connection, row.id),
    }


_HIDDEN = {"id", "bill_id", "removed_at"}


def _children(connection: Connection, model: Any, bill_id: int, order: str = "id") -> list[dict[str, Any]]:
    rows = table(model)
    query = (
        select(rows).where(rows.c.bill_id == bill_id, rows.c.removed_at.is_(None)).order_by(rows.c[order], rows.c.id)
    )
    return [
        {name: value for name, value in row._mapping.items() if name not in _HIDDEN}
        for row in connection.execute(query)
    ]


def _versions(connection: Connection, bill_id: int) -> list[dict[str, Any]]:
    texts = {
        row.version_id: f"{row.words:,} words" if row.status == "ok" else f"no text: {row.reason or row.status}"
        for row in connection.execute(select(table(BillTextRow)).where(BillTextRow.bill_id == bill_id))
    }
    query = select(VersionRow.id, VersionRow.note, VersionRow.date).where(
        VersionRow.bill_id == bill_id, VersionRow.removed_at.is_(None)
    )
    return [
        {"note": row.note, "date": row.date.isoformat() if row.date else "", "text": texts.get(row.id, "not fetched")}
        for row in connection.execute(query.order_by(VersionRow.ordinal, VersionRow.id))
    ]


def _tags(connection: Connection, bill_id: int) -> list[dict[str, Any]]:
    query = (
        select(TagRow.id, TagRow.strategy, TagRow.score, TagRow.applied, TagRow.first_seen_at, ClassifierRow.version)
        .join(ClassifierRow, ClassifierRow.id == TagRow.classifier_id)
        .where(TagRow.bill_id == bill_id, TagRow.removed_at.is_(None))
        .order_by(TagRow.applied.desc(), TagRow.score.desc())
    )
    tags = {row.id: row for row in connection.execute(query)}
    evidence: dict[int, list[dict[str, Any]]] = {tag: [] for tag in tags}
    found = table(TagEvidenceRow)
    for row in connection.execute(select(found).where(found.c.tag_id.in_(tags)).order_by(found.c.ordinal)):
        evidence[row.tag_id].append(
            {"field": row.field, "start": row.start_offset, "end": row.end_offset, "quote": row.quote}
        )
    return [
        {
            "strategy": row.strategy,
            "score": row.score,
            "applied": row.applied,
            "since": row.first_seen_at,
            "classifier": row.version,
            "evidence": evidence[key],
        }
        for key, row in tags.items()
    ]


def read_changes(
    connection: Connection, *, after: int = 0, codes: Sequence[str] = (), limit: int = 100
) -> list[dict[str, Any]]:
    """Events with a sequence number above ``after``, oldest first."""
    query = (
        select(
            BillEventRow.seq,
            BillEventRow.kind,
            BillRow.jurisdiction,
            SessionRow.identifier.label("session"),
            BillRow.identifier,
            BillEventRow.before,
            BillEventRow.after,
            BillEventRow.occurred_on,
            BillEventRow.seen_at,
        )
        .join(BillRow, BillRow.id == BillEventRow.bill_id)
        .join(SessionRow, SessionRow.id == BillRow.session_id)
        .where(BillEventRow.seq > after)
        .order_by(BillEventRow.seq)
        .limit(limit)
    )
    if codes:
        query = query.where(BillRow.jurisdiction.in_(codes))
    return [
        {**row._mapping, "key": bill_key(row.jurisdiction, row.session, row.identifier)}
        for row in connection.execute(query)
    ]
