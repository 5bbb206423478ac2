"""Illinois: the bill status files of the General Assembly's repository for automated access.

Source: https://ftp.ilga.gov/Legislation/{GA}/BillStatus/XML/, one XML file a measure (12,800 of them), no key, mirrored
nightly; the folder's page says when each changed. Terms: the site's own block page points robots here; the www host is
closed to them (Crawl-delay 10, Access Denied). The server leaves out its intermediate certificate.
Sessions: number of the General Assembly, 104; Open States says 104th. Files of special sessions say 01 for 00.
Oddities: actions are a flat sequence of date, chamber and text; some files hold bytes that XML forbids, some are
ISO-8859-1; sponsors are one text a chamber, the chief one first; file names shorten HJR to HJ, HJRCA to HC and JSR to
JS; a short title is the subject of the introduced bill only, the synopsis says more; texts are not listed, their
addresses follow from the actions.
History: 2026-11 written on the facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from scrapy.http import Response

from crawlers import dates, elements, listings
from crawlers.spider import DetailSpider

SITE = "https://ftp.ilga.gov"
FILE = re.compile(r"(?i)/(\d{3})(\d\d)([A-Z]{2,5})(\d{4,})\.xml$")
CHAMBERS = {"house": "lower", "senate": "upper", "governor": "executive"}
# By the letters in a file's name: the identifier's letters, and what the measure is.
KINDS = {
    "B": ("B", "bill"),
    "R": ("R", "resolution"),
    "J": ("JR", "joint resolution"),
    "C": ("JRCA", "constitutional amendment"),
}
OTHERS = {"JS": ("JSR", "joint resolution"), "AM": ("AM", "appointment"), "JSR": ("JSR", "joint resolution")}
COMMA = r",\s+(?!(?:Jr|Sr|II|III|IV)\b)|\s+and\s+(?=[A-Z])"
MEMBERS = re.compile(rf"{COMMA}|\s+-\s+")
TITLES = re.compile(r"^(?:Rep|Sen|President|Speaker)\.?\s+")
AMENDMENT = re.compile(r"^(House|Senate) (Committee|Floor) Amendment No\. (\d+) Filed")
ACT = re.compile(r"^Public Act[ .]*(\d+)-(\d+)")


class Spider(DetailSpider):
    """One record a bill status file."""

    session_url = r"(?i)/legislation/(\d+)/BillStatus/"

    def listing(self) -> Iterable[str]:
        return [f"{SITE}/Legislation/{self.site_session()}/BillStatus/XML/"]

    def is_list(self, url: str) -> bool:
        return url.lower().endswith("/billstatus/xml/")

    def is_detail(self, url: str) -> bool:
        return bool(FILE.search(url))

    def listed(self, response: Response) -> Iterable[tuple[str, str]]:
        for entry in listings.entries(response.body):
            found = FILE.search(f"/{entry.path}")
            if found and found[2] != "00":
                self.check_session(f"{found[1]}-{found[2]}")
            elif found and found[3].upper() != "EO":  # executive orders stand among the measures
                yield response.urljoin(entry.path), entry.stamp

    def record(self, row: Any) -> dict[str, Any]:
        bill, found = elements.parse(row.body), FILE.search(row.url)
        if found is None:
            raise ValueError("the address names no measure")
        code, number = found[3].upper(), int(found[4])
        letters, kind = OTHERS.get(code) or self.letters(code)
        actions = list(steps(bill.find(".//{*}actions")))
        stem = f"{SITE}/Legislation/{found[1]}/{code}/{found[1]}{found[2]}{code}{found[4]}"
        return {
            "identifier": f"{letters} {number}",
            "title": elements.first(bill, "shortdesc") or elements.first(bill, "title"),
            "chamber": {"H": "lower", "S": "upper", "A": "upper"}.get(code[0], "legislature"),
            "classification": [kind],
            "abstracts": synopses(bill),
            "actions": actions,
            "sponsorships": list(sponsors(bill.find(".//{*}sponsor"))),
            "versions": versions(stem, actions) if code != "AM" else [],
            "hearings": [h for h in [self.next_hearing(bill)] if h],
            "sources": [
                {"url": f"{stem.replace(f'/{code}/', '/BillStatus/HTML/')}.html"},
                {"url": row.url, "note": "BillStatus"},
            ],
        }

    def letters(self, code: str) -> tuple[str, str]:
        """The identifier's letters and the kind of a measure of one chamber, from ``HB``, ``HJ`` or ``HJR``."""
        short = {"JR": "J", "JRCA": "C"}.get(code[1:], code[1:])
        return code[0] + KINDS[short][0], KINDS[short][1]

    def next_hearing(self, bill: Any) -> dict[str, str] | None:
        """What comes next, where that is a committee's hearing."""
        box = bill.find(".//{*}nextaction")
        words = elements.text(box, "action") if box is not None else ""
        on = elements.text(box, "statusdate") if box is not None else ""
        if not on or not re.search(r"(?i)hearing|committee", words):
            return None
        clock = re.search(r"\d{1,2}:\d\d ?[AP]\.?M", words, re.IGNORECASE)
        place = re.search(r"(?i)\b((?:capitol|stratton|bilandic|virtual|room)\b.*?)(?:[,;]? *\d{1,2}:\d\d.*)?$", words)
        name = re.split(r"(?i)\s*[;,]?\s*\b(?:hearing|\d{1,2}:\d\d)", words)[0]
        return {
            "date": dates.day(on, "%m/%d/%Y"),
            "time": dates.clock(clock[0]) if clock else "",
            "timezone": self.place.time_zone,
            "committee": name or words,
            "location": place[1] if place else "",
        }


