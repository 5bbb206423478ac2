"""A bill's words as a handful of numbers, such that bills that share text share numbers.

A shingle is some words in a row. Of all shingles of a text its sketch keeps those with the smallest hash, so
the share of numbers that two sketches have in common is about the share of shingles that the texts have in
common (Broder's "bottom-k"). Sketches are kept among the words of the search index: finding bills that are
alike is a search, on both databases.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Sequence

BODY_SHINGLE, BODY_SIZE = 5, 32
HEADING_SHINGLE, HEADING_SIZE = 3, 12
# A sketch of fewer shingles says nothing: "An act relating to education" is alike to too much.
MIN_SHINGLES = 3
MAX_WORDS = 20_000


def shingles(forms: Sequence[str], size: int) -> set[int]:
    """The hashes of all runs of ``size`` words."""
    forms = forms[:MAX_WORDS]
    return {zlib.crc32(" ".join(forms[at : at + size]).encode()) for at in range(len(forms) - size + 1)}


def heading_marks(forms: Sequence[str]) -> list[str]:
    """The index words of a title with its abstracts."""
    return _marks("y", shingles(forms, HEADING_SHINGLE), HEADING_SIZE)


def body_marks(forms: Sequence[str]) -> list[str]:
    """The index words of a text."""
    return _marks("z", shingles(forms, BODY_SHINGLE), BODY_SIZE)


def _marks(kind: str, hashes: set[int], size: int) -> list[str]:
    if len(hashes) < MIN_SHINGLES:
        return []
    return [f"{kind}__{number:08x}" for number in heapq.nsmallest(size, hashes)]
