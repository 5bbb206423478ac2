"""Turns a reader's news into the digest's contents: plain values, frozen with the issue and then rendered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from alerts.cleaning import bill_page, clean, day, shorten, web_address
from alerts.digest import CATCH_UP, Bill, Selection
from tracker import freshness, jurisdictions, playbook
from tracker.events import EventKind
from tracker.vocabulary import ActionClass, Stage, importance

SECTIONS = {
    "law": "Became law or vetoed",
    "passed": "Passed a chamber",
    "moved": "Amended and other movement",
    "committee": "Committee action",
    "new": "New bills",
    "hearings": "Hearings in the coming week",
    "corrections": "Corrections",
}
_LAW = {
    ActionClass.BECAME_LAW,
    ActionClass.EXECUTIVE_SIGNATURE,
    ActionClass.EXECUTIVE_VETO,
    ActionClass.EXECUTIVE_VETO_LINE_ITEM,
    ActionClass.VETO_OVERRIDE_PASSAGE,
    ActionClass.VETO_OVERRIDE_FAILURE,
}
_PASSED = {ActionClass.PASSAGE, ActionClass.CONCURRENCE, ActionClass.ENROLLED, ActionClass.EXECUTIVE_RECEIPT}
_COMMITTEE = {
    ActionClass.COMMITTEE_PASSAGE,
    ActionClass.COMMITTEE_PASSAGE_FAVORABLE,
    ActionClass.COMMITTEE_PASSAGE_UNFAVORABLE,
    ActionClass.COMMITTEE_FAILURE,
    ActionClass.REPORTED_OUT_OF_COMMITTEE,
    ActionClass.DISCHARGE,
    ActionClass.REFERRAL_COMMITTEE,
    ActionClass.HEARING_SCHEDULED,
    ActionClass.HEARING_CANCELLED,
    ActionClass.HEARING_HELD,
    ActionClass.WORK_SESSION,
}
_LAW_STAGES = {Stage.BECAME_LAW, Stage.VETOED}
_PASSED_STAGES = {Stage.PASSED_ONE_CHAMBER, Stage.PASSED_LEGISLATURE, Stage.SENT_TO_EXECUTIVE}
_HEARING_KINDS = {EventKind.HEARING, EventKind.HEARING_CHANGED, EventKind.HEARING_REMOVED}
_MOVED_KINDS = {
    EventKind.TITLE: "new title",
    EventKind.VERSION: "new version of the text",
    EventKind.VANISHED: "no longer listed by its legislature",
    EventKind.RETURNED: "listed again",
    EventKind.STAGE: "new stage",
}
_FRESHNESS = {
    "fresh": "up to date",
    "quiet": "quiet: not in session",
    "stale": "out of date: there may be news that we have not seen",
    "failing": "our last attempts failed: news may be missing",
    "unseen": "not checked yet: nothing here covers it",
}
# A bill we see for the first time that is older than this is not new to its legislature.
_NEW = dt.timedelta(days=30)


def compose(engine: Engine, news: Selection, *, public_url: str) -> dict[str, Any]:
    """Everything a digest says, as JSON-ready values free of control characters and markup."""
    strategies = {key: clean(s.name) for key, s in playbook.load().strategies.items()}
    groups: dict[str, dict[tuple[str, str], list[dict[str, Any]]]] = {key: {} for key in SECTIONS}
    dull_bills = dull_events = 0
    for bill in news.bills:
        section, reasons = place(bill, news.now)
        if not section:
            dull_bills += 1
            dull_events += len(bill.events)
            continue
        key = bill.tags[0].strategy if bill.tags else (bill.lost[0] if bill.lost else "")
        card = _card(bill, reasons, strategies, public_url)
        groups[section].setdefault((key, bill.row.jurisdiction), []).append(card)
    order = {key: at for at, key in enumerate(strategies)}
    sections: list[dict[str, Any]] = []
    for name, title in SECTIONS.items():
        parts: list[dict[str, Any]] = []
        for (key, _), cards in sorted(groups[name].items(), key=lambda g: (order.get(g[0][0], 99), g[0][1])):
            label = strategies.get(key, "Your keywords")
            if parts and parts[-1]["strategy"] == label:
                parts[-1]["bills"] += cards
            else:
                parts.append({"strategy": label, "bills": list(cards)})
        if parts:
            sections.append({"key": name, "title": title, "groups": parts})
    zone = ZoneInfo(news.reader.timezone)
    local = news.now.astimezone(zone)
    table, unseen = _freshness(engine, news)
    return {
        "date": day(local.date()),
        "moment": f"{day(local.date())}, {local:%H:%M %Z}",
        "sections": sections,
        "counts": {s["key"]: sum(len(g["bills"]) for g in s["groups"]) for s in sections},
        "bills": sum(len(g["bills"]) for s in sections for g in s["groups"]),
        "dull": {"bills": dull_bills, "events": dull_events},
        "freshness": table,
        "unseen": unseen,
        "checked": {
            "events": news.seen_events,
            "states": [c.upper() for c in news.reader.states],
            "strategies": [strategies.get(k, k) for k in news.reader.wanted],
            "keywords": [clean(k) for k in news.reader.keywords],
            "left_out": news.before,
            "days": CATCH_UP.days,
        },
        "from_seq": news.from_seq,
        "to_seq": news.to_seq,
    }


def place(bill: Bill, now: dt.datetime) -> tuple[str, list[str]]:
    """The one section a bill belongs in and what happened to it; no section when nothing worth a line did."""
    if bill.lost and not bill.tags and not bill.keywords:
        return "corrections", []
    kinds = {row.kind for row in bill.events}
    acts = {c for r in bill.events if r.kind == EventKind.ACTION for c in r.after["classification"]}
    stages = {r.after["stage"] for r in bill.events if r.kind == EventKind.STAGE}
    stage = bill.row.stage
    fresh_new = EventKind.NEW_BILL in kinds
    since = (now - _NEW).date()
    recent_stage = fresh_new and bill.row.stage_date is not None and bill.row.stage_date >= since
    if acts & _LAW or (stage in _LAW_STAGES and (recent_stage or stages & _LAW_STAGES)):
        return "law", [Stage(stage).label.lower() if stage in _LAW_STAGES else "the governor acted"]
    if acts & _PASSED or (stage in _PASSED_STAGES and (recent_stage or stages & _PASSED_STAGES)):
        return "passed", [Stage(stage).label.lower() if stage in _PASSED_STAGES else "passed a vote"]
    moved = [words for kind, words in _MOVED_KINDS.items() if kind in kinds]
    if EventKind.STAGE in kinds and stages <= {Stage.IN_COMMITTEE}:
        moved.remove(_MOVED_KINDS[EventKind.STAGE])
    other = {c for c in acts - _COMMITTEE if importance([c])}
    if other:
        moved.append("new action")
    if not fresh_new and EventKind.TAG_GAINED in kinds and not (moved or acts & _COMMITTEE):
        moved.append("newly recognised as relevant")
    if fresh_new:
        first = bill.row.first_action_date
        section = "hearings" if bill.hearings else "new"
        return section, ["new bill" if first is None or first >= since else "older bill, first seen by us now"]
    if moved:
        return "moved", moved
    if bill.hearings:
        return "hearings", ["hearing coming up"]
    if acts & _COMMITTEE or kinds & _HEARING_KINDS or Stage.IN_COMMITTEE in stages:
        return "committee", ["hearing changed" if kinds & _HEARING_KINDS else "committee action"]
    return "", []


def _card(bill: Bill, reasons: Sequence[str], strategies: dict[str, str], public_url: str) -> dict[str, Any]:
    row = bill.row
    top = next((t for t in bill.tags if t.quote), None)
    why = list(reasons)
    if bill.tags:
        why.append("tagged " + " and ".join(strategies.get(t.strategy, t.strategy) for t in bill.tags))
    if bill.keywords:
        why.append("your keyword " + " and ".join(shorten(k, 60) for k in bill.keywords))
    lost = [strategies.get(k, k) for k in bill.lost]
    if lost and not why:
        why.append(f"we withdraw the tag {' and '.join(lost)}: on a new reading the bill does not show it")
    late = next((r for r in bill.events if r.kind == EventKind.ACTION and r.after.get("late")), None)
    return {
        "key": f"{row.jurisdiction}/{row.session}/{row.identifier}",
        "state": row.jurisdiction.upper(),
        "identifier": shorten(row.identifier, 40),
        "title": shorten(row.title, 180) or "(no title)",
        "stage": Stage(row.stage).label if row.stage in set(Stage) else clean(row.stage),
        "tone": row.stage if row.stage in _LAW_STAGES else "",
        "action": shorten(row.latest_action, 160),
        "action_date": day(row.latest_action_date),
        "late": f"posted late: dated {day(late.after['date'])}, seen {day(late.seen_at.date())}" if late else "",
        "tags": [
            {"name": strategies.get(t.strategy, t.strategy), "confidence": f"{min(t.score, 0.99):.0%}"}
            for t in bill.tags
        ],
        "quote": shorten(top.quote, 240) if top else "",
        "quote_from": _source(top.field) if top else "",
        "hearings": [hearing(h) for h in bill.hearings[:3]],
        "why": "; ".join(why),
        "official": web_address(row.url),
        "page": bill_page(public_url, row.jurisdiction, row.session, row.identifier),
    }


def _source(field: str) -> str:
    return {"title": "title", "text": "text"}.get(field, "summary")


def hearing(row: Any) -> str:
    """A hearing in the legislature's own time: day, time with zone, committee, place."""
    zone = row.timezone or str(jurisdictions.load()[row.jurisdiction].zone)
    time = clean(row.time)
    if time:
        try:
            at = dt.datetime.combine(row.date, dt.time.fromisoformat(time), ZoneInfo(zone))
            time = f"{at:%H:%M %Z}"
        except (ValueError, OSError, KeyError):
            time = f"{time} local time"
    parts = [f"{row.date:%a} {day(row.date)}", time, shorten(row.committee, 80), shorten(row.location, 80)]
    words = ", ".join(p for p in parts if p)
    return f"{words} (tentative)" if row.status == "tentative" else words


def _freshness(engine: Engine, news: Selection) -> tuple[list[dict[str, str]], list[str]]:
    """The table for the reader's states. Who reads all states sees those with data; the rest are named."""
    wanted = set(news.reader.states)
    table, unseen = [], []
    for row in freshness.survey(engine, now=news.now):
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
    return table, unseen


def subject(content: dict[str, Any]) -> str:
    """The mail's subject: what weighs most first."""
    counts = content["counts"]
    words = (
        ("law", "became law or vetoed"),
        ("passed", "passed a chamber"),
        ("new", "new"),
        ("hearings", "with hearings"),
    )
    parts = [f"{counts[k]} {label}" for k, label in words if counts.get(k)]
    bills = content["bills"]
    lead = f"{bills} bill{'' if bills == 1 else 's'}" if bills else "nothing new"
    tail: Iterable[str] = parts[:2] if bills else ()
    return clean(f"Bill digest {content['date']}: " + ", ".join([lead, *tail]))
