"""What the recordings of made-up bills do not show: odd values, broken files, partial recordings, second crawls."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from crawlers import archives, elements, listings, tables
from crawlers.jurisdictions import il, md, mn, nj, pa, tx
from crawlers.recording import Recording
from tests.crawlers.replies import crawl, in_memory

FOLDER = Path(__file__).parent / "recordings"
MD = "https://mgaleg.maryland.gov"
LIST = f"{MD}/2026RS/misc/billsmasterlist/legislation.json"


def sample(code: str) -> dict[str, bytes]:
    """The replies of a state's recording."""
    return {url: body for url, (_, _, body) in Recording(FOLDER / code / f"{code}-sample.warc").replies.items()}


def test_a_recording_answers_for_another_host_and_spelling() -> None:
    recording = in_memory({"ftp://old.test/a/HB 1.xml": b"<a/>", "https://a.test/2026RS/x?ys=1": b"x"})
    assert recording.spelling("ftp://new.test/A/HB%201.xml") == "ftp://old.test/a/HB 1.xml"
    assert recording.spelling("https://b.test/2026rs/x?ys=1") == "https://a.test/2026RS/x?ys=1"
    assert recording.spelling("https://b.test/2026rs/x?ys=2") == ""


# ---------------------------------------------------------------- Maryland


def maryland(tmp_path: Path, entries: list[Any], **more: Any) -> Any:
    return crawl(md.Spider, "md", {LIST: entries}, tmp_path / "md.jsonl", session="2026", **more)


def test_maryland_compares_records_without_their_time_stamp(tmp_path: Path) -> None:
    replies = sample("md")
    page = next(url for url in replies if "Details" in url)
    first, bills = crawl(md.Spider, "md", replies, tmp_path / "a.jsonl", session="2026")
    assert len(bills) == 5
    later = replies | {LIST: replies[LIST].replace(b"2026-04-20T", b"2026-04-21T")}
    again, bills = crawl(md.Spider, "md", later, tmp_path / "b.jsonl", session="2026", known=first.validators)
    assert "2026/HB 9001" in again.present
    assert "HB 9001" not in [bill["identifier"] for bill in bills]
    changed = later | {LIST: later[LIST].replace(b"2026-01-28T15", b"2026-01-30T15")}
    _, bills = crawl(md.Spider, "md", changed, tmp_path / "c.jsonl", session="2026", known=first.validators)
    (bill,) = [bill for bill in bills if bill["identifier"] == "HB 9001"]
    assert bill["hearings"][0]["date"] == "2026-01-30", "the record changed, though the page did not"
    moved = replies | {page: b"<html><body><h1>A new look</h1></body></html>"}
    fourth, bills = crawl(md.Spider, "md", moved, tmp_path / "d.jsonl", session="2026")
    assert [r["identifier"] for r in fourth.rejected] == ["hb9001"]
    assert "HB 9001" not in [bill["identifier"] for bill in bills]


def test_maryland_bad_entries_cost_only_themselves(tmp_path: Path) -> None:
    entries = [
        {"BillNumber": "HB0007", "Title": "Made up", "BillVersion": None, "Sponsors": None},
        {"BillNumber": None},
        "no entry",
        {"BillNumber": "HB0008", "Title": "Made up too", "FirstReadingDateHouseOfOrigin": "soon"},
    ]
    account, bills = maryland(tmp_path, entries)
    assert [bill["identifier"] for bill in bills] == ["HB 7"]
    assert account.rejected_count == 3 and account.outcome == "ok"
    assert bills[0]["versions"][0]["links"][0]["url"] == f"{MD}/2026RS/bills/hb/hb0007f.pdf"


@pytest.mark.parametrize("body", [b"<html><body>Request Rejected</body></html>", b"", b"[{", b'{"a": 1}'])
def test_maryland_something_else_than_the_list_fails(tmp_path: Path, body: bytes) -> None:
    account, bills = crawl(md.Spider, "md", {LIST: body}, tmp_path / "o.jsonl", session="2026")
    assert (account.outcome == "failed" or account.rejected_count) and bills == []


def test_a_page_of_maryland_alone_is_a_bill(tmp_path: Path) -> None:
    page = next(url for url in sample("md") if "Details" in url)
    account, (bill,) = crawl(md.Spider, "md", {page: sample("md")[page]}, tmp_path / "o.jsonl", session="2026")
    assert bill["title"].startswith("Made-Up Income Tax Credit") and not account.complete
    assert [s["name"] for s in bill["sponsorships"]] == ["Sample", "Muster"]
    assert [r["relation_type"] for r in bill["related_bills"]] == ["companion", "prior-session"]


