"""Keeps the account of every crawl and load: what was seen, what was refused, what an admin should look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from tracker.loads import Counts, Run
from tracker.models.runs import CrawlIssueRow, CrawlRunRow, HttpCacheRow
from tracker.records import RecordError

MAX_UNKNOWN_SHOWN = 200


def start(connection: Connection, jurisdiction: str, run: Run, started_at: dt.datetime, runner: str = "") -> int:
    """Open a run's row; returns its id. ``runner``: the load that will close it."""
    return int(
        connection.execute(
            insert(CrawlRunRow)
            .values(
                jurisdiction=jurisdiction[:2],
                session=str(run.manifest.get("session") or ""),
                source=run.source,
                status="running",
                reason="",
                replayed=run.replayed,
                complete=run.complete,
                started_at=started_at,
                bills=0,
                new=0,
                changed=0,
                unchanged=0,
                rejected=0,
                events=0,
                newest_action="",
                numbers={k: v for k, v in run.manifest.items() if k not in ("validators", "rejected", "present")},
                records_path=run.records_path,
                runner=runner,
            )
            .returning(CrawlRunRow.id)
        ).scalar_one()
    )


def forget_other_sources(connection: Connection, jurisdiction: str, source: str) -> None:
    """Forget what sites said of their pages' freshness when another source's bills are about to be loaded.

    What is stored is then that source's; "unchanged since last time" would leave it there after switching back.
    """
    good = CrawlRunRow.status.in_(("published", "running"))
    # A load that was broken off has stored some.
    broken_off = and_(CrawlRunRow.status == "failed", CrawlRunRow.runner != "")
    last = connection.execute(
        select(CrawlRunRow.source)
        .where(CrawlRunRow.jurisdiction == jurisdiction, or_(good, broken_off))
        .order_by(CrawlRunRow.id.desc())
        .limit(1)
    ).scalar()
    if last is not None and last != source:
        connection.execute(delete(HttpCacheRow).where(HttpCacheRow.jurisdiction == jurisdiction))


def finish(connection: Connection, run_id: int, counts: Counts, now: dt.datetime, failed: str) -> None:
    """Close a run's row as published, or failed with its reason."""
    connection.execute(
        update(CrawlRunRow)
        .where(CrawlRunRow.id == run_id)
        .values(
            status="failed" if failed else "published",
            reason=failed,
            finished_at=now,
            bills=counts.bills,
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            rejected=counts.rejected,
            events=counts.events,
            newest_action=counts.newest_action,
        )
    )


def hold(connection: Connection, jurisdiction: str, run: Run, reason: str, now: dt.datetime, status: str) -> int:
    """Note a crawl that is not published: ``held`` (its numbers look wrong) or ``failed`` (it has none)."""
    run_id = start(connection, jurisdiction, run, run.started_at or now)
    connection.execute(
        update(CrawlRunRow)
        .where(CrawlRunRow.id == run_id)
        .values(status=status, reason=reason[:2000], finished_at=now, bills=run.manifest.get("bills") or 0)
    )
    return run_id


def note_rejected(
    connection: Connection, run_ids: Mapping[str, int], errors: Sequence[RecordError], now: dt.datetime
) -> None:
    """Keep each rejected record's reason."""
    connection.execute(
        insert(CrawlIssueRow),
        [
            _issue(run_ids[e.jurisdiction], e.jurisdiction, "rejected", e.identifier, e.field, e.problem, 1, now)
            for e in errors
        ],
    )


def note_unknown_actions(
    connection: Connection,
    run_ids: Mapping[str, int],
    unknown: Mapping[tuple[str, str], int],
    now: dt.datetime,
) -> None:
    """Keep the most frequent action texts that no rule knows, per jurisdiction."""
    often = sorted(unknown.items(), key=lambda item: -item[1])
    kept: dict[str, int] = {}
    rows = []
    for (code, text), times in often:
        kept[code] = kept.get(code, 0) + 1
        if kept[code] <= MAX_UNKNOWN_SHOWN:
            rows.append(_issue(run_ids[code], code, "unknown_action", "", "actions", text, times, now))
    if rows:
        connection.execute(insert(CrawlIssueRow), rows)


def note_issues(
    connection: Connection,
    run_id: int,
    jurisdiction: str,
    issues: Sequence[Mapping[str, Any]],
    now: dt.datetime,
) -> None:
    """Keep what the crawler itself reports: unknown sessions, block pages, URLs not in a recording."""
    rows = [
        _issue(
            run_id,
            jurisdiction,
            str(issue.get("kind") or "issue"),
            str(issue.get("identifier") or ""),
            str(issue.get("field") or ""),
            str(issue.get("detail") or issue.get("problem") or ""),
            int(issue.get("count") or 1),
            now,
        )
        for issue in issues
    ]
    if rows:
        connection.execute(insert(CrawlIssueRow), rows)


def keep_validators(
    connection: Connection, jurisdiction: str, validators: Mapping[str, Mapping[str, str]], now: dt.datetime
) -> None:
    """Remember what sites said of their pages' freshness, once what they served is published.

    Not before: the pages of a crawl that was held back must be fetched again.
    """
    urls = list(validators)
    for at in range(0, len(urls), 500):
        connection.execute(delete(HttpCacheRow).where(HttpCacheRow.url.in_(urls[at : at + 500])))
    rows = [
        {
            "url": url,
            "jurisdiction": jurisdiction,
            "etag": str(said.get("etag") or ""),
            "last_modified": str(said.get("last_modified") or ""),
            "body_hash": str(said.get("body_hash") or ""),
            "stamp": str(said.get("stamp") or ""),
            "bill": str(said.get("bill") or "")[:200],
            "checked_at": now,
            "changed_at": now,
        }
        for url, said in validators.items()
        if len(url) <= 2000
    ]
    if rows:
        connection.execute(insert(HttpCacheRow), rows)


def _issue(
    run_id: int, code: str, kind: str, identifier: str, field: str, detail: str, count: int, now: dt.datetime
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "jurisdiction": code[:2],
        "kind": kind[:40],
        "identifier": identifier[:100].replace("\x00", ""),
        "field": field[:100],
        "detail": detail[:2000].replace("\x00", ""),
        "count": count,
        "seen_at": now,
    }
