"""Hearings as a calendar to subscribe to. Calendar programs cannot send keys, so none is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query
from fastapi.responses import Response

from tracker.cleaning import bill_page, clean, shorten, web_address
from tracker.db import reading
from tracker.hearings import Meeting, meetings_query, read_meetings
from tracker.web.dependencies import AppSettings, Database, Now

router = APIRouter()
MEETINGS = 1_000
DAYS_BACK = 30
BILLS = 40
States = Annotated[list[str], Query(max_length=60)]


@router.get("/feeds/hearings.ics")
def hearings(
    engine: Database,
    settings: AppSettings,
    now: Now,
    state: States = [],  # noqa: B006 - FastAPI copies it
    strategy: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Hearings from a month ago on, as a calendar to subscribe to; with ``strategy``, of bills tagged so."""
    query = meetings_query(
        codes=[code.lower() for code in state],
        after=now.date() - dt.timedelta(days=DAYS_BACK),
        deleted=None,
        strategies=strategy,
    )
    with reading(engine) as connection:
        meetings = read_meetings(connection, query.limit(MEETINGS))
    return Response(_calendar(meetings, settings.public_url, now), media_type="text/calendar; charset=utf-8")


def _calendar(meetings: Sequence[Meeting], public_url: str, now: dt.datetime) -> bytes:
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//billtracker//hearings//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Bill hearings")
    calendar.add("refresh-interval;value=duration", "PT1H")
    host = urlsplit(public_url).hostname or "localhost"
    for meeting in meetings:
        event = Event()
        numbers = ", ".join(bill.identifier for bill in meeting.bills[:8])
        more = f" and {len(meeting.bills) - 8} more" if len(meeting.bills) > 8 else ""
        state = meeting.jurisdiction.upper()
        event.add("uid", f"{meeting.id.removeprefix('ocd-event/')}@{host}")
        event.add("dtstamp", meeting.changed_at or now)
        event.add("summary", clean(f"{state} {meeting.committee or 'Hearing'}: {numbers}{more}"))
        start = meeting.start
        if start is None:
            event.add("dtstart", meeting.date)
        else:
            # In UTC: no calendar program needs our list of time zones for it.
            event.add("dtstart", start.astimezone(dt.UTC))
            event.add("dtend", start.astimezone(dt.UTC) + dt.timedelta(hours=1))
        if meeting.location:
            event.add("location", clean(meeting.location))
        off = meeting.deleted or meeting.status == "cancelled"
        event.add("status", "CANCELLED" if off else "TENTATIVE" if meeting.status == "tentative" else "CONFIRMED")
        event.add("description", "\n".join(_agenda(meeting, public_url)))
        if web_address(meeting.url):
            event.add("url", meeting.url)
        calendar.add_component(event)
    body: bytes = calendar.to_ical()
    return body


def _agenda(meeting: Meeting, public_url: str) -> list[str]:
    lines = [f"Announced time: {clean(meeting.time)}"] if meeting.time and meeting.start is None else []
    for bill in meeting.bills[:BILLS]:
        page = bill_page(public_url, meeting.jurisdiction, bill.session, bill.identifier)
        lines.append(f"{clean(bill.identifier)}: {shorten(bill.title, 200)}\n{page}")
    return lines
