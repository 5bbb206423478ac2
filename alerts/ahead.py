"""Dates ahead: crossover, adjournment and the executive's last day to act, where the sessions' data know them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from tracker import jurisdictions
from tracker.cleaning import clean, day
from tracker.jurisdictions import Jurisdiction, Session
from tracker.vocabulary import Chamber

DAYS = dt.timedelta(days=14)


def dates(codes: Iterable[str], waiting: dict[tuple[str, str], int], now: dt.datetime) -> list[dict[str, Any]]:
    """What falls in the coming two weeks in these jurisdictions, soonest first.

    ``waiting``: how many of the reader's bills wait for the executive, by jurisdiction and session.
    """
    places = jurisdictions.load()
    found = []
    for code in sorted(set(codes)):
        place = places[code]
        today = now.astimezone(place.zone).date()
        for session in place.sessions:
            for when, words, bills in _of(place, session, waiting.get((code, session.identifier), 0)):
                if today <= when <= today + DAYS:
                    about = "about " if session.dates == "approximate" else ""
                    found.append((when, code, f"{about}{when:%a} {day(when)}", words, bills))
    return [
        {"state": code.upper(), "date": said, "words": clean(words), "bills": bills}
        for _, code, said, words, bills in sorted(found)
    ]


def signing(now: dt.datetime) -> list[tuple[str, str]]:
    """Jurisdictions and sessions whose executive's last day falls in the coming two weeks."""
    found = []
    for code, place in jurisdictions.load().items():
        today = now.astimezone(place.zone).date()
        for session in place.sessions:
            if session.executive_until is not None and today <= session.executive_until <= today + DAYS:
                found.append((code, session.identifier))
    return found


def _of(place: Jurisdiction, session: Session, waiting: int) -> list[tuple[dt.date, str, int]]:
    named = session.name
    dated = [(period.end, f"last day of sitting, {named}", 0) for period in session.sittings]
    if session.crossover is not None:
        dated.append((session.crossover, f"crossover: bills must have passed their first chamber, {named}", 0))
    if session.executive_until is not None:
        actor = place.chamber_name(Chamber.EXECUTIVE)
        dated.append((session.executive_until, f"last day for the {actor} to sign or veto, {named}", waiting))
    return dated
