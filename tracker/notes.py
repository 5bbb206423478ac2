"""What analysts add of their own: notes, a stance, watch lists. Crawls never touch them; nothing is deleted."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tracker.history import NoBill, split_key
from tracker.models.access import BillNoteRow, WatchRow
from tracker.models.bills import BillRow
from tracker.records import bill_key, ocd_bill_id

STANCES = ("support", "oppose", "neutral", "watch", "")
MAX_NOTE = 20_000


class NoteError(ValueError):
    """A note or list that cannot be kept; one sentence."""


def add_note(connection: Connection, key: str, *, author: str, note: str, stance: str = "", now: dt.datetime) -> int:
    """Put a note on a bill, with a stance or without; returns its id."""
    if stance not in STANCES:
        raise NoteError(f"a stance is support, oppose, neutral or watch, not {stance!r}")
    if not note.strip() and not stance:
        raise NoteError("a note needs words or a stance")
    if len(note) > MAX_NOTE:
        raise NoteError(f"a note has at most {MAX_NOTE:,} characters")
    return int(
        connection.execute(
            insert(BillNoteRow)
            .values(
                bill_id=_bill(connection, key),
                author=_name(author, "author"),
                note=note.strip().replace("\x00", ""),
                stance=stance,
                created_at=now,
            )
            .returning(BillNoteRow.id)
        ).scalar_one()
    )


def remove_note(connection: Connection, note_id: int, *, now: dt.datetime) -> bool:
    """Take a note back; it stays in the history. False if there is none."""
    done = connection.execute(
        update(BillNoteRow).where(BillNoteRow.id == note_id, BillNoteRow.removed_at.is_(None)).values(removed_at=now)
    )
    return bool(done.rowcount)


def watch(connection: Connection, key: str, watch_list: str, *, by: str, now: dt.datetime) -> bool:
    """Put a bill on a list; False when it is there already."""
    bill_id, name = _bill(connection, key), _name(watch_list, "watch list")
    there = select(WatchRow.id).where(
        WatchRow.bill_id == bill_id, WatchRow.watch_list == name, WatchRow.removed_at.is_(None)
    )
    if connection.execute(there).first() is not None:
        return False
    connection.execute(
        insert(WatchRow).values(watch_list=name, bill_id=bill_id, added_by=_name(by, "author"), created_at=now)
    )
    return True


def unwatch(connection: Connection, key: str, watch_list: str, *, now: dt.datetime) -> bool:
    """Take a bill off a list; False when it is not on it."""
    done = connection.execute(
        update(WatchRow)
        .where(
            WatchRow.bill_id == _bill(connection, key),
            WatchRow.watch_list == watch_list.strip(),
            WatchRow.removed_at.is_(None),
        )
        .values(removed_at=now)
    )
    return bool(done.rowcount)


def restore(connection: Connection, path: Path) -> dict[str, int]:
    """Load the notes and lists that an export wrote beside its records (``FILE.notes.jsonl``), as they were.

    What is there already stays as it is, so loading twice changes nothing. Returns how many were added and how
    many lines could not be used (no such bill, no such stance).
    """
    counts = {"notes": 0, "watch": 0, "rejected": 0}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                row = json.loads(line)
                counts[row["kind"]] += (
                    _restore_note(connection, row) if row["kind"] == "notes" else _restore_watch(connection, row)
                )
            except (ValueError, KeyError, TypeError, AttributeError, NoBill):
                counts["rejected"] += 1
    return counts


def _restore_note(connection: Connection, row: Mapping[str, Any]) -> bool:
    key, created = bill_key(row["jurisdiction"], row["session"], row["identifier"]), _moment(row["created"])
    there = select(BillNoteRow.id).where(
        BillNoteRow.bill_id == _bill(connection, key),
        BillNoteRow.author == row["author"],
        BillNoteRow.note == row["note"],
        BillNoteRow.stance == row["stance"],
        BillNoteRow.created_at == created,
    )
    if connection.execute(there).first() is not None:
        return False
    add_note(connection, key, author=row["author"], note=row["note"], stance=row["stance"], now=created)
    return True


def _restore_watch(connection: Connection, row: Mapping[str, Any]) -> bool:
    key = bill_key(row["jurisdiction"], row["session"], row["identifier"])
    return watch(connection, key, row["watch_list"], by=row["added_by"], now=_moment(row["added"]))


def _moment(value: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _bill(connection: Connection, key: str) -> int:
    code, session, identifier = split_key(key)
    found = connection.execute(
        select(BillRow.id).where(BillRow.ocd_id == ocd_bill_id(code, session, identifier))
    ).scalar()
    if found is None:
        raise NoBill(f"there is no bill {bill_key(code, session, identifier)} in the database")
    return int(found)


def _name(value: str, what: str) -> str:
    name = " ".join(value.replace("\x00", "").split())
    if not 1 <= len(name) <= 100:
        raise NoteError(f"the name of the {what} has 1 to 100 characters")
    return name
