"""ETags: a reader who has the newest reply already gets 304 and no body.

The tag is a hash of the reply, so it is right whatever the reply is made of. It spares the network, not our work.
"""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class EntityTags:
    """ASGI middleware for GET replies that are sent whole and do not forbid to be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        wanted = {tag.strip().removeprefix("W/") for tag in Headers(scope=scope).get("if-none-match", "").split(",")}
        start: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                begun, start = start, None
                if message["type"] == "http.response.body" and not message.get("more_body") and _taggable(begun):
                    tag = f'"{hashlib.blake2b(message.get("body", b""), digest_size=12).hexdigest()}"'
                    headers = MutableHeaders(scope=begun)
                    headers["ETag"] = f"W/{tag}"
                    headers.setdefault("Cache-Control", "private, no-cache")
                    if tag in wanted or "*" in wanted:
                        begun["status"] = 304
                        for name in ("content-length", "content-type"):
                            del headers[name]
                        message = {"type": "http.response.body", "body": b""}
                await send(begun)
            await send(message)

        await self.app(scope, receive, send_tagged)


def _taggable(begun: Message) -> bool:
    headers = Headers(raw=begun["headers"])
    return begun["status"] == 200 and "etag" not in headers and "no-store" not in headers.get("cache-control", "")
