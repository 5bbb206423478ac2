"""A bill copied into another state is found, on both databases."""

from __future__ import annotations

import random

from sqlalchemy import Engine, text

from tests.tracker import analysts
from tracker.db import reading
from tracker.search_index import catch_up
from tracker.similar import similar
from tracker.sketches import body_marks, shingles

_WORDS = [f"{a}{b}" for a in ("grant", "school", "credit", "labor", "court", "water") for b in "abcdefghijkl"]


def law(seed: int, length: int = 300) -> str:
    """A made-up text; the same for the same seed."""
    return " ".join(random.Random(seed).choices(_WORDS, k=length))  # noqa: S311


def changed(original: str, seed: int, share: float) -> str:
    """The text with a share of its words replaced."""
    chance = random.Random(seed)  # noqa: S311
    return " ".join(chance.choice(_WORDS) if chance.random() < share else word for word in original.split())


def test_copies_in_other_states_come_first_and_strangers_not_at_all(engine: Engine) -> None:
    states = ["tx", "oh", "va", "md", "co", "us"]
    records = [
        analysts.bill(states[n % 6], f"20{10 + n}", f"HB {n}", f"An act number {n} on {law(n, 4)}")
        for n in range(1, 31)
    ]
    analysts.load(engine, records)
    texts = {f"HB {n}": law(n) for n in range(1, 31)}
    texts["HB 2"] = changed(texts["HB 1"], 7, 0.02)
    texts["HB 3"] = law(99, 60) + " " + changed(texts["HB 1"], 8, 0.05)
    for identifier, body in texts.items():
        analysts.add_text(engine, identifier, body)
    catch_up(engine)
    with reading(engine) as connection:
        ids = {row.identifier: row.id for row in connection.execute(text("SELECT id, identifier FROM bill"))}
        found = similar(connection, ids["HB 1"])
        alone = similar(connection, ids["HB 20"])
        missing = similar(connection, 10_000)
    assert [one.bill_id for one in found] == [ids["HB 2"], ids["HB 3"]]
    assert found[0].field == "text" and found[0].shared > 0.85 > found[1].shared > 0.5
    assert alone == [] and missing == []


def test_bills_without_text_are_compared_by_title_and_summary(engine: Engine) -> None:
    title = "An act to give employers of apprentices in the building trades a credit against franchise tax"
    analysts.load(
        engine,
        [
            analysts.bill("tx", "89R", "HB 1", title),
            analysts.bill("oh", "136", "SB 9", title.replace("franchise", "income")),
            analysts.bill("oh", "136", "SB 10", "Short title"),
            analysts.bill("va", "2026", "HB 7", "Short title"),
        ],
    )
    catch_up(engine)
    with reading(engine) as connection:
        ids = {row.identifier: row.id for row in connection.execute(text("SELECT id, identifier FROM bill"))}
        (one,) = similar(connection, ids["HB 1"])
        assert (one.bill_id, one.field) == (ids["SB 9"], "heading") and one.shared > 0.5
        assert similar(connection, ids["SB 10"]) == []


def test_sketches_share_as_much_as_texts() -> None:
    original = law(5, 2_000)
    for share in (0.01, 0.05, 0.2):
        other = changed(original, 3, share)
        mine, theirs = shingles(original.split(), 5), shingles(other.split(), 5)
        wanted = len(mine & theirs) / len(mine | theirs)
        sketches = [set(body_marks(forms.split())) for forms in (original, other)]
        # 32 numbers tell a share to within some hundredths either way.
        assert abs(len(sketches[0] & sketches[1]) / 32 - wanted) < 0.3
    assert body_marks(["few", "words"]) == []
