"""New York: the Senate's Open Legislation, which has the bills of both houses.

Source: https://legislation.nysenate.gov/api/3, with a free key (NEW_YORK_API_KEY, sent in the query). The first
crawl reads the whole session in pages of full bills; later ones read the feed of updates and then the bills that it
names. Senate agendas give the hearings. Terms: open source and open data, name the New York State Senate.
Sessions: two years, by the odd one (2025), 2025-2026 here.
Oddities: a print number ends in the letter of its amendment (S7044A is S 7044); fields and lists may be null; the
agendas are the Senate's only; blank placeholders for numbers that were not given out; the feed names bills of the
session before; search results have no sponsors but the first, and no texts.
History: 2026-11 written on one bill and one page of results of 2023.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zlib
from collections.abc import Container, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from scrapy.http import Response

from crawlers.gathering import GatherSpider
from crawlers.recording import Recording

API = "https://legislation.nysenate.gov/api/3"
PAGE = 100
PRINT = re.compile(r"^([A-Z])0*(\d+)[A-Z]?$")
CHAMBERS = {"SENATE": "upper", "ASSEMBLY": "lower"}
KINDS = {"S": "bill", "A": "bill", "B": "concurrent resolution", "C": "concurrent resolution", "L": "joint resolution"}
# Texts and memoranda make up nine tenths of a reply, and are fetched as documents where they are wanted.
HEAVY = ("fullText", "fullTextHtml", "fullTextTemplate", "memo", "billInfoRefs", "votes", "relatedLaws")
AHEAD = dt.timedelta(days=30)


class Spider(GatherSpider):
    """One record a bill, with its place on the Senate's agendas."""

    expected = "json"
    key_parameter = "key"
    kinds = {  # noqa: RUF012 - declarative
        "update": r"/api/3/bills(/\d{4})?/updates",
        "bill": r"/api/3/bills/\d{4}/(?!search\b)[A-Z]\d+\w*(\?|$)",
        "list": r"/api/3/bills/(\d{4}(/search)?|search)/?(\?|$)",
        "meeting": r"/api/3/agendas/meetings/",
        "agenda": r"/api/3/agendas/\d{4}/\d+",
    }
    bills = ("list", "bill", "update", "agenda")
    optional = frozenset({"meeting", "agenda"})
    single = frozenset({"bill"})
    session_pattern = r"/api/3/bills/(\d{4})\b|\"session\" ?: ?(\d{4})"

    @staticmethod
    def session_named(site: str) -> str:
        year = int(site) - 1 + int(site) % 2
        return f"{year}-{year + 1}"

    @classmethod
    def texts_in(cls, recording: Recording, wanted: Container[str]) -> Iterable[tuple[str, str, bytes]]:
        """The plain texts that bills carry, under the addresses of their prints."""
        for url, (_, _, body) in recording.replies.items():
            result = json.loads(body).get("result") if "/api/3/bills/" in url else None
            for bill in [row.get("result") or row for row in listed(result)] or [result or {}]:
                for letter, part in ((bill.get("amendments") or {}).get("items") or {}).items():
                    address, text = pdf(bill, letter), part.get("fullText") or ""
                    if address in wanted and text.strip():
                        yield address, "text/plain", text.encode()

    def plan(self) -> Iterable[str]:
        now = self.account.started_at.astimezone(self.place.zone).replace(tzinfo=None, microsecond=0)
        last = "" if self.full else (self.known.get(self.cursor_key) or {}).get("stamp", "")
        self.account.validators[self.cursor_key] = {"stamp": now.isoformat()}
        self.account.partial = bool(last) and self.recording is None
        if last:
            since = f"{last}/{now.isoformat()}"
            yield f"{API}/bills/updates/{since}?type=updated&summary=true&detail=false&limit=1000&offset=1"
        else:
            yield f"{API}/bills/{self.site_session()}?limit={PAGE}&offset=1&full=true"
        yield f"{API}/agendas/meetings/{now.date()}/{now.date() + AHEAD}?limit=1000"

    def items(self, kind: str, response: Response) -> Iterable[Any]:
        reply = json.loads(response.body)
        if reply.get("success") is False:
            raise ValueError(f"the service says: {reply.get('message')}")
        result = reply.get("result") or {}
        if kind == "bill":
            return [result]
        if kind == "agenda":
            return list(on_agenda(result.get("committee") or result))
        rows = listed(result)
        if kind == "update":
            # A bill's changes are as many rows; the last one is enough to know that it moved.
            rows = [row.get("item") or row.get("id") or row for row in rows]
            return [row for row in rows if row.get("session") == int(self.site_session())]
        return rows

    def key(self, kind: str, item: Any, url: str) -> str:
        if kind == "meeting":
            return ""
        item = item.get("result") or item
        found = PRINT.match(item["basePrintNo"])
        if found is None:
            raise ValueError(f"{item['basePrintNo'][:20]!r} is no print number")
        return f"{self.session_named(str(item['session']))} {found[1]} {int(found[2])}"

    def keep(self, kind: str, item: Any) -> Any:
        if kind not in ("bill", "list"):
            return item
        item = item.get("result") or item
        amendments = (item.get("amendments") or {}).get("items") or {}
        for part in (item, *amendments.values()):
            for name in HEAVY:
                part.pop(name, None)
        return zlib.compress(json.dumps(item).encode(), 1)

    def further(self, kind: str, response: Response) -> Iterable[str]:
        reply = json.loads(response.body)
        if kind == "meeting":
            for row in listed(reply.get("result") or {}):
                agenda, committee = row["agendaId"], quote(row["committeeId"]["name"], safe="")
                yield f"{API}/agendas/{agenda['year']}/{agenda['number']}/{committee}"
        elif kind in ("list", "update") and 0 < reply.get("offsetEnd", 0) < reply.get("total", 0):
            yield re.sub(r"offset=\d+", f"offset={reply['offsetEnd'] + 1}", response.url)

    def details(self, key: str) -> Iterable[str]:
        years, letter, number = key.split()
        if not any("amendments" in self.unpacked(kept) for kept in self.found["list"][key]):
            yield f"{API}/bills/{years[:4]}/{letter}{number}?view=default"

    def unpacked(self, kept: bytes) -> Any:
        """A bill as it came, without what is heavy."""
        return json.loads(zlib.decompress(kept))

    def record(self, row: str) -> dict[str, Any] | None:
        session, letter, number = row.split()
        found = [self.unpacked(kept) for kept in (*self.found["list"][row], *self.found["bill"][row])]
        if not found:
            return None
        bill = max(found, key=lambda b: ("amendments" in b, len(b)))
        newest = (bill.get("amendments") or {}).get("items", {}).get(bill.get("activeVersion") or "") or {}
        title = bill.get("title") or newest.get("actClause") or bill.get("summary")
        if not title and not (bill.get("actions") or {}).get("items"):
            return None
        summary = bill.get("summary") or ""
        extras = {"law_section": newest.get("lawSection"), "program": (bill.get("programInfo") or {}).get("name")}
        address = f"https://www.nysenate.gov/legislation/bills/{session[:4]}/{letter}{number}"
        return {
            "legislative_session": session,
            "identifier": f"{letter} {number}",
            "title": title or "",
            "chamber": CHAMBERS.get((bill.get("billType") or {}).get("chamber") or "", ""),
            "classification": [KINDS.get(letter, "resolution")],
            "abstracts": [{"abstract": summary, "note": "summary"}] if summary else [],
            "actions": [
                {"date": a["date"], "description": a["text"], "chamber": actor(a)}
                for a in sorted(listed(bill.get("actions")), key=lambda a: a.get("sequenceNo") or 0)
            ],
            "sponsorships": list(sponsors(bill, newest)),
            "versions": [version(bill, v) for v in versions(bill)],
            "related_bills": list(self.related(bill, newest)),
            "hearings": [self.hearing(h) for h in self.found["agenda"][row]],
            "sources": [{"url": address}],
            "extras": {name: value for name, value in extras.items() if value},
        }

    def related(self, bill: Mapping[str, Any], newest: Mapping[str, Any]) -> Iterable[dict[str, str]]:
        """The same bill in the other house, the one that took its place, those of earlier sessions."""
        replaced = [bill["substitutedBy"]] if bill.get("substitutedBy") else []
        kinds = ((listed(newest.get("sameAs")), "companion"), (replaced, "replaced-by"))
        for rows, kind in (*kinds, (listed(bill.get("previousVersions")), "prior-session")):
            for other in dict.fromkeys((row["basePrintNo"], row["session"]) for row in rows):
                session = self.session_named(str(other[1]))
                yield {"identifier": other[0], "legislative_session": session, "relation_type": kind}

    def hearing(self, row: Mapping[str, Any]) -> dict[str, str]:
        """A committee meeting with the bill on its agenda."""
        date, _, time = str(row["meeting"].get("meetingDateTime") or "").partition("T")
        notes = (row["meeting"].get("notes") or "").lower()
        return {
            "date": date,
            "time": time[:5],
            "timezone": self.place.time_zone,
            "committee": row["committee"],
            "location": row["meeting"].get("location") or "",
            "status": "cancelled" if "cancel" in notes else "confirmed",
        }


