"""Brings stored bills up to what their source shows now, and tells what happened.

Each part of a bill (title, actions, sponsors …) is compared on its own. A row that its source no longer
shows gets ``removed_at``; corrections that are no news (order, spelling of a class, a link) are written
without an event.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, select, update

from tracker import changes, events, jurisdictions
from tracker.bill_tables import Children, Outcome, table
from tracker.db import insert_rows
from tracker.events import Event, EventKind
from tracker.models.base import stamp
from tracker.models.bills import (
    AbstractRow,
    ActionRow,
    BillRow,
    HearingRow,
    RelatedBillRow,
    SponsorshipRow,
    SubjectRow,
    VersionLinkRow,
    VersionRow,
)
from tracker.new_bill import action_values, hearing_values
from tracker.records import BillRecord
from tracker.standing import Standing, standing

# An action is posted late when its date lies this many days before the day we first saw it.
LATE_DAYS = 3
_CHILDREN = (AbstractRow, SubjectRow, ActionRow, SponsorshipRow, VersionRow, RelatedBillRow, HearingRow)


def update_bills(
    connection: Connection,
    known: Sequence[tuple[bytes, BillRecord, Any]],
    *,
    now: dt.datetime,
    run_id: int,
    outcome: Outcome,
) -> None:
    """Compare records with their stored rows, write what moved and append the events."""
    ids = [row.id for _, _, row in known]
    stored = {model: _current(connection, model, ids) for model in _CHILDREN}
    links = _links(connection, [row.id for rows in stored[VersionRow].values() for row in rows])
    writer = _Writer(stamp(now), now)
    for digest, record, row in known:
        record.actions = changes.with_unlisted(record, stored[ActionRow][row.id])
        state = standing(record, outcome.unknown_actions)
        update_ = _BillUpdate(row, record, state, writer, {m: stored[m][row.id] for m in _CHILDREN}, links)
        happened = update_.compare()
        writer.events.extend(happened)
        writer.bill(row, digest, record, state, changed=bool(happened))
        outcome.ids.append(row.id)
        outcome.newest_action = max(outcome.newest_action, state.latest or "")
        if happened:
            outcome.changed += 1
        else:
            outcome.unchanged += 1
    writer.write(connection, run_id)
    outcome.events += len(writer.events)


def _current(connection: Connection, model: Any, ids: Sequence[int]) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    columns = table(model)
    query = (
        select(columns)
        .where(columns.c.bill_id.in_(ids), columns.c.removed_at.is_(None))
        .order_by(columns.c.bill_id, columns.c.id)
    )
    for row in connection.execute(query):
        rows[row.bill_id].append(row)
    return rows


def _links(connection: Connection, versions: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for start in range(0, len(versions), 500):
        query = select(VersionLinkRow.version_id, VersionLinkRow.url, VersionLinkRow.media_type).where(
            VersionLinkRow.version_id.in_(versions[start : start + 500])
        )
        for row in connection.execute(query):
            found[row.version_id].add((row.url, row.media_type))
    return found


class _Writer:
    """Everything a batch of updates will write, put down at the end in few statements."""

    def __init__(self, seen_at: str, now: dt.datetime) -> None:
        self.seen_at = seen_at
        self.now = now
        self.children = Children(seen_at)
        self.events: list[Event] = []
        self.removed: dict[Any, list[int]] = defaultdict(list)
        self.changed: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        self.links: list[tuple[int, str, str]] = []
        self.bills: list[dict[str, Any]] = []

    def bill(self, row: Any, digest: bytes, record: BillRecord, state: Standing, *, changed: bool) -> None:
        self.bills.append(
            {
                "b_id": row.id,
                "title": record.title,
                "chamber": record.chamber,
                "classification": record.classification,
                "stage": state.stage,
                "stage_date": _date(state.stage_date),
                "first_action_date": _date(state.first),
                "latest_action_date": _date(state.latest),
                "latest_action": state.latest_text,
                "url": record.sources[0].url if record.sources else "",
                "sources": [s.model_dump() for s in record.sources],
                "documents": [d.model_dump() for d in record.documents],
                "extras": record.extras,
                "record_hash": digest,
                "last_changed_at": self.now if changed else row.last_changed_at,
                "last_seen_at": self.now,
                "vanished_at": None,
                "missing_runs": 0,
            }
        )

    def write(self, connection: Connection, run_id: int) -> None:
        for model, ids in self.removed.items():
            rows = table(model)
            for start in range(0, len(ids), 500):
                part = ids[start : start + 500]
                connection.execute(update(rows).where(rows.c.id.in_(part)).values(removed_at=self.now))
        for model, values in self.changed.items():
            rows = table(model)
            names = [name for name in values[0] if name != "row_id"]
            connection.execute(
                update(rows)
                .where(rows.c.id == bindparam("row_id"))
                .values({name: bindparam(f"new_{name}") for name in names}),
                [{"row_id": v["row_id"], **{f"new_{n}": v[n] for n in names}} for v in values],
            )
        self.children.write(connection)
        insert_rows(connection, table(VersionLinkRow), ["version_id", "url", "media_type"], self.links)
        bills = table(BillRow)
        connection.execute(
            update(bills)
            .where(bills.c.id == bindparam("b_id"))
            .values({name: bindparam(name) for name in self.bills[0] if name != "b_id"}),
            self.bills,
        )
        events.append(connection, self.events, seen_at=self.seen_at, run_id=run_id)


class _BillUpdate:
    def __init__(
        self,
        row: Any,
        record: BillRecord,
        state: Standing,
        writer: _Writer,
        stored: dict[Any, list[Any]],
        links: dict[int, set[tuple[str, str]]],
    ) -> None:
        self.row, self.record, self.state, self.writer = row, record, state, writer
        self.stored, self.links = stored, links
        self.id: int = row.id
        self.happened: list[Event] = []

    def compare(self) -> list[Event]:
        """Queue the writes; return the events in the order a reader wants them."""
        if self.row.vanished_at is not None:
            self._event(EventKind.RETURNED)
        self._title()
        self._actions()
        if self.state.stage != self.row.stage:
            self._event(
                EventKind.STAGE,
                {"stage": self.row.stage},
                {"stage": self.state.stage, "date": self.state.stage_date},
                self.state.stage_date,
            )
        self._sponsorships()
        self._versions()
        self._abstracts()
        self._subjects()
        self._related()
        self._hearings()
        return self.happened

    def _event(self, kind: EventKind, before: Any = None, after: Any = None, on: str | None = None) -> None:
        self.happened.append(Event(self.id, kind, before, after, on or None))

    def _remove(self, model: Any, rows: Sequence[Any]) -> None:
        if rows:
            self.writer.removed[model].extend(row.id for row in rows)

    def _title(self) -> None:
        if self.record.title != self.row.title:
            self.writer.children.add("bill_title", self.id, self.record.title)
            self._event(EventKind.TITLE, {"title": self.row.title}, {"title": self.record.title})

    def _actions(self) -> None:
        def key(row: Any) -> Hashable:
            return row.date.isoformat(), changes.fold(row.description)

        found = changes.compare(self.stored[ActionRow], self.record.actions, key, changes.action_key)
        today = self.writer.now.astimezone(
            ZoneInfo(jurisdictions.load().get(self.record.jurisdiction).time_zone)
        ).date()
        for place, action in found.added:
            late = (today - dt.date.fromisoformat(action.date)).days > LATE_DAYS
            classes = self.state.classes[place]
            self.writer.children.add("action", self.id, *action_values(place, action, classes, late=late))
            self._event(
                EventKind.ACTION,
                None,
                {
                    "date": action.date,
                    "description": action.description,
                    "chamber": action.chamber,
                    "classification": classes,
                    "late": late,
                },
                action.date,
            )
        for row, place, action in found.kept:
            classes = self.state.classes[place]
            if (row.ordinal, row.chamber, row.classification) != (place, action.chamber, classes):
                self.writer.changed[ActionRow].append(
                    {"row_id": row.id, "ordinal": place, "chamber": action.chamber, "classification": classes}
                )
        self._remove(ActionRow, found.removed)
        for row in found.removed:
            self._event(
                EventKind.ACTION_REMOVED,
                {"date": row.date.isoformat(), "description": row.description, "chamber": row.chamber},
                None,
                row.date.isoformat(),
            )

    def _sponsorships(self) -> None:
        found = changes.compare(
            self.stored[SponsorshipRow],
            self.record.sponsorships,
            lambda row: (changes.fold(row.name), row.classification, row.is_primary),
            lambda sponsor: (changes.fold(sponsor.name), sponsor.classification, sponsor.primary),
        )
        for place, sponsor in found.added:
            self.writer.children.add(
                "sponsorship",
                self.id,
                place,
                sponsor.name,
                sponsor.classification,
                sponsor.primary,
                sponsor.entity_type,
            )
            self._event(EventKind.SPONSOR_ADDED, None, sponsor.model_dump(exclude={"entity_type"}))
        self._remove(SponsorshipRow, found.removed)
        for row in found.removed:
            self._event(
                EventKind.SPONSOR_REMOVED,
                {"name": row.name, "classification": row.classification, "primary": row.is_primary},
            )

    def _versions(self) -> None:
        def key(row: Any) -> Hashable:
            return changes.fold(row.note), row.date.isoformat() if row.date else ""

        found = changes.compare(self.stored[VersionRow], self.record.versions, key, changes.version_key)
        for place, version in found.added:
            links = [(link.url, link.media_type) for link in version.links]
            self.writer.children.add_version(self.id, (place, version.note, version.date or None), links)
            self._event(EventKind.VERSION, None, version.model_dump(), version.date)
        for row, _place, version in found.kept:
            have = self.links.get(row.id, set())
            for link in version.links:
                if (link.url, link.media_type) not in have:
                    self.writer.links.append((row.id, link.url, link.media_type))
        self._remove(VersionRow, found.removed)
        for row in found.removed:
            self._event(
                EventKind.VERSION_REMOVED,
                {"note": row.note, "date": row.date.isoformat() if row.date else ""},
            )

    def _abstracts(self) -> None:
        found = changes.compare(
            self.stored[AbstractRow],
            self.record.abstracts,
            lambda row: (row.abstract, row.note),
            lambda abstract: (abstract.abstract, abstract.note),
        )
        for place, abstract in found.added:
            self.writer.children.add("bill_abstract", self.id, place, abstract.abstract, abstract.note)
        for row, place, _abstract in found.kept:
            if row.ordinal != place:
                self.writer.changed[AbstractRow].append({"row_id": row.id, "ordinal": place})
        self._remove(AbstractRow, found.removed)
        if found.added or found.removed:
            self._event(
                EventKind.ABSTRACT,
                [{"abstract": r.abstract, "note": r.note} for r in found.removed],
                [abstract.model_dump() for _, abstract in found.added],
            )

    def _subjects(self) -> None:
        shown = list(dict.fromkeys(self.record.subject))
        found = changes.compare(self.stored[SubjectRow], shown, lambda row: row.subject, lambda subject: subject)
        for _place, subject in found.added:
            self.writer.children.add("bill_subject", self.id, subject)
        self._remove(SubjectRow, found.removed)
        if found.added or found.removed:
            self._event(EventKind.SUBJECT, [r.subject for r in found.removed], [subject for _, subject in found.added])

    def _related(self) -> None:
        found = changes.compare(
            self.stored[RelatedBillRow],
            self.record.related_bills,
            lambda row: (row.identifier, row.legislative_session, row.relation_type),
            lambda related: (related.identifier, related.legislative_session, related.relation_type),
        )
        for _place, related in found.added:
            self.writer.children.add(
                "related_bill",
                self.id,
                related.identifier,
                related.legislative_session,
                related.relation_type,
            )
            self._event(EventKind.RELATED_BILL, None, related.model_dump())
        self._remove(RelatedBillRow, found.removed)

    def _hearings(self) -> None:
        def key(row: Any) -> Hashable:
            return changes.fold(row.committee), row.date.isoformat()

        found = changes.compare(self.stored[HearingRow], self.record.hearings, key, changes.hearing_key)
        moved = changes.pair_moved_hearings(found.removed, found.added, lambda row: row.committee)
        for row, _place, hearing in [*found.kept, *moved]:
            before, after = _shown(row), hearing_values(hearing)
            if before != after:
                names = ("date", "time", "timezone", "committee", "location", "status", "url")
                values = dict(zip(names, after, strict=True))
                self.writer.changed[HearingRow].append({"row_id": row.id, **values, "date": _date(hearing.date)})
                if before[:-1] != after[:-1]:
                    self._event(
                        EventKind.HEARING_CHANGED,
                        dict(zip(names, before, strict=True)),
                        values,
                        hearing.date,
                    )
        for _place, hearing in found.added:
            self.writer.children.add("hearing", self.id, *hearing_values(hearing))
            self._event(EventKind.HEARING, None, hearing.model_dump(), hearing.date)
        # Sites drop hearings once they are over; only one still to come that disappears is news.
        yesterday = (self.writer.now - dt.timedelta(days=1)).date()
        coming = [row for row in found.removed if row.date > yesterday]
        self._remove(HearingRow, coming)
        for row in coming:
            self._event(
                EventKind.HEARING_REMOVED,
                {"date": row.date.isoformat(), "time": row.time, "committee": row.committee},
                None,
                row.date.isoformat(),
            )


def _shown(row: Any) -> tuple[Any, ...]:
    return row.date.isoformat(), row.time, row.timezone, row.committee, row.location, row.status, row.url


def _date(value: str | None) -> dt.date | None:
    return dt.date.fromisoformat(value) if value else None
