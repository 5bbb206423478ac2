"""Finds bills: words, phrases and numbers with filters, ranked or newest first, the same on both databases.

    results = search(connection, Query(text='apprentice* "tax credit"', states=["tx"]))

Ranking looks at :data:`RANKED` hits at most: those with all words in title or abstract first, then the
newest. Where there are more, the results say so (``capped``) and go on, newest first. Counting stops at
:data:`COUNTED`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from tracker import query as q
from tracker.models.bills import BillRow, SessionRow
from tracker.models.tags import TagRow
from tracker.query import Identifier, Node, QueryError
from tracker.records import bill_key
from tracker.search_index import KEY_SHIFT
from tracker.search_keys import COUNTED, counted, keys_of
from tracker.search_narrowing import narrowing
from tracker.search_scores import scores_of
from tracker.search_sql import Condition, Narrowing, Query, condition
from tracker.snippets import Highlighter, Snippet
from tracker.tagging import read_abstracts, read_texts

__all__ = ["Hit", "Query", "QueryError", "Results", "matching", "search"]

RANKED = 200
# Facets look at so many hits.
FACETED = 2_500
MAX_LIMIT = 1_000


@dataclass(frozen=True)
class Hit:
    """One bill found. ``score`` is 0 where results are not ranked."""

    bill_id: int
    ocd_id: str
    key: str
    jurisdiction: str
    session: str
    identifier: str
    title: str
    chamber: str
    classification: list[str]
    stage: str
    latest_action: str
    latest_action_date: dt.date | None
    first_seen: dt.datetime
    url: str
    vanished: bool
    score: float
    tags: dict[str, float]
    marked_title: list[tuple[str, bool]]
    snippet: Snippet | None

    def as_row(self) -> dict[str, Any]:
        """For machines and tables: plain values, hits between two stars."""
        row = {**self.__dict__}
        row["marked_title"] = "".join(f"**{text}**" if hit else text for text, hit in self.marked_title)
        row["snippet"] = self.snippet.marked() if self.snippet else ""
        row["snippet_field"] = self.snippet.field if self.snippet else ""
        return row


@dataclass
class Results:
    """``total`` is exact when ``counted``; else there are more than that. ``note`` says what was cut, if so."""

    hits: list[Hit] = field(default_factory=list)
    total: int = 0
    counted: bool = True
    capped: bool = False
    note: str = ""


def search(connection: Connection, search: Query, narrow: Narrowing | None = None) -> Results:
    """Run a search. Raises :class:`QueryError` with one sentence where the question cannot be read.

    ``narrow`` is what :func:`narrowing` said of this search, where it was asked before.
    """
    _check(search)
    tree = _tree(connection, search)
    narrow = narrow or narrowing(connection, search)
    everything = condition(search, tree, connection.dialect.name, narrow)
    total, newest = counted(connection, everything)
    results = Results(total=min(total, COUNTED), counted=total <= COUNTED)
    if tree is None or search.sort == "newest":
        results.hits = _hits(connection, newest(search.limit, search.offset), {}, tree)
        return results
    heading = condition(search, tree, connection.dialect.name, narrow, heading=True)
    best = keys_of(connection, heading, RANKED, 0)
    if len(best) < RANKED:
        best = list(dict.fromkeys([*best, *newest(RANKED, 0)]))[:RANKED]
    results.capped = total > RANKED
    if results.capped:
        results.note = (
            f"{results.total:,}{'' if results.counted else '+'} hits: {RANKED} are ranked, those with the words"
            " in title or summary before the newest; the others follow, newest first"
        )
    end = search.offset + search.limit
    scores = scores_of(connection, best, tree, end)
    ranked = sorted(best, key=lambda key: (-scores[key], -key))
    page = ranked[search.offset : end]
    if len(page) < search.limit and total > len(ranked):
        chosen = set(ranked)
        skip = max(search.offset - len(ranked), 0)
        others = [k for k in newest(end + RANKED, 0) if k not in chosen]
        page += others[skip : skip + search.limit - len(page)]
    results.hits = _hits(connection, page, scores, tree)
    return results


def matching(connection: Connection, search: Query) -> Iterator[int]:
    """The ids of all bills that match, newest first, without limit: for exports."""
    found = _condition(connection, search)
    low = None
    while True:
        # Pages by key, so that a long export holds no cursor open on the index.
        more = found
        if low is not None:
            more = Condition(f"{found.sql} AND {found.key} < :below", {**found.values, "below": low})
        keys = keys_of(connection, more, 5_000, 0)
        yield from map(bill_id, keys)
        if len(keys) < 5_000:
            return
        low = keys[-1]


def hits_of(connection: Connection, search: Query, bill_ids: Sequence[int]) -> list[Hit]:
    """These bills as hits of a search, in the given order, with its words marked."""
    return _hits(connection, bill_ids, {}, _tree(connection, search))


@dataclass(frozen=True)
class Scope:
    """SQL that gives ``bill_id`` of the hits, with its named values."""

    sql: str
    values: dict[str, Any]


def scope(connection: Connection, search: Query, limit: int, narrow: Narrowing | None = None) -> Scope:
    """The hits, the newest ``limit``, as a table to join with others."""
    found = _condition(connection, search, narrow)
    mask = (1 << KEY_SHIFT) - 1
    sql = (
        f"SELECT {found.key} & {mask} AS bill_id FROM {found.tables} WHERE {found.sql}"
        f" ORDER BY {found.key} DESC LIMIT {limit}"
    )
    return Scope(sql, found.values)


def facets(connection: Connection, search: Query, narrow: Narrowing | None = None) -> dict[str, dict[str, int]]:
    """How the hits (the newest :data:`FACETED`) spread over jurisdiction, chamber and stage, most first.

    ``narrow`` is what :func:`narrowing` said of this search, with whatever states, chambers and stages.
    """
    if connection.dialect.name == "postgresql":
        keys = keys_of(connection, _condition(connection, search, narrow), FACETED, 0)
        hits, values = "unnest(CAST(:ids AS bigint[])) AS hit (bill_id)", {"ids": [bill_id(key) for key in keys]}
    else:
        newest = scope(connection, search, FACETED, narrow)
        hits, values = f"({newest.sql}) AS hit", newest.values
    rows = connection.execute(
        text(
            f"SELECT bill.jurisdiction, bill.chamber, bill.stage, count(*) FROM {hits}"
            " JOIN bill ON bill.id = hit.bill_id GROUP BY bill.jurisdiction, bill.chamber, bill.stage"
        ),
        values,
    ).all()
    counts: dict[str, dict[str, int]] = {"jurisdiction": {}, "chamber": {}, "stage": {}}
    for row in rows:
        for name, value in (("jurisdiction", row[0]), ("chamber", row[1]), ("stage", row[2])):
            counts[name][value] = counts[name].get(value, 0) + row[3]
    return {n: dict(sorted(c.items(), key=lambda item: (-item[1], item[0]))) for n, c in counts.items()}


def bill_id(key: int) -> int:
    """The bill of a document key."""
    return key & ((1 << KEY_SHIFT) - 1)


def _condition(connection: Connection, search: Query, narrow: Narrowing | None = None) -> Condition:
    known = narrow or narrowing(connection, search)
    return condition(search, _tree(connection, search), connection.dialect.name, known)


def _check(search: Query) -> None:
    if search.sort not in ("ranked", "newest"):
        raise QueryError(f"sort is “ranked” or “newest”, not {search.sort!r}")
    if not 1 <= search.limit <= MAX_LIMIT:
        raise QueryError(f"limit is from 1 to {MAX_LIMIT:,}; use an export for more")
    if search.offset < 0:
        raise QueryError("offset cannot be negative")


def _tree(connection: Connection, search: Query) -> Node | None:
    tree = q.parse(search.text)
    return q.resolve(tree, lambda node: _exists(connection, node)) if tree else None


def _exists(connection: Connection, node: Identifier) -> bool:
    # By the index alone, as any search: looking through the documents for one of a rare number takes half a second.
    alone = Identifier(node.identifier, node.otherwise)
    found = condition(Query(), alone, connection.dialect.name, Narrowing())
    return bool(keys_of(connection, found, 1, 0))


# Made once: to put a statement together costs more than to ask it.
_BILLS = (
    select(
        BillRow.id,
        BillRow.ocd_id,
        BillRow.jurisdiction,
        SessionRow.identifier.label("session"),
        BillRow.identifier,
        BillRow.title,
        BillRow.chamber,
        BillRow.classification,
        BillRow.stage,
        BillRow.latest_action,
        BillRow.latest_action_date,
        BillRow.first_seen_at,
        BillRow.url,
        BillRow.vanished_at,
    )
    .join(SessionRow, SessionRow.id == BillRow.session_id)
    .where(BillRow.id.in_(bindparam("ids", expanding=True)))
)
_TAGS = (
    select(TagRow.bill_id, TagRow.strategy, TagRow.score)
    .where(TagRow.bill_id.in_(bindparam("ids", expanding=True)), TagRow.applied, TagRow.removed_at.is_(None))
    .order_by(TagRow.strategy)
)


def _hits(connection: Connection, keys: Sequence[int], scores: dict[int, float], tree: Node | None) -> list[Hit]:
    ids = [bill_id(key) for key in keys]
    rows = {row.id: row for row in connection.execute(_BILLS, {"ids": ids})}
    tags: dict[int, dict[str, float]] = defaultdict(dict)
    for row in connection.execute(_TAGS, {"ids": ids}):
        if row.strategy != "in_scope":
            tags[row.bill_id][row.strategy] = row.score
    highlighter = Highlighter(tree)
    snippets = _snippets(connection, ids, highlighter) if tree else {}
    return [
        _hit(rows[bill], scores.get(key, 0.0), tags[bill], highlighter, snippets.get(bill))
        for key, bill in zip(keys, ids, strict=True)
    ]


def _snippets(connection: Connection, ids: Sequence[int], highlighter: Highlighter) -> dict[int, Snippet | None]:
    abstracts = read_abstracts(connection, ids)
    found: dict[int, Snippet | None] = {}
    for bill in ids:
        fields = [(f"abstract:{n}", abstract) for n, abstract in enumerate(abstracts.get(bill, ()))]
        found[bill] = highlighter.snippet(fields)
    # Texts are long: only those are read that have to be looked into.
    texts = read_texts(connection, [bill for bill in ids if found[bill] is None])
    for bill, (_, body) in texts.items():
        found[bill] = highlighter.snippet([("text", body)])
    return found


def _hit(row: Any, score: float, tags: dict[str, float], marks: Highlighter, snippet: Snippet | None) -> Hit:
    return Hit(
        row.id,
        row.ocd_id,
        bill_key(row.jurisdiction, row.session, row.identifier),
        row.jurisdiction,
        row.session,
        row.identifier,
        row.title,
        row.chamber,
        row.classification,
        row.stage,
        row.latest_action,
        row.latest_action_date,
        row.first_seen_at,
        row.url,
        row.vanished_at is not None,
        score,
        tags,
        marks.mark(row.title),
        snippet,
    )
