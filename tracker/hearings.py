"""Hearings as meetings: sources announce them bill by bill, people go to a committee's meeting.

Hearings of one jurisdiction with the same day, time and committee are one meeting. Its id carries the day, so
that one can be found by id; it is the same on every machine.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, and_, func, or_, select

from tracker import jurisdictions
from tracker.models.bills import BillRow, HearingRow, SessionRow
from tracker.models.tags import TagRow

_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(?::\d{2})?\s*(?:([ap])\.?\s?m\b\.?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Heard:
    """A bill on a meeting's agenda."""

    ocd_id: str
    session: str
    identifier: str
    title: str
    status: str


@dataclass
class Meeting:
    """A committee's meeting. ``deleted`` when sources took back every hearing of it."""

    jurisdiction: str
    date: dt.date
    time: str
    committee: str
    timezone: str = ""
    location: str = ""
    url: str = ""
    status: str = "confirmed"
    deleted: bool = False
    changed_at: dt.datetime | None = None
    bills: list[Heard] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The public id, ``ocd-event/…``."""
        digest = hashlib.sha256("\x1f".join([self.jurisdiction, self.time, self.committee]).encode()).digest()
        number = self.date.toordinal() << 96 | int.from_bytes(digest[:12], "big")
        # A UUID of its own making (version 8): the day in front, the rest a hash.
        number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62
        return f"ocd-event/{uuid.UUID(int=number)}"

    @property
    def start(self) -> dt.datetime | None:
        """When it begins, with its zone; None where only the day is known."""
        return start_of(self.date, self.time, self.timezone or jurisdictions.load()[self.jurisdiction].time_zone)


def start_of(day: dt.date, time: str, zone: str) -> dt.datetime | None:
    """The moment a hearing begins: "09:00", "9 a.m.", "1:30 PM"; None for "upon adjournment" and the like."""
    clock = time.strip().lower()
    if clock in ("noon", "12 noon"):
        clock = "12:00"
    match = _CLOCK.fullmatch(clock)
    if not match or not (match[2] or match[3]):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3] == "p" else 0)
    try:
        return dt.datetime.combine(day, dt.time(hour, minute), ZoneInfo(zone))
    except (ValueError, OSError, KeyError):
        return None


def count_meetings(connection: Connection, query: Select[str, dt.date, str, str]) -> int:
    """How many meetings a :func:`meetings_query` means."""
    return int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def meetings_query(
    *,
    codes: Sequence[str] = (),
    after: dt.date | None = None,
    before: dt.date | None = None,
    deleted: bool | None = False,
    strategies: Sequence[str] = (),
    bill_id: int | None = None,
) -> Select[str, dt.date, str, str]:
    """Meetings from ``after`` on and earlier than ``before`` (local days), by time; all of them for no ``codes``.

    ``strategies`` asks for those that hear a bill with one of the applied tags.
    """
    query = select(BillRow.jurisdiction, HearingRow.date, HearingRow.time, HearingRow.committee).join(
        BillRow, BillRow.id == HearingRow.bill_id
    )
    if codes:
        query = query.where(BillRow.jurisdiction.in_(codes))
    if after:
        query = query.where(HearingRow.date >= after)
    if before:
        query = query.where(HearingRow.date < before)
    if bill_id is not None:
        query = query.where(HearingRow.bill_id == bill_id)
    if strategies:
        tagged = select(TagRow.bill_id).where(
            TagRow.applied, TagRow.removed_at.is_(None), TagRow.strategy.in_(strategies)
        )
        query = query.where(BillRow.id.in_(tagged))
    place = (BillRow.jurisdiction, HearingRow.date, HearingRow.time, HearingRow.committee)
    query = query.group_by(*place).order_by(*place[1:], place[0])
    shown = func.count() - func.count(HearingRow.removed_at)
    if deleted is not None:
        query = query.having(shown == 0 if deleted else shown > 0)
    return query


def read_meetings(connection: Connection, query: Select[str, dt.date, str, str]) -> list[Meeting]:
    """The meetings of a :func:`meetings_query` (limit it) with all their bills."""
    found = {tuple(row): Meeting(*row) for row in connection.execute(query)}
    for part in _parts(list(found)):
        rows: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
        for row in _hearings(connection, part):
            rows[row.jurisdiction, row.date, row.time, row.committee].append(row)
        for key in part:
            _fill(found[key], rows[key])
    return list(found.values())


def _parts(keys: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    # SQLite takes conditions up to a depth of 1,000.
    for start in range(0, len(keys), 200):
        yield keys[start : start + 200]


def _hearings(connection: Connection, keys: Sequence[tuple[Any, ...]]) -> Sequence[Any]:
    same = [
        and_(BillRow.jurisdiction == c, HearingRow.date == d, HearingRow.time == t, HearingRow.committee == n)
        for c, d, t, n in keys
    ]
    return connection.execute(
        select(
            HearingRow.__table__,
            BillRow.jurisdiction,
            BillRow.ocd_id,
            SessionRow.identifier.label("session"),
            BillRow.identifier,
            BillRow.title,
        )
        .join(BillRow, BillRow.id == HearingRow.bill_id)
        .join(SessionRow, SessionRow.id == BillRow.session_id)
        .where(or_(*same))
        .order_by(HearingRow.id)
    ).all()


def _fill(meeting: Meeting, rows: Sequence[Any]) -> None:
    standing = [row for row in rows if row.removed_at is None]
    meeting.deleted = not standing
    rows = standing or rows
    held = [row for row in rows if row.status != "cancelled"]
    for name in ("timezone", "location", "url"):
        setattr(meeting, name, next((getattr(row, name) for row in held or rows if getattr(row, name)), ""))
    meeting.status = (held or rows)[0].status or "confirmed"
    meeting.changed_at = max(moment for row in rows for moment in (row.first_seen_at, row.removed_at) if moment)
    heard = {row.ocd_id: Heard(row.ocd_id, row.session, row.identifier, row.title, row.status) for row in rows}
    meeting.bills = list(heard.values())


def find_meeting(connection: Connection, event_id: str) -> Meeting | None:
    """The meeting of an id, deleted or not."""
    try:
        day = dt.date.fromordinal(uuid.UUID(event_id.removeprefix("ocd-event/")).int >> 96)
    except (ValueError, OverflowError):
        return None
    query = meetings_query(after=day, before=day + dt.timedelta(days=1), deleted=None)
    for row in connection.execute(query):
        if Meeting(*row).id == f"ocd-event/{event_id.removeprefix('ocd-event/').lower()}":
            code, date, time, committee = row
            exact = query.where(
                BillRow.jurisdiction == code,
                HearingRow.date == date,
                HearingRow.time == time,
                HearingRow.committee == committee,
            )
            return read_meetings(connection, exact)[0]
    return None