def listed(part: Any) -> list[Any]:
    """The items of the service's lists, any of which may be null."""
    return list((part or {}).get("items") or [])


def on_agenda(committee: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The bills on a committee's agenda, with the meeting; later addenda come later."""
    of = committee.get("committeeId") or {}
    name = f"{(of.get('chamber') or '').title()} {of.get('name') or ''}".strip()
    for addendum in listed(committee.get("addenda")):
        for row in listed(addendum.get("bills")):
            bill = row.get("billId") or row
            yield {**bill, "committee": name, "meeting": addendum.get("meeting") or {}}


def actor(row: Mapping[str, Any]) -> str:
    """Who acted; the log credits the governor's acts to the house that sent the bill."""
    if re.match(r"signed chap|vetoed|line veto|pocket|approval memo", row["text"].lower()):
        return "executive"
    return CHAMBERS.get(row.get("chamber") or "", "legislature")


def sponsors(bill: Mapping[str, Any], newest: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The sponsor (a member, or Rules, Budget, Redistricting), then co-sponsors of the active amendment."""
    sponsor = bill.get("sponsor") or {}
    if member := sponsor.get("member"):
        yield {"name": named(member), "classification": "sponsor", "primary": True}
    for body in ("rules", "budget", "redistricting"):
        if sponsor.get(body) and not member:
            yield {"name": body.title(), "classification": "sponsor", "primary": True, "entity_type": "organization"}
    others = ((bill.get("additionalSponsors"), "additional sponsor"), (newest.get("coSponsors"), "cosponsor"))
    for rows, kind in (*others, (newest.get("multiSponsors"), "multisponsor")):
        yield from ({"name": named(m), "classification": kind, "primary": False} for m in listed(rows))


def named(member: Mapping[str, Any]) -> str:
    """A member's whole name."""
    return str(member.get("fullName") or member.get("shortName") or "")


def versions(bill: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Amendment letters ("" for the original print) with their days, in their order."""
    amendments = (bill.get("amendments") or {}).get("items") or {}
    published = (bill.get("publishStatusMap") or {}).get("items") or {}
    if amendments:
        return sorted((letter, str((part or {}).get("publishDate") or "")) for letter, part in amendments.items())
    return sorted((letter, str(part.get("effectDateTime") or "")) for letter, part in published.items())


def version(bill: Mapping[str, Any], part: tuple[str, str]) -> dict[str, Any]:
    """A print of the bill."""
    links = [{"url": pdf(bill, part[0]), "media_type": "application/pdf"}]
    return {"note": f"{bill['basePrintNo']}{part[0]}", "date": part[1][:10], "links": links}


def pdf(bill: Mapping[str, Any], letter: str) -> str:
    """The address of a print."""
    return f"https://legislation.nysenate.gov/pdf/bills/{bill['session']}/{bill['basePrintNo']}{letter}"
