"""The search language: what a person types becomes a tree, the same for every database.

    tax credit                both words          apprentice*          words that begin so
    "tax credit"              the phrase          HB 12, h.b.0012      the bill of that number
    apprentice OR intern      either              tx/89R/HB 120        one bill by its key
    school -charter           not that one (also NOT charter)          ( … )  grouping

Words are compared without case, accents and plural endings (:mod:`tracker.words`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tracker.records import normalise_identifier
from tracker.words import fold, singular, slug, words

MAX_LENGTH = 1_000
MAX_TERMS = 40
MIN_PREFIX = 2


class QueryError(ValueError):
    """A search that cannot be run; the message says in one sentence what to change."""


@dataclass(frozen=True)
class Word:
    """One word."""

    form: str


@dataclass(frozen=True)
class Prefix:
    """Every word that begins with ``start``; ``also`` are the singulars such words may be indexed as."""

    start: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phrase:
    """Words that follow each other (small words between them do not count)."""

    forms: tuple[str, ...]


@dataclass(frozen=True)
class Identifier:
    """A bill's number in its normal spelling; ``otherwise`` holds when no bill is called so."""

    identifier: str
    otherwise: Node
    place: tuple[str, str] | None = None


@dataclass(frozen=True)
class And:
    """All of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """At least one of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """Not that."""

    part: Node


Node = Word | Prefix | Phrase | Identifier | And | Or | Not

