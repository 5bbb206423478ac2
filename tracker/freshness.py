"""How fresh each jurisdiction's data are: the one answer that mail, pages, API and command line all give.

Freshness goes by the last *real* change and the last good run, never by a bookkeeping write. A legislature
that is not sitting is quiet, not stale.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy import func as sql

from tracker import jurisdictions
from tracker.db import reading
from tracker.models.bills import BillRow
from tracker.models.runs import CrawlRunRow

# A sitting legislature moves every day; after this long without a good run its data are stale.
STALE_RUN = dt.timedelta(days=3)
# A sitting legislature without any action for this long means that we do not see it, whatever the runs say.
STALE_ACTION = dt.timedelta(days=21)


def survey(engine: Engine, *, now: dt.datetime, prefer: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """One row a jurisdiction: code, name, sources (default first), freshness.

    ``prefer`` is the admin's choice of sources by jurisdiction: that one comes first. An unknown one is a KeyError.

    ``freshness.state`` is ``fresh``, ``quiet`` (not sitting), ``stale``, ``failing`` (the last run failed or
    was held back) or ``unseen``; ``freshness.reason`` says why in one sentence.
    """
    places = jurisdictions.load()
    with reading(engine) as connection:
        bills = {
            row.jurisdiction: row
            for row in connection.execute(
                select(
                    BillRow.jurisdiction,
                    sql.count().label("bills"),
                    sql.max(BillRow.last_changed_at).label("changed"),
                    sql.max(BillRow.latest_action_date).label("action"),
                ).group_by(BillRow.jurisdiction)
            )
        }
        runs: dict[str, list[Any]] = {}
        for row in connection.execute(
            select(
                CrawlRunRow.jurisdiction,
                CrawlRunRow.status,
                CrawlRunRow.reason,
                CrawlRunRow.finished_at,
                CrawlRunRow.rejected,
                CrawlRunRow.source,
            )
            .where(CrawlRunRow.status != "running")
            .order_by(CrawlRunRow.id.desc())
        ):
            runs.setdefault(row.jurisdiction, []).append(row)
    rows = []
    for code in sorted(places):
        place = places[code]
        rows.append(
            {
                "code": code,
                "name": place.name,
                "sources": [
                    {"name": s.name, "kind": s.kind, "proof": s.proof, "brings": list(s.brings)}
                    for s in places.sources_for(code, (prefer or {}).get(code, ""))
                ],
                "freshness": _freshness(code, bills.get(code), runs.get(code, []), now),
            }
        )
    return rows


def _freshness(code: str, bills: Any, past: list[Any], now: dt.datetime) -> dict[str, Any]:
    places = jurisdictions.load()
    today = now.astimezone(places[code].zone).date()
    sitting = str(places.sitting(code, today))
    good = next((run for run in past if run.status == "published"), None)
    failures = 0
    for run in past:
        if run.status == "published":
            break
        failures += 1
    action = bills.action if bills else None
    changed = bills.changed if bills else None
    state, reason = "fresh", ""
    if good is None and failures:
        state, reason = "failing", f"never seen; {_times(failures)} failed: {past[0].reason}"
    elif good is None and bills is None:
        state, reason = "unseen", "not crawled yet"
    elif failures:
        state, reason = "failing", f"the last {_times(failures)} brought nothing usable: {past[0].reason}"
    elif good is not None and good.finished_at and now - good.finished_at > STALE_RUN and sitting != "adjourned":
        state, reason = "stale", f"last good run {(now - good.finished_at).days} days ago"
    elif sitting == "sitting" and action is not None and today - action > STALE_ACTION:
        state, reason = "stale", f"in session, but the newest action is of {action.isoformat()}"
    elif sitting == "adjourned":
        state, reason = "quiet", "not in session"
        if places.awaits_signatures(code, today):
            reason += "; what passed may still be signed or vetoed"
    return {
        "state": state,
        "reason": reason[:300],
        "sitting": sitting,
        "bills": bills.bills if bills else 0,
        "last_good_run": good.finished_at.isoformat() if good and good.finished_at else None,
        "last_real_change": changed.isoformat() if changed else None,
        "newest_action_date": action.isoformat() if action else None,
        "failures": failures,
    }


def _times(number: int) -> str:
    return "run" if number == 1 else f"{number} runs"
