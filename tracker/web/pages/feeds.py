"""Feeds in Atom, for a search and for a strategy. Feed readers cannot send keys, so none is asked.

An Atom entry is one event of the log: its id never changes and it comes once, whatever dates a legislature writes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from lxml import etree
from sqlalchemy import Connection, column, select, text

from tracker import jurisdictions, playbook
from tracker.cleaning import bill_path, clean, shorten
from tracker.db import reading
from tracker.events import EventKind
from tracker.models.bills import BillEventRow, BillRow, SessionRow
from tracker.search import scope
from tracker.search_sql import Query as Search
from tracker.vocabulary import Stage
from tracker.web.dependencies import AppSettings, Database
from tracker.web.errors import not_found
from tracker.web.memory import Memory, Remembered
from tracker.web.pages.search import read_query

router = APIRouter(prefix="/feeds")
ENTRIES = 50
HITS = 10_000
_NEVER = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
# What moves a bill; sponsors, subjects and the like are left to /changes.
_NEWS = (
    EventKind.NEW_BILL,
    EventKind.TAG_GAINED,
    EventKind.TAG_LOST,
    EventKind.STAGE,
    EventKind.TITLE,
    EventKind.VERSION,
    EventKind.HEARING,
    EventKind.HEARING_CHANGED,
    EventKind.HEARING_REMOVED,
    EventKind.VANISHED,
)
_ATOM = "http://www.w3.org/2005/Atom"
Pairs = Sequence[tuple[str, str]]
States = Annotated[list[str], Query(max_length=60)]


@router.get("/search.atom")
def search_feed(request: Request, engine: Database, settings: AppSettings, memory: Remembered) -> Response:
    """News of the bills that a search finds; the address takes what the search page's takes."""
    asked = read_query(request.query_params)
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    with reading(engine) as connection:
        rows = _news(connection, asked, memory)
    title = f"Search: {clean(asked.text)}" if asked.text else "Search"
    return _atom(settings.public_url, title, _address("/feeds/search.atom", pairs), _address("/search", pairs), rows)


@router.get("/strategy/{strategy}.atom")
def strategy_feed(
    engine: Database,
    settings: AppSettings,
    memory: Remembered,
    strategy: Annotated[str, Path(max_length=60)],
    state: States = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """News of the bills that use a strategy, in some states or all."""
    known = playbook.load().strategies.get(strategy)
    if known is None:
        raise not_found("There is no such strategy in the playbook.")
    with reading(engine) as connection:
        rows = _news(connection, Search(states=[code.lower() for code in state], strategies=[strategy]), memory)
    pairs = [("state", code) for code in state]
    own = _address(f"/feeds/strategy/{strategy}.atom", pairs)
    return _atom(settings.public_url, known.name, own, _address("/search", [("strategy", strategy), *pairs]), rows)


def _address(path: str, pairs: Pairs) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _news(connection: Connection, asked: Search, memory: Memory) -> list[Any]:
    """The newest events of what is found. Readers' programs ask again and again, mostly where nothing happened."""
    return memory.recall(connection, ("feed", repr(asked)), lambda: _newest(connection, asked))


def _newest(connection: Connection, asked: Search) -> list[Any]:
    found = scope(connection, asked, HITS)
    hits = text(found.sql).bindparams(**found.values).columns(column("bill_id"))
    query = (
        select(
            BillEventRow.seq,
            BillEventRow.kind,
            BillEventRow.after,
            BillEventRow.before,
            BillEventRow.seen_at,
            BillRow.ocd_id,
            BillRow.jurisdiction,
            SessionRow.identifier.label("session"),
            BillRow.identifier,
            BillRow.title,
        )
        .join(BillRow, BillRow.id == BillEventRow.bill_id)
        .join(SessionRow, SessionRow.id == BillRow.session_id)
        .where(BillEventRow.bill_id.in_(hits), BillEventRow.kind.in_(_NEWS))
        .order_by(BillEventRow.seq.desc())
        .limit(ENTRIES)
    )
    return list(connection.execute(query))


def _atom(public_url: str, title: str, own: str, page: str, rows: Sequence[Any]) -> Response:
    base = public_url.rstrip("/")
    place = urlsplit(base).hostname or "localhost"
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})  # type: ignore[dict-item]  # lxml takes None for "no prefix"
    _add(feed, "title", clean(title))
    _add(feed, "id", f"tag:{place},2026:{own.removeprefix('/')}")
    _add(feed, "updated", (rows[0].seen_at if rows else _NEVER).isoformat())
    _add(_add(feed, "author"), "name", "Bill tracker")
    _add(feed, "link", rel="self", href=base + own, type="application/atom+xml")
    _add(feed, "link", rel="alternate", href=base + page, type="text/html")
    for row in rows:
        _entry(feed, base, place, row)
    body = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return Response(body, media_type="application/atom+xml; charset=utf-8")


def _entry(feed: Any, base: str, place: str, row: Any) -> None:
    entry = _add(feed, "entry")
    state = jurisdictions.load()[row.jurisdiction].name
    _add(entry, "title", clean(f"{state} {row.identifier}: {_sentence(row)}"))
    # The bill's id is the same on every machine; the number is the event's in this log.
    _add(entry, "id", f"tag:{place},2026:{row.ocd_id}/{row.seq}")
    _add(entry, "updated", row.seen_at.isoformat())
    page = bill_path(row.jurisdiction, row.session, row.identifier)
    _add(entry, "link", rel="alternate", href=base + page, type="text/html")
    _add(entry, "category", term=row.kind)
    _add(entry, "summary", "\n".join([clean(row.title) or "(no title)", *_quotes(row)]))


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    made = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    made.text = text
    return made


def _sentence(row: Any) -> str:
    before, after = row.before or {}, row.after or {}
    match row.kind:
        case EventKind.NEW_BILL:
            return "new bill"
        case EventKind.TAG_GAINED:
            return f"tagged {_strategy(after)}"
        case EventKind.TAG_LOST:
            return f"no longer tagged {_strategy(before)}"
        case EventKind.STAGE:
            return Stage(after["stage"]).label
        case EventKind.TITLE:
            return "new title"
        case EventKind.VERSION:
            return shorten(f"version {after.get('note', '')}", 120)
        case EventKind.HEARING:
            return shorten(f"hearing on {after.get('date', '')}, {after.get('committee', '')}", 200)
        case EventKind.HEARING_CHANGED:
            status = "cancelled" if after.get("status") == "cancelled" else f"now on {after.get('date', '')}"
            return shorten(f"hearing {status}, {after.get('committee', '')}", 200)
        case EventKind.HEARING_REMOVED:
            return shorten(f"hearing of {before.get('date', '')} taken back, {before.get('committee', '')}", 200)
        case _:
            return "no longer shown by its source"


def _strategy(value: dict[str, Any]) -> str:
    name = str(value.get("strategy", ""))
    known = playbook.load().strategies.get(name)
    return known.name if known else name


def _quotes(row: Any) -> list[str]:
    if row.kind != EventKind.TAG_GAINED:
        return []
    return [f"“{clean(quote.get('quote', ''))}”" for quote in (row.after or {}).get("evidence", [])]
