"""Checks that what is stored is whole, and says what to do where it is not.

Each check is a function that yields findings; none changes anything. What the database enforces itself
(keys, references) is asked of it; the rest are the promises of docs/architecture.md.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from tracker import jobs, leftovers, lost_runs, signs
from tracker.db import reading
from tracker.models.base import stamp
from tracker.models.bills import BillRow, BillTextRow
from tracker.models.tags import TagEvidenceRow, TagRow
from tracker.settings import Settings
from tracker.tagging import read_bills

PART = 500
RESTORE = "the database is damaged: stop everything and `billtracker restore` the last good copy with --replace"
STUCK = dt.timedelta(hours=24)
MIN_FREE_BYTES = 1 << 30
# After the days for which files are kept.
OVERDUE_DAYS = 14


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: how many, an example, and what to do."""

    check: str
    count: int
    example: str
    do: str


@dataclass(frozen=True)
class _Look:
    engine: Engine
    connection: Connection
    settings: Settings
    now: dt.datetime

    def count(self, sql: str, **values: str) -> tuple[int, str]:
        """Of a query for (number, example)."""
        row = self.connection.execute(text(sql), values).one()
        return int(row[0]), str(row[1] if row[1] is not None else "")


Check = Callable[[_Look], Iterator[Finding]]


def examine(engine: Engine, settings: Settings, *, now: dt.datetime) -> tuple[list[Finding], list[str]]:
    """Run every check on one snapshot of the database; returns findings and the names of all checks."""
    found: list[Finding] = []
    with reading(engine) as connection:
        look = _Look(engine, connection, settings, now)
        for check in CHECKS:
            try:
                found += check(look)
            except DBAPIError as error:
                # What is damaged cannot be read to its end, and PostgreSQL answers nothing after it.
                if not any(finding.check == "file" for finding in found):
                    found.append(unreadable(error))
                break
    return found, [check.__name__.strip("_") for check in CHECKS]


def unreadable(error: DBAPIError) -> Finding:
    """The finding for a database that cannot be read."""
    return Finding("file", 1, str(error.orig).strip().splitlines()[0][:200], RESTORE)


def _file(look: _Look) -> Iterator[Finding]:
    if look.engine.dialect.name != "sqlite":
        return
    state = look.connection.exec_driver_sql("PRAGMA quick_check(5)").scalars().all()
    if state != ["ok"]:
        yield Finding("file", len(state), state[0][:200], RESTORE)
    broken = look.connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(1000)
    if broken:
        yield Finding(
            "references",
            len(broken),
            f"{broken[0][0]} row {broken[0][1]}",
            "restore a backup, or ingest the bills anew",
        )


_EVENTS = {
    "events_without_bills": (
        "SELECT count(*), min(seq) FROM bill_event WHERE NOT EXISTS (SELECT 1 FROM bill WHERE bill.id = bill_id)",
        "rows were removed by hand: restore a backup",
    ),
    "bills_without_events": (
        "SELECT count(*), min(bill.ocd_id) FROM bill WHERE NOT EXISTS"
        " (SELECT 1 FROM bill_event WHERE bill_event.bill_id = bill.id AND kind = 'new_bill')",
        "no digest ever told of them: restore a backup from before, or report it as a bug",
    ),
    "readers_ahead_of_the_log": (
        "SELECT count(*), min(email) FROM subscriber WHERE last_seq > (SELECT coalesce(max(seq), 0) FROM bill_event)",
        "an older copy was restored under newer readers, who would miss news: UPDATE subscriber SET last_seq ="
        " (SELECT coalesce(max(seq), 0) FROM bill_event) WHERE last_seq > that number",
    ),
    "tags_without_evidence": (
        "SELECT count(*), min(bill_id) FROM tag WHERE applied AND removed_at IS NULL AND strategy <> 'in_scope'"
        " AND NOT EXISTS (SELECT 1 FROM tag_evidence WHERE tag_evidence.tag_id = tag.id)",
        "run `billtracker classify --all`",
    ),
}


def _log(look: _Look) -> Iterator[Finding]:
    for name, (sql, do) in _EVENTS.items():
        count, example = look.count(sql)
        if count:
            yield Finding(name, count, example, do)


def _quotes(look: _Look) -> Iterator[Finding]:
    """Every current quote against the words it was taken from; bills that wait to be tagged again are left out."""
    bad, example = 0, ""
    ids = (
        look.connection.execute(
            select(TagRow.bill_id)
            .join(BillRow, BillRow.id == TagRow.bill_id)
            .where(TagRow.applied, TagRow.removed_at.is_(None), BillRow.tagged_at >= BillRow.last_changed_at)
            .distinct()
            .order_by(TagRow.bill_id)
        )
        .scalars()
        .all()
    )
    for start in range(0, len(ids), PART):
        part = ids[start : start + PART]
        words = {reading_.bill_id: reading_.content for reading_ in read_bills(look.connection, part)}
        rows = look.connection.execute(
            select(TagRow.bill_id, TagEvidenceRow, BillTextRow.text)
            .join(TagEvidenceRow, TagEvidenceRow.tag_id == TagRow.id)
            .outerjoin(BillTextRow, BillTextRow.id == TagRow.bill_text_id)
            .where(TagRow.bill_id.in_(part), TagRow.removed_at.is_(None))
        )
        for row in rows:
            content = {**words.get(row.bill_id, {}), "text": row.text or ""}
            if _field(content, row.field)[row.start_offset : row.end_offset] != row.quote:
                bad, example = bad + 1, example or f"bill {row.bill_id}, {row.field}"
    if bad:
        yield Finding("quotes", bad, example, "run `billtracker classify --all`; readers must not see a wrong quote")


