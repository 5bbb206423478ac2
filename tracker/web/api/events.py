"""``/events``: committees' meetings, made of the hearings that sources announce for bills."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from tracker import jurisdictions
from tracker.db import reading
from tracker.hearings import Meeting, count_meetings, find_meeting, meetings_query, read_meetings
from tracker.web.api import resources
from tracker.web.api.organizations import compact
from tracker.web.api.parameters import ERRORS, JurisdictionName, PageNumber, Since, find_jurisdiction, moment, page_of
from tracker.web.api.parameters import per_page as size
from tracker.web.dependencies import Database
from tracker.web.errors import not_found

router = APIRouter(tags=["events"], responses=ERRORS)
MAX_PER_PAGE = 20


class Include(StrEnum):
    """Parts of an event that come when asked for."""

    LINKS = "links"
    SOURCES = "sources"
    MEDIA = "media"
    DOCUMENTS = "documents"
    PARTICIPANTS = "participants"
    AGENDA = "agenda"


Included = Annotated[list[Include], Query(description="Parts to add; may be repeated.")]


@router.get("/events", response_model_exclude_none=True)
def list_events(
    engine: Database,
    jurisdiction: JurisdictionName = None,
    deleted: Annotated[bool, Query(description="Those that sources took back.")] = False,
    before: Since = None,
    after: Since = None,
    require_bills: Annotated[bool, Query(description="All of ours have bills.")] = False,
    include: Included = [],  # noqa: B006 - FastAPI copies it
    page: PageNumber = 1,
    per_page: Annotated[int, size(20)] = 20,
) -> resources.Listed[resources.Event]:
    """A jurisdiction's meetings by time, from the day `after` on and earlier than `before`: days there."""
    asked = page_of(page, per_page, MAX_PER_PAGE)
    if not jurisdiction:
        raise HTTPException(400, "jurisdiction is needed")
    query = meetings_query(
        codes=[place.code if (place := find_jurisdiction(jurisdiction)) else ""],
        after=moment(after, "after").date() if after else None,
        before=moment(before, "before").date() if before else None,
        deleted=deleted,
    )
    with reading(engine) as connection:
        pagination = asked.described(count_meetings(connection, query))
        found = read_meetings(connection, query.limit(asked.size).offset(asked.offset))
    return resources.Listed(
        results=[_resource(meeting, include) for meeting in found], pagination=resources.Pagination(**pagination)
    )


@router.get("/events/{event_id:path}", response_model_exclude_none=True)
def get_event(
    engine: Database,
    event_id: Annotated[str, Path(description="ocd-event/ and a UUID.", max_length=200)],
    include: Included = [],  # noqa: B006 - FastAPI copies it
) -> resources.Event:
    """One meeting, also one that was taken back."""
    with reading(engine) as connection:
        meeting = find_meeting(connection, event_id)
    if meeting is None:
        raise not_found("No such Event.")
    return _resource(meeting, include)


def _resource(meeting: Meeting, include: Collection[Include]) -> resources.Event:
    start = meeting.start
    links = [resources.Link(url=meeting.url)] if meeting.url else []
    parts: dict[Include, Any] = {
        Include.LINKS: links,
        Include.SOURCES: links,
        Include.MEDIA: [],
        Include.DOCUMENTS: [],
        Include.PARTICIPANTS: _participants(meeting),
        Include.AGENDA: _agenda(meeting),
    }
    return resources.Event(
        id=meeting.id,
        name=meeting.committee or "Hearing",
        jurisdiction=compact(jurisdictions.load()[meeting.jurisdiction]),
        description="" if start else meeting.time,
        classification="committee-meeting",
        start_date=start.isoformat() if start else meeting.date.isoformat(),
        all_day=start is None,
        status=meeting.status,
        deleted=meeting.deleted,
        location=resources.Place(name=meeting.location) if meeting.location else None,
        **{name.value: parts[name] for name in include},
    )


def _participants(meeting: Meeting) -> list[resources.Participant]:
    if not meeting.committee:
        return []
    return [resources.Participant(note="host", name=meeting.committee, entity_type="organization")]


def _agenda(meeting: Meeting) -> list[resources.AgendaItem]:
    return [
        resources.AgendaItem(
            description=f"{bill.identifier}: {bill.title}",
            order=order,
            notes=[bill.status] if bill.status == "cancelled" else [],
            related_entities=[
                resources.RelatedEntity(
                    note="consideration",
                    name=bill.identifier,
                    entity_type="bill",
                    bill=resources.EventBill(
                        id=bill.ocd_id, session=bill.session, identifier=bill.identifier, title=bill.title
                    ),
                )
            ],
        )
        for order, bill in enumerate(meeting.bills)
    ]
