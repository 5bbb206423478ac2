"""What a minimum confidence costs and saves: how many bills a reader would have got, and known ones missed."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy import func as sql

from alerts.subscriptions import Reader
from tracker.db import reading
from tracker.models.bills import BillEventRow, BillRow
from tracker.models.readers import FeedbackRow
from tracker.models.tags import TagRow

STEPS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
DAYS = dt.timedelta(days=30)


class Step(NamedTuple):
    """At this minimum: bills with news in the last 30 days, and of ``known`` relevant ones those missed."""

    minimum: float
    bills: int
    missed: int
    known: int


def table(engine: Engine, reader: Reader, *, now: dt.datetime) -> list[Step]:
    """The trade-off for a reader's states and strategies. Known relevant are bills that readers marked so."""
    best = (
        select(TagRow.bill_id, sql.max(TagRow.score))
        .join(BillRow, BillRow.id == TagRow.bill_id)
        .where(TagRow.removed_at.is_(None), TagRow.applied.is_(True), TagRow.strategy.in_(reader.wanted))
        .group_by(TagRow.bill_id)
    )
    if reader.states:
        best = best.where(BillRow.jurisdiction.in_(reader.states))
    news = select(BillEventRow.bill_id).where(BillEventRow.seen_at >= now - DAYS)
    relevant = select(FeedbackRow.bill_id).where(
        FeedbackRow.verdict == "relevant", FeedbackRow.strategy.in_(reader.wanted)
    )
    with reading(engine) as connection:
        recent = [score for _, score in connection.execute(best.where(TagRow.bill_id.in_(news)))]
        known = [score for _, score in connection.execute(best.where(TagRow.bill_id.in_(relevant)))]
    return [Step(m, sum(s >= m for s in recent), sum(s < m for s in known), len(known)) for m in STEPS]
