"""Tells an outside watcher that all is well, so that our silence is noticed by somebody who is not us.

The address is that of a service which raises the alarm when it is *not* asked for a while. It is asked only while
the pulse has no problems: a clock that runs over a dead crawler goes silent too.
"""

from __future__ import annotations

import datetime as dt
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tracker import pulse
from tracker.settings import Settings

EVERY = dt.timedelta(minutes=5)
TIMEOUT_SECONDS = 10

log = structlog.get_logger(__name__)


class Heartbeat:
    """Keeps when it was last sent."""

    def __init__(self) -> None:
        self.last: dt.datetime | None = None

    def tell(self, engine: Engine, settings: Settings, now: dt.datetime | None = None) -> bool:
        """Ask the address if it is time and all is well; whether it was reached. Never raises."""
        now = now or dt.datetime.now(dt.UTC)
        url = settings.heartbeat_url.get_secret_value()
        if not url or (self.last is not None and now - self.last < EVERY):
            return False
        self.last = now
        try:
            problems = pulse.take(engine, now=now, hours=settings.silence_hours)["problems"]
        except DBAPIError:
            return False
        if problems:
            log.warning("no heartbeat is sent", problems=problems)
            return False
        return _ask(url, [host.lower() for host in settings.heartbeat_hosts])


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def refusal(url: str, hosts: Sequence[str]) -> str:
    """Why this address is not asked, or an empty string: another host, no TLS, a name and password in it."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "heartbeat_url is no web address"
    here = host in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        return "heartbeat_url is no https address"
    if parts.username is not None or not (here or any(host == h or host.endswith(f".{h}") for h in hosts)):
        return f"heartbeat_url's host {host[:100]!r} is not in heartbeat_hosts"
    return ""


def _ask(url: str, hosts: Sequence[str]) -> bool:
    why = refusal(url, hosts)
    if why:
        log.warning("no heartbeat is sent", why=why)
        return False
    try:
        with urllib.request.build_opener(_Stay).open(url, timeout=TIMEOUT_SECONDS) as reply:
            return 200 <= int(reply.status) < 300
    except (urllib.error.URLError, OSError, ValueError) as error:
        log.warning("the heartbeat was not heard", why=str(getattr(error, "reason", error))[:200])
        return False
