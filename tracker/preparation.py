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

from tracker.new_bill import NewBill, Raw, prepare_all
from tracker.records import RecordError

AHEAD = 2
"""Batches read before they are written; each holds some 10 MB."""

Prepared = list[NewBill | RecordError]


@dataclass(slots=True)
class Batch:
    """Records of one transaction: ``known`` by their bytes as (bill, jurisdiction), ``fresh`` with digests."""

    size: int = 0
    known: list[tuple[int, str]] = field(default_factory=list)
    fresh: list[tuple[bytes, Raw]] = field(default_factory=list)
    rejected: list[RecordError] = field(default_factory=list)


def prepared(batches: Iterator[Batch]) -> Iterator[tuple[Batch, Prepared]]:
    """Each batch, in order, with what its fresh records came to."""
    helper = _Helper()
    waiting: deque[tuple[Batch, Future[Prepared] | None]] = deque()
    try:
        for number, batch in enumerate(batches):
            # A load of one batch is over before a process has started.
            waiting.append((batch, helper.begin(batch) if number else None))
            if not number or len(waiting) > AHEAD:
                yield helper.finish(*waiting.popleft())
        while waiting:
            yield helper.finish(*waiting.popleft())
    finally:
        helper.close()


class _Helper:
    """The process beside us, started when it is first worth it; without one the work is done here."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self.alone = len(os.sched_getaffinity(0)) < 2 if hasattr(os, "sched_getaffinity") else True

    def begin(self, batch: Batch) -> Future[Prepared] | None:
        if self.alone or not batch.fresh:
            return None
        if self.pool is None:
            self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=collect_rarely)
        try:
            return self.pool.submit(prepare_all, batch.fresh)
        except BrokenProcessPool:
            self.alone = True
            return None

    def finish(self, batch: Batch, begun: Future[Prepared] | None) -> tuple[Batch, Prepared]:
        if begun is not None:
            try:
                return batch, begun.result()
            except BrokenProcessPool:
                self.alone = True
        return batch, prepare_all(batch.fresh)

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)


def collect_rarely() -> None:
    """Records are trees of small objects without cycles: the collector's frequent passes only cost time."""
    gc.set_threshold(200_000, 50, 50)
