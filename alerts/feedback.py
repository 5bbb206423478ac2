"""What readers say of the bills they got: the next round's labels, each with what was judged and who had said it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, or_, select

from tracker.db import reading, writing
from tracker.models.bills import BillRow
from tracker.models.readers import DigestIssueRow, FeedbackRow
from tracker.models.tags import TagRow
from tracker.records import ocd_bill_id
from tracker.tagging import IN_SCOPE

VERDICTS = ("relevant", "not_relevant")


def questions(snapshot: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each bill of an issue with the strategies to judge; a bill without any is judged as a whole."""
    found = []
    for section in snapshot.get("sections", ()):
        for group in section["groups"]:
            for card in group["bills"]:
                tags = [{"key": t["key"], "name": t["name"]} for t in card["tags"]]
                found.append({**card, "asked": tags or [{"key": IN_SCOPE, "name": "This bill"}]})
    return found


def issue_of(engine: Engine, reader: int, issue: int) -> Any:
    """The issue's row, if it is this reader's."""
    with reading(engine) as connection:
        return connection.execute(
            select(DigestIssueRow.id, DigestIssueRow.snapshot, DigestIssueRow.planned_at, DigestIssueRow.subject).where(
                DigestIssueRow.id == issue, DigestIssueRow.subscriber_id == reader, DigestIssueRow.kind == "digest"
            )
        ).first()


def given(engine: Engine, reader: int, issue: int) -> dict[tuple[str, str], str]:
    """What the reader said of this issue before, by bill (its public id) and strategy."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(BillRow.ocd_id, FeedbackRow.strategy, FeedbackRow.verdict)
            .join(BillRow, BillRow.id == FeedbackRow.bill_id)
            .where(FeedbackRow.subscriber_id == reader, FeedbackRow.issue_id == issue)
        )
        return {(ocd_id, strategy): verdict for ocd_id, strategy, verdict in rows}


def store(engine: Engine, reader: int, issue: Any, answers: Mapping[tuple[str, str], str], *, now: dt.datetime) -> int:
    """Keep the answers, by bill key and strategy; the same question again replaces its answer. Returns how many.

    Only bills and strategies of the issue count. An empty answer takes an earlier one back.
    """
    asked = {(card["key"], tag["key"]) for card in questions(issue.snapshot) for tag in card["asked"]}
    done = 0
    with writing(engine) as connection:
        for (key, strategy), verdict in answers.items():
            if (key, strategy) not in asked or verdict not in ("", *VERDICTS):
                continue
            bill = connection.execute(
                select(BillRow.id).where(BillRow.ocd_id == ocd_bill_id(*key.split("/", 2)))
            ).scalar()
            if bill is None:
                continue
            connection.execute(
                delete(FeedbackRow).where(
                    FeedbackRow.bill_id == bill,
                    FeedbackRow.subscriber_id == reader,
                    FeedbackRow.strategy == strategy,
                    FeedbackRow.issue_id == issue.id,
                )
            )
            if verdict:
                _insert(connection, bill, reader, strategy, verdict, issue, now)
                done += 1
    return done


def _insert(
    connection: Connection, bill: int, reader: int, strategy: str, verdict: str, issue: Any, now: dt.datetime
) -> None:
    """With the tag as it was when the issue was made: its classifier, and the text it was read from."""
    tag = connection.execute(
        select(TagRow.classifier_id, TagRow.bill_text_id)
        .where(
            TagRow.bill_id == bill,
            TagRow.strategy == strategy,
            TagRow.first_seen_at <= issue.planned_at,
            or_(TagRow.removed_at.is_(None), TagRow.removed_at > issue.planned_at),
        )
        .limit(1)
    ).first()
    connection.execute(
        insert(FeedbackRow).values(
            bill_id=bill,
            subscriber_id=reader,
            strategy=strategy,
            verdict=verdict,
            at=now,
            issue_id=issue.id,
            classifier_id=tag.classifier_id if tag else None,
            bill_text_id=tag.bill_text_id if tag else None,
        )
    )
