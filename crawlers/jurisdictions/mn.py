"""Minnesota: the bill status interface of the Revisor of Statutes.

Source: https://api.revisor.mn.gov/bills/v1/{legislature}/{year}/{special}/{HF|SF}/{number}/, XML, no key; which bills
there are, and the day of each one's last action, says https://www.revisor.mn.gov/bills/status_result.php, 500 a page.
Terms: public data. The server leaves out its intermediate certificate.
Sessions: number of the special session, legislature, first year: 0942025 is the regular session of 2025-2026.
Oddities: dates carry typing errors (05/272026, 03/05/225), or stand in the text; "See" and "See also" rows are no
actions; a committee's name stands beside the text that ends with "to"; addresses may lack https://; names of the
chambers' elements come in either case; a last action of yesterday or today may be followed by another, so a bill
with one is asked for again on the next day. Hearings stand in the Senate's schedule (JSON, with the joint ones) and
on the House's page of all its meetings; both name bills of the session that is sitting. Topics are elsewhere, unread.
History: 2026-11 written on the facts, and the action texts on 10,545 bills as Open States has them; hearings added.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import from_json
from scrapy.http import Response

from crawlers import dates, elements
from crawlers.gathering import fingerprint
from crawlers.recording import Recording
from crawlers.spider import DetailSpider

SITE = "https://www.revisor.mn.gov/bills"
MEETINGS = "https://www.house.mn.gov/Schedules/All"
SCHEDULE = "https://www.senate.mn/api/schedule/upcoming"
CHAMBERS = {"house": "lower", "senate": "upper", "governor": "executive"}
KINDS = {"F": "bill", "C": "concurrent resolution", "R": "resolution"}
STEP, LAST = 500, 10_000
DETAIL = re.compile(r"/bills/v1/(\d+)/(\d{4})/(\d)/([HS][FCR])/(\d+)/?$")
FILE = re.compile(r"\b([HS][FCR]) ?0*(\d+)\b")
# "H.F. 463", "SF463", as agendas write it.
ON_AGENDA = re.compile(r"\b([HS])\.? ?F\.? ?0*(\d+)\b")
MOMENT = re.compile(r"(?:(\w+ \d{1,2}, \d{4})|(\d{1,2}/\d{1,2}/\d{4}))(?:\D*?(\d{1,2}:\d\d ?[AP]\.?M))?", re.IGNORECASE)
DAY = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/?((?:19|20)\d\d|\d\d)\b")
NO_ACTION = re.compile(r"(?i)^see(?: also)?\b")
# Texts that go on in another element: a committee's name, a member's.
UNFINISHED = re.compile(r"(?:\b(?:to|by|in|added|stricken)|:)$")
VERSIONS = {"0": "Introduction", "1": "1st Engrossment", "2": "2nd Engrossment", "3": "3rd Engrossment"}


class Spider(DetailSpider):
    """One record a status file."""

    session_url = r"[?&]session=(\d{7})\b"
    shared_url = r"/Schedules/All|/api/schedule/upcoming"

    @classmethod
    def session_in(cls, recording: Recording) -> str:
        found = next((m for url in recording.urls() if (m := DETAIL.search(url))), None)
        if found is None:
            return super().session_in(recording)
        # The second year of a legislature is of the same session.
        year = 2 * int(found[1]) + 1837 if found[3] == "0" else found[2]
        return f"{found[3]}{int(found[1]):02d}{year}"

    def shared(self) -> Iterable[str]:
        known = self.place.by_identifier.get(self.session)
        today = self.account.started_at.astimezone(self.place.zone).date()
        return [MEETINGS, SCHEDULE] if known and known.start <= today <= known.end else []

    def hear(self, response: Response) -> Iterable[tuple[str, dict[str, str]]]:
        """(bill, hearing) of each bill on a schedule; a meeting whose day cannot be read is reported."""
        is_senate = "/api/" in response.url
        for bills, said, made in (senate if is_senate else house)(response.body, self.place.time_zone):
            if bills and not made["date"]:
                self.account.issue("hearing", bills[0], f"no day in {said[:80]!r}")
            yield from ((bill, made) for bill in bills if made["date"])

    def hearings(self, bill: str) -> list[dict[str, str]]:
        """What the schedules say of a bill, each meeting once."""
        made = {json.dumps(hearing): hearing for name, hearing in self.heard if name == bill}
        return sorted(made.values(), key=lambda hearing: (hearing["date"], hearing["time"], hearing["committee"]))

    def listing(self) -> Iterable[str]:
        return [self.list_url(body, 1) for body in ("House", "Senate")]

    def list_url(self, body: str, first: int) -> str:
        span = f"bill={first}-{first + STEP - 1}"
        return (
            f"{SITE}/status_result.php?body={body}&session={self.site_session()}&{span}&bill_type=bill&submit_bill=GO"
        )

    def is_list(self, url: str) -> bool:
        return "/status_result.php" in url

    def is_detail(self, url: str) -> bool:
        return bool(DETAIL.search(url))

    def listed(self, response: Response) -> Iterable[tuple[str, str]]:
        rows = list(self.in_xml(response) if b"SEARCH_RESULTS" in response.body else self.in_page(response))
        yield from rows
        span = re.search(r"body=(\w+).*[?&]bill=(\d+)-", response.url)
        if rows and span and int(span[2]) + STEP <= LAST and "format=xml" not in response.url:
            yield self.list_url(span[1], int(span[2]) + STEP), ""

    def in_page(self, response: Response) -> Iterable[tuple[str, str]]:
        """Rows of a page of results: the bill's link; the row, with the day of its last action, is its stamp."""
        site, today = self.site_session(), self.account.started_at.astimezone(self.place.zone).date()
        for row in elements.page(response.body).css("table tbody tr"):
            said = elements.words(row)
            found = FILE.search(said)
            if found:
                base = f"https://api.revisor.mn.gov/bills/v1/{site[1:3]}/{site[3:]}/{site[0]}"
                on = next((on for cell in reversed(row.xpath("./td")) if (on := day(elements.words(cell)))), "")
                settled = on and on < (today - dt.timedelta(days=1)).isoformat()
                stamp = said if settled else f"{said} seen {today}"
                heard = self.hearings(f"{found[1]} {int(found[2])}")
                yield f"{base}/{found[1]}/{found[2]}/", f"{stamp} {fingerprint(heard)}" if heard else stamp

    def in_xml(self, response: Response) -> Iterable[tuple[str, str]]:
        """Results in XML say where the status files are."""
        for result in elements.named(elements.parse(response.body), "BILL_RESULT"):
            if url := elements.text(result, "STATUS_XML_URI"):
                yield whole(url), ""

    def name_of(self, row: Any) -> str:
        found = DETAIL.search(row.url)
        return f"{found[4]} {found[5]}" if found else row.url

    def record(self, row: Any) -> dict[str, Any]:
        bill, found = elements.parse(row.body), DETAIL.search(row.url)
        if found is None:
            raise ValueError("the address names no bill")
        letters = elements.text(bill, "FILE_TYPE").upper() or found[4]
        number = int(elements.text(bill, "FILE_NUMBER") or found[5])
        page = f"{SITE}/{found[1]}/{found[2]}/{found[3]}/{letters}/{number}/"
        return {
            "identifier": f"{letters} {number}",
            "title": elements.text(bill, "DESCRIPTION"),
            "chamber": CHAMBERS["house" if letters[0] == "H" else "senate"],
            "classification": [KINDS[letters[1]]],
            "actions": sorted(actions(bill, letters[0]), key=lambda action: action["date"]),
            "sponsorships": authors(bill),
            "versions": versions(bill),
            "related_bills": self.companions(bill, f"{letters} {number}"),
            "hearings": self.hearings(f"{letters} {number}"),
            "sources": [{"url": page}, {"url": row.url, "note": "bill status"}],
        }

    def companions(self, bill: Any, own: str) -> list[dict[str, str]]:
        """The bill of the other house, in whatever element its number stands."""
        found: list[str] = []
        for item in bill.iter("*"):
            if "COMPANION" in item.tag.rpartition("}")[2].upper():
                words = " ".join([*(part.strip() for part in item.itertext()), *item.attrib.values()])
                found += [f"{m[1]} {m[2]}" for m in FILE.finditer(words.upper())]
        return [
            {"identifier": name, "legislative_session": self.session, "relation_type": "companion"}
            for name in dict.fromkeys(found)
            if name != own
        ]


