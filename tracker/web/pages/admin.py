"""For those who run the service: crawls, what was held back and why, action texts that no rule knows.

Looking only; nothing here changes anything. Open to this machine, and to whoever has the ``admin_key`` of the
settings, as the password of HTTP Basic authentication. Data that were held back are shown to nobody else.
"""

from __future__ import annotations

import hmac
import json
from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlalchemy import Connection, select, text
from sqlalchemy import func as sql

from tracker.bill_tables import table
from tracker.models.runs import CrawlIssueRow, CrawlRunRow
from tracker.web.dependencies import AppSettings, Database
from tracker.web.errors import not_found
from tracker.web.pages.frame import looking, show

SHOWN = 100
ISSUES = 300
_basic = HTTPBasic(auto_error=False, realm="Bill tracker, for admins")


def allowed(
    request: Request, settings: AppSettings, given: Annotated[HTTPBasicCredentials | None, Depends(_basic)]
) -> None:
    """Let admins in: 401 for others where a key is set, else 403."""
    key = settings.admin_key.get_secret_value()
    if key and given and hmac.compare_digest(given.password.encode(), key.encode()):
        return
    if not given and _from_here(request):
        return
    if key:
        raise HTTPException(
            401, "Give the admin key as the password.", {"WWW-Authenticate": 'Basic realm="Bill tracker, for admins"'}
        )
    raise HTTPException(
        403, "These pages open on the machine that serves them; from elsewhere the setting admin_key is needed."
    )


def _from_here(request: Request) -> bool:
    """Whether a browser on this machine asks this machine by its own name, with no proxy between."""
    if any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via")):
        return False
    host = (request.url.hostname or "").lower()
    return _loopback(request.client.host if request.client else "") and (host == "localhost" or _loopback(host))


def _loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


router = APIRouter(prefix="/admin", include_in_schema=False, dependencies=[Depends(allowed)])


@router.get("")
def admin(request: Request, engine: Database) -> Response:
    """What needs a look."""
    runs = table(CrawlRunRow)
    with looking(engine) as connection:
        newest = select(sql.max(runs.c.id)).where(runs.c.status != "running").group_by(runs.c.jurisdiction)
        last = connection.execute(
            select(runs).where(runs.c.id.in_(newest), runs.c.status != "published").order_by(runs.c.id.desc())
        ).all()
        kinds = connection.execute(
            select(CrawlIssueRow.kind, sql.sum(CrawlIssueRow.count).label("times"))
            .where(CrawlIssueRow.run_id.in_(newest))
            .group_by(CrawlIssueRow.kind)
            .order_by(sql.sum(CrawlIssueRow.count).desc())
        ).all()
        return _show(request, connection, "admin.html", "For admins", last=last, kinds=kinds)


@router.get("/runs")
def runs(request: Request, engine: Database, state: str = "", status: str = "") -> Response:
    """Crawls and loads, newest first."""
    rows = table(CrawlRunRow)
    query = select(rows).order_by(rows.c.id.desc()).limit(SHOWN)
    if state:
        query = query.where(rows.c.jurisdiction == state.lower()[:2])
    if status:
        query = query.where(rows.c.status == status)
    with looking(engine) as connection:
        found = connection.execute(query).all()
        return _show(request, connection, "admin_runs.html", "Runs", runs=found, state=state, wanted=status)


@router.get("/runs/{run_id}")
def run(request: Request, run_id: int, engine: Database) -> Response:
    """One run: its numbers, and everything that it noted."""
    rows, issues = table(CrawlRunRow), table(CrawlIssueRow)
    with looking(engine) as connection:
        found = connection.execute(select(rows).where(rows.c.id == run_id)).one_or_none()
        if found is None:
            raise not_found("There is no such run.")
        noted = connection.execute(
            select(issues).where(issues.c.run_id == run_id).order_by(issues.c.count.desc(), issues.c.id).limit(ISSUES)
        ).all()
        numbers = json.dumps(found.numbers, indent=2, ensure_ascii=False, default=str)
        title = f"Run {run_id}, {found.jurisdiction.upper()}"
        return _show(request, connection, "admin_run.html", title, run=found, issues=noted, numbers=numbers)


@router.get("/held")
def held(request: Request, engine: Database) -> Response:
    """Crawls that were not published, and whether a later one made them good."""
    rows = table(CrawlRunRow)
    later = rows.alias("later")
    healed = (
        select(sql.min(later.c.id))
        .where(later.c.jurisdiction == rows.c.jurisdiction, later.c.status == "published", later.c.id > rows.c.id)
        .scalar_subquery()
    )
    with looking(engine) as connection:
        found = connection.execute(
            select(rows, healed.label("healed"))
            .where(rows.c.status.in_(("held", "failed")))
            .order_by(rows.c.id.desc())
            .limit(SHOWN)
        ).all()
        return _show(request, connection, "admin_held.html", "Held back", runs=found)


@router.get("/actions")
def actions(request: Request, engine: Database, state: str = "") -> Response:
    """Action texts that no rule knows, most frequent first: what to write a rule for next."""
    where = "WHERE kind = 'unknown_action'" + (" AND jurisdiction = :code" if state else "")
    with looking(engine) as connection:
        found = connection.execute(
            text(
                "SELECT jurisdiction, detail, sum(count) AS times, max(seen_at) AS seen, max(run_id) AS run_id"
                f" FROM crawl_issue {where} GROUP BY jurisdiction, detail"
                f" ORDER BY times DESC, jurisdiction, detail LIMIT {ISSUES}"
            ),
            {"code": state.lower()[:2]} if state else {},
        ).all()
        by_state = connection.execute(
            text(
                "SELECT jurisdiction, count(DISTINCT detail) AS texts, sum(count) AS times FROM crawl_issue"
                " WHERE kind = 'unknown_action' GROUP BY jurisdiction ORDER BY times DESC"
            )
        ).all()
        return _show(
            request,
            connection,
            "admin_actions.html",
            "Unknown actions",
            actions=found,
            by_state=by_state,
            state=state.lower()[:2],
        )


def _show(request: Request, connection: Connection, template: str, title: str, **values: Any) -> Response:
    reply = show(request, connection, template, title=title, **values)
    reply.headers["Cache-Control"] = "no-store"
    return reply
