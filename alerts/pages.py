"""The pages that a mail's links lead to. Looking (GET) changes nothing: mail scanners follow every link."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from sqlalchemy import Engine

from alerts import subscriptions, tokens
from alerts.render import page
from tracker import settings as settings_module
from tracker.db import make_engine

router = APIRouter()
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    return make_engine(url)


def database() -> Engine:
    """The database of the settings."""
    return _engine(settings_module.load().url)


def signing_key() -> str:
    """The key that our links are signed with."""
    return settings_module.load().signing_key()


Database = Annotated[Engine, Depends(database)]
Key = Annotated[str, Depends(signing_key)]


def _unknown() -> Response:
    words = "This link is not complete or no longer good. Use the link in your newest digest."
    return HTMLResponse(page("Link not known", words), 404, headers=_HEADERS)


@router.get("/unsubscribe/{token}", include_in_schema=False)
def show(token: str, engine: Database, key: Key) -> Response:
    """Ask before unsubscribing."""
    reader = tokens.reader_of(engine, token, key)
    if reader is None:
        return _unknown()
    words = f"Stop the bill digest to {reader.email}?"
    return HTMLResponse(page("Unsubscribe", words, form=True), headers=_HEADERS)


@router.post("/unsubscribe/{token}", include_in_schema=False)
def leave(
    token: str,
    engine: Database,
    key: Key,
    one_click: Annotated[str, Form(alias="List-Unsubscribe")] = "",
) -> Response:
    """Unsubscribe; a mail program's one-click request gets a plain answer (RFC 8058)."""
    reader = tokens.reader_of(engine, token, key)
    if reader is None:
        return _unknown()
    subscriptions.unsubscribe(engine, reader, now=dt.datetime.now(dt.UTC))
    if one_click == "One-Click":
        return PlainTextResponse("Unsubscribed.\n", headers=_HEADERS)
    words = f"{reader.email} gets no further digests."
    return HTMLResponse(page("You are unsubscribed", words), headers=_HEADERS)
