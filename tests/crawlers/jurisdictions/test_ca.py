"""California: a real small dump where it is there, made-up tables always."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crawlers import tables
from crawlers.jurisdictions.ca import Spider
from crawlers.recording import Recording
from tests.crawlers.replies import crawl, real

DUMP = "https://downloads.leginfo.legislature.ca.gov/pubinfo_2025.zip"
CAML = (
    '<?xml version="1.0"?><caml:MeasureDoc xmlns:caml="http://lc.ca.gov/legalservices/schemas/caml.1#" '
    'xmlns="http://www.w3.org/1999/xhtml"><caml:Title> An act, relating to matters. </caml:Title>'
    "<caml:GeneralSubject><caml:Subject>Made-up matters.</caml:Subject></caml:GeneralSubject><caml:DigestText>"
    '<p>Existing law is <?xm-deletion_mark data=" old"?><?xm-insertion_mark_start?>new<?xm-insertion_mark_end?>.</p>'
    "<p>This bill would make up matters.</p></caml:DigestText></caml:MeasureDoc>"
)


def line(*values: Any) -> str:
    return "\t".join("NULL" if v is None else str(v) if isinstance(v, int) else f"`{v}`" for v in values) + "\n"


def history(bill: str, number: int, day: str, sequence: int, text: str, where: str | None) -> str:
    moment = f"{day} 00:00:00"
    return line(bill, number, moment, text, "U", "2025-01-01", sequence, "1", "Applied", where, None, None, None)


def dump(**changes: str | bytes | None) -> bytes:
    """Two bills of one number, and one of the extraordinary session."""
    bills = ("202520260AB1", "202520260SB1", "202520261AB1")
    newest = {"202520260AB1": "20250AB198AMD", "202520260SB1": "20250SB199INT", "202520261AB1": "20251AB199INT"}
    bill = "".join(
        line(b, "20252026", b[8], b[9:11], 1, "Amended", None, None, None, None, newest[b], "Y", "U", "x")
        for b in bills
    )
    version = "".join(
        line(
            v,
            b,
            n,
            f"2025-0{m}-02 00:00:00",
            a,
            None,
            s,
            "Majority",
            "Yes",
            "No",
            "No",
            "No",
            "No",
            "No",
            lob,
            "Y",
            "U",
            "x",
        )
        for v, b, n, m, a, s, lob in (
            ("20250AB198AMD", bills[0], 98, 3, "Amended Assembly", "Amended matters.", "BILL_VERSION_TBL_2.lob"),
            ("20250AB199INT", bills[0], 99, 1, "Introduced", "Old matters.", "BILL_VERSION_TBL_1.lob"),
            ("20250SB199INT", bills[1], 99, 1, "Introduced", None, "BILL_VERSION_TBL_2.lob"),
            ("20251AB199INT", bills[2], 99, 1, "Introduced", "Budget.", "BILL_VERSION_TBL_9.lob"),
        )
    )
    author = line("20250AB199INT", "Legislator", "ASSEMBLY", "Old", "LEAD_AUTHOR", None, "Y", "U", "x", "Y")
    author += line("20250AB198AMD", "Legislator", "ASSEMBLY", "Limón", "LEAD_AUTHOR", None, "Y", "U", "x", "Y")
    author += line("20250AB198AMD", "Legislator", "SENATE", "Second", "PRINCIPAL_COAUTHOR", None, "Y", "U", "x", "N")
    author += line(
        "20250SB199INT", "Committee", "SENATE", "Committee on Rules", "LEAD_AUTHOR", None, "Y", "U", "x", "Y"
    )
    actions = history(bills[0], 12, "2025-05-01", 3, "Read third time.\nPassed. `Quoted.", "Assembly")
    actions += history(bills[0], 11, "2025-01-02", 1, "Read first time.  To print.", "Assembly")
    actions += history(bills[0], 13, "2025-10-01", 4, "Vetoed by the Governor.", "Assembly")
    actions += history(bills[0], 14, "2025-05-02", 3, "Referred to Com. on ED.", "CS44")
    tables_ = {
        "BILL_TBL.dat": bill,
        "BILL_VERSION_TBL.dat": version,
        "BILL_VERSION_AUTHORS_TBL.dat": author,
        "BILL_HISTORY_TBL.dat": actions,
        "LOCATION_CODE_TBL.dat": line(
            "20252026", "CS44", "C", None, "Sen. Education", "Senate Education Committee", "Y"
        ),
        "COMMITTEE_HEARING_TBL.dat": line(bills[0], "C", 1, "2025-06-18 00:00:00", "CS44", "U", "x"),
        "BILL_VERSION_TBL_2.lob": CAML,
        "BILL_VERSION_TBL_9.lob": "no xml",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in {**tables_, **changes}.items():
            if body is not None:
                file.writestr(name, body)
    return packed.getvalue()


def test_tables_make_bills_that_are_never_mixed_up(tmp_path: Path) -> None:
    account, bills = crawl(Spider, "ca", {DUMP: dump()}, tmp_path / "o.jsonl", session="20252026")
    assert account.outcome == "ok"
    # The text of the third cannot be read; that costs this bill alone.
    assert [r["identifier"] for r in account.rejected] == ["202520261AB1"]
    assembly, senate = bills
    assert (assembly["identifier"], assembly["title"], assembly["chamber"]) == ("AB 1", "Amended matters.", "lower")
    assert assembly["classification"] == ["bill", "appropriation"]
    assert [(a["date"], a["chamber"], a["description"]) for a in assembly["actions"]] == [
        ("2025-01-02", "lower", "Read first time. To print."),
        ("2025-05-01", "lower", "Read third time. Passed. `Quoted."),
        ("2025-05-02", "upper", "Referred to Com. on ED."),
        ("2025-10-01", "executive", "Vetoed by the Governor."),
    ]
    assert [(s["name"], s.get("primary", True)) for s in assembly["sponsorships"]] == [
        ("Limón", True),
        ("Second", False),
    ]
    assert [v["note"] for v in assembly["versions"]] == ["Introduced", "Amended Assembly"]
    assert assembly["abstracts"][0]["abstract"] == "Existing law is new. This bill would make up matters."
    assert assembly["hearings"][0]["committee"] == "Senate Education Committee"
    assert (senate["identifier"], senate["title"]) == ("SB 1", "Made-up matters.")
    assert senate["sponsorships"][0]["entity_type"] == "organization"


def test_a_special_session_is_one_of_its_own(tmp_path: Path) -> None:
    replies = {DUMP: dump(**{"BILL_VERSION_TBL_9.lob": None})}
    _, bills = crawl(Spider, "ca", replies, tmp_path / "o.jsonl", session="20252026")
    assert [(b["legislative_session"], b["identifier"]) for b in bills][2] == ("20252026 Special Session 1", "AB 1")
    assert bills[2]["title"] == "Budget."


@pytest.mark.parametrize(
    "body", [b"", b"PK\x03\x04", dump()[:900], b"<html>Request Rejected</html>", dump(**{"BILL_TBL.dat": None})]
)
def test_a_dump_that_is_none_fails_the_crawl_or_gives_nothing(tmp_path: Path, body: bytes) -> None:
    account, bills = crawl(Spider, "ca", {DUMP: body}, tmp_path / "o.jsonl", session="20252026")
    assert bills == []
    assert account.outcome == "failed" or account.bills == 0


def test_broken_lines_cost_only_themselves() -> None:
    rows = "`a`\t1\t`x`\n`b`\t2\n`c`\t3\t`z`\n`d`\t4\t`two\nlines`\n`e`\t5\t`sm\u00f3ke`\n"
    body = rows.encode().replace("ó".encode(), b"\xf3")
    found = list(tables.quoted_rows(body + b"`f`\t6", ("name", "number", "text")))
    assert [row["name"] for row in found] == ["a", "c", "d", "e"]
    assert [row["text"] for row in found][2:] == ["two lines", "smóke"]


def test_the_real_dump_is_read_whole(shared: Path, tmp_path: Path) -> None:
    recording = Recording(shared / "recordings/ca-2025-mini.warc.gz")
    account, bills = real(recording, "ca", tmp_path / "o.jsonl")
    with zipfile.ZipFile(io.BytesIO(recording.replies[DUMP][2])) as file:
        raw = {n: file.read(n).decode().splitlines() for n in file.namelist() if n.endswith(".dat")}
    assert (account.outcome, account.rejected) == ("ok", [])
    assert len(bills) == len(raw["BILL_TBL.dat"]) == 4
    histories = Counter(row.split("`")[1] for row in raw["BILL_HISTORY_TBL.dat"])
    versions = Counter(row.split("`")[3] for row in raw["BILL_VERSION_TBL.dat"])
    for bill in bills:
        key = f"202520260{bill['identifier'].replace(' ', '')}"
        assert (len(bill["actions"]), len(bill["versions"])) == (histories[key], versions[key])
        assert bill["abstracts"][0]["abstract"].startswith("Existing law")
    vetoed = next(b for b in bills if b["identifier"] == "SB 275")
    assert [s["name"] for s in vetoed["sponsorships"]] == ["Smallwood-Cuevas", "Limón"]
    assert (vetoed["title"], vetoed["actions"][0]["date"]) == ("Eligible training provider list.", "2025-02-04")
