"""Puts the classifier's findings on bills: tags, the words that show them, and an event for each gain or loss.

A bill is read again when it changed or when the classifier did. An old tag is never overwritten: it gets its
end, and the new one its beginning, so that "what did we say then" has an answer.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Select, insert, or_, select, update

from tracker import events, statistics
from tracker.bill_tables import table
from tracker.db import insert_rows, reading, reserve_ids, writing
from tracker.events import Event, EventKind
from tracker.models.base import stamp
from tracker.models.bills import AbstractRow, BillRow, BillTextRow, SessionRow, SubjectRow, VersionRow
from tracker.models.tags import ClassifierRow, TagEvidenceRow, TagRow

IN_SCOPE = "in_scope"
# Scores below this are not worth a row; readers who want more recall than the threshold go down to here.
KEEP_SCORE = 0.1
BATCH = 500


class Tagger(Protocol):
    """What tagging needs of a classifier."""

    # "<playbook>-<its hash>/<model's hash>/<code version>"
    version: str

    def tag(self, bills: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """One finding a bill, in order."""
        ...


@dataclass
class TagReport:
    """What a tagging run did."""

    bills: int = 0
    gained: int = 0
    lost: int = 0
    in_scope: int = 0


@dataclass(frozen=True)
class Reading:
    """One bill as the classifier reads it, and which text that was."""

    bill_id: int
    text_id: int | None
    content: dict[str, Any]


def tag_bills(
    engine: Engine,
    tagger: Tagger,
    *,
    now: dt.datetime,
    everything: bool = False,
    bill_ids: Sequence[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TagReport:
    """Tag what is new or changed (or ``everything``, or the given bills)."""
    with writing(engine) as connection:
        classifier = _classifier(connection, tagger.version, now)
    with reading(engine) as connection:
        ids = list(bill_ids) if bill_ids is not None else _due(connection, classifier, everything)
    report = TagReport()
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        with reading(engine) as connection:
            readings = read_bills(connection, part)
        findings = list(tagger.tag(reading_.content for reading_ in readings))
        with writing(engine) as connection:
            _store(connection, readings, findings, classifier, now, report)
        if progress:
            progress(min(start + BATCH, len(ids)), len(ids))
    statistics.refresh(engine, ("tag", "tag_evidence"), report.gained)
    return report


def _classifier(connection: Connection, version: str, now: dt.datetime) -> int:
    found = connection.execute(select(ClassifierRow.id).where(ClassifierRow.version == version)).scalar()
    if found is not None:
        return int(found)
    playbook, model_hash, code_version = version.rsplit("/", 2)
    name, _, playbook_hash = playbook.rpartition("-")
    return int(
        connection.execute(
            insert(ClassifierRow)
            .values(
                version=version,
                first_used_at=now,
                playbook=name,
                playbook_hash=playbook_hash,
                model_hash=model_hash,
                code_version=code_version,
            )
            .returning(ClassifierRow.id)
        ).scalar_one()
    )


def _due(connection: Connection, classifier: int, everything: bool) -> list[int]:
    query = select(BillRow.id).order_by(BillRow.id)
    if not everything:
        query = query.where(
            or_(
                BillRow.tagged_at.is_(None),
                BillRow.last_changed_at > BillRow.tagged_at,
                BillRow.classifier_id != classifier,
            )
        )
    return list(connection.execute(query).scalars())


def read_bills(connection: Connection, ids: Sequence[int]) -> list[Reading]:
    """Bills in the classifier's terms: title, abstracts, subjects, and the newest readable text."""
    bills = connection.execute(
        select(BillRow.id, BillRow.jurisdiction, SessionRow.identifier, BillRow.identifier, BillRow.title)
        .join(SessionRow, SessionRow.id == BillRow.session_id)
        .where(BillRow.id.in_(ids))
        .order_by(BillRow.id)
    ).all()
    abstracts = read_abstracts(connection, ids)
    subjects = _by_bill(
        connection,
        select(SubjectRow.bill_id, SubjectRow.subject)
        .where(SubjectRow.bill_id.in_(ids), SubjectRow.removed_at.is_(None))
        .order_by(SubjectRow.bill_id, SubjectRow.id),
    )
    texts = read_texts(connection, ids)
    return [
        Reading(
            bill_id,
            texts[bill_id][0] if bill_id in texts else None,
            {
                "jurisdiction": jurisdiction,
                "session": session,
                "identifier": identifier,
                "title": title,
                "abstracts": abstracts.get(bill_id, []),
                "subjects": subjects.get(bill_id, []),
                "text": texts[bill_id][1] if bill_id in texts else "",
            },
        )
        for bill_id, jurisdiction, session, identifier, title in bills
    ]


