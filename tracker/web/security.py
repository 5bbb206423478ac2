"""Headers that every reply carries, and limits that every request keeps. Works below the framework (ASGI).

No script and no style may stand in a page itself: the policy allows our own files only.
"""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_QUERY = 32 * 1024
MAX_BODY = 256 * 1024
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Security:
    """ASGI middleware. ``public_url``: where readers reach us; over TLS, browsers are told to stay with it."""

    def __init__(self, app: ASGIApp, public_url: str = "") -> None:
        self.app = app
        self.headers = dict(HEADERS)
        self.origin = _origin(public_url)
        if public_url.startswith("https://"):
            self.headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        declared = Headers(scope=scope).get("content-length", "")
        if len(scope["query_string"]) > MAX_QUERY:
            await PlainTextResponse("The address is too long.\n", 414)(scope, receive, send_safe)
            return
        if declared.isdigit() and int(declared) > MAX_BODY:
            await PlainTextResponse("The request is too large.\n", 413)(scope, receive, send_safe)
            return
        if scope["method"] not in SAFE and self._from_elsewhere(Headers(scope=scope)):
            await PlainTextResponse("This form was sent by another site.\n", 403)(scope, receive, send_safe)
            return
        left = MAX_BODY

        async def receive_limited() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, "The request is too large.")
            return message

        # HEAD is GET without a body; the server leaves the body out.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self.app(inner, receive_limited, send_safe)

    def _from_elsewhere(self, headers: Headers) -> bool:
        """Whether a browser says that another site's page makes it write here.

        Mail programs that unsubscribe by one click are no browsers and say nothing.
        """
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return True
        origin = headers.get("origin")
        return origin is not None and _origin(origin) not in (self.origin, headers.get("host", "").lower())


def _origin(url: str) -> str:
    return url.lower().partition("://")[2].partition("/")[0]
