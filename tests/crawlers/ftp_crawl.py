"""Run as a program by test_official_states.py: a real FTP server and a real crawl of Texas on it, in one process.

python -m tests.crawlers.ftp_crawl FOLDER OUT.jsonl [--limit BYTES]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from scrapy.crawler import CrawlerProcess

from crawlers.jurisdictions import tx
from crawlers.settings import scrapy_settings
from tracker import jurisdictions


class Local(tx.Spider):
    """Texas, with the state's server replaced by ours."""

    port = 0

    def listing(self) -> Iterable[str]:
        own = "ftp://ftp.legis.state.tx.us"
        return [url.replace(own, f"ftp://127.0.0.1:{self.port}") for url in super().listing()]


def main(folder: Path, out: Path, most: int) -> None:
    place = jurisdictions.load().get("tx")
    source = place.sources[0].model_copy(update={"hosts": ("127.0.0.1",)})
    settings = scrapy_settings(source.politeness, replaying=False)
    settings |= {"DOWNLOAD_DELAY": 0, "AUTOTHROTTLE_ENABLED": False, "RETRY_TIMES": 0, "DOWNLOAD_MAXSIZE": most}
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(Local)
    process.crawl(crawler, place=place, source=source, session="89R", out=out)

    from twisted.cred.checkers import AllowAnonymousAccess
    from twisted.cred.portal import Portal
    from twisted.internet import reactor
    from twisted.protocols.ftp import FTPFactory, FTPRealm

    factory = FTPFactory(Portal(FTPRealm(str(folder)), [AllowAnonymousAccess()]))
    logins = []
    build = factory.buildProtocol
    factory.buildProtocol = lambda address: logins.append(address) or build(address)
    listening = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
    Local.port = listening.getHost().port
    process.start()
    account = crawler.spider.account  # type: ignore[union-attr]
    print(json.dumps({**account.to_json(), "logins": len(logins)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
