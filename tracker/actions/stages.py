"""A bill's actions → the stage it has reached, since when, and because of which action.

The walk is over the whole history, oldest first, so that a veto that is overridden, a defeat that is
reconsidered or an amendment of the second chamber that the first refuses ends where the bill really is. A
stage is never guessed: an action that no rule knows moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

from tracker.actions.rules import Match, match_action
from tracker.vocabulary import JOINT_RESOLUTION_IS_LAW, LAW_MAKING, ActionClass, BillClass, Chamber, Stage

Given = Literal["fill", "prefer", "ignore"]

_UNICAMERAL = frozenset({"ne", "dc", "gu", "vi"})
#: Kinds that one chamber settles alone.
_ONE_CHAMBER = frozenset(
    {
        BillClass.RESOLUTION,
        BillClass.MEMORIAL,
        BillClass.COMMEMORATION,
        BillClass.ORDER,
        BillClass.MOTION,
        BillClass.PROCLAMATION,
        BillClass.NOMINATION,
        BillClass.APPOINTMENT,
    }
)
_BOTH = frozenset({Chamber.UPPER, Chamber.LOWER})
_STARTS = frozenset({ActionClass.FILING, ActionClass.INTRODUCTION, ActionClass.READING_1})
_COMMITTEE = frozenset(
    {
        ActionClass.REFERRAL_COMMITTEE,
        ActionClass.REFERRAL,
        ActionClass.COMMITTEE_PASSAGE,
        ActionClass.COMMITTEE_PASSAGE_FAVORABLE,
        ActionClass.COMMITTEE_PASSAGE_UNFAVORABLE,
        ActionClass.REPORTED_OUT_OF_COMMITTEE,
        ActionClass.COMMITTEE_FAILURE,
        ActionClass.HEARING_HELD,
        ActionClass.HEARING_SCHEDULED,
        ActionClass.WORK_SESSION,
        ActionClass.DISCHARGE,
    }
)


class ActionLike(Protocol):
    """What the stage needs of an action; BillRecord's actions and the tables' rows have it."""

    @property
    def date(self) -> object: ...
    @property
    def description(self) -> str: ...
    @property
    def chamber(self) -> str: ...
    @property
    def classification(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class StageResult:
    """The stage; the ISO date it was reached on ("" where no action says so); the index, in the order given,
    of the action that brought it there (None where the calendar did, or nothing)."""

    stage: Stage
    since: str = ""
    because: int | None = None


@dataclass(slots=True)
class _Walk:
    """Where the bill is while we read on."""

    law_making: bool
    needed: frozenset[str]
    stage: Stage = Stage.INTRODUCED
    since: str = ""
    because: int | None = None
    passed: set[str] = field(default_factory=set)
    overrode: set[str] = field(default_factory=set)
    agreed: bool = True
    before_failure: Stage = Stage.INTRODUCED

    def go(self, stage: Stage, date: str, at: int) -> None:
        if stage != self.stage or self.because is None:
            self.stage, self.since, self.because = stage, date, at

    def forward(self, stage: Stage, date: str, at: int) -> None:
        """On to ``stage``, but not back; a bill that had failed or was carried over is alive again."""
        if self.stage in (Stage.FAILED, Stage.CARRIED_OVER) or stage.order > self.stage.order:
            self.go(max(stage, self.reached(), key=lambda found: found.order), date, at)

    def reached(self) -> Stage:
        """What the passages so far amount to."""
        if not self.passed:
            return Stage.INTRODUCED
        whole = self.passed >= self.needed and self.agreed
        return Stage.PASSED_LEGISLATURE if whole else Stage.PASSED_ONE_CHAMBER


def stage_of(
    actions: Sequence[ActionLike],
    *,
    bill_classification: Collection[str],
    jurisdiction: str,
    session_ended: bool = False,
    given: Given = "fill",
) -> StageResult:
    """The stage a bill has reached.

    ``given`` says what the classes on the actions themselves count for: ``fill`` where our rules do not know
    the text, ``prefer`` before our rules, ``ignore`` not at all. ``session_ended``: the session is over and
    its bills do not carry over, so what has not passed has failed. Actions may come newest first.
    """
    walk = _Walk(
        law_making=_makes_law(jurisdiction, bill_classification),
        needed=_needed(jurisdiction, bill_classification),
    )
    matches = [_understood(jurisdiction, action, given) for action in actions]
    for at in _oldest_first(actions, matches):
        _step(walk, matches[at], actions[at].chamber, _day(actions[at]), at)
    if session_ended and walk.stage in (Stage.INTRODUCED, Stage.IN_COMMITTEE, Stage.PASSED_ONE_CHAMBER):
        last = max((_day(action) for action in actions), default="")
        return StageResult(Stage.FAILED, last, None)
    return StageResult(walk.stage, walk.since, walk.because)


def _makes_law(jurisdiction: str, kinds: Collection[str]) -> bool:
    if BillClass.JOINT_RESOLUTION in kinds and jurisdiction in JOINT_RESOLUTION_IS_LAW:
        return BillClass.CONSTITUTIONAL_AMENDMENT not in kinds
    return not kinds or bool(LAW_MAKING & set(kinds))


def _needed(jurisdiction: str, kinds: Collection[str]) -> frozenset[str]:
    """The chambers that must pass a measure of these kinds; none named means any one will do."""
    return frozenset() if jurisdiction in _UNICAMERAL or (kinds and set(kinds) <= _ONE_CHAMBER) else _BOTH


def _day(action: ActionLike) -> str:
    return str(action.date or "")[:10]


def _understood(jurisdiction: str, action: ActionLike, given: Given) -> Match:
    match = match_action(jurisdiction, action.description, action.chamber or "")
    classes = tuple(action.classification or ())
    if classes and (given == "prefer" or (given == "fill" and not match.known)):
        return Match(classes, match.effect, match.by, match.dull, (*match.rules, "given"))
    return match


def _oldest_first(actions: Sequence[ActionLike], matches: Sequence[Match]) -> Iterable[int]:
    """Indexes in order of time: stable by date, after turning a list that runs newest first."""
    days = [_day(action) for action in actions]
    pairs = list(pairwise(days))
    falling = sum(later < earlier for earlier, later in pairs)
    rising = sum(later > earlier for earlier, later in pairs)
    if falling == rising and matches:
        starts = [bool(_STARTS & set(match.classes)) for match in matches]
        turned = starts[-1] and not starts[0]
    else:
        turned = falling > rising
    order = range(len(days) - 1, -1, -1) if turned else range(len(days))
    return sorted(order, key=days.__getitem__)


def _step(walk: _Walk, match: Match, chamber: str, date: str, at: int) -> None:
    """Let one action move the bill. Later lines of this function weigh more."""
    if not match.classes and not match.effect:
        return
    classes = set(match.classes)
    acting = match.by or chamber
    if match.effect == "revived" and walk.stage == Stage.FAILED:
        walk.go(walk.before_failure, date, at)
    if classes & _STARTS and (walk.because is None or walk.stage == Stage.CARRIED_OVER):
        walk.go(walk.reached(), date, at)
    if classes & _COMMITTEE:
        walk.forward(Stage.IN_COMMITTEE, date, at)
    if ActionClass.CARRIED_OVER in classes and walk.stage.order < Stage.PASSED_LEGISLATURE.order:
        walk.go(Stage.CARRIED_OVER, date, at)
    _passages(walk, match, classes, acting, date, at)
    if _defeated(match, classes) and walk.stage not in (Stage.BECAME_LAW, Stage.VETOED, Stage.FAILED):
        walk.before_failure = walk.stage
        walk.go(Stage.FAILED, date, at)
    _executive(walk, classes, acting, date, at)


def _defeated(match: Match, classes: set[str]) -> bool:
    return match.effect == "failed" or bool(classes & {ActionClass.FAILURE, ActionClass.SINE_DIE})


def _passages(walk: _Walk, match: Match, classes: set[str], acting: str, date: str, at: int) -> None:
    if ActionClass.PASSAGE in classes:
        # A single passage "of the legislature" in a state with two chambers says only that one more passed.
        walk.passed.add(acting if acting in _BOTH or not walk.needed else _other(walk.passed))
        if match.effect != "disagreement":
            walk.forward(walk.reached(), date, at)
    if ActionClass.CONCURRENCE in classes and walk.passed:
        walk.agreed = True
        walk.passed |= walk.needed
        walk.forward(Stage.PASSED_LEGISLATURE, date, at)
    if match.effect == "single_chamber":
        walk.passed |= walk.needed
        walk.forward(Stage.PASSED_LEGISLATURE, date, at)
    if match.effect == "disagreement" and walk.stage.order <= Stage.PASSED_LEGISLATURE.order:
        walk.agreed = False
        if walk.passed:
            walk.go(Stage.PASSED_ONE_CHAMBER, date, at)
    if ActionClass.ENROLLED in classes or match.effect == "passed_both":
        walk.agreed = True
        walk.passed |= walk.needed
        walk.forward(Stage.PASSED_LEGISLATURE, date, at)


def _other(passed: set[str]) -> str:
    return Chamber.LOWER if Chamber.UPPER in passed else Chamber.UPPER


def _executive(walk: _Walk, classes: set[str], acting: str, date: str, at: int) -> None:
    signed = classes & {ActionClass.EXECUTIVE_SIGNATURE, ActionClass.BECAME_LAW}
    if not walk.law_making:
        # Resolutions are adopted; a governor's signature or a chapter number makes no law of them.
        if signed:
            walk.forward(Stage.PASSED_LEGISLATURE, date, at)
        return
    if ActionClass.EXECUTIVE_RECEIPT in classes and walk.stage not in (Stage.BECAME_LAW, Stage.VETOED):
        walk.agreed, walk.passed = True, walk.passed | walk.needed
        walk.go(Stage.SENT_TO_EXECUTIVE, date, at)
    if ActionClass.EXECUTIVE_VETO_LINE_ITEM in classes or signed:
        walk.go(Stage.BECAME_LAW, date, at)
    elif ActionClass.EXECUTIVE_VETO in classes and walk.stage != Stage.BECAME_LAW:
        walk.overrode.clear()
        walk.go(Stage.VETOED, date, at)
    if ActionClass.VETO_OVERRIDE_PASSAGE in classes and walk.stage == Stage.VETOED:
        walk.overrode.add(acting)
        if walk.overrode >= walk.needed or acting in (Chamber.LEGISLATURE, Chamber.EXECUTIVE, ""):
            walk.go(Stage.BECAME_LAW, date, at)
