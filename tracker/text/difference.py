"""What changed between two version texts: paragraph by paragraph, then word by word.

Many legislatures' texts have no paragraphs: lines follow each other from the first section to the last. Where a
changed paragraph is that long, it is taken apart at sections, subsections and sentences, on both sides alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# A word carries the white space after it: half the pieces, and a mail shows whole words.
_WORD = re.compile(r"[\w’'-]+\s*|[^\w\s]\s*|\s+")
_KEY = re.compile(r"\s+")
# A paragraph of more characters is no paragraph to a reader.
LONG = 2_000
_SHORT = 25
_MARKER = (
    r"\(\w{1,4}\)|§|\d{1,3}\.\s|[A-Z]\.\s"
    r"|(?:SEC|Sec|SECTION|Section|ARTICLE|Article|CHAPTER|Chapter|PART|Part)\b"
)
_ABBREVIATED = "".join(
    rf"(?<!\b{word}\.)" for word in ("Sec", "sec", "SEC", "Secs", "No", "Nos", "Art", "Subd", "Stat", "St")
)
# Where a passage ends: before a line that opens a section or subsection, and after a sentence.
_END = re.compile(rf"\n(?=[^\S\n]*(?:{_MARKER}))|(?<=[.;:]){_ABBREVIATED}[\"'”’)\]]*\s+(?=[A-Z(“\"'‘§\d])")
# Above these sizes the word level is left out, so that time stays bounded.
WORDS_IN_PAIR = 4_000
PARAGRAPHS_IN_BLOCK = 2_000
WORK = 4_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of a changed paragraph. For a mail: deleted and inserted pieces between the same words."""

    kind: Literal["same", "deleted", "inserted"]
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """One row of a side-by-side page: a paragraph of the old text, of the new, or of both.

    `old` and `new` are the paragraphs ("" where there is none), `old_start` and `new_start` their
    positions in the texts. `changes` rebuilds `old` without "inserted" and `new` without "deleted".
    """

    kind: Literal["same", "changed", "deleted", "inserted"]
    old: str
    new: str
    old_start: int
    new_start: int
    changes: tuple[Change, ...]


Part = tuple[int, str]  # position, paragraph


def _parts(text: str) -> list[Part]:
    return [(m.start(), m.group()) for m in re.finditer(r"[^\n]+(?:\n(?!\n)[^\n]+)*", text)]


def _passages(parts: list[Part]) -> list[Part]:
    """Paragraphs taken apart; each passage keeps its place in the text. What is too short to be read alone (``Sec. ``)
    goes with what follows. Where a passage ends depends on the words around that place alone, so a change moves no
    other end."""
    out: list[Part] = []
    for at, paragraph in parts:
        begin = 0
        for end in (*(match.end() for match in _END.finditer(paragraph)), len(paragraph)):
            if end < len(paragraph) and len(paragraph[begin:end].strip()) < _SHORT:
                continue
            out += _lines(at + begin, paragraph[begin:end])
            begin = end
    return out


def _lines(at: int, passage: str) -> Iterator[Part]:
    """A passage as it is, or line by line where even that is too long (a table, a list without stops)."""
    pieces = passage.splitlines(keepends=True) if len(passage) > LONG else [passage]
    for piece in pieces:
        if piece.strip():
            yield at + len(piece) - len(piece.lstrip()), piece.strip()
        at += len(piece)


def diff(old: str, new: str, *, context: bool = False) -> list[Hunk]:
    """Hunks in reading order; equal paragraphs only with `context`. White space alone is no change.

    A changed paragraph of more than :data:`LONG` characters gives a hunk for each of its passages.

    Time is bounded: texts of a megabyte take seconds at most; huge rewrites are given as deleted and
    inserted paragraphs.
    """
    hunks: list[Hunk] = []
    budget = WORK
    for same, olds, news in _blocks(_parts(old), _parts(new)):
        if same:
            hunks += _same(olds, news) if context else []
            continue
        coarse = olds and news and max(len(text) for _, text in olds + news) > LONG
        for equal, o, n in _blocks(_passages(olds), _passages(news)) if coarse else [(False, olds, news)]:
            if equal:
                hunks += _same(o, n) if context else []
                continue
            for pair in _pairs(o, n):
                hunk, used = _hunk(*pair, budget)
                budget -= used
                hunks.append(hunk)
    return hunks


