"""Struck and added language carried inside a string until the text is final.

Markers are four noncharacters, so lines can be joined, trimmed and matched as plain strings while the
marks stay with their words; `assemble` turns them into positions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

STRUCK, STRUCK_END = "\ufdd0", "\ufdd1"
ADDED, ADDED_END = "\ufdd2", "\ufdd3"
ANY = "\ufdd0\ufdd1\ufdd2\ufdd3"

_MARKS = str.maketrans("", "", ANY)
_NOISE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff"
    "\ufdd0-\ufdef\ufffe\uffff\ue000-\uf8ff]"
)
_SPACES = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\r\n\u2028\u2029]+")
_STRUCK_RUN = f"{STRUCK}[^{STRUCK}{STRUCK_END}]*{STRUCK_END}"
# Many states put brackets round struck words: they are part of the mark, not of the law.
_WRAPPED = re.compile(rf"(?:\[|\(\()\s*((?:{_STRUCK_RUN}\s*)+)(?:\]|\)\))")
_TOKEN = re.compile(f"([{ANY}])")


# C1 controls are windows-1252 quotes and dashes in text that says it is latin-1, as browsers read it.
_C1 = {b: bytes([b]).decode("cp1252", "ignore") or None for b in range(0x80, 0xA0)}


def clean(text: str) -> str:
    """Text without control characters, private-use glyphs, or anything that looks like our marks."""
    return _NOISE.sub("", text.translate(_C1))


def bare(text: str) -> str:
    """Text without marks (struck words still in it), for matching."""
    return text.translate(_MARKS)


def struck(text: str) -> str:
    return f"{STRUCK}{text}{STRUCK_END}"


def added(text: str) -> str:
    return f"{ADDED}{text}{ADDED_END}"


def assemble(
    paragraphs: Iterable[str],
) -> tuple[str, tuple[tuple[int, str], ...], tuple[tuple[int, int], ...]]:
    """Paragraphs with marks to (text, struck, added); marks do not reach over a paragraph's end."""
    out: list[str] = []
    deleted: list[tuple[int, str]] = []
    new: list[tuple[int, int]] = []
    pending: list[str] = []
    length = 0
    for raw in paragraphs:
        gap = 2 if out else 0
        text, gone, spans = _paragraph(raw)
        if not text:
            pending += [words for _, words in gone]
            continue
        if pending:
            deleted.append((length, " ".join(pending)))
            pending = []
        start = length + gap
        if gap:
            out.append("\n\n")
        out.append(text)
        deleted += [(start + at, words) for at, words in gone]
        new += [(start + a, start + b) for a, b in spans]
        length = start + len(text)
    if pending:
        deleted.append((length, " ".join(pending)))
    return "".join(out), tuple(deleted), tuple(new)


def _paragraph(raw: str) -> tuple[str, list[tuple[int, str]], list[tuple[int, int]]]:
    raw = unicodedata.normalize("NFC", _WRAPPED.sub(r"\1", raw))
    text = ""
    pieces: list[str] = []
    length = 0
    gone: list[tuple[int, str]] = []
    spans: list[tuple[int, int]] = []
    deep_struck = deep_added = 0
    space = False
    for token in _TOKEN.split(raw):
        if token == STRUCK:
            deep_struck += 1
        elif token == STRUCK_END:
            deep_struck = max(0, deep_struck - 1)
        elif token == ADDED:
            deep_added += 1
        elif token == ADDED_END:
            deep_added = max(0, deep_added - 1)
        elif token:
            part = _SPACES.sub(" ", token)
            if deep_struck:
                words = part.strip()
                if gone and words and gone[-1][0] in (length, length + 1):
                    gone[-1] = (gone[-1][0], f"{gone[-1][1]} {words}")
                elif words:
                    gone.append((length, words))
                space = space or part[:1] == " " or part[-1:] == " "
                continue
            # "modern [old], new": the space in front of the struck words must not stand before the comma.
            after_struck = bool(gone) and gone[-1][0] == length and part.lstrip()[:1] in tuple(",.;:)")
            if (part[0] == " " or space) and length and part.strip() and not after_struck:
                pieces.append(" ")
                length += 1
            core = part.strip()
            if core:
                if deep_added:
                    if spans and spans[-1][1] >= length - 1:
                        spans[-1] = (spans[-1][0], length + len(core))
                    else:
                        spans.append((length, length + len(core)))
                pieces.append(core)
                length += len(core)
                space = part[-1] == " "
            else:
                space = True
    text = "".join(pieces)
    if not unicodedata.is_normalized("NFC", text):
        # A combining letter met its base when the words between them went out.
        def at(position: int) -> int:
            return len(unicodedata.normalize("NFC", text[:position]))

        gone = [(at(p), w) for p, w in gone]
        spans = [(at(a), at(b)) for a, b in spans]
        text = unicodedata.normalize("NFC", text)
        gone = [(min(p, len(text)), w) for p, w in gone]
        spans = [(min(a, len(text)), min(b, len(text))) for a, b in spans]
    return text, gone, spans
