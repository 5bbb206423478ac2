"""Fetches version documents that the tracker wants, politely, or finds them in a recording.

In: one JSON object a line (ref, jurisdiction, session, identifier, note, url, media_type). Out: gzip, one a
line: ref, url, media_type and the body in base64, or the problem. Reading the documents is the tracker's.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Request, Response

from crawlers import blocked, live, modules, tls
from crawlers.account import Account
from crawlers.base import UNREADABLE
from crawlers.mirrors import govbot
from crawlers.recording import Recording
from tracker import jurisdictions
from tracker.records import normalise_identifier

_FOLD = re.compile(r"[^a-z0-9]+")


def fetch(asked: Path, out: Path, replay: Path | None) -> None:
    """Answer a file of wanted documents."""
    wanted = [json.loads(line) for line in asked.read_text("utf-8").splitlines() if line.strip()]
    with gzip.open(out, "wb", compresslevel=3) as packed, progress_of(out).open("wb", buffering=0) as marks:
        file = _Answers(packed, marks)
        if replay is None:
            _from_sites(wanted, file)
        elif replay.name.endswith(".tar.gz"):
            _from_archive(wanted, replay, file)
        else:
            _from_recording(wanted, Recording(replay), file)


def progress_of(out: Path) -> Path:
    """A line for each answer, so that whoever waits sees how far we are: the answers themselves are packed."""
    return out.with_suffix(".progress.tmp")


class _Answers:
    """The file of answers, with a mark for each beside it."""

    def __init__(self, packed: gzip.GzipFile, marks: IO[bytes]) -> None:
        self.packed, self.marks = packed, marks

    def write(self, line: bytes) -> None:
        """One answer."""
        self.packed.write(line)
        self.marks.write(b"\n")


def _answer(file: _Answers, item: dict[str, Any], **found: Any) -> None:
    made = {"ref": item["ref"], "url": item["url"], "media_type": item["media_type"], **found}
    file.write(json.dumps(made).encode() + b"\n")


def _body(body: bytes) -> dict[str, str]:
    return {"body": base64.b64encode(body).decode("ascii")}


def _from_recording(wanted: list[dict[str, Any]], recording: Recording, file: _Answers) -> None:
    inside: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for item in wanted:
        reply = recording.replies.get(item["url"])
        if reply is not None and reply[0] == 200:
            _answer(file, item, **_body(reply[2]))
        else:
            inside[item["jurisdiction"], item["url"]].append(item)
    for code in sorted({code for code, _ in inside}):
        spider = modules.spider(code)
        urls = {url for other, url in inside if other == code}
        with suppress(*UNREADABLE):
            # Texts that a dump or an interface carries in its own replies; what cannot be read is not there.
            for url, kind, body in spider.texts_in(recording, urls) if spider else ():
                for item in inside.get((code, url), ()):
                    _answer(file, item, media_type=kind, **_body(body))


def _from_archive(wanted: list[dict[str, Any]], archive: Path, file: _Answers) -> None:
    """The mirror's extracted texts, matched by session, bill and the version's label."""
    by_bill: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for item in wanted:
        by_bill[item["session"], item["identifier"]].append(item)
    with archive.open("rb") as packed:
        for name, body in govbot.members(packed, govbot.TEXT):
            label = _FOLD.sub("", name[3].lower())
            for item in by_bill.get((name[1], normalise_identifier(name[2])), ()):
                stem = _FOLD.sub("", f"{Path(urlsplit(item['url']).path).stem}{item['note']}".lower())
                if label == stem:
                    _answer(file, item, media_type="text/plain", **_body(body))


def _from_sites(wanted: list[dict[str, Any]], file: _Answers) -> None:
    places = jurisdictions.load()
    by_code: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in wanted:
        by_code[item["jurisdiction"]].append(item)
    process: CrawlerProcess | None = None
    tls.trust(host for code in by_code for host in _hosts(code))
    for code, items in by_code.items():
        crawler = live.prepared(DocumentSpider, places.sources_for(code)[0])
        crawler.settings.set("ITEM_PIPELINES", {})
        process = process or live.engine()
        process.crawl(crawler, code=code, wanted=items, file=file)
    if process is not None:
        process.start()


def _hosts(code: str) -> set[str]:
    return {*jurisdictions.load()[code].hosts, *jurisdictions.load().sources_for(code)[0].hosts}


class DocumentSpider(scrapy.Spider):
    """One request a document, on the hosts that the jurisdiction's data allow."""

    name = "documents"

    def __init__(self, *, code: str, wanted: list[dict[str, Any]], file: _Answers) -> None:
        super().__init__()
        self.place = jurisdictions.load()[code]
        self.source = jurisdictions.load().sources_for(code)[0]
        self.hosts = tuple(_hosts(code))
        self.wanted, self.file = wanted, file
        self.account = Account(code, self.source.name, "", replayed=False)
        self.recording = self.record_to = None
        self.known: dict[str, dict[str, str]] = {}
        self.full = True

    async def start(self) -> AsyncIterator[Any]:
        for item in self.wanted:
            yield Request(item["url"], self.got, errback=self.lost, cb_kwargs={"item": item}, dont_filter=True)

    def got(self, response: Response, item: dict[str, Any]) -> None:
        problem = f"status {response.status}" if response.status != 200 else blocked.why(response.body)
        if problem:
            _answer(self.file, item, problem=problem)
            return
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1").split(";")[0].strip()
        _answer(self.file, item, media_type=kind or item["media_type"], **_body(response.body))

    def lost(self, failure: Any) -> None:
        item = failure.request.cb_kwargs["item"]
        _answer(self.file, item, problem=tls.no_reply(failure))
