"""Calendar and Atom feeds: they parse, come without a key, and hold what the database holds."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator

import httpx
import pytest
from icalendar import Calendar
from sqlalchemy import Engine

from tests.tracker import analysts
from tests.tracker.web.conftest import Serve
from tracker.web.dependencies import clock


@pytest.fixture
def web(engine: Engine, serve: Serve) -> Iterator[httpx.Client]:
    analysts.fill(engine)
    with httpx.Client(base_url=serve(engine, replaced={clock: lambda: analysts.NOW}), timeout=20) as client:
        yield client


def test_hearings_as_a_calendar(web: httpx.Client, engine: Engine) -> None:
    reply = web.get("/feeds/hearings.ics", params={"state": "tx", "strategy": "tax_credits"})
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(reply.text).walk("VEVENT")
    assert str(event["summary"]) == "TX Ways & Means: HB 12"
    assert event["dtstart"].dt == dt.datetime(2026, 2, 20, 15, tzinfo=dt.UTC)
    assert event["dtend"].dt - event["dtstart"].dt == dt.timedelta(hours=1)
    assert str(event["status"]) == "CONFIRMED" and str(event["location"]) == "E2.010"
    assert "http://127.0.0.1:8000/bills/tx/89R/HB%2012" in str(event["description"])
    for empty in ({"state": "oh"}, {"strategy": "flexibility"}):
        assert not Calendar.from_ical(web.get("/feeds/hearings.ics", params=empty).text).walk("VEVENT")
    again = web.get("/feeds/hearings.ics", params={"state": "TX"}, headers={"If-None-Match": reply.headers["etag"]})
    assert again.status_code == 304
    bill = copy.deepcopy(analysts.BILLS[0])
    bill["hearings"] = [{**bill["hearings"][0], "time": "upon adjournment", "location": "Line\nbreak; and, more"}]
    analysts.load(engine, [bill], analysts.NOW + dt.timedelta(days=1))
    (moved,) = Calendar.from_ical(web.get("/feeds/hearings.ics").text).walk("VEVENT")
    assert moved["dtstart"].dt == dt.date(2026, 2, 20) and "upon adjournment" in str(moved["description"])
    bill["hearings"] = []
    analysts.load(engine, [bill], analysts.NOW + dt.timedelta(days=2))
    (gone,) = Calendar.from_ical(web.get("/feeds/hearings.ics").text).walk("VEVENT")
    assert str(gone["status"]) == "CANCELLED" and gone["uid"] == moved["uid"]
