"""What all kinds of source share: the jurisdiction's data, the account, one record at a time, the session list."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import scrapy
from scrapy.http import Request, Response

from crawlers import blocked, tls
from crawlers.account import Account
from crawlers.journal import Journal
from crawlers.recording import Recording
from tracker.jurisdictions import Jurisdiction, Source

# What a module may stumble over in a reply; anything else is a bug of ours and shows as such.
UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError)


class BillSpider(scrapy.Spider):
    """Common ground: the jurisdiction's data, the account, one record at a time.

    A module may declare ``session_url``: a pattern for its addresses whose first group is the site's own
    session id, so that recordings tell what they are of; and ``sessions_url``: where the site lists its
    sessions, which :meth:`site_sessions` reads. Sessions that our data do not know are reported.
    """

    name = "bills"
    expected: ClassVar[blocked.Expected] = "any"
    session_url: ClassVar[str] = ""
    sessions_url: ClassVar[str] = ""

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
        resume: bool = False,
        queries: int | None = None,
    ) -> None:
        super().__init__()
        self.place, self.source, self.session = place, source, session
        self.hosts: Sequence[str] = source.hosts
        self.out, self.recording, self.record_to = out, recording, record_to
        self.known = dict(known or {})
        self.full, self.limit, self.queries = full, limit, queries
        self.read = self.asked_for = 0
        self.journal = Journal(out, resume=resume)
        self.account = Account(place.code, source.name, session, replayed=recording is not None)
        self.account.recorded_at = recording.recorded_at if recording is not None else ""
        if recording is not None and recording.damage:
            self.account.issue("damaged_recording", "", recording.damage)

    @classmethod
    def session_in(cls, recording: Recording) -> str:
        """The site's id of the session that a recording is of; "" when it does not tell."""
        for url in recording.urls() if cls.session_url else ():
            if found := re.search(cls.session_url, url):
                return unquote(found[1])
        return ""

    @classmethod
    def texts_in(cls, recording: Recording, wanted: Container[str]) -> Iterable[tuple[str, str, bytes]]:
        """(address, media type, body) of wanted version documents that lie inside a recording's other replies."""
        return ()

    def site_sessions(self, response: Response) -> Iterable[str]:
        """The site's own ids on its list of sessions (``sessions_url``)."""
        raise NotImplementedError

    def session_requests(self) -> Iterator[Request]:
        """One look at the site's list of sessions. It never stops the bills: a failure is only reported."""
        url = self.sessions_url
        if url and (self.recording is None or url in self.recording.replies):
            yield Request(url, self.got_sessions, errback=self.lost_sessions, meta={"unconditional": True})

    def got_sessions(self, response: Response) -> None:
        problem = self.usable(response)
        try:
            for site_id in [] if problem else self.site_sessions(response):
                self.check_session(site_id)
        except UNREADABLE as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            self.account.issue("session_list", "", f"the list of sessions cannot be read: {problem}")

    def lost_sessions(self, failure: Any) -> None:
        self.account.issue("session_list", "", f"the list of sessions did not come: {tls.no_reply(failure)}")

    def check_session(self, site_id: str) -> None:
        """Report a session that our data do not know; the known ones go on."""
        if not any(site_id in (s.identifier, s.site_id) for s in self.place.sessions):
            detail = "on the site's list, but not in tracker/jurisdictions.toml: enter it there, or it is not crawled"
            self.account.issue("unknown_session", site_id, detail)

    def site_session(self) -> str:
        """The session as the site calls it."""
        found = self.place.by_identifier.get(self.session)
        return found.site_id if found else self.session

    def records(self, rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """Each row as a record; one that cannot be read is rejected and the next one taken."""
        for row in rows:
            if 0 < self.limit <= self.read:
                return
            self.read += 1
            try:
                made = self.record(row)
            except UNREADABLE as error:
                self.account.reject(self.name_of(row), type(error).__name__, str(error) or "cannot be read")
                continue
            if made is not None:
                yield {"jurisdiction": self.place.code, "legislative_session": self.session, **made}

    def enough(self) -> bool:
        """Whether as many bills were asked for as the crawl is limited to; counts the one asked about."""
        self.asked_for += 1
        return 0 < self.limit < self.asked_for

    def record(self, row: Any) -> dict[str, Any] | None:
        """One bill in BillRecord's terms; None for a row that is no bill."""
        raise NotImplementedError

    def name_of(self, row: Any) -> str:
        """The bill's identifier as far as it can be told, for error messages."""
        return str(row)[:60]

    def empty(self, response: Response) -> bool:
        """Whether a reply means "nothing there", in the site's own way."""
        return response.status in self.source.empty

    def usable(self, response: Response, expected: blocked.Expected | None = None) -> str:
        """Why a reply cannot be used; empty when it can."""
        if response.status != 200:
            return f"status {response.status}"
        return blocked.why(response.body, expected or self.expected)

    def failed(self, failure: Any) -> None:
        """A request without a reply: the crawl cannot be complete."""
        url = failure.request.url
        self.account.complete = False
        self.account.issue("no_reply", "", f"{url[:200]}: {tls.no_reply(failure)}")
