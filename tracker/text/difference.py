"""What changed between two version texts: paragraph by paragraph, then word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# A word carries the white space after it: half the pieces, and a mail shows whole words.
_WORD = re.compile(r"[\w’'-]+\s*|[^\w\s]\s*|\s+")
_KEY = re.compile(r"\s+")
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


def diff(old: str, new: str, *, context: bool = False) -> list[Hunk]:
    """Hunks in reading order; equal paragraphs only with `context`. White space alone is no change.

    Time is bounded: texts of a megabyte take seconds at most; huge rewrites are given as deleted and
    inserted paragraphs.
    """
    before, after = _parts(old), _parts(new)
    a, b = [_KEY.sub(" ", t).strip() for _, t in before], [_KEY.sub(" ", t).strip() for _, t in after]
    hunks: list[Hunk] = []
    budget = WORK
    for tag, i1, i2, j1, j2 in _opcodes(a, b):
        if tag == "equal":
            if context:
                hunks += [
                    Hunk("same", o[1], n[1], o[0], n[0], (Change("same", n[1]),))
                    for o, n in zip(before[i1:i2], after[j1:j2], strict=True)
                ]
            continue
        for pair in _pairs(before[i1:i2], after[j1:j2]):
            hunk, used = _hunk(*pair, budget)
            budget -= used
            hunks.append(hunk)
    return hunks


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
