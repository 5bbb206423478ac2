"""The changed words of an amended bill, short enough for a mail: struck and added, with neighbours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tracker.text.difference import Change, Hunk, diff

LINES = 6
ROOM = 300
_AROUND = 70
# Struck and added differ by line, not only by colour; contrast is at least 4.5:1 in both schemes.
CSS = "@media (prefers-color-scheme: dark){del{color:#f2a0a0!important}ins{color:#8fd6a3!important}}"
_DEL = "color:#9b1c1c;text-decoration:line-through"
_INS = "color:#0b5d1e;text-decoration:underline;font-weight:bold"
_SPACE = re.compile(r"\s+")

Span = tuple[int, int]
Line = tuple[Change, ...]


@dataclass(frozen=True)
class Excerpt:
    """Changed passages in reading order; ``left_out`` counts changed passages that are not shown."""

    lines: tuple[Line, ...]
    left_out: int


def excerpt(
    old: str, new: str, *, gained: Sequence[Span] = (), lost: Sequence[Span] = (), lines: int = LINES
) -> Excerpt:
    """The changes between two version texts, those that touch evidence first when there is no room for all.

    ``gained`` are start and end of evidence in ``new``, ``lost`` in ``old``, in code points. Each line has at
    most ``ROOM`` characters of text.
    """
    hunks = [h for h in diff(old, new) if any(c.kind != "same" and c.text.strip() for c in h.changes)]
    first = sorted(range(len(hunks)), key=lambda i: (not _touches(hunks[i], gained, lost), i))[:lines]
    shown = (_line(hunks[i]) for i in sorted(first))
    return Excerpt(tuple(line for line in shown if line), len(hunks) - len(first))


def as_text(line: Line) -> str:
    """For the plain part: ``[-struck-]`` and ``{+added+}``."""
    marks = {"same": "{}", "deleted": "[-{}-]", "inserted": "{{+{}+}}"}
    return _joined(line, [_marked(c.text, marks[c.kind]) for c in line])


def as_html(line: Line) -> str:
    """For the HTML part; all text is escaped."""
    marks = {
        "same": "{}",
        "deleted": f'<del style="{_DEL}">{{}}</del>',
        "inserted": f'<ins style="{_INS}">{{}}</ins>',
    }
    return _joined(line, [_marked(escape(c.text), marks[c.kind]) for c in line])


def _joined(line: Line, marked: Sequence[str]) -> str:
    """Struck words are kept apart from the added ones, which matters where styles are off."""
    out = ""
    for i, (piece, text) in enumerate(zip(line, marked, strict=True)):
        apart = i and piece.kind == "inserted" and line[i - 1].kind == "deleted" and not out.endswith(" ")
        out += (" " if apart else "") + text
    return out.strip()


def _marked(text: str, mark: str) -> str:
    """The mark around the words, with the spaces at their ends outside."""
    core = text.strip()
    if not core:
        return " " if text else ""
    start = " " if text[0] == " " else ""
    end = " " if text[-1] == " " else ""
    return start + mark.format(core) + end


def _touches(hunk: Hunk, gained: Sequence[Span], lost: Sequence[Span]) -> bool:
    return _overlaps(hunk.new_start, hunk.new, gained) or _overlaps(hunk.old_start, hunk.old, lost)


def _overlaps(start: int, text: str, spans: Sequence[Span]) -> bool:
    return start >= 0 and any(a < start + len(text) and start < b for a, b in spans)


def _line(hunk: Hunk) -> Line:
    pieces = _runs([Change(c.kind, _visible(c.text)) for c in hunk.changes])
    last = len(pieces) - 1
    near = [
        Change(c.kind, _neighbours(c.text, i == 0, i == last)) if c.kind == "same" else c for i, c in enumerate(pieces)
    ]
    return _within(near, ROOM)


def _runs(pieces: Sequence[Change]) -> list[Change]:
    """Changes that only a space parts become one: "a grant" for "an aid", not word for word."""
    out: list[Change] = []
    old = new = ""
    for i, piece in enumerate(pieces):
        bridge = piece.kind == "same" and not piece.text.strip() and (old or new) and i + 1 < len(pieces)
        if bridge or piece.kind != "same":
            old += piece.text if piece.kind != "inserted" else ""
            new += piece.text if piece.kind != "deleted" else ""
            continue
        out += _changed(old, new)
        old = new = ""
        out.append(piece)
    return out + _changed(old, new)


def _changed(old: str, new: str) -> list[Change]:
    both = (Change("deleted", old), Change("inserted", new))
    return [c for c in both if c.text.strip()]


def _neighbours(text: str, first: bool, last: bool) -> str:
    """Of unchanged words, those next to a change."""
    if first:
        return text if len(text) <= _AROUND else "…" + text[-_AROUND:].partition(" ")[2]
    if last:
        return text if len(text) <= _AROUND else text[:_AROUND].rpartition(" ")[0] + "…"
    if len(text) <= 2 * _AROUND:
        return text
    return text[:_AROUND].rpartition(" ")[0] + " … " + text[-_AROUND:].partition(" ")[2]


def _within(pieces: Sequence[Change], room: int) -> Line:
    kept: list[Change] = []
    for piece in pieces:
        if len(piece.text) > room:
            kept.append(Change(piece.kind, piece.text[: max(room - 1, 0)].rstrip() + "…"))
            break
        if piece.text:
            kept.append(piece)
            room -= len(piece.text)
    return tuple(kept)


def _visible(text: str) -> str:
    """Without control, bidirectional and invisible characters; white space is one space."""
    return "".join(c for c in _SPACE.sub(" ", text) if not unicodedata.category(c).startswith("C"))
