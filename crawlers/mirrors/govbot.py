"""govbot (Chi Hack Night, Windy Civi): a mirror of Open States' scrapers, a repository a jurisdiction.

Source: the repository's archive (tar.gz), one ``metadata.json`` a bill in the scraper's form, read as a
stream: a member is in memory alone and nothing is unpacked to disk. Terms: public data, no key.
Sessions: Open States' identifiers; an archive may hold several, all are read.
Oddities: a bookkeeping commit a day moves the repository though nothing changed, so freshness goes by the
newest action; some archives also hold the text of documents (``…_extracted.txt``).
History: 2026-11 written on the archives of Colorado and Wyoming.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

from pydantic_core import from_json
from scrapy.http import Request, Response

from crawlers import tls
from crawlers.conditional import UNCHANGED
from crawlers.spider import BillSpider
from tracker import openstates

MAX_MEMBER = 16 * 1024 * 1024
BILL = re.compile(r"/sessions/([^/]+)/bills/([^/]+)/metadata\.json$")
TEXT = re.compile(r"/sessions/([^/]+)/bills/([^/]+)/files/([^/]+)_extracted\.txt$")


class Spider(BillSpider):
    """One record a ``metadata.json``."""

    def __init__(self, *, archive: Path | None = None, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.archive = archive
        self.account.replayed = archive is not None or self.account.replayed

    async def start(self) -> AsyncIterator[Any]:
        if self.archive is not None:
            with self.archive.open("rb") as file:
                for made in self.bills(file):
                    yield made
            return
        yield Request(self.source.url.format(code=self.place.code), self.got, errback=self.lost)

    def got(self, response: Response) -> Iterator[Any]:
        if UNCHANGED in response.flags:
            self.account.outcome = "unchanged"
            return
        problem = self.usable(response)
        if problem:
            self.account.fail(problem)
            return
        yield from self.bills(BytesIO(response.body))

    def lost(self, failure: Any) -> None:
        self.account.fail(tls.no_reply(failure))

    def bills(self, file: IO[bytes]) -> Iterator[dict[str, Any]]:
        """Records of all bills in the archive; damage ends the crawl as failed, with what was seen counted."""
        self.account.complete = not self.session
        try:
            for name, body in members(file, BILL):
                session = name[1]
                if not self.session or session == self.session:
                    yield from self.records([(session, name[2], body)])
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            self.account.fail(f"the archive is damaged: {error}")

    def record(self, row: Any) -> dict[str, Any] | None:
        session, _name, body = row
        data = from_json(body)
        if not isinstance(data, dict):
            raise ValueError("metadata.json is no object")
        return {
            **openstates.to_record({**data, "jurisdiction": self.place.code}),
            "legislative_session": data.get("legislative_session") or session,
        }

    def name_of(self, row: Any) -> str:
        return str(row[1])


def members(file: IO[bytes], pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], bytes]]:
    """Files of a tar.gz whose names match, in its order. Names are only read, never used as paths."""
    with tarfile.open(fileobj=file, mode="r|gz") as archive:
        for member in archive:
            found = pattern.search(member.name)
            if found is None or not member.isfile() or member.size > MAX_MEMBER:
                continue
            yield found, cast(IO[bytes], archive.extractfile(member)).read()
