"""A search as each database takes it: an FTS5 MATCH, or conditions on PostgreSQL's index of words.

The tree (:mod:`tracker.query`) is the same; what matches is the same.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tracker import query as q
from tracker.query import And, Identifier, Node, Not, Or, Phrase, Prefix, Word
from tracker.search_index import day_key


@dataclass(frozen=True)
class Query:
    """A search with its filters. Values of one filter are alternatives; filters are all required.

    ``strategies`` asks for applied tags, or with ``min_score`` for any tag that reaches it. Dates of action
    are of a bill's latest action; ``seen`` is when we first saw the bill, ``changed`` when it last changed.
    Days count in UTC; both ends belong to the range.
    """

    text: str = ""
    states: Sequence[str] = ()
    sessions: Sequence[str] = ()
    chambers: Sequence[str] = ()
    classifications: Sequence[str] = ()
    subjects: Sequence[str] = ()
    sponsors: Sequence[str] = ()
    stages: Sequence[str] = ()
    strategies: Sequence[str] = ()
    min_score: float | None = None
    action_since: dt.date | None = None
    action_until: dt.date | None = None
    seen_since: dt.date | None = None
    seen_until: dt.date | None = None
    changed_since: dt.date | None = None
    changed_until: dt.date | None = None
    sort: str = "ranked"
    limit: int = 20
    offset: int = 0


@dataclass
class Condition:
    """SQL after WHERE on ``s`` (bill_search; on SQLite bill_fts) with its named values.

    ``by_words``: PostgreSQL's index of words is the quickest way to the newest, whatever the planner thinks.
    """

    sql: str
    values: dict[str, Any] = field(default_factory=dict)
    by_words: bool = False

    @property
    def slow(self) -> bool:
        """Whether it reads the words of whole documents, so that it should be asked once."""
        return "s.tokens" in self.sql

    @property
    def tables(self) -> str:
        """FROM what."""
        return "bill_fts" if "bill_fts MATCH" in self.sql else "bill_search s"

    @property
    def key(self) -> str:
        """The document key's column."""
        return "bill_fts.rowid" if "bill_fts MATCH" in self.sql else "s.doc_id"


@dataclass(frozen=True)
class Narrowing:
    """What the index has no words for (tags, days of observation), asked once for all queries of a search.

    ``sql`` is a condition on ``{bill}``, a bill's id; empty where nothing is asked.
    """

    sql: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def condition(search: Query, tree: Node | None, dialect: str, narrow: Narrowing, *, heading: bool = False) -> Condition:
    """What a document must fulfil. ``heading``: wanted words must be in title or abstracts."""
    filters = _filters(search)
    parts: list[str] = []
    values: dict[str, Any] = {}
    # Without words the plain table, ordered by its key, is quicker than a full-text search for "everything".
    if tree is None and not filters:
        key = "s.doc_id"
        bill = "s.bill_id"
    elif dialect == "sqlite":
        match = " AND ".join([*(_any_fts(group) for group in filters), *([_fts(tree, heading)] if tree else [])])
        parts.append("bill_fts MATCH :match")
        values["match"] = match
        key = "bill_fts.rowid"
        # The unary plus keeps SQLite from asking the full-text index about one bill after another.
        bill = f"+(bill_fts.rowid & {(1 << 36) - 1})"
    else:
        key = "s.doc_id"
        bill = "s.bill_id"
        ts = _Tsquery(heading)
        ts.require(filters, tree)
        parts.append(ts.sql())
        values.update(ts.values)
    for name, sign, day in (("low", ">=", search.action_since), ("high", "<", search.action_until)):
        if day is not None:
            parts.append(f"{key} {sign} :{name}")
            values[name] = day_key(day + dt.timedelta(days=int(name == "high")))
    if narrow.sql:
        parts.append(narrow.sql.format(bill=bill))
        values.update(narrow.values)
    # Beginnings of words and what must not be there name most of the documents: the planner sees to them.
    plain = tree is not None and all(wanted and not isinstance(leaf, Prefix) for leaf, wanted in q.leaves(tree))
    return Condition(" AND ".join(parts) or "1 = 1", values, plain and dialect == "postgresql")


def _filters(search: Query) -> list[list[set[str]]]:
    """Each filter as alternatives, each alternative as index words that must all be there."""
    groups = [
        [{q.jurisdiction_mark(v)} for v in search.states],
        [{q.session_mark(v)} for v in search.sessions],
        [{q.marks("c", v)} for v in search.chambers],
        [{q.marks("k", v)} for v in search.classifications],
        [{q.marks("g", v)} for v in search.stages],
        [q.name_marks("s", v) for v in search.subjects],
        [q.name_marks("p", v) for v in search.sponsors],
    ]
    for group in groups:
        if not all(group):
            raise q.QueryError("a filter for a subject or sponsor has no word to look for")
    return [group for group in groups if group]


def _any_fts(group: list[set[str]]) -> str:
    return "(" + " OR ".join("(" + " AND ".join(f'"{m}"' for m in sorted(marks)) + ")" for marks in group) + ")"


