"""Asks sites only for what changed: ETag, Last-Modified, and the hash of what came last time.

The validators of earlier crawls come in with the crawl and go out in its manifest. They are kept only once
what they stand for has been published; pages of a run that was held back are asked for again.
"""

from __future__ import annotations

import hashlib
from typing import Any

from scrapy import Request, signals
from scrapy.http import Response

from crawlers.scrubbing import scrub

UNCHANGED = "billtracker_unchanged"


class ConditionalMiddleware:
    """Marks replies as unchanged in ``response.flags``; the spider decides what that means."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> ConditionalMiddleware:
        made = cls()
        crawler.signals.connect(made.opened, signals.spider_opened)
        return made

    def opened(self, spider: Any) -> None:
        self.spider = spider

    def process_request(self, request: Request) -> None:
        said = self.spider.known.get(scrub(request.url))
        # robots.txt is read whole every time: "unchanged" would be taken for "no rules".
        if not said or request.meta.get("unconditional") or request.meta.get("dont_obey_robotstxt") or self.spider.full:
            return
        if said.get("etag"):
            request.headers.setdefault("If-None-Match", said["etag"])
        if said.get("last_modified"):
            request.headers.setdefault("If-Modified-Since", said["last_modified"])

    def process_response(self, request: Request, response: Response) -> Response:
        account = self.spider.account
        account.requests += 1
        account.bytes += len(response.body)
        if request.meta.get("dont_obey_robotstxt"):
            return response
        said = self.spider.known.get(scrub(request.url)) or {}
        if response.status == 304:
            account.not_modified += 1
            account.validators[scrub(request.url)] = said
            return response.replace(flags=[*response.flags, UNCHANGED])
        if response.status not in (200, 206):
            return response
        digest = hashlib.sha256(response.body).hexdigest()
        account.validators[scrub(request.url)] = {
            "etag": (response.headers.get("ETag") or b"").decode("latin-1"),
            "last_modified": (response.headers.get("Last-Modified") or b"").decode("latin-1"),
            "body_hash": digest,
        }
        if digest == said.get("body_hash") and not self.spider.full:
            account.not_modified += 1
            return response.replace(flags=[*response.flags, UNCHANGED])
        return response
