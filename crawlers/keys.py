"""Sends a source's key in the address, and lets nobody see it: not logs, recordings, manifests or records."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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
            if key not in str(error):
                raise
            # Messages of timeouts and broken connections name the address; the kind of error must stay retriable.
            raise OSError(str(error).replace(key, "…")) from None
        location = (response.headers.get("Location") or b"").decode("latin-1")
        if key in location:
            response.headers["Location"] = without_key(location, name)
        return response.replace(url=request.url)


def with_key(url: str, name: str, key: str) -> str:
    """An address with the key in its query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode({name: key}))))))


def without_key(url: str, name: str) -> str:
    """An address without it, as a site may send it back in a redirect."""
    parts = urlsplit(url)
    kept = [(field, value) for field, value in parse_qsl(parts.query, keep_blank_values=True) if field != name]
    return urlunsplit(parts._replace(query=urlencode(kept)))
