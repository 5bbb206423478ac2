"""The pages that a mail's links lead to. Looking (GET) changes nothing: mail scanners follow every link."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from alerts import subscriptions, tokens
from alerts.render import page
from alerts.suppressions import Hasher
from tracker.web.dependencies import AppSettings, Database

router = APIRouter()
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def _unknown() -> Response:
    words = "This link is not complete or no longer good. Use the link in your newest digest."
    return HTMLResponse(page("Link not known", words), 404, headers=_HEADERS)


@router.get("/unsubscribe/{token}", include_in_schema=False)
def show(token: str, engine: Database, settings: AppSettings) -> Response:
    """Ask before unsubscribing."""
    reader = tokens.reader_of(engine, token, settings.signing_key())
    if reader is None:
        return _unknown()
    words = f"Stop the bill digest to {reader.email}?"
    return HTMLResponse(page("Unsubscribe", words, form=True), headers=_HEADERS)


@router.post("/unsubscribe/{token}", include_in_schema=False)
def leave(
    token: str,
    engine: Database,
    settings: AppSettings,
    one_click: Annotated[str, Form(alias="List-Unsubscribe")] = "",
) -> Response:
    """Unsubscribe; a mail program's one-click request gets a plain answer (RFC 8058)."""
    reader = tokens.reader_of(engine, token, settings.signing_key())
    if reader is None:
        return _unknown()
    subscriptions.unsubscribe(engine, reader, hasher=Hasher.of(settings), now=dt.datetime.now(dt.UTC))
    if one_click == "One-Click":
        return PlainTextResponse("Unsubscribed.\n", headers=_HEADERS)
    words = f"{reader.email} gets no further digests."
    return HTMLResponse(page("You are unsubscribed", words), headers=_HEADERS)