def whole(url: str) -> str:
    """An address with its scheme, which the interface leaves out."""
    return re.sub(r"^http:", "https:", url) if "://" in url else f"https://{url.lstrip('/')}"


def day(text: str) -> str:
    """The first day in a text: ``05/27/2026``, ``05/272026``; "" where there is none that can be one."""
    found = DAY.search(text)
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0) if found else 0
    good = found and 1 <= int(found[1]) <= 12 and 1 <= int(found[2]) <= 31
    return dates.day(f"{found[1]}/{found[2]}/{year}", "%m/%d/%Y") if found and good else ""


def actions(bill: Any, origin: str) -> Iterable[dict[str, str]]:
    """Each chamber's actions, the bill's own first; one whose day cannot be read takes that of its neighbour."""
    boxes = sorted(bill.iterfind("{*}ACTIONS/*"), key=lambda box: box.tag.rpartition("}")[2][:1].upper() != origin)
    for box in boxes:
        chamber = CHAMBERS.get(box.tag.rpartition("}")[2].lower(), "legislature")
        rows = [(item, on_day(item)) for item in elements.named(box, "ACTION")]
        before = next((on for _, on in rows if on), "")
        for item, on in rows:
            words, said = elements.text(item, "ACTION_TEXT"), elements.text(item, "ACTION_DESCRIPTION")
            committee = next((elements.text(part) for part in elements.named(item, "COMMITTEE_NAME")), "")
            rest = next((part for part in (committee, said) if part and part not in words), "")
            words = f"{words} {rest}" if rest and UNFINISHED.search(words) else words or said
            before = on or before
            if words and before and not NO_ACTION.match(words):
                actor = "executive" if re.match(r"(?i)(?:presented to )?governor\b", words) else chamber
                yield {"date": before, "description": words, "chamber": actor}


