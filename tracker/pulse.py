"""Whether anything happens at all: the alarm for the day on which nothing fails because nothing runs.

A failing crawl is loud; a stopped clock is silent. So silence itself is a finding: of the clock, of all crawls
together, of the log of events while legislatures sit, of the mail.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Engine, func, select

from tracker import clock, jobs, jurisdictions
from tracker.db import reading
from tracker.models.bills import BillEventRow
from tracker.models.jobs import JobRunRow
from tracker.models.readers import DeliveryRow
from tracker.models.runs import CrawlRunRow

NO_RUN = dt.timedelta(hours=30)
# With this many legislatures sitting, a stretch without a single event is our fault, not theirs.
SITTING_ENOUGH, NO_EVENT = 3, dt.timedelta(days=3)
STUCK_MAIL = dt.timedelta(hours=24)


def take(engine: Engine, *, now: dt.datetime) -> dict[str, Any]:
    """The service's pulse: ``problems`` (sentences, empty when all is well) and the moments they rest on.

    An installation that never crawled and never had a clock is new, not silent.
    """
    with reading(engine) as connection:
        good = connection.execute(
            select(func.max(CrawlRunRow.finished_at)).where(CrawlRunRow.status == "published")
        ).scalar()
        codes = connection.execute(select(CrawlRunRow.jurisdiction).distinct()).scalars().all()
        event = connection.execute(select(BillEventRow.seen_at).order_by(BillEventRow.seq.desc()).limit(1)).scalar()
        stuck = connection.execute(
            select(func.count()).where(
                DeliveryRow.state.in_(("planned", "sending", "deferred")), DeliveryRow.planned_at < now - STUCK_MAIL
            )
        ).scalar_one()
        failed = connection.execute(
            select(JobRunRow.job).where(
                JobRunRow.id.in_(select(func.max(JobRunRow.id)).group_by(JobRunRow.job)),
                JobRunRow.status.in_((jobs.FAILED, jobs.LOST)),
            )
        ).scalars()
        broken = sorted(failed)
    beat = clock.last_beat(engine)
    problems = []
    if beat is not None and now - beat.seen_at > clock.SILENT:
        problems.append(f"the clock stands still since {_ago(now - beat.seen_at)}: start `billtracker schedule`")
    if good is not None and now - good > NO_RUN:
        problems.append(f"no crawl of any jurisdiction has brought anything for {_ago(now - good)}")
    places = jurisdictions.load()
    sitting = [
        c for c in codes if c in places and places.sitting(c, now.astimezone(places[c].zone).date()) == "sitting"
    ]
    if event is not None and len(sitting) >= SITTING_ENOUGH and now - event > NO_EVENT:
        problems.append(f"{len(sitting)} legislatures sit, and nothing has changed in any for {_ago(now - event)}")
    if stuck:
        problems.append(f"{stuck:,} mails wait for more than a day: `billtracker digest send --due` says why")
    if broken:
        problems.append(f"jobs ended badly: {', '.join(broken)}; see `billtracker schedule list`")
    return {
        "problems": problems,
        "clock_seen": beat.seen_at.isoformat() if beat else None,
        "last_good_run": good.isoformat() if good else None,
        "last_event": event.isoformat() if event else None,
    }


def _ago(span: dt.timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    if hours < 1:
        return f"{int(span.total_seconds() // 60)} minutes"
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
