"""The first page: what this is, a search, what each strategy adds up to, and what is new."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from tracker import playbook
from tracker.models.bills import BillRow
from tracker.overview import Sum, quotes, strategy_sums
from tracker.search import Hit, Query, search
from tracker.tagging import IN_SCOPE
from tracker.web.dependencies import Database, Now
from tracker.web.drawing import tile_map
from tracker.web.memory import Remembered
from tracker.web.pages.frame import looking, show
from tracker.web.pages.freshness import survey_now
from tracker.web.presentation import address, strategies

router = APIRouter(include_in_schema=False)

NEWEST = 8


@router.get("/")
def home(request: Request, engine: Database, memory: Remembered, now: Now) -> Response:
    """The overview."""
    with looking(engine) as connection:
        rows = survey_now(engine, connection, memory, now)
        sums = memory.recall(connection, "sums", lambda: strategy_sums(connection))
        known = list(strategies())
        hits, words = memory.recall(connection, "newest", lambda: _newest(connection, known))
        week = now.replace(minute=0, second=0, microsecond=0) - dt.timedelta(days=7)
        lately = memory.recall(connection, ("changed since", week), lambda: _changed_since(connection, week))
        scope = sums.get(IN_SCOPE, Sum())
        return show(
            request,
            connection,
            "home.html",
            title="Bills that put a playbook into law",
            own_search=True,
            playbook=playbook.load(),
            sums=sums,
            nothing=Sum(),
            scope=scope,
            total=sum(row["freshness"]["bills"] for row in rows),
            lately=lately,
            trouble=[row for row in rows if row["freshness"]["state"] in ("stale", "failing")],
            hits=hits,
            quotes=words,
            tagged=address("/search", [("strategy", s) for s in known]),
            map=tile_map(
                scope.jurisdictions,
                lambda code: address("/search", [*(("strategy", s) for s in known), ("state", code)]),
            ),
        )


def _newest(connection: Connection, known: list[str]) -> tuple[list[Hit], dict[int, str]]:
    """The newest bills with a strategy, and the words that show the likeliest one of each."""
    hits = search(connection, Query(strategies=known, limit=NEWEST)).hits
    best = {hit.bill_id: max(hit.tags, key=hit.tags.__getitem__) for hit in hits if hit.tags}
    words: dict[int, str] = {}
    for strategy in set(best.values()):
        words |= quotes(connection, [bill for bill, name in best.items() if name == strategy], strategy)
    return hits, words


def _changed_since(connection: Connection, moment: dt.datetime) -> int:
    query = select(sql.count()).select_from(BillRow).where(BillRow.last_changed_at >= moment)
    return connection.execute(query).scalar_one()
