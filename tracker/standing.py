"""What follows from a bill's actions: the classes of each, the stage, the first and the latest of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tracker.actions import match_action, stage_of
from tracker.records import BillRecord

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """``classes`` of each action, in the record's order; dates are ISO days, None where nothing says."""

    classes: list[list[str]]
    stage: str
    stage_date: str | None
    first: str | None
    latest: str | None
    latest_text: str


def standing(record: BillRecord, unknown: Counter[str]) -> Standing:
    """Classes and stage of a record; texts that no rule knows are counted in ``unknown``.

    Actions that come without classes get those of the rules, in the record itself too.
    """
    classes: list[list[str]] = []
    actions = record.actions
    for action in actions:
        given = action.classification
        if not given:
            match = match_action(record.jurisdiction, action.description, action.chamber)
            given = action.classification = list(match.classes)
            if not match.known:
                unknown[action.description[:SHOWN]] += 1
        classes.append(given)
    result = stage_of(actions, bill_classification=record.classification, jurisdiction=record.jurisdiction)
    # Sources list newest first or last; of one day's actions the one nearest the newest end is the latest.
    newest_first = bool(actions) and actions[0].date > actions[-1].date
    ordered = actions if newest_first else actions[::-1]
    latest = max(ordered, key=lambda a: a.date, default=None)
    return Standing(
        classes,
        str(result.stage),
        _day(result.since),
        min((a.date for a in actions), default=None),
        latest.date if latest else None,
        latest.description if latest else "",
    )


def _day(value: Any) -> str | None:
    return str(value)[:10] if value else None
