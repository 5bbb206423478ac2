"""What an amendment changed in a bill's text, and which strategies it brought or took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from alerts.amendments import Excerpt, Span, excerpt
from tracker.events import EventKind
from tracker.models.bills import BillTextRow, VersionRow

# Beyond this a comparison could hold up a whole run; the bill's page has it.
MAX_CHARACTERS = 1_500_000
_LINES_WITHOUT_A_TAG = 3


@dataclass(frozen=True)
class Amendment:
    """The changed passages between two versions; ``before`` and ``after`` name them."""

    before: str
    after: str
    excerpt: Excerpt


def amendment(connection: Connection, bill: int, log: Sequence[Any]) -> Amendment | None:
    """The changes that came with these events of the bill; None where no second text did."""
    kinds = {row.kind for row in log}
    if EventKind.TEXT not in kinds or EventKind.NEW_BILL in kinds:
        return None
    texts = connection.execute(
        select(BillTextRow.version_id, BillTextRow.text, BillTextRow.fetched_at, VersionRow.note)
        .join(VersionRow, VersionRow.id == BillTextRow.version_id)
        .where(BillTextRow.bill_id == bill, BillTextRow.status == "ok", VersionRow.removed_at.is_(None))
        .order_by(VersionRow.date.nulls_first(), BillTextRow.id)
    ).all()
    if len(texts) < 2:
        return None
    new = texts[-1]
    old = next((t for t in reversed(texts[:-1]) if t.version_id != new.version_id), None)
    first = min(row.seen_at for row in log)
    if old is None or new.fetched_at < first or len(old.text) + len(new.text) > MAX_CHARACTERS:
        return None
    gained, lost = _spans(log, EventKind.TAG_GAINED), _spans(log, EventKind.TAG_LOST)
    lines = {} if gained or lost else {"lines": _LINES_WITHOUT_A_TAG}
    found = excerpt(old.text, new.text, gained=gained, lost=lost, **lines)
    return Amendment(old.note, new.note, found) if found.lines else None


def _spans(log: Sequence[Any], kind: EventKind) -> list[Span]:
    """Where in the text the evidence of the tags stood that came, or went, with these events."""
    found = []
    for row in log:
        if row.kind == kind:
            tag = row.after if kind is EventKind.TAG_GAINED else row.before
            found += [(e["start"], e["end"]) for e in tag.get("evidence") or () if e["field"] == "text"]
    return found
