"""Oregon: the legislature's OData service.

Source: https://api.oregonlegislature.gov/odata/odataservice.svc, no key. Measures come in pages of 500 with their
sponsors, documents, history and agenda items; names of legislators and committees, and meetings with their
places, are entities of their own. Terms: open data of the Legislative Assembly, for everybody.
Sessions: 2025R1 regular, 2025S1 special, 2025I1 interim; mock sessions are no sessions.
Oddities: misspelt fields (LegislatoreCode, CommitteCode); times are Pacific without a zone, so the day is read as
it stands; texts and amendments are mixed in MeasureDocuments; addresses of documents hold blanks; resolutions
have no RelatingToFull; what an amendment took out of a summary stands in it as [<i>…</i>], often without the first
bracket, and is not said of the bill any more.
History: 2026-11 written on the measures of 2023R1 and 2026R1; the other entities on their description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin

from scrapy.http import Response

from crawlers import tables
from crawlers.gathering import GatherSpider

ROOT = "https://api.oregonlegislature.gov/odata/odataservice.svc"
PAGE = 500
ENTITY = r"\.svc/(LegislativeSessions\([^)]*\)/)?{}(\([^)]*\))?(\?|$)"
KINDS = {"B": "bill", "R": "resolution", "M": "memorial", "CR": "concurrent resolution", "JR": "joint resolution"}
KINDS |= {"JM": "joint memorial", "CM": "concurrent memorial"}
CHAMBERS = {"H": "lower", "S": "upper"}
STRUCK = re.compile(r"\[?\s*<i>.*?</i>\s*\]?", re.DOTALL)
NO_TEXT = ("amendment", "fiscal", "revenue", "analysis", "summary", "minority report")


class Spider(GatherSpider):
    """One record a measure, with whatever entities were read beside it."""

    expected = "json"
    kinds = {  # noqa: RUF012 - declarative
        "bill": ENTITY.format("Measures"),
        "history": ENTITY.format("MeasureHistoryActions"),
        "sponsor": ENTITY.format("MeasureSponsors"),
        "document": ENTITY.format("MeasureDocuments"),
        "agenda": ENTITY.format("CommitteeAgendaItems"),
        "amendment": ENTITY.format("CommitteeProposedAmendments"),
        "meeting": ENTITY.format("CommitteeMeetings"),
        "legislator": ENTITY.format("Legislators"),
        "committee": ENTITY.format("Committees"),
    }
    bills = ("bill",)
    optional = frozenset({"meeting", "legislator", "committee"})
    session_pattern = r"SessionKey eq '(\w+)'|LegislativeSessions\('(\w+)'\)|\"SessionKey\": ?\"(\w+)\""

    sessions_url = f"{ROOT}/LegislativeSessions?$format=json"

    def site_sessions(self, response: Response) -> Iterable[str]:
        newest = max(session.start for session in self.place.sessions).isoformat()
        for row in self.items("session", response):
            if first(row, "BeginDate") > newest and "mock" not in first(row, "SessionName").lower():
                yield first(row, "SessionKey")

    def plan(self) -> Iterable[str]:
        session = f"{ROOT}/LegislativeSessions('{self.site_session()}')"
        yield f"{session}/Legislators?$format=json"
        yield f"{session}/Committees?$format=json"
        # An address that is the same for a month, so that what has not changed is known by it.
        month = self.account.started_at.astimezone(self.place.zone).date().replace(day=1)
        since = f"(MeetingDate ge datetime'{month}T00:00:00') and (SessionKey eq '{self.site_session()}')"
        yield f"{ROOT}/CommitteeMeetings?$filter={since}&$expand=CommitteeAgendaItems&$format=json"
        expanded = "MeasureSponsors,MeasureDocuments,MeasureHistoryActions"
        expanded += ",CommitteeAgendaItems/CommitteeProposedAmendments"
        yield f"{session}/Measures?$expand={expanded}&$top={PAGE}&$skip=0&$format=json"

    def items(self, kind: str, response: Response) -> Iterable[Any]:
        page: Any = json.loads(response.body)
        page = page.get("d", page) if isinstance(page, dict) else page
        rows: Any = page.get("value", page.get("results", [page])) if isinstance(page, dict) else page
        if kind != "meeting":
            return list(rows)
        return [{**item, "Meeting": row} for row in rows for item in expanded_in(row, "CommitteeAgendaItems")]

    def further(self, kind: str, response: Response) -> Iterable[str]:
        reply = json.loads(response.body)
        if isinstance(reply, dict) and reply.get("odata.nextLink"):
            yield urljoin(response.url, reply["odata.nextLink"])
            return
        before, skip, rest = response.url.partition("$skip=")
        if skip and len(list(self.items(kind, response))) >= PAGE:
            at, amp, after = rest.partition("&")
            yield f"{before}{skip}{int(at) + PAGE}{amp}{after}"

    def key(self, kind: str, item: Any, url: str) -> str:
        if kind in ("legislator", "committee"):
            return str(item["LegislatorCode" if kind == "legislator" else "CommitteeCode"])
        if item.get("MeasureNumber") is None and kind in ("agenda", "meeting"):
            return ""
        session = item.get("SessionKey") or self.site_session()
        return f"{session} {item['MeasurePrefix'].strip().upper()} {int(item['MeasureNumber'])}"

    def parts_of(self, row: str, kind: str, expanded: str) -> list[Any]:
        """A bill's rows of another entity: expanded in the measure, or read by themselves."""
        inside = [part for measure in self.found["bill"][row][-1:] for part in expanded_in(measure, expanded)]
        return inside or self.found[kind][row]

    def record(self, row: str) -> dict[str, Any]:
        session, letters, number = row.split()
        measure = self.found["bill"][row][-1]
        title = first(measure, "RelatingTo", "RelatingToFull", "CatchLine")
        summaries = (("MeasureSummary", "summary"), ("CatchLine", "catchline"))
        documents = self.parts_of(row, "document", "MeasureDocuments")
        agenda = self.parts_of(row, "agenda", "CommitteeAgendaItems")
        proposed = [part for item in agenda for part in expanded_in(item, "CommitteeProposedAmendments")]
        return {
            "legislative_session": session,
            "identifier": f"{letters} {number}",
            "title": title,
            "chamber": CHAMBERS[letters[0]],
            "classification": [KINDS[letters[1:]]],
            "abstracts": [{"abstract": said, "note": note} for f, note in summaries if (said := current(measure, f))],
            "actions": self.actions(row),
            "sponsorships": list(self.sponsors(row)),
            "versions": [document(d) for d in documents if is_text(d)],
            "documents": [
                *(document(d) for d in documents if not is_text(d)),
                *(amendment(a) for a in proposed or self.found["amendment"][row] if a.get("ProposedAmendmentUrl")),
            ],
            "hearings": self.hearings(row, agenda),
            "sources": [
                {"url": f"https://olis.oregonlegislature.gov/liz/{session}/Measures/Overview/{letters}{number}"}
            ],
            "extras": {
                name: measure[name]
                for name in ("AtTheRequestOf", "MinorityCatchLine", "ChapterNumber", "EffectiveDate", "LCNumber")
                if measure.get(name)
            },
        }

    def actions(self, row: str) -> list[dict[str, str]]:
        """The history in the order of its days and of its own numbers."""
        rows = [h for h in self.parts_of(row, "history", "MeasureHistoryActions") if first(h, "ActionText")]
        rows.sort(key=lambda h: (h["ActionDate"][:10], h.get("MeasureHistoryId") or 0))
        return [{"date": h["ActionDate"], "description": words(h), "chamber": actor(h)} for h in rows]

    def sponsors(self, row: str) -> Iterable[dict[str, Any]]:
        """Members and committees in the order in which they are printed."""
        rows = self.parts_of(row, "sponsor", "MeasureSponsors")
        for part in sorted(rows, key=lambda s: s.get("PrintOrder") or 0):
            code = first(part, "LegislatoreCode", "LegislatorCode")
            committee = first(part, "CommitteeCode")
            name = self.member(code) if code else self.committee(committee)
            if name:
                chief = first(part, "SponsorLevel").lower() == "chief"
                yield {
                    "name": name,
                    "classification": first(part, "SponsorLevel").lower() or "sponsor",
                    "primary": chief or bool(committee),
                    "entity_type": "person" if code else "organization",
                }

    def member(self, code: str) -> str:
        """A legislator's name; the code where the names were not read."""
        for part in self.found["legislator"][code]:
            return f"{first(part, 'FirstName')} {first(part, 'LastName')}".strip()
        return code

    def committee(self, code: str) -> str:
        """A committee's name; the code where the names were not read."""
        return next((first(part, "CommitteeName") for part in self.found["committee"][code]), code)

    def hearings(self, row: str, agenda: list[Any]) -> list[dict[str, str]]:
        """Agenda items, with the place and state of the meeting where it was read; each meeting once."""
        made: dict[tuple[str, str], dict[str, str]] = {}
        for item in [*agenda, *self.found["meeting"][row]]:
            meeting = item.get("Meeting") or {}
            moment = first(item, "MeetingDate") or first(meeting, "MeetingDate")
            code = first(item, "CommitteCode", "CommitteeCode") or first(meeting, "CommitteeCode")
            date, _, time = moment.partition("T")
            entry = {
                "date": date,
                "time": time[:5],
                "timezone": self.place.time_zone,
                "committee": self.committee(code),
                "location": first(meeting, "Location"),
                "status": "cancelled" if "cancel" in first(meeting, "MeetingStatusCode").lower() else "confirmed",
                "url": first(meeting, "AgendaUrl"),
            }
            if date and (meeting or (code, moment) not in made):
                made[code, moment] = entry
        return sorted(made.values(), key=lambda hearing: (hearing["date"], hearing["time"]))


