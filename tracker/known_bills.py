"""Tells records that are stored byte for byte from others, with the hashes of the sessions at hand only.

A record's jurisdiction and session are looked for in its text before it is read as JSON, which is what is to be
saved. Where they are not found, or not right, the record is read and compared like a new one: slower, never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, select

from tracker.db import reading
from tracker.models.bills import BillRow, SessionRow
from tracker.new_bill import Raw
from tracker.records import BillRecord

_JURISDICTION = re.compile(rb'"jurisdiction"\s*:\s*"([A-Za-z]{2})"')
# Open States' scrapers name it by id, or as an object with one.
_DIVISION = re.compile(rb'"ocd-jurisdiction/country:us(?:/(?:state|territory|district):([a-z]{2}))?/government"')
_SESSION = re.compile(rb'"(?:legislative_)?session"\s*:\s*"([^"\\]{1,60})"')
Hit = tuple[int, str]


class KnownBills:
    """The hashes of stored bills, read session by session when the first record of one comes by."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.hashes: dict[bytes, Hit] = {}
        self._sessions: dict[str, dict[str, int]] = {}
        self._read: set[tuple[str, str]] = set()

    def find(self, digest: bytes, raw: Raw) -> Hit | None:
        """The bill (id, jurisdiction) that is stored with this very record."""
        place = place_of(raw)
        if place not in self._read:
            self._read.add(place)
            self._fetch(*place)
        return self.hashes.get(digest)

    def _fetch(self, code: str, session: str) -> None:
        with reading(self.engine) as connection:
            if code not in self._sessions:
                rows = select(SessionRow.identifier, SessionRow.id).where(SessionRow.jurisdiction == code)
                self._sessions[code] = {name: key for name, key in connection.execute(rows)}
            query = select(BillRow.record_hash, BillRow.id, BillRow.jurisdiction).where(
                BillRow.vanished_at.is_(None), BillRow.missing_runs == 0
            )
            found = self._sessions[code].get(session)
            if found is not None:
                query = query.where(BillRow.session_id == found)
            elif code:
                query = query.where(BillRow.jurisdiction == code)
            self.hashes |= {bytes(digest): (bill, place) for digest, bill, place in connection.execute(query)}


def place_of(raw: Raw) -> tuple[str, str]:
    """Jurisdiction and session as a record seems to name them; empty where it does not."""
    if isinstance(raw, BillRecord):
        return raw.jurisdiction, raw.legislative_session
    if isinstance(raw, Mapping):
        return _word(raw.get("jurisdiction")).lower(), _word(raw.get("legislative_session"))
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    session = _SESSION.search(data)
    code = _JURISDICTION.search(data)
    if code is None:
        division = _DIVISION.search(data)
        found = b"" if division is None else division[1] or b"us"
    else:
        found = code[1]
    return found.decode("ascii").lower(), session[1].decode("utf-8", "replace") if session else ""


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
