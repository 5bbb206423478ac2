"""Words as the search sees them: one reading of text for every database, in the index and in the question.

Case, accents, apostrophes and plural endings do not count; the commonest small words are left out. Doing it
here, not in the databases' own tokenisers and stemmers, is what makes the answers the same on both.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "by",
        "for",
        "from",
        "has",
        "have",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "such",
        "that",
        "the",
        "their",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "were",
        "which",
        "with",
    ]
)
MAX_WORD = 64
# A word, with apostrophes inside it: "governor's", "O'Brien", "Hawai'i".
_WORD = re.compile(r"[^\W_]+(?:['’ʻʼ‘`][^\W_]+)*")
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
_APOSTROPHE = re.compile(r"['’ʻʼ‘`]")


def words(text: str) -> list[str]:
    """The words of a text in their order, each in its searchable form; small words left out."""
    found = _ASCII_WORD.findall(text.lower()) if text.isascii() else _WORD.findall(text.lower())
    return [form for form in map(word_form, found) if form]


@lru_cache(maxsize=400_000)
def word_form(word: str) -> str:
    """One lower-case word as it is indexed; empty for a small word."""
    folded = fold(word)
    return "" if folded in SMALL_WORDS else singular(folded)


def fold(word: str) -> str:
    """A word without case, accents, possessive and apostrophes; other scripts as hexadecimal numbers."""
    word = _APOSTROPHE.sub("'", word.lower()).removesuffix("'s").replace("'", "")
    if not word.isascii():
        plain = unicodedata.normalize("NFKD", word)
        word = "".join(
            c if c.isascii() and c.isalnum() else "" if unicodedata.combining(c) else f"{ord(c):x}"
            for c in plain.casefold()
        )
    return word[:MAX_WORD]


def singular(word: str) -> str:
    """Takes a plural ending off: taxes → tax, policies → policy, credits → credit; status, class stay."""
    if len(word) < 4 or word[-1] != "s" or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


def slug(text: str) -> str:
    """A name as one word of the index: ``2025-2026`` is ``2025_2026``."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:MAX_WORD]
