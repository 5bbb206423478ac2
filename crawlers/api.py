"""JSON interfaces: a list that names the bills, then one document or a few a bill, put together for the module."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic_core import from_json
from scrapy.http import Request, Response

from crawlers.conditional import UNCHANGED
from crawlers.spider import DetailSpider, asked

# Stands for a document that the site did not send again because it is as it was.
_ELSEWHERE: Any = object()


class ApiSpider(DetailSpider):
    """``lists`` are addresses of lists, ``documents`` those of a bill's documents by name, with ``{session}`` and
    the names that ``ids`` gives for an entry of a list.

    ``record`` gets one mapping a bill: each document by its name, parsed, and the list's entry as ``entry``
    (empty where a recording holds no list). Without ``documents`` the entries are the bills.
    """

    expected = "json"
    lists_at: ClassVar[tuple[str, ...]] = ()
    documents: ClassVar[Mapping[str, str]] = {}

    def listing(self) -> Iterable[str]:
        return [url.format(session=quote(self.site_session())) for url in self.lists_at]

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
        """What changes on the list when the bill does; "" when nothing tells."""
        return ""

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
        return self._next({"entry": entry}, urls, stamp, changed=False)

    def _url(self, name: str, ids: Mapping[str, Any]) -> str:
        values = {key: quote(str(value), safe="") for key, value in ids.items()}
        return self.documents[name].format(session=quote(self.site_session()), **values)

    def _next(
        self, row: dict[str, Any], urls: list[tuple[str, str]], stamp: str, *, changed: bool, whole: bool = False
    ) -> Request:
        """Ask for the next document of a bill. ``whole``: something changed, so all of it is needed."""
        name, url = next((name, url) for name, url in urls if name not in row)
        return Request(
            url,
            self.got_document,
            errback=self.failed,
            dont_filter=True,
            meta={"unconditional": whole},
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
            yield from self.records({"entry": entry} for entry in entries)
            return
        for entry in entries:
            try:
                ids, stamp = self.ids(entry), self.stamp(entry)
                url = self._url(next(iter(self.documents)), ids)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.account.reject(str(entry)[:60], "entry", f"{type(error).__name__}: {error}")
                continue
            if not self.unchanged(url, stamp):
                if self.enough():
                    return
                yield self._bill(entry, ids, stamp)

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
        if len(row) <= len(urls):
            yield self._next(row, urls, stamp, changed=changed)
        elif not changed:
            self.keep(urls[0][1])
            self.account.validators[urls[0][1]]["stamp"] = stamp
        elif lacking := [key for key, value in row.items() if value is _ELSEWHERE]:
            for key in lacking:
                del row[key]
            yield self._next(row, urls, stamp, changed=True, whole=True)
        else:
            yield from self.noted(urls[0][1], stamp, self.records([row]))

    def name_of(self, row: Any) -> str:
        return str(row.get("entry") or next((v for k, v in row.items() if k != "entry"), ""))[:60]
