"""Turns a reader's news into the digest's contents: plain values, frozen with the issue and then rendered.

Each number in them can be asked of the database again at the change number in the footer;
``tests/alerts/test_content.py`` does, and ``docs/digests.md`` shows how.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from alerts import ahead
from alerts.cards import card, hearing
from alerts.digest import Bill, Selection
from alerts.placing import SECTIONS, place, weight
from alerts.snapshot import CATCH_UP
from tracker.cleaning import clean, day, shorten

OTHER = "Your keywords, searches and bills"
_TOP = 3
_FRESHNESS = {
    "fresh": "up to date",
    "quiet": "quiet: not in session",
    "stale": "out of date: there may be news that we have not seen",
    "failing": "our last attempts failed: news may be missing",
    "unseen": "not checked yet: nothing here covers it",
}


def compose(news: Selection, *, public_url: str) -> dict[str, Any]:
    """Everything a digest says, as JSON-ready values free of control characters and markup."""
    book = news.snapshot.book
    strategies = {key: clean(s.name) for key, s in book.strategies.items()}
    placed, dull_bills, dull_events = _placed(news)
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in SECTIONS}
    top = []
    for bill, section, happened in placed:
        made = card(bill, happened, strategies, public_url)
        groups[section].setdefault(_strategy(bill, news), []).append(made)
        top.append((weight(bill, section), made))
    order = {key: at for at, key in enumerate(news.reader.wanted)}
    sections: list[dict[str, Any]] = []
    for name, title in SECTIONS.items():
        parts: list[dict[str, Any]] = [
            {"strategy": strategies.get(key, OTHER), "bills": cards}
            for key, cards in sorted(groups[name].items(), key=lambda g: order.get(g[0], 99))
        ]
        if parts:
            sections.append({"key": name, "title": title, "groups": parts})
    counts = {s["key"]: sum(_bills(c) for g in s["groups"] for c in g["bills"]) for s in sections}
    local = news.now.astimezone(ZoneInfo(news.reader.timezone))
    week = news.reader.cadence == "weekly"
    return {
        "name": f"{book.name.upper()} bills" if len(book.name) <= 6 else "Bill digest",
        "period": f"week {local.isocalendar().week}" if week else f"{local.day} {local:%b}",
        "date": day(local.date()),
        "moment": f"{day(local.date())}, {local:%H:%M %Z}",
        "top": [_line(made) for _, made in sorted(top, key=lambda t: t[0])[:_TOP]],
        "sections": sections,
        "counts": counts,
        "bills": sum(counts.values()),
        "map": _map(placed),
        "agenda": _agenda(placed),
        "ahead": _ahead(news, placed),
        "dull": {"bills": dull_bills, "events": dull_events},
        **_freshness(news),
        "checked": _checked(news, strategies),
        "versions": {**news.snapshot.versions, "playbook": f"{book.name} {book.hash}"},
        "from_seq": news.from_seq,
        "to_seq": news.to_seq,
    }


Placed = tuple[Bill, str, list[str]]


def _placed(news: Selection) -> tuple[list[Placed], int, int]:
    """Bills with their sections, companions on one card; and how many bills and events were too dull to show."""
    found: list[Placed] = []
    dull_bills = dull_events = 0
    for bill in news.bills:
        section, happened = place(bill, news.now)
        if section:
            found.append((bill, section, happened))
        elif bill.events:
            dull_bills += 1
            dull_events += len(bill.events)
    taken: dict[int, Bill] = {}
    kept = []
    for entry in sorted(found, key=lambda e: weight(e[0], e[1])):
        bill = entry[0]
        others = bill.facts.companions
        home = next((taken[i] for i in others if i in taken), None)
        if home is None:
            home = next((b for b in taken.values() if bill.row.id in b.facts.companions), None)
        if home is not None:
            home.companions.append(bill)
            taken[bill.row.id] = home
            continue
        taken[bill.row.id] = bill
        kept.append(bill.row.id)
    chosen = set(kept)
    return [entry for entry in found if entry[0].row.id in chosen], dull_bills, dull_events


def _strategy(bill: Bill, news: Selection) -> str:
    """The strategy a bill stands under: the first of the reader's that it has, gained or lost."""
    has = {t.strategy for t in bill.tags}
    both = (*(k for k in news.reader.wanted if k in has), *bill.lost)
    return both[0] if both else ""


