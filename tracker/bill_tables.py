"""The tables of bills as they are written: columns in their order, rows waiting together, what a batch came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table

from tracker.db import insert_rows, reserve_ids
from tracker.models.bills import BillRow, VersionRow
from tracker.new_bill import NewBill, Row


@dataclass
class Outcome:
    """What one batch of one jurisdiction came to."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    events: int = 0
    newest_action: str = ""
    ids: list[int] = field(default_factory=list)
    unknown_actions: Counter[str] = field(default_factory=Counter)


def table(model: Any) -> Table:
    """The Core table behind a model."""
    found = model.__table__
    assert isinstance(found, Table)
    return found


BILL_COLUMNS = [
    "id",
    "ocd_id",
    "jurisdiction",
    "session_id",
    "identifier",
    "title",
    "chamber",
    "classification",
    "stage",
    "stage_date",
    "first_action_date",
    "latest_action_date",
    "latest_action",
    "url",
    "sources",
    "documents",
    "extras",
    "record_hash",
    "first_seen_at",
    "last_changed_at",
    "last_seen_at",
    "missing_runs",
]
CHILD_COLUMNS: dict[str, list[str]] = {
    "bill_title": ["bill_id", "title", "first_seen_at"],
    "bill_abstract": ["bill_id", "ordinal", "abstract", "note", "first_seen_at"],
    "bill_subject": ["bill_id", "subject", "first_seen_at"],
    "action": [
        "bill_id",
        "ordinal",
        "date",
        "description",
        "chamber",
        "classification",
        "late",
        "first_seen_at",
    ],
    "sponsorship": [
        "bill_id",
        "ordinal",
        "name",
        "classification",
        "is_primary",
        "entity_type",
        "first_seen_at",
    ],
    "version": ["id", "bill_id", "ordinal", "note", "date", "first_seen_at"],
    "version_link": ["version_id", "url", "media_type"],
    "related_bill": ["bill_id", "identifier", "legislative_session", "relation_type", "first_seen_at"],
    "hearing": [
        "bill_id",
        "date",
        "time",
        "timezone",
        "committee",
        "location",
        "status",
        "url",
        "first_seen_at",
    ],
}


class Children:
    """Child rows waiting to be written together, by table, in database-ready values."""

    def __init__(self, seen_at: str) -> None:
        self.seen_at = seen_at
        self.rows: dict[str, list[Row]] = {name: [] for name in CHILD_COLUMNS}
        self.links: list[Sequence[Row]] = []

    def add(self, name: str, *values: Any) -> None:
        """Queue a row of values in the table's column order; ``first_seen_at`` is put behind them."""
        self.rows[name].append((*values, self.seen_at))

    def add_version(self, bill_id: int, version: Row, links: Sequence[Row]) -> None:
        """Queue a version (ordinal, note, date) with its links; its key is given out when written."""
        self.rows["version"].append((bill_id, *version, self.seen_at))
        self.links.append(links)

    def add_all(self, bill_id: int, bill: NewBill) -> None:
        """Queue all children of a new bill."""
        seen_at = self.seen_at
        for name, rows in bill.children.items():
            self.rows[name].extend([(bill_id, *row, seen_at) for row in rows])
        self.links.extend(bill.links)

    def write(self, connection: Connection) -> None:
        """Insert everything queued."""
        versions = self.rows["version"]
        keys = reserve_ids(connection, table(VersionRow), len(versions))
        self.rows["version"] = [(key, *row) for key, row in zip(keys, versions, strict=True)]
        self.rows["version_link"] = [
            (key, *link) for key, links in zip(keys, self.links, strict=True) for link in links
        ]
        tables = BillRow.metadata.tables
        for name, columns in CHILD_COLUMNS.items():
            insert_rows(connection, tables[name], columns, self.rows[name])
