"""Readers and what they want to hear of. An address that unsubscribed stays suppressed until it asks anew."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Engine, delete, insert, select, update

from tracker import jurisdictions, playbook
from tracker.db import reading, writing
from tracker.models.readers import (
    DeliveryRow,
    DigestIssueRow,
    FeedbackRow,
    SubscriberRow,
    SubscriptionRow,
    SuppressionRow,
)

CADENCES = ("weekly", "daily", "immediate")
COLUMNS = (
    "email",
    "states",
    "strategies",
    "keywords",
    "cadence",
    "timezone",
    "min_score",
    "confirmed",
    "paused",
)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class SubscriptionError(ValueError):
    """A subscription that cannot be; the message is one sentence."""


@dataclass(frozen=True)
class Reader:
    """A reader as the digest needs them. Empty ``states`` means all of them."""

    id: int
    email: str
    confirmed: bool
    cadence: str
    timezone: str
    min_score: float
    paused: bool
    token_seed: str
    last_seq: int
    states: tuple[str, ...]
    strategies: tuple[str, ...]
    keywords: tuple[str, ...]
    suppressed: bool

    def to_json(self) -> dict[str, Any]:
        """For ``--json``, without what signs links."""
        values = {k: v for k, v in self.__dict__.items() if k not in ("id", "token_seed")}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def default_strategies() -> tuple[str, ...]:
    """The strategies of the playbook's first group: what a reader gets who names none."""
    strategies = playbook.load().strategy
    return tuple(s.key for s in strategies if s.group == strategies[0].group)


