"""Writes bills as rows, and what changed in them as events. Called by the ingest, inside its transaction.

New bills go in whole, many at once, with one ``new_bill`` event each. A bill we have is compared part by
part (:mod:`tracker.bill_update`), so that only what moved is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tracker import bill_update, events, jurisdictions
from tracker.bill_tables import BILL_COLUMNS, Children, Outcome, table
from tracker.db import insert_rows, reserve_ids
from tracker.events import Event, EventKind
from tracker.models.base import stamp
from tracker.models.bills import BillRow, JurisdictionRow, SessionRow
from tracker.new_bill import NewBill, Row
from tracker.records import BillRecord

VANISHED_AFTER = 3
_CHUNK = 500


def store(
    connection: Connection,
    bills: Sequence[NewBill],
    *,
    now: dt.datetime,
    run_id: int,
    already_seen: Collection[int],
) -> Outcome:
    """Insert or update one jurisdiction's bills, with their events."""
    outcome = Outcome()
    by_id = {bill.ocd_id: bill for bill in bills}
    stored: dict[str, Any] = {}
    ids = list(by_id)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        for row in connection.execute(select(table(BillRow)).where(BillRow.ocd_id.in_(part))):
            stored[row.ocd_id] = row
    fresh: list[NewBill] = []
    known: list[tuple[bytes, BillRecord, Any]] = []
    for ocd_id, bill in by_id.items():
        found = stored.get(ocd_id)
        if found is None:
            fresh.append(bill)
        elif found.id in already_seen:
            outcome.duplicates += 1
        else:
            known.append((bill.digest, bill.record(), found))
    if fresh:
        _insert(connection, fresh, now=now, run_id=run_id, outcome=outcome)
    if known:
        bill_update.update_bills(connection, known, now=now, run_id=run_id, outcome=outcome)
    return outcome


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


def _insert(
    connection: Connection,
    bills: Sequence[NewBill],
    *,
    now: dt.datetime,
    run_id: int,
    outcome: Outcome,
) -> None:
    seen_at = stamp(now)
    children = Children(seen_at)
    rows: list[Row] = []
    happened: list[Event] = []
    sessions = {
        name: session_id(connection, code, name)
        for code, name in dict.fromkeys((bill.jurisdiction, bill.session) for bill in bills)
    }
    for bill_id, bill in zip(reserve_ids(connection, table(BillRow), len(bills)), bills, strict=True):
        head = (bill_id, bill.ocd_id, bill.jurisdiction, sessions[bill.session])
        rows.append((*head, *bill.row, bill.digest, seen_at, seen_at, seen_at, 0))
        children.add_all(bill_id, bill)
        happened.append(Event(bill_id, EventKind.NEW_BILL, after=bill.event, occurred_on=bill.first))
        outcome.newest_action = max(outcome.newest_action, bill.latest)
        outcome.ids.append(bill_id)
        outcome.unknown_actions.update(bill.unknown_actions)
    insert_rows(connection, table(BillRow), BILL_COLUMNS, rows)
    children.write(connection)
    events.append(connection, happened, seen_at=seen_at, run_id=run_id)
    outcome.new += len(rows)
    outcome.events += len(happened)
