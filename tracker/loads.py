"""What a load of bills is, and what it comes to: where it comes from, its numbers per jurisdiction, what it refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from tracker.records import RecordError


@dataclass(frozen=True)
class Run:
    """Where a load comes from. ``complete``: all bills of the session are in it, so others are missing.

    ``manifest`` is the crawl's own account; it is kept with the run.
    """

    source: str
    complete: bool = False
    replayed: bool = False
    records_path: str = ""
    started_at: dt.datetime | None = None
    manifest: dict[str, Any] = field(default_factory=dict)


@dataclass
class Counts:
    """What one jurisdiction's bills in a load came to."""

    bills: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    duplicates: int = 0
    events: int = 0
    newest_action: str = ""
    sessions: set[str] = field(default_factory=set)

    def to_json(self) -> dict[str, Any]:
        """For ``--json`` and the run's row."""
        return {**self.__dict__, "sessions": sorted(self.sessions)}


@dataclass
class Report:
    """What a load did, per jurisdiction, and what it could not use (the first thousand)."""

    counts: dict[str, Counts] = field(default_factory=dict)
    rejected: list[RecordError] = field(default_factory=list)
    run_ids: dict[str, int] = field(default_factory=dict)
    unknown_actions: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, jurisdiction: str) -> Counts:
        """The counts of a jurisdiction, made on first use."""
        return self.counts.setdefault(jurisdiction, Counts())

    def total(self, name: str) -> int:
        """A count over all jurisdictions."""
        return sum(getattr(counts, name) for counts in self.counts.values())
