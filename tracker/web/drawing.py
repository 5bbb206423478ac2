"""Pictures of numbers, as SVG made here: the map of the country and bars over time.

They carry no style and no script of their own. Each has a title for screen readers; the numbers stand in a
table beside it, so nothing is told by a picture alone.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup, escape

from tracker import tilemap
from tracker.overview import Month

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 560, 210, 34, 22, 8


def tile_map(counts: Mapping[str, int], link: Callable[[str], str]) -> Markup:
    """The map; a tile with bills leads to the address that ``link`` gives for its code."""
    return Markup(tilemap.svg(counts, link))


def month_bars(months: Sequence[Month], title: str) -> Markup:
    """Bills begun a month, with those that became law in it before them."""
    most = max((max(m.begun, m.laws) for m in months), default=0)
    top = _round_up(most)
    step = (_WIDTH - _LEFT) / max(len(months), 1)
    drawn = [_grid(top)]
    for at, month in enumerate(months):
        x = _LEFT + at * step
        name = f"{month.month:%B %Y}: {month.begun} begun, {month.laws} became law"
        drawn.append(f"<g><title>{escape(name)}</title>")
        drawn.append(_bar(x + step * 0.12, step * 0.42, month.begun, top, "bar"))
        drawn.append(_bar(x + step * 0.56, step * 0.3, month.laws, top, "bar second") + "</g>")
    drawn.append(_labels([m.month for m in months], step))
    return _picture(title, drawn)


def steps(days: Sequence[dt.date], title: str) -> Markup:
    """A line that climbs by one on each of these days (in order): how something spread."""
    if not days:
        return Markup("")
    first, last = days[0], max(days[-1], days[0] + dt.timedelta(days=30))
    span = (last - first).days
    top = _round_up(len(days))
    points, high = [], 0
    for number, day in enumerate(days, 1):
        x = _LEFT + (day - first).days / span * (_WIDTH - _LEFT - 8)
        points += [f"{x:.1f},{_y(high, top):.1f}", f"{x:.1f},{_y(number, top):.1f}"]
        high = number
    points.append(f"{_WIDTH - 8},{_y(high, top):.1f}")
    drawn = [_grid(top), f'<polyline class="line" points="{" ".join(points)}"/>']
    drawn += [
        f'<text x="{_LEFT}" y="{_HEIGHT - 5}">{first:%b %Y}</text>',
        f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 5}" text-anchor="end">{last:%b %Y}</text>',
    ]
    return _picture(title, drawn)


def _picture(title: str, drawn: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"><title>{escape(title)}</title>'
        + "".join(drawn)
        + "</svg>"
    )


def _y(value: float, top: int) -> float:
    return _TOP + (_HEIGHT - _BOTTOM - _TOP) * (1 - value / top)


def _bar(x: float, width: float, value: int, top: int, kind: str) -> str:
    if not value:
        return ""
    y = _y(value, top)
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_HEIGHT - _BOTTOM - y:.1f}"/>'


def _grid(top: int) -> str:
    lines = []
    for value in sorted({0, top // 2, top} if top > 1 else {0, top}):
        y = _y(value, top)
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>')
    return "".join(lines)


def _labels(months: Sequence[dt.date], step: float) -> str:
    """Names of months, as far apart as they need to be read."""
    every = math.ceil(88 / step)
    found = []
    for at, month in enumerate(months):
        if at % every:
            continue
        if at and _WIDTH - _LEFT - at * step < 80:
            break
        found.append(f'<text x="{_LEFT + at * step + 2:.1f}" y="{_HEIGHT - 5}">{month:%b %Y}</text>')
    return "".join(found)


def _round_up(most: int) -> int:
    """The end of the scale: 1, 2, 5, 10, 20, 50 …"""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if most <= factor * size:
                return factor * size
        size *= 10
