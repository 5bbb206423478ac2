"""Sends a source's key in the address, and lets nobody see it: not logs, recordings, manifests or records."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response


class KeyedHandler(HTTP11DownloadHandler):
    """Adds the key when the request leaves, for spiders that declare ``key_parameter``; over TLS alone."""

    _crawler: Any

    async def download_request(self, request: Request) -> Response:
        spider = self._crawler.spider
        name = getattr(spider, "key_parameter", "")
        key = os.environ.get(spider.source.requires_key, "") if name else ""
        if not key or urlsplit(request.url).path == "/robots.txt":
            return await super().download_request(request)
        try:
            response = await super().download_request(request.replace(url=with_key(request.url, name, key)))
        except Exception as error:
            said = str(error)
            if not _holds(said, key):
                raise
            # Messages of timeouts and broken connections name the address; the kind of error must stay retriable.
            raise OSError(said.replace(urlencode({name: key}), f"{name}=…").replace(key, "…")) from None
        location = (response.headers.get("Location") or b"").decode("latin-1")
        if _holds(location, key):
            response.headers["Location"] = without_key(location, name)
        return response.replace(url=request.url)


def _holds(text: str, key: str) -> bool:
    return key in text or quote_plus(key) in text


def with_key(url: str, name: str, key: str) -> str:
    """An address with the key in its query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode({name: key}))))))


def without_key(url: str, name: str) -> str:
    """An address without it, as a site may send it back in a redirect."""
    parts = urlsplit(url)
    kept = [(field, value) for field, value in parse_qsl(parts.query, keep_blank_values=True) if field != name]
    return urlunsplit(parts._replace(query=urlencode(kept)))
