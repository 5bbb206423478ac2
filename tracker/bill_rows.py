"""Writes bills as rows, and what changed in them as events. Called by the ingest, inside its transaction.

New bills go in whole, many at once, with one ``new_bill`` event each. A bill we have is compared part by
part (:mod:`tracker.bill_update`), so that only what moved is written.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, Table, insert, select, update

from tracker import events, jurisdictions
from tracker.actions import classify_action, is_known, stage_of
from tracker.db import insert_rows, reserve_ids
from tracker.events import Event, EventKind
from tracker.models.base import stamp
from tracker.models.bills import BillRow, JurisdictionRow, SessionRow, VersionRow
from tracker.records import Action, BillRecord, Document

VANISHED_AFTER = 3
_CHUNK = 500


@dataclass
class Outcome:
    """What one batch of one jurisdiction came to."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    events: int = 0
    newest_action: str = ""
    ids: list[int] = field(default_factory=list)
    unknown_actions: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Standing:
    """What follows from a bill's actions: classes of each, stage, first and latest."""

    classes: list[list[str]]
    stage: str
    stage_date: str | None
    first: str | None
    latest: str | None
    latest_text: str


def table(model: Any) -> Table:
    """The Core table behind a model."""
    found = model.__table__
    assert isinstance(found, Table)
    return found


def store(
    connection: Connection,
    records: Sequence[tuple[bytes, BillRecord]],
    *,
    now: dt.datetime,
    run_id: int,
    already_seen: Collection[int],
) -> Outcome:
    """Insert or update one jurisdiction's records, with their events."""
    from tracker import bill_update

    outcome = Outcome()
    by_id = {record.id: (digest, record) for digest, record in records}
    stored: dict[str, Any] = {}
    ids = list(by_id)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        for row in connection.execute(select(table(BillRow)).where(BillRow.ocd_id.in_(part))):
            stored[row.ocd_id] = row
    fresh: list[tuple[bytes, BillRecord]] = []
    known: list[tuple[bytes, BillRecord, Any]] = []
    for ocd_id, (digest, record) in by_id.items():
        found = stored.get(ocd_id)
        if found is None:
            fresh.append((digest, record))
        elif found.id in already_seen:
            outcome.duplicates += 1
        else:
            known.append((digest, record, found))
    if fresh:
        _insert(connection, fresh, now=now, run_id=run_id, outcome=outcome)
    if known:
        bill_update.update_bills(connection, known, now=now, run_id=run_id, outcome=outcome)
    return outcome


def standing(record: BillRecord, unknown: Counter[str]) -> Standing:
    """Classes and stage of a record; texts that no rule knows are counted in ``unknown``."""
    classes: list[list[str]] = []
    for action in record.actions:
        given = action.classification
        if not given:
            given = action.classification = list(
                classify_action(record.jurisdiction, action.description, action.chamber)
            )
            if not given and not is_known(record.jurisdiction, action.description, action.chamber):
                unknown[action.description[:200]] += 1
        classes.append(given)
    result = stage_of(record.actions, bill_classification=record.classification, jurisdiction=record.jurisdiction)
    first = min((a.date for a in record.actions), default=None)
    # Sources list newest first or last; of one day's actions the one nearest the newest end is the latest.
    newest_first = bool(record.actions) and record.actions[0].date > record.actions[-1].date
    ordered = record.actions if newest_first else record.actions[::-1]
    latest = max(ordered, key=lambda a: a.date, default=None)
    return Standing(
        classes,
        str(result.stage),
        _day(result.since),
        first,
        latest.date if latest else None,
        latest.description if latest else "",
    )


def _day(value: Any) -> str | None:
    return str(value)[:10] if value else None


def touch(connection: Connection, ids: Sequence[int], now: dt.datetime) -> None:
    """Note that these bills were seen again, unchanged."""
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        seen = {"last_seen_at": now, "missing_runs": 0}
        connection.execute(update(table(BillRow)).where(BillRow.id.in_(part)).values(**seen))


