"""The shapes the API answers with: Open States' fields under Open States' names, and our own beside them.

What is not known is left out. Ours are marked in their descriptions.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Pagination(BaseModel):
    """Where in a list this page is."""

    per_page: int
    page: int
    max_page: int
    total_items: int


class Listed(BaseModel, Generic[T]):
    """A page of a list."""

    results: list[T]
    pagination: Pagination


class CompactJurisdiction(BaseModel):
    """The jurisdiction a thing belongs to."""

    id: str
    name: str
    classification: str


class Organization(BaseModel):
    """A chamber, the whole legislature, or the executive."""

    id: str
    name: str
    classification: str


class OrganizationWithDistricts(Organization):
    """With its districts; none are known yet."""

    districts: list[dict[str, Any]] = []


class Download(BaseModel):
    """A session's bills as an archive of CSV files."""

    created_at: dt.datetime
    updated_at: dt.datetime
    data_type: str
    url: str


class LegislativeSession(BaseModel):
    """A legislative session."""

    identifier: str
    name: str
    classification: str = ""
    start_date: str = ""
    end_date: str = ""
    downloads: list[Download] = []


class RunPlan(BaseModel):
    """One crawl."""

    success: bool
    start_time: dt.datetime
    end_time: dt.datetime | None = None


class Jurisdiction(CompactJurisdiction):
    """A state, a territory or the country."""

    division_id: str
    url: str
    latest_bill_update: dt.datetime | None = None
    latest_people_update: dt.datetime | None = None
    organizations: list[OrganizationWithDistricts] | None = None
    legislative_sessions: list[LegislativeSession] | None = None
    latest_runs: list[RunPlan] | None = None


class Abstract(BaseModel):
    """A summary."""

    abstract: str
    note: str = ""


class Title(BaseModel):
    """A title the bill had before."""

    title: str
    note: str = ""


class OtherIdentifier(BaseModel):
    """Another number of the bill."""

    identifier: str


class RelatedBill(BaseModel):
    """Another bill that this one names."""

    identifier: str
    legislative_session: str
    relation_type: str


class Sponsorship(BaseModel):
    """A sponsor as printed."""

    id: str
    name: str
    entity_type: str
    primary: bool
    classification: str


class Action(BaseModel):
    """One line of the history. ``first_seen`` and ``late`` are ours."""

    id: str
    organization: Organization
    description: str
    date: str
    classification: list[str]
    order: int
    related_entities: list[dict[str, Any]] = []
    first_seen: dt.datetime = Field(description="When we saw it (ours).")
    late: bool = Field(description="Posted well after its own date (ours).")


class Link(BaseModel):
    """A web address."""

    url: str
    note: str = ""


class DocumentLink(BaseModel):
    """One file form of a document."""

    url: str
    media_type: str = ""


class Document(BaseModel):
    """A version or another document."""

    id: str
    note: str
    date: str = ""
    links: list[DocumentLink]


class Evidence(BaseModel):
    """The bill's own words: ``quote == field[start:end]`` in Unicode code points."""

    field: str
    start: int
    end: int
    quote: str


class Tag(BaseModel):
    """A strategy of the playbook that the bill was judged by (ours)."""

    strategy: str
    score: float
    applied: bool
    since: dt.datetime
    classifier: str
    evidence: list[Evidence] | None = None


class Hearing(BaseModel):
    """A hearing of the bill as announced (ours; /events has them as meetings)."""

    date: dt.date
    time: str
    timezone: str
    committee: str
    location: str
    status: str
    url: str


class Bill(BaseModel):
    """A bill. Lists that ``include`` did not ask for are absent."""

    id: str
    session: str
    jurisdiction: CompactJurisdiction
    from_organization: Organization
    identifier: str
    title: str
    classification: list[str]
    subject: list[str]
    extras: dict[str, Any]
    created_at: dt.datetime = Field(description="When we first saw it.")
    updated_at: dt.datetime = Field(description="When something of it last changed, as we saw it.")
    openstates_url: str = Field(description="Its page here.")
    first_action_date: str | None = None
    latest_action_date: str | None = None
    latest_action_description: str | None = None
    latest_passage_date: str | None = None
    related_bills: list[RelatedBill] | None = None
    abstracts: list[Abstract] | None = None
    other_titles: list[Title] | None = None
    other_identifiers: list[OtherIdentifier] | None = None
    sponsorships: list[Sponsorship] | None = None
    actions: list[Action] | None = None
    sources: list[Link] | None = None
    versions: list[Document] | None = None
    documents: list[Document] | None = None
    votes: list[dict[str, Any]] | None = None
    key: str = Field(description="Readable key, as commands take it (ours).")
    stage: str = Field(description="How far it has come (ours).")
    stage_date: dt.date | None = Field(None, description="The legislature's date of that stage (ours).")
    vanished_at: dt.datetime | None = Field(None, description="When its source stopped showing it (ours).")
    official_url: str = Field(description="The legislature's page (ours).")
    as_of: dt.datetime | None = Field(None, description="The moment the reply speaks of, where one was asked (ours).")
    tags: list[Tag] | None = None
    hearings: list[Hearing] | None = None


class Place(BaseModel):
    """Where an event is."""

    name: str
    url: str = ""


class EventDocument(BaseModel):
    """A document or recording of an event."""

    note: str
    date: str = ""
    links: list[DocumentLink] = []


class Participant(BaseModel):
    """Who holds the event."""

    note: str
    name: str
    entity_type: str


class EventBill(BaseModel):
    """A bill on an agenda."""

    id: str
    session: str
    identifier: str
    title: str


class RelatedEntity(BaseModel):
    """What an agenda item is about."""

    note: str
    name: str
    entity_type: str
    bill: EventBill | None = None


class AgendaItem(BaseModel):
    """One item of an agenda."""

    description: str
    classification: list[str] = []
    order: int
    subjects: list[str] = []
    notes: list[str] = []
    extras: dict[str, Any] = {}
    related_entities: list[RelatedEntity] = []
    media: list[EventDocument] = []


class Event(BaseModel):
    """A committee's meeting, made of the hearings that sources announce for its bills."""

    id: str
    name: str
    jurisdiction: CompactJurisdiction
    description: str
    classification: str
    start_date: str
    end_date: str = ""
    all_day: bool
    status: str
    upstream_id: str = ""
    deleted: bool
    location: Place | None = None
    links: list[Link] | None = None
    sources: list[Link] | None = None
    media: list[EventDocument] | None = None
    documents: list[EventDocument] | None = None
    participants: list[Participant] | None = None
    agenda: list[AgendaItem] | None = None


class Change(BaseModel):
    """One event of the log (ours)."""

    seq: int
    kind: str
    key: str
    bill_id: str = Field(description="The bill's public id.")
    jurisdiction: str
    session: str
    identifier: str
    before: Any = None
    after: Any = None
    occurred_on: dt.date | None = None
    seen_at: dt.datetime


class Changes(BaseModel):
    """Events after a sequence number, oldest first. Go on with ``after=last_seq`` while ``more`` is true."""

    results: list[Change]
    last_seq: int
    more: bool
