"""What changed between a stored bill and the same bill as its source shows it now.

Pure: lists in, differences out. Each child list is compared as a multiset of what identifies a row for a
reader, so that a reordered list is no change, two equal actions stay two, and a row's id never moves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tracker.records import Action, BillRecord, Document, Hearing

Stored = TypeVar("Stored")
Shown = TypeVar("Shown")


@dataclass
class Difference(Generic[Stored, Shown]):
    """``added`` and ``kept`` carry the place in the shown list, which becomes ``ordinal``."""

    added: list[tuple[int, Shown]] = field(default_factory=list)
    kept: list[tuple[Stored, int, Shown]] = field(default_factory=list)
    removed: list[Stored] = field(default_factory=list)


def compare(
    stored: Iterable[Stored],
    shown: Sequence[Shown],
    stored_key: Callable[[Stored], Hashable],
    shown_key: Callable[[Shown], Hashable],
) -> Difference[Stored, Shown]:
    """Match the two lists by key and occurrence."""
    waiting: dict[Hashable, list[Stored]] = defaultdict(list)
    for row in stored:
        waiting[stored_key(row)].append(row)
    result: Difference[Stored, Shown] = Difference()
    for place, item in enumerate(shown):
        rows = waiting.get(shown_key(item))
        if rows:
            result.kept.append((rows.pop(0), place, item))
        else:
            result.added.append((place, item))
    result.removed = [row for rows in waiting.values() for row in rows]
    return result


def fold(text: str) -> str:
    """Text as a reader compares it: case and the full stop at the end do not count."""
    return text.casefold().rstrip(" .")


def action_key(action: Action) -> Hashable:
    """A date and the words; sources correct chamber and class later without anything having happened."""
    return action.date, fold(action.description)


def with_unlisted(record: BillRecord, stored: Iterable[Any]) -> list[Action]:
    """The record's actions, with those we have that its source's history has not come to yet.

    ``extras["history_through"]`` (ISO day) says that the history is whole up to that day only: an action of that
    day or later that was shown before and is not now has not been taken back. Without it the actions are all.
    """
    through = record.extras.get("history_through")
    if not isinstance(through, str) or not through:
        return record.actions
    shown = {action_key(action) for action in record.actions}
    unlisted = [
        Action(
            date=row.date.isoformat(),
            description=row.description,
            chamber=row.chamber,
            classification=row.classification,
        )
        for row in stored
        if row.date.isoformat() >= through and (row.date.isoformat(), fold(row.description)) not in shown
    ]
    return sorted([*record.actions, *unlisted], key=lambda action: action.date) if unlisted else record.actions


def version_key(version: Document) -> Hashable:
    """Label and date: links of a version come and go with a site's redesigns."""
    return fold(version.note), version.date


def hearing_key(hearing: Hearing) -> Hashable:
    """Committee and day: a new hour, room or status is a change of the same hearing."""
    return fold(hearing.committee), hearing.date


def pair_moved_hearings(
    removed: list[Any], added: list[tuple[int, Hearing]], committee: Callable[[Any], str]
) -> list[tuple[Any, int, Hearing]]:
    """Hearings of one committee that left one day and appeared on another are the same hearing, moved.

    Takes the pairs out of both lists and returns them.
    """
    pairs = []
    for place, hearing in list(added):
        same = [row for row in removed if fold(committee(row)) == fold(hearing.committee)]
        if len(same) == 1:
            removed.remove(same[0])
            added.remove((place, hearing))
            pairs.append((same[0], place, hearing))
    return pairs
