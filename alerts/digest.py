"""Finds what a reader has not been told yet: events after the last one told, up to one snapshot of the log.

Only the log's order counts. A reader who was away is caught up on at most two weeks; older news is named as
left out rather than poured out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alerts.amended import Amendment
from alerts.snapshot import Facts, Snapshot, Tag
from alerts.subscriptions import Reader
from tracker.events import EventKind


@dataclass
class Bill:
    """A bill with its news for one reader. ``gained`` and ``lost`` are strategies with the cause: bill or classifier.

    ``fits`` says which other wishes it fits; ``companions`` are those with news of their own, on the same card.
    """

    facts: Facts
    events: list[Any]
    tags: list[Tag]
    fits: list[str]
    gained: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    amendment: Amendment | None = None
    companions: list[Bill] = field(default_factory=list)

    @property
    def row(self) -> Any:
        """The bill's row."""
        return self.facts.row

    @property
    def hearings(self) -> list[Any]:
        """Its hearings in the coming week."""
        return self.facts.hearings


@dataclass
class Selection:
    """All news for one reader between two places in the log.

    ``seen_events`` happened to ``seen_bills`` in the reader's states; ``before`` counts events too old to tell,
    ``unreadable`` the bills among those seen that have no readable text.
    """

    reader: Reader
    snapshot: Snapshot
    from_seq: int
    to_seq: int
    now: dt.datetime
    bills: list[Bill]
    seen_events: int
    seen_bills: int
    before: int
    unreadable: int


def select_news(snapshot: Snapshot, reader: Reader) -> Selection:
    """What is new for this reader in the snapshot."""
    span = snapshot.span(reader.last_seq)
    # Who gets mail more than weekly was told of these hearings when they were announced.
    coming = set(snapshot.hearings) if reader.cadence == "weekly" else set()
    found = []
    for bill_id, facts in snapshot.facts({*span.log, *coming}).items():
        bill = _bill(snapshot, reader, facts, span.log.get(bill_id, []))
        if bill is not None:
            found.append(bill)
    found.sort(key=lambda b: (b.row.jurisdiction, b.row.session, natural(b.row.identifier)))

    def mine(counts: dict[str, int]) -> int:
        return sum(n for code, n in counts.items() if not reader.states or code in reader.states)

    return Selection(
        reader,
        snapshot,
        reader.last_seq,
        snapshot.to_seq,
        snapshot.now,
        found,
        mine(span.events),
        mine(span.bills),
        mine(span.old),
        mine(span.unreadable),
    )


def _bill(snapshot: Snapshot, reader: Reader, facts: Facts, happened: list[Any]) -> Bill | None:
    row = facts.row
    in_states = not reader.states or row.jurisdiction in reader.states
    tags = [t for t in facts.tags if in_states and t.strategy in reader.wanted and t.score >= reader.min_score]
    fits = snapshot.index.why(reader, row.id, row.title, in_states=in_states)
    gained, lost = _turns(happened, reader) if in_states else ({}, {})
    if not (tags or fits or lost):
        return None
    bill = Bill(facts, happened, tags, fits, gained, lost)
    if happened:
        bill.amendment = snapshot.amendment(row.id, happened)
    return bill


def _turns(happened: Sequence[Any], reader: Reader) -> tuple[dict[str, str], dict[str, str]]:
    """Strategies that came, and that went after an earlier digest may have told of them, with the cause."""
    before: dict[str, bool] = {}
    after: dict[str, tuple[bool, str]] = {}
    for row in happened:
        if row.kind == EventKind.TAG_GAINED:
            key, sure, had = row.after["strategy"], row.after["score"], False
            cause = row.after.get("cause", "bill")
        elif row.kind == EventKind.TAG_LOST:
            key, sure, had = row.before["strategy"], row.before["score"], True
            cause = row.after.get("cause", "bill")
        else:
            continue
        if sure >= reader.min_score:
            before.setdefault(key, had)
            after[key] = not had, cause
    turned = [k for k in reader.wanted if k in after and before[k] != after[k][0]]
    return (
        {k: after[k][1] for k in turned if after[k][0]},
        {k: after[k][1] for k in turned if not after[k][0]},
    )


def natural(identifier: str) -> list[tuple[int, str]]:
    """A key that sorts HB 9 before HB 10."""
    return [(int(p), "") if p.isdecimal() else (0, p) for p in re.split(r"(\d+)", identifier)]
