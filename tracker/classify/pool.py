"""Tags bills in several processes: the same answers as one process gives, in the same order, in less time."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Any

from tracker.classify.bill import BillError
from tracker.classify.classifier import Classifier
from tracker.playbook import Playbook

Bills = Iterable[Mapping[str, Any]]
Answer = dict[str, Any] | BillError

WORTH = 300
"""Fewer bills are done before another process has read its models."""

MOST = 4
"""More processes than this are for an installation to ask for."""

A_PART, WAITING = 16, 3
"""Bills sent at a time, and parts a process that may wait: what bounds memory, however long the input is."""


class Pool:
    """A classifier that does long inputs in `processes` processes (0: one for each core, at most four)."""

    def __init__(self, playbook: Playbook | None = None, processes: int = 0) -> None:
        self.classifier = Classifier.load(playbook)
        self.version = self.classifier.version
        self.playbook = self.classifier.playbook
        self.processes = processes or min(MOST, cores())
        self._workers: ProcessPoolExecutor | None = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._workers is not None:
            self._workers.shutdown(cancel_futures=True)
            self._workers = None

    def tag(self, bills: Bills) -> Iterator[dict[str, Any]]:
        """As `Classifier.tag`. Raises BillError where an input is not a bill, and ends there."""
        for answer in self.answers(bills):
            if isinstance(answer, BillError):
                raise answer
            yield answer

    def answers(self, bills: Bills) -> Iterator[Answer]:
        """One answer a bill, in order: its tags, or why it is none."""
        coming = iter(bills)
        if self.processes > 1 and self._workers is None:
            first = list(islice(coming, WORTH))
            coming = chain(first, coming)
            if len(first) == WORTH:
                self._workers = self._start()
        return self._shared(self._workers, coming) if self._workers else (_answer(self.classifier, b) for b in coming)

    def _start(self) -> ProcessPoolExecutor:
        # spawned, not forked: the caller may have threads and connections
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.processes, context, initializer=_begin, initargs=(self.playbook,))

    def _shared(self, workers: ProcessPoolExecutor, bills: Iterator[Mapping[str, Any]]) -> Iterator[Answer]:
        running: deque[Future[list[Answer]]] = deque()
        while part := tuple(islice(bills, A_PART)):
            running.append(workers.submit(_answers, part))
            if len(running) > WAITING * self.processes:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _answer(classifier: Classifier, bill: Mapping[str, Any]) -> Answer:
    try:
        return classifier.tag_one(bill)
    except BillError as error:
        return error


_own: Classifier | None = None
"""The classifier of a worker process."""


def _begin(playbook: Playbook) -> None:
    global _own
    _own = Classifier.load(playbook)


def _answers(bills: tuple[Mapping[str, Any], ...]) -> list[Answer]:
    assert _own is not None
    return [_answer(_own, bill) for bill in bills]
