"""Search on both databases: every form and filter against lists made by hand, and against a plain scan."""

from __future__ import annotations

import datetime as dt
import functools
import operator
import re
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Engine, event, text, update

from tests.tracker import analysts
from tracker.db import reading, writing
from tracker.models.bills import BillRow
from tracker.search import Query, QueryError, Results, facets, matching, search
from tracker.search_index import catch_up, index_bills, reindex
from tracker.search_narrowing import narrowing

GOLDEN: dict[str, set[str]] = {
    "tax": {"tx HB 12", "tx SB 7", "md SB 44"},
    "tax credit": {"tx HB 12", "tx SB 7"},
    '"tax credit"': {"tx HB 12", "tx SB 7"},
    '"credit tax"': set(),
    "apprentice*": {"tx HB 12", "tx SB 7", "md SB 44", "oh SB 120"},
    "apprentices": {"tx HB 12", "oh SB 120"},
    "charter OR commending": {"va HB 1201", "va HJ 5"},
    "credit -enrollment": {"tx HB 12", "tx SB 7", "oh SB 120"},
    "credit NOT (enrollment OR franchise)": {"tx SB 7", "oh SB 120"},
    "-credit -school -tax": {"va HJ 5", "us HR 9"},
    '"career and technical education"': {"oh SB 120"},
    '"career technical training"': set(),
    "career technical training": {"va HB 1201"},
    '"career and technical education" waiver': {"oh SB 120"},
    '"career and technical education" OR charter': {"oh SB 120", "va HB 1201"},
    'education -"career and technical education"': {"va HB 1201"},
    '-"career and technical education" school*': {"va HB 1201", "co HB 26-1001"},
    "career-technical": {"oh SB 120"},
    "HB 12": {"tx HB 12", "oh HB 12"},
    "h.b. 0012": {"tx HB 12", "oh HB 12"},
    "hb12 franchise": {"tx HB 12"},
    "HB26-1001": {"co HB 26-1001"},
    "tx/89R/HB 12": {"tx HB 12"},
    "Title 9": {"us HR 9"},
    "jose pena": {"va HJ 5"},
    "teacher": {"va HJ 5"},
    "policy": {"co HB 26-1001"},
    "polici*": {"co HB 26-1001"},
    '"tax credit for employers"': {"tx HB 12"},
    '"credit against the franchise tax"': {"tx HB 12"},
    '"purposes relating"': set(),
    '"$1,500"': {"oh SB 120"},
    "nosuchword": set(),
}


@pytest.fixture
def bills(engine: Engine) -> Engine:
    """The test bills, indexed."""
    analysts.fill(engine)
    assert catch_up(engine) == len(analysts.BILLS)
    return engine


def ask(engine: Engine, question: str = "", **more: Any) -> Results:
    with reading(engine) as connection:
        return search(connection, Query(question, **more))


def names(results: Results) -> list[str]:
    return [f"{hit.jurisdiction} {hit.identifier}" for hit in results.hits]


def test_every_form_of_question(bills: Engine) -> None:
    for question, expected in GOLDEN.items():
        for sort in ("ranked", "newest"):
            results = ask(bills, question, sort=sort)
            assert set(names(results)) == expected, question
            assert (results.total, results.counted, results.capped) == (len(expected), True, False)


def test_title_hits_rank_first_and_newest_are_by_action_date(bills: Engine) -> None:
    assert names(ask(bills, "apprentice* OR apprenticeship"))[-1] == "oh SB 120"
    dates = [hit.latest_action_date or dt.date.min for hit in ask(bills, sort="newest").hits]
    assert dates == sorted(dates, reverse=True) and len(dates) == len(analysts.BILLS)


FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "state": ({"states": ["tx", "va"]}, "bill.jurisdiction IN ('tx', 'va')"),
    "session": ({"sessions": ["2026"]}, "session.identifier = '2026'"),
    "chamber": ({"chambers": ["lower"]}, "bill.chamber = 'lower'"),
    "class": ({"classifications": ["resolution"]}, "bill.identifier = 'HJ 5'"),
    "stage": ({"stages": ["introduced"]}, "bill.stage = 'introduced'"),
    "subject": (
        {"subjects": ["taxation", "education"]},
        "bill.id IN (SELECT bill_id FROM bill_subject WHERE lower(subject) IN ('taxation', 'education'))",
    ),
    "sponsor": (
        {"sponsors": ["carol murphy"]},
        "bill.id IN (SELECT bill_id FROM sponsorship WHERE name = 'Murphy, Carol A.')",
    ),
    "strategy": (
        {"strategies": ["tax_credits"]},
        "bill.id IN (SELECT bill_id FROM tag WHERE strategy = 'tax_credits' AND applied AND removed_at IS NULL)",
    ),
    "score": (
        {"strategies": ["flexibility"], "min_score": 0.15},
        "bill.id IN (SELECT bill_id FROM tag WHERE strategy = 'flexibility' AND score >= 0.15 AND removed_at IS NULL)",
    ),
    "action": (
        {"action_since": dt.date(2026, 1, 15), "action_until": dt.date(2026, 2, 5)},
        "bill.latest_action_date BETWEEN '2026-01-15' AND '2026-02-05'",
    ),
    "seen": ({"seen_since": dt.date(2026, 2, 10), "seen_until": dt.date(2026, 2, 10)}, "1 = 1"),
    "not yet seen": ({"seen_since": dt.date(2026, 2, 11)}, "1 = 0"),
    "changed": ({"changed_until": dt.date(2026, 2, 9)}, "1 = 0"),
}


def by_sql(engine: Engine, where: str) -> set[str]:
    with reading(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT bill.jurisdiction || ' ' || bill.identifier FROM bill"
                f" JOIN session ON session.id = bill.session_id WHERE {where}"
            )
        )
        return set(rows.scalars())


def test_each_filter_and_all_pairs_equal_plain_sql(bills: Engine) -> None:
    for names_ in [*combinations(FILTERS, 1), *combinations(FILTERS, 2)]:
        chosen: dict[str, Any] = {}
        for name in names_:
            chosen |= FILTERS[name][0]
        if {"strategy", "score"} <= set(names_) or {"seen", "not yet seen"} <= set(names_):
            continue
        where = " AND ".join(f"({FILTERS[name][1]})" for name in names_)
        for question, words in (("", None), ("credit", GOLDEN["credit -enrollment"] | {"oh HB 12"})):
            expected = by_sql(bills, where) & (words if words is not None else by_sql(bills, "1 = 1"))
            results = ask(bills, question, **chosen)
            assert set(names(results)) == expected, (names_, question)
            assert results.total == len(expected)


def test_two_names_of_different_sponsors_are_not_one_sponsor(bills: Engine) -> None:
    assert names(ask(bills, sponsors=["Carol Murphy"])) == ["tx HB 12"]
    assert names(ask(bills, sponsors=["Carol"], states=["oh"])) == ["oh SB 120"]


def test_snippets_show_the_bills_own_words(bills: Engine) -> None:
    (hit,) = ask(bills, '"career and technical education" apprentice').hits
    assert hit.snippet is not None and hit.snippet.field == "text"
    shown = "".join(piece for piece, _ in hit.snippet.pieces)
    assert analysts.TEXT[hit.snippet.start :].startswith(shown)
    assert "career and technical education" in [piece for piece, marked in hit.snippet.pieces if marked]
    (jose,) = ask(bills, "teachers commending").hits
    assert [piece for piece, marked in jose.marked_title if marked] == ["Commending", "teachers’"]


def test_pages_do_not_overlap(bills: Engine) -> None:
    for sort in ("ranked", "newest"):
        whole = names(ask(bills, "-nosuchword", sort=sort, limit=100))
        pages = [names(ask(bills, "-nosuchword", sort=sort, limit=4, offset=at)) for at in (0, 4, 8)]
        assert functools.reduce(operator.iadd, pages, []) == whole and len(whole) == 9


def test_catch_up_sees_changes_and_nothing_else(bills: Engine) -> None:
    assert catch_up(bills) == 0
    changed = [dict(analysts.BILLS[1], title="Relating to wage subsidies."), *analysts.BILLS[2:]]
    analysts.load(bills, changed, analysts.NOW)
    assert catch_up(bills) == 1
    assert names(ask(bills, "subsidy")) == ["tx SB 7"]
    assert "tx SB 7" not in names(ask(bills, "apprenticeship"))
    analysts.add_text(bills, "HB 1201", "A bridge over the river.")
    assert catch_up(bills) == 1
    assert names(ask(bills, "bridge")) == ["va HB 1201"]
    # A new action moves the bill to its new day.
    moved = dict(analysts.BILLS[2], actions=[{"date": "2026-02-10", "description": "Passed"}])
    analysts.load(bills, [moved])
    assert catch_up(bills) == 1
    assert names(ask(bills, sort="newest"))[0] == "oh HB 12"
    with writing(bills) as connection:
        index_bills(connection, [1, 2, 3])
    assert len(ask(bills, "-nosuchword", limit=100).hits) == 9


