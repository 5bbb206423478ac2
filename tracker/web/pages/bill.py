"""One bill: where it stands, its tags with their words, its history as we saw it; its texts, and two side by side."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from tracker.bill_tables import table
from tracker.cleaning import bill_path
from tracker.history import NoBill, end_of, read_bill, tag_history
from tracker.models.bills import BillRow, BillTextRow, SessionRow, VersionRow
from tracker.records import ocd_bill_id
from tracker.similar import similar
from tracker.tagging import IN_SCOPE
from tracker.text.difference import Hunk, diff
from tracker.web.dependencies import Database, Now
from tracker.web.errors import not_found
from tracker.web.memory import Remembered
from tracker.web.pages.frame import looking, show
from tracker.web.presentation import address, joined, law_pieces, pieces, spread_address, way
from tracker.words import words

router = APIRouter(include_in_schema=False)

BEFORE, AFTER = 220, 260
# What a page shows of one text; longer ones are cut there, and the page says so.
MAX_TEXT = 600_000
CONTEXT = 2


@router.get("/bill/{code}/{session}/{identifier}/text/{text_id}")
def bill_text(request: Request, code: str, session: str, identifier: str, text_id: int, engine: Database) -> Response:
    """A text whole, with the words that tags stand on, new and struck language."""
    with looking(engine) as connection:
        bill = _bill(connection, code, session, identifier, None)
        text = _text(connection, bill["id"], text_id)
        spans = _evidence(bill, text_id)
        shown = text.text[:MAX_TEXT]
        return show(
            request,
            connection,
            "text.html",
            title=f"{bill['identifier']}, {text.note or 'text'}",
            bill=bill,
            text=text,
            pieces=law_pieces(shown, spans, text.added or [], text.struck or []),
            marks=len(spans),
            cut=len(text.text) > MAX_TEXT,
        )


@router.get("/bill/{code}/{session}/{identifier}/compare")
def compare(
    request: Request, code: str, session: str, identifier: str, engine: Database, old: str = "", new: str = ""
) -> Response:
    """Two texts of a bill side by side; the last two if none are named."""
    with looking(engine) as connection:
        bill = _bill(connection, code, session, identifier, None)
        texts = readable(bill)
        if len(texts) < 2:
            raise not_found("This bill has fewer than two texts that we could read, so there is nothing to compare.")
        chosen = [_chosen(texts, old, len(texts) - 2), _chosen(texts, new, len(texts) - 1)]
        left, right = (_text(connection, bill["id"], one["id"]) for one in chosen)
        hunks = _difference(left.text[:MAX_TEXT], right.text[:MAX_TEXT])
        return show(
            request,
            connection,
            "compare.html",
            title=f"{bill['identifier']}, two versions",
            bill=bill,
            texts=texts,
            old=left,
            new=right,
            rows=_folded(hunks),
            changed=sum(hunk.kind != "same" for hunk in hunks),
            cut=max(len(left.text), len(right.text)) > MAX_TEXT,
        )


@router.get("/bill/{code}/{session:path}/{identifier}")
def bill(
    request: Request,
    code: str,
    session: str,
    identifier: str,
    engine: Database,
    memory: Remembered,
    now: Now,
    as_of: str = "",
) -> Response:
    """The bill's page, as it stands or as we knew it at the end of a day."""
    day = _day(as_of)
    with looking(engine) as connection:
        found = _bill(connection, code, session, identifier, end_of(day) if day else None)
        path = bill_path(found["jurisdiction"], found["session"], found["identifier"])
        if (code, session, identifier) != (found["jurisdiction"], found["session"], found["identifier"]):
            return RedirectResponse(address(path, {"as_of": as_of}), 308)
        texts = readable(found)
        applied = [tag for tag in found["tags"] if tag["applied"] and tag["strategy"] != IN_SCOPE]
        return show(
            request,
            connection,
            "bill.html",
            title=f"{found['identifier']} ({found['jurisdiction'].upper()} {found['session']})",
            bill=found,
            path=path,
            as_of=day,
            first_day=found["first_seen"].date(),
            today=now.date(),
            way=way(found),
            tags=[{**tag, "quotes": _quotes(connection, found, tag)} for tag in applied],
            scope=next((tag for tag in found["tags"] if tag["strategy"] == IN_SCOPE), None),
            texts=texts,
            read={text["version_id"]: text for text in texts},
            tag_history=tag_history(connection, found["id"]),
            related=_related(connection, found),
            similar=[]
            if day
            else memory.recall(connection, ("similar", found["id"]), lambda: _similar(connection, found["id"])),
            upcoming=[h for h in found["hearings"] if h["date"] >= (day or now.date())],
            events=found["events"][::-1][:200],
        )


def readable(bill: dict[str, Any]) -> list[dict[str, Any]]:
    """The newest readable text of each version, in the versions' order."""
    found = []
    for version in bill["versions"]:
        good = [text for text in version["texts"] if text["status"] == "ok"]
        if good:
            found.append({**good[-1], "version_id": version["id"], "note": version["note"], "date": version["date"]})
    # Without all their dates only the source's own order is known.
    return sorted(found, key=lambda text: text["date"]) if all(text["date"] for text in found) else found


def _bill(connection: Connection, code: str, session: str, identifier: str, at: dt.datetime | None) -> dict[str, Any]:
    try:
        return read_bill(connection, f"{code}/{session}/{identifier}", at)
    except NoBill as error:
        sentence = str(error)
        raise not_found(f"{sentence[:1].upper()}{sentence[1:]}.") from error