_KEY = r"[A-Za-z]{2}/[^/\s\"()]{1,60}/[A-Za-z]{1,8}[ .]*\d+[A-Za-z0-9-]*"
_NUMBER = r"(?:(?:[A-Za-z]\.[ ]?){1,6}|[A-Za-z]{1,6}\.?)[ ]?-?[ ]?\d{1,6}(?:-\d{1,5})?[A-Za-z]{0,3}\d?"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<key>{_KEY})(?=$|[\s()"])
    | "(?P<phrase>[^"]*)"(?P<open>\*?)
    | (?P<unclosed>")
    | (?P<paren>[()])
    | (?P<operator>OR|AND|NOT)(?=$|[\s()"])
    | (?P<pipe>\|)
    | (?P<minus>[-!](?=[\w"(]))
    | (?P<number>{_NUMBER})(?=$|[\s()",;.])(?!\s*\*)
    | (?P<word>[^\s()"|]+)
    )""",
    re.VERBOSE,
)
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-"})


def parse(text: str) -> Node | None:
    """The tree of a search, or None for an empty one. Raises :class:`QueryError`."""
    text = text.translate(_QUOTES).replace("\x00", " ").strip()
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the search is longer than {MAX_LENGTH:,} characters")
    if not text:
        return None
    reader = _Reader(list(_tokens(text)))
    tree = reader.either()
    if reader.at < len(reader.tokens):
        raise QueryError("there is a closing bracket too many in the search")
    if tree is None:
        raise QueryError("the search has only small words such as “of” and “the”: add one that matters")
    if sum(1 for _ in leaves(tree)) > MAX_TERMS:
        raise QueryError(f"the search has more than {MAX_TERMS} words and phrases")
    return tree


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            return
        at = match.end()
        kind = match.lastgroup or ""
        if kind == "open":
            kind = "phrase" if not match["open"] else "open_phrase"
            yield kind, match["phrase"]
        elif kind == "unclosed":
            raise QueryError('a quotation mark (") in the search is not closed')
        elif kind == "pipe":
            yield "operator", "OR"
        elif kind == "minus":
            yield "operator", "NOT"
        else:
            yield kind, match[kind]


class _Reader:
    """Recursive descent: OR binds least, then AND (or nothing between), then NOT."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def either(self) -> Node | None:
        parts = [self.all()]
        while self.peek() == ("operator", "OR"):
            self.at += 1
            if self.peek()[0] in ("end",) or self.peek() == ("paren", ")"):
                raise QueryError("OR in the search needs a word on both sides")
            parts.append(self.all())
        real = tuple(part for part in parts if part is not None)
        return real[0] if len(real) == 1 else Or(real) if real else None

    def all(self) -> Node | None:
        parts: list[Node] = []
        started = False
        while True:
            kind, value = self.peek()
            if kind == "end" or (kind, value) in (("paren", ")"), ("operator", "OR")):
                break
            self.at += 1
            if (kind, value) == ("operator", "AND"):
                if not started or self.peek()[0] == "end":
                    raise QueryError("AND in the search needs a word on both sides")
                continue
            started = True
            part = self.one(kind, value)
            if part is not None:
                parts.append(part)
        if not started:
            raise QueryError("OR and brackets in the search need a word on both sides")
        return parts[0] if len(parts) == 1 else And(tuple(parts)) if parts else None

    def one(self, kind: str, value: str) -> Node | None:
        if (kind, value) == ("operator", "NOT"):
            kind, value = self.peek()
            if kind == "end" or (kind, value) in (("paren", ")"), ("operator", "OR"), ("operator", "AND")):
                raise QueryError("NOT in the search needs a word behind it")
            self.at += 1
            part = self.one(kind, value)
            return Not(part) if part is not None else None
        if (kind, value) == ("paren", "("):
            self.depth += 1
            if self.depth > 20:
                raise QueryError("the search has more than 20 brackets inside each other")
            inside = self.either()
            if self.peek() != ("paren", ")"):
                raise QueryError("a bracket in the search is not closed")
            self.at += 1
            self.depth -= 1
            return inside
        return _leaf(kind, value)


def _leaf(kind: str, value: str) -> Node | None:
    if kind == "key":
        code, session, number = value.split("/", 2)
        identifier = normalise_identifier(number)
        return Identifier(identifier, Phrase(tuple(words(value))), (code.lower(), session))
    if kind == "number":
        return _number(value)
    if kind == "phrase":
        whole = re.fullmatch(_NUMBER, value.strip())
        return _number(value.strip()) if whole else _sequence(words(value))
    if kind == "open_phrase":
        raise QueryError("a star goes behind a word, not behind a phrase")
    if value.endswith("*"):
        return _prefix(value)
    if "*" in value.strip("*"):
        raise QueryError("a star can only stand at the end of a word")
    return _sequence(words(value))


def _prefix(value: str) -> Node | None:
    *before, last = re.split(r"[^\w'’ʻʼ‘`]+|_", value.rstrip("*"))
    start = fold(last)
    if len(start) < MIN_PREFIX:
        raise QueryError(f"give at least {MIN_PREFIX} letters before the star")
    also = {singular(start)} - {start}
    for ending in ("ie", "i"):
        if start.endswith(ending) and len(start) > 3:
            also.add(start.removesuffix(ending) + "y")
    prefix = Prefix(start, tuple(sorted(also)))
    first = [form for word in before for form in words(word)]
    return And((*map(Word, first), prefix)) if first else prefix


def _number(value: str) -> Node | None:
    otherwise = _sequence(words(value)) if "-" in value else _all(words(value))
    identifier = normalise_identifier(re.sub(r"(?<=[A-Za-z.])\s*-\s*(?=\d)", "", value))
    return Identifier(identifier, otherwise) if otherwise is not None else None


def _sequence(forms: list[str]) -> Node | None:
    if not forms:
        return None
    return Word(forms[0]) if len(forms) == 1 else Phrase(tuple(forms))


def _all(forms: list[str]) -> Node | None:
    if not forms:
        return None
    return Word(forms[0]) if len(forms) == 1 else And(tuple(map(Word, forms)))


def leaves(node: Node, wanted: bool = True) -> Iterator[tuple[Node, bool]]:
    """Words, prefixes, phrases and identifiers with whether they are wanted (or behind a NOT)."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from leaves(part, wanted)
    elif isinstance(node, Not):
        yield from leaves(node.part, not wanted)
    else:
        yield node, wanted


def resolve(node: Node, exists: Callable[[Identifier], bool]) -> Node:
    """Numbers that no bill has become words again: ``Title 9`` is a bill's number nowhere."""
    if isinstance(node, And | Or):
        return type(node)(tuple(resolve(part, exists) for part in node.parts))
    if isinstance(node, Not):
        return Not(resolve(node.part, exists))
    if isinstance(node, Identifier) and node.place is None and not exists(node):
        return node.otherwise
    return node


# The index's own words. Two underscores keep them apart from words and pairs of words of the bills.
EVERYTHING = "x__all"


def identifier_mark(identifier: str) -> str:
    """The index's word for a bill's number."""
    return f"i__{slug(identifier)}"


def jurisdiction_mark(code: str) -> str:
    """The index's word for a jurisdiction."""
    return f"j__{slug(code)}"


def session_mark(session: str) -> str:
    """The index's word for a session."""
    return f"n__{slug(session)}"


def marks(kind: str, value: str) -> str:
    """The index's word for a chamber (c), class (k) or stage (g)."""
    return f"{kind}__{slug(value)}"


def name_marks(kind: str, name: str) -> set[str]:
    """The index's words for a sponsor (p) or subject (s): its words, and each two of them together.

    A question for two words so finds one name that has both, in any order.
    """
    forms = sorted(set(words(name)[:12]))
    pairs = {f"{kind}__{a}_{b}" for at, a in enumerate(forms) for b in forms[at + 1 :]}
    return {f"{kind}__{form}" for form in forms} | pairs
