"""The few kinds of source that there are. A jurisdiction's module picks one and says where fields are.

The kinds do the fetching, the error handling and the accounting; a module holds none of it. One bad record
is rejected with its reason, a bad file fails the crawl with its reason, and nothing else is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from scrapy.http import Request, Response

from crawlers import tls
from crawlers.base import UNREADABLE, BillSpider
from crawlers.conditional import UNCHANGED
from crawlers.scrubbing import scrub
from crawlers.shared import SharedReplies
from tracker.records import normalise_identifier

__all__ = ["BillSpider", "BulkSpider", "DetailSpider"]


class BulkSpider(BillSpider):
    """A session in a few files. All unchanged: nothing to do. One changed: all are read together."""

    files: ClassVar[Mapping[str, str]] = {}
    optional: ClassVar[frozenset[str]] = frozenset()

    def file_urls(self) -> dict[str, str]:
        """Addresses by file name."""
        return {name: url.format(session=self.site_session()) for name, url in self.files.items()}

    async def start(self) -> AsyncIterator[Any]:
        urls = self.file_urls()
        self.waiting = set(urls)
        self.bodies: dict[str, bytes] = {}
        self.unchanged: dict[str, str] = {}
        for request in self.session_requests():
            yield request
        for name, url in urls.items():
            place = (self.recording.spelling(url) if self.recording else "") or url
            yield Request(place, self.got, errback=self.lost, cb_kwargs={"file": name}, dont_filter=True)

    def got(self, response: Response, file: str) -> Iterator[Any]:
        self.waiting.discard(file)
        if UNCHANGED in response.flags:
            self.unchanged[file] = response.url
            if response.body:
                self.bodies[file] = response.body
        else:
            problem = self.usable(response)
            if problem:
                self.account.validators.pop(asked(response), None)
                self._missing(file, problem)
            else:
                self.bodies[file] = response.body
        yield from self.ready()

    def lost(self, failure: Any) -> Iterator[Any]:
        file = failure.request.cb_kwargs["file"]
        self.waiting.discard(file)
        self._missing(file, tls.no_reply(failure))
        yield from self.ready()

    def _missing(self, file: str, problem: str) -> None:
        if file in self.optional:
            self.account.issue("file", file, problem)
        else:
            self.account.fail(f"{file}: {problem}")

    def ready(self) -> Iterator[Any]:
        """Read the bills once all files are there."""
        if self.waiting or self.account.outcome == "failed":
            return
        changed = [file for file in self.bodies if file not in self.unchanged]
        if self.unchanged and not changed:
            self.account.outcome = "unchanged"
            return
        again = [file for file in self.unchanged if file not in self.bodies]
        if again:
            # Something moved: the files that did not are needed too, to put whole bills together.
            self.waiting = set(again)
            for file in again:
                url = self.unchanged.pop(file)
                yield Request(
                    url,
                    self.got,
                    errback=self.lost,
                    cb_kwargs={"file": file},
                    dont_filter=True,
                    meta={"unconditional": True},
                )
            return
        try:
            rows = self.rows(self.bodies)
            self.account.complete = True
            yield from self.records(rows)
        except UNREADABLE as error:
            self.account.fail(f"the files cannot be read: {type(error).__name__}: {error}")

    def rows(self, files: Mapping[str, bytes]) -> Iterable[Any]:
        """The files put together, one row a bill. Raises ValueError when they are not what they should be."""
        raise NotImplementedError


class DetailSpider(SharedReplies):
    """A list that says what changed, then one document a bill.

    A stamp (date, hash, version) on the list saves the document when it is the one of last time; without a
    stamp the site is asked "changed since?". Where the site has a feed of changes, ``changes`` replaces the
    list from the second crawl on: what it does not show is taken as unchanged. Calendars that speak of many bills
    come before the lists (``shared``); a stamp must then hold what they say of its bill.
    """

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.listed_urls: set[str] = set()

    def listing(self) -> Iterable[str]:
        """Addresses of the lists."""
        raise NotImplementedError

    def changes(self, cursor: str) -> Iterable[str]:
        """Addresses of the lists of what changed since ``cursor``; none where the site has no such feed."""
        return ()

    def is_detail(self, url: str) -> bool:
        """Whether an address is of a bill's document (a recording may hold details without lists)."""
        raise NotImplementedError

    def is_list(self, url: str) -> bool:
        """Whether an address is of a list, in another form than ``listing`` has it (for recordings)."""
        return False

    def listed(self, response: Response) -> Iterable[tuple[str, str]]:
        """(address, stamp) of each bill on a list, or of further lists (without a stamp)."""
        raise NotImplementedError

    def beginnings(self) -> Iterator[Request]:
        """The lists; where a recording has none, the bills that it holds."""
        lists = self.lists()
        if self.recording:
            lists = [url for asked_for in lists if (url := self.recording.spelling(asked_for))]
            lists = lists or [url for url in self.recording.urls() if self.is_list(url)]
        if self.recording and not lists:
            self.account.complete = False
            for url in self.recording.urls():
                if self.is_detail(url) and not self.enough():
                    yield self.detail(url, "")
            return
        yield from [self.list_request(url) for url in lists]

    def lists(self) -> list[str]:
        """The lists to begin with: all of the session, or what changed since the last good crawl."""
        said = {} if self.full else self.known.get(self.cursor_key) or {}
        feed = list(self.changes(said["stamp"])) if said.get("stamp") else []
        self.account.complete = not self.limit and not feed
        self.account.partial = bool(feed)
        self.advance(self.account.started_at.isoformat())
        return feed or list(self.listing())

    def advance(self, cursor: str) -> None:
        """Where the feed goes on next time, when it is not the moment at which this crawl began."""
        self.account.validators[self.cursor_key] = {"stamp": cursor}

    @property
    def cursor_key(self) -> str:
        """Where the feed's cursor is kept, among the validators."""
        return f"cursor:{self.place.code}/{self.source.name}/{self.session}"

    def list_request(self, url: str) -> Request:
        """The request of a list: always whole, since it tells which bills there are."""
        self.listed_urls.add(url)
        return Request(url, self.got_list, errback=self.lost_list, dont_filter=True, meta={"unconditional": True})

    def lost_list(self, failure: Any) -> None:
        """Without a list nobody knows what is missing."""
        self.account.fail(f"{failure.request.url[:200]}: {tls.no_reply(failure)}")

    def got_list(self, response: Response) -> Iterator[Any]:
        if self.empty(response):
            return
        problem = self.usable(response)
        if problem:
            self.account.fail(f"{response.url}: {problem}")
            return
        try:
            entries = list(self.listed(response))
        except UNREADABLE as error:
            self.account.fail(f"{response.url}: the list cannot be read: {error}")
            return
        for url, stamp in entries:
            if self.recording and not self.recording.spelling(url):
                self.account.complete = False
                self.account.issue("not_recorded", "", url[:300])
            elif not self.is_detail(url):
                # A list that names itself, or one that named it, would never end.
                if url not in self.listed_urls:
                    yield self.list_request(url)
            elif not self.unchanged(url, stamp):
                if self.enough():
                    return
                yield self.detail(url, stamp)

    def unchanged(self, url: str, stamp: str) -> bool:
        """Whether the list's stamp says that a document is the one of last time."""
        if url in self.journal.done:
            self.account.resumed += 1
            self.account.validators[url] = dict(self.journal.done[url])
            return True
        said = self.known.get(url) or {}
        if self.full or not stamp or not self.same_stamp(said.get("stamp") or "", stamp):
            return False
        self.account.not_modified += 1
        self.keep(url)
        return True

    def same_stamp(self, kept: str, stamp: str) -> bool:
        """Whether a kept stamp is the one that the list shows."""
        return kept == stamp

    def stamp_of(self, stamp: str, bill: Mapping[str, Any]) -> str:
        """The stamp as it is kept with a bill."""
        return stamp

    def keep(self, url: str, stamp: str = "") -> None:
        """Take a bill as it was: its document did not change, though its stamp may have."""
        said = {**(self.known.get(url) or {}), **self.account.validators.get(url, {})}
        if stamp and not self.same_stamp(said.get("stamp") or "", stamp):
            said["stamp"] = stamp
        self.account.validators[url] = said
        if said.get("bill"):
            self.account.present.add(said["bill"])
        else:
            self.account.complete = False

    def detail(self, url: str, stamp: str) -> Request:
        """The request of a bill's document; whole where the stamp may have changed by what is said elsewhere."""
        return Request(
            url,
            self.got_detail,
            errback=self.failed,
            cb_kwargs={"stamp": stamp},
            dont_filter=True,
            meta={"unconditional": bool(stamp and self.shared_url)},
        )

    def got_detail(self, response: Response, stamp: str) -> Iterator[Any]:
        url = asked(response)
        if UNCHANGED in response.flags and not (response.meta.get("unconditional") and response.body):
            self.keep(url, stamp)
            return
        problem = self.usable(response)
        if problem:
            self.account.validators.pop(url, None)
            self.account.reject(self.name_of(response), "reply", problem)
            return
        yield from self.noted(url, stamp, self.records([response]))

    def noted(self, url: str, stamp: str, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Remember with a document's address which bill it is of; a document that gave none is asked for again."""
        made = None
        for made in records:
            bill = f"{made['legislative_session']}/{normalise_identifier(str(made.get('identifier') or ''))}"
            self.account.validators.setdefault(url, {}).update(stamp=self.stamp_of(stamp, made), bill=bill)
            self.account.addresses.setdefault(bill, []).append(url)
            yield made
        if made is None:
            self.account.validators.pop(url, None)

    def name_of(self, row: Any) -> str:
        return str(row.url).rsplit("/", 1)[-1]


def asked(response: Response) -> str:
    """The address that was asked for, before redirects and without keys."""
    if response.request is None:
        return scrub(response.url)
    return scrub(str((response.request.meta.get("redirect_urls") or [response.request.url])[0]))
