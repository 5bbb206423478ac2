"""Chooses the words that show a tag: whole sentences or clauses that hold the mechanism and what it is
for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tracker.classify.reading import sentences

SHORTEST, LONGEST, MOST = 40, 300, 3
_CLAUSE = re.compile(
    r"[;:,.]\s+|\s(?=\((?:\d{1,2}|[a-zA-Z]{1,3})\)\s)|\s(?=(?:and|or|provided|except|which|that|if|unless)\s)"
)
_NOT_NEW = re.compile(
    r"\W*(?:(?:under )?(?:existing|current|present) (?:state |federal )?law|whereas)\b"
    r"|.{0,80}\b(?:legislature|assembly|congress)(?: hereby| further| also)? finds\b",
    re.I | re.S,
)
_NOT_NEW_COST = 8.0
_STRAY = re.compile(r"^(?:\W*\b\d{1,2}\b\s+)+(?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class Quote:
    """`quote == field[start:end]`, in code points of the string as given."""

    field: str
    start: int
    end: int
    quote: str

    def as_dict(self) -> dict[str, str | int]:
        return {"field": self.field, "start": self.start, "end": self.end, "quote": self.quote}


def spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of `text[start:end]` fit to be quoted: sentences, and of long sentences the runs of clauses
    that fit.
    """
    pieces = list(sentences(text, start, end))
    for number, (first, last) in enumerate(pieces):
        if last - first > LONGEST:
            yield from _clauses(text, first, last)
            continue
        stop = number
        while last - first < SHORTEST and stop + 1 < len(pieces) and pieces[stop + 1][1] - first <= LONGEST:
            stop += 1
            last = pieces[stop][1]
        yield first, last


def _clauses(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    cuts = [first, *(found.end() for found in _CLAUSE.finditer(text, first, last)), last]
    for number, begin in enumerate(cuts[:-1]):
        best = None
        for end in cuts[number + 1 :]:
            if end - begin > LONGEST:
                break
            best = end
        if best is None:
            best = text.rfind(" ", begin + SHORTEST, begin + LONGEST)
            if best < 0:
                best = begin + LONGEST
        yield begin, best
        if best == last:
            break


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without surrounding white space, a stray line number, or a hanging comma."""
    while start < end and text[start].isspace():
        start += 1
    stray = _STRAY.match(text[start:end])
    if stray and stray.end() < 12:
        start += stray.end()
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",:"):
        end -= 1
    return start, end


def choose(
    fields: Mapping[str, str],
    places: list[tuple[str, int, int, float]],
    worth: Callable[[list[str], list[float]], list[float]],
    most: int = MOST,
) -> list[Quote]:
    """The best one to three quotes.

    `places` are (field, start, end, prior) to look in; `worth` says for a list of quotes and their priors how well each
    shows the tag, its prior included. Quotes after the first are kept only if nearly as good. Falls back to the title
    when nothing else is there.
    """
    found: list[tuple[float, Quote]] = []
    quotes: list[Quote] = []
    priors: list[float] = []
    for field, start, end, prior in places:
        text = fields[field]
        for first, last in spans(text, start, end):
            first, last = trim(text, first, last)
            whole = first == 0 and last >= len(text.rstrip(" ,:\t\n"))
            if last - first < SHORTEST and not (whole and last > first):
                continue
            quotes.append(Quote(field, first, last, text[first:last]))
            # what is law already, or only a finding, shows nothing that the bill does
            priors.append(prior - (_NOT_NEW_COST if _NOT_NEW.match(text[first:last]) else 0.0))
    if quotes:
        found = sorted(
            ((value, quote) for value, quote in zip(worth([q.quote for q in quotes], priors), quotes, strict=True)),
            key=lambda pair: (-pair[0], pair[1].field, pair[1].start),
        )
    kept: list[Quote] = []
    for value, quote in found:
        if kept and value < found[0][0] - 0.6:
            break
        if any(q.field == quote.field and q.start < quote.end and quote.start < q.end for q in kept):
            continue
        if any(q.quote == quote.quote for q in kept):
            continue
        kept.append(quote)
        if len(kept) == most:
            break
    return kept or _title(fields["title"])


def _title(title: str) -> list[Quote]:
    start, end = trim(title, 0, min(len(title), LONGEST))
    return [Quote("title", start, end, title[start:end])] if end > start else []
