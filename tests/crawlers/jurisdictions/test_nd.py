"""North Dakota: made-up replies in the official form; no real one is at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crawlers.jurisdictions.nd import Spider
from tests.crawlers.replies import crawl, in_memory

BILLS = "https://ndlegis.gov/api/assembly/69-2025/data/bills.json"
SCHEDULE = "https://www.ndlegis.gov/legend/committee/hearings/public-schedule/?export=csv"


def bill(name: str = "HB 1001", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": "AN ACT to make up matters.",
        "chamber": "House",
        "url": "https://ndlegis.gov/assembly/69-2025/regular/bill-overview/bo1001.html",
        "summary": "Relating to made-up matters.",
        "sponsors": [
            {"name": "Rep. Sample, Avery", "primary": True, "type": "legislator", "chamber": "House"},
            {"name": "House Appropriations Committee", "primary": False, "type": "committee", "chamber": "House"},
        ],
        "actions": [
            {"date": "2025-01-07", "chamber": "House", "description": "Introduced, first reading"},
            {"date": "04/11/2025", "chamber": "House", "description": "Signed by Governor 04/10"},
            {"date": "2025-04-14", "chamber": None, "description": "Filed with Secretary Of State 04/11"},
        ],
        "versions": [
            {"description": "INTRODUCED", "document_url": "https://ndlegis.gov/a.pdf"},
            {"description": "FIRST ENGROSSMENT with Senate Amendments", "document_url": "https://ndlegis.gov/b.pdf"},
            {"description": "Fiscal note", "document_url": "https://ndlegis.gov/c.pdf"},
            {"description": "", "document_url": None},
        ],
        **more,
    }


def bills(*rows: Any) -> dict[str, Any]:
    return {"bills": {str(at): row for at, row in enumerate(rows)}}


def test_one_file_and_the_schedule_make_a_bill(tmp_path: Path) -> None:
    schedule = (
        b"Hearing Date/Time,Bill,Agenda Time,Committee,Subcommittee,Room,Description\r\n"
        b'"11/28 2:00:PM","HB 1001","2:30 PM","House Education","","Room 1","Hearing"\r\n'
        b'"12/03 9:00:AM","HB1001","","House Education","Policy","Room 1","CANCELLED"\r\n'
        b'"12/03 9:00:AM","","","House Education","","Room 1","No bill"\r\n'
    )
    replies = {BILLS: bills(bill()), SCHEDULE: schedule}
    account, (made,) = crawl(Spider, "nd", replies, tmp_path / "o.jsonl", session="69")
    assert (account.outcome, account.complete, account.rejected) == ("ok", True, [])
    assert [(a["date"], a["chamber"]) for a in made["actions"]] == [
        ("2025-01-07", "lower"),
        ("2025-04-11", "executive"),
        ("2025-04-14", "legislature"),
    ]
    assert [(s["name"], s.get("primary", True), s.get("entity_type", "person")) for s in made["sponsorships"]] == [
        ("Avery Sample", True, "person"),
        ("House Appropriations Committee", False, "organization"),
    ]
    assert [v["note"] for v in made["versions"]] == ["INTRODUCED", "FIRST ENGROSSMENT with Senate Amendments"]
    assert [d.get("note", "") for d in made["documents"]] == ["Fiscal note", ""]
    assert [(h["date"][5:], h["time"], h["committee"], h.get("status")) for h in made["hearings"]] == [
        ("11-28", "14:30", "House Education", None),
        ("12-03", "09:00", "House Education - Policy", "cancelled"),
    ]
    # The year is not printed: it is the one that brings the day nearest to the day of the reply.
    assert abs(int(made["hearings"][0]["date"][:4]) - account.started_at.year) <= 1


@pytest.mark.parametrize(
    ("name", "kind", "chamber"),
    [("SCR 4001", "concurrent resolution", "upper"), ("HMR 7001", "memorial", "lower"), ("SB 2001", "bill", "upper")],
)
def test_kinds_of_measure(tmp_path: Path, name: str, kind: str, chamber: str) -> None:
    _, (made,) = crawl(Spider, "nd", {BILLS: bills(bill(name))}, tmp_path / "o.jsonl", session="69")
    assert (made["identifier"], made.get("classification", ["bill"]), made["chamber"]) == (name, [kind], chamber)


def test_empty_lists_and_null_are_nothing(tmp_path: Path) -> None:
    bare = {"name": "HB 1002", "title": "A title", "sponsors": None, "actions": [], "summary": None}
    account, (made,) = crawl(Spider, "nd", {BILLS: {"bills": [bare]}}, tmp_path / "o.jsonl", session="69")
    assert (made["identifier"], account.rejected) == ("HB 1002", [])
    assert made["sources"][0]["url"].endswith("/69-2025/regular/bill-overview/bo1002.html")


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        bill("XX 1"),
        bill("HB 7", title=None, summary=None),
        bill("HB 7", actions=[{"date": "soon", "description": "x"}]),
    ],
)
def test_an_odd_bill_costs_only_itself(tmp_path: Path, odd: Any) -> None:
    account, made = crawl(Spider, "nd", {BILLS: bills(odd, bill())}, tmp_path / "o.jsonl", session="69")
    assert ([m["identifier"] for m in made], account.rejected_count) == (["HB 1001"], 1)


@pytest.mark.parametrize("body", [b"", b"<html>Request Rejected</html>", b'{"bills": {"1": {', b'{"other": 1}', b"[]"])
def test_a_file_that_is_none_fails_the_crawl(tmp_path: Path, body: bytes) -> None:
    account, made = crawl(Spider, "nd", {BILLS: body}, tmp_path / "o.jsonl", session="69")
    assert (account.outcome, made) == ("failed", [])


def test_a_broken_schedule_costs_only_the_hearings(tmp_path: Path) -> None:
    replies = {BILLS: bills(bill()), SCHEDULE: b"<html>moved</html>"}
    account, made = crawl(Spider, "nd", replies, tmp_path / "o.jsonl", session="69", live=True)
    assert (account.outcome, len(made)) == ("ok", 1)
    assert [kind for kind, _, _ in account.issues] == ["file"]


def test_an_unchanged_file_is_nothing_to_load(tmp_path: Path) -> None:
    replies = {BILLS: bills(bill()), SCHEDULE: b"Hearing Date/Time,Bill,Committee\n"}
    first, _ = crawl(Spider, "nd", replies, tmp_path / "a.jsonl", session="69", live=True)
    again, made = crawl(Spider, "nd", replies, tmp_path / "b.jsonl", session="69", live=True, known=first.validators)
    assert (again.outcome, made) == ("unchanged", [])
    assert Spider.session_in(in_memory({BILLS: json.dumps(bills())})) == "69"
