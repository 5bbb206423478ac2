"""``/people`` and ``/committees``: nobody is known yet, and the answers say so in Open States' shapes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from tracker.web.api import resources
from tracker.web.api.parameters import ERRORS, JurisdictionName, PageNumber, page_of
from tracker.web.api.parameters import per_page as size
from tracker.web.errors import not_found

router = APIRouter(responses=ERRORS)
Text = Annotated[str | None, Query(max_length=300)]
Many = Annotated[list[str], Query()]
Nothing = resources.Listed[dict[str, Any]]


@router.get("/people", tags=["people"])
def list_people(
    jurisdiction: JurisdictionName = None,
    name: Text = None,
    id_: Annotated[list[str], Query(alias="id")] = [],  # noqa: B006 - FastAPI copies it
    org_classification: Text = None,
    district: Text = None,
    include: Many = [],  # noqa: B006
    page: PageNumber = 1,
    per_page: Annotated[int, size(50)] = 10,
) -> Nothing:
    """People. Sponsors are kept as printed, so there are none here."""
    if not (jurisdiction or name or id_ or org_classification or district):
        raise HTTPException(400, "one of jurisdiction, name, or id is needed")
    if district and not jurisdiction:
        raise HTTPException(400, "district needs a jurisdiction")
    return _none(page, per_page, 50)


@router.get("/people.geo", tags=["people"])
def people_at(
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
    lng: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    include: Many = [],  # noqa: B006 - FastAPI copies it
) -> Nothing:
    """People whose districts hold this place: none are known."""
    return _none(1, 100, 100)


@router.get("/committees", tags=["committees"])
def list_committees(
    jurisdiction: JurisdictionName = None,
    classification: Text = None,
    parent: Text = None,
    chamber: Text = None,
    include: Many = [],  # noqa: B006 - FastAPI copies it
    page: PageNumber = 1,
    per_page: Annotated[int, size(20)] = 20,
) -> Nothing:
    """Committees. Only their names are known, from hearings: see /events."""
    return _none(page, per_page, 20)


@router.get("/committees/{committee_id:path}", tags=["committees"])
def get_committee(
    committee_id: Annotated[str, Path(max_length=200)],
    include: Many = [],  # noqa: B006 - FastAPI copies it
) -> dict[str, Any]:
    """One committee: none is known."""
    raise not_found("No such Committee.")


def _none(page: int, per_page: int, most: int) -> Nothing:
    pagination = page_of(page, per_page, most).described(0)
    return resources.Listed(results=[], pagination=resources.Pagination(**pagination))
