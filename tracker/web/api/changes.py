"""``/changes``: everything that happened, by sequence number; nothing is missed and nothing comes twice."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from tracker import jurisdictions
from tracker.db import reading
from tracker.events import EventKind, last_seq
from tracker.history import read_changes
from tracker.web.api import resources
from tracker.web.api.parameters import ERRORS, MAX_NUMBER, find_jurisdiction, one_of
from tracker.web.dependencies import Database

router = APIRouter(tags=["changes"], responses=ERRORS)
MAX_LIMIT = 1_000


@router.get("/changes")
def list_changes(
    engine: Database,
    after: Annotated[int, Query(ge=0, le=MAX_NUMBER, description="Only events with a higher number.")] = 0,
    jurisdiction: Annotated[list[str], one_of(jurisdictions.load(), "Postal codes; names and OCD ids, too.")] = [],  # noqa: B006
    kind: Annotated[list[EventKind], Query(description="Kinds of events; may be repeated.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most so many events.")] = 100,
) -> resources.Changes:
    """Events after a sequence number, oldest first.

    Keep `last_seq` and give it as `after` next time. It moves past events that the filters leave out.
    """
    codes = [place.code for name in jurisdiction if (place := find_jurisdiction(name))]
    if len(codes) < len(jurisdiction):
        raise HTTPException(400, "a jurisdiction is given by name, postal code or OCD id")
    with reading(engine) as connection:
        newest = last_seq(connection)
        rows = read_changes(connection, after=after, codes=codes, kinds=kind, limit=limit + 1)
    more = len(rows) > limit
    results = [resources.Change(bill_id=row.pop("ocd_id"), **row) for row in rows[:limit]]
    return resources.Changes(results=results, last_seq=results[-1].seq if more else max(newest, after), more=more)
