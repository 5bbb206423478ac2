"""Readers and what they want to hear of. An address that unsubscribed stays suppressed until it asks anew."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from alerts import suppressions
from alerts.suppressions import Hasher
from alerts.wishes import SubscriptionError, Wishes, check_email, default_strategies
from tracker import spreadsheet
from tracker.db import reading, writing
from tracker.models.readers import (
    BounceRow,
    DeliveryRow,
    DigestIssueRow,
    FeedbackRow,
    SubscriberRow,
    SubscriptionRow,
    SuppressionRow,
)

__all__ = ["Reader", "SubscriptionError", "Wishes", "add", "default_strategies", "everyone", "find"]

_LISTS = ("states", "strategies", "keywords", "bills", "sponsors")
COLUMNS = (
    "email",
    *_LISTS,
    "searches",
    "cadence",
    "timezone",
    "weekday",
    "hour",
    "daily_cap",
    "empty_weeks",
    "min_score",
    "confirmed",
    "paused",
)
_YES = ("1", "true", "yes")


@dataclass(frozen=True, kw_only=True)
class Reader(Wishes):
    """A reader as the digest needs them. ``suppressed`` is the reason why they get nothing, or empty."""

    id: int
    email: str
    confirmed: bool
    paused: bool
    token_seed: str
    last_seq: int
    created_at: dt.datetime
    held_until: dt.datetime | None
    suppressed: str

    @property
    def wishes(self) -> Wishes:
        """What they want, without who they are."""
        return Wishes(**{f.name: getattr(self, f.name) for f in dataclasses.fields(Wishes)})

    def to_json(self) -> dict[str, Any]:
        """For ``--json``, without what signs links."""
        hidden = ("id", "token_seed", "created_at", "held_until")
        values = {k: v for k, v in self.__dict__.items() if k not in hidden}
        values |= {"strategies": self.wanted, "suppressed": bool(self.suppressed)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def add(
    engine: Engine,
    email: str,
    wishes: Wishes | None = None,
    *,
    hasher: Hasher,
    now: dt.datetime,
    confirmed: bool = False,
    paused: bool = False,
    again: bool = False,
) -> Reader:
    """Add a reader, or give an existing one these wishes. ``again``: they asked anew after unsubscribing."""
    email = check_email(email)
    values, own = (wishes or Wishes()).checked().stored()
    values |= {"confirmed": confirmed, "paused": paused}
    with writing(engine) as connection:
        suppressions.prepare(connection, hasher)
        if again:
            suppressions.lift(connection, hasher, email)
        elif suppressions.reason_for(connection, hasher(email)):
            raise SubscriptionError(f"{email} unsubscribed; use --again only if they asked to come back")
        found = connection.execute(
            select(SubscriberRow.id, SubscriberRow.confirmed).where(SubscriberRow.email == email)
        ).first()
        if confirmed and (found is None or not found.confirmed):
            values["confirmed_at"] = now
        if found is None:
            connection.execute(
                insert(SubscriptionRow).values(subscriber_id=new_reader(connection, email, hasher, values, now), **own)
            )
        else:
            change(connection, found.id, values, own)
        return readers(connection, email)[0]


def new_reader(connection: Connection, email: str, hasher: Hasher, values: Mapping[str, Any], now: dt.datetime) -> int:
    """Insert a reader, inside a writing transaction; returns the id."""
    return connection.execute(
        insert(SubscriberRow)
        .values(
            email=email,
            address_hash=hasher(email),
            token_seed=secrets.token_urlsafe(24),
            created_at=now,
            last_seq=0,
            **values,
        )
        .returning(SubscriberRow.id)
    ).scalar_one()


def change(connection: Connection, reader: int, values: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Store what :meth:`Wishes.stored` gives, inside a writing transaction."""
    connection.execute(update(SubscriberRow).where(SubscriberRow.id == reader).values(**values))
    connection.execute(update(SubscriptionRow).where(SubscriptionRow.subscriber_id == reader).values(**own))


def readers(connection: Connection, email: str | None = None, *, seed: str | None = None) -> list[Reader]:
    """All readers by address, or the one of an address or seed."""
    lists = (*_LISTS, "searches")
    query = (
        select(SubscriberRow, *(getattr(SubscriptionRow, n) for n in lists), SuppressionRow.reason.label("why"))
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .outerjoin(
            SuppressionRow,
            (SuppressionRow.email_hash == SubscriberRow.address_hash) & (SubscriberRow.address_hash != ""),
        )
        .order_by(SubscriberRow.email)
    )
    if email is not None:
        query = query.where(SubscriberRow.email == email)
    if seed is not None:
        query = query.where(SubscriberRow.token_seed == seed)
    plain = [f.name for f in dataclasses.fields(Reader) if f.name not in (*lists, "suppressed")]
    return [_reader(row, plain, lists) for row in connection.execute(query)]


def _reader(row: Any, plain: Sequence[str], lists: Sequence[str]) -> Reader:
    values: dict[str, Any] = {name: row._mapping[name] for name in plain}
    values |= {name: tuple(row._mapping[name]) for name in lists}
    return Reader(**values, suppressed=row.why or "")