def _fts(node: Node, heading: bool) -> str:
    """FTS5's expression. Every word is in quotation marks and made of letters, digits and underscores."""
    where = "{title abstract} : " if heading else ""
    match node:
        case Word(form):
            return f'({where}"{form}")'
        case Prefix(start, also):
            plain = where or "{title abstract body} : "
            return "(" + " OR ".join([f'{plain}"{start}" *', *(f'{plain}"{form}"' for form in also)]) + ")"
        case Phrase(forms):
            return f'({where}"{" ".join(forms)}")'
        case Identifier():
            return "(" + " AND ".join(f'"{mark}"' for mark in identifier_marks(node)) + ")"
        case Or(parts):
            return "(" + " OR ".join(_fts(part, heading) for part in parts) + ")"
        case Not(part):
            return f'("{q.EVERYTHING}" NOT {_fts(part, False)})'
        case And(parts):
            wanted = [_fts(p, heading) for p in parts if not isinstance(p, Not)] or [f'"{q.EVERYTHING}"']
            unwanted = [_fts(p.part, False) for p in parts if isinstance(p, Not)]
            whole = "(" + " AND ".join(wanted) + ")"
            for part_text in unwanted:
                whole = f"({whole} NOT {part_text})"
            return whole


def identifier_marks(node: Identifier) -> list[str]:
    """The index words of a number, with its place where the key was given whole."""
    found = [q.identifier_mark(node.identifier)]
    if node.place:
        found += [q.jurisdiction_mark(node.place[0]), q.session_mark(node.place[1])]
    return found


class _Tsquery:
    """Conditions on ``lexemes``. Only phrases of three words and more look at the text itself."""

    def __init__(self, heading: bool) -> None:
        self.heading = heading
        self.values: dict[str, Any] = {}
        self.parts: list[str] = []

    def require(self, filters: list[list[set[str]]], tree: Node | None) -> None:
        quick = [
            "(" + " | ".join("(" + " & ".join(f"'{m}'" for m in sorted(marks)) + ")" for marks in group) + ")"
            for group in filters
        ]
        parts = list(tree.parts) if isinstance(tree, And) else [tree] if tree else []
        slow: list[str] = []
        for part in parts:
            if has_long_phrase(part):
                quick += self._superset(part)
                slow.append(self._exact(part, self.heading))
            else:
                quick.append(self._ts(part, self.heading))
        if quick:
            self.parts.append(f"s.lexemes @@ {self._bind(' & '.join(quick))}")
        self.parts += slow

    def sql(self) -> str:
        return " AND ".join(self.parts)

    def _bind(self, value: str, cast: str = "tsquery") -> str:
        name = f"q{len(self.values)}"
        self.values[name] = value
        return f"CAST(:{name} AS {cast})"

    def _superset(self, node: Node) -> list[str]:
        """What the index can say of a part with a long phrase: more than matches, never less."""
        if isinstance(node, Phrase):
            return [_pairs(node, self.heading)]
        if isinstance(node, And):
            return [found for part in node.parts for found in self._superset(part)]
        if isinstance(node, Or):
            groups = [self._superset(part) for part in node.parts]
            if all(groups):
                return ["(" + " | ".join("(" + " & ".join(group) + ")" for group in groups) + ")"]
            return []
        if isinstance(node, Not):
            return []
        return [self._ts(node, self.heading)]

    def _exact(self, node: Node, heading: bool) -> str:
        if not has_long_phrase(node):
            return f"s.lexemes @@ {self._bind(self._ts(node, heading))}"
        match node:
            case Phrase(forms):
                headings = "split_part(s.tokens, '|', 1) || '|' || split_part(s.tokens, '|', 2)"
                place = self._bind(f" {' '.join(forms)} ", "text")
                return f"position({place} IN {headings if heading else 's.tokens'}) > 0"
            case Not(part):
                return f"NOT ({self._exact(part, False)})"
            case And(parts):
                return "(" + " AND ".join(self._exact(part, heading) for part in parts) + ")"
            case Or(parts):
                return "(" + " OR ".join(self._exact(part, heading) for part in parts) + ")"
        raise AssertionError(node)

    def _ts(self, node: Node, heading: bool) -> str:
        scope = "t__" if heading else ""
        match node:
            case Word(form):
                return f"'{scope}{form}'"
            case Prefix(start, also):
                return "(" + " | ".join([f"'{scope}{start}':*", *(f"'{scope}{a}'" for a in also)]) + ")"
            case Phrase():
                return _pairs(node, heading)
            case Identifier():
                return "(" + " & ".join(f"'{mark}'" for mark in identifier_marks(node)) + ")"
            case Not(part):
                return f"('{q.EVERYTHING}' & !{self._ts(part, False)})"
            case And(parts):
                return "(" + " & ".join(self._ts(part, heading) for part in parts) + ")"
            case Or(parts):
                return "(" + " | ".join(self._ts(part, heading) for part in parts) + ")"


def has_long_phrase(node: Node) -> bool:
    """Whether it has a phrase that pairs of words cannot prove."""
    return any(isinstance(leaf, Phrase) and len(leaf.forms) > 2 for leaf, _ in q.leaves(node))


def _pairs(phrase: Phrase, heading: bool) -> str:
    scope = "t__" if heading else ""
    pairs = zip(phrase.forms, phrase.forms[1:], strict=False)
    return "(" + " & ".join(f"'{scope}{a}_{b}'" for a, b in pairs) + ")"


def one_of(what: str, name: str, dialect: str) -> str:
    """A condition: ``what`` is among the numbers bound as ``name``, a value that :func:`as_numbers` made."""
    listed = f"= ANY(:{name})" if dialect == "postgresql" else f"IN (SELECT value FROM json_each(:{name}))"
    return f"{what} {listed}"


def as_numbers(numbers: Sequence[int], dialect: str) -> Any:
    """Numbers as one value to bind, however many they are."""
    return list(numbers) if dialect == "postgresql" else json.dumps(list(numbers))
