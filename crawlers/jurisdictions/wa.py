"""Washington: the legislature's web services, asked by plain GET, answered in XML.

Source: https://wslwebservices.leg.wa.gov, no key. One call gives all legislation of a biennium with titles, one
all changes of status, one the committee meetings to come; sponsors and a bill's own hearings are asked for when
anything else about the bill moved. Texts lie in plain directories on lawfilesext.leg.wa.gov.
Terms: free of charge to all, at any hour.
Sessions: the biennium, 2025-26 on the site, 2025-2026 here. The second year's bills belong to it too, and numbers
start anew with the next biennium, so everything goes by biennium and number (the chambers share no number).
Oddities: each substitute is an item of legislation of its own (2ESHB 1001 is HB 1001); status 500 means "nothing
there"; the history names no chamber, but its status begins with the letter of the one that holds the bill;
appointments and initiatives are no bills; the same elements come in a SOAP envelope or without.
History: 2026-11 written on a reply of January 2026; the services beside it on their description.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from scrapy.http import Response

from crawlers.elements import named, page, parse, text
from crawlers.gathering import GatherSpider

SERVICE = "https://wslwebservices.leg.wa.gov"
FILES = "https://lawfilesext.leg.wa.gov/biennium"
AGENDA = "https://app.leg.wa.gov/committeeschedules/Home/Agenda/"
BILL = re.compile(r"(?:^|\d|[ES])([HS](?:B|CR|JM|JR|R)) ?(\d+)$")
FILE = re.compile(r"^(\d+)(?:-S(\d*))?(?:\.E(\d*))?(\.PL|\.SL)?\.html?$", re.IGNORECASE)
TYPES = {
    "B": "Bill",
    "CR": "Concurrent Resolution",
    "JM": "Joint Memorial",
    "JR": "Joint Resolution",
    "R": "Resolution",
}
CHAMBERS = {"H": "lower", "S": "upper"}
HOUSES = {"H": "House", "S": "Senate"}
ENDS = {".PL": "as passed by the legislature", ".SL": "session law"}
# Meetings must be announced five days ahead; a little more.
AHEAD = dt.timedelta(days=10)
ORDINALS = {n: f"{word} " for n, word in enumerate(("second", "third", "fourth", "fifth"), 2)}
ELEMENTS = {
    "status": ("LegislativeStatus",),
    "sponsor": ("Sponsor",),
    "hearing": ("Hearing",),
    "agenda": ("CommitteeMeetingItem",),
    "meeting": ("CommitteeMeeting",),
    "bill": ("Legislation", "LegislationInfo"),
}


class Spider(GatherSpider):
    """One record a number, from its items of legislation, changes of status, sponsors, meetings and files."""

    expected = "xml"
    kinds = {  # noqa: RUF012 - declarative
        "status": r"/Get(Legislative|Current)Status",
        "sponsor": r"/GetSponsors\?",
        "hearing": r"/GetHearings\?",
        "agenda": r"/GetCommitteeMeetingItems\?",
        "meeting": r"/Get(Revised)?CommitteeMeetings",
        "file": r"lawfiles\w*\.leg\.wa\.gov/biennium/[^/]+/htm/bills/[^/]+/?$",
        "bill": r"LegislationService\.asmx(/GetLegislation|/GetPreFiled|$)",
    }
    formats = {"file": "html"}  # noqa: RUF012
    bills = ("bill",)
    optional = frozenset({"meeting", "agenda", "file"})
    single = frozenset({"sponsor", "hearing"})
    session_pattern = r"biennium[=/>](\d{4}-\d\d)\b|<Biennium>(\d{4}-\d\d)<"

    sessions_url = "https://leg.wa.gov/"

    def site_sessions(self, response: Response) -> Iterable[str]:
        newest = max(session.site_id for session in self.place.sessions)
        shown = page(response.body).css("select#biennium option::text").getall()
        return [site for option in shown if (site := option.strip()[:7]) > newest]

    @staticmethod
    def session_named(site: str) -> str:
        return session_of(site)

    def plan(self) -> Iterable[str]:
        biennium, session = self.site_session(), self.place.by_identifier[self.session]
        first, last = (session.prefile or session.start).isoformat(), session.end.isoformat()
        today = self.account.started_at.astimezone(self.place.zone).date()
        bills = f"{SERVICE}/LegislationService.asmx"
        yield f"{bills}/GetLegislationIntroducedSince?sinceDate={first}"
        for year in range(session.year, min(today.year, session.end.year) + 1):
            yield f"{bills}/GetLegislationByYear?year={year}"
        dates = f"beginDate={first}&endDate={last}"
        yield f"{bills}/GetLegislativeStatusChangesByDateRange?biennium={biennium}&{dates}"
        meetings = f"{SERVICE}/CommitteeMeetingService.asmx/GetCommitteeMeetings"
        yield f"{meetings}?beginDate={today}&endDate={today + AHEAD}"
        for house in HOUSES.values():
            for kind in (*(f"{name}s" for name in TYPES.values()), "Passed Legislature"):
                yield f"{FILES}/{biennium}/Htm/Bills/{quote(f'{house} {kind}')}/"

    def items(self, kind: str, response: Response) -> Iterable[Any]:
        if kind == "file":
            return [unquote(href).rsplit("/", 1)[-1] for href in page(response.body).xpath("//a/@href").getall()]
        return named(parse(response.body), *ELEMENTS[kind])

    def key(self, kind: str, item: Any, url: str) -> str:
        asked = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        if kind == "meeting":
            return text(item, "AgendaId")
        if kind == "file":
            found = FILE.match(item)
            return f"{url.lower().partition('/biennium/')[2].partition('/')[0]} {int(found[1])}" if found else ""
        bill = BILL.search(text(item, "BillId") or asked.get("billid", ""))
        number = bill[2] if bill else asked.get("billnumber", "") if kind == "hearing" else ""
        biennium = text(item, "Biennium") or asked.get("biennium") or self.site_session()
        return f"{biennium} {int(number)}" if number else ""

    def further(self, kind: str, response: Response) -> Iterable[str]:
        if kind == "meeting":
            for meeting in self.items(kind, response):
                agenda = text(meeting, "AgendaId")
                yield f"{SERVICE}/CommitteeMeetingService.asmx/GetCommitteeMeetingItems?agendaId={agenda}"

    def details(self, key: str) -> Iterable[str]:
        biennium, number = key.split()
        letters = BILL.search(text(self.found["bill"][key][0], "BillId"))[1]  # type: ignore[index]
        bills = f"{SERVICE}/LegislationService.asmx"
        yield f"{bills}/GetSponsors?biennium={biennium}&billId={quote(f'{letters} {number}')}"
        yield f"{bills}/GetHearings?biennium={biennium}&billNumber={number}"
        if not any(text(item, "LongDescription") for item in self.found["bill"][key]):
            yield f"{bills}/GetLegislation?biennium={biennium}&billNumber={number}"

    def parts(self, key: str) -> Any:
        return [super().parts(key), [self.found["meeting"].get(text(a, "AgendaId")) for a in self.found["agenda"][key]]]

    def record(self, row: str) -> dict[str, Any] | None:
        items = sorted(self.found["bill"][row], key=lambda item: (version(item), len(item)))
        newest, biennium = items[-1], row.split()[0]
        letters = BILL.search(text(newest, "BillId"))[1]  # type: ignore[index]
        identifier = f"{letters} {row.split()[1]}"
        title = text(newest, "LongDescription") or text(newest, "LegalTitle") or text(newest, "ShortDescription")
        if not title:
            raise ValueError("no description of it was read")
        if title.upper().startswith("TEST BILL FOR"):
            return None
        year = text(newest, "IntroducedDate")[:4] if text(newest, "IntroducedDate") > "1900" else biennium[:4]
        address = f"https://app.leg.wa.gov/billsummary/?BillNumber={row.split()[1]}&Year={year}&Initiative=false"
        legal = text(newest, "LegalTitle")
        return {
            "legislative_session": session_of(biennium),
            "identifier": identifier,
            "title": title,
            "chamber": CHAMBERS[letters[0]],
            "classification": [TYPES[letters[1:]].lower()],
            "abstracts": [{"abstract": legal, "note": "legal title"}] if legal else [],
            "actions": self.actions(row, newest),
            "sponsorships": [sponsor(s) for s in sorted(self.found["sponsor"][row], key=order)] or prime(newest),
            "versions": self.versions(row, letters, items),
            "related_bills": list(companions(items)),
            "hearings": list(self.hearings(row)),
            "sources": [{"url": address}],
            "extras": {"request": text(newest, "Request")} if text(newest, "Request") else {},
        }

    def actions(self, row: str, newest: Any) -> list[dict[str, str]]:
        """The changes of status by day; where there are none, the current one."""
        rows = self.found["status"][row] or list(named(newest, "CurrentStatus"))
        made = [
            {
                "date": text(status, "ActionDate"),
                "description": text(status, "HistoryLine"),
                "chamber": actor(status),
            }
            for status in rows
            if text(status, "HistoryLine") and text(status, "ActionDate") > "1900"
        ]
        return sorted(made, key=lambda action: action["date"])

    def versions(self, row: str, letters: str, items: list[Any]) -> list[dict[str, Any]]:
        """The texts in the directories; without these, those that the items of legislation tell of."""
        names = [n for n in self.found["file"][row]] or [file_name(row.split()[1], *version(item)) for item in items]
        made = {}
        for name in names:
            _, substitute, engrossed, end = FILE.match(name).groups()  # type: ignore[union-attr]
            rank = (end or "", nth(substitute), nth(engrossed))
            folder = "Passed Legislature" if end == ".PL" else f"{TYPES[letters[1:]]}s"
            path = quote(f"Bills/{HOUSES[letters[0]]} {folder}/{name.rpartition('.')[0]}")
            links = [
                {"url": f"{FILES}/{row.split()[0]}/Htm/{path}.htm", "media_type": "text/html"},
                {"url": f"{FILES}/{row.split()[0]}/Pdf/{path}.pdf", "media_type": "application/pdf"},
            ]
            made[rank] = {"note": note(rank), "links": links}
        return [made[rank] for rank in sorted(made)]

    def hearings(self, row: str) -> Iterable[dict[str, str]]:
        """Meetings with the bill on their agenda, each once, as last announced."""
        meetings = {
            text(m, "AgendaId"): m for hearing in self.found["hearing"][row] for m in named(hearing, "CommitteeMeeting")
        }
        for item in self.found["agenda"][row]:
            for meeting in self.found["meeting"].get(text(item, "AgendaId"), ()):
                meetings[text(item, "AgendaId")] = meeting
        for agenda, meeting in sorted(meetings.items(), key=lambda pair: text(pair[1], "Date")):
            date, _, time = text(meeting, "Date").partition("T")
            names = [text(c, "LongName") or text(c, "Name") for c in named(meeting, "Committee")]
            place = (text(meeting, name) for name in ("Room", "Building", "City"))
            yield {
                "date": date,
                "time": time[:5] if time > "00:00:00" else "",
                "timezone": self.place.time_zone,
                "committee": "; ".join(filter(None, names)),
                "location": ", ".join(filter(None, place)),
                "status": "cancelled" if text(meeting, "Cancelled") == "true" else "confirmed",
                "url": f"{AGENDA}{agenda}" if agenda else "",
            }


def actor(status: Any) -> str:
    """Whose a change of status is: the governor's says so, others begin with the chamber's letter."""
    if text(status, "HistoryLine").lower().startswith(("governor", "vetoed", "partially vetoed")):
        return "executive"
    return CHAMBERS.get(text(status, "Status")[:1], "legislature")


def version(item: Any) -> tuple[int, int]:
    """How often an item of legislation was substituted and engrossed."""
    return int(text(item, "SubstituteVersion") or 0), int(text(item, "EngrossedVersion") or 0)


def nth(mark: str | None) -> int:
    """``-S`` is the first substitute, ``-S2`` the second; 0 without a mark."""
    return 0 if mark is None else int(mark or 1)


def file_name(number: str, substitute: int, engrossed: int) -> str:
    """``1001-S2.E.htm`` for the engrossed second substitute."""
    marks = f"-S{substitute if substitute > 1 else ''}" if substitute else ""
    marks += f".E{engrossed if engrossed > 1 else ''}" if engrossed else ""
    return f"{number}{marks}.htm"


def note(rank: tuple[str, int, int]) -> str:
    """The version's name in words: ``engrossed second substitute``."""
    end, substitute, engrossed = rank
    counted = ((engrossed, "engrossed"), (substitute, "substitute"))
    words = " ".join(f"{ORDINALS.get(n, '')}{word}" for n, word in counted if n)
    return ", ".join(filter(None, (words or ("" if end else "original"), ENDS.get(end, ""))))


