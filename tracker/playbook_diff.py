"""What another playbook would change: bills that gain or lose a strategy, with the reason, before it is put to use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from tracker.classify import Classifier
from tracker.db import reading
from tracker.models.bills import BillRow
from tracker.records import bill_key
from tracker.tagging import BATCH, IN_SCOPE, read_bills


@dataclass(frozen=True)
class Change:
    """One bill and one strategy (or ``in_scope``) on which the playbooks differ. ``why`` is the candidate's reason,
    ``before`` and ``after`` are scores, None where a playbook does not have the strategy.
    """

    key: str
    title: str
    strategy: str
    gained: bool
    before: float | None
    after: float | None
    why: str


def compare(
    engine: Engine,
    used: Classifier,
    candidate: Classifier,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Change]:
    """Read every bill of the database with both and give the differences, bill by bill. Nothing is written."""
    with reading(engine) as connection:
        ids = list(connection.execute(select(BillRow.id).order_by(BillRow.id)).scalars())
    for start in range(0, len(ids), BATCH):
        with reading(engine) as connection:
            contents = [found.content for found in read_bills(connection, ids[start : start + BATCH])]
        for content in contents:
            yield from _changes(content, used, candidate)
        if progress:
            progress(min(start + BATCH, len(ids)), len(ids))


def _changes(content: dict[str, Any], used: Classifier, candidate: Classifier) -> Iterator[Change]:
    before, after = _applied(used.tag_one(content)), _applied(candidate.tag_one(content))
    differing = [
        name for name in dict.fromkeys((*after, *before)) if before.get(name, _NONE)[0] != after.get(name, _NONE)[0]
    ]
    if not differing:
        return
    explained = candidate.explain(content)
    reasons = {row["strategy"]: row["why"] for row in explained["strategies"]}
    reasons[IN_SCOPE] = explained["in_scope"]["why"]
    key = bill_key(content["jurisdiction"], content["session"], content["identifier"])
    for name in differing:
        yield Change(
            key,
            content["title"],
            name,
            after.get(name, _NONE)[0],
            before.get(name, _NONE)[1],
            after.get(name, _NONE)[1],
            reasons.get(name, "The playbook no longer has this strategy."),
        )


_NONE: tuple[bool, float | None] = (False, None)


def _applied(answer: dict[str, Any]) -> dict[str, tuple[bool, float | None]]:
    found: dict[str, tuple[bool, float | None]] = {
        IN_SCOPE: (answer[IN_SCOPE]["value"], answer[IN_SCOPE]["score"]),
    }
    found.update({tag["strategy"]: (tag["value"], tag["score"]) for tag in answer["tags"]})
    return found
