"""Replies that speak of many bills beside the lists: calendars of hearings, read before the bills are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, ClassVar

from pydantic_core import from_json
from scrapy.http import Request, Response

from crawlers import tls
from crawlers.base import UNREADABLE, BillSpider


class SharedReplies(BillSpider):
    """``shared`` are addresses of what speaks of many bills, ``shared_url`` their pattern for recordings.

    What ``hear`` makes of each is in ``heard`` when ``beginnings`` asks for the lists. Without one of them the
    bills come all the same, and the account says what is missing.
    """

    shared_url: ClassVar[str] = ""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        # What was heard of many bills, and the addresses of replies that are still to come.
        self.heard: list[Any] = []
        self.unheard: set[str] = set()

    def shared(self) -> Iterable[str]:
        """Addresses of what speaks of many bills."""
        return ()

    def hear(self, response: Response) -> Iterable[Any]:
        """What a shared reply gives for ``heard``. Raises ValueError when it is not what it should be."""
        return [from_json(response.body)]

    def beginnings(self) -> Iterator[Request]:
        """The requests of the lists."""
        raise NotImplementedError

    async def start(self) -> AsyncIterator[Any]:
        for request in self.session_requests():
            yield request
        there = self.recording.urls() if self.recording else self.shared()
        self.unheard = {url for url in there if self.shared_url and re.search(self.shared_url, url)}
        for request in [] if self.unheard else self.beginnings():
            yield request
        for url in sorted(self.unheard):
            yield Request(
                url,
                self.got_shared,
                errback=self.lost_shared,
                cb_kwargs={"url": url},
                dont_filter=True,
                meta={"unconditional": True},
            )

    def got_shared(self, response: Response, url: str) -> Iterator[Any]:
        problem = self.usable(response, "any")
        try:
            self.heard += [] if problem else self.hear(response)
        except UNREADABLE as error:
            problem = f"it cannot be read: {type(error).__name__}: {error}"
        yield from self.heard_of(url, problem)

    def lost_shared(self, failure: Any) -> Iterator[Any]:
        yield from self.heard_of(failure.request.cb_kwargs["url"], tls.no_reply(failure))

    def heard_of(self, url: str, problem: str) -> Iterator[Any]:
        """The bills come when all that is shared is there; they can do without it."""
        if problem:
            self.account.issue("file", "", f"{url[:200]}: {problem}")
        waited = bool(self.unheard)
        self.unheard.discard(url)
        if waited and not self.unheard:
            yield from self.beginnings()
