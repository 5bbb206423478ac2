"""Printed lines to paragraphs: margin numbers, running headers and wrapped lines.

Works on what a page shows, so it serves PDFs, plain text, and HTML that was printed line by line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracker.text.marks import ADDED, ADDED_END, ANY, STRUCK, STRUCK_END, bare
from tracker.text.table import Recipe


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: text with marks, left and right edge and space above in any unit (None: unknown)."""

    text: str
    left: float | None = None
    right: float | None = None
    gap: bool = False


Page = list[Line]

_LEFT = re.compile(rf"^[{ANY}\s]*(\d{{1,4}})(?=$|[\s{ANY}])[\s]?")
_RIGHT = re.compile(rf"(?:^|(?<=\s))(\d{{1,4}})[{ANY}\s]*$")
_STARTS = re.compile(
    r"(?:\(\w{1,5}\)|(?:NEW )?SECTIONS? ?\d*|SEC(?:TION|\.)|Sec(?:tion|s?\.) ?\d|§|Art(?:icle|\.) [IVX\d]|"
    r"ARTICLE|Subd|WHEREAS|Whereas|BE IT|Be it|RESOLVED|Resolved|[A-Z]\.\s|"
    r"(?:\d{1,3}[A-Z]?|[ivx]{1,5})\.(?:\s|$)|"
    r"[“\"]?\d[\w.:–-]*[-–.:]\d\w*\.(?:\s|$)|[“\"]\(?[\dA-Z]{1,4}[.)]|AN ACT|A BILL|[-•–—*]\s)"
)
_ENDS = re.compile(r"[.;:!?][”\"')\]]*(?:\s*(?:and|or))?$|[—–]$|:-$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SECTION = re.compile(r"\s*\[?(?:Section )?\d[\d.]*(?:\([a-z]\))?\. ")
_HYPHEN = re.compile(rf"([^\W\d_]{{2,}}[{ANY}]*)[-\u00ad\u2010]([{ANY}]*)$")


def paragraphs(pages: Sequence[Page], recipe: Recipe) -> list[str]:
    """Paragraphs, with marks, of a document given as pages of lines."""
    pages = [list(page) for page in pages]
    # Furniture goes before the numbers (a page number must not count as one) and after (it may be numbered).
    pages = [
        [line for line in page if bare(line.text).strip().isdigit() or not furniture(line.text, recipe)]
        for page in pages
    ]
    if recipe.numbers != "none":
        pages = unnumbered(pages, recipe.numbers)
    pages = [[line for line in page if not furniture(line.text, recipe)] for page in pages]
    pages = without_running(pages)
    return _joined(pages, recipe)


def furniture(text: str, recipe: Recipe) -> bool:
    """Whether a line is one of the recipe's `lines`."""
    shown = " ".join(bare(text).split())
    return bool(shown) and any(pattern.fullmatch(shown) for pattern in recipe.lines)


# ---------------------------------------------------------------- margin numbers


def unnumbered(pages: Sequence[Page], side: str) -> list[Page]:
    """Pages without margin line numbers; a number goes only as part of a counted run down the page.

    `side`: "left", "right" or "both" ("both": each number may also stand twice, on lines of its own).
    """
    flat = [(p, i, line) for p, lines_ in enumerate(pages) for i, line in enumerate(lines_)]
    drop: dict[tuple[int, int], str] = {}
    for edge in ("left", "right") if side == "both" else ("right",) if side == "right" else ("left",):
        pattern = _LEFT if edge == "left" else _RIGHT
        found = [(n, int(m.group(1))) for n, (_, _, line) in enumerate(flat) if (m := pattern.search(line.text))]
        sparse = side == "sparse"
        heads = {n + 1 for n, (_, _, line) in enumerate(flat) if _SECTION.match(bare(line.text))}
        for at in _counted(found, [p for p, _, _ in flat], heads, doubled=side == "both", sparse=sparse):
            number, index, _ = flat[at]
            drop.setdefault((number, index), edge)
    out: list[Page] = []
    for p, page in enumerate(pages):
        fresh: Page = []
        blank = False
        for i, line in enumerate(page):
            edge = drop.get((p, i), "")
            if edge:
                pattern = _LEFT if edge == "left" else _RIGHT
                text = pattern.sub(lambda m: "".join(c for c in m.group() if c in ANY), line.text, count=1)
                if not bare(text).strip():
                    blank = True
                    continue
                line = replace(line, text=text)
            elif not bare(line.text).strip():
                blank = True
                continue
            # A number that stands alone is a blank printed line, except where numbers stand alone by habit.
            fresh.append(replace(line, gap=line.gap or (blank and side != "both")))
            blank = False
        out.append(fresh)
    return out


def _counted(
    found: list[tuple[int, int]], page_of: list[int], heads: set[int], *, doubled: bool, sparse: bool
) -> list[int]:
    """Positions of numbers that belong to a run counting up by one, line after line."""
    reach = 8
    best: dict[int, tuple[int, int | None]] = {}  # index in found -> (run length, previous index)
    last: dict[int, int] = {}  # value -> index of the newest candidate that carries it
    for k, (at, value) in enumerate(found):
        options = []
        steps = (1, 0) if doubled else (1, 2, 3, 4) if sparse else (1,)
        for before in (value - step for step in steps):
            j = last.get(before)
            if j is not None:
                far = at - found[j][0]
                if far <= reach or (far <= 4 * reach and page_of[at] != page_of[found[j][0]]):
                    options.append((best[j][0] + 1, j))
        best[k] = max(options, default=(1, None))
        last[value] = k
    chains: list[list[int]] = []
    used: set[int] = set()
    for k in sorted(best, key=lambda k: -best[k][0]):
        chain: list[int] = []
        node: int | None = k
        while node is not None and node not in used:
            used.add(node)
            chain.append(node)
            node = best[node][1]
        if chain:
            chains.append(chain[::-1])
    if max((len(c) for c in chains), default=0) < 5:
        return []
    out: list[int] = []
    for chain in chains:
        at, first = found[chain[0]]
        short = (first in (1, 2, 101) and len(chain) > 1) or (first == 1 and page_of[at] > 0)
        # Missouri counts anew in each section and leaves the first line bare.
        if len(chain) >= 5 or short or (first == 2 and at in heads):
            out += [found[k][0] for k in chain]
    return out


# ---------------------------------------------------------------- running headers and footers


def without_running(pages: Sequence[Page]) -> list[Page]:
    """Pages without lines that stand at the same edge of most pages, their digits aside."""
    if len(pages) < 3:
        return [list(page) for page in pages]
    deep = 4

    def key(line: Line) -> str:
        return re.sub(r"\d+", "#", " ".join(bare(line.text).split()))

    seen: Counter[tuple[str, str]] = Counter()
    for page in pages:
        seen.update({("top", key(line)) for line in page[:deep]} | {("end", key(line)) for line in page[-deep:]})
    need = max(3, round(len(pages) * 0.5))
    # Odd and even pages may carry headers of their own: half of the pages is enough.
    running = {k for k, n in seen.items() if n >= min(need, max(3, len(pages) * 2 // 5)) and len(k[1]) < 120}
    out: list[Page] = []
    for page in pages:
        # Only what reaches to the edge without a break is a header or a footer.
        top = next(
            (i for i, line in enumerate(page[:deep]) if ("top", key(line)) not in running),
            min(deep, len(page)),
        )
        last = page[::-1][:deep]
        end = next((i for i, line in enumerate(last) if ("end", key(line)) not in running), len(last))
        out.append(page[top : max(top, len(page) - end)])
    if sum(map(len, out)) < 0.6 * sum(map(len, pages)):
        return [list(page) for page in pages]  # pages alike from top to bottom: forms, not headers
    return out


# ---------------------------------------------------------------- wrapped lines


def _joined(pages: Sequence[Page], recipe: Recipe) -> list[str]:
    widths = sorted(len(bare(line.text).strip()) for page in pages for line in page if bare(line.text).strip())
    usual = widths[int(len(widths) * 0.8)] if widths else 0
    words = _words(pages)
    out: list[str] = []
    before: Line | None = None
    for page in pages:
        for number, line in enumerate(page):
            shown = bare(line.text).strip()
            if not shown:
                if out and before is not None:
                    before = replace(before, gap=True)
                continue
            line = replace(line, gap=line.gap or (before is not None and before.gap and before.text == ""))
            if before is None or not out or _opens(before, line, shown, usual, number == 0, recipe.indent):
                out.append(line.text.strip())
            else:
                out[-1] = _glued(out[-1], line.text.strip(), words)
            before = replace(line, gap=False)
    return _closed(out)


def _words(pages: Sequence[Page]) -> Counter[str]:
    """How often each word stands in the document; halves of words broken at a line's end do not count."""
    words: Counter[str] = Counter()
    broken = False
    for page in pages:
        for line in page:
            shown = bare(line.text).strip()
            parts = [w.lower() for w in _WORD.findall(shown)]
            last = shown.endswith("-")
            words.update(parts[1 if broken else 0 : -1 if last else None])
            broken = last
    return words


def _opens(before: Line, line: Line, shown: str, usual: int, new_page: bool, indent: bool) -> bool:
    """Whether `line` starts a paragraph after `before`."""
    last = bare(before.text).strip()
    ended = bool(_ENDS.search(last))
    # Double-spaced print has a gap above every line; a sentence that runs on is one paragraph.
    if (before.gap or line.gap) and not new_page and (ended or not shown[:1].islower()):
        return True
    if _STARTS.match(shown) and (ended or len(last) < usual * 0.75 or last.isupper() != shown.isupper()):
        return True
    short = len(last) < usual * 0.6
    if short and (ended or last.isupper() != shown.isupper()):
        return True
    if indent and line.left is not None and before.left is not None and ended:
        return line.left > before.left + 6
    return False


def _glued(text: str, line: str, words: Counter[str]) -> str:
    found = _HYPHEN.search(text)
    follows = bare(line)
    rest = _WORD.match(follows)
    if found and rest and (follows[0].islower() or bare(found.group(1)).isupper()):
        first, second = bare(found.group(1)).lower(), rest.group().lower()
        # Words of this very document decide whether the hyphen belongs to the word.
        compound = words[f"{first}-{second}"] or (
            not words[first + second] and len(first) > 2 and len(second) > 2 and words[first] and words[second] > 1
        )
        if not compound:
            return f"{text[: found.start()]}{found.group(1)}{found.group(2)}{line}"
    if bare(text).rstrip(" ").endswith("-") and follows[:1].isalnum():
        return text + line
    return f"{text} {line}"


def _closed(paragraphs_: list[str]) -> list[str]:
    """Marks that run over a paragraph's end, closed there and opened again in the next."""
    out: list[str] = []
    struck = added = False
    for text in paragraphs_:
        start = (STRUCK if struck else "") + (ADDED if added else "")
        for char in text:
            if char in ANY:
                struck = char == STRUCK or (struck and char != STRUCK_END)
                added = char == ADDED or (added and char != ADDED_END)
        out.append(start + text + (ADDED_END if added else "") + (STRUCK_END if struck else ""))
    return out
