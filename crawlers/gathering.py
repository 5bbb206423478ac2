"""Bills that a site spreads over several replies: lists, histories, meetings, directories, pages of one bill."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from lxml import etree
from scrapy.http import Request, Response

from crawlers import blocked, tls
from crawlers.base import UNREADABLE, BillSpider
from crawlers.conditional import UNCHANGED
from crawlers.recording import Recording
from tracker.records import normalise_identifier

_LOOKED_AT = 8 * 1024 * 1024


class GatherSpider(BillSpider):
    """Each address is of a kind; ``items`` takes its reply apart and ``key`` says whose each part is.

    All parts of a bill, by kind in ``self.found``, make its record. A recording is read whole, whatever kinds it
    holds and however they were asked for. Live, ``plan`` names the replies that speak of many bills, ``further``
    those that they lead to, and ``details`` those of one bill, which are only asked for when the bill's
    ``parts`` are not those of last time.

    ``kinds``: name → pattern of the address (unescaped, any case), first match wins. ``bills``: the kinds that
    make a bill; parts of other kinds whose bill is nowhere are left out. ``optional``: kinds the crawl can do
    without; ``single``: kinds that are of one bill, whose failure costs that bill alone. ``session_pattern``: finds
    the site's session id in an address or a reply.
    """

    kinds: ClassVar[Mapping[str, str]] = {}
    formats: ClassVar[Mapping[str, blocked.Expected]] = {}
    bills: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[frozenset[str]] = frozenset()
    single: ClassVar[frozenset[str]] = frozenset()
    session_pattern: ClassVar[str] = ""
    # Lists that are the same say that no bill moved, whatever its details; then nothing is asked for twice.
    lists_tell: ClassVar[bool] = False

    def plan(self) -> Iterable[str]:
        """Addresses that a live crawl begins with."""
        raise NotImplementedError

    def items(self, kind: str, response: Response) -> Iterable[Any]:
        """The parts of a reply. Raises ValueError when it is not what it should be."""
        raise NotImplementedError

    def key(self, kind: str, item: Any, url: str) -> str:
        """The bill that a part belongs to; "" for what is no part of a bill. ValueError rejects the part."""
        raise NotImplementedError

    def keep(self, kind: str, item: Any) -> Any:
        """A part as it is kept until its bill is made; sources with much more than is needed throw it away here."""
        return item

    def headers(self, url: str) -> Mapping[str, str]:
        """Headers that an address needs: a range of bytes."""
        return {}

    def assemble(self) -> Iterable[tuple[str, Any]]:
        """(kind, part) of what only several replies together give, once all lists are there."""
        return ()

    def further(self, kind: str, response: Response) -> Iterable[str]:
        """Addresses that a reply leads to: the next page, the agendas of meetings."""
        return ()

    def details(self, key: str) -> Iterable[str]:
        """Addresses of what a bill needs beside the lists."""
        return ()

    def proves(self, url: str, response: Response) -> bool:
        """Whether a reply that is what it was last time says that all others are, too: the end of one big file."""
        return False

    def parts(self, key: str) -> Any:
        """What the lists say of a bill: when it is what it was last time, the details are not asked for."""
        return [self.found[kind].get(key) for kind in self.kinds]

    @staticmethod
    def session_named(site: str) -> str:
        """Our identifier of a session that the site calls so, for sessions that the data do not have."""
        return site

    @classmethod
    def session_in(cls, recording: Recording) -> str:
        """A recording's session, by its addresses, else by its replies; "" when none tells."""
        heads = (body[:_LOOKED_AT].decode("latin-1") for _, _, body in recording.replies.values())
        for text in (*map(unquote, recording.urls()), *heads):
            if found := re.search(cls.session_pattern, text):
                return cls.session_named(next(filter(None, found.groups())))
        return ""

    def kind_of(self, url: str) -> str:
        """Which kind an address is of; "" when it is none of ours."""
        plain = unquote(url)
        return next((kind for kind, pattern in self.kinds.items() if re.search(pattern, plain, re.IGNORECASE)), "")

    async def start(self) -> AsyncIterator[Any]:
        self.found: dict[str, dict[str, list[Any]]] = {kind: defaultdict(list) for kind in self.kinds}
        self.kinds_read: set[str] = set()
        self.urls: set[str] = set()
        self.waiting: set[str] = set()
        self.stale: set[str] = set()
        self.same: set[str] = set()
        self.by_stamp = type(self).details is not GatherSpider.details and not self.lists_tell
        planned = list(self.plan())
        if self.recording is not None:
            needed = [url for url in planned if self.kind_of(url) not in self.optional]
            self.account.complete = all(self.recording.spelling(url) for url in needed)
            planned = [url for url in self.recording.urls() if self.kind_of(url)]
        else:
            self.account.complete = not self.account.partial
        for request in [*self.session_requests(), *(self.ask(url) for url in planned)]:
            yield request

    def ask(self, url: str, *, whole: bool = False) -> Request:
        """The request of a reply that speaks of many bills."""
        self.urls.add(url)
        self.waiting.add(url)
        return Request(
            url,
            self.got,
            errback=self.lost,
            cb_kwargs={"url": url},
            headers=dict(self.headers(url)),
            dont_filter=True,
            # Where bills have stamps of their own, the lists are what the stamps are made of.
            meta={"unconditional": whole or self.by_stamp},
        )

    def got(self, response: Response, url: str) -> Iterator[Any]:
        self.waiting.discard(url)
        if UNCHANGED in response.flags:
            self.same.add(url)
            if self.proves(url, response):
                self.account.outcome = "unchanged"
                return
        if url in self.same and not response.body:
            self.stale.add(url)
        else:
            self.take(response, url)
            for more in self.further_of(response, url):
                yield self.ask(more)
        yield from self.ready()

    def lost(self, failure: Any) -> Iterator[Any]:
        url = failure.request.cb_kwargs["url"]
        self.waiting.discard(url)
        self.missing(self.kind_of(url), url, tls.no_reply(failure))
        yield from self.ready()

    def missing(self, kind: str, url: str, problem: str) -> None:
        """A reply that cannot be used: the crawl fails, or goes on without what is optional."""
        if kind in self.single:
            self.account.reject(url.rpartition("/")[2], kind, problem)
        elif kind in self.optional:
            self.account.issue("file", "", f"{url[:200]}: {problem[:200]}")
        else:
            self.account.fail(f"{url[:300]}: {problem}")

    def further_of(self, response: Response, url: str) -> Iterable[str]:
        """What a reply leads to and was not asked for yet. A recording was asked for all it holds."""
        if self.recording is not None or response.status not in (200, 206):
            return ()
        try:
            return [more for more in self.further(self.kind_of(url), response) if more not in self.urls]
        except UNREADABLE as error:
            self.missing(self.kind_of(url), url, f"{type(error).__name__}: {error}")
            return ()

    def take(self, response: Response, url: str, key: str = "") -> bool:
        """Put a reply's parts where they belong; whether it could be read. One bad part costs only itself."""
        kind = self.kind_of(url)
        # Without a list nobody knows what is missing: there "nothing" is not believed.
        if self.empty(response) and kind in self.single | self.optional:
            return True
        if response.status == 206 and self.headers(url):
            response = response.replace(status=200)
        problem = self.usable(response, self.formats.get(kind, self.expected))
        try:
            parts = [] if problem else list(self.items(kind, response))
        except UNREADABLE as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            if key:
                self.account.reject(key, kind, problem)
            else:
                self.missing(kind, url, problem)
            return False
        self.kinds_read.add(kind)
        for part in parts:
            self.put(kind, part, url)
        return True

    def put(self, kind: str, part: Any, url: str) -> None:
        """Put a part where it belongs; one that cannot be read costs only itself."""
        try:
            whose = self.key(kind, part, url)
            kept = self.keep(kind, part) if whose else None
        except UNREADABLE as error:
            self.account.reject(str(part)[:60], kind, f"{type(error).__name__}: {error}")
            return
        if whose:
            self.found[kind][whose].append(kept)

    def ready(self) -> Iterator[Any]:
        """Make the bills once all lists are there."""
        if self.waiting or self.account.outcome == "failed":
            return
        if self.urls == self.same and not self.by_stamp:
            self.account.outcome = "unchanged"
            return
        if self.stale:
            # Something moved: the replies that did not are needed too, to put whole bills together.
            again, self.stale = self.stale, set()
            for url in again:
                yield self.ask(url, whole=True)
            return
        try:
            for kind, part in self.assemble():
                self.kinds_read.add(kind)
                self.put(kind, part, "")
        except UNREADABLE as error:
            self.account.fail(f"the replies do not fit together: {type(error).__name__}: {error}")
            return
        if not self.kinds_read & set(self.bills):
            self.account.fail("nothing that was read names a bill")
            return
        yield from self.each_bill()

    def each_bill(self) -> Iterator[Any]:
        keys = list(dict.fromkeys(key for kind in self.bills for key in self.found[kind]))
        for key in keys:
            try:
                urls = list(self.details(key)) if self.recording is None else []
                stamp = fingerprint(self.parts(key)) if urls else ""
            except UNREADABLE as error:
                self.account.reject(key, "details", f"{type(error).__name__}: {error}")
                continue
            if not urls:
                yield from self.records([key])
                continue
            if not self.full and (self.known.get(self.page(key)) or {}).get("stamp") == stamp:
                self.skip(key)
                continue
            if self.enough():
                break
            left = set(urls)
            for url in urls:
                yield Request(
                    url,
                    self.got_detail,
                    errback=self.failed,
                    cb_kwargs={"url": url, "key": key, "left": left, "stamp": stamp},
                    headers=dict(self.headers(url)),
                    dont_filter=True,
                    meta={"unconditional": True},
                )

    @property
    def cursor_key(self) -> str:
        """Where a feed's cursor is kept, among the validators."""
        return f"cursor:{self.place.code}/{self.source.name}/{self.session}"

    def page(self, key: str) -> str:
        """The name under which a bill's stamp is kept."""
        return f"bill:{self.place.code}/{self.session}/{key}"

    def skip(self, key: str) -> None:
        """Take a bill as it was last time."""
        said = dict(self.known[self.page(key)])
        self.account.not_modified += 1
        self.account.validators[self.page(key)] = said
        if said.get("bill"):
            self.account.present.add(said["bill"])
        else:
            self.account.complete = False

    def got_detail(self, response: Response, url: str, key: str, left: set[str], stamp: str) -> Iterator[Any]:
        # A bill whose detail cannot be had is left as it was: half a record would look like a change.
        if not left or not self.take(response, url, key):
            left.clear()
            return
        left.discard(url)
        if not left:
            for made in self.records([key]):
                bill = f"{made['legislative_session']}/{normalise_identifier(str(made.get('identifier') or ''))}"
                self.account.validators[self.page(key)] = {"stamp": stamp, "bill": bill}
                yield made


def fingerprint(parts: Any) -> str:
    """A hash that changes when any of the parts does."""
    return hashlib.blake2b(json.dumps(parts, default=_plain).encode(), digest_size=16).hexdigest()


def _plain(part: Any) -> str:
    return etree.tostring(part, encoding="unicode") if isinstance(part, etree._Element) else str(part)