def _bills(made: dict[str, Any]) -> int:
    return 1 + len(made["also"])


def _line(made: dict[str, Any]) -> dict[str, str]:
    said = f"{made['state']} {made['identifier']}: {made['happened']}"
    return {"words": said, "title": shorten(made["title"], 90), "page": made["page"]}


def _map(placed: Sequence[Placed]) -> dict[str, int]:
    return dict(sorted(Counter(b.row.jurisdiction for e in placed for b in (e[0], *e[0].companions)).items()))


def _agenda(placed: Sequence[Placed]) -> list[dict[str, str]]:
    """Hearings of bills whose card stands in another section, so that the week's hearings are in one place."""
    lines = []
    for bill, section, _ in placed:
        if section != "hearings":
            for one in (bill, *bill.companions):
                name = f"{one.row.jurisdiction.upper()} {shorten(one.row.identifier, 40)}"
                lines += [(h.date, h.time, name, hearing(h)) for h in one.hearings]
    return [{"bill": name, "words": words} for _, _, name, words in sorted(lines)]


def _ahead(news: Selection, placed: Sequence[Placed]) -> list[dict[str, Any]]:
    reader = news.reader
    codes = set(reader.states) or {bill.row.jurisdiction for bill, _, _ in placed}
    waiting = {}
    for place_, ids in news.snapshot.waiting.items():
        facts = news.snapshot.facts(ids).values()
        waiting[place_] = sum(
            any(t.strategy in reader.wanted and t.score >= reader.min_score for t in one.tags) for one in facts
        )
        if waiting[place_] and not reader.states:
            codes.add(place_[0])
    return ahead.dates(codes, waiting, news.now)


def _freshness(news: Selection) -> dict[str, Any]:
    """The table for the reader's states. Who reads all states sees those with data; the rest are named."""
    wanted = set(news.reader.states)
    table, unseen = [], []
    for row in news.snapshot.survey:
        fresh = row["freshness"]
        if wanted and row["code"] not in wanted:
            continue
        if not wanted and fresh["state"] == "unseen":
            unseen.append(row["code"].upper())
            continue
        words = _FRESHNESS[fresh["state"]]
        reason = shorten(fresh["reason"], 140)
        table.append(
            {
                "state": row["code"].upper(),
                "name": clean(row["name"]),
                "kind": fresh["state"],
                "words": f"{words} ({reason})" if fresh["state"] in ("stale", "failing") else words,
                "run": day(fresh["last_good_run"]) or "never",
                "action": day(fresh["newest_action_date"]) or "none seen",
            }
        )
    return {"freshness": table, "unseen": unseen}


def _checked(news: Selection, strategies: dict[str, str]) -> dict[str, Any]:
    reader = news.reader
    return {
        "events": news.seen_events,
        "bills": news.seen_bills,
        "unreadable": news.unreadable,
        "states": [c.upper() for c in reader.states],
        "strategies": [strategies.get(k, k) for k in reader.wanted],
        "keywords": [clean(k) for k in reader.keywords],
        "searches": [clean(s["name"]) for s in reader.searches],
        "sponsors": [clean(name) for name in reader.sponsors],
        "followed": len(reader.bills),
        "min_score": reader.min_score,
        "errors": [
            f"{clean(s['name'])}: {clean(news.snapshot.index.error_of(s))}"
            for s in reader.searches
            if news.snapshot.index.error_of(s)
        ],
        "left_out": news.before,
        "days": CATCH_UP.days,
        "first": reader.last_seq == 0,
    }


def subject(content: dict[str, Any]) -> str:
    """The mail's subject: the counts, within 60 characters; never words of a bill."""
    counts = content["counts"]
    moved = sum(counts.get(k, 0) for k in ("passed", "amended", "committee", "moved"))
    numbers = (
        (counts.get("law", 0), "law or veto"),
        (moved, "moved"),
        (counts.get("new", 0), "new"),
        (counts.get("hearings", 0), "hearings" if counts.get("hearings") != 1 else "hearing"),
        (counts.get("corrections", 0), "corrected"),
    )
    parts = [f"{number} {words}" for number, words in numbers if number]
    head = f"{content['name']}, {content['period']}: "
    while len(parts) > 1 and len(head + ", ".join(parts)) > 60:
        parts.pop()
    return clean(head + (", ".join(parts) or "nothing new"))
