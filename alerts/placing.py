"""Decides where in the digest a bill belongs: one section, and what happened in a few words."""

from __future__ import annotations

import datetime as dt

from alerts.digest import Bill
from tracker.events import EventKind
from tracker.vocabulary import ActionClass, Stage, importance

SECTIONS = {
    "law": "Became law or vetoed",
    "passed": "Passed a chamber",
    "amended": "Amended",
    "committee": "Committee action",
    "moved": "Other movement",
    "new": "New bills",
    "hearings": "Hearings in the coming week",
    "corrections": "Corrections",
}
RANK = {name: at for at, name in enumerate(SECTIONS)}
_LAW = {
    ActionClass.BECAME_LAW,
    ActionClass.EXECUTIVE_SIGNATURE,
    ActionClass.EXECUTIVE_VETO,
    ActionClass.EXECUTIVE_VETO_LINE_ITEM,
    ActionClass.VETO_OVERRIDE_PASSAGE,
    ActionClass.VETO_OVERRIDE_FAILURE,
}
_PASSED = {ActionClass.PASSAGE, ActionClass.CONCURRENCE, ActionClass.ENROLLED, ActionClass.EXECUTIVE_RECEIPT}
_AMENDED = {ActionClass.AMENDMENT_PASSAGE, ActionClass.SUBSTITUTION}
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
LAW_STAGES = {Stage.BECAME_LAW, Stage.VETOED}
_PASSED_STAGES = {Stage.PASSED_ONE_CHAMBER, Stage.PASSED_LEGISLATURE, Stage.SENT_TO_EXECUTIVE}
_HEARING_KINDS = {EventKind.HEARING, EventKind.HEARING_CHANGED, EventKind.HEARING_REMOVED}
_MOVED_KINDS = {
    EventKind.TITLE: "new title",
    EventKind.VANISHED: "no longer listed by its legislature",
    EventKind.RETURNED: "listed again",
}
# A bill we see for the first time that is older than this is not new to its legislature.
NEW = dt.timedelta(days=30)


def place(bill: Bill, now: dt.datetime) -> tuple[str, list[str]]:
    """The one section a bill belongs in and what happened to it; no section when nothing worth a line did."""
    if bill.lost and bill.amendment is None and not (bill.tags or bill.fits):
        return "corrections", ["we withdraw a tag"]
    kinds = {row.kind for row in bill.events}
    acts = {c for r in bill.events if r.kind == EventKind.ACTION for c in r.after["classification"]}
    stages = {r.after["stage"] for r in bill.events if r.kind == EventKind.STAGE}
    since = (now - NEW).date()
    fresh = EventKind.NEW_BILL in kinds
    # A bill met for the first time brings its whole history: only what is recent is news.
    if fresh and bill.row.stage_date is not None and bill.row.stage_date >= since:
        stages = stages | {bill.row.stage}
    words = _amended(bill, kinds, acts, fresh)
    stage = bill.row.stage
    if acts & _LAW or (stage in LAW_STAGES and stages & LAW_STAGES):
        return "law", [Stage(stage).label.lower() if stage in LAW_STAGES else "the governor acted", *words]
    if acts & _PASSED or (stage in _PASSED_STAGES and stages & _PASSED_STAGES):
        return "passed", [Stage(stage).label.lower() if stage in _PASSED_STAGES else "passed a vote", *words]
    if words:
        return "amended", words
    if fresh:
        first = bill.row.first_action_date
        named = "new bill" if first is None or first >= since else "older bill, first seen by us now"
        return ("hearings" if bill.hearings else "new"), [named]
    committee = bool(acts & _COMMITTEE or kinds & _HEARING_KINDS or Stage.IN_COMMITTEE in stages)
    moved = _moved(bill, kinds, acts, stages)
    if committee and not moved:
        if bill.hearings:
            return "hearings", ["hearing coming up"]
        return "committee", ["hearing changed" if kinds & _HEARING_KINDS else "committee action"]
    if moved:
        return "moved", moved
    return ("hearings", ["hearing coming up"]) if bill.hearings else ("", [])


def weight(bill: Bill, section: str) -> tuple[int, int, int]:
    """What matters most first: the section, then strategies that came or went, then the weightiest action."""
    acts = [c for r in bill.events if r.kind == EventKind.ACTION for c in r.after["classification"]]
    return RANK[section], -len(bill.gained) - len(bill.lost), -importance(acts)


def _amended(bill: Bill, kinds: set[str], acts: set[str], fresh: bool) -> list[str]:
    if fresh:
        return []
    words = []
    if bill.amendment is not None or EventKind.VERSION in kinds:
        words.append("new version of the text")
    if acts & _AMENDED and not words:
        words.append("amended")
    for turn, changed in (("gained", bill.gained), ("lost", bill.lost)):
        if "bill" in changed.values() and words:
            words.append(f"{turn} a strategy")
    return words


def _moved(bill: Bill, kinds: set[str], acts: set[str], stages: set[str]) -> list[str]:
    moved = [words for kind, words in _MOVED_KINDS.items() if kind in kinds]
    if stages - {Stage.IN_COMMITTEE}:
        moved.append(Stage(bill.row.stage).label.lower() if bill.row.stage in set(Stage) else "new stage")
    elif {c for c in acts - _COMMITTEE if importance([c])}:
        moved.append("new action")
    if bill.gained and not moved and not acts & _COMMITTEE:
        moved.append("newly recognised as relevant")
    if bill.lost and not moved:
        moved.append("no longer shows a strategy")
    return moved
