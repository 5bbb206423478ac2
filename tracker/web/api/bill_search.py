"""Which bills a question to ``/bills`` means: filters in SQL, words by the search index, one page of row ids.

Filters look at bills as they stand now, whatever ``as_of`` says; ``as_of`` leaves out bills not seen by then.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, cast, column, exists, func, or_, select, text
from sqlalchemy import String as SqlText

from tracker.models.bills import BillRow, SessionRow, SponsorshipRow, SubjectRow
from tracker.models.tags import TagRow
from tracker.query import MAX_TERMS, QueryError, parse
from tracker.search import scope
from tracker.search_sql import Query
from tracker.web.api.parameters import Page
from tracker.web.memory import Memory

EVERY_HIT = 100_000_000


class Sort(StrEnum):
    """Orders of a list; ties go by the row's number, so that pages do not overlap."""

    UPDATED_ASC = "updated_asc"
    UPDATED_DESC = "updated_desc"
    FIRST_ACTION_ASC = "first_action_asc"
    FIRST_ACTION_DESC = "first_action_desc"
    LATEST_ACTION_ASC = "latest_action_asc"
    LATEST_ACTION_DESC = "latest_action_desc"


@dataclass(frozen=True)
class Asked:
    """A question to ``/bills``, checked. ``identifiers`` are in their one spelling."""

    code: str = ""
    session: str = ""
    chamber: str = ""
    identifiers: Sequence[str] = ()
    classification: str = ""
    subjects: Sequence[str] = ()
    updated_since: dt.datetime | None = None
    created_since: dt.datetime | None = None
    action_since: dt.date | None = None
    sponsor: str = ""
    sponsor_classification: str = ""
    words: str = ""
    strategies: Sequence[str] = ()
    min_score: float | None = None
    stages: Sequence[str] = ()
    seen_by: dt.datetime | None = None
    sort: Sort = field(default=Sort.UPDATED_DESC)


def matching_ids(connection: Connection, asked: Asked) -> Select[Any]:
    """All bills that match, as a query for their ids without order."""
    query = select(BillRow.id).where(*_of_bill(asked), *_of_parts(asked))
    if asked.session:
        query = query.join(SessionRow, SessionRow.id == BillRow.session_id).where(
            SessionRow.identifier == asked.session
        )
    if asked.words:
        search = Query(_readable(asked.words), states=(asked.code,) if asked.code else ())
        found = scope(connection, search, EVERY_HIT)
        hits = text(found.sql).bindparams(**found.values).columns(column("bill_id"))
        query = query.where(BillRow.id.in_(hits))
    return query


def _readable(words: str) -> str:
    """Open States takes any text for a search: what cannot be read as one counts as its mere words."""
    try:
        parse(words)
    except QueryError:
        return " ".join(re.findall(r"\w+", words.lower())[:MAX_TERMS])
    return words


def count_and_page(
    connection: Connection, memory: Memory, asked: Asked, page: Page
) -> tuple[dict[str, int], list[int]]:
    """The reply's ``pagination`` and the ids on the page, in order. 404 for a page beyond the last."""
    query = matching_ids(connection, asked)
    # Programs go through all pages of a question, and the count is a good part of each.
    total = memory.recall(
        connection, ("bills", repr(replace(asked, sort=Sort.UPDATED_DESC))), lambda: _count(connection, query)
    )
    pagination = page.described(total)
    name, _, direction = asked.sort.rpartition("_")
    by: Any = {
        "updated": BillRow.last_changed_at,
        "first_action": BillRow.first_action_date,
        "latest_action": BillRow.latest_action_date,
    }[name]
    down = direction == "desc"
    order = [by.is_(None), by.desc() if down else by.asc(), BillRow.id.desc() if down else BillRow.id.asc()]
    ids = connection.execute(query.order_by(*order).limit(page.size).offset(page.offset)).scalars()
    return pagination, list(ids)


def _count(connection: Connection, query: Select[Any]) -> int:
    return int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def _of_bill(asked: Asked) -> list[Any]:
    found: list[Any] = []
    if asked.code:
        found.append(BillRow.jurisdiction == asked.code)
    if asked.chamber:
        found.append(BillRow.chamber == asked.chamber)
    if asked.identifiers:
        found.append(BillRow.identifier.in_(asked.identifiers))
    if asked.classification:
        # A JSON list of plain words, written by us: the word stands in it between quotation marks.
        found.append(cast(BillRow.classification, SqlText).contains(f'"{asked.classification}"', autoescape=True))
    if asked.updated_since:
        found.append(BillRow.last_changed_at >= asked.updated_since)
    if asked.created_since:
        found.append(BillRow.first_seen_at >= asked.created_since)
    if asked.action_since:
        found.append(BillRow.latest_action_date >= asked.action_since)
    if asked.stages:
        found.append(BillRow.stage.in_(asked.stages))
    if asked.seen_by:
        found.append(BillRow.first_seen_at <= asked.seen_by)
    return found


def _of_parts(asked: Asked) -> list[Any]:
    found: list[Any] = []
    for subject in asked.subjects:
        found.append(
            exists().where(
                SubjectRow.bill_id == BillRow.id,
                SubjectRow.removed_at.is_(None),
                func.lower(SubjectRow.subject) == func.lower(subject),
            )
        )
    if asked.sponsor:
        same = [SponsorshipRow.bill_id == BillRow.id, SponsorshipRow.removed_at.is_(None)]
        same += [SponsorshipRow.name.icontains(word, autoescape=True) for word in asked.sponsor.split()]
        if asked.sponsor_classification:
            same.append(SponsorshipRow.classification == asked.sponsor_classification)
        found.append(exists().where(*same))
    if asked.strategies or asked.min_score is not None:
        # asked once for all bills: tied to each bill, SQLite would go through all of a strategy's tags every time
        tag: list[Any] = [TagRow.removed_at.is_(None)]
        tag.append(TagRow.applied if asked.min_score is None else TagRow.score >= asked.min_score)
        if asked.strategies:
            tag.append(or_(*(TagRow.strategy == name for name in asked.strategies)))
        else:
            tag.append(TagRow.strategy != "in_scope")
        found.append(BillRow.id.in_(select(TagRow.bill_id).where(*tag)))
    return found
