"""What strategies add up to, on both databases, is what a search for them finds."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine, text

from tests.tracker import analysts
from tracker import overview
from tracker.db import reading, writing
from tracker.overview import months, quotes, spread, strategy_sums
from tracker.query import QueryError
from tracker.search import Query, search
from tracker.search_index import catch_up


@pytest.fixture
def bills(engine: Engine) -> Engine:
    """The test bills, one of them law."""
    analysts.fill(engine)
    with writing(engine) as connection:
        connection.execute(
            text("UPDATE bill SET stage = 'became_law', stage_date = '2026-04-02' WHERE identifier = 'SB 7'")
        )
    catch_up(engine)
    return engine


def test_sums_are_what_a_search_finds(bills: Engine) -> None:
    with reading(bills) as connection:
        sums = strategy_sums(connection)
        for strategy in ("tax_credits", "flexibility"):
            hits = search(connection, Query(strategies=[strategy], limit=100)).hits
            assert sums[strategy].bills == len(hits)
            assert sum(sums[strategy].jurisdictions.values()) == len(hits)
            assert set(sums[strategy].jurisdictions) == {hit.jurisdiction for hit in hits}
            shown = quotes(connection, [hit.bill_id for hit in hits], strategy)
            assert set(shown) == {hit.bill_id for hit in hits} and all(shown.values())
        assert (sums["tax_credits"].laws, sums["flexibility"].laws) == (1, 0)


def test_months_have_no_gaps(bills: Engine) -> None:
    with reading(bills) as connection:
        found = months(connection, "tax_credits")
        assert [(m.month.isoformat()[:7], m.begun, m.laws) for m in found] == [
            ("2026-01", 1, 0),
            ("2026-02", 1, 0),
            ("2026-03", 0, 0),
            ("2026-04", 0, 1),
        ]
        assert months(connection, "agency_rules") == []


def test_a_spread_is_in_the_order_of_first_actions(bills: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(bills) as connection:
        found = spread(connection, Query("apprentic*"))
        assert [(one.jurisdiction, one.first) for one in found] == [
            ("tx", dt.date(2026, 1, 20)),
            ("tx", dt.date(2026, 2, 1)),
            ("oh", dt.date(2026, 2, 5)),
            ("md", dt.date(2026, 2, 9)),
        ]
        monkeypatch.setattr(overview, "SPREAD", 3)
        with pytest.raises(QueryError, match="more than 3 bills"):
            spread(connection, Query("apprentic*"))
