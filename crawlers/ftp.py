"""Fetches from FTP servers, which some legislatures still publish on: files, and the listings of folders.

Scrapy's own handler cannot list a folder, logs in anew for each file, and knows neither a limit of size nor of time.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote, urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.protocol import ClientCreator, Protocol
from twisted.protocols.ftp import CommandFailed, FTPClient


class _Data(Protocol):
    """Takes what comes, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.parts: list[bytes] = []
        self.size, self.limit = 0, limit

    def dataReceived(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self.limit:
            self.transport.abortConnection()  # type: ignore[union-attr]
            return
        self.parts.append(data)


class _Client(FTPClient):
    """Fetches data from the server it talks to, whatever host the server names."""

    def connectFactory(self, host: str, port: int, factory: Any) -> Any:  # type: ignore[override]
        from twisted.internet import reactor

        transport: Any = self.transport
        there: Any = reactor
        return there.connectTCP(transport.getPeer().host, port, factory)


class FtpHandler(BaseDownloadHandler):
    """Downloads ``ftp://`` addresses as anonymous, over one connection a server; a slash at the end asks for a listing.

    A file that is not there is a reply with status 404, any other refusal 503. Raises OSError when the connection
    breaks, is too slow or brings too much, so that the request is tried again.
    """

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.limit = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self.seconds = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        self.clients: dict[str, Any] = {}
        self.turns: dict[str, asyncio.Lock] = {}

    async def download_request(self, request: Request) -> Response:
        server = urlsplit(request.url).netloc
        async with self.turns.setdefault(server, asyncio.Lock()):
            try:
                return await asyncio.wait_for(self._fetch(request), self.seconds)
            except Exception as error:
                # Whatever went wrong, the connection is in a state that nobody knows.
                self._drop(server)
                raise OSError(f"{server}: {type(error).__name__}: {error}") from error

    async def _fetch(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        client = self.clients.get(parts.netloc)
        if client is None:
            from twisted.internet import reactor  # not before Scrapy has chosen which

            creator: Any = ClientCreator(reactor, _Client, "anonymous", "anonymous@", passive=1)  # type: ignore[no-untyped-call]
            made = creator.connectTCP(parts.hostname, parts.port or 21, timeout=self.seconds)
            client = self.clients[parts.netloc] = await maybe_deferred_to_future(made)
        path, data = unquote(parts.path), _Data(self.limit)
        if any(ord(character) < 32 for character in path):
            raise ValueError("the address has control characters")
        refused = ""
        ask = client.list if path.endswith("/") else client.retrieveFile
        try:
            await maybe_deferred_to_future(ask(path, data))
        except CommandFailed as error:
            refused = str(error)
        if data.size > self.limit:
            raise ValueError(f"more than {self.limit:,} bytes")
        if refused:
            return Response(request.url, status=404 if "550" in refused else 503, body=refused.encode())
        body = b"".join(data.parts)
        kind = responsetypes.from_args(url=request.url, body=body[:1000])
        return kind(request.url, status=200, body=body, request=request)

    def _drop(self, server: str) -> None:
        client = self.clients.pop(server, None)
        if client is not None and client.transport is not None:
            client.transport.abortConnection()

    async def close(self) -> None:
        for server in list(self.clients):
            self._drop(server)
