"""One unchanging view of the database for a whole planning run, read once for all readers.

Every digest of a run speaks of the same moment: the event log up to ``to_seq``. What several readers need (a
bill's tags, its quotes, its changed words) is read and worked out once.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy import func as sql

from alerts import ahead, matches
from alerts.amended import Amendment, amendment
from alerts.subscriptions import Reader
from tracker import events, freshness, jurisdictions, playbook
from tracker.db import reading
from tracker.events import EventKind
from tracker.models.bills import (
    BillEventRow,
    BillRow,
    BillTextRow,
    HearingRow,
    RelatedBillRow,
    SessionRow,
    VersionLinkRow,
    VersionRow,
)
from tracker.models.tags import ClassifierRow, TagEvidenceRow, TagRow
from tracker.playbook import Playbook
from tracker.search_index import catch_up
from tracker.tagging import IN_SCOPE
from tracker.vocabulary import Stage

CATCH_UP = dt.timedelta(days=14)
HEARINGS_AHEAD = dt.timedelta(days=7)
_PART = 500
_COLUMNS = (
    "id",
    "jurisdiction",
    "identifier",
    "title",
    "stage",
    "stage_date",
    "first_action_date",
    "latest_action",
    "latest_action_date",
    "url",
    "first_seen_at",
)


@dataclass(frozen=True)
class Quote:
    """A bill's own words, as they stand at their place in the stored field."""

    text: str
    source: str


@dataclass(frozen=True)
class Tag:
    """A strategy on a bill, with the words that show it."""

    strategy: str
    score: float
    quote: Quote | None = None


