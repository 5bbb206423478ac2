"""robots.txt, to the letter: a denial is a fact about the source, recorded and shown, never worked around."""

from __future__ import annotations

from typing import Any

from scrapy import Request, signals
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Response
from scrapy.robotstxt import RobotParser

_NOTHING = b"User-agent: *\nDisallow: /\n"
MAX_DELAY = 600.0


class RobotsMiddleware(RobotsTxtMiddleware):
    """Reads a site's rules before its pages. No file (4xx) is no rule; a server's error is a closed door (RFC 9309)."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.crawler: Any = crawler
        crawler.signals.connect(self.parsed, signals.robots_parsed)

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500:
            detail = f"robots.txt of {netloc} answers {response.status}: nothing is asked there"
            self.crawler.spider.account.issue("robots", netloc, detail)
            response = response.replace(body=_NOTHING)
        elif response.status != 200:
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest:
            self.crawler.spider.account.issue("robots", "", f"robots.txt does not allow {request.url[:300]}")
            raise

    def parsed(self, robotparser: Any, request: Request) -> None:
        """Take a longer Crawl-delay than ours as the least delay."""
        asked = float(robotparser.rp.crawl_delay(self._default_useragent) or 0)
        account, own = self.crawler.spider.account, self.crawler.settings.getfloat("DOWNLOAD_DELAY")
        if asked <= own:
            return
        account.issue("robots", "", f"robots.txt asks for {asked:g} s between requests, the data say {own:g} s")
        for slot in self.crawler.engine.downloader.slots.values():
            slot.delay = max(slot.delay, min(asked, MAX_DELAY))
        for extension in self.crawler.extensions.middlewares:
            if isinstance(extension, AutoThrottle):
                extension.mindelay = max(extension.mindelay, min(asked, MAX_DELAY))
                extension.maxdelay = max(extension.maxdelay, extension.mindelay)