def on_day(item: Any) -> str:
    """The day of an action, by its date or else by its text; "" when neither says."""
    said = elements.text(item, "ACTION_DATE")
    return iso(said) or day(said) or (day(elements.text(item, "ACTION_TEXT")) if not said else "")


def iso(text: str) -> str:
    """The day of ``2025-02-06 00:00:00``."""
    return text[:10] if re.match(r"\d{4}-\d\d-\d\d", text) else ""


def authors(bill: Any) -> list[dict[str, Any]]:
    """The authors in each chamber; the first leads the bill there."""
    made = []
    for box in bill.iterfind("{*}AUTHORS/*"):
        for at, item in enumerate(elements.named(box, "AUTHOR")):
            name, committee = elements.text(item, "MEMBER_NAME"), elements.text(item, "COMMITTEE_NAME")
            kind = "chief author" if at == 0 else "author"
            entity = "person" if name else "organization"
            if name or committee:
                made.append(
                    {"name": name or committee, "classification": kind, "primary": at == 0, "entity_type": entity}
                )
    return made


def versions(bill: Any) -> list[dict[str, Any]]:
    """The texts, named as the Revisor's pages name them."""
    made = []
    for item in bill.iterfind("{*}TEXT_VERSION_LIST/{*}DOCUMENT"):
        links = [(elements.text(item, "HTML_URI"), "text/html"), (elements.text(item, "PDF_URI"), "application/pdf")]
        engrossment, name = elements.text(item, "DOCUMENT_ENGROSSMENT"), elements.text(item, "DOCUMENT_NAME")
        printed = re.fullmatch(r"[\d.]*-?[HS][FCR]\d+-\d+", name)
        note = VERSIONS.get(engrossment, f"{engrossment}th Engrossment") if printed or not name else name
        on = elements.text(item, "DATE_INSERT")
        made.append(
            {
                "note": note,
                "date": iso(on) or day(on),
                "links": [{"url": whole(url), "media_type": kind} for url, kind in links if url],
            }
        )
    return made


def senate(body: bytes, zone: str) -> Iterable[tuple[list[str], str, dict[str, str]]]:
    """(bills, words of the day, hearing) of each meeting in the Senate's schedule, the joint ones too."""
    for event in from_json(body)["events"]:
        agenda, notes = event.get("agenda") or [], event.get("hearing_notes") or ""
        listed = [f"{item.get('bill_type') or ''} {item.get('bill_number') or ''}" for item in agenda]
        words = " ".join([*listed, notes, *(item.get("description") or "" for item in agenda)])
        said = event["hearing_start"] or ""
        at = re.match(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d))?", said)
        committee: Mapping[str, Any] = event.get("committee") or {}
        place = (event.get("hearing_building"), event.get("hearing_room"))
        made = hearing(committee.get("committee_name") or "", " ".join(filter(None, place)), zone, notes)
        yield on_agenda(words), said, {**made, "date": at[1] if at else "", "time": (at[2] or "") if at else ""}


def house(body: bytes, zone: str) -> Iterable[tuple[list[str], str, dict[str, str]]]:
    """(bills, words of the day, hearing) of each card of a committee; joint ones are in the Senate's schedule."""
    for card in elements.page(body).css("div.my-2.d-print-block"):
        head = card.css("div.card-header")
        names = head.css("h3 a b")
        if not names or head.css(".bg-joint"):
            continue
        words, said = elements.words(card), " ".join(map(elements.words, head.css("span")))
        at = MOMENT.search(said)
        place = " ".join(card.xpath(".//b[.='Location:']/following-sibling::text()[1]").get("").split())
        made = hearing(elements.words(names[0]), place, zone, said)
        day_ = dates.day(at[1] or at[2], "%B %d, %Y", "%m/%d/%Y") if at else ""
        yield on_agenda(words), said, {**made, "date": day_, "time": dates.clock((at[3] or "") if at else "")}


def on_agenda(words: str) -> list[str]:
    """The bills that an agenda names, each once."""
    return list(dict.fromkeys(f"{letter}F {number}" for letter, number in ON_AGENDA.findall(words)))


def hearing(committee: str, place: str, zone: str, words: str) -> dict[str, str]:
    """A meeting without its day and hour."""
    status = "cancelled" if re.search(r"(?i)\bcancel", words) else "confirmed"
    return {"date": "", "time": "", "timezone": zone, "committee": committee, "location": place, "status": status}
