"""Looks at what a crawl brought as a careful person would: what is filled, what is odd, what no rule knows.

Pure: records and a manifest in, a report out. ``billtracker check`` prints it for whoever writes a crawler.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, get_args
from urllib.parse import urlsplit

from tracker.actions import is_known, stage_of
from tracker.jurisdictions import Brought, Jurisdiction, Session
from tracker.records import BillRecord

FIELDS = (
    "title",
    "chamber",
    "classification",
    "subject",
    "abstracts",
    "actions",
    "sponsorships",
    "versions",
    "documents",
    "related_bills",
    "hearings",
    "sources",
)
EXAMPLES = 5
SHOWN = 90
_MARKUP = re.compile(r"</?[a-z][^>]*>|&(?:nbsp|amp|lt|gt|quot|#\d+);", re.IGNORECASE)
_NUMBERED = re.compile(r"^[A-Z]+ \d")


def report(records: Sequence[BillRecord], manifest: Mapping[str, Any], place: Jurisdiction) -> dict[str, Any]:
    """Everything a person needs to judge a crawl, as one JSON value."""
    odd: dict[str, list[str]] = {}
    for record in records:
        session = place.by_identifier.get(record.legislative_session)
        for what in oddities(record, session, place):
            odd.setdefault(what, []).append(record.identifier)
    if fields := unsaid(records, str(manifest.get("source")), place):
        what = f"brings, in tracker/jurisdictions.toml, leaves out {', '.join(fields)}"
        odd[what] = [r.identifier for r in records if any(getattr(r, name) for name in fields)]
    unknown = Counter(
        action.description
        for record in records
        for action in record.actions
        if not is_known(place.code, action.description, action.chamber)
    )
    return {
        "jurisdiction": place.code,
        "source": manifest.get("source"),
        "session": manifest.get("session"),
        "replayed": bool(manifest.get("replayed")),
        "outcome": manifest.get("outcome"),
        "reason": manifest.get("reason") or "",
        "bills": len(records),
        "fields": [field(records, name) for name in FIELDS],
        "odd": [{"what": what, "bills": len(bills), "examples": bills[:EXAMPLES]} for what, bills in odd.items()],
        "actions": sum(len(record.actions) for record in records),
        "unknown_actions": [{"text": text, "times": times} for text, times in unknown.most_common(20)],
        "rejected": list(manifest.get("rejected") or ())[:20],
        "issues": list(manifest.get("issues") or ())[:20],
        "requests": manifest.get("requests"),
        "bytes": manifest.get("bytes"),
        "seconds_between_requests": place.politeness.delay,
        "verdict": manifest.get("verdict") or {},
        "would_be": [summary(record) for record in records[:EXAMPLES]],
    }


def field(records: Sequence[BillRecord], name: str) -> dict[str, Any]:
    """How many bills have a field, and what it looks like where it is."""
    having = [record for record in records if getattr(record, name)]
    value = getattr(having[0], name) if having else ""
    if isinstance(value, list):
        value = value[-1]
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_defaults=True)
    return {"field": name, "filled": len(having), "of": len(records), "example": str(value)[:SHOWN]}


def summary(record: BillRecord) -> dict[str, Any]:
    """A bill as a reader would meet it."""
    reached = stage_of(record.actions, bill_classification=record.classification, jurisdiction=record.jurisdiction)
    last = record.actions[-1] if record.actions else None
    return {
        "key": record.key,
        "title": record.title[:SHOWN],
        "stage": reached.stage,
        "latest_action": f"{last.date} {last.description[:SHOWN]}" if last else "",
        "actions": len(record.actions),
        "sponsors": len(record.sponsorships),
        "versions": len(record.versions),
        "url": record.sources[0].url if record.sources else "",
    }


def unsaid(records: Sequence[BillRecord], source: str, place: Jurisdiction) -> list[str]:
    """Fields that records have, though the data do not say that their source brings them."""
    brings = next((known.brings for known in place.sources if known.name == source), get_args(Brought))
    return [name for name in get_args(Brought) if name not in brings and any(getattr(r, name) for r in records)]


def oddities(record: BillRecord, session: Session | None, place: Jurisdiction) -> Iterable[str]:
    """What about a record wants a look; each is a sentence that is the same for every bill it fits."""
    if not _NUMBERED.match(record.identifier):
        yield "the identifier is not letters and a number"
    if len(record.title) < 8:
        yield "the title is very short"
    texts = [record.title, *(a.abstract for a in record.abstracts), *(a.description for a in record.actions)]
    if any(_MARKUP.search(text) for text in texts):
        yield "markup is left in a title, summary or action"
    if not record.chamber:
        yield "no chamber"
    if session is None:
        yield "the session is not in tracker/jurisdictions.toml"
    if not record.sources:
        yield "no official page to link to"
    hosts = {*place.hosts, *(host for source in place.sources for host in source.hosts)}
    if any(urlsplit(source.url).hostname not in hosts for source in record.sources):
        yield "a source lies on a host that the jurisdiction's data do not name"
    if any(not link.media_type for version in record.versions for link in version.links):
        yield "a version's link has no media type"
    if any(sponsor.name.endswith(",") or "  " in sponsor.name for sponsor in record.sponsorships):
        yield "a sponsor's name looks cut"
    yield from _odd_actions(record, session)


def _odd_actions(record: BillRecord, session: Session | None) -> Iterable[str]:
    if not record.actions:
        yield "no actions"
    if any(earlier.date > later.date for earlier, later in pairwise(record.actions)):
        yield "actions are not in the order of their dates"
    if len({(a.date, a.description, a.chamber) for a in record.actions}) < len(record.actions):
        yield "the same action twice on one day"
    if any(len(action.description) > 1_000 for action in record.actions):
        yield "an action's text is longer than 1,000 characters"
    if session is not None:
        first = str((session.prefile or session.start).year - 1)
        last = str(session.end.year + 1)
        if any(not first <= action.date[:4] <= last for action in record.actions):
            yield "an action lies more than a year outside the session"
