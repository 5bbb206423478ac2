"""Washington: a real list where it is there, made-up replies of all its services always."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from crawlers.jurisdictions.wa import Spider
from crawlers.recording import Recording
from tests.crawlers.replies import crawl, real, unknown_sessions

SERVICE = "https://wslwebservices.leg.wa.gov/LegislationService.asmx"
MEETINGS = "https://wslwebservices.leg.wa.gov/CommitteeMeetingService.asmx"
NS = 'xmlns="http://WSLWebServices.leg.wa.gov/"'
CHANGES = f"{SERVICE}/GetLegislativeStatusChangesByDateRange?biennium=2025-26&beginDate=2024-12-02&endDate=2027-01-10"
FILES = "https://lawfilesext.leg.wa.gov/biennium/2025-26/Htm/Bills/House%20Bills/"


def legislation(
    bill: str, sub: int = 0, eng: int = 0, title: str = "Concerning made-up matters.", more: str = ""
) -> str:
    number = re.sub(r"\D*", "", bill.split()[-1])
    return (
        f"<Legislation><Biennium>2025-26</Biennium><BillId>{bill}</BillId><BillNumber>{number}</BillNumber>"
        f"<SubstituteVersion>{sub}</SubstituteVersion><EngrossedVersion>{eng}</EngrossedVersion>"
        "<ShortLegislationType><ShortLegislationType>B</ShortLegislationType>"
        "<LongLegislationType>Bill</LongLegislationType></ShortLegislationType>"
        "<OriginalAgency>House</OriginalAgency><IntroducedDate>2025-01-13T00:00:00</IntroducedDate>"
        f"<CurrentStatus><BillId>{bill}</BillId><HistoryLine>First reading, referred to Education.</HistoryLine>"
        "<ActionDate>2025-01-13T00:00:00</ActionDate><Status>H Education</Status></CurrentStatus>"
        f"<Sponsor>(Sample)</Sponsor><LongDescription>{title}</LongDescription><LegalTitle />{more}</Legislation>"
    )


def status(bill: str, day: str, line: str, where: str) -> str:
    return (
        f"<LegislativeStatus><BillId>{bill}</BillId><HistoryLine>{line}</HistoryLine>"
        f"<ActionDate>{day}T00:00:00</ActionDate><Status>{where}</Status></LegislativeStatus>"
    )


def array(name: str, *parts: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><ArrayOf{name} {NS}>{"".join(parts)}</ArrayOf{name}>'.encode()


def site(**changes: bytes) -> dict[str, bytes]:
    """All services, with two bills: one with a substitute, hearings and a companion, one bare."""
    meeting = (
        "<CommitteeMeeting><AgendaId>77</AgendaId><Agency>House</Agency><Committees><Committee><Name>Education</Name>"
        "<LongName>House Committee on Education</LongName></Committee></Committees><Room>Hearing Rm A</Room>"
        "<Building>Made-up Building</Building><City>Olympia</City><Date>2026-11-27T13:30:00</Date>"
        "<Cancelled>false</Cancelled></CommitteeMeeting>"
    )
    companion = "<Companions><Companion><Biennium>2025-26</Biennium><BillId>SSB 5002</BillId></Companion></Companions>"
    replies = {
        f"{SERVICE}/GetLegislationIntroducedSince?sinceDate=2024-12-02": array(
            "Legislation",
            legislation("HB 1001", more=companion),
            legislation("2ESHB 1001", 1, 2, "Concerning amended made-up matters.", companion),
            legislation("SB 5002").replace("House", "Senate"),
            legislation("SGA 9001"),
            legislation("HI 1001"),
        ),
        f"{SERVICE}/GetLegislationByYear?year=2025": array("LegislationInfo"),
        f"{SERVICE}/GetLegislationByYear?year=2026": array(
            "LegislationInfo",
            "<LegislationInfo><Biennium>2025-26</Biennium><BillId>SJM 8000</BillId></LegislationInfo>",
        ),
        f"{SERVICE}/GetLegislation?biennium=2025-26&billNumber=8000": array("Legislation", legislation("SJM 8000")),
        CHANGES: array(
            "LegislativeStatus",
            status("SHB 1001", "2025-03-01", "Third reading, passed; yeas, 96; nays, 0.", "H 3rd Reading"),
            status("HB 1001", "2025-01-13", "First reading, referred to Education.", "H Education"),
            status("ESHB 1001", "2025-03-04", "First reading, referred to Education.", "S EL/K-12"),
            status("ESHB 1001", "2025-04-20", "Governor signed.", "C 12 L 25"),
        ),
        f"{MEETINGS}/GetCommitteeMeetings?beginDate=2026-11-24&endDate=2026-12-04": array("CommitteeMeeting", meeting),
        f"{MEETINGS}/GetCommitteeMeetingItems?agendaId=77": array(
            "CommitteeMeetingItem",
            "<CommitteeMeetingItem><AgendaId>77</AgendaId><BillId>ESHB 1001</BillId></CommitteeMeetingItem>",
        ),
        FILES: b'<html><a href="/">up</a><a href="1001.htm">1001.htm</a><a href="1001-S.E2.htm">x</a></html>',
    }
    replies["https://leg.wa.gov/"] = (
        b'<select id="biennium"><option>2027-28</option><option>2025-26</option><option>1991-92</option></select>'
    )
    for bill, number in (("HB%201001", 1001), ("SB%205002", 5002), ("SJM%208000", 8000)):
        replies[f"{SERVICE}/GetSponsors?biennium=2025-26&billId={bill}"] = array(
            "Sponsor",
            "<Sponsor><Name>Second</Name><Type>Secondary</Type><Order>2</Order><FirstName>Avery</FirstName><LastName>Second</LastName></Sponsor>",
            "<Sponsor><Name>Sample</Name><Type>Primary</Type><Order>1</Order><FirstName>Blake</FirstName><LastName>Sample</LastName></Sponsor>",
        )
        replies[f"{SERVICE}/GetHearings?biennium=2025-26&billNumber={number}"] = array("Hearing")
    return {**replies, **changes}


@pytest.fixture(autouse=True)
def on_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The services are asked by day."""
    import datetime as dt

    from crawlers import account

    class Day(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Day:
            return cls(2026, 11, 24, 18, tzinfo=dt.UTC)

    monkeypatch.setattr(account.dt, "datetime", Day)


def test_a_live_crawl_puts_all_services_together(tmp_path: Path) -> None:
    account, bills = crawl(Spider, "wa", site(), tmp_path / "o.jsonl", session="2025-2026", live=True)
    assert (account.outcome, account.complete, account.rejected) == ("ok", True, [])
    assert unknown_sessions(account) == ["2027-28"]
    assert sorted(bill["identifier"] for bill in bills) == ["HB 1001", "SB 5002", "SJM 8000"]
    bill = next(b for b in bills if b["identifier"] == "HB 1001")
    assert bill["title"] == "Concerning amended made-up matters."
    assert [(a["date"], a["chamber"]) for a in bill["actions"]] == [
        ("2025-01-13", "lower"),
        ("2025-03-01", "lower"),
        ("2025-03-04", "upper"),
        ("2025-04-20", "executive"),
    ]
    assert [(s["name"], s.get("primary", True)) for s in bill["sponsorships"]] == [
        ("Blake Sample", True),
        ("Avery Second", False),
    ]
    assert [v["note"] for v in bill["versions"]] == ["original", "second engrossed substitute"]
    assert bill["versions"][1]["links"][0]["url"] == f"{FILES}1001-S.E2.htm"
    assert bill["related_bills"] == [
        {"identifier": "SB 5002", "legislative_session": "2025-2026", "relation_type": "companion"}
    ]
    assert bill["hearings"] == [
        {
            "date": "2026-11-27",
            "time": "13:30",
            "timezone": "America/Los_Angeles",
            "committee": "House Committee on Education",
            "location": "Hearing Rm A, Made-up Building, Olympia",
            "url": "https://app.leg.wa.gov/committeeschedules/Home/Agenda/77",
        }
    ]
    memorial = next(b for b in bills if b["identifier"] == "SJM 8000")
    assert (memorial["classification"], memorial["chamber"]) == (["joint memorial"], "upper")


def test_only_what_moved_is_asked_for_again(tmp_path: Path) -> None:
    first, _ = crawl(Spider, "wa", site(), tmp_path / "a.jsonl", session="2025-2026", live=True)
    asked = {"session": "2025-2026", "live": True, "known": first.validators}
    again, bills = crawl(Spider, "wa", site(), tmp_path / "b.jsonl", **asked)
    assert (bills, again.complete, len(again.present)) == ([], True, 3)
    assert again.requests == first.requests - 7
    url = f"{MEETINGS}/GetCommitteeMeetings?beginDate=2026-11-24&endDate=2026-12-04"
    moved, bills = crawl(
        Spider, "wa", site(**{url: site()[url].replace(b"false", b"true")}), tmp_path / "c.jsonl", **asked
    )
    assert [(b["identifier"], b["hearings"][0]["status"]) for b in bills] == [("HB 1001", "cancelled")]
    assert moved.present == {"2025-2026/SB 5002", "2025-2026/SJM 8000"}


def test_a_bill_without_its_sponsors_is_left_as_it_was(tmp_path: Path) -> None:
    url = f"{SERVICE}/GetSponsors?biennium=2025-26&billId=SB%205002"
    page = b"<html><body>Request Rejected</body></html>"
    account, bills = crawl(Spider, "wa", site(**{url: page}), tmp_path / "o.jsonl", session="2025-2026", live=True)
    assert sorted(b["identifier"] for b in bills) == ["HB 1001", "SJM 8000"]
    assert account.rejected_count == 1 and "firewall" in account.rejected[0]["problem"]
    missing = {u: body for u, body in site().items() if "GetLegislativeStatus" not in u}
    account, bills = crawl(Spider, "wa", missing, tmp_path / "o.jsonl", session="2025-2026", live=True)
    assert account.outcome == "failed" and "GetLegislativeStatus" in account.reason


def test_status_500_means_that_a_bill_has_none(tmp_path: Path) -> None:
    url = f"{SERVICE}/GetHearings?biennium=2025-26&billNumber=5002"
    replies = {**site(), url: (500, b"Object reference not set")}
    account, bills = crawl(Spider, "wa", replies, tmp_path / "o.jsonl", session="2025-2026", live=True)
    assert (account.outcome, account.rejected, len(bills)) == ("ok", [], 3)
    # For the history of the whole biennium it is not believed.
    replies[CHANGES] = (500, b"")
    account, bills = crawl(Spider, "wa", replies, tmp_path / "o.jsonl", session="2025-2026", live=True)
    assert (account.outcome, bills) == ("failed", [])


def test_a_list_alone_is_enough_with_or_without_an_envelope(tmp_path: Path) -> None:
    url = f"{SERVICE}/GetLegislationIntroducedSince?sinceDate=2024-12-02"
    body = site()[url].partition(b"?>")[2]
    soap = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' + body + b"</s:Body></s:Envelope>"
    )
    for replies in ({url: body}, {SERVICE: soap}, {url: body, SERVICE: soap}):
        account, bills = crawl(Spider, "wa", replies, tmp_path / "o.jsonl", session="2025-2026")
        assert ([b["identifier"] for b in bills], account.rejected) == (["HB 1001", "SB 5002"], [])
        assert bills[1]["sponsorships"] == [{"name": "Sample"}]
        assert [len(b["actions"]) for b in bills] == [1, 1]
        assert len(bills[0]["versions"]) == 2


def test_the_real_list_is_read_whole(shared: Path, tmp_path: Path) -> None:
    recording = Recording(shared / "recordings/wa-2026-01.warc.gz")
    account, bills = real(recording, "wa", tmp_path / "o.jsonl")
    body = recording.replies[recording.urls()[1]][2].decode()
    assert (account.outcome, len(bills), account.rejected) == ("ok", body.count("<Legislation>"), [])
    for bill, raw in zip(bills, body.split("<Legislation>")[1:], strict=True):
        said = {name: re.search(f"<{name}>(.*?)</{name}>", raw) for name in ("BillId", "LongDescription", "Sponsor")}
        plain = {name: found[1].replace("&amp;", "&") for name, found in said.items() if found}
        assert bill["identifier"] == plain["BillId"]
        assert bill["title"] == " ".join(plain["LongDescription"].split())
        assert bill["sponsorships"] == [{"name": plain["Sponsor"].strip("()")}]
        assert len(bill.get("related_bills", [])) == raw.count("<Companion>")
    assert {b["legislative_session"] for b in bills} == {"2025-2026"}
    assert sum(b["chamber"] == "lower" for b in bills) == body.count("<OriginalAgency>House")
