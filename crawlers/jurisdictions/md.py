"""Maryland: the session's legislation.json, and the page of a bill for its whole history.

Source: https://mgaleg.maryland.gov/{session}/misc/billsmasterlist/legislation.json, about 8 MB, no key, with ETag;
the page of each bill whose record there changed. Terms: offered by the General Assembly as open data.
Sessions: the site says 2026RS for the regular session of 2026, 2021S1 for a special one.
Oddities: StatusCurrentAsOf is new at every build and is left out of the comparison; the record has milestones only,
and its Status is the last action without a date, so the history comes from the page, and from the record only where
a recording holds no page; a record lists the parts of "By Request - …" as sponsors of their own; titles with
"OIS Test" are tests.
History: 2026-11 written on the facts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import from_json, to_json
from scrapy.http import Request, Response

from crawlers import dates, elements, tables
from crawlers.recording import Recording
from crawlers.spider import DetailSpider

SITE = "https://mgaleg.maryland.gov"
KINDS = {"J": "joint resolution", "R": "resolution", "S": "resolution"}
CHAMBERS = {"House": "lower", "Senate": "upper", "H": "lower", "S": "upper"}
OTHER = {"lower": "upper", "upper": "lower"}
# The chambers of a bill: how the fields of dates and actions end, and those of committees.
SIDES = (("HouseOfOrigin", "Origin"), ("OppositeHouse", "Opposite"))
# The printings up to the current one, by the letter of BillVersion.
VERSIONS = {"F": "First", "T": "Third", "E": "Enrolled"}
PERSON = re.compile(r"^(?:Delegate|Senator|The (?:Speaker|President|Minority Leader)|Chair,)|Delegation$")
OUTCOME = re.compile(
    r"Governor|Gubernatorial|Chapter|Enacted|Veto|Withdrawn|Unfavorable|Postpone|Returned Passed|Resolution"
)
NUMBER = re.compile(r"\b([HS][BJRS]) ?0*(\d+)\b", re.IGNORECASE)


class Spider(DetailSpider):
    """One record a bill of legislation.json."""

    session_url = r"(?i)(?:/|\?ys=)(\d{4}(?:RS|S\d))(?:/|$)"

    @classmethod
    def session_in(cls, recording: Recording) -> str:
        return super().session_in(recording).upper()

    def listing(self) -> Iterable[str]:
        return [f"{SITE}/{self.site_session()}/misc/billsmasterlist/legislation.json"]

    def is_list(self, url: str) -> bool:
        return url.lower().endswith("/legislation.json")

    def is_detail(self, url: str) -> bool:
        return "/legislation/details/" in url.lower()

    def page_of(self, number: str) -> str:
        return f"{SITE}/mgawebsite/Legislation/Details/{number.lower()}?ys={self.site_session()}"

    def listed(self, response: Response) -> Iterable[tuple[str, str]]:
        for entry in from_json(tables.decode(response.body)):
            if not isinstance(entry, Mapping) or not NUMBER.fullmatch(str(entry.get("BillNumber") or "").strip()):
                self.account.reject(str(entry)[:60], "BillNumber", "the entry has no bill's number")
                continue
            self.entries[self.page_of(entry["BillNumber"].strip())] = entry
        for url, entry in self.entries.items():
            said = {name: value for name, value in entry.items() if name != "StatusCurrentAsOf"}
            yield url, hashlib.blake2b(to_json(said), digest_size=12).hexdigest()

    def got_list(self, response: Response) -> Iterator[Any]:
        self.entries: dict[str, Mapping[str, Any]] = {}
        yield from super().got_list(response)
        recording = self.recording
        if recording:
            yield from self.records(entry for url, entry in self.entries.items() if not recording.spelling(url))
            # The list alone says which bills there are, and what became of them.
            self.account.complete = not self.limit

    def detail(self, url: str, stamp: str) -> Request:
        return super().detail(url, stamp).replace(meta={"unconditional": True})

    def got_detail(self, response: Response, stamp: str) -> Iterator[Any]:
        # The record may have changed where the page did not: it is read again whatever it is.
        yield from super().got_detail(response.replace(flags=[]), stamp)

    def name_of(self, row: Any) -> str:
        name = row["BillNumber"] if isinstance(row, Mapping) else row.url.rsplit("/", 1)[-1].partition("?")[0]
        return str(name).strip()

    def record(self, row: Any) -> dict[str, Any] | None:
        page = None if isinstance(row, Mapping) else elements.page(row.body)
        number = self.name_of(row).upper()
        entry = row if page is None else getattr(self, "entries", {}).get(self.page_of(number), {})
        said = pairs(page) if page is not None else {}
        title = entry.get("Title") or (elements.words(said["Title"]) if "Title" in said else "")
        if "OIS Test" in title:
            return None
        chamber = CHAMBERS[number[0]]
        return {
            "identifier": number,
            "title": title,
            "chamber": chamber,
            "classification": [KINDS.get(number[1], "bill")]
            + (["constitutional amendment"] if entry.get("ConstitutionalAmendment") else []),
            "subject": list(dict.fromkeys(subjects(entry, page))),
            "abstracts": [{"abstract": s, "note": "Synopsis"} for s in [synopsis(entry, said)] if s],
            "actions": (history(page) if page is not None else []) or milestones(entry, chamber),
            "sponsorships": sponsors(entry, said),
            "versions": (texts(page, row.url) if page is not None else []) or self.printings(entry, number),
            "documents": self.notes(entry, number, said),
            "related_bills": [{"legislative_session": self.session, **bill} for bill in related(entry, page)],
            "hearings": self.hearings(entry, chamber),
            "sources": [{"url": self.page_of(number)}],
        }

    def printings(self, entry: Mapping[str, Any], number: str) -> list[dict[str, Any]]:
        """The printings that there must be, by the letter of the newest."""
        newest = str(entry.get("BillVersion") or "F").upper()
        low, letters = number.lower(), "FTE"[: "FTE".find(newest[:1]) + 1] or "F"
        url = f"{SITE}/{self.site_session()}/bills/{low[:2]}/{low}"
        return [
            {
                "note": VERSIONS[letter],
                "links": [{"url": f"{url}{letter.lower()}.pdf", "media_type": "application/pdf"}],
            }
            for letter in letters
        ]

    def notes(self, entry: Mapping[str, Any], number: str, said: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The fiscal note, where the page has it, or where the record says that the bill is being heard."""
        found = said["Analysis"].css("a::attr(href)").getall() if "Analysis" in said else []
        if not said and entry.get("FirstReadingDateHouseOfOrigin"):
            found = [f"/{self.site_session()}/fnotes/bil_{number[2:]}/{number.lower()}.pdf"]
        links = [{"url": full(url), "media_type": "application/pdf"} for url in found]
        return [{"note": "Fiscal and Policy Note", "links": [link]} for link in links]

    def hearings(self, entry: Mapping[str, Any], chamber: str) -> list[dict[str, str]]:
        """The hearings set, of both committees in both chambers; a date without an hour says midnight."""
        made = []
        for (side, short), where in zip(SIDES, (chamber, OTHER[chamber]), strict=True):
            for rank in ("Primary", "Secondary"):
                at = entry.get(f"HearingDateTime{rank}{side}") or ""
                name = entry.get(f"Committee{rank}{short}") or ""
                if at:
                    hour = at[11:16] if at[11:16] != "00:00" else ""
                    house = {"lower": "House", "upper": "Senate"}[where]
                    made.append(
                        {
                            "date": at[:10],
                            "time": hour,
                            "timezone": self.place.time_zone,
                            "committee": f"{house} {name}".strip(),
                        }
                    )
        return made