def synopses(bill: Any) -> list[dict[str, str]]:
    """The Reference Bureau's summaries: as introduced, then one an amendment."""
    titles = [elements.text(item) for item in elements.named(bill, "SynopsisTitle")]
    texts = [elements.text(item) for item in elements.named(bill, "SynopsisText")]
    titles += [""] * (len(texts) - len(titles))
    return [{"abstract": text, "note": title} for title, text in zip(titles, texts, strict=False) if text]


def steps(box: Any) -> Iterable[dict[str, str]]:
    """The flat sequence of date, chamber and text."""
    on = chamber = ""
    for item in box if box is not None else ():
        name, words = item.tag.rpartition("}")[2].lower(), elements.text(item)
        if name == "statusdate":
            on = words
        elif name == "chamber":
            chamber = words.lower()
        elif name == "action" and words and on:
            actor = "executive" if words.startswith("Governor ") else CHAMBERS.get(chamber, "legislature")
            yield {"date": dates.day(on, "%m/%d/%Y"), "description": words, "chamber": actor}


def sponsors(box: Any) -> Iterable[dict[str, Any]]:
    """The members of each chamber; the first is its chief sponsor, those divided by dashes are chief co-sponsors."""
    for item in box if box is not None else ():
        if not item.tag.rpartition("}")[2].lower().endswith("sponsors"):
            continue
        words = elements.text(item).strip("()")
        chiefs = len(re.split(r"\s+-\s+", re.split(COMMA, words)[0]))
        for at, name in enumerate(MEMBERS.split(words)):
            kind = "chief sponsor" if at == 0 else "chief co-sponsor" if at < chiefs else "co-sponsor"
            if name := TITLES.sub("", name.strip(" ,-")):
                yield {"name": name, "classification": kind, "primary": at == 0}


def versions(stem: str, actions: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The texts that there must be after these actions, where the repository keeps them."""
    made = {"Introduced": (actions[0]["date"], f"{stem}.htm")} if actions else {}
    for action in actions:
        words, on = action["description"], action["date"]
        if found := AMENDMENT.match(words):
            name = f"{found[1]} {found[2]} Amendment {int(found[3])}"
            made.setdefault(name, (on, f"{stem}{found[1][0].lower()}am{int(found[3]):03d}.htm"))
        elif re.search(r"Third Reading\b.*\bPassed", words):
            made.setdefault("Engrossed", (on, f"{stem}eng.htm"))
        elif words.startswith("Passed Both Houses"):
            made.setdefault("Enrolled", (on, f"{stem}enr.htm"))
        elif found := ACT.match(words):
            name = f"{found[1]}-{int(found[2]):04d}"
            made.setdefault(f"Public Act {name}", (on, f"{SITE}/Public%20Acts/{found[1]}/{name}.htm"))
    return [
        {"note": note, "date": on, "links": [{"url": url, "media_type": "text/html"}]}
        for note, (on, url) in made.items()
    ]
