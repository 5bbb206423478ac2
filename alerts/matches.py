"""Which bills fit a reader's keywords, saved searches, followed bills and sponsors: worked out once for all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from alerts.subscriptions import Reader
from alerts.wishes import search_of
from tracker.models.bills import AbstractRow, BillEventRow, BillRow, SponsorshipRow
from tracker.records import ocd_bill_id
from tracker.search import QueryError, matching

_PART = 500


class Index:
    """The wishes of all readers of a run, and the bills that fit them."""

    def __init__(self, connection: Connection, readers: Sequence[Reader]) -> None:
        keywords = {word.casefold() for reader in readers for word in reader.keywords}
        self._patterns = {word: re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in sorted(keywords)}
        self.errors: dict[str, str] = {}
        self.searches: dict[str, set[int]] = {}
        for reader in readers:
            for saved in reader.searches:
                self._run(connection, saved)
        self.followed = _bills_of(connection, {key for reader in readers for key in reader.bills})
        self.sponsors = {
            name: _sponsored(connection, name) for name in sorted({n for reader in readers for n in reader.sponsors})
        }
        self._titles: dict[int, str] = {}

    def _run(self, connection: Connection, saved: Any) -> None:
        key = search_key(saved)
        if key in self.searches:
            return
        self.searches[key] = set()
        try:
            self.searches[key] = set(matching(connection, search_of(saved)))
        except QueryError as error:
            # It could be read when it was saved. Its reader is told; the others' digests go on.
            self.errors[key] = str(error)

    def error_of(self, saved: Any) -> str:
        """Why a saved search could not be run, or an empty string."""
        return self.errors.get(search_key(saved), "")

    def bills(self, connection: Connection, from_seq: int, to_seq: int) -> set[int]:
        """Bills that fit something; of the keywords, only those with news between the two places in the log."""
        found: set[int] = set(self.followed.values())
        for hits in (*self.searches.values(), *self.sponsors.values()):
            found |= hits
        if self._patterns:
            news = select(BillEventRow.bill_id).where(BillEventRow.seq > from_seq, BillEventRow.seq <= to_seq)
            for bill, title in connection.execute(select(BillRow.id, BillRow.title).where(BillRow.id.in_(news))):
                folded = title.casefold()
                if any(word in folded for word in self._patterns) and any(
                    pattern.search(folded) for pattern in self._patterns.values()
                ):
                    found.add(bill)
        return found

    def why(self, reader: Reader, bill: int, title: str, *, in_states: bool) -> list[str]:
        """What of this reader's wishes beside strategies a bill fits, in words.

        Outside the reader's states only followed bills count, and searches that name states themselves.
        """
        why = []
        if in_states and reader.keywords:
            folded = title.casefold()
            why = [f"keyword “{w}”" for w in reader.keywords if self._patterns[w.casefold()].search(folded)]
        for saved in reader.searches:
            if (in_states or saved.get("states")) and bill in self.searches[search_key(saved)]:
                why.append(f"search “{saved['name']}”")
        if in_states:
            why += [f"sponsor {name}" for name in reader.sponsors if bill in self.sponsors[name]]
        if any(self.followed.get(key) == bill for key in reader.bills):
            why.append("a bill you follow")
        return why


def search_key(saved: Any) -> str:
    """A saved search without its name, as a key."""
    return json.dumps({k: v for k, v in saved.items() if k != "name"}, sort_keys=True)


def abstracts(connection: Connection, ids: Iterable[int]) -> dict[tuple[int, str], str]:
    """Standing abstracts by bill and field name (``abstract:0``)."""
    found: dict[tuple[int, str], str] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _PART):
        rows = connection.execute(
            select(AbstractRow.bill_id, AbstractRow.abstract)
            .where(AbstractRow.bill_id.in_(wanted[start : start + _PART]), AbstractRow.removed_at.is_(None))
            .order_by(AbstractRow.bill_id, AbstractRow.ordinal)
        )
        places: dict[int, int] = {}
        for bill, words in rows:
            place = places.get(bill, 0)
            found[bill, f"abstract:{place}"] = words
            places[bill] = place + 1
    return found


def _bills_of(connection: Connection, keys: set[str]) -> dict[str, int]:
    by_id = {ocd_bill_id(*key.split("/", 2)): key for key in keys}
    found: dict[str, int] = {}
    names = sorted(by_id)
    for start in range(0, len(names), _PART):
        rows = connection.execute(
            select(BillRow.id, BillRow.ocd_id).where(BillRow.ocd_id.in_(names[start : start + _PART]))
        )
        found |= {by_id[ocd_id]: bill for bill, ocd_id in rows}
    return found


def _sponsored(connection: Connection, name: str) -> set[int]:
    """Bills of sponsors whose printed name is this, or ends or begins with it as a whole word ("Senator Ruiz")."""
    rows = connection.execute(
        select(SponsorshipRow.bill_id, SponsorshipRow.name).where(
            SponsorshipRow.removed_at.is_(None), sql.lower(SponsorshipRow.name).contains(name.lower(), autoescape=True)
        )
    )
    whole = re.compile(rf"(?<!\w){re.escape(name.casefold())}(?!\w)")
    return {bill for bill, printed in rows if whole.search(printed.casefold())}
