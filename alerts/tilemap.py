"""The map of the country as a table for the mail, because Gmail and Outlook remove inline SVG.

Tiles, shades and words are the pages' own (:mod:`tracker.tilemap`).
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from tracker.tilemap import DARK, LIGHT, ROWS, Tile, short_number, svg, tiles, words

__all__ = ["CSS", "DARK", "LIGHT", "ROWS", "Tile", "svg", "table", "tiles", "words"]

CSS = (
    "@media (prefers-color-scheme: dark){"
    + "".join(f".t{i}{{background:{back}!important;color:{ink}!important}}" for i, (back, ink) in enumerate(DARK))
    + "".join(f".t{i} rect{{fill:{back}}}.t{i} text{{fill:{ink}}}" for i, (back, ink) in enumerate(DARK))
    + "}"
)


def table(counts: Mapping[str, int]) -> str:
    """The map as an HTML table with inline style for the mail, at most 600 px wide and readable at 320."""
    by_place = {(t.row, t.column): t for t in tiles(counts)}
    rows = "".join(
        "<tr>" + "".join(_cell(by_place.get((y, x))) for x in range(len(row))) + "</tr>" for y, row in enumerate(ROWS)
    )
    return (
        f'<table role="img" aria-label="{escape(words(counts))}" cellspacing="2" cellpadding="0" border="0"'
        ' style="width:100%;max-width:520px;table-layout:fixed;font:11px/1.25 Arial,sans-serif;'
        f'text-align:center">{rows}</table>'
    )


def _cell(tile: Tile | None) -> str:
    if tile is None:
        return "<td></td>"
    back, ink = LIGHT[tile.shade]
    number = f"<br><b>{short_number(tile.count)}</b>" if tile.count else "<br>&nbsp;"
    style = f"background:{back};color:{ink};padding:3px 0"
    return f'<td class="t{tile.shade}" style="{style}">{tile.code}{number}</td>'
