"""One bill with everything on it, now or as we knew it at a moment, and the feed of changes.

Rows carry when they were first seen and when their source dropped them; what is overwritten in place (title,
stage, a moved hearing) is taken back by walking the event log from now to that moment. So ``as_of`` shows what
a digest of that moment said. :data:`WITHOUT_HISTORY` names what is only known as it stands now.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from tracker.bill_rows import table
from tracker.models.access import BillNoteRow, WatchRow
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
    VersionLinkRow,
    VersionRow,
)
from tracker.models.tags import ClassifierRow, TagEvidenceRow, TagRow
from tracker.records import bill_key, normalise_identifier, ocd_bill_id

WITHOUT_HISTORY = ("chamber", "classification", "url", "sources", "documents", "extras")
_HIDDEN = {"bill_id", "removed_at"}
_HEARING = ("date", "time", "timezone", "committee", "location", "status", "url")


class NoBill(KeyError):
    """There is no such bill, or was not yet; the message is one sentence."""

    def __str__(self) -> str:
        return str(self.args[0])


def split_key(key: str) -> tuple[str, str, str]:
    """Jurisdiction, session and identifier of ``tx/89R/HB 120`` in any spelling. Raises :class:`NoBill`."""
    parts = key.split("/", 2)
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise NoBill(f"{key!r} is not a KEY such as tx/89R/HB 120")
    return parts[0].strip().lower(), parts[1].strip(), normalise_identifier(parts[2])


def end_of(day: dt.date) -> dt.datetime:
    """The last moment of a day (UTC): what ``as_of`` a mere date means."""
    return dt.datetime.combine(day, dt.time.max, dt.UTC)


def read_bill(connection: Connection, key: str, as_of: dt.datetime | None = None) -> dict[str, Any]:
    """The bill of a KEY or of its ``ocd-bill/…`` id, with all its parts. Raises :class:`NoBill`.

    Keys of the result stay; further ones may come. ``events`` is its whole history up to the moment.
    """
    bills = table(BillRow)
    if key.startswith("ocd-bill/"):
        ocd_id, name = key, key
    else:
        code, session, identifier = split_key(key)
        ocd_id, name = ocd_bill_id(code, session, identifier), bill_key(code, session, identifier)
    row = connection.execute(
        select(bills, SessionRow.identifier.label("session"))
        .join(SessionRow, SessionRow.id == bills.c.session_id)
        .where(bills.c.ocd_id == ocd_id)
    ).one_or_none()
    if row is None:
        raise NoBill(f"there is no bill {name} in the database")
    if as_of is not None and row.first_seen_at > as_of:
        raise NoBill(f"{name} was first seen {row.first_seen_at:%Y-%m-%d %H:%M} UTC, after {as_of:%Y-%m-%d %H:%M} UTC")
    bill_id: int = row.id
    events = _events(connection, bill_id)
    past = [event for event in events if as_of is None or event["seen_at"] <= as_of]
    later = events[len(past) :]
    actions = _children(connection, ActionRow, bill_id, as_of, "ordinal")
    found: dict[str, Any] = {
        "id": bill_id,
        "ocd_id": row.ocd_id,
        "key": bill_key(row.jurisdiction, row.session, row.identifier),
        "jurisdiction": row.jurisdiction,
        "session": row.session,
        "identifier": row.identifier,
        "title": row.title,
        "chamber": row.chamber,
        "classification": row.classification,
        "stage": row.stage,
        "stage_date": row.stage_date,
        "latest_action": row.latest_action,
        "latest_action_date": row.latest_action_date,
        "first_action_date": row.first_action_date,
        "url": row.url,
        "sources": row.sources,
        "documents": row.documents,
        "extras": row.extras,
        "first_seen": row.first_seen_at,
        "last_changed": row.last_changed_at,
        "last_seen": row.last_seen_at,
        "vanished": row.vanished_at,
        "subjects": [r["subject"] for r in _children(connection, SubjectRow, bill_id, as_of)],
        "abstracts": _children(connection, AbstractRow, bill_id, as_of, "ordinal"),
        "actions": actions,
        "sponsorships": _children(connection, SponsorshipRow, bill_id, as_of, "ordinal"),
        "related_bills": _children(connection, RelatedBillRow, bill_id, as_of),
        "hearings": _children(connection, HearingRow, bill_id, as_of, "date"),
        "versions": _versions(connection, bill_id, as_of),
        "tags": _tags(connection, bill_id, as_of),
        "notes": _notes(connection, bill_id, as_of),
        "watch_lists": _watch_lists(connection, bill_id, as_of),
        "events": past,
        "last_seq": past[-1]["seq"] if past else 0,
    }
    if as_of is not None:
        found["as_of"] = as_of
        found["without_history"] = list(WITHOUT_HISTORY)
        _take_back(found, past, later)
    return found


def _take_back(found: dict[str, Any], past: Sequence[dict[str, Any]], later: Sequence[dict[str, Any]]) -> None:
    """Undo, newest first, what later events wrote in place."""
    for event in reversed(later):
        before, after = event["before"], event["after"]
        match event["kind"]:
            case "title":
                found["title"] = before["title"]
            case "stage":
                found["stage"], found["stage_date"] = before["stage"], None
            case "hearing_changed":
                for hearing in found["hearings"]:
                    if all(str(hearing[name]) == str(after[name]) for name in _HEARING):
                        hearing.update(before, date=dt.date.fromisoformat(before["date"]))
                        break
            case "vanished":
                found["vanished"] = None
            case "returned":
                gone = [e["seen_at"] for e in past if e["kind"] == "vanished"]
                found["vanished"] = gone[-1] if gone else None
    if any(event["kind"] == "stage" for event in later):
        known = [event for event in past if event["kind"] == "stage"]
        if known and known[-1]["after"].get("date"):
            found["stage_date"] = dt.date.fromisoformat(known[-1]["after"]["date"])
    found["last_changed"] = past[-1]["seen_at"] if past else found["first_seen"]
    found["last_seen"] = min(found["last_seen"], found["as_of"])
    actions = found["actions"]
    newest_first = bool(actions) and actions[0]["date"] > actions[-1]["date"]
    latest = max(actions if newest_first else actions[::-1], key=lambda a: a["date"], default=None)
    found["latest_action"] = latest["description"] if latest else ""
    found["latest_action_date"] = latest["date"] if latest else None
    found["first_action_date"] = min((a["date"] for a in actions), default=None)


def _known(rows: Any, as_of: dt.datetime | None) -> list[Any]:
    """Which rows were there at that moment: seen, and not yet dropped."""
    if as_of is None:
        return [rows.c.removed_at.is_(None)]
    begun = rows.c.first_seen_at if "first_seen_at" in rows.c else rows.c.created_at
    return [begun <= as_of, rows.c.removed_at.is_(None) | (rows.c.removed_at > as_of)]


def _children(
    connection: Connection, model: Any, bill_id: int, as_of: dt.datetime | None, order: str = "id"
) -> list[dict[str, Any]]:
    rows = table(model)
    query = select(rows).where(rows.c.bill_id == bill_id, *_known(rows, as_of)).order_by(rows.c[order], rows.c.id)
    hidden = {*_HIDDEN, "id"}
    return [{n: v for n, v in row._mapping.items() if n not in hidden} for row in connection.execute(query)]


def _versions(connection: Connection, bill_id: int, as_of: dt.datetime | None) -> list[dict[str, Any]]:
    rows, texts = table(VersionRow), table(BillTextRow)
    versions = connection.execute(
        select(rows).where(rows.c.bill_id == bill_id, *_known(rows, as_of)).order_by(rows.c.ordinal, rows.c.id)
    ).all()
    read: dict[int, list[dict[str, Any]]] = defaultdict(list)
    query = select(texts).where(texts.c.bill_id == bill_id).order_by(texts.c.id)
    if as_of is not None:
        query = query.where(texts.c.fetched_at <= as_of)
    for row in connection.execute(query):
        read[row.version_id].append(
            {
                "id": row.id,
                "status": row.status,
                "reason": row.reason,
                "words": row.words,
                "url": row.url,
                "media_type": row.media_type,
                "extractor": row.extractor,
                "fetched": row.fetched_at,
            }
        )
    links: dict[int, list[dict[str, str]]] = defaultdict(list)
    keys = [row.id for row in versions]
    for link in connection.execute(
        select(table(VersionLinkRow)).where(VersionLinkRow.version_id.in_(keys)).order_by(VersionLinkRow.id)
    ):
        links[link.version_id].append({"url": link.url, "media_type": link.media_type})
    return [
        {
            "id": row.id,
            "note": row.note,
            "date": row.date,
            "first_seen_at": row.first_seen_at,
            "links": links[row.id],
            "texts": read[row.id],
        }
        for row in versions
    ]


def _tags(connection: Connection, bill_id: int, as_of: dt.datetime | None) -> list[dict[str, Any]]:
    rows = table(TagRow)
    query = (
        select(rows, ClassifierRow.version)
        .join(ClassifierRow, ClassifierRow.id == rows.c.classifier_id)
        .where(rows.c.bill_id == bill_id, *_known(rows, as_of))
        .order_by(rows.c.applied.desc(), rows.c.score.desc(), rows.c.strategy)
    )
    tags = connection.execute(query).all()
    evidence: dict[int, list[dict[str, Any]]] = defaultdict(list)
    found = table(TagEvidenceRow)
    for row in connection.execute(
        select(found).where(found.c.tag_id.in_([tag.id for tag in tags])).order_by(found.c.ordinal)
    ):
        evidence[row.tag_id].append(
            {"field": row.field, "start": row.start_offset, "end": row.end_offset, "quote": row.quote}
        )
    return [
        {
            "strategy": tag.strategy,
            "score": tag.score,
            "applied": tag.applied,
            "since": tag.first_seen_at,
            "classifier": tag.version,
            "text_id": tag.bill_text_id,
            "evidence": evidence[tag.id],
        }
        for tag in tags
    ]


def _notes(connection: Connection, bill_id: int, as_of: dt.datetime | None) -> list[dict[str, Any]]:
    rows = table(BillNoteRow)
    query = select(rows).where(rows.c.bill_id == bill_id, *_known(rows, as_of)).order_by(rows.c.id)
    return [
        {"id": r.id, "author": r.author, "note": r.note, "stance": r.stance, "created": r.created_at}
        for r in connection.execute(query)
    ]


def _watch_lists(connection: Connection, bill_id: int, as_of: dt.datetime | None) -> list[str]:
    rows = table(WatchRow)
    query = select(rows.c.watch_list).where(rows.c.bill_id == bill_id, *_known(rows, as_of))
    return sorted(set(connection.execute(query).scalars()))


def _events(connection: Connection, bill_id: int) -> list[dict[str, Any]]:
    rows = table(BillEventRow)
    query = select(rows).where(rows.c.bill_id == bill_id).order_by(rows.c.seq)
    return [{n: v for n, v in row._mapping.items() if n != "bill_id"} for row in connection.execute(query)]


def tag_history(connection: Connection, bill_id: int) -> list[dict[str, Any]]:
    """Every strategy that was ever applied to the bill: from when until when, by which classifier."""
    rows = table(TagRow)
    query = (
        select(rows, ClassifierRow.version)
        .join(ClassifierRow, ClassifierRow.id == rows.c.classifier_id)
        .where(rows.c.bill_id == bill_id, rows.c.applied, rows.c.strategy != "in_scope")
        .order_by(rows.c.strategy, rows.c.id)
    )
    return [
        {
            "strategy": r.strategy,
            "score": r.score,
            "from": r.first_seen_at,
            "until": r.removed_at,
            "classifier": r.version,
        }
        for r in connection.execute(query)
    ]


def read_changes(
    connection: Connection,
    *,
    after: int = 0,
    codes: Sequence[str] = (),
    kinds: Sequence[str] = (),
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Events with a sequence number above ``after``, oldest first."""
    query = (
        select(
            BillEventRow.seq,
            BillEventRow.kind,
            BillRow.jurisdiction,
            SessionRow.identifier.label("session"),
            BillRow.identifier,
            BillRow.ocd_id,
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
    if kinds:
        query = query.where(BillEventRow.kind.in_(kinds))
    return [
        {**row._mapping, "key": bill_key(row.jurisdiction, row.session, row.identifier)}
        for row in connection.execute(query)
    ]
