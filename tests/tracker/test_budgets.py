"""A key's allowance is never exceeded, whatever becomes of the crawls."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from tracker import budgets, crawling, jurisdictions
from tracker.db import reading, writing
from tracker.settings import Settings

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
LEGISCAN = jurisdictions.load().mirrors["legiscan"].source
OPENSTATES = jurisdictions.load().mirrors["openstates"].source


def used(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT coalesce(sum(used), 0) FROM source_budget")).scalar_one())


def test_what_a_crawl_leaves_is_there_for_the_next(engine: Engine) -> None:
    wishes = Settings(queries={"openstates": 300})
    assert budgets.take(engine, OPENSTATES, wishes, NOW) == 100
    budgets.give_back(engine, OPENSTATES, wishes, 60, NOW)
    assert used(engine) == 40
    # A crawl that died has used all of its share.
    assert [budgets.take(engine, OPENSTATES, wishes, NOW) for _ in range(4)] == [100, 100, 60, 0]
    assert used(engine) == 300
    tomorrow = NOW + dt.timedelta(days=1)
    assert budgets.take(engine, OPENSTATES, wishes, tomorrow) == 100


def test_a_month_is_one_period(sqlite: Engine) -> None:
    wishes = Settings()
    assert budgets.take(sqlite, LEGISCAN, wishes, NOW) == 2500
    assert budgets.take(sqlite, LEGISCAN, wishes, NOW + dt.timedelta(days=3)) == 1875
    assert budgets.limit_of(LEGISCAN, wishes, NOW) == (10_000, "2026-11")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spent=st.lists(st.integers(0, 400), max_size=30))
def test_no_order_of_crawls_exceeds_it(sqlite: Engine, spent: list[int]) -> None:
    with writing(sqlite) as connection:
        connection.execute(text("DELETE FROM source_budget"))
    real = 0
    for wish in spent:
        share = budgets.take(sqlite, OPENSTATES, Settings(), NOW)
        asked = min(wish, share)
        real += asked
        if wish % 3:
            budgets.give_back(sqlite, OPENSTATES, Settings(), share - asked, NOW)
    assert real <= used(sqlite) <= 250


def test_a_crawl_whose_allowance_is_used_up_is_not_begun(sqlite: Engine, tmp_path: Path) -> None:
    wishes = Settings(home=tmp_path, queries={"legiscan": 0})
    with pytest.raises(crawling.CrawlError, match="legiscan's allowance is used up"):
        crawling.crawl(crawling.Plan("ga", source="legiscan"), wishes, sqlite, now=NOW)
    assert not list(tmp_path.glob("**/*.jsonl"))
