"""Days and hours in the forms that a site is known to use. A wrong date is worse than none, so nothing is guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

_CLOCK = re.compile(r"^(\d{1,2}):(\d\d)(?::\d\d)?:? ?([AP])\.?M", re.IGNORECASE)


def day(text: str, *forms: str) -> str:
    """An ISO date from a text in one of ``forms`` (as for strptime) or ISO; "" for nothing, else ValueError."""
    text = text.strip()
    if not text:
        return ""
    for form in ("%Y-%m-%d", *forms):
        try:
            return dt.datetime.strptime(text[:10] if form == "%Y-%m-%d" else text, form).date().isoformat()
        except ValueError:
            continue
    raise ValueError(f"{text[:30]!r} is no date")


def clock(text: str) -> str:
    """``2:30 PM`` (or ``2:30:PM``) as ``14:30``; "" for anything else."""
    found = _CLOCK.match(text.strip())
    if found is None or not 1 <= int(found[1]) <= 12:
        return ""
    return f"{int(found[1]) % 12 + 12 * (found[3].upper() == 'P'):02d}:{found[2]}"


def nearest(month: int, day_: int, years: Sequence[int], to: dt.date) -> str:
    """The ISO date of a day without year: of ``years``, the one that brings it nearest to ``to``."""
    made = []
    for year in years:
        try:
            made.append(dt.date(year, month, day_))
        except ValueError:
            continue
    if not made:
        raise ValueError(f"{month}/{day_} is no day of {', '.join(map(str, years))}")
    return min(made, key=lambda found: abs(found - to)).isoformat()
