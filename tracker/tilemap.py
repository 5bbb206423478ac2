"""A small map of the country with one tile a jurisdiction and its count: as SVG for a page, and as words.

The words are the picture's text alternative, and each tile shows its number, so that nothing is told by
colour alone. The mail draws the same tiles as a table (:mod:`alerts.tilemap`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from tracker import jurisdictions

# Rows of tiles from north to south, dots for gaps; territories lie where the grid has room.
_GRID = """
ak .  .  .  .  .  us .  .  .  .  me
.  .  .  .  .  .  .  .  .  .  vt nh
.  wa id mt nd mn il wi mi ny ri ma
.  or nv wy sd ia in oh pa nj ct .
.  ca ut co ne mo ky wv va md de .
.  .  az nm ks ar tn nc sc dc .  .
.  .  .  .  ok la ms al ga .  .  .
hi gu mp .  tx .  .  .  .  fl pr vi
"""
ROWS = tuple(tuple("" if c == "." else c for c in line.split()) for line in _GRID.split("\n") if line)
# Background and text for no bill, few, some, many; each pair has a contrast of at least 4.5:1.
LIGHT = (("#eef1f4", "#4a5560"), ("#cfe3f3", "#12324a"), ("#5b9bc9", "#08151f"), ("#174a73", "#ffffff"))
DARK = (("#262c32", "#aab4be"), ("#23445e", "#e3eef7"), ("#3f84b5", "#06121b"), ("#a9d3f0", "#0b2233"))
_SIZE = 40


@dataclass(frozen=True)
class Tile:
    """A jurisdiction's place (row and column from 0), its code in capitals, count and shade from 0 to 3."""

    row: int
    column: int
    code: str
    count: int
    shade: int


def tiles(counts: Mapping[str, int]) -> list[Tile]:
    """All 56 tiles. ``counts`` by lower-case code; what is missing counts 0.

    Raises ``KeyError`` for a code that is no jurisdiction, so that no bill is left out of the map unseen.
    """
    unknown = set(counts) - {code for row in ROWS for code in row}
    if unknown:
        raise KeyError(f"the map has no tile for {', '.join(sorted(unknown))}")
    some = sorted(n for n in counts.values() if n > 0)
    return [
        Tile(y, x, code.upper(), counts.get(code, 0), _shade(counts.get(code, 0), some))
        for y, row in enumerate(ROWS)
        for x, code in enumerate(row)
        if code
    ]


def words(counts: Mapping[str, int]) -> str:
    """The map in a sentence, most bills first: its text alternative and its form in the plain part."""
    places = jurisdictions.load()
    shown = sorted(((c, n) for c, n in counts.items() if n > 0), key=lambda item: (-item[1], item[0]))
    if not shown:
        return "No jurisdiction has bills to report."
    total = sum(n for _, n in shown)
    listed = ", ".join(f"{places[code].name} {n}" for code, n in shown)
    return f"{total} {_plural(total, 'bill')} in {len(shown)} {_plural(len(shown), 'jurisdiction')}: {listed}."


def svg(counts: Mapping[str, int], link: Callable[[str], str] | None = None) -> str:
    """The map as an SVG element for a page. Colours are attributes, so it needs no inline style.

    ``link`` gives the address for a code; tiles that have a count lead there.
    """
    width, height = len(ROWS[0]) * _SIZE, len(ROWS) * _SIZE
    drawn = "".join(_linked(t, link) if link and t.count else _square(t) for t in tiles(counts))
    # What can be followed must be told one by one; a mere picture is told as one.
    role = 'role="group"' if link else 'role="img"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 {width} {height}" width="{width}" {role}'
        f' font-family="Arial,sans-serif" font-size="12" text-anchor="middle">'
        f"<title>{escape(words(counts))}</title>{drawn}</svg>"
    )


def _linked(tile: Tile, link: Callable[[str], str]) -> str:
    name = f"{jurisdictions.load()[tile.code.lower()].name}: {tile.count:,}"
    return f'<a href="{escape(link(tile.code.lower()))}" aria-label="{escape(name)}">{_square(tile)}</a>'


def _square(tile: Tile) -> str:
    back, ink = LIGHT[tile.shade]
    x, y, middle = tile.column * _SIZE + 1, tile.row * _SIZE + 1, tile.column * _SIZE + _SIZE // 2
    number = (
        f'<text x="{middle}" y="{y + 31}" fill="{ink}" font-weight="bold">{short_number(tile.count)}</text>'
        if tile.count
        else ""
    )
    return (
        f'<g class="t{tile.shade}"><rect x="{x}" y="{y}" width="{_SIZE - 2}" height="{_SIZE - 2}" rx="3"'
        f' fill="{back}"/><text x="{middle}" y="{y + 16}" fill="{ink}">{tile.code}</text>{number}</g>'
    )


def short_number(count: int) -> str:
    """A count of at most three characters, so that it fits its tile; the words have it in full."""
    return str(count) if count < 1000 else f"{min(count // 1000, 99)}k"


def _shade(count: int, counts: Sequence[int]) -> int:
    """0 for none, then by thirds of those that have some: one very busy state must not pale the rest."""
    return 0 if count <= 0 else 1 + 3 * bisect_left(counts, count) // len(counts)


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
