"""Which words of a bill are shown for a tag: the passages that the encoder found to show it, and in them the quote that
shows it best by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tracker.classify import evidence
from tracker.classify.bill import Bill
from tracker.classify.candidates import Candidate, Candidates, Reader
from tracker.classify.cues import Cues
from tracker.classify.model import Model
from tracker.classify.reading import fold

READ_QUOTES = 10
READ_PASSAGES = 3
BEHIND = 2.5
"""A quote that shows the tag by so much less, when read alone, than the best does is not read under the title. Of the
tags of 1,716 labelled bills 99.4 % keep their first quote.
"""

_UNREAD = -20.0
_PRIOR = {"title": 0.3, "abstract": 0.4}
_KIND_PRIOR = {"finding": -2.0, "definition": -1.0, "restated": -2.0, "closing": -1.0}


class Quoter:
    """Chooses quotes for the tags of one playbook."""

    def __init__(self, reader: Reader, cues: Mapping[str, Cues], model: Model | None) -> None:
        self._reader = reader
        self._cues = cues
        self._model = model

    def quotes(self, bill: Bill, found: Candidates, said: NDArray[np.float64] | None, key: str) -> list[evidence.Quote]:
        """One to three quotes for strategy `key`; `said` are the encoder's logits of header and passages, if it was
        asked.
        """
        places = [("title", 0, min(len(bill.title), 2000), _PRIOR["title"])]
        places += [
            (f"abstract:{n}", 0, min(len(a), 4000), _PRIOR["abstract"]) for n, a in enumerate(bill.abstracts[:2])
        ]
        ranked = sorted(
            ((self._shows(number, c, said, key), number, c) for number, c in enumerate(found.passages)),
            key=lambda one: (-one[0], one[1]),
        )
        places += [
            (c.passage.field, c.passage.start, c.passage.end, _KIND_PRIOR.get(c.passage.kind, 0.0))
            for _, _, c in ranked[:READ_PASSAGES]
        ]
        return evidence.choose(bill.fields, places, lambda *given: self._worths(bill.title, key, *given))

    def _shows(self, number: int, one: Candidate, said: NDArray[np.float64] | None, key: str) -> float:
        meeting = self._meeting(one.topic, one.mechanisms.get(key, frozenset()))
        if said is None or self._model is None or key not in self._model.labels:
            return meeting
        if 1 + number >= len(said):
            return _UNREAD + meeting
        row = said[1 + number]
        return float(min(row[self._model.labels.index(key)], row[0])) + 0.1 * meeting

    def _worths(self, title: str, key: str, quotes: list[str], priors: list[float]) -> list[float]:
        cues = [self._worth(quote, key) for quote in quotes]
        model = self._model
        if model is None or model.encoder is None or key not in model.labels:
            return [worth + prior for worth, prior in zip(cues, priors, strict=True)]
        encoder, column = model.encoder, model.labels.index(key)

        def worth(n: int, row: NDArray[np.float64]) -> float:
            return cues[n] * 0.3 + min(4.0, float(row[column])) + 0.3 * min(3.0, float(row[0])) + priors[n]

        # the encoder reads only the most promising quotes
        chosen = sorted(range(len(quotes)), key=lambda n: (-cues[n], n))[:READ_QUOTES]
        answer = [one + prior + _UNREAD for one, prior in zip(cues, priors, strict=True)]
        # a reader of the quote has not read the bill: alone it must show as much as under the title
        alone = {n: encoder.quote(None, quotes[n]) for n in chosen}
        best = -np.inf
        for n in sorted(chosen, key=lambda n: (-worth(n, alone[n]), n)):
            if worth(n, alone[n]) < best - BEHIND:
                break
            answer[n] = worth(n, (encoder.quote(title, quotes[n]) + alone[n]) / 2)
            best = max(best, answer[n])
        return answer

    def _worth(self, quote: str, key: str) -> float:
        folded = fold(quote)
        return self._meeting(frozenset(self._reader.topic.found(folded)), frozenset(self._cues[key].found(folded)))

    def _meeting(self, topic: frozenset[int], mechanism: frozenset[int]) -> float:
        told = sum(sorted((self._reader.weights[n] for n in topic), reverse=True)[:2])
        return min(told, 4.0) / 2 + min(len(mechanism), 3) * 0.7 + (1.5 if topic and mechanism else 0.0)
