"""How one provision spreads: which bills have these words, in which states, and since when."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tracker.overview import Found, spread
from tracker.query import QueryError
from tracker.search import Hit, Query, hits_of
from tracker.vocabulary import Stage
from tracker.web.dependencies import Database
from tracker.web.drawing import steps, tile_map
from tracker.web.pages.frame import looking, show
from tracker.web.presentation import address, place_name

router = APIRouter(include_in_schema=False)

SHOWN = 60


@router.get("/spread")
def provision(request: Request, engine: Database, q: str = "") -> Response:
    """The words' way through the states."""
    words, problem = q.strip()[:1_000], ""
    found: list[Found] = []
    hits: dict[int, Hit] = {}
    with looking(engine) as connection:
        try:
            if words:
                found = spread(connection, Query(words))
                hits = {hit.bill_id: hit for hit in hits_of(connection, Query(words), _shown(found))}
        except QueryError as error:
            problem = str(error)
        counts: dict[str, int] = {}
        for bill in found:
            counts[bill.jurisdiction] = counts.get(bill.jurisdiction, 0) + 1
        firsts = _firsts(found)
        days = [bill.first for bill in firsts if bill.first]
        return show(
            request,
            connection,
            "spread.html",
            status=400 if problem else 200,
            title="How a provision spreads",
            words=words,
            problem=problem,
            total=len(found),
            laws=sum(bill.stage == Stage.BECAME_LAW for bill in found),
            places=len(counts),
            firsts=[(bill, hits[bill.bill_id], counts[bill.jurisdiction]) for bill in firsts],
            more=address("/search", {"q": words, "sort": "newest"}),
            map=tile_map(counts, lambda code: address("/search", {"q": words, "state": code})),
            chart=steps(days, "Jurisdictions with these words, over time; the days are in the table below"),
            searching=lambda code: address("/search", {"q": words, "state": code}),
            place=place_name,
        )


def _firsts(found: Sequence[Found]) -> list[Found]:
    """The first bill of each jurisdiction, in the order in which they came."""
    firsts: dict[str, Found] = {}
    for bill in found:
        firsts.setdefault(bill.jurisdiction, bill)
    return list(firsts.values())


def _shown(found: Sequence[Found]) -> list[int]:
    return [bill.bill_id for bill in _firsts(found)][:SHOWN]