@dataclass
class Facts:
    """A bill as it stands, the same for every reader."""

    row: Any
    tags: list[Tag] = field(default_factory=list)
    hearings: list[Any] = field(default_factory=list)
    companions: list[int] = field(default_factory=list)
    text_url: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Jurisdiction, session, identifier."""
        return self.row.jurisdiction, self.row.session, self.row.identifier


@dataclass(frozen=True)
class Span:
    """What the log says after one place. Counts are by jurisdiction; ``old`` is left out for its age."""

    log: dict[int, list[Any]]
    events: dict[str, int]
    bills: dict[str, int]
    old: dict[str, int]
    unreadable: dict[str, int]


class Snapshot:
    """What all digests of a run are made from. Made by :func:`take`."""

    def __init__(self, engine: Engine, connection: Connection, readers: Sequence[Reader], now: dt.datetime) -> None:
        self.engine, self.connection, self.now = engine, connection, now
        self.to_seq = events.last_seq(connection)
        self._spans: dict[int, Span] = {}
        self._facts: dict[int, Facts] = {}
        self._amendments: dict[tuple[int, int], Amendment | None] = {}
        self.index = matches.Index(connection, readers)

    @cached_property
    def survey(self) -> list[dict[str, Any]]:
        """How fresh each jurisdiction is."""
        return freshness.survey(self.engine, now=self.now)

    @cached_property
    def book(self) -> Playbook:
        """The playbook in use."""
        return playbook.load()

    @cached_property
    def versions(self) -> dict[str, str]:
        """Which classifier's tags these are."""
        newest = self.connection.execute(
            select(ClassifierRow.version).order_by(ClassifierRow.first_used_at.desc(), ClassifierRow.id.desc()).limit(1)
        ).scalar()
        return {"classifier": newest or ""}

    @cached_property
    def hearings(self) -> dict[int, list[Any]]:
        """Hearings from today on for a week, by the calendar of each legislature."""
        today = self.now.date()
        query = (
            select(HearingRow, BillRow.jurisdiction)
            .join(BillRow, BillRow.id == HearingRow.bill_id)
            .where(
                HearingRow.removed_at.is_(None),
                HearingRow.status.not_in(("cancelled", "passed")),
                HearingRow.date >= today - dt.timedelta(days=1),
                HearingRow.date <= today + HEARINGS_AHEAD + dt.timedelta(days=1),
            )
            .order_by(HearingRow.date, HearingRow.time, HearingRow.id)
        )
        places = jurisdictions.load()
        found: dict[int, list[Any]] = defaultdict(list)
        for row in self.connection.execute(query):
            there = self.now.astimezone(places[row.jurisdiction].zone).date()
            if there <= row.date <= there + HEARINGS_AHEAD:
                found[row.bill_id].append(row)
        return dict(found)

    @cached_property
    def waiting(self) -> dict[tuple[str, str], list[int]]:
        """Tagged bills that wait for the executive, by jurisdiction and session, where the last day is near."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for code, session in ahead.signing(self.now):
            rows = self.connection.execute(
                select(BillRow.id)
                .join(SessionRow, SessionRow.id == BillRow.session_id)
                .where(
                    SessionRow.jurisdiction == code,
                    SessionRow.identifier == session,
                    BillRow.stage.in_((Stage.PASSED_LEGISLATURE, Stage.SENT_TO_EXECUTIVE)),
                    BillRow.vanished_at.is_(None),
                    BillRow.id.in_(_tagged()),
                )
            )
            found[code, session] = list(rows.scalars())
        return dict(found)

    def span(self, from_seq: int) -> Span:
        """What happened after ``from_seq``, up to this snapshot and at most two weeks back."""
        found = self._spans.get(from_seq)
        if found is None:
            found = self._spans[from_seq] = self._read_span(from_seq)
        return found

    def _read_span(self, from_seq: int) -> Span:
        since = self.now - CATCH_UP
        new = (BillEventRow.seq > from_seq, BillEventRow.seq <= self.to_seq)
        young = (*new, BillEventRow.seen_at >= since)
        counts = self._by_place(sql.count(), young)
        bills = self._by_place(sql.count(BillEventRow.bill_id.distinct()), young)
        old = self._by_place(sql.count(), (*new, BillEventRow.seen_at < since))
        readable = select(BillTextRow.bill_id).where(BillTextRow.status == "ok")
        unreadable = self._by_place(
            sql.count(BillEventRow.bill_id.distinct()), (*young, BillEventRow.bill_id.not_in(readable))
        )
        lost = select(BillEventRow.bill_id).where(*young, BillEventRow.kind == EventKind.TAG_LOST)
        wanted = BillEventRow.bill_id.in_(_tagged().union(lost))
        log: dict[int, list[Any]] = defaultdict(list)
        for row in self.connection.execute(select(BillEventRow).where(*young, wanted).order_by(BillEventRow.seq)):
            log[row.bill_id].append(row)
        others = self.index.bills(self.connection, from_seq, self.to_seq) - set(log)
        for part in parts(sorted(others)):
            query = select(BillEventRow).where(*young, BillEventRow.bill_id.in_(part)).order_by(BillEventRow.seq)
            for row in self.connection.execute(query):
                log[row.bill_id].append(row)
        return Span(dict(log), counts, bills, old, unreadable)

    def _by_place(self, counted: Any, where: Iterable[Any]) -> dict[str, int]:
        rows = self.connection.execute(
            select(BillRow.jurisdiction, counted)
            .select_from(BillEventRow)
            .join(BillRow, BillRow.id == BillEventRow.bill_id)
            .where(*where)
            .group_by(BillRow.jurisdiction)
        )
        return {code: number for code, number in rows}

    def facts(self, ids: Iterable[int]) -> dict[int, Facts]:
        """The bills of these ids, each read once in a run."""
        wanted = set(ids)
        missing = sorted(wanted - set(self._facts))
        for part in parts(missing):
            self._read_facts(part)
        return {bill: self._facts[bill] for bill in wanted if bill in self._facts}

    def _read_facts(self, ids: Sequence[int]) -> None:
        rows = self.connection.execute(
            select(*(getattr(BillRow, name) for name in _COLUMNS), SessionRow.identifier.label("session"))
            .join(SessionRow, SessionRow.id == BillRow.session_id)
            .where(BillRow.id.in_(ids))
        )
        for row in rows:
            self._facts[row.id] = Facts(row, hearings=self.hearings.get(row.id, []))
        self._read_tags(ids)
        self._read_companions(ids)
        links = self.connection.execute(
            select(VersionRow.bill_id, VersionLinkRow.url)
            .join(VersionRow, VersionRow.id == VersionLinkRow.version_id)
            .where(VersionRow.bill_id.in_(ids), VersionRow.removed_at.is_(None))
            .order_by(VersionRow.date.nulls_first(), VersionRow.id, VersionLinkRow.id.desc())
        )
        for bill, url in links:
            self._facts[bill].text_url = url

    def _read_tags(self, ids: Sequence[int]) -> None:
        rows = self.connection.execute(
            select(TagRow.id, TagRow.bill_id, TagRow.strategy, TagRow.score, TagRow.bill_text_id)
            .where(
                TagRow.bill_id.in_(ids),
                TagRow.removed_at.is_(None),
                TagRow.applied.is_(True),
                TagRow.strategy != IN_SCOPE,
            )
            .order_by(TagRow.score.desc(), TagRow.strategy)
        ).all()
        quotes = self._quotes({row.id: row for row in rows})
        for row in rows:
            self._facts[row.bill_id].tags.append(Tag(row.strategy, row.score, quotes.get(row.id)))

    def _quotes(self, tags: dict[int, Any]) -> dict[int, Quote]:
        """The first evidence of each tag whose words still stand at their place; text before summary and title."""
        found: dict[int, Quote] = {}
        abstracts = matches.abstracts(self.connection, {row.bill_id for row in tags.values()})
        for part in parts(sorted(tags)):
            evidence = self.connection.execute(
                select(
                    TagEvidenceRow.tag_id,
                    TagEvidenceRow.field,
                    TagEvidenceRow.start.label("start"),
                    TagEvidenceRow.end.label("end"),
                    TagEvidenceRow.quote,
                    VersionRow.note,
                    sql.substr(
                        BillTextRow.text, TagEvidenceRow.start + 1, TagEvidenceRow.end - TagEvidenceRow.start
                    ).label("there"),
                )
                .join(TagRow, TagRow.id == TagEvidenceRow.tag_id)
                .outerjoin(BillTextRow, (BillTextRow.id == TagRow.bill_text_id) & (TagEvidenceRow.field == "text"))
                .outerjoin(VersionRow, VersionRow.id == BillTextRow.version_id)
                .where(TagEvidenceRow.tag_id.in_(part))
                .order_by(TagEvidenceRow.tag_id, TagEvidenceRow.ordinal)
            )
            for row in evidence:
                if row.tag_id in found:
                    continue
                bill = tags[row.tag_id].bill_id
                stored = {"title": self._facts[bill].row.title, "text": row.there}.get(row.field)
                if stored is not None and row.field == "title":
                    stored = stored[row.start : row.end]
                elif stored is None:
                    stored = abstracts.get((bill, row.field), "")[row.start : row.end]
                if stored == row.quote:
                    found[row.tag_id] = Quote(row.quote, _source(row.field, row.note))
        return found

    def _read_companions(self, ids: Sequence[int]) -> None:
        other, home = BillRow.__table__.alias("other"), SessionRow.__table__.alias("home")
        rows = self.connection.execute(
            select(RelatedBillRow.bill_id, other.c.id)
            .join(BillRow, BillRow.id == RelatedBillRow.bill_id)
            .join(SessionRow, SessionRow.id == BillRow.session_id)
            .join(
                home,
                (home.c.jurisdiction == BillRow.jurisdiction)
                & (
                    (home.c.identifier == RelatedBillRow.legislative_session)
                    | ((RelatedBillRow.legislative_session == "") & (home.c.id == SessionRow.id))
                ),
            )
            .join(other, (other.c.session_id == home.c.id) & (other.c.identifier == RelatedBillRow.identifier))
            .where(
                RelatedBillRow.bill_id.in_(ids),
                RelatedBillRow.removed_at.is_(None),
                RelatedBillRow.relation_type == "companion",
                other.c.id != RelatedBillRow.bill_id,
            )
            .order_by(RelatedBillRow.bill_id, other.c.id)
        )
        for bill, companion in rows:
            self._facts[bill].companions.append(companion)

    def amendment(self, bill: int, log: Sequence[Any]) -> Amendment | None:
        """The changed words between a bill's two newest texts, where the newest came with these events."""
        key = bill, log[0].seq
        if key not in self._amendments:
            self._amendments[key] = amendment(self.connection, bill, log)
        return self._amendments[key]


@contextmanager
def take(engine: Engine, readers: Sequence[Reader], *, now: dt.datetime) -> Iterator[Snapshot]:
    """A snapshot for these readers; brings the search index up to date first where one of them searches."""
    if any(reader.searches or reader.sponsors for reader in readers):
        catch_up(engine)
    with reading(engine) as connection:
        yield Snapshot(engine, connection, readers, now)


def parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Slices that fit into one query."""
    for start in range(0, len(ids), _PART):
        yield ids[start : start + _PART]


def _tagged() -> Any:
    return select(TagRow.bill_id).where(
        TagRow.removed_at.is_(None), TagRow.applied.is_(True), TagRow.strategy != IN_SCOPE
    )


def _source(name: str, note: str | None) -> str:
    if name == "text":
        return f"text, {note}" if note else "text"
    return "title" if name == "title" else "summary"
