"""The operator's page for seven in the morning: what happened since yesterday, and what to do about it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from tracker import freshness, jobs, pulse
from tracker.db import reading
from tracker.models.bills import BillEventRow
from tracker.models.jobs import JobRunRow
from tracker.models.readers import DeliveryRow
from tracker.models.runs import CrawlIssueRow, CrawlRunRow
from tracker.settings import Settings

DAY = dt.timedelta(hours=24)
_WORDS = {"failing": "fails", "stale": "stands still"}


def page(engine: Engine, settings: Settings, *, now: dt.datetime) -> dict[str, Any]:
    """Everything of the last day in one value; ``todo`` is the list of sentences that need a person."""
    since = now - DAY
    with reading(engine) as connection:
        found: dict[str, Any] = {
            "since": since.isoformat(),
            "now": now.isoformat(),
            "events": _counts(connection, BillEventRow.kind, BillEventRow.seen_at, since),
            "crawls": _counts(connection, CrawlRunRow.status, CrawlRunRow.started_at, since),
            "mails": _counts(connection, DeliveryRow.state, DeliveryRow.planned_at, since),
            "jobs": _counts(connection, JobRunRow.status, JobRunRow.started_at, since),
            "issues": _counts(connection, CrawlIssueRow.kind, CrawlIssueRow.seen_at, since),
        }
        begun = connection.execute(select(func.min(CrawlRunRow.started_at))).scalar()
    states = [row for row in freshness.survey(engine, now=now) if row["freshness"]["state"] != "unseen"]
    found["states"] = dict(Counter(row["freshness"]["state"] for row in states))
    usage = shutil.disk_usage(settings.home if settings.home.exists() else ".")
    found["disk_free_percent"] = round(100 * usage.free / usage.total)
    backup = jobs.latest(engine).get("backup")
    good = backup if backup and backup.status == jobs.DONE else None
    found["last_backup"] = good.finished_at.isoformat() if good else None
    found["todo"] = [
        *pulse.take(engine, now=now, hours=settings.silence_hours)["problems"],
        *_todo(found, states, now),
    ]
    # A new installation has its first night before it.
    kept = good.started_at if good else begun
    if (backup and not good) or (kept is not None and now - kept > 2 * DAY):
        found["todo"].append("there is no good backup of the last two days: `billtracker schedule run backup`")
    return found


def _counts(connection: Connection, kind: Any, moment: Any, since: dt.datetime) -> dict[str, int]:
    rows = connection.execute(select(kind, func.count()).where(moment >= since).group_by(kind))
    return {name: count for name, count in sorted(map(tuple, rows), key=lambda row: -row[1])}


def _todo(found: dict[str, Any], states: list[dict[str, Any]], now: dt.datetime) -> list[str]:
    todo = [
        f"{row['code']} {_WORDS[row['freshness']['state']]}: {row['freshness']['reason']}"
        for row in states
        if row["freshness"]["state"] in _WORDS
    ]
    if found["disk_free_percent"] < 10:
        todo.append(
            f"the disk is {100 - found['disk_free_percent']} % full: `billtracker clean --dry-run` says what there is"
        )
    failed = found["mails"].get("failed", 0) + found["mails"].get("unknown", 0)
    if failed:
        todo.append(f"{failed:,} mails did not go out: SELECT last_error FROM delivery WHERE state = 'failed'")
    return todo


def text(found: dict[str, Any]) -> str:
    """The page for a terminal or a mail."""
    lines = [f"Bill tracker, {found['now'][:16]} UTC, the last 24 hours", ""]
    todo = found["todo"]
    lines += [f"To do ({len(todo)})" if todo else "Nothing to do.", *(f"  - {sentence}" for sentence in todo), ""]
    for title, key in (
        ("States", "states"),
        ("Crawls", "crawls"),
        ("Changes", "events"),
        ("Mails", "mails"),
        ("Jobs", "jobs"),
        ("Issues", "issues"),
    ):
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found[key].items())
        lines.append(f"{title + ':':<9}{counts or 'none'}")
    lines.append(f"Backup:  {(found['last_backup'] or 'none')[:16]}")
    lines.append(f"Disk:    {found['disk_free_percent']} % free")
    return "\n".join(lines)