def full(url: str) -> str:
    """A link of the site as a whole address."""
    return url if "://" in url else f"{SITE}/{url.lstrip('/')}"


def pairs(page: Any) -> dict[str, Any]:
    """The page's definition lists: what each term says."""
    found = page.css("dl dt")
    return {elements.words(dt).rstrip(": "): dt.xpath("following-sibling::dd[1]") for dt in reversed(found)}


def synopsis(entry: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    return entry.get("Synopsis") or (elements.words(said["Synopsis"]) if "Synopsis" in said else "")


def subjects(entry: Mapping[str, Any], page: Any) -> Iterator[str]:
    """Broad subjects, then narrow ones."""
    for name in ("BroadSubjects", "NarrowSubjects"):
        yield from (subject["Name"].strip() for subject in entry.get(name) or () if subject.get("Name"))
    if page is not None and not entry:
        yield from filter(None, map(elements.words, page.css('a[href*="/Legislation/SubjectIndex/"]')))


def sponsors(entry: Mapping[str, Any], said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The primary sponsor, then the others who are members."""
    names = [entry.get("SponsorPrimary") or "", *(s.get("Name") or "" for s in entry.get("Sponsors") or ())]
    names = names[:1] + [name for name in names[1:] if PERSON.search(name)]
    if not entry and "Sponsored by" in said:
        box = said["Sponsored by"]
        names = [elements.words(link) for link in box.css("a")] or [elements.words(box)]
    kept = list(dict.fromkeys(filter(None, (" ".join(name.split()) for name in names))))
    return [
        {
            "name": name,
            "classification": "primary" if at == 0 else "cosponsor",
            "primary": at == 0,
            "entity_type": "organization" if name.startswith("Chair,") or "Delegation" in name else "person",
        }
        for at, name in enumerate(kept)
    ]


def related(entry: Mapping[str, Any], page: Any) -> list[dict[str, str]]:
    """The cross-filed bill, and the bill of an earlier session that the page names."""
    made = [
        {"identifier": n, "relation_type": "companion"} for n in [(entry.get("CrossfileBillNumber") or "").strip()] if n
    ]
    if page is None:
        return made
    for box in page.xpath('//div[contains(., "Cross-filed")][not(.//div[contains(., "Cross-filed")])]'):
        found = NUMBER.search(" ".join(box.css("a::text").getall()))
        if found and not made:
            made.append({"identifier": f"{found[1]}{found[2]}", "relation_type": "companion"})
    earlier = '//div[contains(., "prior session")][not(.//div[contains(., "prior session")])]'
    for box in page.xpath(earlier):
        text = elements.words(box)
        found, session = NUMBER.search(text), re.search(r"\b(\d{4}) Regular Session", text)
        if found and session:
            number = f"{found[1]}{found[2]}"
            made.append({"identifier": number, "legislative_session": session[1], "relation_type": "prior-session"})
    return made


def history(page: Any) -> list[dict[str, str]]:
    """The page's history, oldest first; rows without a chamber or date only carry links to documents."""
    made = []
    if not page.css("table#detailsHistory"):
        raise ValueError("the page has no table of the history")
    for row in page.css("table#detailsHistory tr"):
        cells = [elements.words(cell) for cell in row.xpath("./td")]
        if len(cells) >= 4 and cells[0] and cells[1] and cells[3]:
            executive = cells[0] not in CHAMBERS and "governor" in cells[3].lower()
            chamber = "executive" if executive else CHAMBERS.get(cells[0], "legislature")
            made.append({"date": dates.day(cells[1], "%m/%d/%Y"), "description": cells[3], "chamber": chamber})
    return made[::-1] if made and made[0]["date"] > made[-1]["date"] else made


def texts(page: Any, url: str) -> list[dict[str, Any]]:
    """The printings that the history links to ("Text - First - …")."""
    made: dict[str, dict[str, Any]] = {}
    for link in page.css('table#detailsHistory a[href*="/bills/"]'):
        words, target = elements.words(link), full(link.attrib["href"])
        note = re.sub(r"^Text - ", "", words).partition(" - ")[0] or "Text"
        made.setdefault(target, {"note": note, "links": [{"url": target, "media_type": "application/pdf"}]})
    order = {note: at for at, note in enumerate(VERSIONS.values())}
    return sorted(made.values(), key=lambda version: order.get(version["note"], len(order)))


def milestones(entry: Mapping[str, Any], chamber: str) -> list[dict[str, str]]:
    """What the record tells of the history, in the words of the page."""
    made = []
    for (side, short), where in zip(SIDES, (chamber, OTHER[chamber]), strict=True):
        names = [(entry.get(f"Committee{rank}{short}") or "").strip() for rank in ("Primary", "Secondary")]
        committee = " and ".join(filter(None, names))
        if first := entry.get(f"FirstReadingDate{side}"):
            made.append({"date": first[:10], "description": f"First Reading {committee}".strip(), "chamber": where})
        for step in ("Report", "SecondReading", "ThirdReading"):
            day, said = entry.get(f"{step}Date{side}"), (entry.get(f"{step}Action{side}") or "").strip()
            if step != "Report":
                said = said if "Reading" in said else f"{step.removesuffix('Reading')} Reading {said}".strip()
            elif committee and "avorable" in said:
                said = f"{said} Report by {committee}"
            if day and said:
                made.append({"date": day[:10], "description": said, "chamber": where})
    made.sort(key=lambda action: action["date"])
    status, seen = (entry.get("Status") or "").strip(), (entry.get("StatusCurrentAsOf") or "")[:10]
    if OUTCOME.search(status) and seen and not any(action["description"] in status for action in made):
        actor = (
            "executive"
            if "overnor" in status
            else CHAMBERS.get(status.removeprefix("In the ").split(" ")[0], "legislature")
        )
        made.append({"date": max(seen, made[-1]["date"] if made else ""), "description": status, "chamber": actor})
    return made
