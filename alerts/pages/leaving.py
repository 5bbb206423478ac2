"""Unsubscribing: a page that asks (GET), and the act (POST), which a mail program may do by itself (RFC 8058)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import PlainTextResponse, Response

from alerts import subscriptions, tokens
from alerts.pages import reply
from alerts.suppressions import Hasher
from tracker.web.dependencies import AppSettings, Database, Now

router = APIRouter()


@router.get("/unsubscribe/{token}")
def show(token: str, engine: Database, settings: AppSettings) -> Response:
    """Ask before unsubscribing."""
    reader = tokens.reader_of(engine, token, settings.signing_key())
    if reader is None:
        return reply.unknown()
    return reply.page(
        "page.html",
        title="Unsubscribe",
        words=[f"Stop the bill digest to {reader.email}?"],
        button="Unsubscribe",
    )


@router.post("/unsubscribe/{token}")
def leave(
    token: str,
    engine: Database,
    settings: AppSettings,
    now: Now,
    one_click: Annotated[str, Form(alias="List-Unsubscribe")] = "",
) -> Response:
    """Unsubscribe; a mail program's one-click request gets a plain answer."""
    reader = tokens.reader_of(engine, token, settings.signing_key())
    if reader is None:
        return reply.unknown()
    subscriptions.unsubscribe(engine, reader, hasher=Hasher.of(settings), now=now)
    if one_click == "One-Click":
        return PlainTextResponse("Unsubscribed.\n", headers=reply.PRIVATE)
    return reply.message(
        "You are unsubscribed",
        f"{reader.email} gets no further digests.",
        "Your address is kept only as a keyed hash, so that no import brings it back.",
    )
