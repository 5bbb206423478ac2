"""Asking in: a mail with a link that its reader must follow and confirm before any digest goes out.

Whoever fills in the form learns nothing about the address, and can send at most a few mails to it.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, Engine, insert, select

from alerts import sending, suppressions
from alerts.outbox import links_of, plan_letter
from alerts.subscriptions import Reader, change, invites_since, new_reader, readers
from alerts.suppressions import Hasher
from alerts.wishes import Wishes, check_email
from tracker.db import writing
from tracker.models.readers import SubscriberRow, SubscriptionRow
from tracker.settings import Settings

KINDS = ("confirm", "link")
A_READER_IN_AN_HOUR, A_READER_IN_A_DAY, ALL_IN_AN_HOUR = 1, 3, 100


def invite(engine: Engine, settings: Settings, email: str, wishes: Wishes, *, now: dt.datetime) -> int | None:
    """Plan the mail that asks this address to confirm; returns the reader's id, or None when no mail is due.

    A reader who is confirmed gets a link to their preferences instead: nobody changes them from outside. An
    address that complained or does not exist gets nothing. Raises ``SubscriptionError`` for wishes that cannot be.
    """
    email = check_email(email)
    values, own = wishes.checked().stored()
    hasher = Hasher.of(settings)
    with writing(engine) as connection:
        suppressions.prepare(connection, hasher)
        reason = suppressions.reason_for(connection, hasher(email))
        if reason not in ("", suppressions.UNSUBSCRIBED):
            return None
        row = connection.execute(
            select(SubscriberRow.id, SubscriberRow.confirmed).where(SubscriberRow.email == email)
        ).first()
        if not _allowed(connection, row.id if row else None, now):
            return None
        if row is None:
            values |= {"confirmed": False, "paused": False}
            made = new_reader(connection, email, hasher, values, now)
            connection.execute(insert(SubscriptionRow).values(subscriber_id=made, **own))
        elif not row.confirmed:
            change(connection, row.id, values, own)
        (reader,) = readers(connection, email)
        _letter(connection, settings, reader, now, known=reader.confirmed and not reason)
        return reader.id


def mail_link(engine: Engine, settings: Settings, reader: Reader, *, now: dt.datetime) -> bool:
    """Plan a mail with a fresh link to the preferences; False when enough went out already."""
    with writing(engine) as connection:
        if reader.suppressed or not _allowed(connection, reader.id, now):
            return False
        _letter(connection, settings, reader, now, known=True)
    return True


def _allowed(connection: Connection, reader: int | None, now: dt.datetime) -> bool:
    hour, day = now - dt.timedelta(hours=1), now - dt.timedelta(days=1)
    if invites_since(connection, hour, KINDS) >= ALL_IN_AN_HOUR:
        return False
    return reader is None or (
        invites_since(connection, hour, KINDS, reader) < A_READER_IN_AN_HOUR
        and invites_since(connection, day, KINDS, reader) < A_READER_IN_A_DAY
    )


def _letter(connection: Connection, settings: Settings, reader: Reader, now: dt.datetime, *, known: bool) -> None:
    links = links_of(settings)
    if known:
        words = [
            "Here is the link to your preferences. It is good for thirty days.",
            "If you did not ask for it, ignore this mail: nothing has changed.",
        ]
        plan_letter(
            connection, settings, reader, "link", "Your bill digest: preferences", words,
            links.preferences(reader, now), now,
        )  # fmt: skip
        return
    words = [
        "Somebody, probably you, asked us to send a digest of education bills to this address.",
        "Follow the link and press the button to confirm. It is good for seven days.",
        "If it was not you, ignore this mail: without your confirmation nothing more comes.",
    ]
    plan_letter(
        connection, settings, reader, "confirm", "Please confirm your bill digest", words,
        links.confirm(reader, now), now,
    )  # fmt: skip


def post(engine: Engine, settings: Settings, reader: int, now: dt.datetime) -> None:
    """Send a reader's planned letters now; where a run is sending already, it or the next one does."""
    try:
        with sending.alone(engine, settings):
            sending.deliver(engine, settings, sending.Report(), now=now, wanted={reader})
    except sending.Busy:
        return
