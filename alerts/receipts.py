"""Delivery receipts: for each bill of an issue when we first saw it, when it was tagged and when it was mailed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Engine, select

from tracker.db import reading
from tracker.models.bills import BillEventRow, BillRow
from tracker.models.readers import DeliveryRow, DigestIssueRow, SubscriberRow
from tracker.models.tags import TagRow
from tracker.records import ocd_bill_id
from tracker.tagging import IN_SCOPE


def receipts(engine: Engine, issue: int) -> list[dict[str, Any]] | None:
    """One row a bill shown in the issue; None when there is no such issue.

    ``happened`` is when the newest of the events told was seen, ``hours`` from there until the mail server took
    the mail. Moments are UTC; ``tagged`` is None for bills that only a keyword, search or follow brought.
    """
    with reading(engine) as connection:
        row = connection.execute(
            select(
                DigestIssueRow.snapshot,
                DigestIssueRow.from_seq,
                DigestIssueRow.to_seq,
                DigestIssueRow.planned_at,
                DeliveryRow.state,
                DeliveryRow.finished_at,
                DeliveryRow.maybe_repeated,
                SubscriberRow.email,
            )
            .join(DeliveryRow, DeliveryRow.issue_id == DigestIssueRow.id)
            .join(SubscriberRow, SubscriberRow.id == DigestIssueRow.subscriber_id)
            .where(DigestIssueRow.id == issue)
        ).one_or_none()
        if row is None:
            return None
        return [_receipt(connection, row, key) for key in row.snapshot.get("shown", ())]


def _receipt(connection: Connection, issue: Any, key: str) -> dict[str, Any]:
    bill = connection.execute(
        select(BillRow.id, BillRow.first_seen_at).where(BillRow.ocd_id == ocd_bill_id(*key.split("/", 2)))
    ).one()
    tagged = connection.execute(
        select(TagRow.first_seen_at)
        .where(
            TagRow.bill_id == bill.id,
            TagRow.applied.is_(True),
            TagRow.strategy != IN_SCOPE,
            TagRow.first_seen_at <= issue.planned_at,
        )
        .order_by(TagRow.first_seen_at)
        .limit(1)
    ).scalar()
    happened = connection.execute(
        select(BillEventRow.seen_at)
        .where(BillEventRow.bill_id == bill.id, BillEventRow.seq > issue.from_seq, BillEventRow.seq <= issue.to_seq)
        .order_by(BillEventRow.seq.desc())
        .limit(1)
    ).scalar()
    mailed: dt.datetime | None = issue.finished_at if issue.state == "accepted" else None
    waited = (mailed - happened) / dt.timedelta(hours=1) if mailed and happened else None
    return {
        "key": key,
        "to": issue.email,
        "first_seen": bill.first_seen_at,
        "tagged": tagged,
        "happened": happened,
        "mailed": mailed,
        "hours": round(waited, 2) if waited is not None else None,
        "state": issue.state,
        "maybe_repeated": issue.maybe_repeated,
    }
