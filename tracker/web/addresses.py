"""Addresses as clients write them: ``/api/v3`` before any address of the API, a slash behind it, and a bill's
record and page under one link.

A mail's link to a bill is its address in the API: programs get the record, browsers are led to the page.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tracker.web.errors import API

PREFIX = "/api/v3"


class Addresses:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        # Pages of other sites may read the API, as they may Open States': a key is asked for, cookies there are none.
        self.api = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET"],
            allow_headers=["X-API-KEY", "If-None-Match"],
            expose_headers=["ETag", "Retry-After"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        if "\x00" in path or b"%00" in scope["query_string"]:
            # No text in the database has one, and PostgreSQL cannot be asked for one.
            path = path.replace("\x00", "")
            scope = {**scope, "path": path, "query_string": scope["query_string"].replace(b"%00", b"")}
        inner = path.removeprefix(PREFIX)
        first = inner.split("/")[1] if inner.startswith("/") else ""
        known = first in API or inner in ("/openapi.json", "/docs")
        if path.startswith(PREFIX) and known:
            scope = {**scope, "root_path": scope.get("root_path", "") + PREFIX}
        if first in API and path.endswith("/"):
            scope = {**scope, "path": path.rstrip("/")}
        page = _page(scope, inner.rstrip("/"))
        if page:
            await RedirectResponse(page, 302, {"Vary": "Accept"})(scope, receive, send)
            return
        await (self.api if first in API else self.app)(scope, receive, send)


def _page(scope: Scope, path: str) -> str:
    """The page of the bill whose address a browser opens; "" for everyone else."""
    parts = path.split("/")[1:]
    if len(parts) != 4 or parts[0] != "bills" or scope["method"] not in ("GET", "HEAD"):
        return ""
    headers = Headers(scope=scope)
    if "x-api-key" in headers or b"apikey=" in scope["query_string"]:
        return ""
    if "text/html" not in headers.get("accept", ""):
        return ""
    return "/bill/" + "/".join(quote(part, safe="") for part in parts[1:])
