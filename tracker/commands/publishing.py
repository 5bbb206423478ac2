"""One crawl with all that follows until its bills are in the database, for the commands that do that."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tracker import console


def crawl_and_publish(engine: Any, settings: Any, plan: Any, moment: dt.datetime, *, quiet: bool) -> dict[str, Any]:
    """Crawl, judge, load; a crawl that died is noted as a failed run. One row for the summary."""
    from tracker import crawling, record_files
    from tracker.record_files import FileError

    label = f"{plan.jurisdiction} {plan.replay.name if plan.replay else plan.source}".strip()
    row: dict[str, Any] = {"jurisdiction": plan.jurisdiction, "recording": plan.replay and plan.replay.name}
    console.note(f"  {label}: crawling …")
    try:
        with console.progress(f"  {label}: crawling", None, quiet) as update:
            done = crawling.crawl(plan, settings, engine, now=moment, progress=update)
        with console.progress(f"  {label}: loading", done.manifest.get("bills"), quiet) as update:
            status, reason, report = crawling.publish(engine, done, now=moment, progress=update)
    except (crawling.CrawlError, FileError) as error:
        _note_dead_crawl(engine, plan, str(error), moment)
        return {**row, "status": "failed", "reason": str(error)}
    if report is not None:
        record_files.clean(settings.records, settings.records_days, dt.datetime.now(dt.UTC))
    counts = report.of(plan.jurisdiction).to_json() if report else {}
    row |= {
        "source": done.manifest.get("source"),
        "session": done.manifest.get("session"),
        "status": status,
        "reason": reason,
        **{name: counts.get(name, 0) for name in ("bills", "new", "changed", "unchanged", "rejected", "events")},
        "unknown_actions": sum(report.unknown_actions.values()) if report else 0,
        "requests": done.manifest.get("requests"),
    }
    return row


def _note_dead_crawl(engine: Any, plan: Any, reason: str, moment: dt.datetime) -> None:
    from tracker import runs
    from tracker.db import writing
    from tracker.ingest import Run

    with writing(engine) as connection:
        runs.hold(connection, plan.jurisdiction, Run(plan.source or "?"), reason, moment, "failed")
