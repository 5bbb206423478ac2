"""The words that bills are described in: one closed list for each field, used by every part of the tracker.

They are Open States' own words (its published vocabularies), so that records move both ways without
translation. The words this project adds are kept apart in ``ADDED_ACTION_CLASSES``; each exists because an
alert needs it and the published list has no word for it.

Every list is a ``StrEnum``: members compare equal to their text, so code may hold either.
"""

from __future__ import annotations

from enum import StrEnum


class Chamber(StrEnum):
    """Who acted. ``legislature`` is a unicameral body, or both chambers together; ``""`` is not known."""

    UPPER = "upper"
    LOWER = "lower"
    LEGISLATURE = "legislature"
    EXECUTIVE = "executive"


class BillClass(StrEnum):
    """What kind of measure a bill is."""

    BILL = "bill"
    RESOLUTION = "resolution"
    CONCURRENT_RESOLUTION = "concurrent resolution"
    JOINT_RESOLUTION = "joint resolution"
    MEMORIAL = "memorial"
    COMMEMORATION = "commemoration"
    CONCURRENT_MEMORIAL = "concurrent memorial"
    JOINT_MEMORIAL = "joint memorial"
    PROPOSED_BILL = "proposed bill"
    PROCLAMATION = "proclamation"
    NOMINATION = "nomination"
    CONTRACT = "contract"
    CLAIM = "claim"
    APPOINTMENT = "appointment"
    CONSTITUTIONAL_AMENDMENT = "constitutional amendment"
    PETITION = "petition"
    ORDER = "order"
    CONCURRENT_ORDER = "concurrent order"
    APPROPRIATION = "appropriation"
    ORDINANCE = "ordinance"
    MOTION = "motion"
    STUDY_REQUEST = "study request"
    CONCURRENT_STUDY_REQUEST = "concurrent study request"
    BILL_OF_ADDRESS = "bill of address"


class ActionClass(StrEnum):
    """What an action did. The order is the order of a bill's life."""

    FILING = "filing"
    INTRODUCTION = "introduction"
    READING_1 = "reading-1"
    REFERRAL = "referral"
    REFERRAL_COMMITTEE = "referral-committee"
    HEARING_SCHEDULED = "hearing-scheduled"
    HEARING_CANCELLED = "hearing-cancelled"
    HEARING_HELD = "hearing-held"
    WORK_SESSION = "work-session"
    SPONSORSHIP = "sponsorship"
    SUBSTITUTION = "substitution"
    COMMITTEE_PASSAGE = "committee-passage"
    COMMITTEE_PASSAGE_FAVORABLE = "committee-passage-favorable"
    COMMITTEE_PASSAGE_UNFAVORABLE = "committee-passage-unfavorable"
    COMMITTEE_FAILURE = "committee-failure"
    REPORTED_OUT_OF_COMMITTEE = "reported-out-of-committee"
    DISCHARGE = "discharge"
    READING_2 = "reading-2"
    AMENDMENT_INTRODUCTION = "amendment-introduction"
    AMENDMENT_PASSAGE = "amendment-passage"
    AMENDMENT_WITHDRAWAL = "amendment-withdrawal"
    AMENDMENT_FAILURE = "amendment-failure"
    AMENDMENT_AMENDMENT = "amendment-amendment"
    AMENDMENT_DEFERRAL = "amendment-deferral"
    READING_3 = "reading-3"
    PASSAGE = "passage"
    INFORMAL_PASSAGE = "informal-passage"
    RECEIPT = "receipt"
    CONFERENCE = "conference"
    CONCURRENCE = "concurrence"
    DEFERRAL = "deferral"
    CARRIED_OVER = "carried-over"
    WITHDRAWAL = "withdrawal"
    FAILURE = "failure"
    SINE_DIE = "sine-die"
    ENROLLED = "enrolled"
    EXECUTIVE_RECEIPT = "executive-receipt"
    EXECUTIVE_SIGNATURE = "executive-signature"
    EXECUTIVE_VETO = "executive-veto"
    EXECUTIVE_VETO_LINE_ITEM = "executive-veto-line-item"
    VETO_OVERRIDE_PASSAGE = "veto-override-passage"
    VETO_OVERRIDE_FAILURE = "veto-override-failure"
    BECAME_LAW = "became-law"
    EFFECTIVE = "effective"


#: Words Open States does not have; dropped or mapped when data leaves in its form.
ADDED_ACTION_CLASSES: frozenset[ActionClass] = frozenset(
    {
        ActionClass.HEARING_SCHEDULED,
        ActionClass.HEARING_CANCELLED,
        ActionClass.DISCHARGE,
        ActionClass.CONFERENCE,
        ActionClass.SINE_DIE,
        ActionClass.EFFECTIVE,
    }
)


class RelationType(StrEnum):
    """How another bill hangs together with this one."""

    COMPANION = "companion"
    PRIOR_SESSION = "prior-session"
    REPLACED_BY = "replaced-by"
    REPLACES = "replaces"
    RELATED = "related"


class VersionClass(StrEnum):
    """What a version of the text is; ``""`` where the source does not say."""

    FILED = "filed"
    INTRODUCED = "introduced"
    AMENDMENT = "amendment"
    SUBSTITUTED = "substituted"
    ENROLLED = "enrolled"
    BECAME_LAW = "became-law"


