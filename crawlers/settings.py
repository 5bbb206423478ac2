"""Scrapy's settings: politeness and limits, each with its reason."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from scrapy.settings.default_settings import DOWNLOADER_MIDDLEWARES_BASE, EXTENSIONS_BASE

from tracker.jurisdictions import Politeness

# What a recording may hold of one reply; a source's own limit is in its data.
MAX_REPLY = 128 * 1024 * 1024
JITTER = 0.2
RETRIED = (429, 500, 502, 503, 504, 522, 524, 408)


def user_agent() -> str:
    """Who we are and how to reach us: a legislature may want to talk before it blocks."""
    contact = os.environ.get("BILLTRACKER_CONTACT") or "no contact set"
    return f"billtracker/{version('billtracker')} (legislative tracking; {contact})"


def _without(parts: dict[str, int], *classes: str) -> dict[str, int]:
    """Scrapy's own parts but for these, which it would import even where a setting turns them off: their libraries
    took a third of a short crawl's processor time."""
    return {name: place for name, place in parts.items() if name.rpartition(".")[2] not in classes}


def scrapy_settings(politeness: Politeness, *, replaying: bool, empty: Sequence[int] = ()) -> dict[str, Any]:
    """The settings of one crawl of one site. ``empty``: statuses that this site means as "nothing there"."""
    return {
        "USER_AGENT": user_agent(),
        # A denial is a fact about the source: it is recorded and shown, never worked around.
        "ROBOTSTXT_OBEY": not replaying,
        # A little more than the site asks, so that with the jitter it is never less.
        "DOWNLOAD_DELAY": 0 if replaying else politeness.delay / (1 - JITTER),
        "DOWNLOAD_DELAY_JITTER": JITTER,
        "CONCURRENT_REQUESTS_PER_DOMAIN": politeness.concurrency,
        # No more under way than that, so that a crawl that is told to stop has nothing left to send.
        "CONCURRENT_REQUESTS": politeness.concurrency,
        # Slower than the delay when the site is slow, never faster.
        "AUTOTHROTTLE_ENABLED": not replaying,
        "AUTOTHROTTLE_START_DELAY": politeness.delay,
        "AUTOTHROTTLE_MAX_DELAY": max(120, politeness.delay * 2),
        # Public files need no session; and the cookie jar would ask a third host for a list of suffixes.
        "COOKIES_ENABLED": False,
        # Doors through which another program on this machine could run code in a crawl.
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "EXTENSIONS_BASE": _without(EXTENSIONS_BASE, "TelnetConsole", "RemoteControl"),
        "DOWNLOADER_MIDDLEWARES_BASE": _without(DOWNLOADER_MIDDLEWARES_BASE, "CookiesMiddleware"),
        # Scrapy itself would take any certificate. Missing intermediates are in crawlers/certificates/.
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        # What a list names must be fetched from its site, never read from this machine.
        # Keys go into addresses as the very last thing, so that nothing else ever sees them.
        "DOWNLOAD_HANDLERS": {
            "file": None,
            "data": None,
            "s3": None,
            "https": "crawlers.keys.KeyedHandler",
            "ftp": "crawlers.ftp.FtpHandler",
        },
        "DOWNLOAD_TIMEOUT": politeness.timeout,
        # A reply beyond this is not a bill; Scrapy counts what it unpacks, so a bomb stops here too.
        "DOWNLOAD_MAXSIZE": politeness.max_mb << 20,
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": 3,
        "RETRY_HTTP_CODES": [code for code in RETRIED if code not in empty],
        "HTTPERROR_ALLOW_ALL": True,
        "REDIRECT_MAX_TIMES": 5,
        # What is not seen by then is seen tomorrow.
        "CLOSESPIDER_TIMEOUT": round(politeness.max_hours * 3600),
        "LOG_LEVEL": "WARNING",
        "STATS_DUMP": False,
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.recording.ReplayMiddleware": 50,
            "crawlers.politeness.HostsMiddleware": 60,
            "crawlers.politeness.QuietHoursMiddleware": 70,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "crawlers.robots.RobotsMiddleware": 100,
            "crawlers.politeness.StrikesMiddleware": 540,
            "crawlers.politeness.QueriesMiddleware": 950,
            "crawlers.conditional.ConditionalMiddleware": 560,
            "crawlers.politeness.RetryAfterMiddleware": 555,
            "crawlers.recording.RecordMiddleware": 580,
        },
        "ITEM_PIPELINES": {"crawlers.account.RecordPipeline": 100},
    }
