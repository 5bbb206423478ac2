"""Readers' words: what they teach, the weekly sample, and the estimate of what is missed."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from tests.tracker.analysts import NOW, bill
from tracker import feedback, sampling
from tracker.classify import gold
from tracker.db import reading, writing
from tracker.feedback import Verdict
from tracker.ingest import Run, ingest
from tracker.models.bills import BillRow
from tracker.models.samples import ReadingSampleRow
from tracker.tagging import IN_SCOPE, tag_bills

STRATEGIES = ["incentives", "tax_credits"]
LATER = NOW + dt.timedelta(days=1)


class ByTitle:
    """In scope by one word, nearly so by another."""

    version = "words-0/none/1"

    def tag(self, bills):  # type: ignore[no-untyped-def]
        for given in bills:
            score = 0.9 if "apprentice" in given["title"] else 0.2 if "training" in given["title"] else 0.0
            yield {"in_scope": {"score": score, "value": score > 0.5}, "tags": []}


def fill(engine: Engine, **counts: int) -> dict[str, list[int]]:
    """Bills of each stratum; gives their ids."""
    words = {"tagged": "apprentice pay", "near": "dog training", "far": "bridges"}
    records = [
        bill("tx", "89R", f"HB {100 * place + n + 1}", f"Relating to {words[name]} {n}.")
        for place, (name, count) in enumerate(counts.items())
        for n in range(count)
    ]
    ingest(engine, records, run=Run("test"), now=NOW)
    tag_bills(engine, ByTitle(), now=NOW)
    found: dict[str, list[int]] = {}
    with reading(engine) as connection:
        for key, title in connection.execute(select(BillRow.id, BillRow.title).order_by(BillRow.id)):
            name = next(name for name, word in words.items() if word in title)
            found.setdefault(name, []).append(key)
    return found


def say(engine: Engine, bill_id: int, verdict: Verdict, strategy: str = IN_SCOPE) -> None:
    with writing(engine) as connection:
        feedback.add(connection, bill_id, strategy, verdict, at=LATER)


@pytest.mark.parametrize(("words", "verdict"), [("Not relevant", Verdict.NOT_RELEVANT), ("missed", Verdict.MISSED)])
def test_verdicts_are_read_as_people_write_them(words: str, verdict: Verdict) -> None:
    assert Verdict.of(words) is verdict


def test_an_unknown_verdict_is_refused_with_the_names() -> None:
    with pytest.raises(ValueError, match="wrong_strategy"):
        Verdict.of("meh")


@pytest.mark.parametrize(
    ("strategy", "verdict", "labels"),
    [
        ("tax_credits", Verdict.RELEVANT, {IN_SCOPE: True, "tax_credits": True}),
        ("tax_credits", Verdict.MISSED, {IN_SCOPE: True, "tax_credits": True}),
        ("tax_credits", Verdict.WRONG_STRATEGY, {IN_SCOPE: True, "tax_credits": False}),
        (IN_SCOPE, Verdict.RELEVANT, {IN_SCOPE: True}),
        ("tax_credits", Verdict.NOT_RELEVANT, {IN_SCOPE: False, "incentives": False, "tax_credits": False}),
    ],
)
def test_what_a_word_says_of_labels(strategy: str, verdict: Verdict, labels: dict[str, bool]) -> None:
    assert feedback.said(strategy, verdict, STRATEGIES) == labels


def test_words_become_examples_that_training_can_read(engine: Engine, tmp_path: Path) -> None:
    ids = fill(engine, tagged=2, far=1)
    first, second = ids["tagged"]
    say(engine, first, Verdict.RELEVANT, "tax_credits")
    # even: one for, one against; the bill as a whole is still agreed on
    say(engine, second, Verdict.RELEVANT, "incentives")
    say(engine, second, Verdict.WRONG_STRATEGY, "incentives")
    say(engine, ids["far"][0], Verdict.NOT_RELEVANT)
    with reading(engine) as connection:
        assert gold.save(tmp_path / "said.jsonl.gz", feedback.examples(connection, STRATEGIES)) == 3
    one, two, three = gold.load(tmp_path / "said.jsonl.gz")
    assert one["labels"] == {IN_SCOPE: True, "tax_credits": True}
    assert two["labels"] == {IN_SCOPE: True}
    assert three["labels"] == {IN_SCOPE: False, "incentives": False, "tax_credits": False}
    assert one["text_sha256"] == hashlib.sha256(one["text"].encode()).hexdigest()
    assert (one["jurisdiction"], one["session"], one["identifier"]) == ("tx", "89R", "HB 1")


def test_the_week_s_draw_is_made_once_and_is_the_same_for_the_same_bills(engine: Engine) -> None:
    fill(engine, tagged=8, near=20, far=30)
    assert sampling.draw(engine, now=LATER) == sum(sampling.SIZES.values())
    assert sampling.draw(engine, now=LATER) == 0
    with reading(engine) as connection:
        rows = connection.execute(select(ReadingSampleRow.stratum, ReadingSampleRow.population)).all()
    assert {(r.stratum, r.population) for r in rows} == {("tagged", 8), ("near", 20), ("far", 30)}
    listed = sampling.to_read(engine)
    assert len(listed) == 25 and set(listed[0]) == {"week", "key", "title", "url"}
    assert sampling.draw(engine, now=LATER + dt.timedelta(days=7)) > 0


def test_nothing_read_gives_no_estimate(sqlite: Engine) -> None:
    fill(sqlite, tagged=3, near=3, far=3)
    sampling.draw(sqlite, now=NOW)
    found = sampling.recall(sqlite)
    assert found.missed is None and found.read == {"tagged": 0, "near": 0, "far": 0}


def test_the_estimate_weighs_strata_by_their_size(engine: Engine) -> None:
    ids = fill(engine, tagged=40, near=50, far=99)
    sampling.draw(engine, now=NOW, sizes={"tagged": 40, "near": 50, "far": 99})
    for stratum, keys in ids.items():
        for number, key in enumerate(keys):
            relevant = stratum == "tagged" or (stratum == "near" and number < 10)
            say(engine, key, Verdict.RELEVANT if relevant else Verdict.NOT_RELEVANT)
    found = sampling.recall(engine)
    # ten of fifty relevant bills are outside
    assert found.missed is not None and found.missed_low is not None and found.missed_high is not None
    assert found.missed == pytest.approx(0.2, abs=0.03)
    assert found.missed_low < 0.2 < found.missed_high
    assert found.precision == 1.0 and found.relevant["near"] == 10
    assert not sampling.to_read(engine)
