"""How good the data are, a row per session: what is missing, what nobody understood, what stands still.

Counts are of bills that have not vanished. ``proof`` is the level of trust in the source: live, recorded or
facts (:mod:`tracker.jurisdictions`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Engine, text

from tracker import jurisdictions
from tracker.db import reading
from tracker.freshness import survey

_COUNTS = """
    SELECT bill.jurisdiction, session.identifier AS session, session.known, count(*) AS bills,
           sum(CASE WHEN NOT EXISTS (SELECT 1 FROM action WHERE action.bill_id = bill.id
                                     AND action.removed_at IS NULL) THEN 1 ELSE 0 END) AS without_actions,
           sum(CASE WHEN NOT EXISTS (SELECT 1 FROM sponsorship WHERE sponsorship.bill_id = bill.id
                                     AND sponsorship.removed_at IS NULL) THEN 1 ELSE 0 END) AS without_sponsors,
           sum(CASE WHEN NOT EXISTS (SELECT 1 FROM version WHERE version.bill_id = bill.id
                                     AND version.removed_at IS NULL) THEN 1 ELSE 0 END) AS without_versions,
           sum(CASE WHEN NOT EXISTS (SELECT 1 FROM bill_text WHERE bill_text.bill_id = bill.id
                                     ) THEN 1 ELSE 0 END) AS without_text,
           sum(CASE WHEN EXISTS (SELECT 1 FROM bill_text WHERE bill_text.bill_id = bill.id)
                     AND NOT EXISTS (SELECT 1 FROM bill_text WHERE bill_text.bill_id = bill.id
                                     AND bill_text.status = 'ok') THEN 1 ELSE 0 END) AS unreadable_text,
           sum(CASE WHEN bill.url = '' THEN 1 ELSE 0 END) AS without_url,
           sum(CASE WHEN bill.missing_runs > 0 THEN 1 ELSE 0 END) AS missing_lately,
           max(bill.latest_action_date) AS newest_action, max(bill.last_changed_at) AS last_change
    FROM bill JOIN session ON session.id = bill.session_id
    WHERE bill.vanished_at IS NULL
    GROUP BY bill.jurisdiction, session.identifier, session.known
    ORDER BY bill.jurisdiction, session.identifier"""
_VANISHED = """
    SELECT bill.jurisdiction, session.identifier AS session, count(*) AS bills
    FROM bill JOIN session ON session.id = bill.session_id WHERE bill.vanished_at IS NOT NULL
    GROUP BY bill.jurisdiction, session.identifier"""
_UNKNOWN = """
    SELECT bill.jurisdiction, session.identifier AS session, count(*) AS actions,
           sum(CASE WHEN CAST(action.classification AS TEXT) = '[]' THEN 1 ELSE 0 END) AS unknown
    FROM action JOIN bill ON bill.id = action.bill_id JOIN session ON session.id = bill.session_id
    WHERE action.removed_at IS NULL AND bill.vanished_at IS NULL
    GROUP BY bill.jurisdiction, session.identifier"""
_ISSUES = """
    SELECT jurisdiction, kind, sum(count) AS times FROM crawl_issue
    WHERE run_id IN (SELECT max(id) FROM crawl_run WHERE status <> 'running' GROUP BY jurisdiction)
    GROUP BY jurisdiction, kind ORDER BY jurisdiction, kind"""


def report(engine: Engine, *, now: dt.datetime, codes: list[str] | None = None) -> list[dict[str, Any]]:
    """One row a session that has bills, with ``problems``: what an admin should look at, in plain words."""
    fresh = {row["code"]: row for row in survey(engine, now=now)}
    with reading(engine) as connection:
        vanished = _by_session(connection, _VANISHED)
        actions = _by_session(connection, _UNKNOWN)
        issues: dict[str, dict[str, int]] = {}
        for issue in connection.execute(text(_ISSUES)):
            issues.setdefault(issue.jurisdiction, {})[issue.kind] = int(issue.times)
        rows = [dict(counted._mapping) for counted in connection.execute(text(_COUNTS))]
    places = jurisdictions.load()
    found = []
    for row in rows:
        code = row["jurisdiction"]
        if codes and code not in codes:
            continue
        place = (code, row["session"])
        row["known"] = bool(row["known"])
        row["vanished"] = vanished[place].bills if place in vanished else 0
        row["actions"] = actions[place].actions if place in actions else 0
        row["unknown_actions"] = int(actions[place].unknown) if place in actions else 0
        sources = places.sources_for(code)
        row["source"], row["proof"] = (sources[0].name, str(sources[0].proof)) if sources else ("", "")
        row["freshness"] = fresh[code]["freshness"]["state"] if code in fresh else "unseen"
        row["last_run_issues"] = issues.get(code, {})
        row["problems"] = problems(row)
        found.append(row)
    return found


def _by_session(connection: Connection, sql: str) -> dict[tuple[str, str], Any]:
    return {(row.jurisdiction, row.session): row for row in connection.execute(text(sql))}


# The share of a session's bills from which a gap is worth an admin's time.
_LOOK = {
    "without_actions": (0.02, "have no action"),
    "without_sponsors": (0.10, "have no sponsor"),
    "without_versions": (0.10, "have no version"),
    "unreadable_text": (0.02, "have only texts that could not be read"),
    "without_url": (0.0, "have no official page"),
    "missing_lately": (0.02, "were missing in the last complete crawl"),
    "vanished": (0.0, "vanished from their source"),
}


def problems(row: dict[str, Any]) -> list[str]:
    """What stands out in one session's numbers."""
    found = []
    for name, (share, words) in _LOOK.items():
        if row[name] and row[name] > share * row["bills"]:
            found.append(f"{row[name]:,} of {row['bills']:,} bills {words}")
    if row["actions"] and row["unknown_actions"] > 0.05 * row["actions"]:
        found.append(f"{row['unknown_actions']:,} of {row['actions']:,} actions fit no rule")
    if not row["known"]:
        found.append("the session is not in the list of sessions")
    if row["freshness"] in ("stale", "failing"):
        found.append(f"the state is {row['freshness']}")
    rejected = row["last_run_issues"].get("rejected", 0)
    if rejected:
        found.append(f"{rejected:,} records were rejected in the last run")
    return found
