"""The search page: words, facets with counts, and a page of hits. A search is its address, so it can be kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection
from starlette.datastructures import QueryParams

from tracker.cleaning import clean
from tracker.query import QueryError
from tracker.search import FACETED, Query, Results, facets, search
from tracker.search_narrowing import narrowing
from tracker.search_sql import Narrowing
from tracker.vocabulary import BILL_CLASSES, STAGES
from tracker.web.dependencies import Database
from tracker.web.memory import Memory, Remembered
from tracker.web.pages.frame import looking, show
from tracker.web.presentation import address, chamber_name, place_name, stage_label, strategies, strategy_name

router = APIRouter(include_in_schema=False)

PAGE = 20
LAST_PAGE = 500
# The form's names for the filters of a Query, in the order in which they are shown.
LISTS = {
    "strategy": "strategies",
    "state": "states",
    "stage": "stages",
    "chamber": "chambers",
    "class": "classifications",
    "session": "sessions",
    "subject": "subjects",
    "sponsor": "sponsors",
}
DAYS = ("action_since", "action_until", "seen_since", "seen_until", "changed_since", "changed_until")


@dataclass(frozen=True)
class Choice:
    """One line of a facet."""

    value: str
    label: str
    count: int | None
    chosen: bool


def read_query(given: QueryParams) -> Query:
    """The search in an address. Raises :class:`QueryError` with one sentence."""
    lists: dict[str, Any] = {
        name: [clean(value) for value in given.getlist(field) if clean(value)][:60] for field, name in LISTS.items()
    }
    days: dict[str, Any] = {name: _day(given.get(name, "")) for name in DAYS}
    number = _number(given.get("page", "1") or "1", "page", 1, LAST_PAGE)
    score = given.get("min_score", "")
    sort = "newest" if given.get("sort") == "newest" else "ranked"
    return Query(
        given.get("q", "").strip(),
        **lists,
        **days,
        min_score=_number(score, "score", 0, 1) if score else None,
        sort=sort,
        limit=PAGE,
        offset=(int(number) - 1) * PAGE,
    )


@router.get("/search")
def results(request: Request, engine: Database, memory: Remembered) -> Response:
    """Find bills."""
    found, counts, problem = Results(), _no_counts(), ""
    with looking(engine) as connection:
        try:
            asked = read_query(request.query_params)
            narrow = narrowing(connection, asked)
            found = search(connection, asked, narrow)
            counts = _counts(connection, memory, asked, found, narrow)
        except QueryError as error:
            problem = str(error)
            asked = Query(request.query_params.get("q", "")[:1000])
        number = asked.offset // PAGE + 1
        pairs = [
            (n, v) for n, v in request.query_params.multi_items() if n in (*LISTS, *DAYS, "q", "sort", "min_score")
        ]
        return show(
            request,
            connection,
            "search.html",
            status=400 if problem else 200,
            title=f"{asked.text[:80]} – search" if asked.text else "Search",
            own_search=True,
            asked=asked,
            found=found,
            problem=problem,
            facets=_facets(asked, counts),
            faceted=FACETED,
            chosen=list(_chosen(pairs)),
            narrowed=any(value for name, value in pairs if name not in ("q", "sort")),
            pairs=pairs,
            number=number,
            first=asked.offset + 1,
            more=found.total > asked.offset + len(found.hits) and number < LAST_PAGE and bool(found.hits),
            previous_page=address("/search", [*pairs, ("page", number - 1 if number > 2 else "")]),
            next_page=address("/search", [*pairs, ("page", number + 1)]),
            other_sort=address(
                "/search",
                [*((n, v) for n, v in pairs if n != "sort"), ("sort", "" if asked.sort == "newest" else "newest")],
            ),
        )


def _counts(
    connection: Connection, memory: Memory, asked: Query, found: Results, narrow: Narrowing
) -> dict[str, dict[str, int]]:
    """Counts for each facet; one that is chosen from shows what its other choices would bring."""

    def spread(question: Query) -> dict[str, dict[str, int]]:
        key = repr(replace(question, sort="", limit=1, offset=0))
        return memory.recall(connection, ("facets", key), lambda: facets(connection, question, narrow))

    counts = dict(spread(asked)) if found.total else _no_counts()
    for name, field in (("jurisdiction", "states"), ("stage", "stages"), ("chamber", "chambers")):
        if getattr(asked, field):
            wider: dict[str, Any] = {field: []}
            counts[name] = spread(replace(asked, **wider))[name]
    return counts


def _no_counts() -> dict[str, dict[str, int]]:
    return {"jurisdiction": {}, "stage": {}, "chamber": {}}


def _facets(asked: Query, counts: dict[str, dict[str, int]]) -> dict[str, list[Choice]]:
    return {
        "strategy": [Choice(key, s.name, None, key in asked.strategies) for key, s in strategies().items()],
        "state": _choices(counts["jurisdiction"], asked.states, place_name),
        "stage": sorted(_choices(counts["stage"], asked.stages, stage_label), key=lambda c: _order(c.value)),
        "chamber": [c for c in _choices(counts["chamber"], asked.chambers, chamber_name) if c.label],
        "class": [
            Choice(name, name.capitalize(), None, name in asked.classifications)
            for name in BILL_CLASSES
            if name in ("bill", "resolution", "joint resolution", "concurrent resolution", "constitutional amendment")
            or name in asked.classifications
        ],
    }


def _choices(counts: dict[str, int], chosen: Iterable[str], label: Any) -> list[Choice]:
    kept = list(chosen)
    names = [*(n for n in kept if n not in counts), *counts]
    made = [Choice(name, label(name), counts.get(name, 0), name in kept) for name in names]
    return sorted(made, key=lambda c: not c.chosen)


def _order(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else 99


_NAMES: dict[str, Any] = {
    "strategy": strategy_name,
    "state": place_name,
    "stage": stage_label,
    "chamber": chamber_name,
    "session": lambda v: f"session {v}",
    "subject": lambda v: f"subject: {v}",
    "sponsor": lambda v: f"sponsor: {v}",
    "action_since": lambda v: f"acted since {v}",
    "action_until": lambda v: f"acted until {v}",
    "seen_since": lambda v: f"first seen since {v}",
    "seen_until": lambda v: f"first seen until {v}",
    "changed_since": lambda v: f"changed since {v}",
    "changed_until": lambda v: f"changed until {v}",
    "min_score": lambda v: f"score from {v}",
}


def _chosen(pairs: list[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Each filter in force in words, with the address of the same search without it."""
    for at, (name, value) in enumerate(pairs):
        if name in ("q", "sort") or not value.strip():
            continue
        rest = [pair for n, pair in enumerate(pairs) if n != at]
        yield _NAMES.get(name, str)(clean(value)), address("/search", rest)


def _day(value: str) -> dt.date | None:
    if not value.strip():
        return None
    try:
        return dt.date.fromisoformat(value.strip())
    except ValueError:
        raise QueryError(f"{clean(value)[:40]!r} is not a day such as 2026-01-31") from None


def _number(value: str, name: str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        raise QueryError(f"the {name} must be a number") from None
    if not low <= number <= high:
        raise QueryError(f"the {name} must be from {low:g} to {high:g}; narrow the search, or use an export")
    return number
