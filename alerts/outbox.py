"""Plans mails: chooses who is due, freezes what they get, and keeps it. ``alerts/sending.py`` sends.

One transaction freezes an issue and moves the reader's place in the log, so nothing is told twice and
nothing falls between two digests, wherever a run is killed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy import func as sql

from alerts import due
from alerts.compose import compose, subject
from alerts.digest import select_news
from alerts.mail import build, message_id
from alerts.render import Parts, Private, addressed, letter, render, templates_hash, whole
from alerts.snapshot import Snapshot, take
from alerts.states import State
from alerts.subscriptions import Reader, find
from alerts.tokens import Links
from tracker.db import reading, writing
from tracker.models.readers import DeliveryRow, DigestIssueRow, SubscriberRow
from tracker.settings import Settings


@dataclass(frozen=True)
class Draft:
    """A digest before it is frozen. ``parts`` are what may be forwarded."""

    content: dict[str, Any]
    subject: str
    parts: Parts


def links_of(settings: Settings) -> Links:
    """The links of this installation."""
    return Links(settings.public_url, settings.signing_key())


def draft(engine: Engine, settings: Settings, reader: Reader, *, now: dt.datetime) -> Draft:
    """The digest that this reader would get now. Changes nothing."""
    with take(engine, [reader], now=now) as snapshot:
        return draft_from(snapshot, settings, reader)


def draft_from(snapshot: Snapshot, settings: Settings, reader: Reader) -> Draft:
    """The digest that this reader would get of a snapshot."""
    content = compose(select_news(snapshot, reader), public_url=settings.public_url)
    content["versions"]["templates"] = templates_hash()
    line = subject(content)
    return Draft(content, line, render(content, subject=line, public_url=settings.public_url))


def refusal(reader: Reader, now: dt.datetime) -> str:
    """Why this reader gets no digest, or an empty string."""
    if reader.suppressed:
        return reader.suppressed
    if not reader.confirmed:
        return "not confirmed"
    if reader.paused:
        return "paused"
    return "waiting after a bounce" if reader.held_until is not None and reader.held_until > now else ""


def plan(
    engine: Engine, snapshot: Snapshot, settings: Settings, reader: Reader, *, forced: bool, dry_run: bool
) -> Draft | None:
    """Freeze this reader's digest if it is due (or ``forced`` and there is news); None when there is nothing."""
    now = snapshot.now
    with reading(engine) as connection:
        last, today = _past(connection, reader, now)
    is_due = due.is_due(reader, last, now, today=today)
    if not is_due and not forced:
        return None
    made = draft_from(snapshot, settings, reader)
    if not is_due and made.content["to_seq"] <= reader.last_seq:
        return None
    silent = reader.cadence != "weekly" or not reader.empty_weeks
    if silent and not made.content["bills"]:
        return None
    if not dry_run:
        _freeze(engine, settings, reader, made, last, now)
    return made


def _past(connection: Connection, reader: Reader, now: dt.datetime) -> tuple[dt.datetime | None, int]:
    """When the newest digest was planned, and how many were today."""
    mine = (DigestIssueRow.subscriber_id == reader.id, DigestIssueRow.kind == "digest")
    last = connection.execute(select(sql.max(DigestIssueRow.planned_at)).where(*mine)).scalar()
    if reader.cadence != "immediate":
        return last, 0
    today = select(sql.count()).where(*mine, DigestIssueRow.planned_at >= due.day_start(reader, now))
    return last, connection.execute(today).scalar_one()


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
        if place != reader.last_seq or _past(connection, reader, now)[0] != last:
            return  # Another run was faster.
        values = {
            "from_seq": content["from_seq"],
            "to_seq": content["to_seq"],
            "snapshot": {**content, "shown": made.parts.shown},
            "bills": content["bills"],
        }
        _issue(connection, settings, reader, "digest", made.subject, made.parts.html, made.parts.text, now, values)
        connection.execute(
            update(SubscriberRow).where(SubscriberRow.id == reader.id).values(last_seq=content["to_seq"])
        )


