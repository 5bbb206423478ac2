"""California: the Legislative Counsel's public database, dumped into one zip file a session.

Source: https://downloads.leginfo.legislature.ca.gov/pubinfo_2025.zip: tables (.dat: tabs, text in backticks, NULL) and
the texts as files (.lob, CAML XML). 1.3 GB; the tables lie in it at known places, so that only they and the newest
texts are asked for. Terms: public domain by law (Government Code 10248). The site's pages are bound to a session
and never crawled.
Sessions: 20252026 of two years; its bills' ids begin with it and the session's number: 0 regular, 1 the first
extraordinary session, which is a session of its own here.
Oddities: both houses count from 1, so nothing is joined on a number alone; rows come in no order; versions are
numbered downwards from 99; single lines in another encoding than the rest; the digest of an amended version carries
what was deleted in processing instructions.
History: 2026-11 written on a small dump of 2025-26.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

from scrapy.http import Response

from crawlers import ranges, tables
from crawlers.archives import Archive
from crawlers.elements import named, parse
from crawlers.gathering import GatherSpider
from crawlers.recording import Recording
from tracker import jurisdictions

SITE = "https://downloads.leginfo.legislature.ca.gov"
PAGES = "https://leginfo.legislature.ca.gov/faces"
BILL = re.compile(r"^(\d{8})(\d)([A-Z]+)(\d+)$")
VERSION = re.compile(r"^(\d{4})(\d)([A-Z]+)(\d+)(\d\d)[A-Z]+$")
# Columns by place; a table's further ones are not needed.
TABLES = {
    "BILL_TBL": "bill_id session_year session_num measure_type measure_num measure_state chapter_year chapter_type"
    " chapter_session_num chapter_num latest_bill_version_id",
    "BILL_VERSION_TBL": "bill_version_id bill_id version_num date action request_num subject vote_required"
    " appropriation fiscal_committee local_program substantive_changes urgency taxlevy lob active",
    "BILL_VERSION_AUTHORS_TBL": "bill_version_id type house name contribution committee active uid update primary",
    "BILL_HISTORY_TBL": "bill_id id date action uid update sequence code status primary secondary ternary end_status",
    "BILL_ANALYSIS_TBL": "id bill_id house type committee_code committee_name author date amended page_num lob",
    "COMMITTEE_HEARING_TBL": "bill_id committee_type committee_nr date location_code",
    "LOCATION_CODE_TBL": "session_year location_code location_type consent_calendar_code description long_description",
    "VETO_MESSAGE_TBL": "bill_id date lob",
}
KINDS = {
    "AB": "bill",
    "SB": "bill",
    "ACA": "constitutional amendment",
    "SCA": "constitutional amendment",
    "ACR": "concurrent resolution",
    "SCR": "concurrent resolution",
    "AJR": "joint resolution",
    "SJR": "joint resolution",
    "HR": "resolution",
    "SR": "resolution",
}
HOUSES = {"A": "lower", "H": "lower", "S": "upper"}
PLACES = {"Assembly": "lower", "Senate": "upper", "Governor": "executive", "Secretary of State": "executive"}
PLACES |= {"CX": "lower", "CS": "upper"}
AUTHORS = {"LEAD_AUTHOR": "author", "PRINCIPAL_COAUTHOR": "principal coauthor", "COAUTHOR": "coauthor"}


class Spider(GatherSpider):
    """One record a row of BILL_TBL, with the rows of the other tables that carry its id."""

    kinds = {"zip": r"/pubinfo_\w+\.zip$", "part": r"/pubinfo_\w+\.zip#bytes="}  # noqa: RUF012 - declarative
    bills = ("zip",)
    lists_tell = True
    sessions_url = f"{SITE}/"

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.archives: list[Archive] = []
        self.committees: dict[str, str] = {}
        self.sparse, self.directory = ranges.Sparse(), 0

    @classmethod
    def session_in(cls, recording: Recording) -> str:
        """The two years of a session's dump; the daily ones do not tell, so they are of the newest that we know."""
        years = [int(found[1]) for url in recording.urls() if (found := re.search(r"/pubinfo_(\d{4})\.zip", url))]
        regular = [s.identifier for s in jurisdictions.load().get("ca").sessions if s.classification == "primary"]
        return f"{years[0]}{years[0] + 1}" if years else max(regular)

    @classmethod
    def texts_in(cls, recording: Recording, wanted: Container[str]) -> Iterable[tuple[str, str, bytes]]:
        """The CAML texts of a dump, under the addresses of their pages."""
        for url, (_, _, body) in recording.replies.items():
            archive = Archive(body) if url.endswith(".zip") else None
            if archive is None or "BILL_VERSION_TBL.dat" not in archive:
                continue
            table = archive.read("BILL_VERSION_TBL.dat")
            for row in tables.quoted_rows(table, TABLES["BILL_VERSION_TBL"].split()):
                address = pdf(row.get("bill_id", ""), row["bill_version_id"])
                if address in wanted and row.get("lob", "") in archive:
                    yield address, "text/xml", archive.read(row["lob"])

    def site_sessions(self, response: Response) -> Iterable[str]:
        newest = max(session.identifier for session in self.place.sessions)
        years = re.findall(rb"pubinfo_(\d{4})\.zip", response.body)
        return sorted({found for year in years if (found := f"{int(year)}{int(year) + 1}") > newest})

    def plan(self) -> Iterable[str]:
        yield ranges.part(self.dump(), None, ranges.TAIL)

    def proves(self, url: str, response: Response) -> bool:
        # All parts are of one file: when its validator is the old one, none of them changed.
        etag = (response.headers.get("ETag") or b"").decode("latin-1")
        return url in self.plan() and (response.status == 304 or (bool(etag) and etag == self.known[url].get("etag")))

    def dump(self) -> str:
        """The address of the session's dump."""
        return f"{SITE}/pubinfo_{self.site_session()[:4]}.zip"

    def headers(self, url: str) -> Mapping[str, str]:
        return ranges.header(url)

    def further(self, kind: str, response: Response) -> Iterable[str]:
        """After the end of the dump the rest of its directory, then the tables."""
        if not self.sparse.holds(self.directory, self.sparse.size):
            yield ranges.part(self.dump(), self.directory, min(s for s in self.sparse.parts if s > self.directory))
            return
        archive = Archive(self.sparse)
        for table in TABLES:
            if f"{table}.dat" in archive and not self.sparse.holds(*archive.span(f"{table}.dat")):
                yield ranges.part(self.dump(), *archive.span(f"{table}.dat"))

    def items(self, kind: str, response: Response) -> Iterable[Any]:
        if kind == "zip":
            return self.rows(Archive(response.body))
        start, end = ranges.wanted(response.request.url if response.request else response.url) or (0, 0)
        if len(response.body) > end - (start or 0):
            start = 0  # the site does not know ranges and sent all of it
        elif start is None:
            start, self.directory = ranges.directory(response.body)
        self.sparse.add(start, response.body)
        return ()

    def assemble(self) -> Iterable[tuple[str, Any]]:
        if self.sparse.parts:
            yield from (("zip", row) for row in self.rows(Archive(self.sparse)))

    def rows(self, archive: Archive) -> Iterable[tuple[str, dict[str, str]]]:
        """(table, row) of all that the spider reads."""
        self.archives.append(archive)
        for table, columns in TABLES.items():
            if f"{table}.dat" in archive:
                for row in tables.quoted_rows(archive.read(f"{table}.dat"), columns.split()):
                    yield table, row

    def details(self, key: str) -> Iterable[str]:
        newest, _ = self.versions(key)
        lob = newest.get("lob", "")
        if lob and self.sparse.parts and lob in self.archives[-1] and not self.there(self.archives[-1], lob):
            yield ranges.part(self.dump(), *self.archives[-1].span(lob))

    def there(self, archive: Archive, name: str) -> bool:
        """Whether a member of the dump was fetched."""
        return not self.sparse.parts or self.sparse.holds(*archive.span(name))

    def key(self, kind: str, item: Any, url: str) -> str:
        table, row = item
        if table == "LOCATION_CODE_TBL":
            self.committees[row["location_code"]] = row.get("long_description") or row.get("description") or ""
            return ""
        if "bill_id" in row:
            return str(row["bill_id"])
        found = VERSION.match(row["bill_version_id"])
        return f"{found[1]}{int(found[1]) + 1}{found[2]}{found[3]}{found[4]}" if found else ""

    def rows_of(self, bill_id: str, table: str) -> list[dict[str, str]]:
        """A bill's rows of one table; of rows with the same id the last one counts."""
        rows = [row for name, row in self.found["zip"][bill_id] if name == table]
        return list({row.get("id") or row.get("bill_version_id") or at: row for at, row in enumerate(rows)}.values())

    def record(self, row: str) -> dict[str, Any] | None:
        bills = [found for name, found in self.found["zip"][row] if name == "BILL_TBL"]
        if not bills:
            return None
        found = BILL.match(row)
        if found is None:
            raise ValueError(f"{row[:40]!r} is no bill id")
        years, number, kind = found[1], found[2], found[3]
        newest, versions = self.versions(row)
        text_of = self.caml(newest.get("lob", ""))
        titles = (
            *(v["subject"] for v in (newest, *reversed(versions)) if v),
            text_of.get("Subject"),
            text_of.get("Title"),
        )
        appropriates = newest.get("appropriation") == "Yes" and KINDS.get(kind) == "bill"
        page = f"{PAGES}/billNavClient.xhtml?bill_id={row}"
        digest = text_of.get("DigestText")
        return {
            "legislative_session": years if number == "0" else f"{years} Special Session {number}",
            "identifier": f"{kind} {found[4]}",
            "title": next(filter(None, titles), ""),
            "chamber": HOUSES.get(kind[0], ""),
            "classification": [KINDS.get(kind, "bill"), *(["appropriation"] if appropriates else [])],
            "abstracts": [{"abstract": digest, "note": "Legislative Counsel's digest"}] if digest else [],
            "actions": self.actions(row),
            "sponsorships": self.authors(row, newest, versions),
            "versions": [version(row, v) for v in versions],
            "documents": [
                *(analysis(row, a) for a in sorted(self.rows_of(row, "BILL_ANALYSIS_TBL"), key=lambda a: a["date"])),
                *(
                    {"note": "Veto message", "date": v["date"][:10], "links": [{"url": page}]}
                    for v in self.rows_of(row, "VETO_MESSAGE_TBL")
                ),
            ],
            "hearings": self.hearings(row),
            "sources": [{"url": page}],
            "extras": {"official_title": text_of["Title"]} if text_of.get("Title") else {},
        }

    def versions(self, bill_id: str) -> tuple[dict[str, str], list[dict[str, str]]]:
        """(the current version, all of them, oldest first)."""
        versions = sorted(self.rows_of(bill_id, "BILL_VERSION_TBL"), key=lambda v: -int(v["version_num"]))
        latest = [row["latest_bill_version_id"] for name, row in self.found["zip"][bill_id] if name == "BILL_TBL"]
        newest = next((v for v in versions if v["bill_version_id"] in latest[-1:]), {})
        return newest or (versions[-1] if versions else {}), versions

    def caml(self, lob: str) -> dict[str, str]:
        """Title, subject and digest of a text, where the dump holds it."""
        archive = next((a for a in reversed(self.archives) if lob and lob in a and self.there(a, lob)), None)
        if archive is None:
            return {}
        root = parse(archive.read(lob))
        parts = {name: next(named(root, name), None) for name in ("Title", "Subject", "DigestText")}
        return {name: plain(part) for name, part in parts.items() if part is not None}

    def actions(self, bill_id: str) -> list[dict[str, str]]:
        """The history by day, then by its own numbers."""
        rows = self.rows_of(bill_id, "BILL_HISTORY_TBL")
        rows.sort(key=lambda h: (h["date"][:10], int(h.get("sequence") or 0), int(h["id"])))
        return [{"date": h["date"], "description": h["action"], "chamber": actor(h)} for h in rows if h["action"]]

    def authors(self, bill_id: str, newest: dict[str, str], versions: list[dict[str, str]]) -> list[dict[str, Any]]:
        """The authors of the newest version that names any."""
        rows = [row for name, row in self.found["zip"][bill_id] if name == "BILL_VERSION_AUTHORS_TBL"]
        order = [v.get("bill_version_id") for v in (newest, *reversed(versions))] + [
            r["bill_version_id"] for r in rows[-1:]
        ]
        last = next((v for v in order if any(r["bill_version_id"] == v for r in rows)), None)
        return [
            {
                "name": r["name"],
                "classification": AUTHORS.get(r["contribution"], r["contribution"].replace("_", " ").lower()),
                "primary": r.get("primary", "Y" if r["contribution"] == "LEAD_AUTHOR" else "") == "Y",
                "entity_type": "person" if r["type"] == "Legislator" else "organization",
            }
            for r in rows
            if r["bill_version_id"] == last and r["name"]
        ]

    def hearings(self, bill_id: str) -> list[dict[str, str]]:
        """Committee hearings: day and committee, no hour."""
        rows = [row for name, row in self.found["zip"][bill_id] if name == "COMMITTEE_HEARING_TBL"]
        return [
            {
                "date": h["date"],
                "timezone": self.place.time_zone,
                "committee": self.committees.get(h["location_code"], h["location_code"]),
            }
            for h in sorted(rows, key=lambda h: h["date"])
        ]