def _blocks(before: list[Part], after: list[Part]) -> Iterator[tuple[bool, list[Part], list[Part]]]:
    """Stretches of both sides in reading order, and whether they say the same."""
    a, b = ([_KEY.sub(" ", text).strip() for _, text in side] for side in (before, after))
    for tag, i1, i2, j1, j2 in _opcodes(a, b):
        yield tag == "equal", before[i1:i2], after[j1:j2]


def _same(olds: list[Part], news: list[Part]) -> list[Hunk]:
    return [Hunk("same", o[1], n[1], o[0], n[0], (Change("same", n[1]),)) for o, n in zip(olds, news, strict=True)]


def _opcodes(a: list[str], b: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Opcodes; equal ends are taken off first, and a block with too many repeats is replaced whole."""
    low = 0
    while low < len(a) and low < len(b) and a[low] == b[low]:
        low += 1
    high = 0
    while high < min(len(a), len(b)) - low and a[-1 - high] == b[-1 - high]:
        high += 1
    if low:
        yield "equal", 0, low, 0, low
    x, y = a[low : len(a) - high], b[low : len(b) - high]
    if x or y:
        counts: dict[str, int] = {}
        for word in y:
            counts[word] = counts.get(word, 0) + 1
        if sum(counts.get(word, 0) for word in x) > 4_000_000:
            yield "replace", low, low + len(x), low, low + len(y)
        else:
            for tag, i1, i2, j1, j2 in SequenceMatcher(None, x, y, autojunk=False).get_opcodes():
                yield tag, low + i1, low + i2, low + j1, low + j2
    if high:
        yield "equal", len(a) - high, len(a), len(b) - high, len(b)


def _bag(text: str) -> set[str]:
    return set(re.findall(r"\w+", text[:20_000].lower()))


_Pair = tuple[Part | None, Part | None]


def _pairs(olds: list[Part], news: list[Part]) -> list[_Pair]:
    """Paragraphs of a replaced block set side by side: those that share most of their words, in order."""
    if not olds or not news or len(olds) * len(news) > PARAGRAPHS_IN_BLOCK:
        if olds and news and len(olds) == len(news):
            return [(o, n) for o, n in zip(olds, news, strict=True)]
        return [(o, None) for o in olds] + [(None, n) for n in news]
    bags = [_bag(t) for _, t in news]
    out: list[_Pair] = []
    at = 0
    for part in olds:
        mine = _bag(part[1])
        scores = [
            (
                len(mine & bag) / max(1, min(len(mine), len(bag)) if min(len(mine), len(bag)) > 8 else len(mine | bag)),
                -k,
            )
            for k, bag in enumerate(bags[at:], at)
        ]
        best = max(scores, default=(0.0, 0))
        if best[0] >= 0.5:
            found = -best[1]
            out += [(None, n) for n in news[at:found]]
            out.append((part, news[found]))
            at = found + 1
        else:
            out.append((part, None))
    return out + [(None, n) for n in news[at:]]


def _hunk(old: Part | None, new: Part | None, budget: int) -> tuple[Hunk, int]:
    if old is None or new is None:
        part = old or new
        assert part is not None
        at, text = part
        if old is None:
            return Hunk("inserted", "", text, -1, at, (Change("inserted", text),)), 0
        return Hunk("deleted", text, "", at, -1, (Change("deleted", text),)), 0
    a, b = _WORD.findall(old[1]), _WORD.findall(new[1])
    cost = len(a) * len(b)
    if len(a) > WORDS_IN_PAIR or len(b) > WORDS_IN_PAIR or cost > budget:
        whole = (Change("deleted", old[1]), Change("inserted", new[1]))
        return Hunk("changed", old[1], new[1], old[0], new[0], whole), 0
    return Hunk("changed", old[1], new[1], old[0], new[0], _words(a, b)), cost


def _words(a: list[str], b: list[str]) -> tuple[Change, ...]:
    out: list[Change] = []

    def put(kind: Literal["same", "deleted", "inserted"], words: list[str]) -> None:
        if words:
            out.append(Change(kind, "".join(words)))

    junk = len(a) * len(b) > 250_000
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=junk).get_opcodes():
        if tag == "equal":
            put("same", a[i1:i2])
        else:
            put("deleted", a[i1:i2])
            put("inserted", b[j1:j2])
    return tuple(out)