# ---------------------------------------------------------------- New Jersey


@pytest.fixture
def jersey(tmp_path: Path) -> nj.Spider:
    crawl(nj.Spider, "nj", sample("nj"), tmp_path / "o.jsonl", session="222")
    from tracker import jurisdictions

    place = jurisdictions.load().get("nj")
    spider = nj.Spider(place=place, source=place.sources[0], session="222", out=tmp_path / "p.jsonl")
    spider.committees = {"AHE": "Assembly Higher Education Committee"}
    return spider


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("INT 1RA REF AHE", "Introduced in the Assembly, Referred to Assembly Higher Education Committee"),
        ("INT 1RS SWR 2RS", "Introduced, 1st Reading without Reference, 2nd Reading"),
        ("R/S REF XYZ", "Received in the Senate, Referred to XYZ"),
        ("REP/ACA REF AHE", "Reported out of Assembly Committee with Amendments and Referred to Assembly Higher"),
        ("PA PBH", "Passed Assembly (Passed Both Houses)"),
        ("app w/liv", "Approved with Line Item Veto"),
        ("CV R/S  2RSG", "Conditional Veto, Received in the Senate, 2nd Reading on Concur with Governor's"),
        ("LSTS", "Lost in the Senate"),
        ("PA NEW", "PA NEW"),
        ("QQ", "QQ"),
    ],
)
def test_new_jersey_spells_codes_out(jersey: nj.Spider, code: str, words: str) -> None:
    assert jersey.spelled(code).startswith(words)


def test_new_jersey_every_code_of_the_table_is_known_to_the_rules() -> None:
    from tracker.actions import is_known

    unknown = sorted({words for words in nj.CODES.values() if not is_known("nj", words)})
    assert unknown == []


def test_broken_rows_are_mended_or_cost_only_themselves() -> None:
    body = (
        b"BillType,BillNumber,Synopsis\r\n"
        b'"A  ","1","Plain, with a comma."\r\n'
        b'"A  ","2","Has "quotes", and, commas"\r\n'
        b'"S  ","3","Runs over\r\ntwo lines"\r\n'
        b'"S  ","4","Never closed\r\n'
        b'"AJR","5","Fine \x96 again"\r\n'
        b'"SCR","6"\r\n'
    )
    rows, lost = tables.mended_rows(body, ["synopsis"], nj.BILL)
    assert [(row["billnumber"], row["synopsis"]) for row in rows] == [
        ("1", "Plain, with a comma."),
        ("2", 'Has "quotes", and, commas'),
        ("3", "Runs over two lines"),
        ("4", "Never closed"),
        ("5", "Fine – again"),
    ]
    assert lost == 1
    with pytest.raises(ValueError, match="no column 'synopsis'"):
        tables.mended_rows(b"a,b\r\n1,2", ["synopsis"], nj.BILL)


def test_new_jersey_numbers_may_be_decimals() -> None:
    assert nj.key_of({"billtype": "ACR ", "billnumber": "0012.00"}) == "ACR 12"
    rows, lost = tables.mended_rows(b"BillType,BillNumber\r\nA   , 12.00\r\nACR ,13\r\n", [], nj.BILL)
    assert (len(rows), lost) == (2, 0)


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, body in members.items():
            file.writestr(f"{name}.TXT", body)
    return packed.getvalue()


def test_new_jersey_without_side_tables_still_has_its_bills(tmp_path: Path) -> None:
    (url,) = sample("nj")
    only = {name: body for name, body in archives.members(sample("nj")[url], r"MAINBILL")}
    account, bills = crawl(
        nj.Spider, "nj", {url: zipped(MAINBILL=only["MAINBILL.TXT"])}, tmp_path / "o.jsonl", session="222"
    )
    assert len(bills) == 5 and {kind for kind, _, _ in account.issues} == {"broken_rows", "file"}
    account, bills = crawl(nj.Spider, "nj", {url: zipped(ROSTER=b"a")}, tmp_path / "o.jsonl", session="222")
    assert account.outcome == "failed" and "no MAINBILL.TXT" in account.reason
    account, _ = crawl(nj.Spider, "nj", {url: b"PK\x03\x04 damaged"}, tmp_path / "o.jsonl", session="222")
    assert account.outcome == "failed" and "damaged" in account.reason


