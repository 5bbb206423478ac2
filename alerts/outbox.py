"""From "due" to "sent", each step noted before the next: plan, freeze in the database, send.

A run that is killed anywhere is finished by the next one, and nobody gets a digest twice: one transaction
freezes the issue and moves the reader's place in the log; each delivery is claimed before it is tried.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy import func as sql

from alerts.compose import compose, subject
from alerts.digest import select_news
from alerts.mail import build, message_id, sender_of
from alerts.render import Parts, render
from alerts.subscriptions import Reader, everyone
from alerts.tokens import unsubscribe_url
from alerts.transport import Files, Smtp, Transport
from tracker.db import reading, writing
from tracker.models.readers import DeliveryRow, DigestIssueRow, SubscriberRow
from tracker.settings import Settings

GAPS = {
    "weekly": dt.timedelta(days=6.5),
    "daily": dt.timedelta(hours=20),
    "immediate": dt.timedelta(0),
}
MAX_ATTEMPTS = 8
# A delivery that has been under way for this long was left by a run that ended.
_ABANDONED = dt.timedelta(minutes=15)


@dataclass
class Report:
    """What a sending run did: a line a mail, and a sentence for each thing that went wrong."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Draft:
    """A digest before it is frozen."""

    content: dict[str, Any]
    subject: str
    parts: Parts
    unsubscribe: str


def transport_of(settings: Settings) -> Transport:
    """The SMTP server of the settings, or the outbox folder."""
    url = settings.smtp_url.get_secret_value()
    return Smtp(url) if url else Files(settings.outbox)


def draft(engine: Engine, settings: Settings, reader: Reader, *, now: dt.datetime) -> Draft:
    """The digest that this reader would get now. Changes nothing."""
    content = compose(engine, select_news(engine, reader, now=now), public_url=settings.public_url)
    link = unsubscribe_url(settings.public_url, settings.signing_key(), reader.token_seed)
    line = subject(content)
    parts = render(content, subject=line, unsubscribe=link, public_url=settings.public_url)
    return Draft(content, line, parts, link)


def refusal(reader: Reader) -> str:
    """Why this reader gets nothing, or an empty string."""
    if reader.suppressed:
        return "unsubscribed"
    if not reader.confirmed:
        return "not confirmed"
    return "paused" if reader.paused else ""


def send(
    engine: Engine,
    settings: Settings,
    *,
    now: dt.datetime,
    only: Sequence[Reader] | None = None,
    dry_run: bool = False,
    transport: Transport | None = None,
) -> Report:
    """Send what is due, and what an earlier run left. ``only``: these readers, due or not."""
    report = Report()
    transport = transport or transport_of(settings)
    for reader in everyone(engine) if only is None else only:
        why_not = refusal(reader)
        if why_not:
            if only is not None:
                report.errors.append(f"{reader.email} gets no mail: {why_not}")
            continue
        try:
            made = _plan(engine, settings, reader, now, forced=only is not None, dry_run=dry_run)
        except Exception as error:
            # One reader's trouble must not cost the others their digest; the run ends with a look needed.
            report.errors.append(f"{reader.email}: {type(error).__name__}: {error}"[:300])
            continue
        if made is not None and dry_run:
            report.mails.append(_line(reader.email, made.subject, made.content) | {"state": "dry run"})
    if not dry_run:
        _deliver(engine, settings, transport, now, report, only)
    return report


def _last_issue(connection: Connection, reader: Reader) -> dt.datetime | None:
    return connection.execute(
        select(sql.max(DigestIssueRow.planned_at)).where(DigestIssueRow.subscriber_id == reader.id)
    ).scalar()


def _plan(
    engine: Engine, settings: Settings, reader: Reader, now: dt.datetime, *, forced: bool, dry_run: bool
) -> Draft | None:
    with reading(engine) as connection:
        last = _last_issue(connection, reader)
    due = last is None or now - last >= GAPS[reader.cadence]
    if not due and not forced:
        return None
    made = draft(engine, settings, reader, now=now)
    content = made.content
    if not due and content["to_seq"] <= reader.last_seq:
        return None
    if reader.cadence != "weekly" and not content["bills"]:
        return None
    if not dry_run:
        _freeze(engine, settings, reader, made, last, now)
    return made


