"""Wyoming: the JSON service behind wyoleg.gov, whose pages are JavaScript shells.

Source: https://lsoservice.wyoleg.gov/api/, no key: a year's bills, a document a bill, a month's calendar of meetings.
Terms: public; nobody noted a rule against automated use. Sessions: the year; the general one is in odd years.
Oddities: without a filter by year the list leaves out what is signed; whether an entry shows the last action is not
known, so bills are probed; times are Mountain without a zone; a sponsor without a title is a committee; paths of
documents are relative to the pages' host.
History: 2026-11 begun with `billtracker new-state`, on replies written from the facts.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from crawlers import tables
from crawlers.api import ApiSpider

API, SITE = "https://lsoservice.wyoleg.gov/api", "https://wyoleg.gov"
CHAMBERS = {"House": "lower", "Senate": "upper", "H": "lower", "S": "upper"}
VERSIONS = {"introduced": "Introduced", "engrossedVersion": "Engrossed", "enrolledAct": "Enrolled"}
DOCUMENTS = {"fiscalNote": "Fiscal Note", "digest": "Bill Digest", "summary": "Summary"}


class Spider(ApiSpider):
    """One record an entry of the list."""

    lists_at = (f"{API}/BillInformation?$filter=Year%20eq%20{{session}}&$orderby=BillNum",)
    documents = {"bill": f"{API}/BillInformation/{{session}}/{{billNum}}?calendarDate="}  # noqa: RUF012
    session_url = r"/BillInformation(?:\?\$filter=Year%20eq%20|/)(\d{4})"
    shared_url = r"/Calendar/Events/"

    def shared(self) -> Iterable[str]:
        today = self.account.started_at.astimezone(self.place.zone).date()
        months = (today.replace(day=1), (today.replace(day=28) + dt.timedelta(days=4)).replace(day=1))
        return [f"{API}/Calendar/Events/{month:%Y%m}01" for month in months]

    def around(self, entry: Mapping[str, Any]) -> list[dict[str, str]]:
        meetings = [meeting for month in self.heard for meeting in month if meeting["meetingKind"] == 2]
        return [
            self.hearing(m)
            for m in meetings
            if entry.get("billNum") in tables.each(m, "sessionMeetingBills", "billNumber")
        ]

    def hearing(self, meeting: Mapping[str, Any]) -> dict[str, str]:
        words = " ".join(filter(None, (meeting["meetingType"], meeting["purpose"])))
        return {
            "date": meeting["startDate"][:10],
            "time": meeting["startDate"][11:16],
            "timezone": self.place.time_zone,
            "committee": meeting["committee"]["fullName"],
            "location": ", ".join(filter(None, (meeting[f"address{n}"] for n in (1, 2, 3)))),
            "status": "cancelled" if "cancel" in words.lower() else "confirmed",
        }

    def record(self, row: Any) -> dict[str, Any]:
        bill = row["bill"]
        summary = tables.plain(bill["summaryHTML"] or "").partition("Summary/Major Elements:")[2].strip()
        abstracts = ((bill["billTitle"], "official title"), (summary, "summary"))
        return {
            "identifier": bill["bill"],
            "title": bill["catchTitle"],
            "chamber": CHAMBERS[bill["bill"][0]],
            "classification": ["joint resolution" if bill["bill"][1] == "J" else "bill"],
            "abstracts": [{"abstract": words, "note": note} for words, note in abstracts if words],
            "actions": sorted(map(action, bill["billActions"]), key=lambda made: made.pop("at")),
            "sponsorships": [sponsor(said) for said in bill["sponsors"] or ()],
            "versions": [tables.file(note, SITE, bill[key]) for key, note in VERSIONS.items() if bill.get(key)],
            "documents": [tables.file(note, SITE, bill[key]) for key, note in DOCUMENTS.items() if bill.get(key)]
            + [tables.file(veto["vetoLinkText"], SITE, veto["vetoLinkPath"]) for veto in bill["vetoes"] or ()],
            "hearings": row["around"],
            "sources": [{"url": f"{SITE}/Legislation/{self.site_session()}/{bill['bill']}"}],
        }


def action(said: Mapping[str, Any]) -> dict[str, Any]:
    """A status, with the moment by which they are ordered."""
    words, at = said["statusMessage"], said["statusDate"]
    chamber = "executive" if words.startswith("Governor") else CHAMBERS.get(said["location"], "legislature")
    return {"date": at[:10], "description": words, "chamber": chamber, "at": at}


def sponsor(said: Mapping[str, Any]) -> dict[str, Any]:
    """A member, or a committee, which has no title."""
    kind, entity = (
        "primary" if said["primarySponsor"] else "cosponsor",
        "person" if said["sponsorTitle"] else "organization",
    )
    return {"name": said["name"], "classification": kind, "primary": said["primarySponsor"], "entity_type": entity}
