"""What readers said about bills, and what it teaches: rows of `feedback` become labelled examples.

A reader says of a bill and a strategy (or of the bill as a whole, under `in_scope`) one of `Verdict`. Several
readers' words on one bill are counted label by label; where they are even, the label stays open.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select

from tracker.models.readers import FeedbackRow
from tracker.tagging import IN_SCOPE, Reading, read_bills

BATCH = 200


class Verdict(StrEnum):
    """What a reader can say. `relevant` and `missed` speak for a strategy, `wrong_strategy` against it alone,
    `not_relevant` against the whole bill.
    """

    RELEVANT = "relevant"
    NOT_RELEVANT = "not_relevant"
    WRONG_STRATEGY = "wrong_strategy"
    MISSED = "missed"

    @classmethod
    def of(cls, words: str) -> Verdict:
        """The verdict a link, form or command names. Raises ValueError with the names that can be used."""
        try:
            return cls(words.strip().lower().replace(" ", "_").replace("-", "_"))
        except ValueError:
            raise ValueError(f"{words!r} is no verdict; use one of {', '.join(cls)}.") from None


def add(
    connection: Connection,
    bill_id: int,
    strategy: str,
    verdict: Verdict,
    *,
    at: dt.datetime,
    subscriber_id: int | None = None,
) -> None:
    """Note one reader's word."""
    connection.execute(
        insert(FeedbackRow).values(
            bill_id=bill_id, subscriber_id=subscriber_id, strategy=strategy, verdict=str(verdict), at=at
        )
    )


def said(strategy: str, verdict: Verdict, strategies: Sequence[str]) -> dict[str, bool]:
    """The labels one row speaks of; the others stay open."""
    if verdict is Verdict.NOT_RELEVANT:
        return {IN_SCOPE: False, **dict.fromkeys(strategies, False)}
    known = {IN_SCOPE: True}
    if strategy in strategies:
        known[strategy] = verdict is not Verdict.WRONG_STRATEGY
    return known


def examples(connection: Connection, strategies: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Labelled examples in the shape of gold files, bill by bill; a label that nobody spoke of is not there.

    Each has `text_sha256` of the text that it was read from: a bill whose text changed since is another bill.
    """
    votes: dict[int, dict[str, Counter[bool]]] = defaultdict(lambda: defaultdict(Counter))
    latest: dict[tuple[int, int | None, str], tuple[str, int]] = {}
    said_by = (FeedbackRow.id, FeedbackRow.bill_id, FeedbackRow.subscriber_id)
    columns = (*said_by, FeedbackRow.strategy, FeedbackRow.verdict)
    rows = connection.execute(select(*columns).order_by(FeedbackRow.id)).all()
    for row in rows:
        # a reader who changes their mind is counted once; words without a name are counted each
        reader = row.subscriber_id if row.subscriber_id is not None else -row.id
        latest[row.bill_id, reader, row.strategy] = (row.verdict, row.id)
    for (bill_id, _, strategy), (words, _) in latest.items():
        try:
            verdict = Verdict.of(words)
        except ValueError:
            continue
        for label, value in said(strategy, verdict, strategies).items():
            votes[bill_id][label][value] += 1
    ids = sorted(votes)
    for start in range(0, len(ids), BATCH):
        for reading in read_bills(connection, ids[start : start + BATCH]):
            labels = _decided(votes[reading.bill_id])
            if labels:
                yield _example(reading, labels)


def _decided(votes: dict[str, Counter[bool]]) -> dict[str, bool]:
    return {label: count[True] > count[False] for label, count in votes.items() if count[True] != count[False]}


def _example(reading: Reading, labels: dict[str, bool]) -> dict[str, Any]:
    content = reading.content
    return {
        **content,
        "labels": labels,
        "source": "feedback",
        "text_sha256": hashlib.sha256(content["text"].encode("utf-8", "surrogatepass")).hexdigest(),
    }
