"""New Mexico: real pages where they are there, made-up ones in their form always."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from crawlers.jurisdictions.nm import Spider
from crawlers.recording import Recording
from tests.crawlers.replies import crawl, in_memory, real, unknown_sessions

SITE = "https://www.nmlegis.gov"
LIST = f"{SITE}/Legislation/Legislation_List"
ONE = f"{SITE}/Legislation/Legislation?chamber=H&legType=B&legNo=1&year=25"


def row(at: int, bill: str, title: str, actions: str, sponsors: tuple[str, ...] = ("Avery Sample",)) -> str:
    letters, number = bill.strip("*").split()
    tag = "MainContent_gridViewLegislation"
    href = f"Legislation?chamber={letters[0]}&amp;legType={letters[1:]}&amp;legNo={number}&amp;year=25"
    names = "".join(f'<a id="{tag}_linkSponsor{n}_{at}" href="x">{name}</a>' for n, name in enumerate(sponsors))
    return (
        f'<tr><td><a id="{tag}_linkBillID_{at}" href="{href}">{bill}</a></td>'
        f'<td><span id="{tag}_lblTitle_{at}">{title}</span></td><td>{names}</td>'
        f'<td><span id="{tag}_lblActions_{at}">{actions}</span></td>'
        f'<td><span id="{tag}_lblSession_{at}">2025 Regular</span></td></tr>'
    )


def listing(*rows: str) -> bytes:
    named = ((99, "2098 Regular"), (70, "2025 Regular"), (69, "2024 Regular"))
    options = "".join(f'<option value="{value}">{name}</option>' for value, name in named)
    return (
        f'<html><body><select id="MainContent_ddlSessionStart">{options}</select>'
        f'<table id="MainContent_gridViewLegislation"><tr><th>Bill ID</th></tr>{"".join(rows)}</table></body></html>'
    ).encode()


def bill_page(*actions: str, final: bool = True, session: str = "2025 Regular Session") -> bytes:
    tag = "MainContent_tabContainerLegislation_tabPanel"
    shown = "".join(
        f'<tr><td><span id="{tag}Actions_dataListActions_lblAction_{n}">{action}</span></td></tr>'
        for n, action in enumerate(actions)
    )
    last = (
        '<a id="MainContent_formViewLegislationTextFinal_linkPDF" class="btn btn-default" href="javascript:x()">'
        "<span>Final Version</span> <span>3/20/25</span></a>"
    )
    return (
        f'<html><body><span id="MainContent_formViewLegislationTitle_lblSession">{session}</span>'
        '<span id="MainContent_formViewLegislation_lblBillID"><b>*HB  1</b></span>'
        '<span id="MainContent_formViewLegislation_lblTitle"><b>MADE-UP MATTERS</b></span>'
        '<div id="MainContent_panelLegislationInformation">'
        '<a id="MainContent_formViewLegislationTextIntroduced_link" class="btn btn-default"'
        ' href="/Sessions/25%20Regular/bills/house/HB0001.pdf"><span>Introduced (PDF)</span>&nbsp;'
        '<span id="MainContent_formViewLegislationTextIntroduced_lblDateRead">1/02/25</span></a>'
        f"{last if final else ''}"
        f'<a class="btn" href="/Sessions/25%20Regular/firs/HB0001.PDF"><span>Fiscal Impact Report</span></a>'
        f'<span id="{tag}Sponsors_dataListSponsors_lblSponsorTitle_0">Representative </span>'
        f'<span id="{tag}Sponsors_dataListSponsors_lblSponsorName_0">Avery "Av" Sample</span>'
        f"<table>{shown}</table></div></body></html>"
    ).encode()


def day(number: int, date: str, text: str) -> str:
    return f"Legislative Day: {number}<br/>Calendar Day: {date}</br><strong>{text}</strong>"


ACTIONS = (
    "<strong>Sent to HPREF - Referrals: HPREF</strong>",
    day(1, "01/22/2025", "Sent to HEC - Referrals: HEC/HAFC"),
    day(9, "02/10/2025", "Passed in the House of Representatives - Y:60 N:1"),
    day(5, "02/11/2025", "Sent to SEC - Referrals: SEC"),
    "<b>Signed by Governor - Chapter 4 - Feb. 28</b>",
)


def test_a_page_has_dated_actions(tmp_path: Path) -> None:
    account, (bill,) = crawl(Spider, "nm", {ONE: bill_page(*ACTIONS)}, tmp_path / "o.jsonl", session="2025")
    assert (account.outcome, account.rejected, account.issues) == ("ok", [], {})
    assert (bill["identifier"], bill["legislative_session"], bill["title"]) == ("HB 1", "2025", "MADE-UP MATTERS")
    assert [(a["date"], a["chamber"]) for a in bill["actions"]] == [
        ("2025-01-02", "lower"),
        ("2025-01-22", "lower"),
        ("2025-02-10", "lower"),
        ("2025-02-11", "upper"),
        ("2025-02-28", "executive"),
    ]
    assert bill["actions"][1]["description"] == "Sent to HEC - Referrals: HEC/HAFC"
    assert [(v["note"], v["date"], v["links"][0]["url"].rpartition("Regular/")[2]) for v in bill["versions"]] == [
        ("Introduced", "2025-01-02", "bills/house/HB0001.pdf"),
        ("Final Version", "2025-03-20", "final/HB0001.pdf"),
    ]
    assert [d["note"] for d in bill["documents"]] == ["Fiscal Impact Report"]
    assert bill["sponsorships"] == [{"name": 'Avery "Av" Sample'}]
    assert bill["extras"] == {"emergency": True}


@pytest.mark.parametrize(
    ("action", "date"),
    [
        ("<strong>Action Postponed Indefinitely</strong>", "2025-03-22"),
        ("<strong>Pocket Veto</strong>", "2025-04-11"),
        ("<strong>Something without a day</strong>", ""),
    ],
)
def test_what_the_end_of_the_session_decides(tmp_path: Path, action: str, date: str) -> None:
    account, (bill,) = crawl(Spider, "nm", {ONE: bill_page(action)}, tmp_path / "o.jsonl", session="2025")
    assert [a["date"] for a in bill.get("actions", [])] == ([date] if date else [])
    assert bool(account.issues) == (not date)


def test_a_list_alone_gives_bills_without_legislative_days(tmp_path: Path) -> None:
    rows = (
        row(0, "*HB 1", "FEED BILL", "[1] HAFC-HAFC- DP [2] PASSED/H (63-0) SGND BY GOV (Jan. 25) Ch. 1", ("A", "B")),
        row(1, "SJM 2", "A MEMORIAL", "SPREF API."),
        row(2, "XB 9", "NO BILL", ""),
    )
    folder = b'<A HREF="/Sessions/25%20Regular/bills/house/HB0001.HTML">x</A><A HREF="HB0001JCS.PDF">y</A>'
    replies = {f"{LIST}?Session=70": listing(*rows), f"{SITE}/Sessions/25%20Regular/bills/house/": folder}
    account, bills = crawl(Spider, "nm", replies, tmp_path / "o.jsonl", session="2025")
    assert [b["identifier"] for b in bills] == ["HB 1", "SJM 2"]
    assert account.rejected_count == 1
    assert bills[0]["actions"] == [
        {"date": "2025-01-25", "description": "Signed by Governor - Chapter 1 - Jan. 25", "chamber": "executive"}
    ]
    assert [s["name"] for s in bills[0]["sponsorships"]] == ["A", "B"]
    assert [v["note"] for v in bills[0]["versions"]] == ["Introduced", "JC substitute"]
    assert bills[0]["versions"][1]["links"][0]["url"] == f"{SITE}/Sessions/25%20Regular/bills/house/HB0001JCS.PDF"
    assert bills[1]["classification"] == ["joint memorial"]


def test_only_pages_of_bills_that_moved_are_fetched(tmp_path: Path) -> None:
    def site(actions: str) -> dict[str, Any]:
        return {
            LIST: listing(),
            f"{LIST}?Session=70": listing(row(0, "HB 1", "MADE-UP MATTERS", actions)),
            ONE: bill_page(*ACTIONS),
        }

    first, bills = crawl(Spider, "nm", site("[1] HEC"), tmp_path / "a.jsonl", session="2025", live=True)
    assert ([b["identifier"] for b in bills], first.complete) == (["HB 1"], True)
    assert unknown_sessions(first) == ["2098"]
    asked = {"session": "2025", "live": True, "known": first.validators}
    again, bills = crawl(Spider, "nm", site("[1] HEC"), tmp_path / "b.jsonl", **asked)
    assert (bills, again.present, again.requests) == ([], {"2025/HB 1"}, 2)
    _, bills = crawl(Spider, "nm", site("[1] HEC [2] DP"), tmp_path / "c.jsonl", **asked)
    assert len(bills) == 1


@pytest.mark.parametrize(
    ("site", "session"),
    [
        ("2019 Regular", "2019"),
        ("2020 2nd Special Session", "2020S2"),
        ("25 Special2", "2025S2"),
        ("25 Special", "2025S1"),
        ("1998 1st Special", "1998S1"),
    ],
)
def test_sessions_have_one_name(site: str, session: str) -> None:
    assert Spider.session_named(site) == session
    assert Spider.session_in(in_memory({ONE: bill_page(session=site)})) == session


def test_the_real_pages_are_read_whole(shared: Path, tmp_path: Path) -> None:
    recording = Recording(shared / "recordings/nm-2019.warc.gz")
    account, bills = real(recording, "nm", tmp_path / "o.jsonl")
    whole = recording.replies[f"{LIST}?Session=57"][2].decode()
    said = re.search(r"Displaying (\d+) of \1 result", whole)
    assert said and (account.outcome, len(bills), account.rejected) == ("ok", int(said[1]), [])
    titles = re.findall(r"lblTitle_\d+\">(.*?)</span>", whole, re.DOTALL)
    assert [b["title"] for b in bills] == [
        " ".join(t.replace("&amp;", "&").replace("&#39;", "'").split()) for t in titles
    ]
    assert sum(len(b["sponsorships"]) for b in bills if b["identifier"] not in ("HB 73", "SB 11")) == (
        len(re.findall(r"gridViewLegislation_linkSponsor\w+\"", whole)) - 5
    )
    by_name = {b["identifier"]: b for b in bills}
    assert [len(by_name[name]["actions"]) for name in ("HB 73", "SB 11")] == [3, 11]
    assert by_name["SB 11"]["actions"][-1]["date"] == "2019-02-28"
    assert [len(by_name[name]["sponsorships"]) for name in ("HB 73", "SB 11")] == [1, 5]
    assert sum("Signed by Governor" in a["description"] for b in bills for a in b.get("actions", [])) == 281
    assert {b["legislative_session"] for b in bills} == {"2019"}


def calendar(*meetings: tuple[str, str, str, tuple[str, ...]]) -> bytes:
    """A committee's part of the House's calendar: (day, hour, room, bills) a meeting."""
    tag, shown = "MainContent_HouseContent_repeaterCommittees", ""
    for n, (date, time, room, bills) in enumerate(meetings):
        rows = "".join(f"<tr><td><a>{bill}</a></td><td>Made-up matters</td></tr>" for bill in bills)
        shown += (
            f'<span id="{tag}_repeaterDates_0_lblHearingDate_{n}"><b>{date}</b></span>'
            f'<span id="{tag}_repeaterDates_0_lblHearingTime_{n}"><b>{time}</b></span>'
            f'<span id="{tag}_repeaterDates_0_lblRoomNumber_{n}"><b>{room}</b></span>'
            f'<table id="{tag}_repeaterDates_0_gridViewBills_{n}"><tr><th>Bill</th><th>Title</th></tr>{rows}</table>'
        )
    return (
        f'<html><body><a id="{tag}_linkLocation_0">HEC</a><span id="{tag}_lblLocationDesc_0">House Education</span>'
        f'<span id="{tag}_lblCommitteeChair_0">Avery Sample, CHAIR</span>{shown}</body></html>'
    ).encode()


def test_calendars_of_committees_name_the_bills_of_hearings(tmp_path: Path) -> None:
    meetings = (
        ("Monday, February 3, 2025", "8:30 AM", "Room 317", ("*HB  1", "SB 2", "Presentation")),
        ("2/5/2025", "", "CANCELLED", ("HB 1",)),
        ("1/21/2026", "8:30 AM", "Room 317", ("HB 1",)),
    )
    house = f"{SITE}/Entity/House/Committee_Calendar"
    replies = {ONE: bill_page(*ACTIONS), house: calendar(*meetings)}
    account, (bill,) = crawl(Spider, "nm", replies, tmp_path / "o.jsonl", session="2025")
    assert (account.outcome, account.rejected, account.issues) == ("ok", [], {})
    assert [(h["date"], h.get("time", ""), h["location"], h.get("status", "")) for h in bill["hearings"]] == [
        ("2025-02-03", "08:30", "Room 317", ""),
        ("2025-02-05", "", "CANCELLED", "cancelled"),
    ], "a day of another session is of another bill"
    assert bill["hearings"][0]["committee"] == "House Education"
    account, (bill,) = crawl(Spider, "nm", replies | {house: b"<html>x"}, tmp_path / "p.jsonl", session="2025")
    assert bill.get("hearings", []) == [] and account.outcome == "ok"
