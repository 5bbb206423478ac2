"""The few kinds of source that there are. A jurisdiction's module picks one and says where fields are.

The kinds do the fetching, the error handling and the accounting; a module holds none of it. One bad record
is rejected with its reason, a bad file fails the crawl with its reason, and nothing else is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import scrapy
from scrapy.http import Request, Response

from crawlers import blocked
from crawlers.account import Account
from crawlers.conditional import UNCHANGED
from crawlers.recording import Recording
from tracker.jurisdictions import Jurisdiction, Source


class BillSpider(scrapy.Spider):
    """Common ground: the jurisdiction's data, the account, one record at a time."""

    name = "bills"
    expected: ClassVar[blocked.Expected] = "any"

    def __init__(
        self,
        *,
        place: Jurisdiction,
        source: Source,
        session: str,
        out: Path,
        recording: Recording | None = None,
        record_to: Path | None = None,
        known: Mapping[str, Mapping[str, str]] | None = None,
        full: bool = False,
        limit: int = 0,
    ) -> None:
        super().__init__()
        self.place, self.source, self.session = place, source, session
        self.hosts: Sequence[str] = source.hosts
        self.out, self.recording, self.record_to = out, recording, record_to
        self.known = dict(known or {})
        self.full, self.limit = full, limit
        self.account = Account(place.code, source.name, session, replayed=recording is not None)
        if recording is not None and recording.damage:
            self.account.issue("damaged_recording", "", recording.damage)

    def site_session(self) -> str:
        """The session as the site calls it."""
        found = self.place.by_identifier.get(self.session)
        return found.site_id if found else self.session

    def records(self, rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """Each row as a record; one that cannot be read is rejected and the next one taken."""
        for row in rows:
            try:
                made = self.record(row)
            except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
                self.account.reject(self.name_of(row), type(error).__name__, str(error) or "cannot be read")
                continue
            if made is not None:
                yield {"jurisdiction": self.place.code, "legislative_session": self.session, **made}

    def record(self, row: Any) -> dict[str, Any] | None:
        """One bill in BillRecord's terms; None for a row that is no bill."""
        raise NotImplementedError

    def name_of(self, row: Any) -> str:
        """The bill's identifier as far as it can be told, for error messages."""
        return str(row)[:60]

    def usable(self, response: Response, expected: blocked.Expected | None = None) -> str:
        """Why a reply cannot be used; empty when it can."""
        if response.status != 200:
            return f"status {response.status}"
        return blocked.why(response.body, expected or self.expected)

    def failed(self, failure: Any) -> None:
        """A request without a reply: the crawl cannot be complete."""
        url = failure.request.url
        self.account.complete = False
        self.account.issue("no_reply", "", f"{url[:200]}: {failure.getErrorMessage()[:200]}")


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
        for name, url in urls.items():
            yield Request(url, self.got, errback=self.lost, cb_kwargs={"file": name}, dont_filter=True)

    def got(self, response: Response, file: str) -> Iterator[Any]:
        self.waiting.discard(file)
        if UNCHANGED in response.flags:
            self.unchanged[file] = response.url
            if response.body:
                self.bodies[file] = response.body
        else:
            problem = self.usable(response)
            if problem:
                self._missing(file, problem)
            else:
                self.bodies[file] = response.body
        yield from self.ready()

    def lost(self, failure: Any) -> Iterator[Any]:
        file = failure.request.cb_kwargs["file"]
        self.waiting.discard(file)
        self._missing(file, failure.getErrorMessage() or "no reply")
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
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            self.account.fail(f"the files cannot be read: {type(error).__name__}: {error}")

    def rows(self, files: Mapping[str, bytes]) -> Iterable[Any]:
        """The files put together, one row a bill. Raises ValueError when they are not what they should be."""
        raise NotImplementedError


class DetailSpider(BillSpider):
    """A list that says what changed, then one document a bill."""

    def listing(self) -> Iterable[str]:
        """Addresses of the lists."""
        raise NotImplementedError

    def is_detail(self, url: str) -> bool:
        """Whether an address is of a bill's document (a recording may hold details without lists)."""
        raise NotImplementedError

    def listed(self, response: Response) -> Iterable[tuple[str, str]]:
        """(address, stamp) of each bill on a list, or of further lists (without a stamp)."""
        raise NotImplementedError

    async def start(self) -> AsyncIterator[Any]:
        recorded = self.recording.urls() if self.recording else []
        lists = list(self.listing())
        if self.recording and not any(url in self.recording.replies for url in lists):
            for url in recorded:
                if self.is_detail(url):
                    yield self._detail(url, "")
            return
        self.account.complete = not self.limit
        for url in lists:
            yield Request(url, self.got_list, errback=self.failed, dont_filter=True)

    def got_list(self, response: Response) -> Iterator[Any]:
        if UNCHANGED in response.flags and not response.body:
            self.account.complete = False
            return
        problem = self.usable(response)
        if problem:
            self.account.fail(f"{response.url}: {problem}")
            return
        try:
            entries = list(self.listed(response))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.account.fail(f"{response.url}: the list cannot be read: {error}")
            return
        for url, stamp in entries:
            if not self.is_detail(url):
                yield Request(url, self.got_list, errback=self.failed, dont_filter=True)
            elif stamp and not self.full and (self.known.get(url) or {}).get("stamp") == stamp:
                self.account.not_modified += 1
                self.account.complete = False
                self.account.validators[url] = dict(self.known[url])
            else:
                yield self._detail(url, stamp)

    def _detail(self, url: str, stamp: str) -> Request:
        return Request(url, self.got_detail, errback=self.failed, cb_kwargs={"stamp": stamp}, dont_filter=True)

    def got_detail(self, response: Response, stamp: str) -> Iterator[Any]:
        if stamp and response.url in self.account.validators:
            self.account.validators[response.url] = {**self.account.validators[response.url], "stamp": stamp}
        if UNCHANGED in response.flags:
            self.account.complete = False
            return
        problem = self.usable(response)
        if problem:
            self.account.reject(response.url.rsplit("/", 1)[-1], "reply", problem)
            return
        yield from self.records([response])

    def name_of(self, row: Any) -> str:
        return str(row.url).rsplit("/", 1)[-1]
