"""Finds the playbook's cues in a text: one Aho-Corasick pass over the folded text, whatever the number
of cues.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import ahocorasick

from tracker.classify.reading import fold


class Cues:
    """A set of phrases. `phrase*` matches any ending; otherwise whole words match."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self.phrases = list(dict.fromkeys(phrases))
        self._automaton = ahocorasick.Automaton()
        for number, phrase in enumerate(self.phrases):
            text = fold(phrase.rstrip("*"))
            key = f" {text}" if phrase.endswith("*") else f" {text} "
            # two phrases that fold alike share one key
            numbers = self._automaton.get(key, ())
            self._automaton.add_word(key, (*numbers, number))
        if self.phrases:
            self._automaton.make_automaton()

    def found(self, folded: str) -> set[int]:
        """Numbers of the phrases in a text that is already folded."""
        if not self.phrases:
            return set()
        hits: set[int] = set()
        for _, numbers in self._automaton.iter(f" {_words(folded)} "):
            hits.update(numbers)
        return hits

    def any(self, folded: str) -> bool:
        """Whether any phrase is in the folded text."""
        if not self.phrases:
            return False
        return next(self._automaton.iter(f" {_words(folded)} "), None) is not None


_PUNCTUATION = str.maketrans({c: " " for c in ".,;:!?()[]{}\"'“”\u2018\u2019§*/\u2014\u2013_|<>=+"})


# One passage after another is asked for the cues of the topic and of each strategy.
@lru_cache(maxsize=4)
def _words(folded: str) -> str:
    return " ".join(folded.translate(_PUNCTUATION).split())
