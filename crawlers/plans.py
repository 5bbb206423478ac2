"""Which crawls a day asks for: every session that still moves, special ones and late signatures too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from crawlers import modules
from tracker import jurisdictions
from tracker.jurisdictions import Jurisdiction, Source


def of(codes: Sequence[str], today: dt.date, preferred: Mapping[str, str]) -> list[dict[str, Any]]:
    """One entry a crawl: jurisdiction, source, session.

    An official source is crawled once for each session between its first prefiled bill and its last possible
    signature; where none is, for the session that is nearest. A mirror brings all its sessions in one crawl.
    """
    places = jurisdictions.load()
    found = []
    for code in codes:
        source = source_of(places[code], preferred.get(code, ""))
        sessions = [session.identifier for session in places.active_sessions(code, today)]
        if source.kind == "mirror":
            sessions = [""]
        for session in sessions or [places.session_for(code, today).identifier]:
            found.append({"jurisdiction": code, "source": source.name, "session": session})
    return found


def source_of(place: Jurisdiction, name: str) -> Source:
    """The source of that name or module, else the best that has a crawler. Raises ValueError or KeyError."""
    known = jurisdictions.load().sources_for(place.code)
    chosen = next((source for source in known if name in (source.name, source.module)), None)
    if name and chosen is None:
        jurisdictions.load().sources_for(place.code, name)
    for source in [chosen] if chosen else known:
        if modules.spider(source.module) is not None:
            return source
    raise ValueError(f"{place.code}: no crawler for {name or 'any of its sources'} yet")
