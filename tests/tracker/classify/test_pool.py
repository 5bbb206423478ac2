"""Several processes answer as one does, in the same order, and hold no more than their share of a long input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tracker.classify import BillError, Classifier, Pool
from tracker.classify.pool import A_PART, WAITING, WORTH

TITLES = [
    "An act allowing an income tax credit to employers of registered apprentices",
    "An act relating to bridge inspection",
    "An act creating scholarships for students of welding at technical colleges",
]


def bills(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"identifier": f"HB {number}", "title": TITLES[number % len(TITLES)]}


def test_two_processes_answer_as_one() -> None:
    count = WORTH + 2 * A_PART + 1
    given: list[Any] = [*bills(count), {"title": 5}, *bills(3)]
    taken = 0

    def counted() -> Iterator[Any]:
        nonlocal taken
        for bill in given * 3:
            taken += 1
            yield bill

    with Pool(processes=2) as pool:
        answers = pool.answers(counted())
        found = [next(answers)]
        assert taken <= WORTH + A_PART * (WAITING * 2 + 1)
        found.extend(answers)
    assert len(found) == 3 * len(given)
    classifier = Classifier.load()
    for at in (0, 1, 2, count - 1, len(given) + 5):
        assert found[at] == classifier.tag_one(given[at % len(given)])
    assert [a["identifier"] for a in found[:count] if isinstance(a, dict)] == [f"HB {n}" for n in range(count)]
    assert isinstance(found[count], BillError) and "'title'" in str(found[count])


def test_a_short_input_stays_in_this_process() -> None:
    with Pool(processes=2) as pool:
        found = list(pool.tag(bills(3)))
        assert pool._workers is None
        with pytest.raises(BillError, match="'title'"):
            list(pool.tag([{"title": 5}]))
    assert found == list(Classifier.load().tag(bills(3)))
    assert pool.version == Classifier.load().version
