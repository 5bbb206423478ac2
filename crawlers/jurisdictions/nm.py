"""New Mexico: the legislature's site: one list of a session, a page a bill, plain directories of documents.

Source: https://www.nmlegis.gov, no key. The list (Daily Bill Locator) has every bill with title, sponsors and its
abbreviated history, so that only pages of bills that moved are fetched; the pages have dated actions. An Access
data base lies under Sessions too, in a format that is not read here. Terms: none published; public records.
Sessions: 2019, 2025S1 here; "2019 Regular" and "2025 1st Special" on pages, "19 Regular" and "25 Special" in
addresses, a running number (57) in the list's.
Oddities: an asterisk marks an emergency clause (*HB 1); days of the history are legislative days, the page adds the
calendar day, except for prefiling (the day of the introduced text), signatures (month and day in words) and what the
end of the session decides; the final text's link is a script, its file lies under final/; ``</br>`` is no tag; the
calendars of committees name bills without their session, so a hearing counts only on a day of the session.
History: 2026-11 written on pages of 2019; hearings on their description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urljoin

from parsel import Selector
from scrapy.http import Response

from crawlers import dates
from crawlers.elements import page, words
from crawlers.gathering import GatherSpider

SITE = "https://www.nmlegis.gov"
BILL = re.compile(r"^\*?\s*([HS](?:B|R|M|CR|JR|JM|CM))\s*0*(\d+)$")
FILE = re.compile(r"^([HS](?:B|R|M|CR|JR|JM|CM))0*(\d+)(\w*)\.(pdf|html?)$", re.IGNORECASE)
SESSION = re.compile(r"^(20|19)?(\d\d) (?:Regular|(\d)?\w* ?(Special|Extraordinary) ?(\d)?)")
KINDS = {"B": "bill", "R": "resolution", "M": "memorial", "CR": "concurrent resolution", "JR": "joint resolution"}
KINDS |= {"JM": "joint memorial", "CM": "concurrent memorial"}
CHAMBERS = {"H": "lower", "S": "upper"}
FOLDERS = (
    "bills/house",
    "bills/senate",
    "resolutions/house",
    "resolutions/senate",
    "memorials/house",
    "memorials/senate",
)
TYPES = {"pdf": "application/pdf", "html": "text/html", "htm": "text/html"}
MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*\.? ?(\d{1,2})\b"
SIGNED = re.compile(rf"SGND(?: BY GOV)? \({MONTH}\) ?Ch\. ?(\d+)\.?( \(partial veto\))?")
DATED = re.compile(r"Calendar Day: *(\d\d?/\d\d?/\d{4})")
IN_WORDS = re.compile(rf"(?:- |\(){MONTH}")
ACTOR = re.compile(r"governor|house of representatives|\bhouse\b|senate|^sent to ([hs])|^([hs])[a-z]+:", re.IGNORECASE)


class Spider(GatherSpider):
    """One record a bill, from its row of the list, its page and its files."""

    expected = "html"
    kinds = {  # noqa: RUF012 - declarative
        "list": r"/Legislation/Legislation_List",
        "bill": r"/Legislation/Legislation\?",
        "hearing": r"/Entity/(House|Senate)/Committee_Calendar",
        "file": r"/Sessions/[^/]+/((bills|resolutions|memorials)/(house|senate)|final)/?$",
    }
    bills = ("list", "bill")
    optional = frozenset({"file", "hearing"})
    single = frozenset({"bill"})
    session_pattern = r"lblSession(?:_\d+)?\">(\d\d(?:\d\d)? [^<]+)<|/Sessions/(\d\d [^/]+)/"

    @staticmethod
    def session_named(site: str) -> str:
        found = SESSION.match(site)
        if found is None:
            raise ValueError(f"{site[:40]!r} is no session")
        century, year, nth, special, last = found.groups()
        century = century or ("19" if year > "90" else "20")
        return f"{century}{year}" + (f"{special[0]}{nth or last or 1}" if special else "")

    def plan(self) -> Iterable[str]:
        yield f"{SITE}/Legislation/Legislation_List"
        folder = f"{SITE}/Sessions/{self.site_session().replace(' ', '%20')}"
        yield from (f"{folder}/{name}/" for name in (*FOLDERS, "final"))
        known = self.place.by_identifier.get(self.session)
        if known and known.start <= self.account.started_at.astimezone(self.place.zone).date() <= known.end:
            yield from (f"{SITE}/Entity/{house}/Committee_Calendar" for house in ("House", "Senate"))

    def further(self, kind: str, response: Response) -> Iterable[str]:
        options = page(response.body).css("#MainContent_ddlSessionStart option") if kind == "list" else []
        newest = max(session.identifier for session in self.place.sessions)
        for option in options:
            session = self.session_named(words(option))
            if session > newest:
                self.check_session(session)
            if session == self.session:
                yield f"{SITE}/Legislation/Legislation_List?Session={option.attrib['value']}"

    def items(self, kind: str, response: Response) -> Iterable[Any]:
        root = page(response.body)
        if kind == "file":
            return [urljoin(response.url, href) for href in root.xpath("//a/@href").getall()]
        if kind == "bill":
            return [root]
        if kind == "hearing":
            return list(hearings(root, self.place.time_zone))
        return [listed(row) for row in root.css("#MainContent_gridViewLegislation tr") if row.css("[id*=linkBillID]")]

    def key(self, kind: str, item: Any, url: str) -> str:
        if kind == "file":
            found = FILE.match(item.rpartition("/")[2])
            session = unquote(item).partition("/Sessions/")[2].partition("/")[0]
        elif kind == "bill":
            found = BILL.match(tagged(item, "lblBillID"))
            session = tagged(item, "lblSession")
        elif kind == "hearing":
            found, known = BILL.match(item["bill"]), self.place.by_identifier.get(self.session)
            if found is None or not known or not known.start.isoformat() <= item["date"] <= known.end.isoformat():
                return ""
            return f"{self.session} {found[1].upper()} {int(found[2])}"
        else:
            found, session = BILL.match(item["bill"]), item["session"]
        if found is None and kind != "file":
            raise ValueError(f"no bill number on {url[-60:]}")
        return f"{self.session_named(session)} {found[1].upper()} {int(found[2])}" if found else ""

    def details(self, key: str) -> Iterable[str]:
        for row in self.found["list"][key][:1]:
            yield f"{SITE}/Legislation/{row['href']}"

    def record(self, row: str) -> dict[str, Any]:
        session, letters, number = row.split()
        rows, pages = self.found["list"][row], self.found["bill"][row]
        entry: Mapping[str, Any] = rows[-1] if rows else {}
        root = pages[-1] if pages else None
        title = entry.get("title") or (tagged(root, "formViewLegislation_lblTitle") if root is not None else "")
        names = [s for p in pages[-1:] for s in p.css("[id*=dataListSponsors_lblSponsorName]")]
        sponsors = [words(name) for name in names] or entry.get("sponsors", [])
        year = f"{session[2:4]}{session[4:].lower()}"
        address = (
            entry.get("href") or f"Legislation?chamber={letters[0]}&legType={letters[1:]}&legNo={number}&year={year}"
        )
        marked = entry.get("bill") or (tagged(root, "lblBillID") if root is not None else "")
        versions, documents = self.files(row)
        links = list(linked(root, row)) if root is not None else []
        extras = {"locator": entry["actions"]} if entry.get("actions") else {}
        return {
            "legislative_session": session,
            "identifier": f"{letters} {number}",
            "title": title,
            "chamber": CHAMBERS[letters[0]],
            "classification": [KINDS[letters[1:]]],
            "actions": self.actions(session, root) if root is not None else signatures(session, entry),
            "sponsorships": [{"name": name, "primary": True} for name in sponsors if name],
            "versions": merged([made for is_text, made in links if is_text], versions),
            "documents": merged([made for is_text, made in links if not is_text], documents),
            "hearings": [{k: v for k, v in heard.items() if k != "bill"} for heard in self.found["hearing"][row]],
            "sources": [{"url": f"{SITE}/Legislation/{address}"}],
            "extras": {**extras, "emergency": True} if marked.startswith("*") else extras,
        }

    def actions(self, session: str, root: Selector) -> list[dict[str, str]]:
        """The page's actions in its order."""
        made: list[dict[str, str]] = []
        for item in root.css("[id*=dataListActions_lblAction]"):
            text = words(item)
            bold = item.xpath(".//strong | .//b")
            description = words(bold[0]) if bold else text
            date = self.date(session, text, description, root)
            if description and date:
                made.append({"date": date, "description": description, "chamber": actor(description, made)})
            elif description:
                self.account.issue("undated_action", tagged(root, "lblBillID"), description)
        return made

    def date(self, session: str, text: str, description: str, root: Selector) -> str:
        """The calendar day of an action; for one without, the day that its words stand for."""
        known = self.place.by_identifier.get(session)
        if found := DATED.search(text):
            return dates.day(found[1], "%m/%d/%Y")
        if found := IN_WORDS.search(description):
            return dates.day(f"{found[1]} {found[2]} {session[:4]}", "%b %d %Y")
        if "PREF" in description:
            return dates.day(tagged(root, "lblDateRead"), "%m/%d/%y")
        if "postponed indefinitely" in description.lower() and known:
            return known.end.isoformat()
        if "veto" in description.lower() and known and known.executive_until:
            return known.executive_until.isoformat()
        return ""

    def files(self, row: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Texts and other documents in the directories, by the marks in their names."""
        groups: dict[str, list[dict[str, str]]] = {}
        for url in dict.fromkeys(self.found["file"][row]):
            if found := FILE.match(url.rpartition("/")[2]):
                link = {"url": url, "media_type": TYPES[found[4].lower()]}
                groups.setdefault("final" if "/final/" in url else found[3].upper(), []).append(link)
        made = [(mark, {"note": noted(mark), "links": links}) for mark, links in sorted(groups.items())]
        return [d for mark, d in made if is_text(mark)], [d for mark, d in made if not is_text(mark)]


def listed(row: Selector) -> dict[str, Any]:
    """A row of the list."""
    return {
        "bill": tagged(row, "linkBillID"),
        "href": row.css("[id*=linkBillID]").attrib["href"],
        "title": tagged(row, "lblTitle"),
        "sponsors": [name for s in row.css("[id*=linkSponsor]") if (name := words(s))],
        "actions": tagged(row, "lblActions"),
        "session": tagged(row, "lblSession"),
    }


def hearings(root: Selector, zone: str) -> Iterable[dict[str, str]]:
    """Each bill on a chamber's calendar with its meeting: tables of bills by the numbers of committee and day."""
    for table in root.css("table[id*=repeaterCommittees_repeaterDates_][id*=_gridViewBills_]"):
        before, _, nth = table.attrib["id"].partition("_gridViewBills_")
        base, _, committee = before.partition("_repeaterDates_")
        on = {name: tagged(root, f"'{before}_{name}_{nth}'") for name in ("lblHearingDate", "lblHearingTime")}
        room, time = tagged(root, f"'{before}_lblRoomNumber_{nth}'"), on["lblHearingTime"]
        name = tagged(root, f"'{base}_lblLocationDesc_{committee}'")
        date = dates.day(on["lblHearingDate"], "%m/%d/%Y", "%A, %B %d, %Y", "%B %d, %Y", "%A, %m/%d/%Y")
        said = {"date": date, "time": dates.clock(time), "timezone": zone, "committee": name, "location": room}
        cancelled = "cancel" in f"{room} {time}".lower()
        for row in table.xpath(".//tr[td]") if date else ():
            if BILL.match(bill := words(row.xpath("td[1]")[0])):
                yield {"bill": bill, **said, "status": "cancelled" if cancelled else "confirmed"}


def tagged(root: Selector, name: str) -> str:
    """The text of the first element whose id holds a name (WebForms makes the rest of the id)."""
    found = root.css(f"[id*={name}]")
    return words(found[0]) if found else ""


def signatures(session: str, entry: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the list dates by the calendar: a signature. Its other entries count legislative days."""
    made: dict[str, dict[str, str]] = {}
    for month, day, chapter, partial in SIGNED.findall(entry.get("actions", "")):
        text = f"Signed by Governor - Chapter {chapter} - {month}. {day}{partial}"
        date = dates.day(f"{month} {day} {session[:4]}", "%b %d %Y")
        made.setdefault(chapter, {"date": date, "description": text, "chamber": "executive"})
    return list(made.values())


def actor(description: str, before: list[dict[str, str]]) -> str:
    """Who acted: the first body that is named, else the one before."""
    found = ACTOR.search(description)
    if found is None:
        return before[-1]["chamber"] if before else "legislature"
    if found[0].lower() == "governor":
        return "executive"
    return CHAMBERS[(found[1] or found[2] or found[0])[0].upper()]


def is_text(mark: str) -> bool:
    """Whether a file is a text of the bill: introduced, or a substitute (``JUS``)."""
    return mark in ("", "final") or bool(re.fullmatch(r"[A-Z]{2,}S", mark))


def noted(mark: str) -> str:
    """A mark in a file's name in words."""
    if mark in ("", "final"):
        return "Final Version" if mark else "Introduced"
    code = mark.rstrip("0123456789")
    if is_text(mark):
        return f"{mark[:-1]} substitute"
    kinds = {"FS": "Senate floor amendment", "FH": "House floor amendment", "CCR": "conference committee report"}
    return f"{kinds.get(code, f'{code} committee report')} {mark[len(code) :]}".strip()


def linked(root: Selector, row: str) -> Iterable[tuple[bool, dict[str, Any]]]:
    """Documents that a bill's page links to, with the days on their labels; the final text's file by its name."""
    for anchor in root.css("#MainContent_panelLegislationInformation a.btn[href]"):
        href, label = anchor.attrib["href"], words(anchor)
        name, _, day = label.rpartition(" ") if re.search(r" \d{1,2}/\d{1,2}/\d\d$", label) else (label, "", "")
        if "TextFinal" in anchor.attrib.get("id", ""):
            introduced = root.css("[id*=TextIntroduced][href]")
            if not introduced:
                continue
            path = introduced[0].attrib["href"]
            href = re.sub(r"/(?:bills|resolutions|memorials)/.*/", "/final/", path)
        if not href.startswith("/Sessions/"):
            continue
        links = [{"url": f"{SITE}{href}", "media_type": TYPES.get(href.rpartition(".")[2].lower(), "")}]
        made = {"note": re.sub(r" \((?:PDF|HTML)\)$", "", name), "date": dates.day(day, "%m/%d/%y"), "links": links}
        file = FILE.match(unquote(href).rpartition("/")[2])
        folder = re.search(r"/(?:bills|resolutions|memorials|final)/", href) is not None
        yield folder and file is not None and is_text(file[3].upper()), made


def merged(*lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Documents with all their links, each address once; an earlier list's labels and days prevail."""
    made: dict[tuple[str, str], dict[str, Any]] = {}
    seen: set[str] = set()
    for document in (d for documents in lists for d in documents):
        links = [link for link in document["links"] if link["url"].lower() not in seen]
        seen |= {link["url"].lower() for link in links}
        if not links:
            continue
        kept = made.setdefault((document["note"].lower(), str(document.get("date", ""))), {**document, "links": []})
        kept["links"] += links
    return list(made.values())
