"""Joining, with double opt-in: a form, a mail, and a button behind the mail's link. A GET confirms nothing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Form, HTTPException
from fastapi.responses import Response

from alerts import invitations, subscriptions, tokens
from alerts.pages import reply
from alerts.pages.forms import wishes_of
from alerts.suppressions import Hasher
from alerts.wishes import CADENCES, SubscriptionError
from tracker import playbook
from tracker.settings import Settings
from tracker.web.dependencies import AppSettings, Database, Now

router = APIRouter()


def _open(settings: Settings) -> None:
    if not settings.open_signup:
        raise HTTPException(404, "This list takes no sign-ups by page.")


def _form(error: str = "", status: int = 200, **given: Any) -> Response:
    values = {"email": "", "states": "", "timezone": "America/New_York", **given}
    strategies = [(s.key, s.name, s.group) for s in playbook.load().strategy]
    return reply.page(
        "subscribe.html", status, error=error, strategies=strategies, cadences=CADENCES, given=values,
        wanted=subscriptions.default_strategies(),
    )  # fmt: skip


@router.get("/subscribe")
def ask(settings: AppSettings) -> Response:
    """The form."""
    _open(settings)
    return _form()


@router.post("/subscribe")
def asked(
    engine: Database,
    settings: AppSettings,
    now: Now,
    later: BackgroundTasks,
    email: Annotated[str, Form(max_length=300)],
    states: Annotated[str, Form(max_length=500)] = "",
    strategies: Annotated[list[str] | None, Form()] = None,
    cadence: Annotated[str, Form(max_length=20)] = "weekly",
    timezone: Annotated[str, Form(max_length=60)] = "America/New_York",
) -> Response:
    """Send a mail that asks to confirm. The answer is the same whether the address is known or not."""
    _open(settings)
    try:
        wishes = wishes_of({"states": states, "cadence": cadence, "timezone": timezone}, strategies or [])
        reader = invitations.invite(engine, settings, email, wishes, now=now)
    except SubscriptionError as error:
        return _form(str(error), 422, email=email, states=states, timezone=timezone)
    if reader is not None:
        later.add_task(invitations.post, engine, settings, reader, now)
    return reply.message(
        "Look into your mailbox",
        "If this address can get our mail, a message with a link is on its way.",
        "No digest is sent before you have followed the link and confirmed.",
    )


@router.get("/confirm/{token}")
def look(token: str, engine: Database, settings: AppSettings, now: Now) -> Response:
    """Show the button."""
    reader, young = tokens.reader_at(
        engine, "confirm", token, settings.signing_key(), good_for=tokens.CONFIRM_GOOD_FOR, now=now
    )
    if reader is None or not young:
        return reply.unknown()
    return reply.page(
        "page.html",
        title="Confirm your digest",
        words=[f"Send the bill digest to {reader.email}?"],
        button="Yes, send it",
    )


@router.post("/confirm/{token}")
def confirm(token: str, engine: Database, settings: AppSettings, now: Now) -> Response:
    """Confirm the address."""
    reader, young = tokens.reader_at(
        engine, "confirm", token, settings.signing_key(), good_for=tokens.CONFIRM_GOOD_FOR, now=now
    )
    if reader is None or not young:
        return reply.unknown()
    if reader.suppressed not in ("", "unsubscribed"):
        return reply.message("This address cannot get mail", f"It is stopped: {reader.suppressed}.", status=409)
    subscriptions.confirm(engine, reader, hasher=Hasher.of(settings), now=now)
    return reply.message(
        "Your digest is confirmed",
        f"{reader.email} gets its first digest with the next run.",
        "Each digest has a link to change what you get, and one to stop.",
    )
