"""The best of many documents are found without reading every text, and have the scores they would have with it."""

from __future__ import annotations

import datetime as dt
import random
import zlib

import pytest
from sqlalchemy import Engine, text

from tests.tracker import analysts
from tracker import query as q
from tracker.db import reading, writing
from tracker.search_index import catch_up, unpack
from tracker.search_scores import scores_of
from tracker.snippets import Highlighter

QUESTIONS = ["tax", "tax credit", "tax OR school OR credit", '"tax credit"', "cred*", "tax -school", "-school"]
DAY = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@pytest.fixture
def documents(engine: Engine) -> tuple[Engine, list[int]]:
    """Ninety documents with short and long titles, abstracts and texts, and their keys."""
    analysts.load(engine, [analysts.bill("nj", "222", f"A {n}", f"Concerns water number{n}") for n in range(1, 91)])
    catch_up(engine)
    chance = random.Random(4)  # noqa: S311
    with writing(engine) as connection:
        keys = list(connection.execute(text("SELECT doc_id FROM bill_search ORDER BY doc_id")).scalars())
        for key in keys:
            fields = [
                " ".join(chance.choices(["tax", "credit", "school", "water", "board", "fee"], k=chance.choice(sizes)))
                for sizes in ((2, 9, 30), (0, 20, 400), (0, 40, 3_000))
            ]
            plain = f" {' | '.join(fields)} "
            packed = plain if engine.dialect.name == "postgresql" else zlib.compress(f"{plain}|b_nj".encode(), 1)
            connection.execute(
                text("UPDATE bill_search SET tokens = :tokens WHERE doc_id = :key"), {"tokens": packed, "key": key}
            )
    return engine, keys


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_best_are_the_best_of_all(documents: tuple[Engine, list[int]], question: str) -> None:
    engine, keys = documents
    tree = q.parse(question)
    assert tree is not None
    with reading(engine) as connection:
        whole = scores_of(connection, keys, tree, len(keys))
        order = sorted(keys, key=lambda key: (-whole[key], -key))
        for best in (1, 5, 20, 89):
            some = scores_of(connection, keys, tree, best)
            assert sorted(keys, key=lambda key: (-some[key], -key))[:best] == order[:best]
            assert [some[key] for key in order[:best]] == [whole[key] for key in order[:best]]
            assert all(some[key] <= whole[key] for key in keys)


def test_scores_are_the_formula_over_every_field(documents: tuple[Engine, list[int]]) -> None:
    engine, keys = documents
    tree = q.parse("tax credit")
    assert tree is not None
    with reading(engine) as connection:
        scores = scores_of(connection, keys, tree, len(keys))
        rows = connection.execute(text("SELECT doc_id, tokens FROM bill_search")).all()
    for key, tokens in rows:
        total = 0.0
        for (weight, usual), words in zip(((10, 100), (4, 420), (1, 10_500)), unpack(tokens).split("|"), strict=True):
            for needle in (" tax ", " credit "):
                times = words.count(needle)
                if times:
                    total += weight * times / (times + 1.2 * (0.25 + 0.75 * len(words) / usual))
        assert scores[key] == pytest.approx(total, abs=2e-6)


def test_nothing_to_rank_is_no_error(sqlite: Engine) -> None:
    tree = q.parse("tax")
    assert tree is not None
    with reading(sqlite) as connection:
        assert scores_of(connection, [], tree, 20) == {}


def test_words_are_marked_only_where_they_begin() -> None:
    text_ = "tax, pretax and syntax; Taxes’ 2tax tax's taxicab. Policy, policies, nonpolicy."
    marked = {
        question: [piece for piece, hit in Highlighter(q.parse(question)).mark(text_) if hit]
        for question in ("tax", "policy", '"tax pretax"')
    }
    assert marked == {
        "tax": ["tax", "Taxes’", "tax's"],
        "policy": ["Policy", "policies"],
        '"tax pretax"': ["tax, pretax"],
    }
