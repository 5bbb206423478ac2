"""Pennsylvania: the archive of the bill history, one XML file a session.

Source: https://www.palegis.us/data/file?documentType=BillHistoryData&session={year}_{0 regular, 1… special}, a zip,
no key, rebuilt hourly on weekdays. Terms: offered as data downloads; robots.txt closes /legislation/bills/, so pages
are not crawled, and texts, whose addresses lie there, cannot be fetched. The host drops connections from AWS.
Sessions: the site says 2025 (and 0) for the regular session of 2025-2026; special ones are 2025_1 and so on.
Oddities: printer's numbers come in any order and are put in theirs by sequence; years have two digits; a sponsor is a
surname in capitals; an action's whole text, with its date and vote, is fullAction.
History: 2026-11 written on the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crawlers import archives, dates, elements
from crawlers.recording import Recording
from crawlers.spider import BulkSpider

CHAMBERS = {"H": "lower", "S": "upper", "E": "executive"}
KINDS = {"B": "bill", "R": "resolution"}


class Spider(BulkSpider):
    """One record a <bill>."""

    session_url = r"[?&]session=(\d{4}_\d)"

    @classmethod
    def session_in(cls, recording: Recording) -> str:
        return super().session_in(recording).removesuffix("_0")

    def file_urls(self) -> dict[str, str]:
        year, _, special = self.site_session().partition("_")
        address = f"https://www.palegis.us/data/file?documentType=BillHistoryData&session={year}_{special or 0}"
        return {"BillHistoryData": address}

    def rows(self, files: Mapping[str, bytes]) -> Iterable[Any]:
        body = files["BillHistoryData"]
        found = [xml for _, xml in archives.members(body, r"(?i)\.xml$")] if body.startswith(b"PK") else [body]
        if not found:
            raise ValueError("there is no XML in the archive")
        return (bill for xml in found for bill in elements.each(xml, "bill"))

    def name_of(self, row: Any) -> str:
        return str(row.get("id") or "")

    def record(self, row: Any) -> dict[str, Any]:
        body, kind = elements.text(row, "body").upper(), elements.text(row, "type").upper()
        number, year, special = (elements.text(row, name) for name in ("number", "sessionYear", "session"))
        compact = f"{body}{kind}{int(number)}"
        page = (
            f"https://www.palegis.us/legislation/bills/{year}/{f'{special}/' if special > '0' else ''}{compact.lower()}"
        )
        return {
            "identifier": compact,
            "title": elements.text(row, "shortTitle") or elements.text(row, "title"),
            "chamber": CHAMBERS[body],
            "classification": [KINDS[kind]],
            "actions": [action(item) for item in ordered(row, "action") if elements.text(item, "date")],
            "sponsorships": [sponsor(item) for item in ordered(row, "sponsor") if elements.text(item)],
            "versions": [version(item) for item in ordered(row, "number") if item.get("billTextPdfUrl")],
            "documents": [*map(amendment, elements.named(row, "amendment")), *memos(row)],
            "sources": [{"url": page}],
        }


def ordered(row: Any, name: str) -> list[Any]:
    """Elements of a name by their sequence."""
    found = [item for item in elements.named(row, name) if item.get("sequence") or item.get("sequenceNumber")]
    return sorted(found, key=lambda item: int(item.get("sequence") or item.get("sequenceNumber")))


def action(item: Any) -> dict[str, str]:
    """An action: its whole text, or verb and committee where that is missing."""
    parts = [elements.text(item, name) for name in ("verb", "committee")]
    return {
        "date": dates.day(elements.text(item, "date"), "%m/%d/%y", "%m/%d/%Y"),
        "description": elements.text(item, "fullAction") or " ".join(filter(None, parts)),
        "chamber": CHAMBERS.get(item.get("actionChamber", ""), ""),
    }


def sponsor(item: Any) -> dict[str, Any]:
    """A sponsor; number 1 is the prime one."""
    prime = int(item.get("sequenceNumber")) == 1
    return {"name": elements.text(item), "classification": "prime sponsor" if prime else "cosponsor", "primary": prime}


def version(item: Any) -> dict[str, Any]:
    """A printing of the text."""
    link = {"url": item.get("billTextPdfUrl"), "media_type": "application/pdf"}
    return {"note": f"Printer's No. {elements.text(item).lstrip('0')}", "links": [link]}


def amendment(item: Any) -> dict[str, Any]:
    """An amendment that was filed."""
    link = [{"url": url, "media_type": ""} for url in [item.get("amendmentUrl")] if url]
    return {
        "note": f"Amendment {elements.text(item)}",
        "date": dates.day(item.get("date", ""), "%m/%d/%y", "%m/%d/%Y"),
        "links": link,
    }


def memos(row: Any) -> list[dict[str, Any]]:
    """What the prime sponsor wrote to the others."""
    found = [memo for memo in elements.named(row, "cosponsorshipMemo") if memo.get("memoUrl")]
    return [
        {
            "note": f"Co-sponsorship memo: {elements.text(memo)}",
            "links": [{"url": memo.get("memoUrl"), "media_type": "text/html"}],
        }
        for memo in found
    ]
