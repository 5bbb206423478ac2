"""How well documents fit a search: the words of title, abstracts and text, weighed."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from tracker import query as q
from tracker.query import Node, Phrase, Prefix, Word
from tracker.search_index import unpack
from tracker.search_sql import as_numbers, one_of

# A hit in the title weighs as much as many in the text; usual lengths, in characters, keep long texts from winning.
_FIELDS = ((10.0, 100), (4.0, 420), (1.0, 10_500))
_SATURATION = 1.2
# So much of a packed document nearly always holds its title and abstracts.
_BEGINNING = 1_000
_DIGITS = 6


def scores_of(connection: Connection, keys: Sequence[int], tree: Node, best: int) -> dict[int, float]:
    """Scores of these documents, rounded, by key; right for the ``best`` highest of them.

    One that cannot be among these, whatever its text says, has the score of its title and abstracts alone.
    """
    wanted = list(dict.fromkeys(_needles(tree)))
    scores: dict[int, float] = dict.fromkeys(keys, 0.0)
    if not keys or not wanted:
        return scores
    packed: dict[int, Any] = dict(_documents(connection, keys))
    for key, tokens in packed.items():
        scores[key] = sum(_weigh(words, wanted, place) for place, words in enumerate(_heading(tokens)))
    most = _FIELDS[2][0] * len(wanted)
    reached: list[float] = []
    for key in sorted(packed, key=lambda k: -scores[k]):
        # A text's words never count fully, so this much is not reached, rounded or not.
        if len(reached) >= best and scores[key] + most + 10**-_DIGITS < reached[0]:
            break
        scores[key] += _weigh(unpack(packed[key]).split("|", 2)[2], wanted, 2)
        if len(reached) < best:
            heapq.heappush(reached, scores[key])
        else:
            heapq.heappushpop(reached, scores[key])
    return {key: round(score, _DIGITS) for key, score in scores.items()}


def _documents(connection: Connection, keys: Sequence[int]) -> Iterator[tuple[int, Any]]:
    dialect = connection.dialect.name
    rows = connection.execute(
        text(f"SELECT doc_id, tokens FROM bill_search WHERE {one_of('doc_id', 'keys', dialect)}"),
        {"keys": as_numbers(keys, dialect)},
    )
    for row in rows:
        yield row[0], row[1]


def _heading(tokens: Any) -> list[str]:
    """Words of the title and of the abstracts, without unpacking a long text behind them."""
    if not isinstance(tokens, str):
        beginning = zlib.decompressobj().decompress(tokens, _BEGINNING)
        if beginning.count(b"|") >= 2:
            return [part.decode() for part in beginning.split(b"|", 2)[:2]]
    return unpack(tokens).split("|", 2)[:2]


def _weigh(words: str, wanted: Sequence[str], place: int) -> float:
    """What the wanted words in one of the :data:`_FIELDS` add."""
    weight, usual = _FIELDS[place]
    length = _SATURATION * (0.25 + 0.75 * len(words) / usual)
    return sum(weight * times / (times + length) for needle in wanted if (times := words.count(needle)))


def _needles(tree: Node) -> Iterator[str]:
    for leaf, wanted in q.leaves(tree):
        if not wanted:
            continue
        match leaf:
            case Word(form):
                yield f" {form} "
            case Prefix(start):
                yield f" {start}"
            case Phrase(forms):
                yield f" {' '.join(forms)} "
