"""Action text → classes → stage, by ordered rules in the data files of this folder.

classify_action("ca", "Chaptered by Secretary of State.")   # ("became-law",)
classify_action("ca", "Something nobody has seen.")         # ()  unknown: counted, never guessed
stage_of(record.actions, bill_classification=record.classification, jurisdiction="ca").stage
"""

from __future__ import annotations

from tracker.actions.rules import Match, Rule, RuleError, RuleSet, match_action, read_rules, rules_for
from tracker.actions.stages import ActionLike, Given, StageResult, stage_of

__all__ = [
    "UNKNOWN",
    "ActionLike",
    "Given",
    "Match",
    "Rule",
    "RuleError",
    "RuleSet",
    "StageResult",
    "classify_action",
    "is_dull",
    "is_known",
    "match_action",
    "read_rules",
    "rules_for",
    "stage_of",
]

#: What :func:`classify_action` says of a text that means nothing to us.
UNKNOWN: tuple[str, ...] = ()


def classify_action(jurisdiction: str, description: str, chamber: str | None = None) -> tuple[str, ...]:
    """The classes of one action, in the vocabulary's order; :data:`UNKNOWN` (empty) where no rule gives one.

    ``jurisdiction`` is a postal code, ``chamber`` who acted. Answers are kept; a text costs microseconds.
    """
    return match_action(jurisdiction, description, chamber or "").classes


def is_known(jurisdiction: str, description: str, chamber: str | None = None) -> bool:
    """Whether any rule knows the text. Known texts may have no class: "bill printed" does nothing."""
    return match_action(jurisdiction, description, chamber or "").known


def is_dull(jurisdiction: str, description: str, chamber: str | None = None) -> bool:
    """Whether the action is housekeeping ("bill printed", "co-sponsor added") that a digest leaves out."""
    return match_action(jurisdiction, description, chamber or "").dull
