"""Has records read and checked by a process of its own while what came before is being written.

Reading costs about as much as writing, so two processors load a nation nearly twice as fast as one. Small
loads, and machines with one processor, do it in turn. A process that dies costs time, never a record.
"""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context

from tracker.new_bill import NewBill, Raw, prepare_all, prepare_apart
from tracker.records import RecordError

AHEAD = 3
"""Batches read before they are written; each holds some 10 MB."""
BEGUN = 2
"""Of these, handed to the other process: the one it works on and its next."""

Prepared = list[NewBill | RecordError]


@dataclass(slots=True)
class Batch:
    """Records of one transaction: ``known`` by their bytes as (bill, jurisdiction), ``fresh`` with digests."""

    size: int = 0
    known: list[tuple[int, str]] = field(default_factory=list)
    fresh: list[tuple[bytes, Raw]] = field(default_factory=list)
    rejected: list[RecordError] = field(default_factory=list)


@dataclass(slots=True)
class _Waiting:
    """A batch on its way: not begun, begun in the other process, or read here."""

    batch: Batch
    begun: Future[Prepared] | None = None
    made: Prepared | None = None

    @property
    def open(self) -> bool:
        return self.begun is None and self.made is None


def prepared(batches: Iterator[Batch]) -> Iterator[tuple[Batch, Prepared]]:
    """Each batch, in order, with what its fresh records came to."""
    helper = _Helper()
    waiting: deque[_Waiting] = deque()
    try:
        for number, batch in enumerate(batches):
            waiting.append(_Waiting(batch))
            if number:  # a load of one batch is over before a process has started
                helper.feed(waiting)
            if not number or len(waiting) > AHEAD:
                yield helper.finish(waiting)
        while waiting:
            yield helper.finish(waiting)
    finally:
        helper.close()


class _Helper:
    """The process beside us, started when it is first worth it; without one the work is done here."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self.alone = len(os.sched_getaffinity(0)) < 2 if hasattr(os, "sched_getaffinity") else True

    def feed(self, waiting: deque[_Waiting]) -> None:
        """Hand over what is not begun, as much as keeps the other process busy."""
        busy = sum(one.begun is not None and not one.begun.done() for one in waiting)
        for one in waiting:
            if self.alone or busy >= BEGUN:
                return
            if one.open and one.batch.fresh:
                one.begun = self._begin(one.batch)
                busy += 1

    def _begin(self, batch: Batch) -> Future[Prepared] | None:
        if self.pool is None:
            self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=collect_rarely)
        try:
            return self.pool.submit(prepare_apart, batch.fresh)
        except BrokenProcessPool:
            self.alone = True
            return None

    def finish(self, waiting: deque[_Waiting]) -> tuple[Batch, Prepared]:
        """The first batch, read. While the other process is not done with it, we read one that is not begun."""
        first = waiting[0]
        while first.begun is not None and not first.begun.done():
            idle = next((one for one in reversed(waiting) if one.open), None)
            if idle is None:
                break
            idle.made = prepare_all(idle.batch.fresh)
        waiting.popleft()
        if first.begun is not None:
            try:
                first.made = _with_raws(first.batch, first.begun.result())
            except BrokenProcessPool:
                self.alone = True
        self.feed(waiting)
        return first.batch, prepare_all(first.batch.fresh) if first.made is None else first.made

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)


def _with_raws(batch: Batch, bills: Prepared) -> Prepared:
    raws = dict(batch.fresh)
    for bill in bills:
        if isinstance(bill, NewBill) and bill.raw is None:
            bill.raw = raws[bill.digest]
    return bills


def collect_rarely() -> None:
    """Records are trees of small objects without cycles: the collector's frequent passes only cost time."""
    gc.set_threshold(200_000, 50, 50)
