"""Mississippi: the bill status files of the legislature.

Source: https://billstatus.ls.state.ms.us/{session}/pdf/all_measures/allmsrs.xml, no key: every measure with its last
action, and one XML file a measure. Terms: public; nobody noted a rule against automated use. The server leaves out its
intermediate certificate.
Sessions: the year, 20261E for the first extraordinary one.
Oddities: days have no year, so those of November and December are of the year before the session; a comma list in one
action names several committees; stray bytes that XML forbids; the texts' addresses are relative; no
hearings: the House's schedule names rooms and committees, but no bills; the Senate's agendas, which do, are PDF files
under an address that changes each year and that no page of known form names.
History: 2026-11 begun with `billtracker new-state`; action texts and addresses of documents on 4,089 measures as Open
States has them.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin

from crawlers import dates, elements, tables
from crawlers.spider import DetailSpider

SITE = "https://billstatus.ls.state.ms.us"
CHAMBERS = {"H": "lower", "S": "upper"}
KINDS = {"B": "bill", "C": "concurrent resolution", "R": "resolution", "N": "nomination"}
ACTION = re.compile(r"^(\d\d?)/(\d\d?)\s*(?:\(([HSG])\))?\s*(.+)$")
VERSIONS = {"INTRO": "As Introduced", "CMTESUB": "Committee Substitute", "PASSED": "As Passed the House or Senate"}
VERSIONS |= {"ASG": "As Approved by the Governor", "CURRENT": "Current version"}


class Spider(DetailSpider):
    """One record a measure's file."""

    expected = "xml"
    session_url = r"/(\d{4}(?:\dE)?)/pdf/(?:all_measures|history)/"

    def listing(self) -> Iterable[str]:
        return [f"{SITE}/{self.site_session()}/pdf/all_measures/allmsrs.xml"]

    def is_list(self, url: str) -> bool:
        return url.endswith("/allmsrs.xml")

    def is_detail(self, url: str) -> bool:
        return bool(re.search(r"/pdf/history/\w+/\w+\.xml$", url))

    def listed(self, response: Any) -> Iterable[tuple[str, str]]:
        for row in elements.named(elements.parse(response.body), "MSRGROUP"):
            yield urljoin(response.url, elements.text(row, "ACTIONLINK")), elements.text(row)

    def record(self, row: Any) -> dict[str, Any]:
        bill, name = elements.parse(row.body), row.url.rpartition("/")[2].removesuffix(".xml")
        title, long_title = (elements.first(bill, tag) for tag in ("SHORTTITLE", "LONGTITLE"))
        return {
            "identifier": name,
            "title": title,
            "chamber": CHAMBERS[name[0]],
            "classification": [KINDS[name[1]]],
            "abstracts": [{"abstract": long_title, "note": "long title"}] if long_title else [],
            "actions": [a for a in map(self.action, elements.texts(bill, "ACT_DESC")) if a],
            "sponsorships": list(sponsors(bill)),
            "versions": list(versions(bill, row.url)),
            "documents": list(amendments(bill, row.url)),
            "sources": [{"url": row.url}],
        }

    def action(self, words: str) -> dict[str, str]:
        """``01/13 (H) Referred To Education``; a line without a day is a ValueError."""
        found = ACTION.match(words)
        if found is None:
            raise ValueError(f"{words[:40]!r} is no action")
        month, chamber = int(found[1]), CHAMBERS.get(found[3] or "", "legislature")
        year = int(self.site_session()[:4]) - (month >= 11 and self.site_session().isdigit())
        actor = "executive" if re.search(r"by (?:the )?governor", found[4], re.IGNORECASE) else chamber
        return {"date": dates.day(f"{month}/{found[2]}/{year}", "%m/%d/%Y"), "description": found[4], "chamber": actor}


def sponsors(bill: Any) -> Iterable[dict[str, Any]]:
    """The principal author, then the others."""
    for at, name in enumerate([*elements.texts(bill, "P_NAME"), *elements.texts(bill, "CO_NAME")]):
        yield {"name": name, "classification": "cosponsor" if at else "primary", "primary": not at}


def versions(bill: Any, base: str) -> Iterable[dict[str, Any]]:
    """The texts, as HTML and, beside it, as PDF; the current one only where it is none of those before."""
    seen: set[str] = set()
    for tag, note in VERSIONS.items():
        url = urljoin(base, elements.first(bill, f"{tag}_OTHER"))
        if url != base and url not in seen:
            seen.add(url)
            pdf = re.sub(r"\.html?$", ".pdf", url.replace("/html/", "/pdf/"))
            links = [{"url": url, "media_type": "text/html"}, {"url": pdf, "media_type": "application/pdf"}]
            yield {"note": note, "links": links}


def amendments(bill: Any, base: str) -> Iterable[dict[str, Any]]:
    """Amendments and reports, with what became of them, and the veto message."""
    for box in elements.named(bill, "HAM", "SAM", "AMRPT"):
        said = {part.tag.rpartition("}")[2].partition("_")[2]: elements.text(part) for part in box}
        if said.get("PDF"):
            yield tables.file(" ".join(filter(None, map(said.get, ("DESC", "DISP")))), base, said["PDF"])
    if veto := elements.first(bill, "VETO_OTHER"):
        yield tables.file("Veto message", base, veto)
