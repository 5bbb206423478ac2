"""Records a crawl's replies as WARC and replays them without a network.

A recording is one crawl of one day. Replaying it gives the spider the very bytes that the site served; a
request that the recording does not hold is refused and reported, never sent.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from scrapy import Request, signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser
from warcio.warcwriter import WARCWriter

from crawlers.scrubbing import scrub
from crawlers.settings import MAX_REPLY

# Headers that describe the transfer rather than the content, which is stored unpacked.
_TRANSFER = {"content-encoding", "transfer-encoding", "content-length"}
# All that a recording keeps: what a crawl goes by. Cookies, keys and the server's own marks stay out.
_KEPT = {"content-type", "content-disposition", "etag", "last-modified", "location", "retry-after"}


class RecordingError(ValueError):
    """A recording that cannot be read."""


def _path(url: str) -> str:
    parts = urlsplit(url)
    return unquote(f"{parts.path}?{parts.query}").lower()


class Recording:
    """The replies in a WARC file, by address."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.replies: dict[str, tuple[int, list[tuple[str, str]], bytes]] = {}
        # When the newest reply was given (ISO moment, UTC), as the recording says.
        self.recorded_at = ""
        try:
            with path.open("rb") as file:
                for moment, url, status, headers, body in _responses(file):
                    self.replies[url] = (status, headers, body)
                    self.recorded_at = max(self.recorded_at, moment)
        except (ArchiveLoadFailed, OSError, EOFError, ValueError) as error:
            if not self.replies:
                raise RecordingError(f"{path.name} is no readable recording: {error}") from error
            self.damage = f"{path.name} breaks off: {error}"
        else:
            self.damage = ""
        if not self.replies:
            raise RecordingError(f"{path.name} holds no replies")

    def urls(self) -> list[str]:
        """Addresses in the order of the recording."""
        return list(self.replies)

    def spelling(self, url: str) -> str:
        """An address as the recording has it, whatever its host, escapes and case; "" when it is not there.

        Sites move between hosts and are asked in more than one spelling; a recording stays as it was made.
        """
        return url if url in self.replies else self._by_path.get(_path(scrub(url)), "")

    @cached_property
    def _by_path(self) -> dict[str, str]:
        return {_path(url): url for url in reversed(self.replies)}

    def response(self, request: Request) -> Response | None:
        """The recorded reply to a request, or None."""
        found = self.replies.get(self.spelling(request.url))
        if found is None:
            return None
        status, headers, body = found
        kind = responsetypes.from_args(url=request.url, body=body[:1000])
        return kind(request.url, status=status, headers=dict(headers), body=body, request=request)


def writer(file: Any, *, gzip: bool) -> WARCWriter:
    """A WARC file to write replies to."""
    return WARCWriter(file, gzip=gzip)


def write_reply(into: WARCWriter, url: str, headers: StatusAndHeaders, body: bytes) -> None:
    """Add one reply, its address without keys. What came by FTP has no HTTP headers: it is a "resource"."""
    payload = io.BytesIO(body)
    if url.startswith("ftp:") and headers.get_statuscode() == "200":
        record = into.create_warc_record(scrub(url), "resource", payload=payload)
    else:
        record = into.create_warc_record(scrub(url), "response", payload=payload, http_headers=headers)
    into.write_record(record)


def _responses(file: Any) -> Iterator[tuple[str, str, int, list[tuple[str, str]], bytes]]:
    for record in ArchiveIterator(file):
        if record.rec_type not in ("response", "resource"):
            continue
        url = record.rec_headers.get_header("WARC-Target-URI")
        body = record.content_stream().read(MAX_REPLY + 1)
        if len(body) > MAX_REPLY:
            raise ValueError(f"the reply of {url} is over {MAX_REPLY >> 20} MiB")
        http = record.http_headers
        if http is None and body.startswith(b"HTTP/1."):
            # Not of HTTP, and yet written as if it were.
            stream = io.BytesIO(body)
            http = StatusAndHeadersParser(["HTTP/1.0", "HTTP/1.1"]).parse(stream)
            body = stream.read()
        headers = [(k, v) for k, v in http.headers if k.lower() not in _TRANSFER] if http else []
        moment = record.rec_headers.get_header("WARC-Date") or ""
        yield moment, url, int(http.get_statuscode()) if http else 200, headers, body


class _OfSpider:
    """A middleware that needs the spider it works for."""

    spider: Any

    @classmethod
    def from_crawler(cls, crawler: Any) -> Any:
        made = cls()
        crawler.signals.connect(made.opened, signals.spider_opened)
        crawler.signals.connect(made.closed, signals.spider_closed)
        return made

    def opened(self, spider: Any) -> None:
        self.spider = spider

    def closed(self, spider: Any) -> None:
        pass


class ReplayMiddleware(_OfSpider):
    """Answers from the recording, when there is one; then nothing goes to the network."""

    def process_request(self, request: Request) -> Response | None:
        recording = self.spider.recording
        if recording is None:
            return None
        reply: Response | None = recording.response(request)
        if reply is None:
            self.spider.account.issue("not_recorded", "", request.url[:300])
            raise IgnoreRequest("not in the recording")
        return reply


class RecordMiddleware(_OfSpider):
    """Writes every reply to a WARC file (gzip when its name says so), without cookies and keys."""

    writer: WARCWriter | None = None

    def opened(self, spider: Any) -> None:
        super().opened(spider)
        secret = os.environ.get(spider.source.requires_key or "", "") if spider.record_to else ""
        self.secret = secret.encode() if len(secret) >= 8 else b""
        if spider.record_to:
            self.file = Path(spider.record_to).open("wb")  # noqa: SIM115 - open until the spider closes
            self.writer = writer(self.file, gzip=str(spider.record_to).endswith(".gz"))

    def process_response(self, request: Request, response: Response) -> Response:
        if self.writer is not None and not request.meta.get("dont_obey_robotstxt"):
            headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, values in response.headers.items()
                for value in values
                if name.decode("latin-1").lower() in _KEPT
            ]
            status = StatusAndHeaders(f"{response.status} OK", headers, protocol="HTTP/1.1")
            asked = request.meta.get("redirect_urls", [request.url])[0]
            body = response.body.replace(self.secret, b"KEY") if self.secret else response.body
            write_reply(self.writer, asked, status, body)
        return response

    def closed(self, spider: Any) -> None:
        if self.writer is not None:
            self.file.close()
