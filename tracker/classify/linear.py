"""A linear model over hashed words and word pairs, in numpy: small, quick, and the same on every machine."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracker.classify.candidates import Candidates

BITS = 18
_TOKEN = re.compile(r"[a-z][a-z']+|\$\d|\d+")
_STOP = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "in",
        "for",
        "or",
        "an",
        "a",
        "by",
        "on",
        "is",
        "be",
        "as",
        "with",
        "that",
        "this",
        "shall",
        "such",
        "any",
        "at",
        "from",
        "section",
        "act",
    ]
)


def tokens(text: str) -> list[str]:
    """Words of a text, lower case; numbers become `0`, sums of money `$`."""
    found = []
    for word in _TOKEN.findall(text.lower()):
        if word in _STOP:
            continue
        found.append("$" if word[0] == "$" else "0" if word[0].isdigit() else word)
    return found


def grams(words: list[str], prefix: str) -> Iterable[str]:
    yield from (prefix + word for word in words)
    yield from (f"{prefix}{first} {second}" for first, second in pairwise(words))


def hashed(parts: Iterable[tuple[str, str, float]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Indices and values of a text's features. `parts` are (prefix, text, weight); each part has length
    one times weight.
    """
    total: dict[int, float] = {}
    for prefix, text, weight in parts:
        counts: dict[int, int] = {}
        for gram in grams(tokens(text), prefix):
            place = zlib.crc32(gram.encode("utf-8", "surrogatepass")) & ((1 << BITS) - 1)
            counts[place] = counts.get(place, 0) + 1
        if not counts:
            continue
        values = {place: 1.0 + math.log(count) for place, count in counts.items()}
        length = math.sqrt(sum(value * value for value in values.values()))
        for place, value in values.items():
            total[place] = total.get(place, 0.0) + weight * value / length
    places = sorted(total)
    return np.array(places, dtype=np.int64), np.array([total[p] for p in places], dtype=np.float64)


def features(found: Candidates) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Features of a bill: its header, and its best passages together."""
    passages = " ".join(c.passage.text for c in found.passages[:5])
    return hashed([("h:", found.header, 1.0), ("", found.header, 0.5), ("", passages, 0.8)])
