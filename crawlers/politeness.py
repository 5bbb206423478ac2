"""Keeps a crawl on its own hosts, out of quiet hours, and waits when a site asks it to."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from tracker.jurisdictions import Jurisdiction, Source

MAX_WAIT = 600


def quiet_now(place: Jurisdiction, source: Source, now: dt.datetime) -> str:
    """Why this is no time to crawl the site; empty when it is."""
    hours = source.politeness.quiet_hours
    if hours is not None and hours.covers(now.astimezone(place.zone).time()):
        return f"{source.name} asks not to be crawled between {hours.start:%H:%M} and {hours.end:%H:%M} local time"
    return ""


class HostsMiddleware:
    """Refuses every host that is not on the source's list, redirects included."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> HostsMiddleware:
        made = cls()
        crawler.signals.connect(made.opened, signals.spider_opened)
        return made

    def opened(self, spider: Any) -> None:
        self.spider = spider

    def process_request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname or ""
        allowed = self.spider.hosts
        if not any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in allowed):
            self.spider.account.issue("off_host", host, f"{request.url[:200]} is not on a host of this source")
            raise IgnoreRequest(f"{host} is not a host of this source")


class RetryAfterMiddleware:
    """Waits as long as a 429 or 503 asks (up to ten minutes) before the retry that follows."""

    async def process_response(self, request: Request, response: Response) -> Response:
        wait = retry_after(response)
        if response.status in (429, 503) and wait:
            import asyncio

            await asyncio.sleep(min(wait, MAX_WAIT))
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
