"""PDF to pages of printed lines, with words that drawn lines strike or underline marked.

Runs in the child process.
"""

from __future__ import annotations

import ctypes
import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tracker.text.extraction import Limits, Refused
from tracker.text.lines import Line, Page
from tracker.text.marks import ADDED, ADDED_END, STRUCK, STRUCK_END, clean

_GAP = 0.1  # a gap is a space from this share of the font's size on
Rule = tuple[float, float, float]  # left, right, height of a thin horizontal line on the page


@dataclass(slots=True)
class _Char:
    text: str
    x0: float
    x1: float
    base: float
    size: float
    spaced: float = 0.0  # how wide the gap in front must be to be a space, in sizes
    mark: str = ""


def read(body: bytes, limits: Limits, *, drawn: bool) -> list[Page]:
    """Pages of lines. `drawn`: whether this jurisdiction draws strikes and underlines as lines.

    Raises Refused: broken or locked ("garbled", "unsupported"), too many pages ("too_large"),
    only pictures ("image_only"), nothing at all ("empty").
    """
    try:
        document = pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise Refused("unsupported", "The PDF is locked with a password.") from None
        raise Refused("garbled", "The PDF is broken and cannot be opened.") from None
    try:
        count = len(document)
        if count > limits.pages:
            raise Refused("too_large", f"The PDF has {count} pages, more than {limits.pages}.")
        pages: list[Page] = []
        letters = images = size = 0
        for number in range(count):
            try:
                page = document[number]
                lines, seen, pictures = _page(page, drawn)
            except pdfium.PdfiumError:
                # Part of a law passed off as the whole would be worse than none.
                raise Refused("garbled", f"Page {number + 1} of the PDF cannot be read.") from None
            letters += seen
            images += pictures
            size += sum(len(line.text) for line in lines)
            if size > limits.text:
                raise Refused("too_large", f"The PDF has more than {limits.text} characters.")
            pages.append(lines)
            page.close()
    finally:
        document.close()
    if letters < 20 * max(1, count) and images:
        raise Refused("image_only", "The PDF holds only pictures of pages; it cannot be read.")
    if not letters:
        raise Refused("empty", "The PDF has no text.")
    return pages


def _page(page: Any, drawn: bool) -> tuple[list[Line], int, int]:
    chars = _chars(page)
    rules: list[Rule] = []
    images = _objects(page.raw, rules, 0)
    if drawn and rules:
        _mark(chars, rules)
    seen = sum(1 for c in chars if c.text.isalnum())
    return _lines(chars), seen, images


def _chars(page: Any) -> list[_Char]:
    text = page.get_textpage()
    out: list[_Char] = []
    x0, y0, x1, y1 = page.get_bbox()
    spaced = _GAP
    box = raw.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    try:
        for i in range(raw.FPDFText_CountChars(text.raw)):
            code = raw.FPDFText_GetUnicode(text.raw, i)
            if code in (0, 10, 13, 0xFFFE, 0xFFFF) or 0xD800 <= code < 0xE000:
                continue
            char = "-" if code == 2 else clean(chr(code))
            if char.isspace():
                # A space in the file is one whatever the gap (justified print squeezes it); one that pdfium
                # guessed must be seen.
                guessed = raw.FPDFText_IsGenerated(text.raw, i) == 1
                spaced = min(spaced, 0.08 if guessed else -0.5)
                continue
            if not char:
                continue
            if code == 2:
                if out:
                    last = out[-1]
                    out.append(_Char("-", last.x1, last.x1 + 2, last.base, last.size, 1.0))
                continue
            raw.FPDFText_GetLooseCharBox(text.raw, i, box)
            raw.FPDFText_GetCharOrigin(text.raw, i, x, y)
            angle = raw.FPDFText_GetCharAngle(text.raw, i)
            if abs(math.sin(angle)) > 0.5:
                continue  # stamps along the margin (half a turn is how some producers flip the page)
            if not (x0 <= x.value <= x1 and y0 <= y.value <= y1):
                continue  # off the page: what some producers carry over from the page before
            size = abs(raw.FPDFText_GetFontSize(text.raw, i))
            height = abs(box.top - box.bottom)
            if size < 3:  # the font is scaled by the page's matrix
                size = max(size, height * 0.9)
            out.append(_Char(char, box.left, box.right, y.value, size, spaced))
            spaced = _GAP
    finally:
        text.close()
    return out