def test_reindex_gives_the_same_answers(bills: Engine) -> None:
    before = {question: names(ask(bills, question)) for question in GOLDEN}
    assert reindex(bills) == len(analysts.BILLS)
    assert {question: names(ask(bills, question)) for question in GOLDEN} == before


def test_matching_gives_every_bill_once(bills: Engine) -> None:
    with reading(bills) as connection:
        ids = list(matching(connection, Query()))
        assert len(ids) == len(set(ids)) == 9
        assert len(list(matching(connection, Query("apprentice*")))) == 4


def test_facets_count_the_hits(bills: Engine) -> None:
    with reading(bills) as connection:
        found = facets(connection, Query("HB 12"))
    assert found["jurisdiction"] == {"oh": 1, "tx": 1}


def test_many_hits_are_capped_and_said_so(engine: Engine) -> None:
    records = [
        analysts.bill(
            "nj",
            "222",
            f"A {n}",
            f"Concerns water {'rights' if n % 3 else 'parks'} number{n}",
            day=f"2026-01-{n % 28 + 1:02}",
        )
        for n in range(1, 401)
    ]
    analysts.load(engine, records)
    catch_up(engine)
    results = ask(engine, "water", limit=50)
    assert results.capped and results.total == 400 and "200" in results.note
    seen: list[str] = []
    for at in range(0, 400, 50):
        seen += names(ask(engine, "water", limit=50, offset=at))
    assert len(seen) == len(set(seen)) == 400


def test_whichever_side_of_a_day_is_few_the_hits_are_the_same(bills: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(bills) as connection:
        keys = list(connection.execute(text("SELECT id FROM bill ORDER BY id")).scalars())
        for number, key in enumerate(keys):
            seen = dt.datetime(2026, 1, 1 + number, 12, tzinfo=dt.UTC)
            connection.execute(update(BillRow).where(BillRow.id == key).values(first_seen_at=seen))
    ways = set()
    for few in (100, 3, 1):
        monkeypatch.setattr("tracker.search_narrowing.FEW", few)
        for day in range(1, len(keys) + 2):
            asked = dt.date(2026, 1, day)
            for question in ("", "-nosuchword"):
                for filters, expected in (
                    ({"seen_since": asked}, keys[day - 1 :]),
                    ({"seen_until": asked}, keys[:day]),
                    ({"seen_since": dt.date(2026, 1, 2), "seen_until": asked}, keys[1:day]),
                    ({"seen_since": asked, "strategies": ["nosuchstrategy"]}, []),
                ):
                    query = Query(question, **filters)
                    with reading(bills) as connection:
                        ways.add(narrowing(connection, query).sql.split(" ")[0])
                        assert sorted(hit.bill_id for hit in search(connection, query).hits) == expected
                        assert sorted(matching(connection, query)) == expected
    assert ways == {"", "{bill}", "NOT", "EXISTS"}


@pytest.mark.parametrize("question", ["HB 12", "Title 9", "tx/89R/HB 12", "HB 9999 tax", "tax credit"])
def test_postgresql_never_looks_through_all_documents(postgres_engine: Engine, question: str) -> None:
    """Its planner would, for one hit of many it hopes for: each document is unpacked then, half a second in all."""
    analysts.fill(postgres_engine)
    barred, asked = [False], 0

    def watch(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        nonlocal asked
        if "enable_seqscan" in statement:
            barred[0] = values["allowed"] == "off"
        if "lexemes @@" in statement:
            asked += 1
            assert barred[0], statement

    event.listen(postgres_engine, "before_cursor_execute", watch)
    try:
        with reading(postgres_engine) as connection:
            search(connection, Query(question))
            facets(connection, Query(question))
    finally:
        event.remove(postgres_engine, "before_cursor_execute", watch)
    assert asked


@pytest.mark.parametrize("text_", ['"open', "of the", "x" * 2000])
def test_bad_questions_are_one_sentence(sqlite: Engine, text_: str) -> None:
    with pytest.raises(QueryError):
        ask(sqlite, text_)
    with pytest.raises(QueryError):
        ask(sqlite, sort="sideways")
    with pytest.raises(QueryError):
        ask(sqlite, limit=0)
    with pytest.raises(QueryError):
        ask(sqlite, sponsors=["the"])


def test_hostile_questions_do_no_harm(bills: Engine) -> None:
    for question in (
        "'; DROP TABLE bill; --",
        "title:x",
        "a:b*c",
        "NEAR(a b)",
        "^tax",
        "{title}: tax",
        'x\'y"z"',
    ):
        try:
            ask(bills, question)
        except QueryError as error:
            assert not re.search(r"syntax|fts5|tsquery", str(error))
    assert len(ask(bills).hits) == 9
