"""A record read, checked and laid out as the rows of a bill that is new: everything that needs no database.

It is the dear part of a load, and pure, so a load has it done by a process of its own while it writes what
came before (:mod:`tracker.ingest`). For a bill that is already stored the rows are not used: what moved is
found by comparing its record (:mod:`tracker.bill_update`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from pydantic_core import from_json, to_json

from tracker import openstates
from tracker.records import Action, BillRecord, Hearing, RecordError, parse_record
from tracker.standing import Standing, standing

Raw: TypeAlias = bytes | str | dict[str, Any] | BillRecord
Row: TypeAlias = tuple[Any, ...]
# Part of every record's hash: raise it when reading or comparing improves, and the next load looks again.
READER = b"1"


@dataclass(slots=True)
class NewBill:
    """One bill's rows in database-ready values, still without the keys that the database gives.

    ``row``: columns of ``bill`` from ``identifier`` to ``extras``. ``children``: rows by table, without the
    bill's key before and the time seen behind. ``links``: (url, media type) by version, in the versions' order.
    ``raw`` is what it was read from (None on its way between processes: whoever asked has it).
    """

    digest: bytes
    raw: Raw | None
    jurisdiction: str
    session: str
    key: str
    ocd_id: str
    row: Row
    first: str | None
    latest: str
    event: dict[str, Any]
    children: dict[str, list[Row]]
    links: list[list[Row]]
    unknown_actions: Counter[str] = field(default_factory=Counter)

    def record(self) -> BillRecord:
        """The record once more, for comparing it with what is stored."""
        found = read(self.raw)
        assert isinstance(found, BillRecord)  # it was read before
        return found


def digest_of(raw: Raw) -> bytes:
    """What tells that a record is the same as last time: 16 bytes of its own JSON text."""
    if isinstance(raw, BillRecord):
        raw = raw.model_dump_json()
    elif isinstance(raw, dict):
        raw = to_json(raw)
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw.strip()
    return hashlib.blake2b(data, digest_size=16, salt=READER).digest()


def prepare_all(raws: Sequence[tuple[bytes, Raw]]) -> list[NewBill | RecordError]:
    """:func:`prepare` for many, in order."""
    return [made for digest, raw in raws for made in prepare(digest, raw)]


def prepare_apart(raws: Sequence[tuple[bytes, Raw]]) -> list[NewBill | RecordError]:
    """:func:`prepare_all` in a process of its own: what was sent there is not sent back."""
    sent = {digest for digest, _ in raws}
    made = prepare_all(raws)
    for bill in made:
        if isinstance(bill, NewBill) and bill.digest in sent:
            bill.raw = None
    return made


def prepare(digest: bytes, raw: Raw) -> Iterator[NewBill | RecordError]:
    """One bill, or several from a text that holds a JSON array; what cannot be used comes as its error."""
    data: Any = raw
    if isinstance(raw, bytes | str):
        try:
            data = from_json(raw)
        except ValueError as error:
            yield RecordError("", "", "JSON", str(error)[:200])
            return
    if not isinstance(data, list):
        yield _laid_out(digest, raw, data)
        return
    for item in data:
        text = to_json(item)
        yield _laid_out(digest_of(text), text, item)


def read(raw: Any) -> BillRecord | RecordError:
    """A record from JSON text or a mapping, in BillRecord's form or that of Open States' scrapers."""
    data = raw
    try:
        data = from_json(raw) if isinstance(raw, bytes | str) else raw
        if isinstance(data, dict) and openstates.is_scraped_bill(data):
            data = openstates.to_record(data)
        return parse_record(data)
    except RecordError as error:
        return error
    except (TypeError, AttributeError, ValueError) as error:
        code = data.get("jurisdiction") if isinstance(data, dict) else ""
        return RecordError(code if isinstance(code, str) else "", "", "record", f"wrong shape: {error}"[:200])


def _laid_out(digest: bytes, raw: Raw, data: Any) -> NewBill | RecordError:
    record = read(data)
    if isinstance(record, RecordError):
        return record
    unknown: Counter[str] = Counter()
    state = standing(record, unknown)
    return NewBill(
        digest=digest,
        raw=raw,
        jurisdiction=record.jurisdiction,
        session=record.legislative_session,
        key=record.key,
        ocd_id=record.id,
        row=_bill_row(record, state),
        first=state.first,
        latest=state.latest or "",
        event={
            "title": record.title,
            "stage": state.stage,
            "actions": len(record.actions),
            "latest_action": state.latest_text,
            "latest_action_date": state.latest,
        },
        children=_children(record, state),
        links=[[(link.url, link.media_type) for link in version.links] for version in record.versions],
        unknown_actions=unknown,
    )


def _bill_row(record: BillRecord, state: Standing) -> Row:
    return (
        record.identifier,
        record.title,
        record.chamber,
        as_json(record.classification),
        state.stage,
        state.stage_date,
        state.first,
        state.latest,
        state.latest_text,
        record.sources[0].url if record.sources else "",
        as_json(record.sources),
        as_json(record.documents),
        as_json(record.extras),
    )


def _children(record: BillRecord, state: Standing) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {
        "bill_title": [(record.title,)],
        "bill_abstract": [(place, a.abstract, a.note) for place, a in enumerate(record.abstracts)],
        "bill_subject": [(subject,) for subject in dict.fromkeys(record.subject)],
        "action": [
            action_values(place, action, classes, late=False)
            for place, (action, classes) in enumerate(zip(record.actions, state.classes, strict=True))
        ],
        "sponsorship": [
            (place, s.name, s.classification, s.primary, s.entity_type) for place, s in enumerate(record.sponsorships)
        ],
        "version": [(place, v.note, v.date or None) for place, v in enumerate(record.versions)],
        "related_bill": [(r.identifier, r.legislative_session, r.relation_type) for r in record.related_bills],
        "hearing": [hearing_values(hearing) for hearing in record.hearings],
    }
    return {name: found for name, found in rows.items() if found}


def action_values(place: int, action: Action, classes: list[str], *, late: bool) -> Row:
    """An action's columns between the bill's key and ``first_seen_at``."""
    return place, action.date, action.description, action.chamber, _classes_json(tuple(classes)), late


@lru_cache(maxsize=4_096)
def _classes_json(classes: tuple[str, ...]) -> str:
    return as_json(classes)


def hearing_values(hearing: Hearing) -> Row:
    """A hearing's columns between the bill's key and ``first_seen_at``."""
    return (
        hearing.date,
        hearing.time,
        hearing.timezone,
        hearing.committee,
        hearing.location,
        hearing.status,
        hearing.url,
    )


def as_json(value: Any) -> str:
    """JSON text, as both databases take it in bulk loads; NUL, which PostgreSQL refuses, is dropped."""
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    return to_json(value).decode().replace("\\u0000", "")
