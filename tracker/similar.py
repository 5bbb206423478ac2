"""Bills that share their words with a given one: copies of a model bill in other states, and companions.

Candidates come from the sketches in the search index (:mod:`tracker.sketches`); how alike they are is then
counted from the words themselves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from tracker.search_index import KEY_SHIFT, unpack
from tracker.sketches import BODY_SHINGLE, HEADING_SHINGLE, Run, body_marks, heading_marks, shingles

# Words in a row that so many bills have are a state's usual phrases.
TOO_COMMON = 150
COMPARED = 8
LEAST_SHARED = 0.12


@dataclass(frozen=True)
class Similar:
    """``shared``: the part (0 to 1) of both bills' word sequences that they have in common; ``field`` in what,
    ``text`` or ``heading`` (title and summaries).
    """

    bill_id: int
    shared: float
    field: str


def similar(connection: Connection, bill_id: int, limit: int = 6) -> list[Similar]:
    """The most alike bills of any state and session, best first. Empty for a bill that is not indexed."""
    tokens = _tokens(connection, [bill_id]).get(bill_id)
    if tokens is None:
        return []
    heading, body = _fields(tokens)
    shared = _sharing(connection, [*heading_marks(heading), *body_marks(body)])
    shared.pop(bill_id, None)
    chosen = [bill for bill, _ in sorted(shared.items(), key=lambda item: (-item[1], -item[0]))[:COMPARED]]
    mine = {"text": shingles(body, BODY_SHINGLE), "heading": shingles(heading, HEADING_SHINGLE)}
    found = []
    for bill, other in _tokens(connection, chosen).items():
        heading, body = _fields(other)
        theirs = {"text": shingles(body, BODY_SHINGLE), "heading": shingles(heading, HEADING_SHINGLE)}
        field = max(mine, key=lambda name: _overlap(mine[name], theirs[name]))
        overlap = _overlap(mine[field], theirs[field])
        if overlap >= LEAST_SHARED:
            found.append(Similar(bill, round(overlap, 3), field))
    return sorted(found, key=lambda s: (-s.shared, -s.bill_id))[:limit]


def _overlap(mine: set[Run], theirs: set[Run]) -> float:
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine and theirs else 0.0


def _fields(tokens: str) -> tuple[list[str], list[str]]:
    title, abstract, body = tokens.split("|")
    return [*title.split(), *abstract.split()], body.split()


def _tokens(connection: Connection, ids: list[int]) -> dict[int, str]:
    rows = connection.execute(
        text("SELECT bill_id, tokens FROM bill_search WHERE bill_id IN :ids").bindparams(
            bindparam("ids", expanding=True)
        ),
        {"ids": ids},
    )
    return {row.bill_id: unpack(row.tokens) for row in rows}


def _sharing(connection: Connection, marks: list[str]) -> Counter[int]:
    """How many of these index words each bill has; words that too many have do not count."""
    if not marks:
        return Counter()
    mask = (1 << KEY_SHIFT) - 1
    if connection.dialect.name == "sqlite":
        one = "SELECT {n} AS mark, rowid & {mask} AS bill_id FROM bill_fts WHERE bill_fts MATCH :m{n} LIMIT {most}"
        values = {f"m{n}": f'"{mark}"' for n, mark in enumerate(marks)}
    else:
        one = (
            "SELECT {n} AS mark, s.doc_id & {mask} AS bill_id FROM bill_search s"
            " WHERE s.lexemes @@ CAST(:m{n} AS tsquery) LIMIT {most}"
        )
        values = {f"m{n}": f"'{mark}'" for n, mark in enumerate(marks)}
    each = (f"SELECT * FROM ({one.format(n=n, mask=mask, most=TOO_COMMON)}) AS t{n}" for n in range(len(marks)))
    rows = connection.execute(text(" UNION ALL ".join(each)), values).all()
    common = {mark for mark, times in Counter(row.mark for row in rows).items() if times >= TOO_COMMON}
    return Counter(row.bill_id for row in rows if row.mark not in common)
