"""Shows where a search was found: the bill's own words around the hit, with the hit marked.

A snippet is a list of (text, marked) pieces, so that every page escapes it in its own way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracker.query import And, Identifier, Node, Or, Phrase, Prefix, Word, leaves
from tracker.words import SMALL_WORDS

WIDTH = 240
MAX_MARKS = 200
# Between two words of a phrase: anything that is no word, and small words.
_BETWEEN = rf"(?:[^a-z0-9]+(?:{'|'.join(sorted(SMALL_WORDS))})(?![a-z0-9]))*[^a-z0-9]+"

Pieces = list[tuple[str, bool]]


@dataclass(frozen=True)
class Snippet:
    """``field`` is title, abstract:0 … or text; ``start`` is where the pieces begin in it (code points)."""

    field: str
    start: int
    pieces: Pieces

    def marked(self, before: str = "**", after: str = "**") -> str:
        """As plain text with marks around the hits, on one line."""
        text = "".join(f"{before}{text}{after}" if hit else text for text, hit in self.pieces)
        return re.sub(r"\s+", " ", text).strip()


class Highlighter:
    """Finds the wanted words of one search in the original text."""

    def __init__(self, tree: Node | None) -> None:
        patterns = {_pattern(leaf) for leaf, wanted in (leaves(tree) if tree else ()) if wanted}
        # Longer first, so that a phrase is marked whole.
        self.patterns = [re.compile(p) for p in sorted(patterns - {""}, key=lambda p: (-len(p), p))]

    def spans(self, text: str, limit: int = MAX_MARKS) -> list[tuple[int, int]]:
        """Where the words stand, in order, without overlaps."""
        low = text.lower()
        if len(low) != len(text):
            low = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
        found: list[tuple[int, int]] = []
        for pattern in self.patterns:
            for count, match in enumerate(pattern.finditer(low)):
                if count >= limit:
                    break
                found.append(match.span())
        found.sort(key=lambda span: (span[0], -span[1]))
        kept: list[tuple[int, int]] = []
        for start, end in found:
            if not kept or start >= kept[-1][1]:
                kept.append((start, end))
        return kept[:limit]

    def mark(self, text: str) -> Pieces:
        """A whole short text, such as a title, with its hits."""
        return _pieces(text, 0, len(text), self.spans(text))

    def snippet(self, fields: Iterable[tuple[str, str]]) -> Snippet | None:
        """The best place in the first of these (name, text) fields that has one."""
        for name, text in fields:
            spans = self.spans(text)
            if spans:
                start, end = _window(text, spans)
                return Snippet(name, start, _pieces(text, start, end, spans))
        return None


def _pattern(leaf: Node) -> str:
    match leaf:
        case Word(form):
            return rf"{_word(form)}(?![a-z0-9])"
        case Prefix(start, also):
            beginnings = "|".join([re.escape(start) + "[a-z0-9]*", *map(_form, also)])
            return rf"(?<![a-z0-9])(?:{beginnings})(?![a-z0-9])"
        case Phrase(forms):
            return rf"{_BETWEEN.join([_word(forms[0]), *map(_form, forms[1:])])}(?![a-z0-9])"
        case Identifier(identifier):
            letters, _, number = identifier.lower().partition(" ")
            dotted = r"\.?[ ]?".join(map(re.escape, letters))
            return rf"(?<![a-z0-9]){dotted}\.?[ -]?0*{re.escape(number)}(?![a-z0-9])"
        case And() | Or():
            return ""
    return ""


def _word(form: str) -> str:
    """The spellings of a form where a word begins.

    Looking back only behind the letters lets a text be searched for them at once, not place by place.
    """
    stem, endings = _stem(form)
    return rf"{re.escape(stem)}(?<![a-z0-9]{re.escape(stem)}){endings}"


def _form(form: str) -> str:
    """The spellings that are indexed as this form."""
    stem, endings = _stem(form)
    return re.escape(stem) + endings


def _stem(form: str) -> tuple[str, str]:
    """How every spelling of a form begins, and a pattern of how it may go on."""
    if form.isdigit():
        return form, ""
    possessive = "(?:['’]s?)?"
    if form.endswith("y") and len(form) > 2:
        return form[:-1], f"(?:y|ies|ys){possessive}"
    return form, f"(?:s|es)?{possessive}"


def _window(text: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Start and end of the stretch with most hits, at word boundaries; the earliest of equals."""
    best, most = spans[0], 0
    right = 0
    for left, span in enumerate(spans):
        while right < len(spans) and spans[right][1] <= span[0] + WIDTH * 3 // 4:
            right += 1
        if right - left > most:
            best, most = span, right - left
    start = max(best[0] - WIDTH // 4, 0)
    end = min(start + WIDTH, len(text))
    start = max(end - WIDTH, 0)
    if start > 0:
        space = text.find(" ", start, best[0])
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", best[1], end)
        end = space if space >= 0 else max(end, best[1])
    return start, max(end, best[1])


def _pieces(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> Pieces:
    pieces: Pieces = []
    at = start
    for left, right in spans:
        if right <= start or left >= end:
            continue
        left, right = max(left, start), min(right, end)
        if left > at:
            pieces.append((text[at:left], False))
        pieces.append((text[left:right], True))
        at = right
    if at < end:
        pieces.append((text[at:end], False))
    return pieces
