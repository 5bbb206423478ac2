"""When a state is crawled: never in its quiet hours, at least daily, in order, through every change of the clocks."""

from __future__ import annotations

import datetime as dt
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker import jurisdictions
from tracker.jurisdictions import Politeness, QuietHours
from tracker.rhythm import Rhythm, moments

CODES = sorted(jurisdictions.load())
NOW = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 12, 1), timezones=st.just(dt.UTC))


@settings(max_examples=150, deadline=None)
@given(code=st.sampled_from(CODES), now=NOW)
def test_the_next_moment_is_ahead_and_not_far(code: str, now: dt.datetime) -> None:
    rhythm = Rhythm(code)
    moment = rhythm.get_next_fire_time(None, now)
    seen = []
    for _ in range(30):
        assert moment is not None
        assert moment >= now
        seen.append(moment)
        following = rhythm.get_next_fire_time(moment, moment)
        assert following is not None
        # Aware moments of one zone compare by their wall clocks: compare in UTC.
        gap = following.astimezone(dt.UTC) - moment.astimezone(dt.UTC)
        assert dt.timedelta(0) < gap <= dt.timedelta(hours=26)
        moment = following
    assert len({m.astimezone(dt.UTC) for m in seen}) == len(seen)


@settings(max_examples=60, deadline=None)
@given(
    code=st.sampled_from(CODES),
    day=st.dates(dt.date(2025, 1, 1), dt.date(2027, 12, 1)),
    start=st.times(),
    end=st.times(),
)
def test_quiet_hours_are_kept_on_the_longest_and_the_shortest_day(
    code: str, day: dt.date, start: dt.time, end: dt.time
) -> None:
    quiet = QuietHours(start=start.replace(tzinfo=None), end=end)
    places = jurisdictions.load()
    place = places[code]
    changed = place.model_copy(update={"politeness": Politeness(quiet_hours=quiet)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(places._places, code, changed)
        for moment in moments(code, day):
            assert not quiet.covers(moment.astimezone(place.zone).time())


def test_a_sitting_chamber_is_asked_more_often_and_hourly_before_a_session_day() -> None:
    sunday, friday, august = dt.date(2026, 2, 1), dt.date(2026, 2, 6), dt.date(2026, 8, 12)
    assert len(moments("va", friday)) == 5
    assert len(moments("va", august)) == 1
    hours = {m.astimezone(jurisdictions.load()["va"].zone).hour for m in moments("va", sunday)}
    assert hours >= set(range(15, 22)), "Monday is a session day: Sunday's evening is asked every hour"


def test_a_long_absence_is_not_gone_through_hour_by_hour() -> None:
    now = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
    moment = Rhythm("va").get_next_fire_time(now - dt.timedelta(days=400), now)
    assert moment is not None and now - dt.timedelta(days=2) <= moment


def test_a_rhythm_survives_the_job_store() -> None:
    again = pickle.loads(pickle.dumps(Rhythm("tx", "govbot")))  # noqa: S301 — what the job store does
    assert (again.code, again.source) == ("tx", "govbot")