def mark_missing(
    connection: Connection, jurisdiction: str, seen: Collection[int], *, now: dt.datetime, run_id: int
) -> int:
    """After a complete run: count runs without a bill of the sessions seen; after three it has vanished.

    Returns the number of ``vanished`` events.
    """
    bills = table(BillRow)
    seen_set = set(seen)
    rows = connection.execute(
        select(bills.c.id, bills.c.session_id, bills.c.missing_runs).where(
            bills.c.jurisdiction == jurisdiction, bills.c.vanished_at.is_(None)
        )
    ).all()
    sessions = {row.session_id for row in rows if row.id in seen_set}
    missing = [row for row in rows if row.session_id in sessions and row.id not in seen_set]
    gone = [row.id for row in missing if row.missing_runs + 1 >= VANISHED_AFTER]
    for row in missing:
        connection.execute(
            update(bills)
            .where(bills.c.id == row.id)
            .values(
                missing_runs=row.missing_runs + 1,
                **({"vanished_at": now, "last_changed_at": now} if row.id in gone else {}),
            )
        )
    events.append(
        connection,
        [Event(bill, EventKind.VANISHED, after={"runs": VANISHED_AFTER}) for bill in gone],
        seen_at=stamp(now),
        run_id=run_id,
    )
    return len(gone)


def session_id(connection: Connection, code: str, identifier: str) -> int:
    """The session's row, made on first sight together with its jurisdiction's."""
    sessions = table(SessionRow)
    found = connection.execute(
        select(sessions.c.id).where(sessions.c.jurisdiction == code, sessions.c.identifier == identifier)
    ).scalar()
    if found is not None:
        return int(found)
    place = jurisdictions.load().get(code)
    if connection.execute(select(JurisdictionRow.code).where(JurisdictionRow.code == code)).scalar() is None:
        connection.execute(
            insert(table(JurisdictionRow)).values(
                code=code, name=place.name, ocd_id=place.ocd_id, time_zone=place.time_zone
            )
        )
    data = next((s for s in place.sessions if s.identifier == identifier), None)
    return int(
        connection.execute(
            insert(sessions)
            .values(
                jurisdiction=code,
                identifier=identifier,
                name=data.name if data else identifier,
                start_date=data.start if data else None,
                end_date=data.end if data else None,
                known=data is not None,
            )
            .returning(sessions.c.id)
        ).scalar_one()
    )


BILL_COLUMNS = [
    "id",
    "ocd_id",
    "jurisdiction",
    "session_id",
    "identifier",
    "title",
    "chamber",
    "classification",
    "stage",
    "stage_date",
    "first_action_date",
    "latest_action_date",
    "latest_action",
    "url",
    "sources",
    "documents",
    "extras",
    "record_hash",
    "first_seen_at",
    "last_changed_at",
    "last_seen_at",
    "missing_runs",
]
CHILD_COLUMNS: dict[str, list[str]] = {
    "bill_title": ["bill_id", "title", "first_seen_at"],
    "bill_abstract": ["bill_id", "ordinal", "abstract", "note", "first_seen_at"],
    "bill_subject": ["bill_id", "subject", "first_seen_at"],
    "action": [
        "bill_id",
        "ordinal",
        "date",
        "description",
        "chamber",
        "classification",
        "late",
        "first_seen_at",
    ],
    "sponsorship": [
        "bill_id",
        "ordinal",
        "name",
        "classification",
        "is_primary",
        "entity_type",
        "first_seen_at",
    ],
    "version": ["id", "bill_id", "ordinal", "note", "date", "first_seen_at"],
    "version_link": ["version_id", "url", "media_type"],
    "related_bill": ["bill_id", "identifier", "legislative_session", "relation_type", "first_seen_at"],
    "hearing": [
        "bill_id",
        "date",
        "time",
        "timezone",
        "committee",
        "location",
        "status",
        "url",
        "first_seen_at",
    ],
}


class Children:
    """Child rows waiting to be written together, by table, in database-ready values."""

    def __init__(self, seen_at: str) -> None:
        self.seen_at = seen_at
        self.rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in CHILD_COLUMNS}
        self.versions: list[tuple[int, int, Document]] = []

    def add(self, name: str, *values: Any) -> None:
        """Queue a row of values in the table's column order; ``first_seen_at`` is put behind them."""
        self.rows[name].append((*values, self.seen_at))

    def add_version(self, bill_id: int, place: int, version: Document) -> None:
        """Queue a version with its links; keys are given out when written."""
        self.versions.append((bill_id, place, version))

    def write(self, connection: Connection) -> None:
        """Insert everything queued."""
        keys = reserve_ids(connection, table(VersionRow), len(self.versions))
        for key, (bill_id, place, version) in zip(keys, self.versions, strict=True):
            self.add("version", key, bill_id, place, version.note, version.date or None)
            for link in version.links:
                self.rows["version_link"].append((key, link.url, link.media_type))
        tables = BillRow.metadata.tables
        for name, columns in CHILD_COLUMNS.items():
            insert_rows(connection, tables[name], columns, self.rows[name])


