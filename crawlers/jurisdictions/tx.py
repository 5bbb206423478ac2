"""Texas: the bill history files of Texas Legislature Online, on its FTP server.

Source: ftp://ftp.legis.state.tx.us/bills/{session}/billhistory/, one XML file a bill in folders of a hundred, no key
(anonymous), rebuilt about 02:00; the folders' listings say when a file changed. Terms: bulk users are asked to take the
FTP server instead of the pages; it refuses connections after bursts, and gives about one file a second.
Sessions: number of the legislature and R or the number of a called session: 89R, 891.
Oddities: numbers that were not filed have a file that says "Bill does not exist"; names are divided by bars; an
action's date may stand in its comment ("Scheduled for public hearing on . . ."); a version may be an empty element.
History: 2026-11 written on the facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from scrapy.http import Response

from crawlers import blocked, dates, elements, listings
from crawlers.spider import DetailSpider

CHAMBERS = {"H": "lower", "S": "upper", "E": "executive"}
HOUSES = {"lower": "House", "upper": "Senate"}
KINDS = {"B": "bill", "R": "resolution", "CR": "concurrent resolution", "JR": "joint resolution"}
NUMBER = re.compile(r"\b([HS](?:B|CR|JR|R)) ?0*(\d+)\b")
DAY = re.compile(r"\b\d{1,2}/\d{1,2}/\d{4}\b")
# Elements of sponsors: what they are, and whether they come first.
SPONSORS = {"authors": "author", "coauthors": "coauthor", "sponsors": "sponsor", "cosponsors": "cosponsor"}
LINKS = {"webhtmlurl": "text/html", "webpdfurl": "application/pdf", "ftphtmlurl": "text/html"}
DOCUMENTS = {"analysis": "Bill Analysis", "fiscalNote": "Fiscal Note", "witnessListCommittee": "Witness List"}


class Spider(DetailSpider):
    """One record a bill history file."""

    expected = "any"
    session_url = r"(?i)/bills/(\d\d[0-9R])/billhistory/"

    def listing(self) -> Iterable[str]:
        return [f"ftp://ftp.legis.state.tx.us/bills/{self.site_session()}/billhistory/"]

    def is_list(self, url: str) -> bool:
        return bool(re.search(r"(?i)/billhistory/(.*/)?$", url))

    def is_detail(self, url: str) -> bool:
        return bool(re.search(r"(?i)/billhistory/.+/[hs](b|cr|jr|r)(%20| )?\d+\.xml$", url))

    def usable(self, response: Response, expected: blocked.Expected | None = None) -> str:
        # Nothing of a kind was filed yet: the folder is there and empty.
        empty_folder = self.is_list(response.url) and response.status == 200 and not response.body.strip()
        return "" if empty_folder else super().usable(response, expected)

    def listed(self, response: Response) -> Iterable[tuple[str, str]]:
        for entry in listings.entries(response.body):
            if entry.folder and re.search(r"(?i)/(house|senate)_", f"{response.url}{entry.path}"):
                yield f"{response.url}{entry.path}/", ""
            elif self.is_detail(f"{response.url}{entry.path}"):
                yield f"{response.url}{entry.path}", entry.stamp

    def record(self, row: Any) -> dict[str, Any] | None:
        bill = elements.parse(row.body)
        found = NUMBER.search((bill.get("bill") or "").upper())
        title = elements.text(bill, "caption")
        if found is None:
            raise ValueError(f"the file names no bill: {(bill.get('bill') or '')[:40]!r}")
        if not title or "does not exist" in title.lower():
            return None
        letters, number = found[1], found[2]
        chamber = CHAMBERS[letters[0]]
        site = "https://capitol.texas.gov/BillLookup/History.aspx"
        return {
            "identifier": f"{letters} {number}",
            "title": title,
            "chamber": chamber,
            "classification": [KINDS[letters[1:]]],
            "subject": [words for item in elements.named(bill, "subject") if (words := elements.text(item))],
            "actions": [a for a in map(action, bill.iterfind("{*}actions/{*}action")) if a],
            "sponsorships": [s for name, kind in SPONSORS.items() for s in sponsors(elements.text(bill, name), kind)],
            "versions": documents(bill, "bill", ""),
            "documents": [d for name, note in DOCUMENTS.items() for d in documents(bill, name, note)],
            "related_bills": self.companions(bill, f"{letters} {number}"),
            "hearings": list(self.hearings(bill)),
            "sources": [{"url": f"{site}?LegSess={self.site_session()}&Bill={letters}{number}"}],
        }

    def companions(self, bill: Any, own: str) -> list[dict[str, str]]:
        """Bills named as companions, in whatever form they are written."""
        box = bill.find("{*}companions")
        parts = [] if box is None else [f"{item.text or ''} {' '.join(item.attrib.values())}" for item in box.iter("*")]
        names = dict.fromkeys(f"{found[1]} {found[2]}" for found in NUMBER.finditer(" ".join(parts).upper()))
        return [
            {"identifier": name, "legislative_session": self.session, "relation_type": "companion"}
            for name in names
            if name != own
        ]

    def hearings(self, bill: Any) -> Iterable[dict[str, str]]:
        """Public hearings that were scheduled; the day stands in the comment, the committee at the bill's chambers."""
        for item in bill.iterfind("{*}actions/{*}action"):
            on = DAY.search(elements.text(item, "comment"))
            if on and "scheduled for" in elements.text(item, "description").lower():
                chamber = CHAMBERS.get(elements.text(item, "actionNumber")[:1], "")
                box = bill.find(f"{{*}}committees/{{*}}{HOUSES.get(chamber, 'x').lower()}")
                name = box.get("name", "") if box is not None else ""
                committee = f"{HOUSES.get(chamber, '')} {name}".strip()
                day = dates.day(on[0], "%m/%d/%Y")
                yield {"date": day, "timezone": self.place.time_zone, "committee": committee}


def action(item: Any) -> dict[str, str] | None:
    """An action with its comment; the letter of its number says whose it is. None without date or text."""
    text, on = elements.text(item, "description"), elements.text(item, "date")
    comment, letter = elements.text(item, "comment"), elements.text(item, "actionNumber")[:1]
    if not text or not on:
        return None
    chamber = CHAMBERS.get(letter, "legislature")
    return {
        "date": dates.day(on, "%m/%d/%Y", "%m/%d/%y"),
        "description": f"{text} {comment}".strip(),
        "chamber": chamber,
    }


def sponsors(names: str, kind: str) -> list[dict[str, Any]]:
    """Names divided by bars. Authors are of the bill's house, sponsors of the other; both lead it there."""
    primary = not kind.startswith("co")
    found = dict.fromkeys(name.strip() for name in names.split("|"))
    return [{"name": name, "classification": kind, "primary": primary} for name in found if name]


def documents(bill: Any, name: str, note: str) -> list[dict[str, Any]]:
    """Versions of a kind of document: where people read them, and where the state wants robots to fetch them."""
    made = []
    for item in bill.iterfind(f"{{*}}billtext/{{*}}docTypes/{{*}}{name}/{{*}}versions/{{*}}version"):
        said = {part.tag.rpartition("}")[2].lower(): elements.text(part) for part in item}
        links = [
            {"url": re.sub("^http:", "https:", said[place]), "media_type": kind}
            for place, kind in LINKS.items()
            if "://" in said.get(place, "")
        ]
        words = said.get("versiondescription", "")
        if links:
            made.append({"note": f"{note} ({words})" if note and words else note or words, "links": links})
    return made
