"""Differences are told by paragraph and word, in bounded time."""

from __future__ import annotations

import random
import time

from tracker.text import diff

OLD = "Section 1. The board shall pay grants.\n\nSection 2. The fund ends in 2030.\n\nSection 3. Effective July 1."
NEW = "Section 1. The board may pay grants.\n\nSection 2. The fund ends in 2030.\n\nSection 4. Schools report."


def test_words_inside_a_changed_paragraph() -> None:
    hunks = diff(OLD, NEW)
    assert [h.kind for h in hunks] == ["changed", "deleted", "inserted"]
    assert [(c.kind, c.text) for c in hunks[0].changes] == [
        ("same", "Section 1. The board "),
        ("deleted", "shall "),
        ("inserted", "may "),
        ("same", "pay grants."),
    ]
    assert hunks[2].new == "Section 4. Schools report." and NEW[hunks[2].new_start :] == hunks[2].new


def test_context_and_equal_texts() -> None:
    assert diff(OLD, OLD) == []
    assert [h.kind for h in diff(OLD, OLD, context=True)] == ["same"] * 3
    assert diff("A  b\nc", "A b c") == []


def test_a_megabyte_takes_seconds_at_most() -> None:
    chance = random.Random(7)  # noqa: S311 (not for secrets)
    words = ["credit", "school", "board", "fund", "shall", "may", "grant", "pupil", "year", "wage"]

    def paragraph(n: int) -> str:
        return f"({n}) " + " ".join(chance.choice(words) for _ in range(80))

    old = [paragraph(n) for n in range(2000)]
    some = [paragraph(n) if n % 3 == 0 else text for n, text in enumerate(old)]
    other = [paragraph(n) for n in range(2000)]
    same = ["The same line."] * 40_000
    start = time.process_time()
    assert sum(len(p) for p in old) > 900_000
    assert diff("\n\n".join(old), "\n\n".join(some))
    assert diff("\n\n".join(old), "\n\n".join(other))
    assert diff("\n\n".join(same), "\n\n".join(["x", *same[:-3], "y"]))
    assert diff("a " * 500_000, "b " * 500_000)
    assert time.process_time() - start < 15
