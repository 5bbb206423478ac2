"""How fresh each jurisdiction's data are, for everyone: the same answer as in the mail."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection, Engine

from tracker.freshness import survey
from tracker.web.dependencies import Database, Now
from tracker.web.memory import Memory, Remembered
from tracker.web.pages.frame import looking, show

router = APIRouter(include_in_schema=False)

# What needs a look comes first.
ORDER = ("failing", "stale", "fresh", "quiet", "unseen")
MEANING = {
    "failing": "the last crawl failed, or was held back because it looked wrong",
    "stale": "no good crawl for days, or no action although the legislature sits",
    "fresh": "seen lately",
    "quiet": "not in session",
    "unseen": "not crawled yet",
}


@router.get("/freshness")
def freshness(request: Request, engine: Database, memory: Remembered, now: Now) -> Response:
    """Every jurisdiction."""
    with looking(engine) as connection:
        rows = sorted(
            survey_now(engine, connection, memory, now), key=lambda r: (_order(r["freshness"]["state"]), r["name"])
        )
        states = Counter(row["freshness"]["state"] for row in rows)
        return show(
            request,
            connection,
            "freshness.html",
            title="How fresh the data are",
            rows=rows,
            states=[(state, states[state], MEANING[state]) for state in ORDER if states[state]],
            now=now,
        )


def survey_now(engine: Engine, connection: Connection, memory: Memory, now: dt.datetime) -> list[dict[str, Any]]:
    """The survey of these five minutes."""
    moment = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    return memory.recall(connection, ("survey", moment), lambda: survey(engine, now=now))


def _order(state: str) -> int:
    return ORDER.index(state) if state in ORDER else 0