def plan_letter(
    connection: Connection, settings: Settings, reader: Reader, kind: str, line: str, words: Sequence[str], url: str,
    now: dt.datetime,
) -> None:  # fmt: skip
    """Freeze a short mail with a link, of kind ``confirm`` or ``link``, inside a writing transaction."""
    html, text = letter(line, words, url)
    _issue(connection, settings, reader, kind, line, html, text, now, {"from_seq": 0, "to_seq": 0, "snapshot": {}})


def _issue(
    connection: Connection,
    settings: Settings,
    reader: Reader,
    kind: str,
    line: str,
    html: str,
    text: str,
    now: dt.datetime,
    values: dict[str, Any],
) -> None:
    issue = connection.execute(
        insert(DigestIssueRow)
        .values(subscriber_id=reader.id, planned_at=now, kind=kind, subject=line, html="", text="", mail=b"", **values)
        .returning(DigestIssueRow.id)
    ).scalar_one()
    html, text = addressed(html, text, links_of(settings).issue(issue))
    mail = _mail(settings, reader, kind, issue, line, html, text, now)
    connection.execute(
        update(DigestIssueRow)
        .where(DigestIssueRow.id == issue)
        .values(html=html, text=text, mail=zlib.compress(mail, 6), sha256=hashlib.sha256(mail).hexdigest())
    )
    connection.execute(
        insert(DeliveryRow).values(
            issue_id=issue,
            subscriber_id=reader.id,
            message_id=_identifier(settings, reader, issue, now),
            state=State.PLANNED,
            attempts=0,
            last_error="",
            planned_at=now,
        )
    )


def _identifier(settings: Settings, reader: Reader, issue: int, now: dt.datetime) -> str:
    return message_id(issue, reader.id, now, settings.mail_from, settings.signing_key())


def _mail(
    settings: Settings, reader: Reader, kind: str, issue: int, line: str, html: str, text: str, now: dt.datetime
) -> bytes:
    links = links_of(settings)
    private = Private(
        unsubscribe=links.unsubscribe(reader),
        preferences=links.preferences(reader, now),
        feedback=links.feedback(reader, issue),
    )
    if kind == "digest":
        html, text = whole(html, text, private)
    back = settings.bounce_address if settings.bounce_mailbox.get_secret_value() else ""
    token = private.unsubscribe.rpartition("/")[2]
    return build(
        mail_from=settings.mail_from,
        to=reader.email,
        subject=line,
        html=html,
        text=text,
        identifier=_identifier(settings, reader, issue, now),
        planned_at=now,
        unsubscribe=private.unsubscribe if kind == "digest" else "",
        unsubscribe_mail=f"mailto:{back}?subject=unsubscribe%20{token}" if back else "",
    )


def frozen_mail(engine: Engine, issue: int) -> bytes | None:
    """The mail of an issue, to the byte as it was sent; None when there is no such issue."""
    with reading(engine) as connection:
        found = connection.execute(select(DigestIssueRow.mail).where(DigestIssueRow.id == issue)).scalar()
    return opened(found) if found is not None else None


def opened(mail: bytes) -> bytes:
    """A stored mail as it is sent; issues from before mails were deflated are stored plain."""
    return zlib.decompress(mail) if mail[:1] == b"\x78" else bytes(mail)


def rebuilt_mail(engine: Engine, settings: Settings, issue: int) -> bytes | None:
    """The same mail made anew from the issue's frozen contents, templates and links; None when there is none."""
    with reading(engine) as connection:
        row = connection.execute(select(DigestIssueRow).where(DigestIssueRow.id == issue)).one_or_none()
        email = (
            row
            and connection.execute(select(SubscriberRow.email).where(SubscriberRow.id == row.subscriber_id)).scalar()
        )
    if row is None or email is None:
        return None
    html, text = row.html, row.text
    if row.kind == "digest":
        content = {k: v for k, v in row.snapshot.items() if k != "shown"}
        html, text, _ = render(content, subject=row.subject, public_url=settings.public_url)
        html, text = addressed(html, text, links_of(settings).issue(issue))
    return _mail(settings, find(engine, email), row.kind, issue, row.subject, html, text, row.planned_at)
