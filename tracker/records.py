"""BillRecord: the one contract between whoever collects bills and whoever stores them.

A record is one bill as its source shows it at one moment, in Open States' terms, so that data moves both
ways. It is validated here, at the boundary, and nowhere else; what passes is safe to store. An invalid
record costs itself and never its neighbours: :func:`parse_record` raises :class:`RecordError`, which names
jurisdiction, bill and field.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import to_json

# A title of a real omnibus bill may run to 8,000 characters; anything far beyond is a page, not a title.
MAX_TITLE = 20_000
MAX_TEXT = 200_000
MAX_LIST = 20_000
EARLIEST_YEAR, LATEST_YEAR = 1789, 2100

_IDENTIFIER = re.compile(r"^([A-Z][A-Z .]*?)[ .]*0*(\d+)(.*)$", re.DOTALL)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_HTTP = re.compile(r"^(?:https?|ftp)://[^\s/]", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[\s<>\"'`{}|\\^\x00-\x1f\x7f]")


class RecordError(ValueError):
    """A record that cannot be stored: says which jurisdiction, bill and field, and what is wrong there."""

    def __init__(self, jurisdiction: str, identifier: str, field: str, problem: str) -> None:
        self.jurisdiction = jurisdiction
        self.identifier = identifier
        self.field = field
        self.problem = problem
        super().__init__(f"{jurisdiction or '?'} {identifier or '(no identifier)'}: {field}: {problem}")

    def __reduce__(self) -> tuple[type[RecordError], tuple[str, str, str, str]]:
        # Exceptions are rebuilt from their message alone otherwise, and this one crosses processes.
        return type(self), (self.jurisdiction, self.identifier, self.field, self.problem)


@lru_cache(maxsize=65_536)
def normalise_identifier(raw: str) -> str:
    """One spelling for each identifier: letters, one space, number without leading zeros, suffix kept.

    ``hb0012`` and ``H.B. 12`` are ``HB 12``; ``LR1CA`` is ``LR 1CA``; ``HB26-1001`` is ``HB 26-1001``.
    A name without a number is kept, upper case with single spaces.
    """
    text = _SPACE.sub(" ", _CONTROL.sub("", raw)).strip().upper()
    match = _IDENTIFIER.match(text)
    if not match:
        return text
    letters = match[1].replace(".", "").replace(" ", "")
    suffix = match[3].strip()
    gap = " " if match[3].startswith(" ") and suffix else ""
    return f"{letters} {match[2]}{gap}{suffix}"


def bill_key(jurisdiction: str, session: str, identifier: str) -> str:
    """The readable identity, as commands take it: ``tx/89R/HB 120``."""
    return f"{jurisdiction}/{session}/{identifier}"


def ocd_bill_id(jurisdiction: str, session: str, identifier: str) -> str:
    """The public id: ``ocd-bill/`` and the UUID5 (URL namespace) of :func:`bill_key`; the same everywhere."""
    return f"ocd-bill/{uuid.uuid5(uuid.NAMESPACE_URL, bill_key(jurisdiction, session, identifier))}"


def _clean(value: str) -> str:
    # Nearly all text is clean already; finding that out is much cheaper than rewriting it.
    if value.isprintable() and "  " not in value and value == value.strip():
        return value
    return _SPACE.sub(" ", _CONTROL.sub("", value)).strip()


@lru_cache(maxsize=65_536)
def _iso_date(value: str) -> str:
    text = value.strip()
    if not text:
        return ""
    try:
        day = dt.date.fromisoformat(text[:10])
    except ValueError as error:
        raise ValueError(f"{value[:40]!r} is not an ISO date (YYYY-MM-DD)") from error
    rest = text[10:]
    if rest:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"{value[:40]!r} is neither a date nor a date and time") from error
        if moment.tzinfo is not None:
            raise ValueError(f"{value[:40]!r} has a time zone: give the day in the jurisdiction's own time")
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise ValueError(f"the year {day.year} cannot be right")
    return day.isoformat()


def _date(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = value.replace(tzinfo=None).isoformat()
    elif isinstance(value, dt.date):
        value = value.isoformat()
    if not isinstance(value, str):
        raise ValueError("a date is text, YYYY-MM-DD")
    return _iso_date(value)


def _required_date(value: object) -> str:
    return _present(_date(value))


def _url(value: str) -> str:
    if not _HTTP.match(value):
        raise ValueError(f"{value[:80]!r} is not an http, https or ftp address")
    # States do publish links with blanks and quotes; browsers encode them, and so do we.
    return _UNSAFE_IN_URL.sub(lambda match: f"%{ord(match[0]):02X}", value) if _UNSAFE_IN_URL.search(value) else value


def _present(value: str) -> str:
    if not value:
        raise ValueError("is empty")
    return value


def _line(value: object) -> object:
    if value is None:
        return ""
    return _clean(value) if isinstance(value, str) else value


def _required(value: str) -> str:
    return _present(_clean(value))


# One function a field: each call from the validator costs as much as what it does.
Line = Annotated[str, BeforeValidator(_line), StringConstraints(max_length=MAX_TEXT)]
Required = Annotated[str, StringConstraints(max_length=MAX_TITLE), AfterValidator(_required)]
Day = Annotated[str, BeforeValidator(_date)]
ActionDay = Annotated[str, BeforeValidator(_required_date)]
Url = Annotated[str, StringConstraints(max_length=4_000, strip_whitespace=True), AfterValidator(_url)]
Chamber = Literal["upper", "lower", "legislature", "executive", ""]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=MAX_TEXT)


class Abstract(_Part):
    """A summary the source publishes; ``note`` says which kind."""

    abstract: Line
    note: Line = ""


class Action(_Part):
    """One line of the bill's history, in the source's own order and words; ``date`` is the local day."""

    date: ActionDay
    description: Required
    chamber: Chamber = ""
    classification: list[Line] = Field(default_factory=list, max_length=50)


class Sponsorship(_Part):
    """A sponsor's name as printed."""

    name: Required
    classification: Line = "primary"
    primary: bool = True
    entity_type: Literal["person", "organization", ""] = "person"