def _evidence(bill: dict[str, Any], text_id: int | None) -> list[tuple[int, int]]:
    """Where the words of all tags in force stand in a text, in order and joined where they overlap."""
    return joined(
        (quote["start"], quote["end"])
        for tag in bill["tags"]
        if tag["applied"] and tag["text_id"] == text_id
        for quote in tag["evidence"]
        if quote["field"] == "text"
    )


def _text(connection: Connection, bill_id: int, text_id: int) -> Any:
    texts, versions = table(BillTextRow), table(VersionRow)
    row = connection.execute(
        select(texts, versions.c.note, versions.c.date)
        .join(versions, versions.c.id == texts.c.version_id)
        .where(texts.c.id == text_id, texts.c.bill_id == bill_id, texts.c.status == "ok")
    ).one_or_none()
    if row is None:
        raise not_found("This bill has no such text, or it could not be read.")
    return row


def _chosen(texts: list[dict[str, Any]], given: str, otherwise: int) -> dict[str, Any]:
    return next((text for text in texts if str(text["id"]) == given), texts[otherwise])


def _day(given: str) -> dt.date | None:
    if not given.strip():
        return None
    try:
        return dt.date.fromisoformat(given.strip())
    except ValueError:
        raise not_found("The day must be written as 2026-01-31.") from None


def _quotes(connection: Connection, bill: dict[str, Any], tag: dict[str, Any]) -> list[dict[str, Any]]:
    """Each quote of a tag with some of what stands around it."""
    found = []
    spans = _evidence(bill, tag["text_id"])
    for quote in sorted(tag["evidence"], key=lambda q: (q["field"], q["start"])):
        low, around = _around(connection, bill, tag, quote)
        start, end = quote["start"] - low, quote["end"] - low
        left, right = _whole_words(around, start, end, low)
        number = sum(span[0] <= quote["start"] for span in spans)
        spread = spread_address(words(quote["quote"]))
        marked = pieces(around, [(start, end)], left, right)
        found.append({**quote, "pieces": marked, "number": number, "spread": spread})
    return found


def _whole_words(text: str, start: int, end: int, low: int) -> tuple[int, int]:
    """The stretch around a quote without the parts of words at its ends. ``low``: what stands before it."""
    space = text.find(" ", 0, start)
    last = text.rfind(" ", end) if len(text) >= end + AFTER else -1
    return (space + 1 if low and space >= 0 else 0), (last if last >= end else len(text))


def _around(
    connection: Connection, bill: dict[str, Any], tag: dict[str, Any], quote: dict[str, Any]
) -> tuple[int, str]:
    """Where the stretch begins, and the stretch. Falls back to the quote where its field has moved on."""
    low = max(quote["start"] - BEFORE, 0)
    text = ""
    if quote["field"] == "text":
        start, length = low + 1, quote["end"] + AFTER - low
        column = sql.substr(BillTextRow.text, start, length)
        text = connection.execute(select(column).where(BillTextRow.id == tag["text_id"])).scalar() or ""
    elif quote["field"] == "title":
        text = bill["title"][low : quote["end"] + AFTER]
    elif quote["field"].startswith("abstract:"):
        at = int(quote["field"].partition(":")[2])
        if at < len(bill["abstracts"]):
            text = bill["abstracts"][at]["abstract"][low : quote["end"] + AFTER]
    if text[quote["start"] - low : quote["end"] - low] != quote["quote"]:
        return quote["start"], quote["quote"]
    return low, text


def _related(connection: Connection, bill: dict[str, Any]) -> list[dict[str, Any]]:
    """The bills that this one names, with what we know of them."""
    ids = {
        ocd_bill_id(bill["jurisdiction"], r["legislative_session"] or bill["session"], r["identifier"]): r
        for r in bill["related_bills"]
    }
    rows = connection.execute(select(BillRow.ocd_id, BillRow.title, BillRow.stage).where(BillRow.ocd_id.in_(list(ids))))
    known = {row.ocd_id: {"title": row.title, "stage": row.stage} for row in rows}
    return [
        {
            **related,
            "session": related["legislative_session"] or bill["session"],
            "jurisdiction": bill["jurisdiction"],
            "known": known.get(key),
        }
        for key, related in ids.items()
    ]


def _similar(connection: Connection, bill_id: int) -> list[dict[str, Any]]:
    alike = similar(connection, bill_id)
    rows = connection.execute(
        select(
            BillRow.id,
            BillRow.jurisdiction,
            SessionRow.identifier.label("session"),
            BillRow.identifier,
            BillRow.title,
            BillRow.stage,
            BillRow.first_action_date,
        )
        .join(SessionRow, SessionRow.id == BillRow.session_id)
        .where(BillRow.id.in_([one.bill_id for one in alike]))
    )
    bills = {row.id: row._mapping for row in rows}
    return [{**bills[one.bill_id], "shared": one.shared, "field": one.field} for one in alike]


@lru_cache(maxsize=64)
def _difference(old: str, new: str) -> tuple[Hunk, ...]:
    return tuple(diff(old, new, context=True))


def _folded(hunks: tuple[Hunk, ...]) -> list[Hunk | int]:
    """The changed paragraphs with some around them; what is left out as its number of paragraphs."""
    near = {
        place for at, hunk in enumerate(hunks) if hunk.kind != "same" for place in range(at - CONTEXT, at + CONTEXT + 1)
    }
    rows: list[Hunk | int] = []
    for at, hunk in enumerate(hunks):
        if at in near:
            rows.append(hunk)
        elif rows and isinstance(rows[-1], int):
            rows[-1] += 1
        else:
            rows.append(1)
    return rows
