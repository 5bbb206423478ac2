"""Keeps a crawl on its own hosts, out of quiet hours, waits when a site asks it to, and stops when it is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections import Counter
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawlers import blocked
from tracker.jurisdictions import Jurisdiction, Source

# A site that asks for a longer wait is left alone for this crawl.
MAX_WAIT = 600
# So many refusals in a row, and the crawl ends: whoever goes on is the one they block.
STRIKES = 5
_REFUSALS = {401, 403, 429, 451}


def quiet_now(place: Jurisdiction, source: Source, now: dt.datetime) -> str:
    """Why this is no time to crawl the site; empty when it is."""
    hours = source.politeness.quiet_hours
    if hours is not None and hours.covers(now.astimezone(place.zone).time()):
        return f"{source.name} asks not to be crawled between {hours.start:%H:%M} and {hours.end:%H:%M} local time"
    return ""


class _OfCrawl:
    """A middleware that needs the spider and the engine it works for."""

    spider: Any
    crawler: Any

    @classmethod
    def from_crawler(cls, crawler: Any) -> Any:
        made = cls()
        made.crawler = crawler
        crawler.signals.connect(made.opened, signals.spider_opened)
        return made

    def opened(self, spider: Any) -> None:
        self.spider = spider

    def stop(self, reason: str) -> None:
        """End the crawl; what was read is kept, the rest is for the next one."""
        self.spider.account.stop(reason)
        if self.crawler.engine is not None and self.crawler.engine.spider is not None:
            asyncio.ensure_future(self.crawler.engine.close_spider_async(reason="stopped"))  # noqa: RUF006


class HostsMiddleware(_OfCrawl):
    """Refuses every host that is not on the source's list, redirects included, and asks nothing once stopped."""

    def process_request(self, request: Request) -> None:
        if self.spider.account.stopped:
            raise IgnoreRequest(self.spider.account.stopped)
        host = urlsplit(request.url).hostname or ""
        allowed = self.spider.hosts
        if not any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in allowed):
            self.spider.account.issue("off_host", host, f"{request.url[:200]} is not on a host of this source")
            raise IgnoreRequest(f"{host} is not a host of this source")


class QuietHoursMiddleware(_OfCrawl):
    """Ends a crawl when the site's quiet hours begin while it runs."""

    def process_request(self, request: Request) -> None:
        problem = (
            "" if self.spider.recording else quiet_now(self.spider.place, self.spider.source, dt.datetime.now(dt.UTC))
        )
        if problem:
            self.stop(problem)
            raise IgnoreRequest(problem)


class RetryAfterMiddleware(_OfCrawl):
    """Leaves a host alone for as long as its 429 or 503 asks; a longer wait than ten minutes ends the crawl."""

    def __init__(self) -> None:
        self.until: dict[str, float] = {}

    async def process_request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname or ""
        while (wait := self.until.get(host, 0.0) - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    async def process_response(self, request: Request, response: Response) -> Response:
        wait = retry_after(response) if response.status in (429, 503) else 0.0
        host = urlsplit(request.url).hostname or ""
        if wait > MAX_WAIT:
            problem = f"{host} asks to be left alone for {wait:,.0f} s"
            self.stop(problem)
            raise IgnoreRequest(problem)
        if wait:
            self.spider.account.issue("waited", host, f"status {response.status} with Retry-After")
            self.until[host] = time.monotonic() + wait
        return response


class QueriesMiddleware(_OfCrawl):
    """Counts every request that goes out, repeated and refused ones too, and ends the crawl at its share."""

    def process_request(self, request: Request) -> None:
        account, share = self.spider.account, getattr(self.spider, "queries", None)
        if request.meta.get("dont_obey_robotstxt") or self.spider.recording is not None:
            return
        if share is not None and account.queries >= share:
            problem = f"its share of {share:,} queries is used; the rest is for the next crawl"
            self.stop(problem)
            raise IgnoreRequest(problem)
        account.queries += 1


class StrikesMiddleware(_OfCrawl):
    """Ends the crawl after five refusals in a row: a status that says no, or a block page with status 200."""

    def __init__(self) -> None:
        self.strikes: Counter[str] = Counter()

    def process_response(self, request: Request, response: Response) -> Response:
        if request.meta.get("dont_obey_robotstxt"):
            return response
        host = urlsplit(request.url).hostname or ""
        problem = f"status {response.status}" if response.status in _REFUSALS else ""
        problem = problem or (blocked.signature(response.body) if response.status == 200 else "")
        if not problem:
            self.strikes[host] = 0
            return response
        self.strikes[host] += 1
        self.spider.account.issue("refused", host, problem)
        if self.strikes[host] >= STRIKES:
            self.spider.account.fail(f"{host} refused {STRIKES} times in a row: {problem}")
            self.stop(f"{host} refuses: {problem}")
        return response


def retry_after(response: Response) -> float:
    """Seconds that a reply asks to wait; 0 when it does not say."""
    raw = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if raw.isdigit():
        return float(raw)
    try:
        moment = parsedate_to_datetime(raw)
    except (TypeError, ValueError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())
