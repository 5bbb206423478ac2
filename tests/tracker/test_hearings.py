"""Hearings of one meeting come together, at the right moment, under an id that stays."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.tracker import analysts
from tracker.db import reading
from tracker.hearings import Meeting, count_meetings, find_meeting, meetings_query, read_meetings, start_of

DAY = dt.date(2026, 2, 20)


@pytest.mark.parametrize(
    ("time", "clock"),
    [
        ("09:00", "09:00"),
        ("9:05 AM", "09:05"),
        ("1:30 p.m.", "13:30"),
        ("12:15am", "00:15"),
        ("12 p.m.", "12:00"),
        ("9 a.m.", "09:00"),
        ("14:00:00", "14:00"),
        ("noon", "12:00"),
        ("13:00 PM", None),
        ("25:00", None),
        ("upon adjournment", None),
        ("1/2 hour after session", None),
        ("9", None),
        ("", None),
    ],
)
def test_announced_times(time: str, clock: str | None) -> None:
    start = start_of(DAY, time, "America/Chicago")
    assert (start.strftime("%H:%M") if start else None) == clock
    assert start is None or start.utcoffset() == dt.timedelta(hours=-6)


@given(st.text(max_size=30), st.text(max_size=20))
def test_any_text_is_taken(time: str, zone: str) -> None:
    start_of(DAY, time, zone)


@given(st.dates(), st.text(max_size=20), st.text(max_size=20))
def test_ids_carry_the_day_and_are_uuids(day: dt.date, time: str, committee: str) -> None:
    meeting = Meeting("tx", day, time, committee)
    number = uuid.UUID(meeting.id.removeprefix("ocd-event/"))
    assert dt.date.fromordinal(number.int >> 96) == day and number.version == 8
    assert meeting.id == Meeting("tx", day, time, committee, location="elsewhere").id
    assert meeting.id != Meeting("tx", day, time, committee + "x").id


def hearing(**more: Any) -> dict[str, Any]:
    return {"date": "2026-02-20", "time": "09:00", "committee": "Education", "timezone": "America/Chicago", **more}


def test_meetings_are_made_of_hearings(engine: Engine) -> None:
    bills = [
        analysts.bill("tx", "89R", f"HB {n}", f"An act, number {n}", hearings=[hearing(location="E1.004")])
        for n in range(1, 4)
    ]
    bills.append(analysts.bill("tx", "89R", "HB 4", "Another", hearings=[hearing(time="13:00", status="cancelled")]))
    bills += [
        analysts.bill("oh", "136", f"HB {n}", "Other", hearings=[hearing(committee=f"Committee {n}")])
        for n in range(1, 1_205)
    ]
    analysts.load(engine, bills)
    with reading(engine) as connection:
        texas = meetings_query(codes=["tx"])
        assert count_meetings(connection, texas) == 2
        morning, noon = read_meetings(connection, texas)
        assert [b.identifier for b in morning.bills] == ["HB 1", "HB 2", "HB 3"] and morning.location == "E1.004"
        assert (morning.status, noon.status, noon.deleted) == ("confirmed", "cancelled", False)
        found = find_meeting(connection, morning.id)
        assert found == morning
        for nothing in ("", "ocd-event/x", f"ocd-event/{uuid.uuid4()}", "ocd-event/" + "f" * 32):
            assert find_meeting(connection, nothing) is None
        every = meetings_query()
        assert len(read_meetings(connection, every)) == count_meetings(connection, every) == 1_206
        assert count_meetings(connection, meetings_query(before=DAY)) == 0
