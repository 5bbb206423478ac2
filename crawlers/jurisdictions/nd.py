"""North Dakota: the assembly's own JSON file.

Source: https://ndlegis.gov/api/assembly/69-2025/data/bills.json, no key: every bill with sponsors, actions and
documents in one reply; the hearings' schedule is a CSV beside it. Terms: none published; more than five requests
a minute are throttled.
Sessions: the assembly's number and first year on the site (69-2025), the number alone here; odd years, and what is
called in between belongs to the same assembly.
Oddities: amendments and texts are in one list, told apart by their description; the schedule's days have no year
and its hours a colon too many (``12/08 2:00:PM``), so a day is taken to be the one nearest to the reply's.
History: 2026-11 written on the description; checked against what others made of the 69th assembly.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from scrapy.http import Response

from crawlers import dates, tables
from crawlers.gathering import GatherSpider
from tracker.records import normalise_identifier

SITE = "https://ndlegis.gov"
SCHEDULE = "https://www.ndlegis.gov/legend/committee/hearings/public-schedule/?export=csv"
KINDS = {"B": "bill", "CR": "concurrent resolution", "R": "resolution", "MR": "memorial"}
CHAMBERS = {"House": "lower", "Senate": "upper", "H": "lower", "S": "upper"}
FORMS = ("%m/%d/%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y")
TEXT = re.compile("introduced|engrossment|enroll", re.IGNORECASE)
PERSON = re.compile(r"^(?:Rep|Sen)\w*\.? (.+?)(?:, (.+))?$")
MOMENT = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))? *(.*)")


class Spider(GatherSpider):
    """One record an entry of bills.json, with its hearings."""

    expected = "json"
    kinds = {"bill": r"/data/bills\.json", "hearing": r"/public-schedule"}  # noqa: RUF012 - declarative
    formats = {"hearing": "csv"}  # noqa: RUF012
    bills = ("bill",)
    optional = frozenset({"hearing"})
    session_pattern = r"/assembly/(\d+-\d{4})"

    @staticmethod
    def session_named(site: str) -> str:
        return site.partition("-")[0]

    def plan(self) -> Iterable[str]:
        yield f"{SITE}/api/assembly/{self.site_session()}/data/bills.json"
        yield SCHEDULE

    def items(self, kind: str, response: Response) -> Iterable[Any]:
        if kind == "hearing":
            sent = (response.headers.get("Date") or b"").decode("latin-1")
            today = parsedate_to_datetime(sent) if sent else self.account.started_at
            need = ("hearingdatetime", "bill", "committee")
            return [{**row, "today": today.date().isoformat()} for row in tables.rows(response.body, need)]
        bills = json.loads(response.body)["bills"]
        return list(bills.values() if isinstance(bills, dict) else bills)

    def key(self, kind: str, item: Any, url: str) -> str:
        return normalise_identifier(item["name" if kind == "bill" else "bill"])

    def record(self, row: str) -> dict[str, Any]:
        bill = self.found["bill"][row][-1]
        letters, _, number = row.partition(" ")
        if letters[1:] not in KINDS or not number.isdigit():
            raise ValueError(f"{row[:40]!r} is no bill number")
        documents = [(document(v), bool(TEXT.search(v.get("description") or ""))) for v in bill.get("versions") or ()]
        page = f"{SITE}/assembly/{self.site_session()}/regular/bill-overview/bo{number}.html"
        return {
            "identifier": row,
            "title": bill.get("title") or bill.get("summary"),
            "chamber": CHAMBERS[letters[0]],
            "classification": [KINDS[letters[1:]]],
            "abstracts": [{"abstract": bill["summary"], "note": "summary"}] if bill.get("summary") else [],
            "actions": [
                {
                    "date": dates.day(action.get("date") or "", *FORMS),
                    "description": action["description"],
                    "chamber": actor(action),
                }
                for action in bill.get("actions") or ()
                if action.get("date") and action.get("description")
            ],
            "sponsorships": [sponsor(s) for s in bill.get("sponsors") or () if s.get("name")],
            "versions": [made for made, is_text in documents if is_text],
            "documents": [made for made, is_text in documents if not is_text],
            "hearings": [self.hearing(h) for h in self.found["hearing"][row]],
            "sources": [{"url": bill.get("url") or page}],
        }

    def hearing(self, row: Mapping[str, str]) -> dict[str, str]:
        """A row of the schedule; the bill's own hour where the agenda has one."""
        found = MOMENT.match(row["hearingdatetime"])
        if found is None:
            raise ValueError(f"{row['hearingdatetime'][:30]!r} is no day and hour")
        today = dt.date.fromisoformat(row["today"])
        years = [int(found[3])] if found[3] else [today.year - 1, today.year, today.year + 1]
        names = (row.get("committee"), row.get("subcommittee"))
        return {
            "date": dates.nearest(int(found[1]), int(found[2]), years, today),
            "time": dates.clock(row.get("agendatime") or "") or dates.clock(found[4]),
            "timezone": self.place.time_zone,
            "committee": " - ".join(filter(None, names)),
            "location": row.get("room") or "",
            "status": "cancelled" if "cancel" in (row.get("description") or "").lower() else "confirmed",
        }


def sponsor(row: Mapping[str, Any]) -> dict[str, Any]:
    """``Rep. Last, First`` as First Last, or a committee."""
    name, primary = row["name"], bool(row.get("primary"))
    organization = row.get("type") == "committee" or name.endswith("Committee")
    found = None if organization else PERSON.match(name)
    return {
        "name": f"{found[2] or ''} {found[1]}".strip() if found else name,
        "classification": "primary" if primary else "cosponsor",
        "primary": primary,
        "entity_type": "organization" if organization else "person",
    }


def actor(row: Mapping[str, Any]) -> str:
    """Whose an action is; the governor's own are the executive's."""
    if re.search(r"(?:signed|vetoed) by (?:the )?governor", row["description"].lower()):
        return "executive"
    return CHAMBERS.get(row.get("chamber") or "", "legislature")


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A text or an amendment."""
    url = row.get("document_url") or ""
    links = [{"url": url, "media_type": "application/pdf"}] if url else []
    return {"note": row.get("description") or "", "links": links}