def expanded_in(row: Mapping[str, Any], name: str) -> list[Any]:
    """Rows that came inside another one; a link to them ("deferred") is none."""
    found = row.get(name) or []
    return list(found.get("results", [])) if isinstance(found, dict) else list(found)


def first(row: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that holds something but blanks."""
    return next((value for name in names if (value := str(row.get(name) or "").strip())), "")


def current(row: Mapping[str, Any], name: str) -> str:
    """A summary as it stands, without what amendments took out."""
    return tables.plain(STRUCK.sub(" ", first(row, name)))


def words(row: Mapping[str, Any]) -> str:
    """An action with the count of its vote."""
    action, vote = first(row, "ActionText"), first(row, "VoteText")
    return action if vote in action else f"{action} {vote}"


def actor(row: Mapping[str, Any]) -> str:
    """Who acted."""
    if first(row, "ActionText").lower().startswith("governor"):
        return "executive"
    return CHAMBERS.get(first(row, "Chamber")[:1].upper(), "legislature")


def is_text(row: Mapping[str, Any]) -> bool:
    """Whether a document is the bill's text rather than an amendment or a statement on it."""
    return not any(word in first(row, "VersionDescription").lower() for word in NO_TEXT)


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A published document."""
    url = first(row, "DocumentUrl")
    return {
        "note": first(row, "VersionDescription"),
        "links": [{"url": url, "media_type": "application/pdf"}] if url else [],
    }


def amendment(row: Mapping[str, Any]) -> dict[str, Any]:
    """An amendment proposed in committee."""
    note = f"proposed amendment {first(row, 'AmendmentNumber')} {first(row, 'Meaning')}".strip()
    return {"note": note, "links": [{"url": first(row, "ProposedAmendmentUrl"), "media_type": "application/pdf"}]}