def test_new_jersey_is_read_from_its_older_host(tmp_path: Path) -> None:
    (url,) = sample("nj")
    old = "https://pub.njleg.state.nj.us/leg-databases/2026data/DB2026_TEXT.zip"
    account, bills = crawl(nj.Spider, "nj", {old: sample("nj")[url]}, tmp_path / "o.jsonl", session="222")
    assert (account.outcome, len(bills)) == ("ok", 5)
    again, bills = crawl(
        nj.Spider, "nj", {old: sample("nj")[url]}, tmp_path / "b.jsonl", session="222", known=account.validators
    )
    assert (again.outcome, bills) == ("unchanged", [])


# ---------------------------------------------------------------- Pennsylvania


def test_pennsylvania_broken_off_is_no_crawl(tmp_path: Path) -> None:
    (url,) = sample("pa")
    ((_, xml),) = archives.members(sample("pa")[url], r"xml$")
    account, bills = crawl(pa.Spider, "pa", {url: xml}, tmp_path / "o.jsonl", session="2025-2026")
    assert len(bills) == 3, "the XML may come without its archive"
    account, _ = crawl(pa.Spider, "pa", {url: xml[: len(xml) // 2]}, tmp_path / "o.jsonl", session="2025-2026")
    assert account.outcome == "failed" and "broken XML" in account.reason


def test_pennsylvania_special_sessions_have_addresses_of_their_own(tmp_path: Path) -> None:
    (url,) = sample("pa")
    ((_, xml),) = archives.members(sample("pa")[url], r"xml$")
    special = xml.replace(b"<session>0</session>", b"<session>1</session>")
    there = url.replace("2025_0", "2025_1")
    account, bills = crawl(pa.Spider, "pa", {there: special}, tmp_path / "o.jsonl", session="2025_1")
    assert account.outcome == "ok"
    assert bills[0]["sources"][0]["url"].endswith("/legislation/bills/2025/1/hb9001")


# ---------------------------------------------------------------- Texas


def test_texas_lists_are_walked_once_and_stamps_save_files(tmp_path: Path) -> None:
    replies = sample("tx")
    first, bills = crawl(tx.Spider, "tx", replies, tmp_path / "a.jsonl", session="89R")
    assert (first.complete, len(bills), first.requests) == (True, 2, 9)
    again, bills = crawl(tx.Spider, "tx", replies, tmp_path / "b.jsonl", session="89R", known=first.validators)
    assert bills == [] and again.present == {"89R/HB 9001", "89R/SJR 9003"}
    # A recording that lacks the uppermost list is read from the lists that it has.
    part = {url: body for url, body in replies.items() if not url.endswith("/billhistory/")}
    third, bills = crawl(tx.Spider, "tx", part, tmp_path / "c.jsonl", session="89R")
    assert len(bills) == 2 and not any(kind == "duplicate" for kind, _, _ in third.issues)
    files = {url: body for url, body in replies.items() if url.endswith(".xml")}
    fourth, bills = crawl(tx.Spider, "tx", files, tmp_path / "d.jsonl", session="89R")
    assert (len(bills), fourth.complete) == (2, False)


def test_texas_companions_are_found_however_they_are_written(tmp_path: Path) -> None:
    url = next(url for url in sample("tx") if "9001.xml" in url)
    body = sample("tx")[url]
    for written in (
        b"SB 9002",
        b'<bill number="SB 9002"/>',
        b"<companion><billNumber>SB09002</billNumber></companion>",
    ):
        changed = body.replace(b"<companion>SB 9002</companion>", written)
        _, (bill,) = crawl(tx.Spider, "tx", {url: changed}, tmp_path / "o.jsonl", session="89R")
        assert [r["identifier"] for r in bill["related_bills"]] == ["SB 9002"]


def tree(folder: Path) -> Path:
    bills = folder / "bills/89R/billhistory/house_bills/HB00001_HB00099"
    bills.mkdir(parents=True)
    (folder / "bills/89R/billhistory/senate_resolutions").mkdir()
    (folder / "bills/89R/billhistory/history.xml").write_text("<history/>")
    for name, number in (("HB 1.xml", 1), ("HB00002.xml", 2)):
        head = f'<?xml version="1.0"?><billhistory bill="89(R) HB {number}"><caption>Made up.</caption>'
        (bills / name).write_text(f"{head}<authors>Sample | Muster</authors></billhistory>")
    return folder


def test_texas_is_crawled_from_a_real_ftp_server(tmp_path: Path) -> None:
    folder, out = tree(tmp_path / "ftp"), tmp_path / "o.jsonl"
    (folder / "bills/89R/billhistory/house_bills/HB00001_HB00099/HB00003.xml").write_bytes(b"x" * 100_000)
    command = [sys.executable, "-m", "tests.crawlers.ftp_crawl", str(folder), str(out), "20000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    manifest = json.loads(done.stdout.splitlines()[-1])
    assert (manifest["outcome"], manifest["bills"]) == ("ok", 2), done.stdout + done.stderr
    assert len(out.read_text().splitlines()) == 2
    (issue,) = manifest["issues"]
    assert "HB00003.xml" in issue["detail"] and "more than 20,000 bytes" in issue["detail"]
    assert not manifest["complete"] and manifest["requests"] >= 6
    assert manifest["logins"] <= 2, "one connection serves all requests, until one of them breaks it"


# ---------------------------------------------------------------- Illinois


@pytest.mark.parametrize(
    ("code", "identifier"), [("HB", "HB"), ("HJ", "HJR"), ("HJR", "HJR"), ("SC", "SJRCA"), ("SJRCA", "SJRCA")]
)
def test_illinois_letters(code: str, identifier: str) -> None:
    assert il.Spider.letters(il.Spider, code)[0] == identifier  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("Rep. A. Sample", ["A. Sample"]),
        (
            "Rep. A. Sample - B. Muster, C. Probe, Sr. and D. Andersen",
            ["A. Sample", "B. Muster", "C. Probe, Sr.", "D. Andersen"],
        ),
        ("Sen. Example-Sample and (Sen. Last)", ["Example-Sample and (Sen. Last"]),
        ("", []),
    ],
)
def test_illinois_sponsors(words: str, names: list[str]) -> None:
    box = etree.fromstring("<sponsor><sponsorhead>House Sponsors</sponsorhead><sponsors/></sponsor>")
    box[1].text = words
    found = list(il.sponsors(box))
    assert [s["name"] for s in found] == names
    assert [s["primary"] for s in found] == [True, *[False] * (len(names) - 1)][: len(names)]


def test_illinois_unchanged_files_are_not_asked_for(tmp_path: Path) -> None:
    first, bills = crawl(il.Spider, "il", sample("il"), tmp_path / "a.jsonl", session="104th")
    assert len(bills) == 3 and first.complete
    again, bills = crawl(il.Spider, "il", sample("il"), tmp_path / "b.jsonl", session="104th", known=first.validators)
    assert (again.requests, len(again.present), bills) == (1, 3, [])


# ---------------------------------------------------------------- Minnesota


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("05/23/2025", "2025-05-23"),
        ("05/272026", "2026-05-27"),
        ("Presented to Governor 05/19/25", "2025-05-19"),
        ("03/05/225", ""),
        ("13/45/2025", ""),
        ("", ""),
    ],
)
def test_minnesota_days(text: str, day: str) -> None:
    assert mn.day(text) == day


