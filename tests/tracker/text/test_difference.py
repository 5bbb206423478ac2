"""Differences are told by paragraph and word, in bounded time."""

from __future__ import annotations

import random
import time

import pytest

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


def bill(sections: int, between: str) -> list[str]:
    """Sections whose lines follow each other without an empty one."""
    return [
        f"Section {n}. Grants for schools of kind {n}. (a) The board shall pay {n * 100} dollars to each school."
        f"{between}(b) A school reports to the board by July {n % 28 + 1}; a late report ends the grant, as stated in"
        f" Sec. {n + 1} of this act."
        for n in range(1, sections + 1)
    ]


@pytest.mark.parametrize("between", ["\n", " "])
def test_a_text_without_paragraphs_is_told_by_passages(between: str) -> None:
    old = bill(60, between)
    new = [section.replace("pay 700 dollars", "lend 750 dollars") for section in old]
    del new[30]
    new.insert(45, "Section 99. The auditor of the state reviews every grant each year.")
    before, after = between.join(old), between.join(new)
    hunks = diff(before, after)
    changed = [h for h in hunks if h.kind == "changed"]
    assert [
        (h.old.split(" The board")[0], "".join(c.text for c in h.changes if c.kind == "inserted")) for h in changed
    ] == [("(a)", "lend 750 ")]
    deleted = " ".join(h.old for h in hunks if h.kind == "deleted")
    assert deleted == old[30].replace("\n", " ")
    assert [h.new for h in hunks if h.kind == "inserted"] == [new[45]]
    for hunk in diff(before, after, context=True):
        assert hunk.old_start < 0 or before[hunk.old_start :].startswith(hunk.old)
        assert hunk.new_start < 0 or after[hunk.new_start :].startswith(hunk.new)
        assert len(hunk.new) < 200


def test_every_word_of_a_long_paragraph_is_in_some_passage() -> None:
    old, new = "\n".join(bill(40, " ")), "\n".join(bill(50, "\n")[5:])
    rows = diff(old, new, context=True)
    assert " ".join(h.old for h in rows if h.old).split() == old.split()
    assert " ".join(h.new for h in rows if h.new).split() == new.split()


def test_a_list_without_stops_is_told_line_by_line() -> None:
    lines = [f"school district number {n}     {n * 37} dollars" for n in range(200)]
    changed = [*lines[:90], "school district number 90     1 dollar", *lines[91:]]
    (hunk,) = diff("\n".join(lines), "\n".join(changed))
    assert (hunk.old, hunk.new) == (lines[90].strip(), changed[90].strip())


def test_blank_looking_lines_cost_no_time() -> None:
    start = time.process_time()
    assert diff("a." + " \n " * 100_000 + "b", "a." + " \n " * 100_000 + "c")
    assert diff("\n".join(["(a)" * 3] * 50_000), "\n".join(["(b)" * 3] * 50_000))
    assert time.process_time() - start < 5