def everyone(engine: Engine) -> list[Reader]:
    """All readers, by address."""
    with reading(engine) as connection:
        return readers(connection)


def find(engine: Engine, email: str) -> Reader:
    """One reader; raises :class:`SubscriptionError` when there is none."""
    with reading(engine) as connection:
        found = readers(connection, email.strip().lower())
    if not found:
        raise SubscriptionError(f"{email} is not a subscriber; billtracker subscribers list shows all")
    return found[0]


def of_seed(engine: Engine, seed: str) -> Reader | None:
    """The reader whose links carry this seed."""
    with reading(engine) as connection:
        found = readers(connection, seed=seed)
    return found[0] if found else None


def unsubscribe(
    engine: Engine, reader: Reader, *, hasher: Hasher, now: dt.datetime, reason: str = suppressions.UNSUBSCRIBED
) -> None:
    """Send nothing more to this address. Doing it twice is the same as once."""
    with writing(engine) as connection:
        suppressions.prepare(connection, hasher)
        connection.execute(update(SubscriberRow).where(SubscriberRow.id == reader.id).values(paused=True))
        suppressions.suppress(connection, hasher, reader.email, reason, now=now)


def confirm(engine: Engine, reader: Reader, *, hasher: Hasher, now: dt.datetime) -> None:
    """The owner of the address says yes: this also ends an earlier unsubscription."""
    with writing(engine) as connection:
        suppressions.prepare(connection, hasher)
        suppressions.lift(connection, hasher, reader.email)
        connection.execute(
            update(SubscriberRow)
            .where(SubscriberRow.id == reader.id)
            .values(confirmed=True, confirmed_at=now, paused=False)
        )


def remove(engine: Engine, email: str) -> None:
    """Forget a reader: wishes, issues and deliveries go; a suppression and anonymous feedback stay."""
    found = find(engine, email)
    with writing(engine) as connection:
        for row in (BounceRow, DeliveryRow, DigestIssueRow, SubscriptionRow):
            connection.execute(delete(row).where(row.subscriber_id == found.id))
        connection.execute(update(FeedbackRow).where(FeedbackRow.subscriber_id == found.id).values(subscriber_id=None))
        connection.execute(delete(SubscriberRow).where(SubscriberRow.id == found.id))


def import_csv(engine: Engine, path: Path, *, hasher: Hasher, now: dt.datetime) -> tuple[int, list[str]]:
    """Add the readers of a CSV file with at least a column ``email``; lists inside a cell part by ``;``.

    ``searches`` is a JSON list. Returns how many came in and one sentence for each row that did not.
    """
    done, errors = 0, []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "email" not in (rows.fieldnames or ()):
            raise SubscriptionError(f"{path} has no column named email")
        for row in rows:
            given = {name: spreadsheet.plain_cell((row.get(name) or "").strip()) for name in COLUMNS}
            try:
                add(
                    engine,
                    given["email"],
                    _wishes(given),
                    hasher=hasher,
                    now=now,
                    confirmed=given["confirmed"].lower() in _YES,
                    paused=given["paused"].lower() in _YES,
                )
                done += 1
            except ValueError as error:
                errors.append(f"line {rows.line_num}: {error}")
    return done, errors


def _wishes(given: Mapping[str, str]) -> Wishes:
    values: dict[str, Any] = {name: tuple(given[name].split(";")) for name in _LISTS}
    numbers: tuple[tuple[str, type], ...] = (("weekday", int), ("hour", int), ("daily_cap", int), ("min_score", float))
    for name, kind in numbers:
        if given[name]:
            values[name] = kind(given[name])
    for name in ("cadence", "timezone"):
        if given[name]:
            values[name] = given[name]
    if given["empty_weeks"]:
        values["empty_weeks"] = given["empty_weeks"].lower() in _YES
    searches = json.loads(given["searches"] or "[]")
    if not isinstance(searches, list):
        raise SubscriptionError("searches is not a JSON list")
    return Wishes(**values, searches=tuple(searches))


def export_csv(engine: Engine, path: Path) -> int:
    """Write all readers as the import reads them; returns how many."""

    def row(reader: Reader) -> dict[str, Any]:
        values = {name: getattr(reader, name) for name in COLUMNS}
        return {n: ";".join(v) if n in _LISTS else v for n, v in values.items()}

    with path.open("w", encoding="utf-8", newline="") as file:
        return spreadsheet.write(file, COLUMNS, map(row, everyone(engine)))


def invites_since(connection: Connection, since: dt.datetime, kinds: Sequence[str], reader: int | None = None) -> int:
    """How many short mails with a link were planned since then, to one reader or to all."""
    query = select(DigestIssueRow.id).where(DigestIssueRow.kind.in_(kinds), DigestIssueRow.planned_at >= since)
    if reader is not None:
        query = query.where(DigestIssueRow.subscriber_id == reader)
    return len(connection.execute(query).all())