def _freeze(
    engine: Engine,
    settings: Settings,
    reader: Reader,
    made: Draft,
    last: dt.datetime | None,
    now: dt.datetime,
) -> None:
    content = made.content
    with writing(engine) as connection:
        place = connection.execute(select(SubscriberRow.last_seq).where(SubscriberRow.id == reader.id)).scalar()
        if place != reader.last_seq or _last_issue(connection, reader) != last:
            return  # Another run was faster.
        issue = connection.execute(
            insert(DigestIssueRow)
            .values(
                subscriber_id=reader.id,
                planned_at=now,
                from_seq=content["from_seq"],
                to_seq=content["to_seq"],
                snapshot={**content, "shown": made.parts.shown},
                subject=made.subject,
                html=made.parts.html,
                text=made.parts.text,
                mail=b"",
            )
            .returning(DigestIssueRow.id)
        ).scalar_one()
        identifier = message_id(issue, reader.id, now, settings.mail_from)
        mail = build(
            mail_from=settings.mail_from,
            to=reader.email,
            subject=made.subject,
            html=made.parts.html,
            text=made.parts.text,
            identifier=identifier,
            planned_at=now,
            unsubscribe=made.unsubscribe,
        )
        connection.execute(update(DigestIssueRow).where(DigestIssueRow.id == issue).values(mail=mail))
        connection.execute(
            insert(DeliveryRow).values(
                issue_id=issue,
                subscriber_id=reader.id,
                message_id=identifier,
                state="planned",
                attempts=0,
                last_error="",
                planned_at=now,
            )
        )
        connection.execute(
            update(SubscriberRow).where(SubscriberRow.id == reader.id).values(last_seq=content["to_seq"])
        )


def _deliver(
    engine: Engine,
    settings: Settings,
    transport: Transport,
    now: dt.datetime,
    report: Report,
    only: Sequence[Reader] | None,
) -> None:
    readers = {reader.id: reader for reader in everyone(engine)}
    wanted = set(readers) if only is None else {reader.id for reader in only}
    with reading(engine) as connection:
        open_ = connection.execute(
            select(
                DeliveryRow.id,
                DeliveryRow.state,
                DeliveryRow.attempted_at,
                DeliveryRow.attempts,
                DeliveryRow.subscriber_id,
                DeliveryRow.message_id,
                DeliveryRow.issue_id,
            )
            .where(DeliveryRow.state.in_(("planned", "deferred", "sending")))
            .order_by(DeliveryRow.id)
        ).all()
    for row in open_:
        reader = readers[row.subscriber_id]
        if row.subscriber_id not in wanted:
            continue
        if row.state == "sending" and not transport.repeatable:
            if row.attempted_at is None or now - row.attempted_at > _ABANDONED:
                _note(engine, row.id, "unknown", "the run ended while sending; not sent again", now)
                report.errors.append(f"{reader.email}: a run ended while sending; it may not have arrived")
            continue
        if refusal(reader):
            _note(engine, row.id, "failed", refusal(reader), now)
            continue
        if not _claim(engine, row, now):
            continue
        with reading(engine) as connection:
            issue = connection.execute(select(DigestIssueRow).where(DigestIssueRow.id == row.issue_id)).one()
        digest = hashlib.sha256(row.message_id.encode()).hexdigest()[:8]
        name = f"{issue.planned_at:%Y-%m-%d}-{row.issue_id:06d}-{digest}"
        outcome = transport.send(issue.mail, sender_of(settings.mail_from)[1], reader.email, name)
        state = outcome.state
        if state == "deferred" and row.attempts + 1 >= MAX_ATTEMPTS:
            state = "failed"
        _note(engine, row.id, state, outcome.error, now)
        line = _line(reader.email, issue.subject, issue.snapshot) | {"issue": row.issue_id}
        report.mails.append(line | ({"file": outcome.file} if outcome.file else {"state": state}))
        if state != "accepted":
            report.errors.append(f"{reader.email}: {state}: {outcome.error}")


def _claim(engine: Engine, row: Any, now: dt.datetime) -> bool:
    with writing(engine) as connection:
        done = connection.execute(
            update(DeliveryRow)
            .where(
                DeliveryRow.id == row.id,
                DeliveryRow.state == row.state,
                DeliveryRow.attempts == row.attempts,
            )
            .values(state="sending", attempts=row.attempts + 1, attempted_at=now)
        )
        return done.rowcount == 1


def _note(engine: Engine, delivery: int, state: str, error: str, now: dt.datetime) -> None:
    finished = now if state in ("accepted", "failed", "unknown") else None
    with writing(engine) as connection:
        connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == delivery)
            .values(state=state, last_error=error, finished_at=finished)
        )


def _line(to: str, subject_: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"to": to, "subject": subject_, "bills": content["bills"]}


def frozen_mail(engine: Engine, issue: int) -> bytes | None:
    """The mail of an issue, to the byte; None when there is no such issue."""
    with reading(engine) as connection:
        found = connection.execute(select(DigestIssueRow.mail).where(DigestIssueRow.id == issue)).scalar()
    return bytes(found) if found is not None else None
