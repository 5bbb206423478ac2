"""Jurisdictions and their chambers as Open States names them; ids are made from names, the same everywhere."""

from __future__ import annotations

import uuid

from tracker.jurisdictions import Jurisdiction
from tracker.vocabulary import Chamber
from tracker.web.api import resources

_IDS = uuid.UUID("5b1b2e5e-6f5c-5b43-9d6f-0c6f7a6a4b8e")


def made_id(kind: str, *parts: object) -> str:
    """An id that the same thing has on every machine."""
    return str(uuid.uuid5(_IDS, "\x1f".join([kind, *map(str, parts)])))


def compact(place: Jurisdiction) -> resources.CompactJurisdiction:
    """The jurisdiction in short."""
    return resources.CompactJurisdiction(id=place.ocd_id, name=place.name, classification=classification(place))


def classification(place: Jurisdiction) -> str:
    """Open States counts the District and the territories among the states."""
    return "country" if place.code == "us" else "state"


def organization(place: Jurisdiction, chamber: str) -> resources.Organization:
    """The body that acted; the whole legislature where the source does not say."""
    kind = chamber if chamber in set(Chamber) else str(Chamber.LEGISLATURE)
    name = place.chamber_name(kind) or place.chamber_name(Chamber.LEGISLATURE) or "Legislature"
    return resources.Organization(
        id=f"ocd-organization/{made_id('organization', place.ocd_id, kind)}", name=name, classification=kind
    )


def organizations(place: Jurisdiction) -> list[resources.OrganizationWithDistricts]:
    """All bodies of a jurisdiction."""
    kinds = [Chamber.LEGISLATURE, *(Chamber(name) for name in place.chambers), Chamber.EXECUTIVE]
    found = [organization(place, kind) for kind in dict.fromkeys(kinds)]
    return [resources.OrganizationWithDistricts(**one.model_dump()) for one in found]
