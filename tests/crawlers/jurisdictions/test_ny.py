"""New York: real replies where they are there, made-up ones in their form always."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response

from crawlers import keys
from crawlers.jurisdictions.ny import Spider
from crawlers.recording import Recording
from tests.crawlers.replies import crawl, in_memory, real

API = "https://legislation.nysenate.gov/api/3"
LIST = f"{API}/bills/2025?limit=100&offset=1&full=true"


def items(*rows: Any) -> dict[str, Any]:
    return {"items": list(rows), "size": len(rows)}


def action(number: int, day: str, text: str, chamber: str = "SENATE") -> dict[str, Any]:
    return {"date": day, "chamber": chamber, "sequenceNo": number, "text": text}


def bill(number: str = "S7", **more: Any) -> dict[str, Any]:
    return {
        "basePrintNo": number,
        "session": 2025,
        "printNo": f"{number}A",
        "billType": {"chamber": "SENATE", "desc": "Senate", "resolution": False},
        "title": "Establishes made-up matters",
        "activeVersion": "A",
        "substitutedBy": {"basePrintNo": "A9", "session": 2025},
        "sponsor": {"member": {"fullName": "Avery Sample", "shortName": "SAMPLE"}, "rules": False, "budget": False},
        "summary": "Establishes made-up matters in detail.",
        "actions": items(action(2, "2025-06-01", "SIGNED CHAP.12"), action(1, "2025-01-08", "REFERRED TO EDUCATION")),
        "programInfo": None,
        "amendments": {
            "items": {
                "": {"version": "", "publishDate": "2025-01-08", "fullText": "x" * 1000},
                "A": {
                    "version": "A",
                    "publishDate": "2025-02-01",
                    "sameAs": items({"basePrintNo": "A9", "session": 2025}),
                    "coSponsors": items({"fullName": "Blake Second"}),
                    "multiSponsors": None,
                    "lawSection": "Education Law",
                },
            }
        },
        "previousVersions": items({"basePrintNo": "S70", "session": 2023}),
        **more,
    }


def reply(result: Any, **more: Any) -> dict[str, Any]:
    return {"success": True, "message": "", "responseType": "bill", "result": result, **more}


def agenda(notes: str = "") -> dict[str, Any]:
    meeting = {"location": "Room 124", "meetingDateTime": "2026-12-01T10:30", "notes": notes}
    addendum = {
        "meeting": meeting,
        "bills": items({"billId": {"basePrintNo": "S7", "printNo": "S7A", "session": 2025}}),
    }
    of = {"committeeId": {"chamber": "SENATE", "name": "Higher Education"}}
    return reply({"committee": {**of, "addenda": items(addendum)}})


def test_a_bill_and_its_place_on_an_agenda(tmp_path: Path) -> None:
    replies = {f"{API}/bills/2025/S7?view=default": reply(bill()), f"{API}/agendas/2026/3/Higher%20Education": agenda()}
    account, (made,) = crawl(Spider, "ny", replies, tmp_path / "o.jsonl", session="2025-2026")
    assert (account.outcome, account.rejected) == ("ok", [])
    assert (made["identifier"], made["legislative_session"], made["chamber"]) == ("S 7", "2025-2026", "upper")
    assert [(a["date"], a["chamber"]) for a in made["actions"]] == [
        ("2025-01-08", "upper"),
        ("2025-06-01", "executive"),
    ]
    assert [(s["name"], s.get("primary", True)) for s in made["sponsorships"]] == [
        ("Avery Sample", True),
        ("Blake Second", False),
    ]
    assert [(v["note"], v["date"]) for v in made["versions"]] == [("S7", "2025-01-08"), ("S7A", "2025-02-01")]
    assert [(r["identifier"], r["legislative_session"], r["relation_type"]) for r in made["related_bills"]] == [
        ("A 9", "2025-2026", "companion"),
        ("A 9", "2025-2026", "replaced-by"),
        ("S 70", "2023-2024", "prior-session"),
    ]
    assert made["hearings"] == [
        {
            "date": "2026-12-01",
            "time": "10:30",
            "timezone": "America/New_York",
            "committee": "Senate Higher Education",
            "location": "Room 124",
        }
    ]
    replies[f"{API}/agendas/2026/3/Higher%20Education"] = agenda("MEETING CANCELED")
    _, (made,) = crawl(Spider, "ny", replies, tmp_path / "o.jsonl", session="2025-2026")
    assert made["hearings"][0]["status"] == "cancelled"


def test_texts_come_out_of_the_replies(tmp_path: Path) -> None:
    replies = {f"{API}/bills/2025/S7?view=default": reply(bill()), f"{API}/agendas/meetings/a/b": reply(items())}
    _, (made,) = crawl(Spider, "ny", replies, tmp_path / "o.jsonl", session="2025-2026")
    url = made["versions"][0]["links"][0]["url"]
    assert list(Spider.texts_in(in_memory(replies), {url})) == [(url, "text/plain", b"x" * 1000)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"sponsor": None}, []),
        ({"sponsor": {"member": None, "rules": True}}, ["Rules"]),
        ({"sponsor": {"member": None, "budget": True}, "previousVersions": None, "substitutedBy": None}, ["Budget"]),
    ],
)
def test_fields_may_be_null(tmp_path: Path, more: dict[str, Any], expected: list[str]) -> None:
    parts = {"amendments": {"items": {}}, "activeVersion": None, "actions": None, "billType": None, **more}
    replies = {LIST: reply(items(bill(**parts)))}
    account, (made,) = crawl(Spider, "ny", replies, tmp_path / "o.jsonl", session="2025-2026")
    assert [s["name"] for s in made.get("sponsorships", [])] == expected and account.rejected == []


def test_one_odd_bill_costs_only_itself_and_placeholders_nothing(tmp_path: Path) -> None:
    blank = bill("S8", title="", summary="", actions=items(), amendments={"items": {}})
    odd = [{"basePrintNo": "??", "session": 2025}, None, bill("S9", actions=items({"date": "soon", "text": "X"}))]
    replies = {LIST: reply(items(blank, *odd, bill("K12")))}
    account, (made,) = crawl(Spider, "ny", replies, tmp_path / "o.jsonl", session="2025-2026")
    assert (made["identifier"], made["classification"]) == ("K 12", ["resolution"])
    assert account.rejected_count == 3


def test_an_error_of_the_service_fails_with_its_words(tmp_path: Path) -> None:
    replies = {LIST: {"success": False, "message": "Invalid API key", "result": None}}
    account, bills = crawl(Spider, "ny", replies, tmp_path / "o.jsonl", session="2025-2026")
    assert bills == [] and "Invalid API key" in account.reason


def test_pages_first_then_the_feed_of_updates(tmp_path: Path) -> None:
    class Fixed(Spider):
        """Asks a feed of a fixed address, whatever the time is."""

        def plan(self) -> Any:
            for url in super().plan():
                if "/updates/" in url:
                    yield f"{API}/bills/updates/then/now?limit=1000&offset=1"
                elif "meetings" not in url:
                    yield url

    second = LIST.replace("offset=1", "offset=101")
    replies = {
        LIST: reply(items(bill("S7")), offsetEnd=100, total=101),
        second: reply(items(bill("S8")), offsetEnd=101, total=101),
        f"{API}/bills/updates/then/now?limit=1000&offset=1": reply(
            items(
                {"item": {"basePrintNo": "S8", "session": 2025}},
                {"item": {"basePrintNo": "S8", "session": 2025}},
                {"item": {"basePrintNo": "S1", "session": 2023}},
            ),
            offsetEnd=3,
            total=3,
        ),
        f"{API}/bills/2025/S8?view=default": reply(bill("S8", title="Changed")),
    }
    first, bills = crawl(Fixed, "ny", replies, tmp_path / "a.jsonl", session="2025-2026", live=True)
    assert ([b["identifier"] for b in bills], first.complete) == (["S 7", "S 8"], True)
    again, bills = crawl(
        Fixed, "ny", replies, tmp_path / "b.jsonl", session="2025-2026", live=True, known=first.validators
    )
    assert [(b["identifier"], b["title"]) for b in bills] == [("S 8", "Changed")]
    assert (again.partial, again.complete, again.requests) == (True, False, 2)


def test_the_key_leaves_with_the_request_and_comes_back_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    async def download(self: Any, request: Request) -> Response:
        sent.append(request.url)
        if "broken" in request.url:
            raise TimeoutError(f"Getting {request.url} took longer than 180 seconds.")
        return Response(request.url, 301, headers={"Location": request.url}, request=request)

    class Crawler:
        class spider:
            key_parameter = "key"

            class source:
                requires_key = "NEW_YORK_API_KEY"

    monkeypatch.setattr(HTTP11DownloadHandler, "download_request", download)
    monkeypatch.setenv("NEW_YORK_API_KEY", "s3cret/+")
    handler = keys.KeyedHandler.__new__(keys.KeyedHandler)
    handler._crawler = Crawler
    reply = asyncio.run(handler.download_request(Request(LIST)))
    assert sent == [f"{LIST}&key=s3cret%2F%2B"]
    assert reply.url == LIST and b"s3cret" not in (reply.headers["Location"] or b"")
    with pytest.raises(OSError, match="took longer") as error:
        asyncio.run(handler.download_request(Request(f"{API}/broken")))
    assert "s3cret" not in str(error.value)
    asyncio.run(handler.download_request(Request("https://legislation.nysenate.gov/robots.txt")))
    assert "key=" not in sent[-1]


def test_the_real_replies_are_read_whole(shared: Path, tmp_path: Path) -> None:
    recording = Recording(shared / "recordings/ny-2023.warc.gz")
    account, bills = real(recording, "ny", tmp_path / "o.jsonl")
    one, page = (json.loads(recording.replies[url][2]) for url in recording.urls())
    rows = {row["result"]["basePrintNo"]: row["result"] for row in page["result"]["items"]}
    rows[one["result"]["basePrintNo"]] = one["result"]
    assert (account.outcome, account.rejected, len(bills)) == ("ok", [], len(rows))
    for made in bills:
        raw = rows[made["identifier"].replace(" ", "")]
        assert (made["title"], made["legislative_session"]) == (raw["title"], "2023-2024")
        assert len(made["actions"]) == raw["actions"]["size"]
        assert made["sponsorships"][0]["name"] == raw["sponsor"]["member"]["fullName"]
        assert len(made["versions"]) == raw["publishStatusMap"]["size"]
    known = next(b for b in bills if b["identifier"] == "S 7044")
    assert len(known["sponsorships"]) == 4
    assert known["related_bills"][0]["identifier"] == "A 7591"
