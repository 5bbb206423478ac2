"""What an action did and how far a bill has come: rules kept as data (TOML, beside this module).

classify_action("va", "H Referred to Committee on Finance")   # ("referral-committee",)
stage_of(record.actions, bill_classification=["bill"], jurisdiction="va").stage
"""

from tracker.actions.rules import (
    ActionRuleError,
    Rule,
    RuleSet,
    classify_action,
    is_dull,
    load_rules,
    rules_for,
)
from tracker.actions.stages import ActionLike, StageResult, stage_of

__all__ = [
    "ActionLike",
    "ActionRuleError",
    "Rule",
    "RuleSet",
    "StageResult",
    "classify_action",
    "is_dull",
    "load_rules",
    "rules_for",
    "stage_of",
]
