"""Whether anything happens at all: the alarm for the day on which nothing fails because nothing runs.

A failing crawl is loud; a stopped clock is silent. So silence itself is a finding: of the clock, of all crawls
together, of the log of events while legislatures sit, of the mail.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, func, inspect, select, text

from tracker import jobs, jurisdictions, signs
from tracker.db import reading
from tracker.models.bills import BillEventRow
from tracker.models.jobs import JobRunRow
from tracker.models.readers import DeliveryRow
from tracker.models.runs import CrawlRunRow

NO_RUN_HOURS = 30.0
#: A job that is due for so long and not begun is a job that nobody does.
LATE = dt.timedelta(hours=2)
# With this many legislatures sitting, a stretch without a single event is our fault, not theirs.
SITTING_ENOUGH, NO_EVENT = 3, dt.timedelta(days=3)
STUCK_MAIL = dt.timedelta(hours=24)
_WAITING = """
SELECT job.args->>'name' AS name, greatest(job.scheduled_at, max(event.at)) AS since
FROM procrastinate_jobs AS job JOIN procrastinate_events AS event ON event.job_id = job.id
WHERE job.status = 'todo' GROUP BY job.id HAVING greatest(job.scheduled_at, max(event.at)) < :late
"""


@dataclass
class Pulse:
    """What was found: sentences, and for each the kinds of trouble that the admins are told of."""

    problems: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    moments: dict[str, str | None] = field(default_factory=dict)

    def add(self, sentence: str, *kinds: str) -> None:
        """One problem."""
        self.problems.append(sentence)
        self.kinds |= dict.fromkeys(kinds, sentence)


def take(engine: Engine, *, now: dt.datetime, hours: float = NO_RUN_HOURS) -> dict[str, Any]:
    """The service's pulse: ``problems`` (sentences, empty when all is well) and the moments they rest on.

    ``hours`` is how long all crawls together may bring nothing (setting ``silence_hours``). An installation that
    never crawled and never had a clock is new, not silent.
    """
    found = feel(engine, now=now, hours=hours)
    return {"problems": found.problems, **found.moments}


def feel(engine: Engine, *, now: dt.datetime, hours: float = NO_RUN_HOURS) -> Pulse:
    """As :func:`take`, with the kinds of trouble."""
    found = Pulse()
    beat = signs.last(engine)
    silent = beat is not None and signs.is_silent(beat, now)
    if beat is not None and silent:
        found.add(
            f"the clock stands still since {_ago(abs(now - beat.seen_at))}: start `billtracker schedule`", "clock"
        )
    with reading(engine) as connection:
        good = connection.execute(
            select(func.max(CrawlRunRow.finished_at)).where(CrawlRunRow.status == "published")
        ).scalar()
        event = connection.execute(select(BillEventRow.seen_at).order_by(BillEventRow.seq.desc()).limit(1)).scalar()
        if good is not None and now - good > dt.timedelta(hours=hours):
            found.add(f"no crawl of any jurisdiction has brought anything for {_ago(now - good)}", "crawls")
        _events(connection, found, event, now)
        _mail(connection, found, now)
        if beat is not None and not silent:
            _overdue(connection, found, now)
        _jobs(connection, found)
    found.moments = {
        "clock_seen": beat.seen_at.isoformat() if beat else None,
        "last_good_run": good.isoformat() if good else None,
        "last_event": event.isoformat() if event else None,
    }
    return found


def _events(connection: Connection, found: Pulse, event: dt.datetime | None, now: dt.datetime) -> None:
    if event is None or now - event <= NO_EVENT:
        return
    codes = connection.execute(select(CrawlRunRow.jurisdiction).distinct()).scalars().all()
    places = jurisdictions.load()
    sitting = [
        c for c in codes if c in places and places.sitting(c, now.astimezone(places[c].zone).date()) == "sitting"
    ]
    if len(sitting) >= SITTING_ENOUGH:
        found.add(f"{len(sitting)} legislatures sit, and nothing has changed in any for {_ago(now - event)}", "events")


def _mail(connection: Connection, found: Pulse, now: dt.datetime) -> None:
    stuck = connection.execute(
        select(func.count()).where(
            DeliveryRow.state.in_(("planned", "sending", "deferred")), DeliveryRow.planned_at < now - STUCK_MAIL
        )
    ).scalar_one()
    if stuck:
        found.add(f"{stuck:,} mails wait for more than a day: `billtracker digest send --due` says why", "mail")


def _overdue(connection: Connection, found: Pulse, now: dt.datetime) -> None:
    """Jobs whose moment came and that nobody has begun: the clock did not fire them, or no worker took them."""
    there = inspect(connection).get_table_names()
    if "apscheduler_jobs" in there:
        query = text("SELECT id, next_run_time FROM apscheduler_jobs WHERE next_run_time < :late ORDER BY 2")
        late = connection.execute(query, {"late": (now - LATE).timestamp()}).all()
        if late:
            since = now - dt.datetime.fromtimestamp(late[0].next_run_time, dt.UTC)
            names = ", ".join(sorted(row.id for row in late))
            found.add(f"due and not begun since {_ago(since)}: {names}; the clock's log says why", "overdue")
    if "procrastinate_jobs" in there:
        waiting = connection.execute(text(_WAITING), {"late": now - LATE}).all()
        if waiting:
            names = ", ".join(sorted(row.name for row in waiting))
            found.add(
                f"no worker takes what waits since {_ago(now - min(row.since for row in waiting))}: {names};"
                " start `billtracker worker`",
                "workers",
            )


def _jobs(connection: Connection, found: Pulse) -> None:
    broken = connection.execute(
        select(JobRunRow.job).where(
            JobRunRow.id.in_(select(func.max(JobRunRow.id)).group_by(JobRunRow.job)),
            JobRunRow.status.in_((jobs.FAILED, jobs.LOST)),
        )
    ).scalars()
    names = sorted(broken)
    if names:
        # A crawl that fails is told of by its jurisdiction, once it failed several times.
        kinds = [f"job {name}" for name in names if not name.startswith("crawl-")]
        found.add(f"jobs ended badly: {', '.join(names)}; see `billtracker schedule list`", *kinds)


def _ago(span: dt.timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    if hours < 1:
        return f"{int(span.total_seconds() // 60)} minutes"
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
