"""A bill as the API shows it, from what :mod:`tracker.history` reads: the same as ``billtracker show``."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, select

from tracker import jurisdictions
from tracker.history import read_bills
from tracker.models.bills import BillTitleRow
from tracker.vocabulary import ADDED_ACTION_CLASSES, ActionClass
from tracker.web.api import resources
from tracker.web.api.organizations import compact, made_id, organization

_PASSAGES = {ActionClass.PASSAGE, ActionClass.VETO_OVERRIDE_PASSAGE}


class Include(StrEnum):
    """Parts of a bill that come when asked for. ``tags``, ``evidence`` and ``hearings`` are ours."""

    SPONSORSHIPS = "sponsorships"
    ABSTRACTS = "abstracts"
    OTHER_TITLES = "other_titles"
    OTHER_IDENTIFIERS = "other_identifiers"
    ACTIONS = "actions"
    SOURCES = "sources"
    DOCUMENTS = "documents"
    VERSIONS = "versions"
    VOTES = "votes"
    RELATED_BILLS = "related_bills"
    TAGS = "tags"
    EVIDENCE = "evidence"
    HEARINGS = "hearings"


_PARTS = {
    Include.SPONSORSHIPS: "sponsorships",
    Include.ABSTRACTS: "abstracts",
    Include.VERSIONS: "versions",
    Include.RELATED_BILLS: "related_bills",
    Include.TAGS: "tags",
    Include.EVIDENCE: "tags",
    Include.HEARINGS: "hearings",
}


def bill_resources(
    connection: Connection,
    ids: Sequence[int],
    include: Collection[Include],
    public_url: str,
    as_of: dt.datetime | None = None,
) -> list[resources.Bill]:
    """The bills of these rows, in their order. Raises ``NoBill`` for one not seen by ``as_of``."""
    parts = {"subjects", "actions", *(_PARTS[name] for name in include if name in _PARTS)}
    bills = read_bills(connection, ids, as_of, parts)
    titles = _titles(connection, ids, as_of) if Include.OTHER_TITLES in include else {}
    return [_resource(bill, include, public_url, titles.get(bill["id"], [])) for bill in bills]


def bill_page(public_url: str, bill: dict[str, Any]) -> str:
    """Where the bill's page is."""
    place = "/".join(quote(bill[name], safe="") for name in ("jurisdiction", "session", "identifier"))
    return f"{public_url.rstrip('/')}/bill/{place}"


def _resource(
    bill: dict[str, Any], include: Collection[Include], public_url: str, titles: Sequence[str]
) -> resources.Bill:
    place = jurisdictions.load()[bill["jurisdiction"]]
    passages = [a["date"] for a in bill["actions"] if _PASSAGES.intersection(a["classification"])]
    wanted: dict[str, Any] = {}
    for name in include:
        match name:
            case Include.ACTIONS:
                wanted["actions"] = _actions(bill)
            case Include.SPONSORSHIPS:
                wanted["sponsorships"] = _sponsorships(bill)
            case Include.VERSIONS:
                wanted["versions"] = _documents(bill, "version", bill["versions"])
            case Include.DOCUMENTS:
                wanted["documents"] = _documents(bill, "document", bill["documents"])
            case Include.OTHER_TITLES:
                earlier = dict.fromkeys(title for title in titles if title != bill["title"])
                wanted["other_titles"] = [resources.Title(title=title) for title in earlier]
            case Include.OTHER_IDENTIFIERS | Include.VOTES:
                wanted[name.value] = []
            case Include.TAGS | Include.EVIDENCE:
                wanted["tags"] = bill["tags"]
            case _:
                wanted[name.value] = bill[name.value]
    return resources.Bill.model_validate(
        {
            "id": bill["ocd_id"],
            "jurisdiction": compact(place),
            "from_organization": organization(place, bill["chamber"]),
            "subject": bill["subjects"],
            "created_at": bill["first_seen"],
            "updated_at": bill["last_changed"],
            "openstates_url": bill_page(public_url, bill),
            "first_action_date": _iso(bill["first_action_date"]),
            "latest_action_date": _iso(bill["latest_action_date"]),
            "latest_action_description": bill["latest_action"] or None,
            "latest_passage_date": _iso(max(passages, default=None)),
            "vanished_at": bill["vanished"],
            "official_url": bill["url"],
            "as_of": bill.get("as_of"),
            **{
                name: bill[name]
                for name in ("key", "session", "identifier", "title", "classification", "extras", "stage", "stage_date")
            },
            **wanted,
        }
    )


def _actions(bill: dict[str, Any]) -> list[dict[str, Any]]:
    place = jurisdictions.load()[bill["jurisdiction"]]
    bodies = {chamber: organization(place, chamber) for chamber in {a["chamber"] for a in bill["actions"]}}
    number: Counter[tuple[str, str]] = Counter()
    found = []
    for order, action in enumerate(bill["actions"]):
        day = action["date"].isoformat()
        number[day, action["description"]] += 1
        found.append(
            {
                "id": made_id("action", bill["ocd_id"], day, action["description"], number[day, action["description"]]),
                "organization": bodies[action["chamber"]],
                "description": action["description"],
                "date": day,
                "classification": [c for c in action["classification"] if c not in ADDED_ACTION_CLASSES],
                "order": order,
                "first_seen": action["first_seen_at"],
                "late": action["late"],
            }
        )
    return found


def _sponsorships(bill: dict[str, Any]) -> list[dict[str, Any]]:
    number: Counter[str] = Counter()
    found = []
    for sponsor in bill["sponsorships"]:
        number[sponsor["name"]] += 1
        found.append(
            {
                "id": made_id("sponsorship", bill["ocd_id"], sponsor["name"], number[sponsor["name"]]),
                "primary": sponsor["is_primary"],
                **{name: sponsor[name] for name in ("name", "entity_type", "classification")},
            }
        )
    return found


def _documents(bill: dict[str, Any], kind: str, documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    number: Counter[tuple[str, str]] = Counter()
    found = []
    for document in documents:
        note, day = document.get("note", ""), _iso(document.get("date")) or ""
        number[note, day] += 1
        found.append(
            {
                "id": made_id(kind, bill["ocd_id"], note, day, number[note, day]),
                "note": note,
                "date": day,
                "links": document.get("links", []),
            }
        )
    return found


def _titles(connection: Connection, ids: Sequence[int], as_of: dt.datetime | None) -> dict[int, list[str]]:
    query = select(BillTitleRow.bill_id, BillTitleRow.title).where(BillTitleRow.bill_id.in_(ids))
    if as_of is not None:
        query = query.where(BillTitleRow.first_seen_at <= as_of)
    found: dict[int, list[str]] = {}
    for row in connection.execute(query.order_by(BillTitleRow.id)):
        found.setdefault(row.bill_id, []).append(row.title)
    return found


def _iso(day: Any) -> str | None:
    return day.isoformat() if isinstance(day, dt.date) else day or None
