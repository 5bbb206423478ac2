"""A run is judged by its own past before it is published."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from crawlers.health import judge

PERIOD = (dt.date(2026, 1, 14), dt.date(2026, 3, 14))


def run(**more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "session": "2026",
        "complete": True,
        "outcome": "ok",
        "bills": 1000,
        "actions": 5000,
        "fields": {"title": 1000, "actions": 990, "sponsorships": 1000},
        "newest_action": "2026-02-10",
        "oldest_action": "2026-01-02",
        "commonest_title": ["A title", 3],
        "rejected_count": 0,
    }
    return {**made, **more}


def history(**more: Any) -> dict[str, Any]:
    return {"runs": [run()], "today": "2026-02-11", "sitting": "sitting", **more}


def test_a_run_like_the_last_one_is_published() -> None:
    verdict = judge(run(), history(), PERIOD)
    assert verdict.publish and not verdict.warnings


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bills": 940, "fields": {}}, "940 bills, where the last good run had 1,000"),
        ({"bills": 0}, "no bills at all"),
        ({"actions": 4000}, "4,000 actions"),
        ({"fields": {"title": 1000, "actions": 990, "sponsorships": 100}}, "sponsorships on 10% of the bills"),
        ({"commonest_title": ["Please enable JavaScript", 900]}, "the same title"),
        ({"rejected_count": 600}, "could not be read"),
    ],
)
def test_a_bad_run_is_held_back_with_its_reason(change: dict[str, Any], says: str) -> None:
    verdict = judge(run(**change), history(), PERIOD)
    assert not verdict.publish
    assert says in " ".join(verdict.reasons)


def test_another_session_is_not_compared() -> None:
    assert judge(
        run(session="2027", bills=40, actions=50, fields={}, commonest_title=["x", 1]), history(), None
    ).publish


def test_odd_dates_want_a_look_but_lose_nothing() -> None:
    verdict = judge(run(oldest_action="2019-01-01"), history(), PERIOD)
    assert verdict.publish and "far outside the session" in verdict.warnings[0]
    silent = judge(run(), history(today="2026-03-13"), PERIOD)
    assert silent.publish and "newest action is 31 days old" in silent.warnings[0]
