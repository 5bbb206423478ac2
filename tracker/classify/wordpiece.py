"""Splits text into the pieces the encoder knows (uncased WordPiece), without a tokenizer library."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

UNKNOWN, START, SEPARATOR = "[UNK]", "[CLS]", "[SEP]"
_LONGEST_WORD = 100


class WordPiece:
    """Numbers of word pieces for a vocabulary file with one piece a line."""

    def __init__(self, vocabulary: Path) -> None:
        lines = vocabulary.read_text(encoding="utf-8").split("\n")
        self._numbers = {piece: number for number, piece in enumerate(lines) if piece}
        self.start, self.separator = self._numbers[START], self._numbers[SEPARATOR]
        self._unknown = self._numbers[UNKNOWN]
        self._word = lru_cache(maxsize=50_000)(self._pieces)

    def numbers(self, text: str, most: int) -> list[int]:
        """Up to `most` piece numbers, without start or end marks."""
        found: list[int] = []
        for word in _split(text):
            found.extend(self._word(word))
            if len(found) >= most:
                break
        return found[:most]

    def _pieces(self, word: str) -> tuple[int, ...]:
        if len(word) > _LONGEST_WORD:
            return (self._unknown,)
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._numbers.get(word[start:end] if start == 0 else f"##{word[start:end]}")
                if number is not None:
                    break
            else:
                return (self._unknown,)
            found.append(number)
            start = end
        return tuple(found)


def _split(text: str) -> list[str]:
    if not text.isascii():
        text = unicodedata.normalize("NFD", text.lower())
        text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    out = []
    for c in text.lower():
        if c.isalnum():
            out.append(f" {c} " if "\u4e00" <= c <= "\u9fff" else c)
        elif c.isspace():
            out.append(" ")
        elif unicodedata.category(c)[0] == "C":
            continue
        elif c.isascii() or unicodedata.category(c)[0] == "P":
            out.append(f" {c} ")
        else:
            out.append(c)
    return "".join(out).split()