def _objects(page: Any, rules: list[Rule], depth: int) -> int:
    """Collect thin horizontal lines into `rules`; return the number of pictures."""
    images = 0
    matrix_free = depth == 0
    count = raw.FPDFPage_CountObjects(page) if matrix_free else raw.FPDFFormObj_CountObjects(page)
    box = [ctypes.c_float() for _ in range(4)]
    for i in range(min(count, 50_000)):
        item = raw.FPDFPage_GetObject(page, i) if matrix_free else raw.FPDFFormObj_GetObject(page, i)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            images += 1
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < 4:
            images += _objects(item, rules, depth + 1)
        elif kind == raw.FPDF_PAGEOBJ_PATH and raw.FPDFPageObj_GetBounds(item, *box):
            left, bottom, right, top = (b.value for b in box)
            if top - bottom <= 2.5 and right - left >= 2 and right - left > 1.5 * (top - bottom):
                rules.append((left, right, (top + bottom) / 2))
    return images


def _mark(chars: list[_Char], rules: list[Rule]) -> None:
    """Mark each character with the line through it or just below its baseline."""
    rules.sort(key=lambda rule: rule[2])
    heights = [rule[2] for rule in rules]
    for char in chars:
        size = char.size or 10.0
        middle = (char.x0 + char.x1) / 2
        low = bisect_left(heights, char.base - 0.3 * size)
        for left, right, y in rules[low:]:
            if y > char.base + 0.55 * size:
                break
            if left - 0.5 <= middle <= right + 0.5:
                above = (y - char.base) / size
                if above > 0.12:
                    char.mark = "s"
                    break
                char.mark = "a"


def _lines(chars: list[_Char]) -> list[Line]:
    """Characters to printed lines, top to bottom, by their baselines."""
    rows: list[list[_Char]] = []
    bases: list[float] = []
    for char in chars:
        if char.text.isspace():
            continue
        near = next(
            (
                k
                for k in range(len(rows) - 1, max(-1, len(rows) - 6), -1)
                if abs(bases[k] - char.base) < 0.25 * char.size + 0.6
            ),
            None,
        )
        if near is None:
            near = next((k for k, b in enumerate(bases) if abs(b - char.base) < 0.25 * char.size + 0.6), None)
        if near is None:
            rows.append([])
            bases.append(char.base)
            near = len(rows) - 1
        rows[near].append(char)
    ordered = sorted(zip(bases, rows, strict=True), key=lambda pair: -pair[0])
    spaces = sorted(a[0] - b[0] for a, b in pairwise(ordered))
    usual = spaces[len(spaces) // 2] if spaces else 0.0
    out: list[Line] = []
    above: float | None = None
    for base, row in ordered:
        row.sort(key=lambda c: c.x0)
        gap = above is not None and usual > 0 and above - base > 1.45 * usual
        out.append(Line(_text(row), row[0].x0, row[-1].x1, gap))
        above = base
    return out


def _text(row: list[_Char]) -> str:
    out: list[str] = []
    mark = ""
    before: _Char | None = None
    for char in row:
        if before is not None:
            if char.text == before.text and char.x0 - before.x0 < 0.15 * char.size:
                continue  # bold print made by printing twice
            space = char.x0 - before.x1 > char.spaced * max(before.size, char.size, 4.0)
        else:
            space = False
        if char.mark != mark:
            if mark:
                out.append(STRUCK_END if mark == "s" else ADDED_END)
            if space:
                out.append(" ")
            if char.mark:
                out.append(STRUCK if char.mark == "s" else ADDED)
            mark = char.mark
        elif space:
            out.append(" ")
        out.append(char.text)
        before = char
    if mark:
        out.append(STRUCK_END if mark == "s" else ADDED_END)
    return "".join(out)
