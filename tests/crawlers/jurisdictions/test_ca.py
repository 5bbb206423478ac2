"""California: a real small dump where it is there, made-up tables always."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from crawlers import dry_run, ranges, tables
from crawlers.jurisdictions.ca import Spider
from crawlers.recording import Recording
from tests.crawlers.replies import crawl, in_memory, real, unknown_sessions
from tracker import jurisdictions
from tracker.text import extract

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


def test_a_session_that_nobody_entered_is_reported(tmp_path: Path) -> None:
    index = b'<a href="pubinfo_2025.zip">x</a><a href="pubinfo_2099.zip">x</a><a href="pubinfo_1999.zip">x</a>'
    replies = {DUMP: dump(), "https://downloads.leginfo.legislature.ca.gov/": index}
    account, _ = crawl(Spider, "ca", replies, tmp_path / "o.jsonl", session="20252026")
    assert unknown_sessions(account) == ["20992100"]


def test_texts_come_out_of_the_dump(tmp_path: Path) -> None:
    there = in_memory({DUMP: dump(), f"{DUMP}.zip": b"no archive"})
    _, (bill, *_) = crawl(Spider, "ca", {DUMP: dump()}, tmp_path / "o.jsonl", session="20252026")
    urls = [version["links"][0]["url"] for version in bill["versions"]]
    texts = Spider.texts_in(there, set(urls))
    url, kind, body = next(iter(texts))
    # The first version's file is not in the dump.
    assert (url, kind) == (urls[1], "text/xml")
    text = extract(body, jurisdiction="ca", media_type="text/xml").text
    assert text.startswith("An act, relating to matters.")
    assert "Existing law is new." in text and "old" not in text and "Made-up matters" not in text


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


class Ranges(Recording):
    """A site that sends ranges of bytes of one file, or (``knows=False``) always all of it."""

    def __init__(self, body: bytes, *, knows: bool = True, validates: bool = False) -> None:
        self.body, self.knows, self.validates, self.sent = body, knows, validates, list[int]()
        self.path, self.damage = Path("memory"), ""
        self.replies = {}

    def response(self, request: Request) -> Response:
        if "#" not in request.url:
            return Response(request.url, 404, request=request)
        start, end = ranges.wanted(request.url) or (0, 0)
        asked = (request.headers.get("Range") or b"").decode()
        assert asked == "bytes=" + request.url.partition("#bytes=")[2]
        body = self.body[-end:] if start is None else self.body[start:end]
        body = body if self.knows else self.body
        etag = f'"{hash(self.body)}"'
        if self.validates and (request.headers.get("If-None-Match") or b"").decode() == etag:
            self.sent.append(0)
            return Response(request.url, 304, request=request)
        self.sent.append(len(body))
        self.replies[request.url] = (206 if self.knows else 200, [("ETag", etag)], body)
        return Response(request.url, 206 if self.knows else 200, headers={"ETag": etag}, body=body, request=request)


def live(site: Recording, out: Path, **more: Any) -> tuple[Any, list[dict[str, Any]]]:
    place = jurisdictions.load().get("ca")
    source = jurisdictions.load().sources_for("ca")[0]
    spider = Spider(place=place, source=source, session="20252026", out=out, **more)
    account = dry_run.run(spider, site)
    return account, [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def big(**changes: str | bytes | None) -> bytes:
    """A dump with so much that nobody reads that the end of the file does not hold its directory."""
    return dump(**{f"BILL_ANALYSIS_TBL_{n}.lob": os.urandom(100) for n in range(1500)}, **changes)


def test_live_only_the_tables_and_the_newest_texts_are_fetched(tmp_path: Path) -> None:
    body = big(**{"BILL_VERSION_TBL_9.lob": CAML})
    site = Ranges(body)
    account, bills = live(site, tmp_path / "a.jsonl")
    whole, everything = crawl(Spider, "ca", {DUMP: body}, tmp_path / "b.jsonl", session="20252026")
    assert (account.outcome, account.complete, account.rejected) == ("ok", True, [])
    assert bills == everything and len(bills) == 3 and all(b["abstracts"] for b in bills)
    assert sum(site.sent) < len(body) * 0.9
    # What was recorded so can be replayed, also without the texts.
    there = {url: reply[2] for url, reply in site.replies.items()}
    _, replayed = crawl(Spider, "ca", there, tmp_path / "c.jsonl", session="20252026")
    assert replayed == bills
    first = dict(list(there.items())[: 2 + 6])
    account, replayed = crawl(Spider, "ca", first, tmp_path / "d.jsonl", session="20252026")
    assert [b["title"] for b in replayed] == ["Amended matters.", "Budget."] and whole.rejected == []


def test_texts_that_did_not_move_are_not_fetched_again(tmp_path: Path) -> None:
    first, _ = live(Ranges(big(**{"BILL_VERSION_TBL_9.lob": CAML})), tmp_path / "a.jsonl")
    same = Ranges(big(**{"BILL_VERSION_TBL_9.lob": CAML}))
    again, bills = live(same, tmp_path / "b.jsonl", known=first.validators)
    # Packed anew, it is another file by its ETag, though nothing in it moved.
    assert (bills, again.complete, len(again.present)) == ([], True, 3)
    assert len(same.sent) > 2


@pytest.mark.parametrize("validates", [True, False])
def test_the_end_of_an_unchanged_dump_speaks_for_all_of_it(tmp_path: Path, validates: bool) -> None:
    body = big(**{"BILL_VERSION_TBL_9.lob": CAML})
    first, _ = live(Ranges(body), tmp_path / "a.jsonl")
    site = Ranges(body, validates=validates)
    again, bills = live(site, tmp_path / "b.jsonl", known=first.validators)
    assert (again.outcome, bills, len(site.sent)) == ("unchanged", [], 1)
    assert sum(site.sent) == (0 if validates else ranges.TAIL)


@pytest.mark.parametrize("cut", [10, 3000])
def test_a_site_without_ranges_and_a_broken_file(tmp_path: Path, cut: int) -> None:
    body = big(**{"BILL_VERSION_TBL_9.lob": CAML})
    account, bills = live(Ranges(body, knows=False), tmp_path / "a.jsonl")
    assert (account.reason, len(bills), account.requests) == ("", 3, 2)
    account, bills = live(Ranges(body[:-cut]), tmp_path / "b.jsonl")
    assert (account.outcome, bills) == ("failed", [])


def test_a_file_of_very_many_members_keeps_its_directory_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    body = dump()
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        start = file.start_dir
    assert b"PK\x06\x06" in body
    assert ranges.directory(body[200:]) == (200, start)
    with pytest.raises(ValueError, match="not there"):
        ranges.directory(body[:-30])


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