def _insert(
    connection: Connection,
    records: Sequence[tuple[bytes, BillRecord]],
    *,
    now: dt.datetime,
    run_id: int,
    outcome: Outcome,
) -> None:
    seen_at = stamp(now)
    children = Children(seen_at)
    rows: list[tuple[Any, ...]] = []
    happened: list[Event] = []
    sessions: dict[str, int] = {}
    for bill_id, (digest, record) in zip(reserve_ids(connection, table(BillRow), len(records)), records, strict=True):
        name = record.legislative_session
        if name not in sessions:
            sessions[name] = session_id(connection, record.jurisdiction, name)
        state = standing(record, outcome.unknown_actions)
        rows.append(
            (
                bill_id,
                record.id,
                record.jurisdiction,
                sessions[name],
                record.identifier,
                record.title,
                record.chamber,
                as_json(record.classification),
                state.stage,
                state.stage_date,
                state.first,
                state.latest,
                state.latest_text,
                record.sources[0].url if record.sources else "",
                as_json(record.sources),
                as_json(record.documents),
                as_json(record.extras),
                digest,
                seen_at,
                seen_at,
                seen_at,
                0,
            )
        )
        _queue_children(children, bill_id, record, state)
        happened.append(
            Event(
                bill_id,
                EventKind.NEW_BILL,
                after={
                    "title": record.title,
                    "stage": state.stage,
                    "actions": len(record.actions),
                    "latest_action": state.latest_text,
                    "latest_action_date": state.latest,
                },
                occurred_on=state.first,
            )
        )
        outcome.newest_action = max(outcome.newest_action, state.latest or "")
        outcome.ids.append(bill_id)
    insert_rows(connection, table(BillRow), BILL_COLUMNS, rows)
    children.write(connection)
    events.append(connection, happened, seen_at=seen_at, run_id=run_id)
    outcome.new += len(rows)
    outcome.events += len(happened)


def _queue_children(children: Children, bill_id: int, record: BillRecord, state: Standing) -> None:
    children.add("bill_title", bill_id, record.title)
    for place, abstract in enumerate(record.abstracts):
        children.add("bill_abstract", bill_id, place, abstract.abstract, abstract.note)
    for subject in dict.fromkeys(record.subject):
        children.add("bill_subject", bill_id, subject)
    for place, (action, classes) in enumerate(zip(record.actions, state.classes, strict=True)):
        children.add("action", *action_values(bill_id, place, action, classes, late=False))
    for place, sponsor in enumerate(record.sponsorships):
        children.add(
            "sponsorship",
            bill_id,
            place,
            sponsor.name,
            sponsor.classification,
            sponsor.primary,
            sponsor.entity_type,
        )
    for place, version in enumerate(record.versions):
        children.add_version(bill_id, place, version)
    for related in record.related_bills:
        children.add("related_bill", bill_id, related.identifier, related.legislative_session, related.relation_type)
    for hearing in record.hearings:
        children.add("hearing", bill_id, *hearing_values(hearing))


def action_values(bill_id: int, place: int, action: Action, classes: list[str], *, late: bool) -> tuple[Any, ...]:
    """An action's row without its ``first_seen_at``."""
    return bill_id, place, action.date, action.description, action.chamber, as_json(classes), late


def hearing_values(hearing: Any) -> tuple[Any, ...]:
    """A hearing's columns in the table's order."""
    return (
        hearing.date,
        hearing.time,
        hearing.timezone,
        hearing.committee,
        hearing.location,
        hearing.status,
        hearing.url,
    )


def as_json(value: Any) -> str:
    """JSON text, as both databases take it in bulk loads; NUL, which PostgreSQL refuses, is dropped."""
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    return to_json(value).decode().replace("\\u0000", "")
