"""Runs spiders in Scrapy's engine, with every limit and courtesy that their source's data say."""

from __future__ import annotations

import logging
import resource
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.reactor import is_reactor_installed

from crawlers import tls
from crawlers.account import Account
from crawlers.base import BillSpider
from crawlers.scrubbing import ScrubFilter
from crawlers.settings import scrapy_settings
from tracker.jurisdictions import Source

# A crawl that needs more than this has met something that is no bill.
MAX_MEMORY = 4 << 30


def run(spider: type[BillSpider], source: Source, *, certificates: Path = tls.FOLDER, **keywords: Any) -> Account:
    """Crawl once, in this process (a process does this once only). ``keywords`` are the spider's."""
    replaying = keywords.get("recording") is not None or keywords.get("archive") is not None
    if not replaying:
        tls.trust(source.hosts, certificates)
    crawler = prepared(spider, source, replaying=replaying)
    process = engine()
    process.crawl(crawler, source=source, **keywords)
    process.start()
    return account_of(crawler, int(keywords.get("limit") or 0))


def engine() -> CrawlerProcess:
    """What crawls run in. It has no settings of its own: they would overrule those of each source."""
    process = CrawlerProcess({"LOG_LEVEL": "WARNING"})
    for handler in logging.getLogger().handlers:
        handler.addFilter(ScrubFilter())
    return process


def prepared(spider: type[scrapy.Spider], source: Source, *, replaying: bool = False) -> Crawler:
    """A crawler with the source's own settings; several may run in one process, each as polite as its source asks."""
    settings = Settings(scrapy_settings(source.politeness, replaying=replaying, empty=source.empty))
    return Crawler(spider, settings, init_reactor=not is_reactor_installed())


def account_of(crawler: Crawler, limit: int = 0) -> Account:
    """The account of a crawl that has ended, with what only the engine knows."""
    if crawler.spider is None:
        raise RuntimeError("the crawl could not be started")
    made: Account = crawler.spider.account  # type: ignore[attr-defined]
    stats = crawler.stats.get_stats() if crawler.stats else {}
    errors = sum(int(count) for name, count in stats.items() if name.startswith("spider_exceptions/"))
    if "finish_reason" not in stats:
        made.fail("the crawl did not run to its end; the log says why")
    if errors:
        made.fail(f"{errors} unexpected errors; the log has them")
    if stats.get("finish_reason") == "closespider_timeout":
        made.stop("the crawl had its hours; the rest is for the next one")
    if limit:
        made.complete = False
    if made.outcome == "ok" and made.bills == 0 and made.rejected_count:
        made.fail(f"none of {made.rejected_count:,} records can be read: {made.rejected[0]['problem']}")
    if made.outcome == "ok" and made.bills == 0 and made.stopped:
        made.fail(made.stopped)
    return made


def limit_memory(size: int = MAX_MEMORY) -> None:
    """Let this process die rather than take the machine with it."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or size <= hard:
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))
