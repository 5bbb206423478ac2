"""Open States API v3: a mirror of their scrapers, asked for what changed.

Source: https://v3.openstates.org/bills, twenty bills a request, free key in OPENSTATES_API_KEY. Terms: public domain.
Sessions: their identifiers are ours.
Oddities: the free key has 250 requests a day and 10 a minute, refused ones count too; ``updated_at`` moves with every
scrape, so contents are compared on our side; pages are cut by offset, so the oldest change comes first and a crawl
that runs out of requests goes on from the last change it saw.
History: 2026-11 written from the description of the interface.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

from pydantic_core import from_json
from scrapy.http import Request, Response

from crawlers.base import UNREADABLE
from crawlers.spider import DetailSpider
from tracker import jurisdictions, openstates

PER_PAGE = 20
MAX_PAGES = 2_000
INCLUDE = ("sponsorships", "abstracts", "actions", "sources", "versions", "documents", "related_bills")


class Spider(DetailSpider):
    """Pages of bills by the time of their last change, a session after the other."""

    expected = "json"

    async def start(self) -> AsyncIterator[Any]:
        today = self.account.started_at.astimezone(self.place.zone).date()
        places = jurisdictions.load()
        active = [s.identifier for s in places.active_sessions(self.place.code, today)]
        chosen = [self.session] if self.session else active or [places.session_for(self.place.code, today).identifier]
        for session in chosen:
            said = {} if self.full else self.known.get(self._cursor(session)) or {}
            yield self._page(session, str(said.get("stamp") or ""), 1)

    def _cursor(self, session: str) -> str:
        return f"cursor:{self.place.code}/openstates/{session}"

    def _page(self, session: str, since: str, page: int) -> Request:
        asked = [("jurisdiction", self.place.ocd_id), ("session", session), ("sort", "updated_asc")]
        asked += [("per_page", str(PER_PAGE)), ("page", str(page)), *(("include", name) for name in INCLUDE)]
        asked += [("updated_since", since)] if since else []
        return Request(
            f"https://v3.openstates.org/bills?{urlencode(asked)}",
            self.got_page,
            errback=self.failed,
            headers={"X-API-KEY": os.environ.get(self.source.requires_key, "")},
            cb_kwargs={"session": session, "since": since, "page": page},
            meta={"unconditional": True},
            dont_filter=True,
        )

    def got_page(self, response: Response, session: str, since: str, page: int) -> Iterator[Any]:
        problem = self.usable(response)
        try:
            data = {} if problem else from_json(response.body)
            bills = [] if problem else list(data["results"])
            last = 0 if problem else int(data["pagination"]["max_page"])
        except UNREADABLE as error:
            problem = f"the page cannot be read: {type(error).__name__}: {error}"
        if problem:
            self.account.fail(f"page {page} of {session}: {problem}")
            return
        self.account.partial = self.account.partial or bool(since)
        yield from self.records(bills)
        if bills:
            moved = max(str(bill.get("updated_at") or "") for bill in bills)
            self.account.validators[self._cursor(session)] = {"stamp": max(moved, since)}
        if page < min(last, MAX_PAGES) and not 0 < self.limit <= self.read:
            yield self._page(session, since, page + 1)
        elif not since and not self.limit and page >= last:
            self.account.complete = True

    def record(self, row: Any) -> dict[str, Any]:
        return {
            **openstates.to_record(openstates.from_api(row)),
            "jurisdiction": self.place.code,
            "legislative_session": row["session"],
        }

    def name_of(self, row: Any) -> str:
        return str(row.get("identifier", "")) if isinstance(row, dict) else ""
