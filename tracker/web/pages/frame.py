"""What every page shares: its place in the navigation and the state of the data at its foot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, Engine, select

from tracker.db import reading
from tracker.models.bills import BillEventRow
from tracker.web.templating import page

# Pages made at once. More threads than this only take the interpreter from each other: each page is then
# later, and none is earlier. With PostgreSQL they mostly wait for its answers.
_TURNS = {"sqlite": threading.BoundedSemaphore(2), "postgresql": threading.BoundedSemaphore(6)}


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """A reading transaction for a page, when it is its turn; keep it until the page is made."""
    with _TURNS[engine.dialect.name], reading(engine) as connection:
        yield connection


class DataState(NamedTuple):
    """The newest change and when we saw it: what a page's numbers stand for."""

    seq: int
    seen: Any


def show(
    request: Request, connection: Connection, template: str, *, status: int = 200, title: str, **values: Any
) -> HTMLResponse:
    """A page inside the frame. Browsers keep it, but ask again each time."""
    first = "/" + request.url.path.split("/")[1]
    values.setdefault("current", first)
    headers = {"Cache-Control": "private, no-cache"}
    return page(request, template, status, headers, title=title, data=data_state(connection), **values)


def data_state(connection: Connection) -> DataState:
    """The newest change in the log."""
    row = connection.execute(
        select(BillEventRow.seq, BillEventRow.seen_at).order_by(BillEventRow.seq.desc()).limit(1)
    ).first()
    return DataState(row.seq, row.seen_at) if row else DataState(0, None)
