"""Scrapy's settings: politeness and limits, each with its reason."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

from tracker.jurisdictions import Politeness

MAX_REPLY = 128 * 1024 * 1024


def user_agent() -> str:
    """Who we are and how to reach us: a legislature may want to talk before it blocks."""
    contact = os.environ.get("BILLTRACKER_CONTACT") or "no contact set"
    return f"billtracker/{version('billtracker')} (legislative tracking; {contact})"


def scrapy_settings(politeness: Politeness, *, replaying: bool) -> dict[str, Any]:
    """The settings of one crawl of one site."""
    return {
        "USER_AGENT": user_agent(),
        # A denial is a fact about the source: it is recorded and shown, never worked around.
        "ROBOTSTXT_OBEY": not replaying,
        "DOWNLOAD_DELAY": 0 if replaying else politeness.delay,
        "DOWNLOAD_DELAY_JITTER": 0.5,
        "CONCURRENT_REQUESTS_PER_DOMAIN": politeness.concurrency,
        "CONCURRENT_REQUESTS": 8,
        # Slower than the delay when the site is slow, never faster.
        "AUTOTHROTTLE_ENABLED": not replaying,
        "AUTOTHROTTLE_MAX_DELAY": 120,
        # Public files need no session; and the cookie jar would ask a third host for a list of suffixes.
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "DOWNLOAD_TIMEOUT": 180,
        # A reply beyond this is not a bill; Scrapy counts what it unpacks, so a bomb stops here too.
        "DOWNLOAD_MAXSIZE": MAX_REPLY,
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": 3,
        "RETRY_HTTP_CODES": [429, 500, 502, 503, 504, 522, 524, 408],
        "HTTPERROR_ALLOW_ALL": True,
        "REDIRECT_MAX_TIMES": 5,
        # Eight hours is a night; what is not seen by then is seen tomorrow.
        "CLOSESPIDER_TIMEOUT": 8 * 3600,
        "LOG_LEVEL": "WARNING",
        "STATS_DUMP": False,
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.recording.ReplayMiddleware": 50,
            "crawlers.politeness.HostsMiddleware": 60,
            "crawlers.conditional.ConditionalMiddleware": 560,
            "crawlers.politeness.RetryAfterMiddleware": 555,
            "crawlers.recording.RecordMiddleware": 580,
        },
        "ITEM_PIPELINES": {"crawlers.account.RecordPipeline": 100},
    }
