"""The strategies of the playbook: what each means, where its bills are, how they came over time."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from tracker import playbook
from tracker.overview import Sum, months, quotes, strategy_sums
from tracker.search import Hit, Query, search
from tracker.web.dependencies import Database
from tracker.web.drawing import month_bars, tile_map
from tracker.web.errors import not_found
from tracker.web.memory import Remembered
from tracker.web.pages.frame import looking, show
from tracker.web.presentation import address, place_name, strategies

router = APIRouter(include_in_schema=False)

NEWEST = 12


@router.get("/strategies")
def every(request: Request, engine: Database, memory: Remembered) -> Response:
    """All strategies, by the playbook's groups."""
    with looking(engine) as connection:
        return show(
            request,
            connection,
            "strategies.html",
            title="Strategies",
            playbook=playbook.load(),
            sums=memory.recall(connection, "sums", lambda: strategy_sums(connection)),
            nothing=Sum(),
        )


@router.get("/strategies/{key}")
def one(request: Request, key: str, engine: Database, memory: Remembered) -> Response:
    """One strategy."""
    strategy = strategies().get(key)
    if strategy is None:
        raise not_found(f"The playbook has no strategy {key[:60]!r}; /strategies lists them.")
    with looking(engine) as connection:
        found = memory.recall(connection, "sums", lambda: strategy_sums(connection)).get(key, Sum())
        hits, words = memory.recall(connection, ("newest", key), lambda: _newest(connection, key))
        by_month = memory.recall(connection, ("months", key), lambda: months(connection, key))
        return show(
            request,
            connection,
            "strategy.html",
            title=strategy.name,
            key=key,
            strategy=strategy,
            sum=found,
            hits=hits,
            quotes=words,
            months=by_month,
            places=sorted(found.jurisdictions.items(), key=lambda item: (-item[1], place_name(item[0]))),
            all_bills=address("/search", {"strategy": key}),
            calendar=address("/feeds/hearings.ics", {"strategy": key}),
            laws=address("/search", {"strategy": key, "stage": "became_law"}),
            map=tile_map(found.jurisdictions, lambda code: address("/search", {"strategy": key, "state": code})),
            chart=month_bars(
                by_month, f"Bills with {strategy.name}, month by month; the numbers are in the table below"
            ),
        )


def _newest(connection: Connection, key: str) -> tuple[list[Hit], dict[int, str]]:
    hits = search(connection, Query(strategies=[key], limit=NEWEST)).hits
    return hits, quotes(connection, [hit.bill_id for hit in hits], key)
