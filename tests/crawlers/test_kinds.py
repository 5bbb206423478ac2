"""The kinds of source: what changed is asked for, what did not is known to be there, what is broken is said."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import Response

from crawlers import archives
from crawlers.api import ApiSpider
from crawlers.spider import DetailSpider
from tests.crawlers.replies import crawl

BASE = "https://legislature.test/api"


class Api(ApiSpider):
    """A made-up interface: a paged list with a hash, two documents a bill."""

    lists_at = (f"{BASE}/{{session}}/bills",)
    documents = {"bill": f"{BASE}/bill/{{id}}", "actions": f"{BASE}/bill/{{id}}/actions"}  # noqa: RUF012
    sessions_url = f"{BASE}/sessions"

    def site_sessions(self, response: Response) -> Iterable[str]:
        return [str(session) for session in response.json()]  # type: ignore[attr-defined]

    def ids(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": entry["id"]}

    def stamp(self, entry: Mapping[str, Any]) -> str:
        return str(entry.get("hash", ""))

    def record(self, row: Any) -> dict[str, Any]:
        return {
            "identifier": row["bill"]["number"],
            "title": row["bill"]["title"],
            "chamber": "lower",
            "actions": [{"date": a["on"], "description": a["what"]} for a in row["actions"]],
            "sources": [{"url": f"https://legislature.test/{row['bill']['number']}"}],
        }


class Ask(Api):
    """The same without a hash: the site is asked about every bill."""

    def stamp(self, entry: Mapping[str, Any]) -> str:
        return ""


def site(**changes: Any) -> dict[str, Any]:
    replies: dict[str, Any] = {
        f"{BASE}/20261/bills": {"items": [{"id": 1, "hash": "a"}], "next": f"{BASE}/20261/bills?page=2"},
        f"{BASE}/20261/bills?page=2": {"items": [{"id": 2, "hash": "b"}]},
        f"{BASE}/sessions": ["20261", "20279"],
    }
    for number in (1, 2):
        replies[f"{BASE}/bill/{number}"] = {"number": f"HB{number:04d}", "title": f"Made-up bill {number}"}
        replies[f"{BASE}/bill/{number}/actions"] = [{"on": "2026-01-15", "what": "Introduced"}]
    return replies | {f"{BASE}/{path}": body for path, body in changes.items()}


def test_documents_of_a_bill_come_together(tmp_path: Path) -> None:
    account, bills = crawl(Api, "va", site(), tmp_path / "o.jsonl")
    assert (account.outcome, account.complete, account.rejected) == ("ok", True, [])
    assert [bill["identifier"] for bill in bills] == ["HB 1", "HB 2"]
    assert account.requests == 7


def test_an_unknown_session_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    account, bills = crawl(Api, "va", site(), tmp_path / "o.jsonl")
    assert [(kind, name) for kind, name, _ in account.issues] == [("unknown_session", "20279")]
    assert len(bills) == 2
    account, bills = crawl(Api, "va", site(sessions=b"<html>moved</html>"), tmp_path / "o.jsonl")
    assert [kind for kind, _, _ in account.issues] == ["session_list"] and len(bills) == 2


@pytest.mark.parametrize(("kind", "requests"), [(Api, 3), (Ask, 7)])
def test_what_did_not_change_is_known_to_be_there(tmp_path: Path, kind: type[Api], requests: int) -> None:
    first, _ = crawl(kind, "va", site(), tmp_path / "a.jsonl")
    again, bills = crawl(kind, "va", site(), tmp_path / "b.jsonl", known=first.validators)
    assert (again.outcome, again.complete, bills) == ("ok", True, [])
    assert again.present == {"2026/HB 1", "2026/HB 2"}
    assert again.requests == requests
    third, bills = crawl(kind, "va", site(), tmp_path / "c.jsonl", known=again.validators)
    assert (third.present, bills) == (again.present, [])
    everything, bills = crawl(kind, "va", site(), tmp_path / "d.jsonl", known=again.validators, full=True)
    assert (len(bills), everything.present) == (2, set())


def test_one_changed_document_gives_the_whole_bill(tmp_path: Path) -> None:
    first, _ = crawl(Ask, "va", site(), tmp_path / "a.jsonl")
    news = site(
        **{"bill/2/actions": [{"on": "2026-01-15", "what": "Introduced"}, {"on": "2026-01-16", "what": "Read"}]}
    )
    again, bills = crawl(Ask, "va", news, tmp_path / "b.jsonl", known=first.validators)
    assert [(bill["identifier"], len(bill["actions"])) for bill in bills] == [("HB 2", 2)]
    assert (again.complete, again.present) == (True, {"2026/HB 1"})


def test_a_recording_without_lists_gives_its_bills(tmp_path: Path) -> None:
    replies = {url: body for url, body in site().items() if "/bill/" in url}
    account, bills = crawl(Api, "va", replies, tmp_path / "o.jsonl")
    assert len(bills) == 2 and not account.complete


@pytest.mark.parametrize("broken", [b'{"number": "HB', b"<html><body>Request Rejected</body></html>", b""])
def test_a_broken_document_costs_one_bill(tmp_path: Path, broken: bytes) -> None:
    account, bills = crawl(Api, "va", site(**{"bill/1": broken}), tmp_path / "o.jsonl")
    assert [bill["identifier"] for bill in bills] == ["HB 2"]
    assert account.rejected_count == 1
    assert f"{BASE}/bill/1" not in account.validators


@pytest.mark.parametrize("broken", [b'{"items": [', b"<html>no list</html>", b'{"other": 1}', b""])
def test_a_broken_list_fails_the_crawl(tmp_path: Path, broken: bytes) -> None:
    account, bills = crawl(Api, "va", site(**{"20261/bills": broken}), tmp_path / "o.jsonl")
    assert account.outcome == "failed" and bills == []


class Feed(Api):
    """A site that also tells what changed since a moment."""

    def changes(self, cursor: str) -> Iterable[str]:
        return [f"{BASE}/updates?since={cursor}"]

    def got_list(self, response: Response) -> Any:
        self.advance(response.json().get("as_of", "0"))  # type: ignore[attr-defined]
        yield from super().got_list(response)


def test_a_feed_goes_on_where_the_last_crawl_was(tmp_path: Path) -> None:
    replies = site(**{"20261/bills": {"as_of": "7", "items": [{"id": 1, "hash": "a"}]}})
    first, bills = crawl(Feed, "va", replies, tmp_path / "a.jsonl")
    assert (len(bills), first.complete, first.partial) == (1, True, False)
    news = site(**{"updates?since=7": {"as_of": "9", "items": [{"id": 2, "hash": "b"}]}})
    again, bills = crawl(Feed, "va", news, tmp_path / "b.jsonl", known=first.validators)
    assert ([bill["identifier"] for bill in bills], again.complete, again.partial) == (["HB 2"], False, True)
    assert again.validators["cursor:va/lis/2026"]["stamp"] == "9"


def test_stamps_of_a_detail_spider_are_kept(tmp_path: Path) -> None:
    class Pages(DetailSpider):
        def listing(self) -> Iterable[str]:
            return [f"{BASE}/list"]

        def is_detail(self, url: str) -> bool:
            return "/page/" in url

        def listed(self, response: Response) -> Iterable[tuple[str, str]]:
            return [(line, "v1") for line in response.text.split()]

        def record(self, row: Any) -> dict[str, Any]:
            return {"identifier": row.text, "title": "A bill", "sources": [{"url": row.url}]}

    replies = {f"{BASE}/list": f"{BASE}/page/1 {BASE}/page/2".encode()}
    replies |= {f"{BASE}/page/{n}": f"HB {n}".encode() for n in (1, 2)}
    first, bills = crawl(Pages, "va", replies, tmp_path / "a.jsonl")
    assert len(bills) == 2
    again, bills = crawl(Pages, "va", replies, tmp_path / "b.jsonl", known=first.validators)
    assert (again.requests, again.present, bills) == (1, {"2026/HB 1", "2026/HB 2"}, [])


def test_a_zip_is_read_within_its_limits() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/BILLS.TXT", b"one")
        file.writestr("../b.lob", b"\x00" * (3 << 20))
    body = packed.getvalue()
    assert list(archives.members(body, r"BILLS")) == [("a/BILLS.TXT", b"one")]
    with pytest.raises(ValueError, match="larger than 2 MiB"):
        list(archives.members(body, r"lob", limit=2 << 20))
    with pytest.raises(ValueError, match="damaged"):
        list(archives.members(body[:40], r"."))
