"""A run is judged by its own past before it is published."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from crawlers import plans
from crawlers.blocked import is_boilerplate
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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"boilerplate": 15}, "a web page's words as their title"),
        ({"months": {"2026-01": 4000, "2019-03": 200}}, "200 actions lie far outside the session"),
        (
            {"newest_action": "2026-01-20"},
            "the newest action is of 2026-01-20, where the last good run had one of 2026-02-10",
        ),
    ],
)
def test_odd_titles_and_dates_hold_a_run_back(change: dict[str, Any], says: str) -> None:
    assert says in " ".join(judge(run(**change), history(), PERIOD).reasons)


def test_a_legislature_that_stands_still_while_it_sits_is_not_believed_twice() -> None:
    late = history(today="2026-04-01")
    assert "50 days old" in judge(run(), late, PERIOD).reasons[0]
    first = judge(run(), {**late, "runs": []}, PERIOD)
    assert first.publish and "50 days old" in first.warnings[0]
    assert judge(run(), {**late, "sitting": "adjourned"}, PERIOD).publish
    assert judge(run(replayed=True), late, PERIOD).publish


def test_histories_that_become_shorter_are_seen_by_bill() -> None:
    before = {f"2026/HB {n}": 6 for n in range(1, 101)}
    now = before | {f"2026/HB {n}": 2 for n in range(1, 11)}
    verdict = judge(run(), history(actions=before), PERIOD, now)
    assert verdict.reasons == ["the history of 10 of 100 bills became shorter, as 2026/HB 1: 2 actions after 6"]
    one = judge(run(), history(actions=before), PERIOD, before | {"2026/HB 1": 5})
    assert one.publish and "1 bills became shorter" in one.warnings[0]


def test_what_was_seen_unchanged_counts_as_there() -> None:
    little = run(bills=30, present_count=970, actions=150, fields={"title": 30, "actions": 30, "sponsorships": 30})
    assert judge(little, history(), PERIOD).publish
    assert not judge({**little, "present_count": 800}, history(), PERIOD).publish
    broken = {**little, "fields": {"title": 30, "actions": 30}}
    assert "sponsorships on 0%" in judge(broken, history(), PERIOD).reasons[0]
    # The numbers of such a run are no measure for the next one.
    small = {**run(bills=30, present_count=970), "fields": {"title": 30, "versions": 30}}
    assert judge(run(), history(runs=[small, run()]), PERIOD).publish


def test_another_source_is_not_compared() -> None:
    fewer = run(source="govbot", bills=500, actions=900, fields={})
    assert judge(fewer, history(actions={"2026/HB 1": 9}), PERIOD, {"2026/HB 1": 1}).publish


@pytest.mark.parametrize(
    ("title", "odd"),
    [
        ("Please enable JavaScript to view this page", True),
        ("Page Not Found", True),
        ("404 - File or directory not found.", True),
        ("Bill Status", True),
        ("Relating to a home search program", False),
        ("An act concerning errors in title searches; error correction", False),
        ("Access to denied boarding compensation", False),
    ],
)
def test_a_web_pages_words_are_no_title(title: str, odd: bool) -> None:
    assert is_boilerplate(title) is odd


@pytest.mark.parametrize(
    ("code", "day", "sessions"),
    [
        ("va", "2026-02-01", ["2026"]),
        # Adjourned on 14 March; the governor may act until 22 May.
        ("va", "2026-05-01", ["2026"]),
        # Nothing moves: the nearest one.
        ("va", "2026-08-01", ["2026"]),
        # The last Congress's bills are still being signed.
        ("us", "2025-01-15", ["118", "119"]),
    ],
)
def test_every_session_that_still_moves_is_crawled(code: str, day: str, sessions: list[str]) -> None:
    planned = plans.of([code], dt.date.fromisoformat(day), {})
    assert [plan["session"] for plan in planned] == sessions
    mirror = plans.of([code], dt.date.fromisoformat(day), {code: "govbot"})
    assert [(plan["source"], plan["session"]) for plan in mirror] == [("govbot", "")]


def test_a_source_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="choose from lis, govbot"):
        plans.of(["va"], dt.date(2026, 2, 1), {"va": "nonsense"})
