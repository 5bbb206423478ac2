"""What all bills of a strategy add up to: by strategy, jurisdiction and month, and how words spread.

The numbers count bills that carry the strategy's tag now and have not vanished: what a search for that
strategy finds.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy import func as sql

from tracker.models.bills import BillRow
from tracker.models.tags import TagEvidenceRow, TagRow
from tracker.search import QueryError, scope
from tracker.search_sql import Query
from tracker.tagging import IN_SCOPE
from tracker.vocabulary import Stage

# The spread of more bills than this is not drawn: the question is too wide to be one provision.
SPREAD = 5_000


@dataclass
class Sum:
    """Bills of one strategy: how many, how many of them became law, in how many jurisdictions."""

    bills: int = 0
    laws: int = 0
    jurisdictions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Month:
    """``month`` is its first day; bills whose first action fell in it, and bills that became law in it."""

    month: dt.date
    begun: int
    laws: int


@dataclass(frozen=True)
class Found:
    """A bill of a spread; ``first`` is the date of its first action."""

    bill_id: int
    jurisdiction: str
    first: dt.date | None
    stage: str


def strategy_sums(connection: Connection) -> dict[str, Sum]:
    """The sums of each strategy that any bill carries, and of ``in_scope``."""
    rows = connection.execute(
        select(TagRow.strategy, BillRow.jurisdiction, BillRow.stage, sql.count())
        .join(BillRow, BillRow.id == TagRow.bill_id)
        .where(TagRow.applied, TagRow.removed_at.is_(None))
        .group_by(TagRow.strategy, BillRow.jurisdiction, BillRow.stage)
    )
    sums: dict[str, Sum] = defaultdict(Sum)
    for strategy, code, stage, bills in rows:
        found = sums[strategy]
        found.bills += bills
        found.laws += bills if stage == Stage.BECAME_LAW else 0
        found.jurisdictions[code] = found.jurisdictions.get(code, 0) + bills
    return dict(sums)


def months(connection: Connection, strategy: str = IN_SCOPE) -> list[Month]:
    """Month by month without gaps, from the first bill to the newest."""
    rows = connection.execute(
        select(BillRow.first_action_date, BillRow.stage, BillRow.stage_date)
        .join(TagRow, TagRow.bill_id == BillRow.id)
        .where(TagRow.strategy == strategy, TagRow.applied, TagRow.removed_at.is_(None))
    )
    begun: dict[dt.date, int] = defaultdict(int)
    laws: dict[dt.date, int] = defaultdict(int)
    for first, stage, since in rows:
        if first is not None:
            begun[first.replace(day=1)] += 1
        if stage == Stage.BECAME_LAW and since is not None:
            laws[since.replace(day=1)] += 1
    return [Month(month, begun[month], laws[month]) for month in _run({*begun, *laws})]


def _run(given: set[dt.date]) -> list[dt.date]:
    """The months from the first to the last, at most ten years back from it."""
    if not given:
        return []
    last = max(given)
    month, found = max(min(given), last.replace(year=max(last.year - 10, 1))), []
    while month <= last:
        found.append(month)
        month = (month + dt.timedelta(days=31)).replace(day=1)
    return found


def quotes(connection: Connection, bill_ids: Sequence[int], strategy: str) -> dict[int, str]:
    """The first words that show the strategy, for each bill that has some."""
    rows = connection.execute(
        select(TagRow.bill_id, TagEvidenceRow.quote)
        .join(TagEvidenceRow, TagEvidenceRow.tag_id == TagRow.id)
        .where(TagRow.bill_id.in_(bill_ids), TagRow.strategy == strategy, TagRow.applied)
        .where(TagRow.removed_at.is_(None))
        .order_by(TagEvidenceRow.ordinal.desc())
    )
    return {row.bill_id: row.quote for row in rows}


def spread(connection: Connection, search: Query) -> list[Found]:
    """Every bill that has the words, oldest first (without a date last).

    Raises :class:`QueryError` where more than :data:`SPREAD` have them.
    """
    found = scope(connection, search, SPREAD + 1)
    rows = connection.execute(
        text(
            "SELECT bill.id, bill.jurisdiction, bill.first_action_date, bill.stage"
            f" FROM ({found.sql}) AS hit JOIN bill ON bill.id = hit.bill_id"
        ),
        found.values,
    ).all()
    if len(rows) > SPREAD:
        raise QueryError(f"more than {SPREAD:,} bills have these words: add some, or ask for a longer phrase")
    bills = [Found(row[0], row[1], _date(row[2]), row[3]) for row in rows]
    return sorted(bills, key=lambda bill: (bill.first or dt.date.max, bill.bill_id))


def _date(value: Any) -> dt.date | None:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value
