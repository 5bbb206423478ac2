"""Stored bills as BillRecords again, so that what was exported can be loaded elsewhere and be the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from tracker.bill_tables import table
from tracker.models.bills import (
    AbstractRow,
    ActionRow,
    BillRow,
    HearingRow,
    RelatedBillRow,
    SessionRow,
    SponsorshipRow,
    SubjectRow,
    VersionLinkRow,
    VersionRow,
)
from tracker.records import BillRecord


def read_records(connection: Connection, ids: Sequence[int]) -> Iterator[BillRecord]:
    """The bills as they stand, in the order of the ids (a few hundred at a time)."""
    bills = table(BillRow)
    rows = {
        row.id: row
        for row in connection.execute(
            select(bills, SessionRow.identifier.label("session"))
            .join(SessionRow, SessionRow.id == bills.c.session_id)
            .where(bills.c.id.in_(ids))
        )
    }
    children = {
        model: _children(connection, model, ids)
        for model in (AbstractRow, ActionRow, HearingRow, RelatedBillRow, SponsorshipRow, SubjectRow, VersionRow)
    }
    versions = [row.id for found in children[VersionRow].values() for row in found]
    links: dict[int, list[dict[str, str]]] = defaultdict(list)
    for start in range(0, len(versions), 500):
        for link in connection.execute(
            select(table(VersionLinkRow))
            .where(VersionLinkRow.version_id.in_(versions[start : start + 500]))
            .order_by(VersionLinkRow.id)
        ):
            links[link.version_id].append({"url": link.url, "media_type": link.media_type})
    for bill_id in ids:
        if bill_id in rows:
            yield _record(rows[bill_id], {model: found[bill_id] for model, found in children.items()}, links)


def _children(connection: Connection, model: Any, ids: Sequence[int]) -> dict[int, list[Any]]:
    rows = table(model)
    order = [rows.c.ordinal, rows.c.id] if "ordinal" in rows.c else [rows.c.id]
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(
        select(rows).where(rows.c.bill_id.in_(ids), rows.c.removed_at.is_(None)).order_by(*order)
    ):
        found[row.bill_id].append(row)
    return found


def _record(row: Any, parts: dict[Any, list[Any]], links: dict[int, list[dict[str, str]]]) -> BillRecord:
    def fields(model: Any, *names: str) -> list[dict[str, Any]]:
        return [{name: getattr(part, name) for name in names} for part in parts[model]]

    return BillRecord.model_validate(
        {
            "jurisdiction": row.jurisdiction,
            "legislative_session": row.session,
            "identifier": row.identifier,
            "title": row.title,
            "chamber": row.chamber,
            "classification": row.classification,
            "subject": [part.subject for part in parts[SubjectRow]],
            "abstracts": fields(AbstractRow, "abstract", "note"),
            "actions": fields(ActionRow, "date", "description", "chamber", "classification"),
            "sponsorships": [
                {
                    "name": part.name,
                    "classification": part.classification,
                    "primary": part.is_primary,
                    "entity_type": part.entity_type,
                }
                for part in parts[SponsorshipRow]
            ],
            "versions": [{"note": p.note, "date": p.date, "links": links[p.id]} for p in parts[VersionRow]],
            "documents": row.documents,
            "related_bills": fields(RelatedBillRow, "identifier", "legislative_session", "relation_type"),
            "hearings": fields(HearingRow, "date", "time", "timezone", "committee", "location", "status", "url"),
            "sources": row.sources,
            "extras": _sorted(row.extras),
        }
    )


def _sorted(value: Any) -> Any:
    """Objects with their names in order: PostgreSQL does not keep the source's."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
