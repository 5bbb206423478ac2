"""Reads what Open States' scrapers write (``bill_*.json``, or one such object a line) as BillRecords.

Facts: their objects name organizations by pseudo ids such as ``~{"classification": "lower"}``; dates may be
moments in UTC, which are turned into the jurisdiction's own day here; sponsors and actions carry extra keys
that we do not keep. See docs/querying.md for what each field becomes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tracker import jurisdictions

_CHAMBERS = ("upper", "lower", "legislature", "executive")


def is_scraped_bill(data: Mapping[str, Any]) -> bool:
    """Whether this JSON object has the scraper's form (and is not already a BillRecord)."""
    return "from_organization" in data or "scraped_at" in data or "other_identifiers" in data


def to_record(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same bill in BillRecord's terms, still to be validated. Keys that are missing stay missing."""
    code = _code(data.get("jurisdiction"))
    zone = _zone(code)
    record: dict[str, Any] = {
        "jurisdiction": code,
        "legislative_session": data.get("legislative_session"),
        "identifier": data.get("identifier"),
        "title": data.get("title"),
        "chamber": _chamber(data.get("from_organization")),
        "classification": data.get("classification") or ["bill"],
        "subject": data.get("subject") or [],
        "actions": [
            {
                "date": _day(action.get("date"), zone),
                "description": action.get("description"),
                "chamber": _chamber(action.get("organization_id")),
                "classification": action.get("classification") or [],
            }
            for action in data.get("actions") or ()
        ],
        "sponsorships": [
            {
                "name": sponsor.get("name"),
                "classification": sponsor.get("classification") or "",
                "primary": bool(sponsor.get("primary")),
                "entity_type": sponsor.get("entity_type") or "",
            }
            for sponsor in data.get("sponsorships") or ()
        ],
        "sources": [{"url": s.get("url"), "note": s.get("note")} for s in data.get("sources") or ()],
    }
    for name in ("versions", "documents"):
        if data.get(name):
            record[name] = [_document(document, zone) for document in data[name]]
    if data.get("abstracts"):
        record["abstracts"] = [{"abstract": a.get("abstract"), "note": a.get("note")} for a in data["abstracts"]]
    if data.get("related_bills"):
        record["related_bills"] = [
            {
                "identifier": r.get("identifier"),
                "legislative_session": r.get("legislative_session"),
                "relation_type": r.get("relation_type"),
            }
            for r in data["related_bills"]
        ]
    if data.get("extras"):
        record["extras"] = data["extras"]
    return record


def _document(data: Mapping[str, Any], zone: ZoneInfo | None) -> dict[str, Any]:
    return {
        "note": data.get("note"),
        "date": _day(data.get("date"), zone),
        "links": [{"url": x.get("url"), "media_type": x.get("media_type")} for x in data.get("links") or ()],
    }


def _code(jurisdiction: Any) -> Any:
    if isinstance(jurisdiction, Mapping):
        jurisdiction = jurisdiction.get("id")
    return _known_code(jurisdiction) if isinstance(jurisdiction, str) else jurisdiction


@lru_cache(maxsize=1024)
def _known_code(jurisdiction: str) -> str:
    try:
        return jurisdictions.load().get(jurisdiction).code
    except KeyError:
        return jurisdiction


def _zone(code: Any) -> ZoneInfo | None:
    return _known_zone(code) if isinstance(code, str) else None


@lru_cache(maxsize=128)
def _known_zone(code: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(jurisdictions.load().get(code).time_zone)
    except KeyError:
        return None


def _chamber(reference: Any) -> str:
    return _known_chamber(reference) if isinstance(reference, str) else ""


@lru_cache(maxsize=1024)
def _known_chamber(reference: str) -> str:
    for name in _CHAMBERS:
        if name in reference:
            return name
    return ""


def _day(value: Any, zone: ZoneInfo | None) -> Any:
    if not isinstance(value, str) or len(value) <= 10 or zone is None:
        return value
    return _local_day(value, zone)


@lru_cache(maxsize=65_536)
def _local_day(value: str, zone: ZoneInfo) -> str:
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment.astimezone(zone).date().isoformat() if moment.tzinfo else value[:10]


def from_api(data: Mapping[str, Any]) -> dict[str, Any]:
    """A bill of their API v3 in the scraper's form: the same, but organizations are objects there."""

    def who(organization: Any) -> str:
        return str(organization.get("classification") or "") if isinstance(organization, Mapping) else ""

    return {
        **data,
        "legislative_session": data.get("session"),
        "from_organization": who(data.get("from_organization")),
        "actions": [{**a, "organization_id": who(a.get("organization"))} for a in data.get("actions") or ()],
    }
