"""JSON interfaces: a list that names the bills, then one document or a few a bill, put together for the module."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic_core import from_json, to_json
from scrapy.http import Request, Response

from crawlers.conditional import UNCHANGED
from crawlers.spider import DetailSpider, asked

# Stands for a document that the site did not send again because it is as it was.
_ELSEWHERE: Any = object()
# Of the requests of a first crawl, what one of an unchanged site may cost: with what the lists leave of that, bills
# are probed that a list shows unchanged without telling all.
SHARE = 0.0195
# Between a stamp and the day of the last action, by which bills are chosen for that.
_MOVED = " moved "

# An entry of a list, what the addresses need of it, and its stamp.
_Bill = tuple[Mapping[str, Any], Mapping[str, Any], str]


class ApiSpider(DetailSpider):
    """``lists`` are addresses of lists, ``documents`` those of a bill's documents by name, with ``{session}`` and
    the names that ``ids`` gives for an entry of a list.

    ``record`` gets one mapping a bill: each document by its name, parsed, and the list's entry as ``entry``
    (empty where a recording holds no list). Without ``documents`` the entries are the bills.

    A bill's stamp is its entry's hash. ``list_tells``: an entry shows the last action, so that hash is proof.
    Where it does not, a few bills are probed at each crawl, half of them those that moved last and half by turns;
    one that has changed has all the others asked for, too.

    What ``around`` makes of the shared replies (a calendar) for an entry is in ``row["around"]``.
    """

    expected = "json"
    lists_at: ClassVar[tuple[str, ...]] = ()
    documents: ClassVar[Mapping[str, str]] = {}
    list_tells: ClassVar[bool] = False

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        # Bills taken as they were without asking, by address; and whether any other has been found changed.
        self.believed: dict[str, _Bill] = {}
        self.moves = False

    def listing(self) -> Iterable[str]:
        return [url.format(session=quote(self.site_session())) for url in self.lists_at]

    def around(self, entry: Mapping[str, Any]) -> Any:
        """What the shared replies say of an entry's bill: its hearings."""
        return []

    def entries(self, page: Any) -> Iterable[Mapping[str, Any]]:
        """The entries of a parsed list."""
        if isinstance(page, Mapping):
            page = next(page[name] for name in ("results", "value", "items", "data") if name in page)
        return [*page]

    def next_page(self, page: Any, response: Response) -> str:
        """The address of the list's next page; "" after the last."""
        found = page.get("odata.nextLink") or page.get("next") if isinstance(page, Mapping) else ""
        return response.urljoin(found) if found and isinstance(found, str) else ""

    def ids(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the documents' addresses need of an entry; its own fields, where the names are theirs."""
        return entry

    def stamp(self, entry: Mapping[str, Any]) -> str:
        """What changes on the list when the bill does; "" to ask the site about every bill."""
        return hashlib.blake2b(to_json([entry, self.around(entry)]), digest_size=12).hexdigest()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Addresses of first documents, to find them in a recording without a list."""
        template = next(iter(self.documents.values()), "")
        parts = re.split(r"\{(\w+)\}", template)
        names = {"session": re.escape(quote(self.site_session()))}
        made = "".join(
            names.get(part, f"(?P<{part}>[^/?&#]+)") if at % 2 else re.escape(part) for at, part in enumerate(parts)
        )
        return re.compile(f"{made}$" if made else "(?!)")

    def is_detail(self, url: str) -> bool:
        return bool(self._pattern.match(url))

    def detail(self, url: str, stamp: str) -> Request:
        found = self._pattern.match(url)
        return self._bill({}, found.groupdict() if found else {}, stamp)

    def _bill(self, entry: Mapping[str, Any], ids: Mapping[str, Any], stamp: str) -> Request:
        urls = [(name, self._url(name, ids)) for name in self.documents]
        kept = (self.known.get(urls[0][1]) or {}).get("stamp") or ""
        row = {"entry": entry, "around": self.around(entry)}
        return self._next(row, urls, stamp, changed=bool(stamp) and not self.same_stamp(kept, stamp))

    def _url(self, name: str, ids: Mapping[str, Any]) -> str:
        values = {key: quote(str(value), safe="") for key, value in ids.items()}
        return self.documents[name].format(session=quote(self.site_session()), **values)

    def _next(self, row: dict[str, Any], urls: list[tuple[str, str]], stamp: str, *, changed: bool) -> Request:
        """Ask for the next document of a bill; when something changed already, for all of it."""
        name, url = next((name, url) for name, url in urls if name not in row)
        return Request(
            url,
            self.got_document,
            errback=self.failed,
            dont_filter=True,
            meta={"unconditional": changed},
            cb_kwargs={"row": row, "name": name, "urls": urls, "stamp": stamp, "changed": changed},
        )

    def got_list(self, response: Response) -> Iterator[Any]:
        if self.empty(response):
            return
        problem = self.usable(response)
        try:
            page = None if problem else from_json(response.body)
            entries = [] if problem else list(self.entries(page))
            following = "" if problem else self.next_page(page, response)
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            problem = f"the list cannot be read: {type(error).__name__}: {error}"
        if problem:
            self.account.fail(f"{response.url}: {problem}")
            return
        if following and following not in self.listed_urls and not 0 < self.limit <= self.asked_for:
            yield self.list_request(following)
        if not self.documents:
            yield from self.records({"entry": entry, "around": self.around(entry)} for entry in entries)
            return
        for entry in entries:
            try:
                ids, stamp = self.ids(entry), self.stamp(entry)
                url = self._url(next(iter(self.documents)), ids)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.account.reject(str(entry)[:60], "entry", f"{type(error).__name__}: {error}")
                continue
            if self.unchanged(url, stamp):
                if not self.list_tells and url not in self.journal.done:
                    self.believed[url] = entry, ids, stamp
                continue
            if self.enough():
                return
            yield self._bill(entry, ids, stamp)
        if not following and not self.limit and not self.recording:
            yield from self.doubts(self.believed if self.moves else self.probes())

    def probes(self) -> Iterable[str]:
        """A few of the bills that the list shows as they were: those that moved last, and others by turns."""
        urls, day = list(self.believed), self.account.started_at.date().toordinal()
        # robots.txt is a request, too.
        lists = len(self.listed_urls) + len(self.heard) + bool(self.sessions_url) + 1
        size = max(1, int(SHARE * len(urls) * len(self.documents) - lists) // len(self.documents))
        by_turns = (size + 1 - day % 2) // 2
        turn = -(-day * size // 2) % max(1, len(urls))
        latest = sorted(urls, key=self.moved, reverse=True)[: size - by_turns]
        return dict.fromkeys([*(urls + urls)[turn : turn + by_turns], *latest])

    def doubts(self, urls: Iterable[str]) -> Iterator[Request]:
        """Ask for bills that were taken as they were."""
        for url in list(urls):
            entry, ids, stamp = self.believed.pop(url)
            self.account.not_modified -= 1
            self.account.present.discard(self.account.validators.pop(url, {}).get("bill", ""))
            yield self._bill(entry, ids, stamp)

    def moved(self, url: str) -> str:
        """The day of a bill's last action, as far as an earlier crawl noted it."""
        return (self.known.get(url) or {}).get("stamp", "").partition(_MOVED)[2]

    def got_document(
        self,
        response: Response,
        row: dict[str, Any],
        name: str,
        urls: list[tuple[str, str]],
        stamp: str,
        changed: bool,
    ) -> Iterator[Any]:
        """Take one document of a bill; the last one makes the record."""
        same = UNCHANGED in response.flags
        problem = "" if same else self.usable(response)
        if problem and self.empty(response):
            row[name], problem = [], ""
        if same and not response.body and response.meta.get("unconditional"):
            problem = "the site answered that nothing changed, though it was not asked that"
        try:
            if name not in row and not problem:
                row[name] = from_json(response.body) if response.body or not same else _ELSEWHERE
        except ValueError as error:
            problem = f"the JSON is broken: {error}"
        if problem:
            self.account.reject(response.url.rsplit("/", 1)[-1], name, problem)
            for url in (urls[0][1], asked(response)):
                self.account.validators.pop(url, None)
            return
        changed = changed or not same
        if any(name not in row for name, _ in urls):
            yield self._next(row, urls, stamp, changed=changed)
        elif not changed:
            self.keep(urls[0][1], stamp)
        elif lacking := [key for key, value in row.items() if value is _ELSEWHERE]:
            for key in lacking:
                del row[key]
            yield self._next(row, urls, stamp, changed=True)
        else:
            yield from self.noted(urls[0][1], stamp, self.records([row]))
            self.moves = True
            if not self.limit and not self.recording:
                yield from self.doubts(self.believed)

    def stamp_of(self, stamp: str, bill: Mapping[str, Any]) -> str:
        moved = max((action["date"] for action in bill.get("actions") or ()), default="")
        return f"{stamp}{_MOVED}{moved}" if stamp and not self.list_tells else stamp

    def same_stamp(self, kept: str, stamp: str) -> bool:
        return kept.partition(_MOVED)[0] == stamp

    def name_of(self, row: Any) -> str:
        return str(row.get("entry") or next((v for k, v in row.items() if k not in ("entry", "around")), ""))[:60]