class Link(_Part):
    """One form of a document."""

    url: Url
    media_type: Line = ""


class Document(_Part):
    """A version of the bill, or a document beside it; ``note`` is its label ("Introduced")."""

    note: Line = ""
    date: Day = ""
    links: list[Link] = Field(default_factory=list, max_length=500)


class RelatedBill(_Part):
    """Another bill: companion, prior-session, replaced-by, replaces or related."""

    identifier: Required
    legislative_session: Line = ""
    relation_type: Line = "related"


class Hearing(_Part):
    """A hearing as announced: local date and time, IANA time zone, committee, place, status."""

    date: ActionDay
    time: Line = ""
    timezone: Line = ""
    committee: Line = ""
    location: Line = ""
    status: Line = "confirmed"
    url: Line = ""


class Source(_Part):
    """Where a person can see the bill; the first one is the official page."""

    url: Url
    note: Line = ""


class BillRecord(_Part):
    """One bill as its source shows it. Identity: (jurisdiction, legislative_session, identifier)."""

    jurisdiction: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
    legislative_session: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    identifier: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    title: Required
    chamber: Chamber = ""
    classification: list[Line] = Field(default_factory=lambda: ["bill"], max_length=50)
    subject: list[Line] = Field(default_factory=list, max_length=2_000)
    abstracts: list[Abstract] = Field(default_factory=list, max_length=200)
    actions: list[Action] = Field(default_factory=list, max_length=MAX_LIST)
    sponsorships: list[Sponsorship] = Field(default_factory=list, max_length=MAX_LIST)
    versions: list[Document] = Field(default_factory=list, max_length=2_000)
    documents: list[Document] = Field(default_factory=list, max_length=MAX_LIST)
    related_bills: list[RelatedBill] = Field(default_factory=list, max_length=MAX_LIST)
    hearings: list[Hearing] = Field(default_factory=list, max_length=MAX_LIST)
    sources: list[Source] = Field(default_factory=list, max_length=500)
    extras: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_spelling(self) -> BillRecord:
        self.identifier = normalise_identifier(self.identifier)
        if not self.identifier:
            raise ValueError("identifier is empty")
        for related in self.related_bills:
            related.identifier = normalise_identifier(related.identifier)
        return self

    @property
    def key(self) -> str:
        """``va/2026/HB 1``."""
        return bill_key(self.jurisdiction, self.legislative_session, self.identifier)

    @property
    def id(self) -> str:
        """The public ``ocd-bill/…`` id."""
        return ocd_bill_id(self.jurisdiction, self.legislative_session, self.identifier)

    def content_hash(self) -> bytes:
        """16 bytes that change when anything in the record changes."""
        return hashlib.blake2b(to_json(self), digest_size=16).digest()

    def to_line(self) -> str:
        """The record as one line of JSON, without fields that are empty."""
        return self.model_dump_json(exclude_defaults=True)


def parse_record(data: object) -> BillRecord:
    """Validate one record (a mapping, as read from JSON). Raises :class:`RecordError`."""
    if isinstance(data, BillRecord):
        return data
    try:
        return BillRecord.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "record"
        known: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        raise RecordError(
            _shown(known.get("jurisdiction")), _shown(known.get("identifier")), where, first["msg"]
        ) from error


def _shown(value: object) -> str:
    return _clean(value)[:60] if isinstance(value, str) else ""
