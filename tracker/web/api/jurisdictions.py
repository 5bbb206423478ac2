"""``/jurisdictions``: what is covered, with sessions and runs."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from sqlalchemy import Connection, func, select

from tracker import jurisdictions
from tracker.db import reading
from tracker.jurisdictions import Jurisdiction
from tracker.models.bills import BillRow, SessionRow
from tracker.models.runs import CrawlRunRow
from tracker.web.api import resources
from tracker.web.api.organizations import classification, compact, organizations
from tracker.web.api.parameters import ERRORS, JurisdictionId, PageNumber, find_jurisdiction, page_of
from tracker.web.api.parameters import per_page as size
from tracker.web.dependencies import Database, PublicBase
from tracker.web.errors import not_found
from tracker.web.memory import Memory, Remembered

router = APIRouter(tags=["jurisdictions"], responses=ERRORS)
MAX_PER_PAGE = 52
RUNS = 20


class Include(StrEnum):
    """Parts of a jurisdiction that come when asked for."""

    ORGANIZATIONS = "organizations"
    LEGISLATIVE_SESSIONS = "legislative_sessions"
    LATEST_RUNS = "latest_runs"


class Kind(StrEnum):
    """Kinds of jurisdictions; there are no municipalities."""

    STATE = "state"
    MUNICIPALITY = "municipality"
    COUNTRY = "country"


Included = Annotated[list[Include], Query(description="Parts to add; may be repeated.")]


@router.get("/jurisdictions", response_model_exclude_none=True)
def list_jurisdictions(
    base: PublicBase,
    engine: Database,
    memory: Remembered,
    kind: Annotated[Kind | None, Query(alias="classification")] = None,
    include: Included = [],  # noqa: B006 - FastAPI copies it
    page: PageNumber = 1,
    per_page: Annotated[int, size(52)] = 52,
) -> resources.Listed[resources.Jurisdiction]:
    """All jurisdictions by name."""
    asked = page_of(page, per_page, MAX_PER_PAGE)
    places = [p for p in jurisdictions.load().values() if kind is None or classification(p) == kind]
    places.sort(key=lambda place: place.name)
    pagination = asked.described(len(places))
    with reading(engine) as connection:
        found = _described(connection, memory, places[asked.offset : asked.offset + asked.size], include, base)
    return resources.Listed(results=found, pagination=resources.Pagination(**pagination))


@router.get("/jurisdictions/{jurisdiction_id:path}", response_model_exclude_none=True)
def get_jurisdiction(
    base: PublicBase,
    engine: Database,
    memory: Remembered,
    jurisdiction_id: JurisdictionId,
    include: Included = [],  # noqa: B006 - FastAPI copies it
) -> resources.Jurisdiction:
    """One jurisdiction."""
    place = find_jurisdiction(jurisdiction_id)
    if place is None:
        raise not_found("No such Jurisdiction.")
    with reading(engine) as connection:
        return _described(connection, memory, [place], include, base)[0]


def _described(
    connection: Connection, memory: Memory, places: Sequence[Jurisdiction], include: Collection[Include], base: str
) -> list[resources.Jurisdiction]:
    codes = [place.code for place in places]
    latest = memory.recall(connection, "latest bill updates", lambda: _latest(connection))
    sessions = {}
    if Include.LEGISLATIVE_SESSIONS in include:
        loaded = memory.recall(connection, "loaded sessions", lambda: _loaded(connection))
        sessions = _sessions(loaded, places, base)
    runs = _runs(connection, codes) if Include.LATEST_RUNS in include else {}
    return [
        resources.Jurisdiction(
            **compact(place).model_dump(),
            division_id=place.division,
            url=place.website,
            latest_bill_update=latest.get(place.code),
            organizations=organizations(place) if Include.ORGANIZATIONS in include else None,
            legislative_sessions=sessions.get(place.code),
            latest_runs=runs.get(place.code, []) if Include.LATEST_RUNS in include else None,
        )
        for place in places
    ]


def _latest(connection: Connection) -> dict[str, dt.datetime]:
    changed = select(BillRow.jurisdiction, func.max(BillRow.last_changed_at)).group_by(BillRow.jurisdiction)
    return {code: moment for code, moment in connection.execute(changed)}


def _loaded(connection: Connection) -> list[Any]:
    """Sessions that have bills, and since when we know them."""
    return list(
        connection.execute(
            select(
                SessionRow.jurisdiction,
                SessionRow.identifier,
                SessionRow.name,
                func.min(BillRow.first_seen_at).label("begun"),
                func.max(BillRow.last_changed_at).label("changed"),
            )
            .join(BillRow, BillRow.session_id == SessionRow.id)
            .group_by(SessionRow.id)
            .order_by(SessionRow.identifier)
        )
    )


def _sessions(
    rows: Sequence[Any], places: Sequence[Jurisdiction], base: str
) -> dict[str, list[resources.LegislativeSession]]:
    """What the data file knows, and sessions that only bills have shown us, oldest first."""
    archives = {(row.jurisdiction, row.identifier): [_archive(base, row)] for row in rows}
    found = {}
    for place in places:
        known = sorted(place.sessions, key=lambda session: session.start)
        others = [r for r in rows if r.jurisdiction == place.code and r.identifier not in place.by_identifier]
        found[place.code] = [
            *(
                resources.LegislativeSession(
                    identifier=row.identifier,
                    name=row.name or row.identifier,
                    downloads=archives[place.code, row.identifier],
                )
                for row in others
            ),
            *(
                resources.LegislativeSession(
                    identifier=session.identifier,
                    name=session.name,
                    classification=session.classification,
                    start_date=session.start.isoformat(),
                    end_date=session.end.isoformat(),
                    downloads=archives.get((place.code, session.identifier), []),
                )
                for session in known
            ),
        ]
    return found


def _archive(base: str, row: Any) -> resources.Download:
    name = quote(f"{row.identifier}_{row.changed:%Y%m%d%H%M%S}", safe="")
    return resources.Download(
        created_at=row.begun,
        updated_at=row.changed,
        data_type="csv",
        url=f"{base}downloads/csv/{row.jurisdiction}/{name}.zip",
    )


def _runs(connection: Connection, codes: Sequence[str]) -> dict[str, list[resources.RunPlan]]:
    found: dict[str, list[resources.RunPlan]] = defaultdict(list)
    rank = func.row_number().over(partition_by=CrawlRunRow.jurisdiction, order_by=CrawlRunRow.id.desc())
    ranked = (
        select(
            CrawlRunRow.id,
            CrawlRunRow.jurisdiction,
            CrawlRunRow.status,
            CrawlRunRow.started_at,
            CrawlRunRow.finished_at,
            rank.label("place"),
        )
        .where(CrawlRunRow.jurisdiction.in_(codes))
        .subquery()
    )
    for row in connection.execute(select(ranked).where(ranked.c.place <= RUNS).order_by(ranked.c.id.desc())):
        finished: dt.datetime | None = row.finished_at
        found[row.jurisdiction].append(
            resources.RunPlan(success=row.status == "published", start_time=row.started_at, end_time=finished)
        )
    return found
