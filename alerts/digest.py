"""Finds what a reader has not been told yet: events after the last one told, up to one snapshot of the log.

Only the log's order counts. A reader who was away is caught up on at most two weeks; older news is named as
left out rather than poured out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy import func as sql

from alerts.subscriptions import Reader
from tracker import events, jurisdictions
from tracker.db import reading
from tracker.events import EventKind
from tracker.models.bills import BillEventRow, BillRow, HearingRow, SessionRow
from tracker.models.tags import TagEvidenceRow, TagRow
from tracker.tagging import IN_SCOPE

CATCH_UP = dt.timedelta(days=14)
HEARINGS_AHEAD = dt.timedelta(days=7)
_PART = 500


@dataclass
class Tag:
    """A strategy on a bill, with the first of the words that show it."""

    strategy: str
    score: float
    quote: str = ""
    field: str = ""


@dataclass
class Bill:
    """A bill with its news for one reader."""

    row: Any
    session: str
    events: list[Any] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    hearings: list[Any] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


@dataclass
class Selection:
    """All news for one reader between two places in the log. ``before`` counts events too old to tell."""

    reader: Reader
    from_seq: int
    to_seq: int
    now: dt.datetime
    bills: list[Bill]
    seen_events: int
    before: int


def select_news(engine: Engine, reader: Reader, *, now: dt.datetime) -> Selection:
    """What is new for this reader, from one snapshot of the database."""
    with reading(engine) as connection:
        to_seq = events.last_seq(connection)
        log = _log(connection, reader, to_seq, now)
        news: dict[int, list[Any]] = defaultdict(list)
        for row in log:
            news[row.bill_id].append(row)
        hearings = _hearings(connection, reader, now)
        bills = _bills(connection, {*news, *hearings})
        tags = _tags(connection, bills, reader)
        found = []
        for bill_id, bill in bills.items():
            bill.events = news.get(bill_id, [])
            bill.hearings = hearings.get(bill_id, [])
            bill.tags = tags.get(bill_id, [])
            bill.keywords = [k for k in reader.keywords if _in_title(k, bill.row.title)]
            if not bill.tags:
                bill.lost = _lost(bill.events, reader)
            # Who gets mail more than weekly was told of these hearings when they were announced.
            if not bill.events and reader.cadence != "weekly":
                continue
            if bill.tags or bill.keywords or bill.lost:
                found.append(bill)
        before = connection.execute(
            select(sql.count())
            .select_from(BillEventRow)
            .where(
                BillEventRow.seq > reader.last_seq,
                BillEventRow.seq <= to_seq,
                BillEventRow.seen_at < now - CATCH_UP,
            )
        ).scalar_one()
    found.sort(key=lambda b: (b.row.jurisdiction, b.session, _natural(b.row.identifier)))
    return Selection(reader, reader.last_seq, to_seq, now, found, len(log), before)


def _log(connection: Connection, reader: Reader, to_seq: int, now: dt.datetime) -> Sequence[Any]:
    query = (
        select(BillEventRow)
        .join(BillRow, BillRow.id == BillEventRow.bill_id)
        .where(
            BillEventRow.seq > reader.last_seq,
            BillEventRow.seq <= to_seq,
            BillEventRow.seen_at >= now - CATCH_UP,
        )
        .order_by(BillEventRow.seq)
    )
    if reader.states:
        query = query.where(BillRow.jurisdiction.in_(reader.states))
    return connection.execute(query).all()


def _hearings(connection: Connection, reader: Reader, now: dt.datetime) -> dict[int, list[Any]]:
    """Hearings from today on for a week, by the calendar of each legislature."""
    query = (
        select(HearingRow, BillRow.jurisdiction)
        .join(BillRow, BillRow.id == HearingRow.bill_id)
        .where(
            HearingRow.removed_at.is_(None),
            HearingRow.status.not_in(("cancelled", "passed")),
            HearingRow.date >= (now - dt.timedelta(days=1)).date(),
            HearingRow.date <= (now + HEARINGS_AHEAD + dt.timedelta(days=1)).date(),
        )
        .order_by(HearingRow.date, HearingRow.time, HearingRow.id)
    )
    if reader.states:
        query = query.where(BillRow.jurisdiction.in_(reader.states))
    places = jurisdictions.load()
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        today = now.astimezone(places[row.jurisdiction].zone).date()
        if today <= row.date <= today + HEARINGS_AHEAD:
            found[row.bill_id].append(row)
    return found


def _bills(connection: Connection, ids: Iterable[int]) -> dict[int, Bill]:
    found: dict[int, Bill] = {}
    for part in _parts(sorted(ids)):
        for row in connection.execute(
            select(
                BillRow.id,
                BillRow.jurisdiction,
                BillRow.identifier,
                BillRow.title,
                BillRow.stage,
                BillRow.stage_date,
                BillRow.first_action_date,
                BillRow.latest_action,
                BillRow.latest_action_date,
                BillRow.url,
                SessionRow.identifier.label("session"),
            )
            .join(SessionRow, SessionRow.id == BillRow.session_id)
            .where(BillRow.id.in_(part))
        ):
            found[row.id] = Bill(row, row.session)
    return found


def _tags(connection: Connection, ids: Iterable[int], reader: Reader) -> dict[int, list[Tag]]:
    by_tag: dict[int, Tag] = {}
    found: dict[int, list[Tag]] = defaultdict(list)
    for part in _parts(sorted(ids)):
        for row in connection.execute(
            select(TagRow.id, TagRow.bill_id, TagRow.strategy, TagRow.score)
            .where(
                TagRow.bill_id.in_(part),
                TagRow.removed_at.is_(None),
                TagRow.applied.is_(True),
                TagRow.strategy != IN_SCOPE,
                TagRow.strategy.in_(reader.wanted),
                TagRow.score >= reader.min_score,
            )
            .order_by(TagRow.score.desc(), TagRow.strategy)
        ):
            by_tag[row.id] = Tag(row.strategy, row.score)
            found[row.bill_id].append(by_tag[row.id])
    for part in _parts(sorted(by_tag)):
        for shown in connection.execute(
            select(TagEvidenceRow.tag_id, TagEvidenceRow.field, TagEvidenceRow.quote)
            .where(TagEvidenceRow.tag_id.in_(part))
            .order_by(TagEvidenceRow.tag_id, TagEvidenceRow.ordinal.desc())
        ):
            by_tag[shown.tag_id].quote, by_tag[shown.tag_id].field = shown.quote, shown.field
    return found


def _lost(happened: Sequence[Any], reader: Reader) -> list[str]:
    """Strategies whose tag was withdrawn after an earlier digest may have told of it."""
    state: dict[str, tuple[bool, bool]] = {}
    for row in happened:
        if row.kind == EventKind.TAG_GAINED:
            key = row.after["strategy"]
            state[key] = (state.get(key, (False, False))[0], True)
        elif row.kind == EventKind.TAG_LOST:
            key = row.before["strategy"]
            state[key] = (state.get(key, (True, False))[0], False)
    return [k for k in reader.wanted if state.get(k) == (True, False)]


def _in_title(keyword: str, title: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(keyword.casefold())}(?!\w)", title.casefold()) is not None


def _natural(identifier: str) -> list[tuple[int, str]]:
    return [(int(p), "") if p.isdecimal() else (0, p) for p in re.split(r"(\d+)", identifier)]


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _PART):
        yield ids[start : start + _PART]
