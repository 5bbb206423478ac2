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


Run = tuple[str, ...]


def shingles(forms: Sequence[str], size: int) -> set[Run]:
    """All runs of ``size`` words."""
    forms = forms[:MAX_WORDS]
    return set(zip(*(forms[start:] for start in range(size)), strict=False))


def heading_marks(forms: Sequence[str]) -> list[str]:
    """The index words of a title with its abstracts."""
    return _marks("y", shingles(forms, HEADING_SHINGLE), HEADING_SIZE)


def body_marks(forms: Sequence[str]) -> list[str]:
    """The index words of a text."""
    return _marks("z", shingles(forms, BODY_SHINGLE), BODY_SIZE)


def _marks(kind: str, runs: set[Run], size: int) -> list[str]:
    if len(runs) < MIN_SHINGLES:
        return []
    hashes = {zlib.crc32(" ".join(run).encode()) for run in runs}
    return [f"{kind}__{number:08x}" for number in heapq.nsmallest(size, hashes)]