def test_minnesota_walks_its_lists_and_trusts_old_days_only(tmp_path: Path) -> None:
    replies = sample("mn")
    first, bills = crawl(mn.Spider, "mn", replies, tmp_path / "a.jsonl", session="2025-2026")
    assert len(bills) == 2
    again, bills = crawl(mn.Spider, "mn", replies, tmp_path / "b.jsonl", session="2025-2026", known=first.validators)
    assert bills == [] and len(again.present) == 2 and again.requests == 4
    fresh = {url: body.replace(b"05/23/2025</a>", b"12/31/2099</a>") for url, body in replies.items()}
    third, bills = crawl(mn.Spider, "mn", fresh, tmp_path / "c.jsonl", session="2025-2026", known=first.validators)
    assert third.requests == 5, "an action of today may be followed by another"


def test_a_new_hearing_in_minnesota_has_the_bill_read_again(tmp_path: Path) -> None:
    replies = sample("mn")
    first, _ = crawl(mn.Spider, "mn", replies, tmp_path / "a.jsonl", session="2025-2026")
    moved = replies | {mn.SCHEDULE: replies[mn.SCHEDULE].replace(b"09:30:00", b"10:30:00")}
    _, (bill,) = crawl(mn.Spider, "mn", moved, tmp_path / "b.jsonl", session="2025-2026", known=first.validators)
    assert (bill["identifier"], [h.get("time") for h in bill["hearings"]]) == (
        "HF 401",
        ["08:15", None, "10:30", "13:00"],
    )
    broken = replies | {mn.SCHEDULE: b"<html><body>We are sorry</body></html>"}
    third, bills = crawl(mn.Spider, "mn", broken, tmp_path / "c.jsonl", session="2025-2026")
    assert (third.outcome, len(bills)) == ("ok", 2) and "file" in [kind for kind, _, _ in third.issues]


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        (
            "<ACTION_TEXT>Author added</ACTION_TEXT><ACTION_DESCRIPTION>Sample</ACTION_DESCRIPTION>",
            "Author added Sample",
        ),
        ("<ACTION_TEXT>Referred to</ACTION_TEXT><C><COMMITTEE_NAME>Taxes</COMMITTEE_NAME></C>", "Referred to Taxes"),
        ("<ACTION_TEXT>Referred to Taxes</ACTION_TEXT><COMMITTEE_NAME>Taxes</COMMITTEE_NAME>", "Referred to Taxes"),
        ("<ACTION_TEXT>Second reading</ACTION_TEXT><ACTION_DESCRIPTION>x</ACTION_DESCRIPTION>", "Second reading"),
        ("<ACTION_DESCRIPTION>Laid over</ACTION_DESCRIPTION>", "Laid over"),
    ],
)
def test_minnesota_puts_a_text_together(inside: str, words: str) -> None:
    date = "<ACTION_DATE>02/06/2025</ACTION_DATE>"
    bill = etree.fromstring(f"<BILL><ACTIONS><house><ACTION>{inside}{date}</ACTION></house></ACTIONS></BILL>")
    assert [action["description"] for action in mn.actions(bill, "H")] == [words]


