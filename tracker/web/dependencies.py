"""What every page and endpoint may ask for: the database, the settings, the key that signs links.

They come from the app that serves the request (``app.state``), so one app has one engine.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy import Engine

from tracker.settings import Settings


def database(request: Request) -> Engine:
    """The app's one engine; read through ``tracker.db.reading``, write through ``tracker.db.writing``."""
    engine: Engine = request.app.state.engine
    return engine


def settings(request: Request) -> Settings:
    """The settings the app was made with."""
    found: Settings = request.app.state.settings
    return found


def signing_key(request: Request) -> str:
    """The key that our links are signed with."""
    return settings(request).signing_key()


def public_base(request: Request) -> str:
    """The address that links of a reply begin with, with a slash at its end: never what a request says of itself.

    An installation that is reached on its own machine only may listen on any port of it, so there the port is the
    request's.
    """
    base = settings(request).public_url.rstrip("/") + "/"
    if _local(urlsplit(base).hostname) and _local(request.url.hostname):
        return str(request.base_url.replace(path="/"))
    return base


def _local(host: str | None) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")


def clock() -> dt.datetime:
    """Now, in UTC; tests override it."""
    return dt.datetime.now(dt.UTC)


Database = Annotated[Engine, Depends(database)]
AppSettings = Annotated[Settings, Depends(settings)]
SigningKey = Annotated[str, Depends(signing_key)]
PublicBase = Annotated[str, Depends(public_base)]
Now = Annotated[dt.datetime, Depends(clock)]
