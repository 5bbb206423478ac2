"""``/jurisdictions``: what is covered, with sessions and runs."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Annotated

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
from tracker.web.dependencies import Database
from tracker.web.errors import not_found

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
    engine: Database,
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
        found = _described(connection, places[asked.offset : asked.offset + asked.size], include)
    return resources.Listed(results=found, pagination=resources.Pagination(**pagination))


@router.get("/jurisdictions/{jurisdiction_id:path}", response_model_exclude_none=True)
def get_jurisdiction(
    engine: Database,
    jurisdiction_id: JurisdictionId,
    include: Included = [],  # noqa: B006 - FastAPI copies it
) -> resources.Jurisdiction:
    """One jurisdiction."""
    place = find_jurisdiction(jurisdiction_id)
    if place is None:
        raise not_found("No such Jurisdiction.")
    with reading(engine) as connection:
        return _described(connection, [place], include)[0]


def _described(
    connection: Connection, places: Sequence[Jurisdiction], include: Collection[Include]
) -> list[resources.Jurisdiction]:
    codes = [place.code for place in places]
    changed = connection.execute(
        select(BillRow.jurisdiction, func.max(BillRow.last_changed_at))
        .where(BillRow.jurisdiction.in_(codes))
        .group_by(BillRow.jurisdiction)
    )
    latest = {code: moment for code, moment in changed}
    sessions = _sessions(connection, places) if Include.LEGISLATIVE_SESSIONS in include else {}
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


def _sessions(connection: Connection, places: Sequence[Jurisdiction]) -> dict[str, list[resources.LegislativeSession]]:
    """What the data file knows, and sessions that only bills have shown us, oldest first."""
    seen: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in connection.execute(select(SessionRow.jurisdiction, SessionRow.identifier, SessionRow.name)):
        seen[row.jurisdiction].append((row.identifier, row.name))
    found = {}
    for place in places:
        known = sorted(place.sessions, key=lambda session: session.start)
        others = [(i, name) for i, name in sorted(seen[place.code]) if i not in place.by_identifier]
        found[place.code] = [
            *(resources.LegislativeSession(identifier=i, name=name or i) for i, name in others),
            *(
                resources.LegislativeSession(
                    identifier=session.identifier,
                    name=session.name,
                    classification=session.classification,
                    start_date=session.start.isoformat(),
                    end_date=session.end.isoformat(),
                )
                for session in known
            ),
        ]
    return found


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
