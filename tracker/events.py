"""The append-only log of everything that happens, in the order in which we saw it.

Digests, feeds and the change API read it by ``seq``: never by an action's own date, which may be late or
wrong, and never by a time of update, which moves without news.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import Connection, Table, select
from sqlalchemy import func as sql

from tracker.db import insert_rows
from tracker.models.bills import BillEventRow


class EventKind(StrEnum):
    """What can happen to a bill. ``docs/querying.md`` describes ``before`` and ``after`` of each."""

    NEW_BILL = "new_bill"
    ACTION = "action"
    ACTION_REMOVED = "action_removed"
    STAGE = "stage"
    TITLE = "title"
    ABSTRACT = "abstract"
    SUBJECT = "subject"
    SPONSOR_ADDED = "sponsor_added"
    SPONSOR_REMOVED = "sponsor_removed"
    VERSION = "version"
    VERSION_REMOVED = "version_removed"
    TEXT = "text"
    HEARING = "hearing"
    HEARING_CHANGED = "hearing_changed"
    HEARING_REMOVED = "hearing_removed"
    RELATED_BILL = "related_bill"
    VANISHED = "vanished"
    RETURNED = "returned"
    TAG_GAINED = "tag_gained"
    TAG_LOST = "tag_lost"


class Event(NamedTuple):
    """One event before it has its ``seq``. ``occurred_on`` is the legislature's date (ISO) or None."""

    bill_id: int
    kind: EventKind
    before: Any = None
    after: Any = None
    occurred_on: str | None = None


_COLUMNS = ("bill_id", "kind", "before", "after", "occurred_on", "seen_at", "run_id")


def append(connection: Connection, events: Sequence[Event], *, seen_at: str, run_id: int | None) -> None:
    """Write events in the given order, inside the writer's transaction (:func:`tracker.db.writing`)."""
    table = BillEventRow.__table__
    assert isinstance(table, Table)
    insert_rows(
        connection,
        table,
        _COLUMNS,
        [(e.bill_id, e.kind.value, _json(e.before), _json(e.after), e.occurred_on, seen_at, run_id) for e in events],
    )


def last_seq(connection: Connection) -> int:
    """The newest sequence number, 0 in an empty log: the snapshot that a digest or export names."""
    return connection.execute(select(sql.coalesce(sql.max(BillEventRow.seq), 0))).scalar_one()


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value).decode()