def plain(part: Any) -> str:
    """The text of an element, a blank between its paragraphs."""
    return " ".join(" ".join(part.itertext()).split()) if len(part) else " ".join((part.text or "").split())


def actor(row: dict[str, str]) -> str:
    """Where the bill was when it happened; the governor's own acts are the executive's."""
    if re.match(r"(?:approved|vetoed|signed) by (?:the )?governor", row["action"].lower()):
        return "executive"
    return PLACES.get(row.get("primary", "")) or PLACES.get(row.get("primary", "")[:2]) or "legislature"


def pdf(bill_id: str, version_id: str) -> str:
    """The address of a text."""
    return f"{PAGES}/billPdf.xhtml?bill_id={bill_id}&version={version_id}"


def version(bill_id: str, row: dict[str, str]) -> dict[str, Any]:
    """A published text."""
    links = [{"url": pdf(bill_id, row["bill_version_id"]), "media_type": "application/pdf"}]
    return {"note": row["action"], "date": row["date"][:10], "links": links}


def analysis(bill_id: str, row: dict[str, str]) -> dict[str, Any]:
    """A committee's or the floor's analysis."""
    links = [{"url": f"{PAGES}/billAnalysisClient.xhtml?bill_id={bill_id}", "media_type": "text/html"}]
    return {"note": f"Analysis: {row['committee_name']}", "date": row["date"][:10], "links": links}