def _field(content: dict[str, object], name: str) -> str:
    kind, _, place = name.partition(":")
    value = content.get({"abstract": "abstracts", "subject": "subjects"}.get(kind, kind), "")
    if isinstance(value, list):
        value = value[int(place or 0)] if int(place or 0) < len(value) else ""
    return str(value or "")


_VIEWS = {
    "v_bills": "SELECT count(*) FROM bill",
    "v_actions": "SELECT count(*) FROM action WHERE removed_at IS NULL",
    "v_changes": "SELECT count(*) FROM bill_event",
    "v_hearings": "SELECT count(*) FROM hearing WHERE removed_at IS NULL",
    "v_sponsors": "SELECT count(*) FROM sponsorship WHERE removed_at IS NULL",
    "v_texts": "SELECT count(*) FROM bill_text",
    "v_freshness": "SELECT count(*) FROM jurisdiction",
}


def _views(look: _Look) -> Iterator[Finding]:
    for view, sql in _VIEWS.items():
        seen = look.connection.execute(text(f"SELECT count(*) FROM {view}")).scalar_one()
        there = look.connection.execute(text(sql)).scalar_one()
        if seen != there:
            yield Finding(
                "views",
                abs(seen - there),
                f"{view} shows {seen:,} of {there:,} rows",
                "report it: mail, page and SQL differ",
            )


def _runs(look: _Look) -> Iterator[Finding]:
    lost = lost_runs.find(look.engine, look.now)
    if lost:
        yield Finding(
            "runs",
            len(lost),
            f"run {min(lost)} of {lost[min(lost)]}",
            "their process was killed: `billtracker clean` closes them, the next crawl does it again",
        )


def _deliveries(look: _Look) -> Iterator[Finding]:
    old = stamp(look.now - STUCK)
    count, example = look.count(
        "SELECT count(*), min(last_error) FROM delivery WHERE state IN ('planned', 'sending', 'deferred')"
        " AND planned_at < :old",
        old=old,
    )
    if count:
        yield Finding(
            "deliveries",
            count,
            example,
            "run `billtracker digest send --due`; if the error stays, look at the mail server",
        )
    count, example = look.count("SELECT count(*), min(message_id) FROM delivery WHERE state = 'unknown'")
    if count:
        yield Finding("deliveries_unknown", count, example, "the mail server's log knows whether they went out; ask it")


def _clock(look: _Look) -> Iterator[Finding]:
    beat = signs.last(look.engine)
    if beat is not None and signs.is_silent(beat, look.now):
        yield Finding("clock", 1, f"last seen {stamp(beat.seen_at)}", "start `billtracker schedule` again")
    failed = [run for run in jobs.latest(look.engine).values() if run.status in (jobs.FAILED, jobs.LOST)]
    if failed:
        yield Finding(
            "jobs", len(failed), f"{failed[0].job}: {failed[0].message}"[:200], "see `billtracker schedule list`"
        )


def _sequences(look: _Look) -> Iterator[Finding]:
    """PostgreSQL's counters behind the keys they give out: the next row would be refused."""
    if look.engine.dialect.name != "postgresql":
        return
    owned = look.connection.execute(
        text(
            "SELECT t.relname, a.attname, s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid"
            " JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"
            " WHERE s.relkind = 'S' AND n.nspname = 'public' AND t.relname NOT LIKE 'procrast%'"
        )
    ).all()
    for table, column, sequence in owned:
        last, called = look.connection.execute(text(f'SELECT last_value, is_called FROM "{sequence}"')).one()
        newest = look.connection.execute(text(f'SELECT max("{column}") FROM "{table}"')).scalar() or 0
        if newest > (last if called else last - 1):
            fix = f"SELECT setval('{sequence}', (SELECT max({column}) FROM {table}))"
            yield Finding("sequences", newest - last, f"{table}.{column}", f"as the owner: {fix}")


def _files(look: _Look) -> Iterator[Finding]:
    """Files that the nightly cleaning should have taken: it has not run since."""
    for kind in leftovers.kinds(look.settings):
        left = kind.surplus(look.now - dt.timedelta(days=OVERDUE_DAYS)) if kind.days else []
        if left:
            size = sum(file.stat().st_size for file in left) >> 20
            yield Finding(
                kind.name.replace(" ", "_"),
                len(left),
                f"{left[0].name}, {size} MiB in all",
                f"{kind.bound} are kept: run `billtracker clean`, and see in `schedule list` why the clock does not",
            )


def _place(look: _Look) -> Iterator[Finding]:
    home = look.settings.home
    if not home.exists():
        return
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        yield Finding(
            "disk",
            free >> 20,
            f"{free >> 20} MiB free at {home}",
            "make room: `billtracker clean --dry-run` says what there is and how much of it is kept",
        )
    key = home / "secret-key"
    if key.exists() and key.stat().st_mode & 0o077:
        yield Finding("secret_key", 1, str(key), f"others can read it: chmod 600 {key}")


CHECKS: tuple[Check, ...] = (
    _file, _log, _quotes, _views, _runs, _deliveries, _clock, _sequences, _files, _place
)  # fmt: skip
