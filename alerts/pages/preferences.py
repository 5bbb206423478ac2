"""A reader's own page, by signed link: what they get and when. The link expires for changes, never for stopping."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import Response
from sqlalchemy import Engine, update

from alerts import invitations, tokens, tradeoff
from alerts.outbox import draft, links_of
from alerts.pages import reply
from alerts.pages.forms import Filled, fields_of, wishes_of
from alerts.render import MARK, addressed
from alerts.subscriptions import Reader, change
from alerts.wishes import CADENCES, DAYS, SubscriptionError
from tracker import playbook
from tracker.db import writing
from tracker.models.readers import SubscriberRow
from tracker.settings import Settings
from tracker.web.dependencies import AppSettings, Database, Now

router = APIRouter()


def _reader(engine: Engine, token: str, settings: Settings, now: Any) -> tuple[Reader | None, bool]:
    return tokens.reader_at(
        engine, "preferences", token, settings.signing_key(), good_for=tokens.CHANGES_GOOD_FOR, now=now
    )


def _expired(reader: Reader, settings: Settings, token: str) -> Response:
    stop = links_of(settings).unsubscribe(reader)
    return reply.page("expired.html", 410, email=reader.email, stop=stop, token=token)


def _form(
    engine: Engine, settings: Settings, reader: Reader, now: Any, *, token: str, said: str = "", error: str = ""
) -> Response:
    fields = fields_of(reader.wishes)
    steps = tradeoff.table(engine, reader, now=now)
    return reply.page(
        "preferences.html",
        422 if error else 200,
        reader=reader,
        fields=fields,
        steps=steps,
        # A minimum that is none of the steps must not be lost by saving.
        minimums=sorted({*tradeoff.STEPS, reader.min_score}),
        strategies=[(s.key, s.name, s.group) for s in playbook.load().strategy],
        cadences=CADENCES,
        days=DAYS,
        stop=links_of(settings).unsubscribe(reader),
        token=token,
        said=said,
        error=error,
    )


@router.get("/preferences/{token}")
def show(token: str, engine: Database, settings: AppSettings, now: Now) -> Response:
    """The form."""
    reader, young = _reader(engine, token, settings, now)
    if reader is None:
        return reply.unknown()
    return _form(engine, settings, reader, now, token=token) if young else _expired(reader, settings, token)


@router.post("/preferences/{token}")
def save(token: str, form: Filled, engine: Database, settings: AppSettings, now: Now) -> Response:
    """Store what was filled in."""
    reader, young = _reader(engine, token, settings, now)
    if reader is None:
        return reply.unknown()
    if not young:
        return _expired(reader, settings, token)
    given = {name: value for name, value in form.items() if isinstance(value, str) and name != "strategies"}
    chosen = [value for value in form.getlist("strategies") if isinstance(value, str)]
    try:
        wishes = wishes_of(given, chosen, reader.wishes)
    except SubscriptionError as error:
        return _form(engine, settings, reader, now, token=token, error=str(error))
    values, own = wishes.stored()
    with writing(engine) as connection:
        change(connection, reader.id, values, own)
        paused = given.get("paused") == "yes"
        connection.execute(update(SubscriberRow).where(SubscriberRow.id == reader.id).values(paused=paused))
    changed, _ = _reader(engine, token, settings, now)
    assert changed is not None
    return _form(engine, settings, changed, now, token=token, said="Saved.")


@router.post("/preferences/{token}/link")
def new_link(token: str, engine: Database, settings: AppSettings, now: Now, later: BackgroundTasks) -> Response:
    """Mail the reader a fresh link."""
    reader, _ = _reader(engine, token, settings, now)
    if reader is None:
        return reply.unknown()
    if invitations.mail_link(engine, settings, reader, now=now):
        later.add_task(invitations.post, engine, settings, reader.id, now)
    return reply.message("Look into your mailbox", f"A fresh link is on its way to {reader.email}.")


@router.get("/preferences/{token}/preview")
def preview(token: str, engine: Database, settings: AppSettings, now: Now) -> Response:
    """The digest that this reader would get now; nothing is sent or noted."""
    reader, young = _reader(engine, token, settings, now)
    if reader is None or not young:
        return reply.unknown()
    parts = draft(engine, settings, reader, now=now).parts
    html, _ = addressed(parts.html, "", settings.public_url)
    return reply.mail_body(html.replace(MARK, ""))