class DocumentClass(StrEnum):
    """What a document beside the text is; ``""`` where the source does not say."""

    FISCAL_NOTE = "fiscal-note"
    COMMITTEE_REPORT = "committee-report"
    SUMMARY = "summary"
    DIGEST = "digest"
    VETO_MESSAGE = "veto-message"
    ANALYSIS = "analysis"
    LAW = "law"


class EntityType(StrEnum):
    """What a sponsor is; ``""`` where the source does not say."""

    PERSON = "person"
    ORGANIZATION = "organization"


class HearingStatus(StrEnum):
    """Where an announced hearing stands."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    PASSED = "passed"


class SessionClass(StrEnum):
    """A regular session is ``primary``; one called for a purpose is ``special``."""

    PRIMARY = "primary"
    SPECIAL = "special"


class Stage(StrEnum):
    """How far a bill has come: exactly one at any moment. The order is the usual way."""

    INTRODUCED = "introduced"
    IN_COMMITTEE = "in_committee"
    PASSED_ONE_CHAMBER = "passed_one_chamber"
    PASSED_LEGISLATURE = "passed_legislature"
    SENT_TO_EXECUTIVE = "sent_to_executive"
    BECAME_LAW = "became_law"
    VETOED = "vetoed"
    FAILED = "failed"
    CARRIED_OVER = "carried_over"

    @property
    def label(self) -> str:
        """The stage as people read it."""
        return _STAGE_LABELS[self]

    @property
    def order(self) -> int:
        """0 for ``introduced`` and upwards; for sorting and for "at least as far as"."""
        return _STAGE_ORDER[self]

    @property
    def is_final(self) -> bool:
        """Nothing more is expected, short of an override or a new session."""
        return self in FINAL_STAGES


_STAGE_LABELS = {
    Stage.INTRODUCED: "Introduced",
    Stage.IN_COMMITTEE: "In committee",
    Stage.PASSED_ONE_CHAMBER: "Passed one chamber",
    Stage.PASSED_LEGISLATURE: "Passed the legislature",
    Stage.SENT_TO_EXECUTIVE: "Sent to the governor",
    Stage.BECAME_LAW: "Became law",
    Stage.VETOED: "Vetoed",
    Stage.FAILED: "Failed",
    Stage.CARRIED_OVER: "Carried over",
}
_STAGE_ORDER = {stage: position for position, stage in enumerate(Stage)}

FINAL_STAGES: frozenset[Stage] = frozenset({Stage.BECAME_LAW, Stage.VETOED, Stage.FAILED})
STAGES: tuple[str, ...] = tuple(Stage)
ACTION_CLASSES: tuple[str, ...] = tuple(ActionClass)
BILL_CLASSES: tuple[str, ...] = tuple(BillClass)
CHAMBERS: tuple[str, ...] = tuple(Chamber)
RELATION_TYPES: tuple[str, ...] = tuple(RelationType)

#: Kinds of measure that end as law. A constitutional amendment does not: it goes on to the voters.
LAW_MAKING: frozenset[str] = frozenset(
    {
        BillClass.BILL,
        BillClass.PROPOSED_BILL,
        BillClass.APPROPRIATION,
        BillClass.ORDINANCE,
        BillClass.CLAIM,
    }
)

#: Where a joint resolution is law as a bill is; elsewhere it expresses an opinion, even if a governor signs.
JOINT_RESOLUTION_IS_LAW: frozenset[str] = frozenset({"us", "de", "nj", "ok"})

#: Action classes from the weightiest news to the least; what a digest puts first. Absent ones weigh nothing.
IMPORTANCE: tuple[ActionClass, ...] = (
    ActionClass.BECAME_LAW,
    ActionClass.EXECUTIVE_SIGNATURE,
    ActionClass.EXECUTIVE_VETO,
    ActionClass.EXECUTIVE_VETO_LINE_ITEM,
    ActionClass.VETO_OVERRIDE_PASSAGE,
    ActionClass.VETO_OVERRIDE_FAILURE,
    ActionClass.PASSAGE,
    ActionClass.FAILURE,
    ActionClass.EXECUTIVE_RECEIPT,
    ActionClass.CONCURRENCE,
    ActionClass.ENROLLED,
    ActionClass.CONFERENCE,
    ActionClass.COMMITTEE_PASSAGE_FAVORABLE,
    ActionClass.COMMITTEE_PASSAGE_UNFAVORABLE,
    ActionClass.COMMITTEE_PASSAGE,
    ActionClass.COMMITTEE_FAILURE,
    ActionClass.REPORTED_OUT_OF_COMMITTEE,
    ActionClass.DISCHARGE,
    ActionClass.HEARING_SCHEDULED,
    ActionClass.HEARING_CANCELLED,
    ActionClass.CARRIED_OVER,
    ActionClass.WITHDRAWAL,
    ActionClass.SUBSTITUTION,
    ActionClass.AMENDMENT_PASSAGE,
    ActionClass.SINE_DIE,
    ActionClass.INTRODUCTION,
    ActionClass.EFFECTIVE,
    ActionClass.REFERRAL_COMMITTEE,
    ActionClass.HEARING_HELD,
    ActionClass.READING_3,
    ActionClass.READING_2,
    ActionClass.FILING,
)
_IMPORTANCE_RANK: dict[str, int] = {name: len(IMPORTANCE) - at for at, name in enumerate(IMPORTANCE)}


def importance(classes: tuple[str, ...] | list[str]) -> int:
    """Weight of an action by its weightiest class: greater is weightier, 0 for none and for housekeeping."""
    return max((_IMPORTANCE_RANK.get(name, 0) for name in classes), default=0)
