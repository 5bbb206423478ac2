"""The bills and texts of a whole year of the nation, made out of the corpus; the same every time.

What is real: each bill's title, subjects, sponsors, versions and actions, and every sentence of the texts. What is
multiplied: the corpus has a third of the bills, so each comes three or four times, every second time in a state that
the corpus does not have, with other numbers. A bill whose actions are fewer than the nation's mean gets some of those
of the bills before it in its state. Texts are made of the sentences of 3,413 real ones, turned and thinned; those
were picked for the topic of the playbook, so half of the texts are made without the sentences that touch it: of real
bills' documents in 42 states, 46 in a hundred touch it. The number of different words does not grow with the number
of bills, as it would in life.
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker import jurisdictions, playbook
from tracker.classify.bill import read
from tracker.classify.candidates import Reader

ACTIONS_A_BILL = 12  # 3 million for 250,000
WORDS = 1_500
#: One bill in so many has an action in the second week that it had not in the first.
MOVES = 20
#: Texts with a sentence that touches the playbook's topic.
TOUCHING = 0.46
_MOST_ACTIONS = 60
_SENTENCE = re.compile(r"(?<=[.;:])\s+")


def records(corpus: Path, count: int, *, week: int) -> Iterator[str]:
    """So many bills as they stand in the first or second week, as lines of JSON in the corpus' order."""
    places = jurisdictions.load()
    actions = 0
    here: set[str] = set()
    others: dict[str, str] = {}
    before: dict[str, deque[Any]] = {}
    for given, (turn, bill) in enumerate(_lines(corpus, count), 1):
        code = bill["jurisdiction"]
        if not turn:
            here.add(code)
        elif not others:
            free = [c for c in places if c not in here and len(places[c].chambers) == 2]
            others = dict(zip(sorted(here), free, strict=False))
        if turn % 2:
            bill["jurisdiction"] = others.get(code, code)
        bill["identifier"] = re.sub(r"\d+", lambda m, t=turn: str(int(m[0]) + 100_000 * t), bill["identifier"], count=1)
        own = bill.get("actions") or []
        pool = before.setdefault(code, deque(maxlen=_MOST_ACTIONS))
        missing = min(given * ACTIONS_A_BILL - actions, _MOST_ACTIONS) - len(own)
        bill["actions"] = [*own, *itertools.islice(pool, max(0, missing))]
        pool.extend(own)
        actions += len(bill["actions"])
        if week == 1 and given % MOVES == 0:
            bill["actions"] = bill["actions"][:-1]
        yield json.dumps(bill)


def _lines(corpus: Path, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """So many lines of the corpus, each with how often it was read through before; every n-th where that is enough."""
    with gzip.open(corpus, "rb") as file:
        total = sum(1 for _ in file)
    whole, given = max(count, total), 0
    for turn in itertools.count():
        with gzip.open(corpus, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, turn * total):
                if number * count // whole < given:
                    continue
                if given >= count:
                    return
                given += 1
                yield turn, json.loads(line)


class Bodies:
    """Makes texts of ``WORDS`` words out of the sentences of real ones."""

    def __init__(self, texts: Path) -> None:
        with gzip.open(texts, "rt", encoding="utf-8") as lines:
            self.all = [_SENTENCE.split(json.loads(line)["text"]) for line in lines]
        reader = Reader(playbook.load())
        self.plain = [
            [s for s in given if not reader.passes(read({"text": s}))] or ["It is so enacted."] for given in self.all
        ]

    def body(self, place: int) -> str:
        """The text of that place; no two are alike."""
        chance = random.Random(place)  # noqa: S311 — the same texts each time
        source = self.all if chance.random() < TOUCHING else self.plain
        found: list[str] = []
        words = 0
        for turn in itertools.count():
            given = source[(place + turn * 7) % len(source)]
            at = chance.randrange(len(given))
            for sentence in given[at:] + given[:at]:
                if chance.random() < 0.1:
                    continue
                found.append(sentence)
                words += len(sentence.split())
                if words >= WORDS:
                    return "\n\n".join(found)
        raise AssertionError
