"""United States Congress: BILLSTATUS, the bulk XML of the Government Publishing Office.

Source: https://www.govinfo.gov/bulkdata/BILLSTATUS, one file a measure, no key; a sitemap a congress and type
carries the time of each file's last change, so that only what moved is fetched. Terms: public domain.
Sessions: the number of the Congress ("119").
Oddities: two generations of element names are in use (billNumber/number, billSummaries/summaries, nested
item lists); the House and the Library of Congress each report the same action, so equal texts of one day are
kept once; a code below 10000 is the House's, below 28000 the Senate's, above the President's.
History: 2026-11 written on GPO's own samples of five Congresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lxml import etree
from scrapy.http import Response

from crawlers import tables
from crawlers.spider import DetailSpider

TYPES = ("hr", "s", "hjres", "sjres", "hconres", "sconres", "hres", "sres")
KINDS = {"HR": "bill", "S": "bill", "HJRES": "joint resolution", "SJRES": "joint resolution"}
KINDS |= {"HCONRES": "concurrent resolution", "SCONRES": "concurrent resolution"}
CHAMBERS = {"House": "lower", "Senate": "upper"}
PAGES = {"HR": "house-bill", "S": "senate-bill", "HJRES": "house-joint-resolution"}
PAGES |= {"SJRES": "senate-joint-resolution", "HCONRES": "house-concurrent-resolution"}
PAGES |= {"SCONRES": "senate-concurrent-resolution", "HRES": "house-resolution", "SRES": "senate-resolution"}
DETAIL = re.compile(r"/BILLSTATUS-(\d+)([a-z]+)(\d+)\.xml$")
# A parser that resolves nothing: a status file needs no entities, and a bomb is made of them.
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)


class Spider(DetailSpider):
    """One record a BILLSTATUS file."""

    expected = "xml"
    session_url = DETAIL.pattern

    def listing(self) -> Iterable[str]:
        base = "https://www.govinfo.gov/sitemap/bulkdata/BILLSTATUS"
        return [f"{base}/{self.session}{kind}/sitemap.xml" for kind in TYPES]

    def is_detail(self, url: str) -> bool:
        return bool(DETAIL.search(url))

    def listed(self, response: Response) -> Iterable[tuple[str, str]]:
        for entry in parse(response.body).iter("{*}url"):
            yield text(entry, "{*}loc"), text(entry, "{*}lastmod")

    def record(self, row: Response) -> dict[str, Any]:
        bill = parse(row.body).find("bill")
        if bill is None:
            raise ValueError("there is no <bill> in the file")
        kind = (text(bill, "billType") or text(bill, "type")).upper()
        number = text(bill, "billNumber") or text(bill, "number")
        congress = text(bill, "congress")
        if kind not in PAGES or not number.isdigit() or not congress.isdigit():
            raise ValueError(f"type {kind[:20]!r}, number {number[:20]!r}, congress {congress[:20]!r}")
        page = f"https://www.congress.gov/bill/{congress}th-congress/{PAGES[kind]}/{number}"
        return {
            "legislative_session": congress,
            "identifier": f"{kind} {number}",
            "title": text(bill, "title"),
            "chamber": CHAMBERS.get(text(bill, "originChamber"), ""),
            "classification": [KINDS.get(kind, "resolution")],
            "subject": list(dict.fromkeys(self.subjects(bill))),
            "abstracts": self.abstracts(bill),
            "actions": self.actions(bill),
            "sponsorships": [*sponsors(bill, "sponsors", True), *sponsors(bill, "cosponsors", False)],
            "versions": self.versions(bill),
            "related_bills": self.related(bill),
            "sources": [{"url": page}, {"url": row.url, "note": "BILLSTATUS"}],
        }

    def subjects(self, bill: Any) -> Iterable[str]:
        """The policy area and the Library's subject headings."""
        yield from filter(None, (text(x, "name") for x in bill.iterfind(".//policyArea")))
        yield from filter(None, (text(x, "name") for x in bill.iterfind(".//legislativeSubjects/item")))

    def abstracts(self, bill: Any) -> list[dict[str, str]]:
        """The Congressional Research Service's summaries, oldest first."""
        found = [*bill.iterfind("summaries/summary"), *bill.iterfind("summaries/billSummaries/item")]
        found.sort(key=lambda s: text(s, "actionDate"))
        made = [
            {"abstract": tables.plain(text(s, "text")), "note": text(s, "actionDesc") or text(s, "name")} for s in found
        ]
        return [s for s in made if s["abstract"]]

    def actions(self, bill: Any) -> list[dict[str, str]]:
        """The history, oldest first, each text of a day once."""
        made: dict[tuple[str, str], dict[str, str]] = {}
        for item in reversed(bill.findall("actions/item")):
            date, words = text(item, "actionDate"), text(item, "text")
            if date and words:
                entry = {"date": date, "description": words, "chamber": actor(item)}
                made.setdefault((date, words.lower().rstrip(". ")), entry)
        return sorted(made.values(), key=lambda a: a["date"])

    def versions(self, bill: Any) -> list[dict[str, Any]]:
        """Published texts, oldest first."""
        made = []
        for item in [*bill.iterfind("textVersions/item")]:
            urls = [text(f, "url") for f in item.iterfind("formats/item")]
            links = [{"url": url, "media_type": media_type(url)} for url in urls if url]
            made.append({"note": text(item, "type"), "date": text(item, "date")[:10], "links": links})
        return sorted(made, key=lambda v: str(v["date"]))

    def related(self, bill: Any) -> list[dict[str, str]]:
        """Measures that the Library or a chamber relates to this one."""
        made = []
        for item in bill.iterfind("relatedBills/item"):
            kind, number = text(item, "type").upper(), text(item, "number")
            if kind in PAGES and number:
                words = " ".join(text(x, "type") for x in item.iterfind("relationshipDetails/item")).lower()
                made.append(
                    {
                        "identifier": f"{kind} {number}",
                        "legislative_session": text(item, "congress"),
                        "relation_type": "companion" if "identical" in words else "related",
                    }
                )
        return made


def parse(body: bytes) -> Any:
    """The root element. Raises ValueError."""
    try:
        return etree.fromstring(body, PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"broken XML: {error}") from error


def text(element: Any, path: str) -> str:
    """The text at a path, stripped; "" where there is none."""
    found = element.find(path)
    return (found.text or "").strip() if found is not None else ""


def actor(item: Any) -> str:
    """Who acted, by the source system and its codes."""
    system = text(item, "sourceSystem/name")
    code = text(item, "actionCode")
    if text(item, "type") in ("President", "BecameLaw") or code.startswith("E"):
        return "executive"
    if system.startswith("House") or code.startswith("H") or (code.isdigit() and int(code) < 10_000):
        return "lower"
    if system.startswith("Senate") or (code.isdigit() and int(code) < 28_000):
        return "upper"
    return "legislature"


def sponsors(bill: Any, where: str, primary: bool) -> list[dict[str, Any]]:
    """Sponsors or cosponsors who have not withdrawn."""
    return [
        {
            "name": text(item, "fullName"),
            "classification": "sponsor" if primary else "cosponsor",
            "primary": primary,
        }
        for item in bill.iterfind(f"{where}/item")
        if text(item, "fullName") and not text(item, "sponsorshipWithdrawnDate")
    ]


def media_type(url: str) -> str:
    """By the address's ending."""
    endings = {".xml": "text/xml", ".pdf": "application/pdf", ".htm": "text/html", ".html": "text/html"}
    return next((kind for end, kind in endings.items() if url.lower().endswith(end)), "")