def test_minnesota_reads_results_in_xml(tmp_path: Path) -> None:
    files = {url: body for url, body in sample("mn").items() if "/v1/" in url}
    results = b"".join(
        b"<BILL_RESULT><FILE_TYPE>HF</FILE_TYPE><FILE_NUMBER>401</FILE_NUMBER><STATUS_XML_URI>"
        + url.removeprefix("https://").encode()
        + b"</STATUS_XML_URI></BILL_RESULT>"
        for url in files
    )
    url = "https://www.revisor.mn.gov/bills/status_result.php?body=House&session=0942025&bill=1-500&format=xml"
    replies = files | {url: b"<SEARCH_RESULTS>" + results + b"</SEARCH_RESULTS>"}
    _, bills = crawl(mn.Spider, "mn", replies, tmp_path / "o.jsonl", session="2025-2026")
    assert [bill["identifier"] for bill in bills] == ["HF 401", "SF 402"]


# ---------------------------------------------------------------- helpers


def test_listings_of_three_kinds() -> None:
    windows = b"06-22-25  02:05AM       <DIR>          HB00001_HB00099\r\n06-22-25  02:05AM    2045 HB 1.xml\r\n"
    unix = b"drwxr-xr-x   2 ftp  ftp   4096 Jun 22 02:05 sub\n-rw-r--r--   1 ftp  ftp   2045 Jun 22 02:05 HB 1.xml\n"
    page = (
        b'<pre><A HREF="/x/">[To Parent Directory]</A><br> 6/22/2025  2:05 AM   2045 <A HREF="/x/a%201.xml">a</A></pre>'
    )
    assert [tuple(e) for e in listings.entries(windows)] == [
        ("HB00001_HB00099", True, ""),
        ("HB%201.xml", False, "06-22-25 02:05AM 2045"),
    ]
    assert [tuple(e) for e in listings.entries(unix)] == [("sub", True, ""), ("HB%201.xml", False, "Jun 22 02:05 2045")]
    assert [tuple(e) for e in listings.entries(page)] == [("a%201.xml", False, "6/22/2025 2:05 AM 2045")]
    undated = b'<a href="../">up</a><a href="b.xml">b</a>'
    assert [tuple(e) for e in listings.entries(undated)] == [("b.xml", False, "")]
    with pytest.raises(ValueError, match="no listing"):
        list(listings.entries(b"530 not logged in"))


def test_xml_with_forbidden_bytes_and_without_entities() -> None:
    assert elements.text(elements.parse(b"<a><b>one\x0btwo</b></a>"), "b") == "one two"
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><bills><bill>&b;</bill><bill>x</bill></bills>'
    assert [elements.text(bill) for bill in elements.each(bomb, "bill")] == ["&b;", "x"]
    with pytest.raises(ValueError, match="broken XML"):
        list(elements.each(b"<bills><bill>1</bill><bill>", "bill"))
