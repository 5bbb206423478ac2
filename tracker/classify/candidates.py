"""The cheap part of reading: a gate that lets few bills through, and the few passages of those worth a
dear reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from tracker.classify.bill import Bill
from tracker.classify.cues import Cues
from tracker.classify.reading import MAX_TEXT, Passage, clean, fold, provisions, sentences
from tracker.playbook import Playbook

KEPT = 6
"""Passages of the text that are read closely."""

_FIRST_ABSTRACT_WORDS, _SECOND_ABSTRACT_WORDS = 110, 70
_LONG_ABSTRACT_WORDS = 120
_KIND_BONUS = {"lead": 2.5, "statement": 2.0}
_KIND_FACTOR = {"restated": 0.3, "closing": 0.3, "definition": 0.55, "finding": 0.55}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with the cues found in it: of the topic, and of each strategy by its key."""

    passage: Passage
    topic: frozenset[int]
    mechanisms: dict[str, frozenset[int]]
    rank: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is read closely: the header (title and abstracts) and up to `KEPT` passages of the text, best
    first.
    """

    header: str
    header_topic: frozenset[int]
    header_mechanisms: dict[str, frozenset[int]]
    passages: tuple[Candidate, ...]
    together: dict[str, int]
    """By strategy, how well its cues and the topic's meet within one sentence: of the best sentence, the number of
    pairs, up to nine.
    """


class Reader:
    """Finds candidates for one playbook. `weights` says how much each topic cue tells (default: all the
    same).
    """

    def __init__(self, playbook: Playbook, weights: dict[str, float] | None = None) -> None:
        weights = weights or {}
        self.topic = Cues(playbook.topic.cues)
        self.mechanisms = {key: Cues(strategy.cues) for key, strategy in playbook.strategies.items()}
        self.weights = [weights.get(phrase, 1.6) for phrase in self.topic.phrases]

    def passes(self, bill: Bill) -> bool:
        """Whether the bill has any cue of the topic at all; most bills have none and are not read further."""
        header = " \n ".join((bill.title, *bill.abstracts))
        # a text is long: it is looked through only where the header has nothing (and with it, for cues across both)
        return self.topic.any(fold(header)) or (
            bool(bill.text) and self.topic.any(fold(f"{header} \n {bill.text[:MAX_TEXT]}"))
        )

    def _touches(self, clean_text: str) -> bool:
        return self.topic.any(fold(clean_text))

    def candidates(self, bill: Bill) -> Candidates:
        """The passages to read closely."""
        header = header_of(bill)
        folded = fold(header)
        read = [provisions(bill.text, touches=self._touches)]
        for number, abstract in enumerate(bill.abstracts[:2]):
            if abstract.count(" ") > _LONG_ABSTRACT_WORDS:
                read.append(provisions(abstract, f"abstract:{number}", self._touches))
        found = [c for p in chain(*read) if (c := self._candidate(p)).rank > 0]
        found.sort(key=lambda c: -c.rank)
        closely = found[:KEPT]
        return Candidates(
            header=header,
            header_topic=frozenset(self.topic.found(folded)),
            header_mechanisms={key: frozenset(cues.found(folded)) for key, cues in self.mechanisms.items()},
            passages=tuple(closely),
            together=self._together([header, *(c.passage.text for c in closely)]),
        )

    def _together(self, texts: list[str]) -> dict[str, int]:
        best = dict.fromkeys(self.mechanisms, 0)
        for text in texts:
            for start, end in sentences(text):
                folded = fold(text[start:end])
                topic = min(3, len(self.topic.found(folded)))
                if not topic:
                    continue
                for key, cues in self.mechanisms.items():
                    best[key] = max(best[key], topic * min(3, len(cues.found(folded))))
        return best

    def _candidate(self, passage: Passage) -> Candidate:
        folded = fold(passage.text)
        topic = self.topic.found(folded)
        bonus = _KIND_BONUS.get(passage.kind, 0.0)
        if not topic and not bonus:
            return Candidate(passage, frozenset(), {}, 0.0)
        mechanisms = {key: frozenset(cues.found(folded)) for key, cues in self.mechanisms.items()}
        counts = [len(hits) for hits in mechanisms.values()]
        told = sum(sorted((self.weights[number] for number in topic), reverse=True)[:4])
        rank = told * (1 + 0.25 * min(3, max(counts))) + 0.2 * min(sum(counts), 6) + bonus
        return Candidate(passage, frozenset(topic), mechanisms, rank * _KIND_FACTOR.get(passage.kind, 1.0))


def header_of(bill: Bill) -> str:
    """Title and the beginning of the first two abstracts, as one line."""
    parts = [clean(bill.title)]
    for abstract, words in zip(bill.abstracts, (_FIRST_ABSTRACT_WORDS, _SECOND_ABSTRACT_WORDS), strict=False):
        parts.append(clean(" ".join(abstract[_does(abstract) :].split()[:words])))
    return " . ".join(part for part in parts if part)


def _does(abstract: str) -> int:
    """Where an abstract that begins with the law as it is comes to what the bill would do."""
    if not abstract.lstrip("() 1").startswith(("Existing law", "Under existing law", "Current law")):
        return 0
    return max(0, abstract.find("This bill would"))
