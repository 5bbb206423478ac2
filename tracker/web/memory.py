"""Remembers what is costly to count, for as long as the data stay the same.

Each process that serves has its own. What is remembered stands for the data's version at that moment: the
newest event, tag and run, and how far the search index has read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy import Connection, text

MOST = 512
_VERSION = text(
    "SELECT (SELECT max(seq) FROM bill_event), (SELECT max(id) FROM tag), (SELECT max(id) FROM crawl_run),"
    " (SELECT count(*) FROM crawl_run WHERE status = 'running'), (SELECT max(seq) FROM bill_search_state)"
)
T = TypeVar("T")


class Memory:
    """The newest :data:`MOST` answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()

    def recall(self, connection: Connection, key: Hashable, count: Callable[[], T]) -> T:
        """The answer of ``count()``, counted anew when the data changed since. Never change what it returns."""
        version = tuple(connection.execute(_VERSION).one())
        with self._lock:
            known = self._kept.get(key)
            if known is not None and known[0] == version:
                self._kept.move_to_end(key)
                answer: T = known[1]
                return answer
        answer = count()
        with self._lock:
            self._kept[key] = (version, answer)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return answer


def memory(request: Request) -> Memory:
    """The memory of the app that serves the request."""
    state = request.app.state
    if not hasattr(state, "memory"):
        state.memory = Memory()
    kept: Memory = state.memory
    return kept


Remembered = Annotated[Memory, Depends(memory)]