def companions(items: list[Any]) -> Iterable[dict[str, str]]:
    """The same bill in the other chamber, once however many items name it."""
    named_by = (c for item in items for c in named(item, "Companion"))
    for biennium, bill in dict.fromkeys((text(c, "Biennium"), text(c, "BillId")) for c in named_by):
        if found := BILL.search(bill):
            session = session_of(biennium) if biennium else ""
            identifier = f"{found[1]} {found[2]}"
            yield {"identifier": identifier, "legislative_session": session, "relation_type": "companion"}


def session_of(biennium: str) -> str:
    """``2025-26`` as 2025-2026."""
    return f"{biennium[:4]}-{int(biennium[:4]) + 1}"


def order(item: Any) -> int:
    """A sponsor's place on the bill."""
    return int(text(item, "Order") or 0)


def sponsor(item: Any) -> dict[str, Any]:
    """A row of GetSponsors."""
    name = f"{text(item, 'FirstName')} {text(item, 'LastName')}".strip() or text(item, "LongName") or text(item, "Name")
    primary = text(item, "Type").lower() != "secondary"
    return {"name": name, "classification": "primary" if primary else "cosponsor", "primary": primary}


def prime(item: Any) -> list[dict[str, Any]]:
    """The prime sponsor as the list has it: ``(Ryu)``."""
    name = text(item, "Sponsor").strip("() ")
    return [{"name": name, "classification": "primary", "primary": True}] if name else []
