"""Acts on what came back: bounces, complaints, and mails that ask to unsubscribe.

A report counts only when it names a Message-ID that we gave out, which nobody can guess, and the address that
we sent it to (complaints often hide the address). Each report counts once, however often the mailbox is read.
"""

from __future__ import annotations

import datetime as dt
import email
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from alerts import bounces, suppressions
from alerts.bounces import Bounce, Kind
from alerts.states import State, check
from alerts.subscriptions import unsubscribe
from alerts.suppressions import Hasher
from alerts.tokens import reader_of
from tracker.db import writing
from tracker.models.readers import BounceRow, DeliveryRow, SubscriberRow
from tracker.settings import Settings

_UNSUBSCRIBE = re.compile(r"\s*unsubscribe\s+([\w.-]{20,500})\s*", re.IGNORECASE)


@dataclass
class Returned:
    """What a reading of the mailbox came to."""

    messages: int = 0
    hard: int = 0
    soft: int = 0
    complaints: int = 0
    unsubscribed: int = 0
    known: int = 0
    strange: int = 0


def take_in(engine: Engine, settings: Settings, messages: Iterable[bytes], *, now: dt.datetime) -> Returned:
    """Act on each message of the bounce mailbox."""
    hasher = Hasher.of(settings)
    done = Returned()
    with writing(engine) as connection:
        suppressions.prepare(connection, hasher)
    for raw in messages:
        done.messages += 1
        for bounce in bounces.read(raw):
            with writing(engine) as connection:
                _act(connection, hasher, bounce, now, done)
        token = _asked_to_stop(raw)
        reader = reader_of(engine, token, settings.signing_key()) if token else None
        if reader is not None and not reader.suppressed:
            unsubscribe(engine, reader, hasher=hasher, now=now)
            done.unsubscribed += 1
    return done


def _act(connection: Connection, hasher: Hasher, bounce: Bounce, now: dt.datetime, done: Returned) -> None:
    row = connection.execute(
        select(
            DeliveryRow.id,
            DeliveryRow.state,
            DeliveryRow.attempts,
            DeliveryRow.subscriber_id,
            SubscriberRow.email,
        )
        .join(SubscriberRow, SubscriberRow.id == DeliveryRow.subscriber_id)
        .where(DeliveryRow.message_id == bounce.message_id)
    ).first()
    named = bounce.recipient or (row.email if row is not None and bounce.kind is Kind.COMPLAINT else "")
    if row is None or named != row.email:
        done.strange += 1
        return
    seen = select(BounceRow.id).where(BounceRow.report == bounce.report, BounceRow.delivery_id == row.id)
    if connection.execute(seen).first():
        done.known += 1
        return
    connection.execute(
        insert(BounceRow).values(
            delivery_id=row.id,
            subscriber_id=row.subscriber_id,
            report=bounce.report,
            kind=str(bounce.kind),
            status=bounce.status[:20],
            diagnostic=bounce.diagnostic,
            at=now,
        )
    )
    done.hard += bounce.kind is Kind.HARD
    done.soft += bounce.kind is Kind.SOFT
    done.complaints += bounce.kind is Kind.COMPLAINT
    step = bounces.next_step(bounce.kind, _softs_in_a_row(connection, row.subscriber_id))
    if step.stop:
        suppressions.suppress(connection, hasher, row.email, _REASONS[bounce.kind], now=now)
    elif bounce.final:
        _later(connection, row, step.wait, bounce, now)


_REASONS = {Kind.HARD: "no such address", Kind.SOFT: "bounced too often", Kind.COMPLAINT: "complaint"}


def _later(connection: Connection, row: Any, wait: dt.timedelta, bounce: Bounce, now: dt.datetime) -> None:
    """The mail never arrived: it goes again after the wait, and newer ones wait as long."""
    if row.state == State.ACCEPTED:
        connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == row.id)
            .values(
                state=check(row.state, State.DEFERRED),
                next_attempt_at=now + wait,
                finished_at=None,
                last_error=f"bounced: {bounce.status} {bounce.diagnostic}"[:300],
            )
        )
    connection.execute(update(SubscriberRow).where(SubscriberRow.id == row.subscriber_id).values(held_until=now + wait))


def _softs_in_a_row(connection: Connection, reader: int) -> int:
    """Soft bounces since the newest mail that was accepted and did not bounce."""
    good = (
        select(DeliveryRow.finished_at)
        .where(
            DeliveryRow.subscriber_id == reader,
            DeliveryRow.state == State.ACCEPTED,
            DeliveryRow.id.not_in(select(BounceRow.delivery_id).where(BounceRow.subscriber_id == reader)),
        )
        .order_by(DeliveryRow.finished_at.desc())
        .limit(1)
    )
    last_good = connection.execute(good).scalar()
    query = select(BounceRow.id).where(BounceRow.subscriber_id == reader, BounceRow.kind == Kind.SOFT)
    if last_good is not None:
        query = query.where(BounceRow.at > last_good)
    return len(connection.execute(query).all())


def _asked_to_stop(raw: bytes) -> str:
    """The token in the subject of a mail that ``List-Unsubscribe``'s mailto made."""
    subject = email.message_from_bytes(raw[:20_000]).get("Subject", "")
    found = _UNSUBSCRIBE.fullmatch(" ".join(str(subject).split()))
    return found.group(1) if found else ""