def read_abstracts(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """The abstracts that these bills have now, in order; none for a bill without."""
    return _by_bill(
        connection,
        select(AbstractRow.bill_id, AbstractRow.abstract)
        .where(AbstractRow.bill_id.in_(ids), AbstractRow.removed_at.is_(None))
        .order_by(AbstractRow.bill_id, AbstractRow.ordinal),
    )


def _by_bill(connection: Connection, query: Select[int, str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for bill_id, words in connection.execute(query):
        found[bill_id].append(words)
    return dict(found)


def read_texts(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Number and words of the newest readable text of these bills; none for a bill without."""
    if not ids:
        return {}
    texts: dict[int, tuple[int, str]] = {}
    for bill_id, text_id, text in connection.execute(
        select(BillTextRow.bill_id, BillTextRow.id, BillTextRow.text)
        .join(VersionRow, VersionRow.id == BillTextRow.version_id)
        .where(BillTextRow.bill_id.in_(ids), BillTextRow.status == "ok", VersionRow.removed_at.is_(None))
        .order_by(BillTextRow.bill_id, VersionRow.date.nulls_first(), BillTextRow.id)
    ):
        texts[bill_id] = (text_id, text)
    return texts


def _store(
    connection: Connection,
    readings: Sequence[Reading],
    findings: Sequence[Mapping[str, Any]],
    classifier: int,
    now: dt.datetime,
    report: TagReport,
) -> None:
    ids = [reading_.bill_id for reading_ in readings]
    current = _current(connection, ids)
    seen_at = stamp(now)
    ended: list[int] = []
    begun: list[tuple[int, int | None, Mapping[str, Any]]] = []
    happened: list[Event] = []
    for reading_, finding in zip(readings, findings, strict=True):
        report.bills += 1
        report.in_scope += bool(finding["in_scope"]["value"])
        before = current.get(reading_.bill_id, {})
        for found in [{"strategy": IN_SCOPE, **finding["in_scope"], "evidence": []}, *finding["tags"]]:
            old = before.pop(found["strategy"], None)
            keep = found["value"] or found["score"] >= KEEP_SCORE
            if old is not None and keep and _same(old, found, classifier):
                continue
            if old is not None:
                ended.append(old["id"])
            if keep:
                begun.append((reading_.bill_id, reading_.text_id, found))
            happened += _gain_or_loss(reading_.bill_id, old, found, classifier, report)
        for strategy, old in before.items():
            # The playbook no longer has this strategy.
            ended.append(old["id"])
            gone = {"strategy": strategy, "value": False, "score": 0.0, "evidence": []}
            happened += _gain_or_loss(reading_.bill_id, old, gone, classifier, report)
    for start in range(0, len(ended), BATCH):
        part = ended[start : start + BATCH]
        connection.execute(update(TagRow).where(TagRow.id.in_(part)).values(removed_at=now))
    _insert(connection, begun, classifier, seen_at)
    connection.execute(update(BillRow).where(BillRow.id.in_(ids)).values(tagged_at=now, classifier_id=classifier))
    events.append(connection, happened, seen_at=seen_at, run_id=None)


def _current(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, dict[str, Any]]]:
    tags: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    by_id: dict[int, dict[str, Any]] = {}
    for row in connection.execute(select(table(TagRow)).where(TagRow.bill_id.in_(ids), TagRow.removed_at.is_(None))):
        by_id[row.id] = {**row._mapping, "evidence": []}
        tags[row.bill_id][row.strategy] = by_id[row.id]
    keys = list(by_id)
    for start in range(0, len(keys), BATCH):
        for row in connection.execute(
            select(table(TagEvidenceRow))
            .where(TagEvidenceRow.tag_id.in_(keys[start : start + BATCH]))
            .order_by(TagEvidenceRow.tag_id, TagEvidenceRow.ordinal)
        ):
            by_id[row.tag_id]["evidence"].append(
                {"field": row.field, "start": row.start_offset, "end": row.end_offset, "quote": row.quote}
            )
    return tags


def _same(old: Mapping[str, Any], found: Mapping[str, Any], classifier: int) -> bool:
    return bool(
        old["classifier_id"] == classifier
        and old["applied"] == found["value"]
        and abs(old["score"] - found["score"]) < 1e-9
        and old["evidence"] == [_evidence(e) for e in found.get("evidence") or ()]
    )


def _evidence(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("field", "start", "end", "quote")}


def _gain_or_loss(
    bill_id: int,
    old: Mapping[str, Any] | None,
    found: Mapping[str, Any],
    classifier: int,
    report: TagReport,
) -> list[Event]:
    had, has = bool(old and old["applied"]), bool(found["value"])
    if had == has or found["strategy"] == IN_SCOPE:
        return []
    cause = "classifier" if old is not None and old["classifier_id"] != classifier else "bill"
    if has:
        report.gained += 1
        after = {
            "strategy": found["strategy"],
            "score": found["score"],
            "evidence": [_evidence(e) for e in found["evidence"]],
            "cause": cause,
        }
        return [Event(bill_id, EventKind.TAG_GAINED, None, after)]
    report.lost += 1
    assert old is not None
    before = {"strategy": old["strategy"], "score": old["score"], "evidence": old["evidence"]}
    return [Event(bill_id, EventKind.TAG_LOST, before, {"score": found["score"], "cause": cause})]


def _insert(
    connection: Connection,
    begun: Sequence[tuple[int, int | None, Mapping[str, Any]]],
    classifier: int,
    seen_at: str,
) -> None:
    keys = reserve_ids(connection, table(TagRow), len(begun))
    tags: list[tuple[Any, ...]] = []
    evidence: list[tuple[Any, ...]] = []
    for key, (bill_id, text_id, found) in zip(keys, begun, strict=True):
        tags.append((key, bill_id, found["strategy"], found["score"], found["value"], classifier, text_id, seen_at))
        for place, quote in enumerate(found.get("evidence") or ()):
            evidence.append((key, place, quote["field"], quote["start"], quote["end"], quote["quote"]))
    insert_rows(
        connection,
        table(TagRow),
        ["id", "bill_id", "strategy", "score", "applied", "classifier_id", "bill_text_id", "first_seen_at"],
        tags,
    )
    insert_rows(
        connection,
        table(TagEvidenceRow),
        ["tag_id", "ordinal", "field", "start_offset", "end_offset", "quote"],
        evidence,
    )
