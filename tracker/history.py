"""One bill with everything on it, now or as we knew it at a moment, and the feed of changes.

Rows carry when they were first seen and when their source dropped them; what is overwritten in place (title,
stage, a moved hearing) is taken back by walking the event log from now to that moment. So ``as_of`` shows what
a digest of that moment said. :data:`WITHOUT_HISTORY` names what is only known as it stands now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from tracker.bill_parts import PARTS, READERS
from tracker.bill_tables import table
from tracker.models.bills import BillEventRow, BillRow, SessionRow
from tracker.models.tags import ClassifierRow, TagRow
from tracker.records import bill_key, normalise_identifier, ocd_bill_id

WITHOUT_HISTORY = ("chamber", "classification", "url", "sources", "documents", "extras")
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


def find_bill(connection: Connection, key: str) -> int:
    """The row of the bill of a KEY or of its ``ocd-bill/…`` id. Raises :class:`NoBill`."""
    if key.startswith("ocd-bill/"):
        ocd_id, name = key, key
    else:
        code, session, identifier = split_key(key)
        ocd_id, name = ocd_bill_id(code, session, identifier), bill_key(code, session, identifier)
    found = connection.execute(select(BillRow.id).where(BillRow.ocd_id == ocd_id)).scalar()
    if found is None:
        raise NoBill(f"there is no bill {name} in the database")
    return int(found)


def read_bill(connection: Connection, key: str, as_of: dt.datetime | None = None) -> dict[str, Any]:
    """The bill of a KEY or of its ``ocd-bill/…`` id, with all its parts. Raises :class:`NoBill`.

    Keys of the result stay; further ones may come. ``events`` is its whole history up to the moment.
    """
    return read_bills(connection, [find_bill(connection, key)], as_of)[0]


def read_bills(
    connection: Connection, ids: Sequence[int], as_of: dt.datetime | None = None, parts: Collection[str] = PARTS
) -> list[dict[str, Any]]:
    """Bills by row, in the order of ``ids``, each as :func:`read_bill` gives it; a few queries for all of them.

    Of the lists in :data:`PARTS` only those in ``parts`` are read; the others are left out.
    Raises :class:`NoBill` where there is no such row, or was not yet.
    """
    bills = table(BillRow)
    rows = {
        row.id: row
        for row in connection.execute(
            select(bills, SessionRow.identifier.label("session"))
            .join(SessionRow, SessionRow.id == bills.c.session_id)
            .where(bills.c.id.in_(ids))
        )
    }
    for bill_id in ids:
        if bill_id not in rows:
            raise NoBill(f"there is no bill {bill_id} in the database")
        _check_seen(rows[bill_id], as_of)
    # What was overwritten in place is taken back by the events, from actions and hearings.
    needed = set(parts) if as_of is None else {*parts, "actions", "hearings", "events"}
    read = {name: reader(connection, ids, as_of) for name, reader in READERS.items() if name in needed}
    return [_bill(rows[bill_id], {name: found[bill_id] for name, found in read.items()}, as_of) for bill_id in ids]


def _check_seen(row: Any, as_of: dt.datetime | None) -> None:
    if as_of is not None and row.first_seen_at > as_of:
        name = bill_key(row.jurisdiction, row.session, row.identifier)
        raise NoBill(f"{name} was first seen {row.first_seen_at:%Y-%m-%d %H:%M} UTC, after {as_of:%Y-%m-%d %H:%M} UTC")


def _bill(row: Any, parts: dict[str, list[Any]], as_of: dt.datetime | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": row.id,
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
        **parts,
    }
    events = parts.get("events")
    if events is None:
        return found
    past = [event for event in events if as_of is None or event["seen_at"] <= as_of]
    found["events"] = past
    found["last_seq"] = past[-1]["seq"] if past else 0
    if as_of is not None:
        found["as_of"] = as_of
        found["without_history"] = list(WITHOUT_HISTORY)
        _take_back(found, past, events[len(past) :])
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
