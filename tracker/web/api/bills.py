"""``/bills``: lists by filters and words, and one bill by id or by jurisdiction, session and number."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from tracker import playbook
from tracker.db import reading
from tracker.history import NoBill, find_bill
from tracker.records import bill_key, normalise_identifier
from tracker.vocabulary import Stage
from tracker.web.api import resources
from tracker.web.api.bill_resources import Include, bill_resources
from tracker.web.api.bill_search import Asked, Sort, count_and_page
from tracker.web.api.parameters import (
    ERRORS,
    AsOf,
    JurisdictionName,
    PageNumber,
    Since,
    as_of_moment,
    find_jurisdiction,
    moment,
    one_of,
    page_of,
)
from tracker.web.api.parameters import (
    per_page as size,
)
from tracker.web.dependencies import AppSettings, Database
from tracker.web.errors import not_found
from tracker.web.memory import Remembered

router = APIRouter(tags=["bills"], responses=ERRORS)
MAX_PER_PAGE = 20
MAX_IDENTIFIERS = 20

STRATEGY = one_of([*playbook.load().strategies, "in_scope"], "Applied strategies; any of them (ours).")
Included = Annotated[list[Include], Query(description="Parts to add; may be repeated.")]
Text = Annotated[str | None, Query(max_length=300)]


@router.get("/bills", response_model_exclude_none=True)
def list_bills(
    engine: Database,
    settings: AppSettings,
    memory: Remembered,
    jurisdiction: JurisdictionName = None,
    session: Text = None,
    chamber: Annotated[str | None, Query(description="upper, lower or legislature.", max_length=40)] = None,
    identifier: Annotated[list[str], Query(description="Up to 20, in any spelling.")] = [],  # noqa: B006
    classification: Text = None,
    subject: Annotated[list[str], Query(description="All must be there.", max_length=20)] = [],  # noqa: B006
    updated_since: Since = None,
    created_since: Since = None,
    action_since: Since = None,
    sort: Sort = Sort.UPDATED_DESC,
    sponsor: Annotated[str | None, Query(description="A sponsor's name, or words of it.", max_length=300)] = None,
    sponsor_classification: Text = None,
    q: Annotated[str | None, Query(description="Words as in search; “HB 12” means the number.")] = None,
    include: Included = [],  # noqa: B006 - FastAPI copies it
    page: PageNumber = 1,
    per_page: Annotated[int, size(20)] = 10,
    strategy: Annotated[list[str], STRATEGY] = [],  # noqa: B006
    min_score: Annotated[
        float | None, Query(ge=0, le=1, allow_inf_nan=False, description="Tags from this score, applied or not (ours).")
    ] = None,
    stage: Annotated[list[Stage], Query(description="How far they have come; any of them (ours).")] = [],  # noqa: B006
    as_of: AsOf = None,
) -> resources.Listed[resources.Bill]:
    """Bills by filters, words, or both. Needs `jurisdiction`, `q`, or `strategy`."""
    asked_page = page_of(page, per_page, MAX_PER_PAGE)
    then = as_of_moment(as_of)
    asked = Asked(
        code=_code(jurisdiction),
        session=session or "",
        chamber=chamber or "",
        identifiers=[normalise_identifier(one) for one in identifier],
        classification=classification or "",
        subjects=subject,
        updated_since=moment(updated_since, "updated_since") if updated_since else None,
        created_since=moment(created_since, "created_since") if created_since else None,
        action_since=moment(action_since, "action_since").date() if action_since else None,
        sponsor=sponsor or "",
        sponsor_classification=sponsor_classification or "",
        words=(q or "").strip(),
        strategies=_strategies(strategy),
        min_score=min_score,
        stages=stage,
        seen_by=then,
        sort=sort,
    )
    _check(asked, jurisdiction)
    if jurisdiction and not asked.code:
        pagination = asked_page.described(0)
        return resources.Listed(results=[], pagination=resources.Pagination(**pagination))
    with reading(engine) as connection:
        pagination, ids = count_and_page(connection, memory, asked, asked_page)
        found = bill_resources(connection, ids, include, settings.public_url, then)
    return resources.Listed(results=found, pagination=resources.Pagination(**pagination))


@router.get("/bills/ocd-bill/{bill_id}", response_model_exclude_none=True)
def get_bill_by_id(
    engine: Database,
    settings: AppSettings,
    bill_id: Annotated[str, Path(description="The UUID of the bill's public id.", max_length=60)],
    include: Included = [],  # noqa: B006 - FastAPI copies it
    as_of: AsOf = None,
) -> resources.Bill:
    """One bill by its public id."""
    return _one(engine, settings, f"ocd-bill/{bill_id}", include, as_of)


@router.get("/bills/{jurisdiction}/{session}/{bill_id}", response_model_exclude_none=True)
def get_bill(
    engine: Database,
    settings: AppSettings,
    jurisdiction: Annotated[str, Path(description="Postal code, name or OCD id.", max_length=200)],
    session: Annotated[str, Path(description="Session as the jurisdiction names it.", max_length=60)],
    bill_id: Annotated[str, Path(description="The bill's number in any spelling: HB 12, hb12.", max_length=100)],
    include: Included = [],  # noqa: B006 - FastAPI copies it
    as_of: AsOf = None,
) -> resources.Bill:
    """One bill by jurisdiction, session and number."""
    place = find_jurisdiction(jurisdiction)
    if place is None:
        raise not_found("No such Bill.")
    return _one(engine, settings, bill_key(place.code, session, normalise_identifier(bill_id)), include, as_of)


def _one(
    engine: Database, settings: AppSettings, key: str, include: list[Include], as_of: str | None
) -> resources.Bill:
    then = as_of_moment(as_of)
    with reading(engine) as connection:
        try:
            return bill_resources(connection, [find_bill(connection, key)], include, settings.public_url, then)[0]
        except NoBill as error:
            raise not_found("No such Bill." if then is None else f"No such Bill: {error}.") from None


def _code(jurisdiction: str | None) -> str:
    place = find_jurisdiction(jurisdiction) if jurisdiction else None
    return place.code if place else ""


def _strategies(asked: list[str]) -> list[str]:
    known = [*playbook.load().strategies, "in_scope"]
    for name in asked:
        if name not in known:
            raise HTTPException(400, f"strategy {name[:60]!r} is not in the playbook: choose from {', '.join(known)}")
    return asked


def _check(asked: Asked, jurisdiction: str | None) -> None:
    """Open States' own rules for what may be asked together."""
    wrong = ""
    if len(asked.identifiers) > MAX_IDENTIFIERS:
        wrong = f"at most {MAX_IDENTIFIERS} identifiers can be given at once"
    elif not all(asked.identifiers):
        wrong = "an identifier has letters and a number, such as HB 12"
    elif asked.session and not jurisdiction:
        wrong = "session needs a jurisdiction"
    elif asked.sponsor_classification and not asked.sponsor.strip():
        wrong = "sponsor_classification needs a sponsor"
    elif asked.sponsor.startswith("ocd-person/"):
        wrong = "people have no ids here: give a sponsor by name"
    elif not (jurisdiction or asked.words or asked.strategies):
        wrong = "jurisdiction or q is needed (or strategy)"
    if wrong:
        raise HTTPException(400, wrong)