def email_hash(email: str) -> str:
    """An address as the suppression list keeps it."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def check_email(email: str) -> str:
    """The address in lower case; raises :class:`SubscriptionError` for what is not one."""
    email = email.strip().lower()
    if not _ADDRESS.fullmatch(email) or len(email) > 254:
        raise SubscriptionError(f"{email[:80]!r} is not an e-mail address")
    return email


def add(
    engine: Engine,
    email: str,
    *,
    now: dt.datetime,
    states: Sequence[str] = (),
    strategies: Sequence[str] = (),
    keywords: Sequence[str] = (),
    cadence: str = "weekly",
    timezone: str = "America/New_York",
    min_score: float = 0.0,
    confirmed: bool = False,
    paused: bool = False,
    again: bool = False,
) -> Reader:
    """Add a reader, or give an existing one these wishes. ``again``: they asked anew after unsubscribing."""
    email = check_email(email)
    wishes = {
        "states": _states(states),
        "strategies": _strategies(strategies),
        "keywords": [k.strip() for k in keywords if k.strip()][:50],
    }
    if cadence not in CADENCES:
        raise SubscriptionError(f"cadence {cadence!r} is not one of {', '.join(CADENCES)}")
    if not 0 <= min_score <= 1:
        raise SubscriptionError(f"min_score {min_score} is not between 0 and 1")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SubscriptionError(f"{timezone!r} is not a time zone such as America/Chicago") from error
    values = {
        "confirmed": confirmed,
        "cadence": cadence,
        "timezone": timezone,
        "min_score": min_score,
        "paused": paused,
    }
    with writing(engine) as connection:
        digest = email_hash(email)
        if again:
            connection.execute(delete(SuppressionRow).where(SuppressionRow.email_hash == digest))
        elif connection.execute(select(SuppressionRow.id).where(SuppressionRow.email_hash == digest)).first():
            raise SubscriptionError(f"{email} unsubscribed; use --again only if they asked to come back")
        found = connection.execute(select(SubscriberRow.id).where(SubscriberRow.email == email)).scalar()
        if found is None:
            found = connection.execute(
                insert(SubscriberRow)
                .values(
                    email=email,
                    token_seed=secrets.token_urlsafe(24),
                    created_at=now,
                    last_seq=0,
                    **values,
                )
                .returning(SubscriberRow.id)
            ).scalar_one()
            connection.execute(insert(SubscriptionRow).values(subscriber_id=found, **wishes))
        else:
            connection.execute(update(SubscriberRow).where(SubscriberRow.id == found).values(**values))
            connection.execute(update(SubscriptionRow).where(SubscriptionRow.subscriber_id == found).values(**wishes))
        return _readers(connection, email)[0]


def _states(codes: Sequence[str]) -> list[str]:
    places = jurisdictions.load()
    found = []
    for code in (c.strip() for c in codes):
        if not code:
            continue
        try:
            found.append(places.get(code).code)
        except KeyError as error:
            raise SubscriptionError(str(error.args[0])) from error
    return sorted(set(found))


def _strategies(keys: Sequence[str]) -> list[str]:
    known = playbook.load().strategies
    asked = [k.strip() for k in keys if k.strip()]
    for key in asked:
        if key not in known:
            raise SubscriptionError(f"there is no strategy {key!r}; the playbook has {', '.join(known)}")
    return list(dict.fromkeys(asked))


def _readers(connection: Connection, email: str | None = None) -> list[Reader]:
    query = (
        select(SubscriberRow, SubscriptionRow.states, SubscriptionRow.strategies, SubscriptionRow.keywords)
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .order_by(SubscriberRow.email)
    )
    if email is not None:
        query = query.where(SubscriberRow.email == email)
    suppressed = set(connection.execute(select(SuppressionRow.email_hash)).scalars())
    names = (
        "id",
        "email",
        "confirmed",
        "cadence",
        "timezone",
        "min_score",
        "paused",
        "token_seed",
        "last_seq",
    )
    return [
        Reader(
            **{name: row._mapping[name] for name in names},
            states=tuple(row.states),
            strategies=tuple(row.strategies) or default_strategies(),
            keywords=tuple(row.keywords),
            suppressed=email_hash(row.email) in suppressed,
        )
        for row in connection.execute(query)
    ]


def everyone(engine: Engine) -> list[Reader]:
    """All readers, by address."""
    with reading(engine) as connection:
        return _readers(connection)


def find(engine: Engine, email: str) -> Reader:
    """One reader; raises :class:`SubscriptionError` when there is none."""
    with reading(engine) as connection:
        found = _readers(connection, email.strip().lower())
    if not found:
        raise SubscriptionError(f"{email} is not a subscriber; billtracker subscribers list shows all")
    return found[0]


def unsubscribe(engine: Engine, reader: Reader, *, now: dt.datetime, reason: str = "unsubscribed") -> None:
    """Send nothing more to this address. Doing it twice is the same as once."""
    digest = email_hash(reader.email)
    with writing(engine) as connection:
        connection.execute(update(SubscriberRow).where(SubscriberRow.id == reader.id).values(paused=True))
        if not connection.execute(select(SuppressionRow.id).where(SuppressionRow.email_hash == digest)).first():
            connection.execute(insert(SuppressionRow).values(email_hash=digest, reason=reason, at=now))


def remove(engine: Engine, email: str) -> None:
    """Forget a reader: wishes, issues and deliveries go; a suppression and anonymous feedback stay."""
    found = find(engine, email)
    with writing(engine) as connection:
        for row in (DeliveryRow, DigestIssueRow, SubscriptionRow):
            connection.execute(delete(row).where(row.subscriber_id == found.id))
        connection.execute(update(FeedbackRow).where(FeedbackRow.subscriber_id == found.id).values(subscriber_id=None))
        connection.execute(delete(SubscriberRow).where(SubscriberRow.id == found.id))


def import_csv(engine: Engine, path: Path, *, now: dt.datetime) -> tuple[int, list[str]]:
    """Add the readers of a CSV file with at least a column ``email``; lists inside a cell part by ``;``.

    Returns how many came in and one sentence for each row that did not.
    """
    done, errors = 0, []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "email" not in (rows.fieldnames or ()):
            raise SubscriptionError(f"{path} has no column named email")
        for row in rows:
            given = {name: (row.get(name) or "").strip() for name in COLUMNS}
            lists = {n: given[n].split(";") for n in ("states", "strategies", "keywords")}
            try:
                add(
                    engine,
                    given["email"],
                    now=now,
                    states=lists["states"],
                    strategies=lists["strategies"],
                    keywords=lists["keywords"],
                    cadence=given["cadence"] or "weekly",
                    timezone=given["timezone"] or "America/New_York",
                    min_score=float(given["min_score"] or 0),
                    confirmed=given["confirmed"].lower() in ("1", "true", "yes"),
                    paused=given["paused"].lower() in ("1", "true", "yes"),
                )
                done += 1
            except ValueError as error:
                errors.append(f"line {rows.line_num}: {error}")
    return done, errors


def export_csv(engine: Engine, path: Path) -> int:
    """Write all readers as the import reads them; returns how many."""
    readers = everyone(engine)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for reader in readers:
            values = reader.to_json()
            writer.writerow(";".join(values[n]) if isinstance(values[n], list) else values[n] for n in COLUMNS)
    return len(readers)
