"""Makes a bill's card: plain values for one reader, cleaned of everything that could break a mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from alerts.digest import Bill
from alerts.placing import LAW_STAGES
from tracker import cleaning, jurisdictions
from tracker.cleaning import clean, day
from tracker.events import EventKind
from tracker.records import bill_key
from tracker.vocabulary import Stage

# The same bill is on many readers' cards.
shorten = lru_cache(maxsize=20_000)(cleaning.shorten)
web_address = lru_cache(maxsize=20_000)(cleaning.web_address)
bill_page = lru_cache(maxsize=20_000)(cleaning.bill_page)


def card(bill: Bill, happened: Sequence[str], strategies: dict[str, str], public_url: str) -> dict[str, Any]:
    """Everything a card says."""
    row = bill.row
    quote = next((t.quote for t in bill.tags if t.quote), None)
    late = next((r for r in bill.events if r.kind == EventKind.ACTION and r.after.get("late")), None)
    return {
        "key": bill_key(*bill.facts.key),
        "state": row.jurisdiction.upper(),
        "identifier": shorten(row.identifier, 40),
        "title": shorten(row.title, 160) or "(no title)",
        "stage": stage(row.stage),
        "tone": row.stage if row.stage in LAW_STAGES else "",
        "action": shorten(row.latest_action, 160),
        "action_date": day(row.latest_action_date),
        "late": f"posted late: dated {day(late.after['date'])}, seen {day(late.seen_at.date())}" if late else "",
        "tags": [
            {
                "key": t.strategy,
                "name": strategies.get(t.strategy, t.strategy),
                "confidence": f"{min(t.score, 0.99):.0%}",
            }
            for t in bill.tags
        ],
        "quote": shorten(quote.text, 240) if quote else "",
        "quote_from": shorten(quote.source, 60) if quote else "",
        "diff": _diff(bill),
        "turns": _turns(bill, strategies),
        "hearings": [{"words": hearing(h), "url": web_address(h.url)} for h in bill.hearings[:3]],
        "happened": "; ".join(happened),
        "why": "; ".join(_why(bill, strategies)),
        "official": web_address(row.url),
        "text": web_address(bill.facts.text_url),
        "page": bill_page(public_url, *bill.facts.key),
        "also": [
            {
                "identifier": shorten(other.row.identifier, 40),
                "key": bill_key(*other.facts.key),
                "stage": stage(other.row.stage),
                "page": bill_page(public_url, *other.facts.key),
            }
            for other in bill.companions
        ],
    }


def stage(name: str) -> str:
    """A stage as people read it."""
    return Stage(name).label if name in set(Stage) else clean(name)


def _why(bill: Bill, strategies: dict[str, str]) -> list[str]:
    why = []
    if bill.tags:
        why.append("tagged " + " and ".join(strategies.get(t.strategy, t.strategy) for t in bill.tags))
    why += [shorten(words, 100) for words in bill.fits]
    if not why and bill.lost:
        why.append("an earlier digest may have shown it to you")
    return why


def _turns(bill: Bill, strategies: dict[str, str]) -> list[str]:
    """Strategies that came or went, each in a sentence."""
    said = []
    for key, cause in bill.gained.items():
        name = strategies.get(key, key)
        if EventKind.NEW_BILL not in {row.kind for row in bill.events}:
            said.append(
                f"Gained: {name}." if cause == "bill" else f"Newly tagged {name}: our reading changed, not the bill."
            )
    for key, cause in bill.lost.items():
        name = strategies.get(key, key)
        said.append(
            f"We withdraw the tag {name}: the bill changed and no longer shows it."
            if cause == "bill"
            else f"Correction: we withdraw the tag {name}: on a new reading the bill does not show it."
        )
    return said


def _diff(bill: Bill) -> dict[str, Any]:
    found = bill.amendment
    if found is None:
        return {}
    return {
        "between": f"{shorten(found.before, 60)} → {shorten(found.after, 60)}",
        "lines": [[[piece.kind, piece.text] for piece in line] for line in found.excerpt.lines],
        "more": found.excerpt.left_out,
    }


def hearing(row: Any) -> str:
    """A hearing in the legislature's own time: day, time with zone, committee, place."""
    zone = row.timezone or str(jurisdictions.load()[row.jurisdiction].zone)
    time = clean(row.time)
    if time:
        try:
            at = dt.datetime.combine(row.date, dt.time.fromisoformat(time), ZoneInfo(zone))
            time = f"{at:%H:%M %Z}"
        except (ValueError, OSError, KeyError):
            time = f"{shorten(time, 40)} local time"
    parts = [f"{row.date:%a} {day(row.date)}", time, shorten(row.committee, 80), shorten(row.location, 80)]
    words = ", ".join(p for p in parts if p)
    return f"{words} (tentative)" if row.status == "tentative" else words
