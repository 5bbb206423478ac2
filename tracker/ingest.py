"""Loads bills into the database: what is new or changed becomes rows and events, the rest costs a look-up.

Loading the same thing twice changes nothing. One bad record is counted with its reason and never loses the
rest. Bills are written in batches, each in one transaction, so that a killed load resumes by being started
again. A bill's children are compared with what is stored (:mod:`tracker.changes`), never replaced.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, Engine, select

from tracker import bill_rows, lost_runs, runs, statistics
from tracker.db import writing
from tracker.known_bills import KnownBills
from tracker.loads import Counts, Report, Run
from tracker.models.bills import BillRow, SessionRow
from tracker.new_bill import NewBill, Raw, digest_of
from tracker.preparation import Batch, prepared
from tracker.records import RecordError

__all__ = ["Counts", "Report", "Run", "ingest"]

BATCH = 2_000
# What questions join or filter by, the bills first.
_ASKED = ("bill", "action", "sponsorship", "version", "version_link", "bill_title", "bill_event", "session")
MAX_REJECTED_SHOWN = 1_000


def ingest(
    engine: Engine,
    records: Iterable[Raw | RecordError],
    run: Run,
    *,
    now: dt.datetime,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Load records, in their order. ``now`` is when we saw them. Returns what became of them.

    Raises nothing for bad records; database errors pass through with everything before the batch kept.
    """
    lost_runs.close(engine, now)
    with lost_runs.under_way(engine) as runner:
        load = _Load(engine, run, KnownBills(engine), now, runner)
        load.all(records, progress)
    statistics.refresh(engine, _ASKED, load.report.total("new") + load.report.total("changed"))
    return load.report


@dataclass
class _Load:
    engine: Engine
    run: Run
    known: KnownBills
    now: dt.datetime
    runner: str
    report: Report = field(default_factory=Report)
    seen: set[int] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)

    def all(self, records: Iterable[Raw | RecordError], progress: Callable[[int], None] | None) -> None:
        """Load the records and close the runs' rows, whatever happens."""
        done = 0
        # Records are trees of small objects without cycles: the collector's frequent passes only cost time.
        thresholds = gc.get_threshold()
        gc.set_threshold(200_000, 50, 50)
        try:
            for batch, bills in prepared(self.batches(records)):
                self.store(batch, bills)
                done += batch.size
                if progress:
                    progress(done)
        except BaseException as error:
            self.close(failed=f"{type(error).__name__}: {error}"[:500])
            raise
        finally:
            gc.set_threshold(*thresholds)
        self.present()
        self.close()

    def batches(self, records: Iterable[Raw | RecordError]) -> Iterator[Batch]:
        """The records in batches, those that we have byte for byte told from the others."""
        source = iter(records)
        while raws := list(islice(source, BATCH)):
            batch = Batch(size=len(raws))
            for raw in raws:
                if isinstance(raw, RecordError):
                    batch.rejected.append(raw)
                    continue
                digest = digest_of(raw)
                hit = self.known.find(digest, raw)
                if hit:
                    batch.known.append(hit)
                else:
                    batch.fresh.append((digest, raw))
            yield batch

    def store(self, batch: Batch, bills: list[NewBill | RecordError]) -> None:
        """Write one batch, in one transaction."""
        unchanged = self._unchanged(batch)
        rejected = list(batch.rejected)
        fresh: dict[str, list[NewBill]] = {}
        for bill in bills:
            if isinstance(bill, RecordError):
                rejected.append(bill)
            elif bill.key in self.keys:
                # Two rows of one bill in one load: the first holds, or a second load would flip it back.
                self.report.of(bill.jurisdiction).duplicates += 1
            else:
                self.keys.add(bill.key)
                fresh.setdefault(bill.jurisdiction, []).append(bill)
        self._reject(rejected)
        with writing(self.engine) as connection:
            for code in {c for _, c in batch.known} | set(fresh) | {e.jurisdiction for e in rejected}:
                self._run_id(connection, code)
            if rejected:
                runs.note_rejected(connection, self.report.run_ids, rejected, self.now)
            bill_rows.touch(connection, unchanged, self.now)
            for code, group in fresh.items():
                self._store(connection, code, group)

    def _unchanged(self, batch: Batch) -> list[int]:
        ids = []
        for bill, code in batch.known:
            counts = self.report.of(code)
            if bill in self.seen:
                counts.duplicates += 1
                continue
            self.seen.add(bill)
            ids.append(bill)
            counts.bills += 1
            counts.unchanged += 1
        return ids

    def _store(self, connection: Connection, code: str, bills: list[NewBill]) -> None:
        outcome = bill_rows.store(
            connection, bills, now=self.now, run_id=self.report.run_ids[code], already_seen=self.seen
        )
        counts = self.report.of(code)
        counts.bills += outcome.new + outcome.changed + outcome.unchanged
        counts.new += outcome.new
        counts.changed += outcome.changed
        counts.unchanged += outcome.unchanged
        counts.duplicates += outcome.duplicates
        counts.events += outcome.events
        counts.newest_action = max(counts.newest_action, outcome.newest_action)
        counts.sessions.update(bill.session for bill in bills)
        self.seen.update(outcome.ids)
        for text, times in outcome.unknown_actions.items():
            key = (code, text)
            self.report.unknown_actions[key] = self.report.unknown_actions.get(key, 0) + times

    def present(self) -> None:
        """Take bills that the crawl saw unchanged, and so did not read, as seen."""
        keys = set(self.run.manifest.get("present") or ())
        code = str(self.run.manifest.get("jurisdiction") or "")
        if not keys or not code:
            return
        with writing(self.engine) as connection:
            rows = connection.execute(
                select(BillRow.id, SessionRow.identifier, BillRow.identifier)
                .join(SessionRow, SessionRow.id == BillRow.session_id)
                .where(BillRow.jurisdiction == code, BillRow.vanished_at.is_(None))
            ).all()
            there = [bill for bill, session, name in rows if f"{session}/{name}" in keys and bill not in self.seen]
            self._run_id(connection, code)
            bill_rows.touch(connection, there, self.now)
        self.seen.update(there)
        counts = self.report.of(code)
        counts.bills += len(there)
        counts.unchanged += len(there)

    def _reject(self, errors: list[RecordError]) -> None:
        for error in errors:
            self.report.of(error.jurisdiction).rejected += 1
        room = MAX_REJECTED_SHOWN - len(self.report.rejected)
        self.report.rejected.extend(errors[: max(room, 0)])

    def _run_id(self, connection: Connection, code: str) -> int:
        if code not in self.report.run_ids:
            started = self.run.started_at or self.now
            runs.forget_other_sources(connection, code[:2], self.run.source)
            self.report.run_ids[code] = runs.start(connection, code, self.run, started, self.runner)
        return self.report.run_ids[code]

    def close(self, failed: str = "") -> None:
        """Mark what a complete load did not show, and write the runs' numbers."""
        with writing(self.engine) as connection:
            for code in self.report.counts:
                self._run_id(connection, code)
                counts = self.report.counts[code]
                if not failed and self.run.complete and counts.bills:
                    counts.events += bill_rows.mark_missing(
                        connection, code, self.seen, now=self.now, run_id=self.report.run_ids[code]
                    )
                runs.finish(connection, self.report.run_ids[code], counts, self.now, failed)
            runs.note_unknown_actions(connection, self.report.run_ids, self.report.unknown_actions, self.now)
