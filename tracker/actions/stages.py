"""How far a bill has come, from all of its actions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tracker.actions.rules import classify_action
from tracker.vocabulary import LAW_MAKING, Stage

#: One chamber only: its passage is the legislature's. (The district and three territories beside Nebraska.)
UNICAMERAL = frozenset({"ne", "dc", "gu", "vi"})

_IN_COMMITTEE = frozenset(
    {
        "referral-committee",
        "committee-passage",
        "committee-passage-favorable",
        "committee-passage-unfavorable",
        "committee-failure",
        "reported-out-of-committee",
        "hearing-scheduled",
        "hearing-held",
        "work-session",
    }
)
# Signs of life: these lift "failed" (reconsideration) and "carried over".
_STRONG = frozenset({"passage", "enrolled", "executive-receipt", "concurrence", "veto-override-passage"})
_ALIVE = _IN_COMMITTEE | _STRONG | {"reading-2", "reading-3", "introduction", "reading-1"}
_WEIGHTY = (
    _ALIVE
    | {"failure", "withdrawal", "carried-over", "sine-die", "executive-signature", "became-law"}
    | {"executive-veto", "executive-veto-line-item", "veto-override-failure"}
)
_LINE_ITEM = re.compile(r"line[- ]?item|item veto|in part|partial(?:ly)? veto", re.IGNORECASE)
# A withdrawal from one committee or calendar is a move, not an end.
_MOVE = re.compile(
    r"(?:withdrawn|recalled|w/d) from (?!further|consideration)|^w/d$|withdrawn printed|amendment|motion"
    r"|sponsors? (?:name )?withdrawn|withdrawn as",
    re.IGNORECASE,
)
_UPPER = re.compile(r"\bsen(?:ate)?\b", re.IGNORECASE)
_LOWER = re.compile(r"\b(?:house|assembly)\b", re.IGNORECASE)
_RANK = {
    Stage.INTRODUCED: 0,
    Stage.IN_COMMITTEE: 1,
    Stage.PASSED_ONE_CHAMBER: 2,
    Stage.PASSED_LEGISLATURE: 3,
    Stage.SENT_TO_EXECUTIVE: 4,
}


class ActionLike(Protocol):
    """What is asked of an action; dates are ISO texts."""

    @property
    def date(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def chamber(self) -> str: ...
    @property
    def classification(self) -> Sequence[str]: ...


class StageResult(NamedTuple):
    """The stage, the date it was reached and the place (in the sequence given) of the action that says so."""

    stage: str
    since_date: str | None
    because: int | None


def chronological(actions: Sequence[ActionLike]) -> list[int]:
    """Places of the actions, oldest first; those of one day in the direction the source lists them."""
    count = len(actions)
    dates = [action.date[:10] for action in actions]
    falls = sum(1 for at in range(1, count) if dates[at] < dates[at - 1])
    rises = sum(1 for at in range(1, count) if dates[at] > dates[at - 1])
    places = range(count - 1, -1, -1) if falls > rises else range(count)
    return sorted(places, key=dates.__getitem__)


def _chamber(action: ActionLike) -> str:
    if action.chamber in ("upper", "lower"):
        return action.chamber
    upper, lower = _UPPER.search(action.description), _LOWER.search(action.description)
    if upper and not lower:
        return "upper"
    if lower and not upper:
        return "lower"
    return action.chamber


def _classes(action: ActionLike, jurisdiction: str) -> set[str]:
    given = action.classification
    if not given:
        return set(classify_action(jurisdiction, action.description, action.chamber))
    classes = set(given)
    if "passage" in classes:
        # Sources call much "passage" that no chamber passed: officers' signatures, second readings.
        ours = classify_action(jurisdiction, action.description, action.chamber)
        if ours and "passage" not in ours:
            classes.discard("passage")
            classes.update(ours)
    return classes


class _Course:
    """The bill's way so far."""

    def __init__(self, jurisdiction: str, law_making: bool) -> None:
        self.single = jurisdiction in UNICAMERAL
        self.law_making = law_making
        self.stage = Stage.INTRODUCED
        self.because: int | None = None
        self.reached: tuple[Stage, int | None] = (Stage.INTRODUCED, None)
        self.passed: set[str] = set()
        self.overridden: set[str] = set()

    def advance(self, stage: Stage, place: int) -> None:
        if _RANK[stage] > _RANK[self.reached[0]]:
            self.reached = (stage, place)
            if self.stage in _RANK:
                self.stage, self.because = stage, place

    def end(self, stage: Stage, place: int) -> None:
        if self.stage != stage:
            self.stage, self.because = stage, place

    def lift(self, place: int) -> None:
        self.stage, self.because = self.reached[0], place

    def whole(self, done: set[str], chamber: str) -> bool:
        """Notes the chamber; whether the whole legislature has now acted."""
        done.add(chamber)
        return self.single or chamber == "legislature" or {"upper", "lower"} <= done

    def law(self, place: int) -> None:
        if self.law_making:
            self.end(Stage.BECAME_LAW, place)
        else:
            self.advance(Stage.PASSED_LEGISLATURE, place)

    def step(self, action: ActionLike, classes: set[str], place: int) -> None:
        if self.stage == Stage.BECAME_LAW:
            return
        if self.because is None:
            self.because = place
        line_item = "executive-veto-line-item" in classes
        veto = "executive-veto" in classes
        if veto and _LINE_ITEM.search(action.description):
            line_item, veto = True, False
        signed = bool(classes & {"became-law", "executive-signature"})
        before = self.stage
        self.forward(action, classes, place)
        over = "veto-override-passage" in classes and self.whole(self.overridden, _chamber(action))
        if over or signed or line_item:
            self.law(place)
        elif veto:
            if self.law_making:
                self.end(Stage.VETOED, place)
        elif "failure" in classes and "amendment-failure" not in classes and "passage" not in classes:
            if before != Stage.VETOED:
                self.end(Stage.FAILED, place)
        elif "sine-die" in classes or ("withdrawal" in classes and not _MOVE.search(action.description)):
            if before != Stage.VETOED and _RANK.get(self.reached[0], 0) < _RANK[Stage.PASSED_LEGISLATURE]:
                self.end(Stage.FAILED, place)
        elif "carried-over" in classes and before not in (Stage.VETOED, Stage.FAILED):
            self.end(Stage.CARRIED_OVER, place)

    def forward(self, action: ActionLike, classes: set[str], place: int) -> None:
        if "executive-receipt" in classes:
            self.advance(Stage.SENT_TO_EXECUTIVE if self.law_making else Stage.PASSED_LEGISLATURE, place)
        elif "enrolled" in classes:
            self.advance(Stage.PASSED_LEGISLATURE, place)
        elif "passage" in classes and "veto-override-passage" not in classes:
            both = self.whole(self.passed, _chamber(action))
            self.advance(Stage.PASSED_LEGISLATURE if both else Stage.PASSED_ONE_CHAMBER, place)
        elif classes & _IN_COMMITTEE:
            self.advance(Stage.IN_COMMITTEE, place)
        if (self.stage == Stage.FAILED and classes & _STRONG) or (
            self.stage == Stage.CARRIED_OVER and classes & _ALIVE and "carried-over" not in classes
        ):
            self.lift(place)


def stage_of(
    actions: Sequence[ActionLike],
    *,
    bill_classification: Sequence[str],
    jurisdiction: str,
    session_ended: bool = False,
) -> StageResult:
    """Where a bill stands after these actions, in whichever direction they are listed.

    ``session_ended``: the session is over for good; a bill that did not get through has failed.
    """
    law_making = not bill_classification or not LAW_MAKING.isdisjoint(bill_classification)
    course = _Course(jurisdiction, law_making)
    for place in chronological(actions):
        action = actions[place]
        classes = _classes(action, jurisdiction)
        if not classes.isdisjoint(_WEIGHTY):
            course.step(action, classes, place)
        elif course.because is None:
            course.because = place
    stage, because = course.stage, course.because
    unfinished = (Stage.INTRODUCED, Stage.IN_COMMITTEE, Stage.PASSED_ONE_CHAMBER)
    if session_ended and (stage in unfinished[:2] or (stage == unfinished[2] and law_making)):
        return StageResult(str(Stage.FAILED), None, None)
    since = (actions[because].date[:10] or None) if because is not None else None
    return StageResult(str(stage), since, because)
