"""A session's bills as one archive of CSV files, laid out as Open States' bulk data, so that its readers read ours.

Cells are safe in a spreadsheet: one that looks like a formula gets an apostrophe in front.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from sqlalchemy import Connection, select

from tracker import spreadsheet
from tracker.export_parts import batches, in_place
from tracker.jurisdictions import Jurisdiction
from tracker.models.bills import BillRow, SessionRow
from tracker.web.api import resources
from tracker.web.api.bill_resources import Include, bill_resources
from tracker.web.api.organizations import made_id, organizations

BATCH = 200
COLUMNS: dict[str, tuple[str, ...]] = {
    "bills": (
        "id", "identifier", "title", "classification", "subject", "session_identifier", "jurisdiction",
        "organization_classification",
    ),
    "bill_abstracts": ("id", "bill_id", "abstract", "note"),
    "bill_titles": ("id", "bill_id", "title", "note"),
    "bill_identifiers": ("id", "bill_id", "identifier"),
    "bill_actions": ("id", "bill_id", "organization_id", "description", "date", "classification", "order"),
    "bill_sources": ("id", "bill_id", "url", "note"),
    "bill_related_bills": ("id", "bill_id", "identifier", "legislative_session", "relation_type"),
    "bill_sponsorships": ("id", "bill_id", "name", "entity_type", "primary", "classification"),
    "bill_documents": ("id", "bill_id", "note", "date"),
    "bill_versions": ("id", "bill_id", "note", "date"),
    "bill_document_links": ("id", "document_id", "media_type", "url"),
    "bill_version_links": ("id", "version_id", "media_type", "url"),
    "votes": ("id", "bill_id", "identifier", "motion_text", "motion_classification", "start_date", "result"),
    "vote_people": ("id", "vote_event_id", "option", "voter_name", "voter_id", "note"),
    "vote_counts": ("id", "vote_event_id", "option", "value"),
    "vote_sources": ("id", "vote_event_id", "url", "note"),
    "organizations": ("id", "name", "classification"),
}  # fmt: skip
Rows = dict[str, list[dict[str, Any]]]
_INCLUDE = set(Include) - {Include.TAGS, Include.EVIDENCE, Include.HEARINGS}


def write_session(connection: Connection, place: Jurisdiction, session: str, path: Path) -> int:
    """Write the archive; returns the number of bills. Bills that vanished from their source are in it, too."""
    ids = list(
        connection.execute(
            select(BillRow.id)
            .join(SessionRow, SessionRow.id == BillRow.session_id)
            .where(BillRow.jurisdiction == place.code, SessionRow.identifier == session)
            .order_by(BillRow.id)
        ).scalars()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    safe = session.replace("/", "-")
    with TemporaryDirectory(dir=path.parent) as folder, in_place(path) as partial:
        with ExitStack() as opened:
            _fill({name: opened.enter_context(_open(Path(folder) / name)) for name in COLUMNS}, connection, place, ids)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in COLUMNS:
                archive.write(Path(folder) / name, f"{place.code}/{safe}/{place.code}_{safe}_{name}.csv")
    return len(ids)


def _open(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", newline="")


def _fill(files: dict[str, IO[str]], connection: Connection, place: Jurisdiction, ids: Sequence[int]) -> None:
    for name, columns in COLUMNS.items():
        spreadsheet.write(files[name], columns, [])
    for part in batches(ids, BATCH):
        for name, rows in _rows(connection, part).items():
            spreadsheet.write(files[name], COLUMNS[name], rows, heading=False)
    bodies = [{"id": o.id, "name": o.name, "classification": o.classification} for o in organizations(place)]
    spreadsheet.write(files["organizations"], COLUMNS["organizations"], bodies, heading=False)


def _rows(connection: Connection, ids: Sequence[int]) -> Rows:
    found: Rows = {name: [] for name in COLUMNS}
    for bill in bill_resources(connection, ids, _INCLUDE, ""):
        found["bills"].append(
            {
                "id": bill.id,
                "identifier": bill.identifier,
                "title": bill.title,
                "classification": bill.classification,
                "subject": bill.subject,
                "session_identifier": bill.session,
                "jurisdiction": bill.jurisdiction.name,
                "organization_classification": bill.from_organization.classification,
            }
        )
        for name, row in _children(bill):
            found[name].append(row)
    return found


def _children(bill: resources.Bill) -> Iterator[tuple[str, dict[str, Any]]]:
    plain = bill.model_dump(mode="json")
    for kind in ("abstracts", "sources", "related_bills", "other_titles"):
        name = "bill_titles" if kind == "other_titles" else f"bill_{kind}"
        for place, row in enumerate(plain[kind]):
            yield name, {"id": made_id(kind, bill.id, place), "bill_id": bill.id, **row}
    for row in plain["actions"]:
        yield "bill_actions", {**row, "bill_id": bill.id, "organization_id": row["organization"]["id"]}
    for row in plain["sponsorships"]:
        yield "bill_sponsorships", {**row, "bill_id": bill.id}
    documents = [*(("version", row) for row in plain["versions"]), *(("document", row) for row in plain["documents"])]
    for kind, row in documents:
        yield f"bill_{kind}s", {**row, "bill_id": bill.id}
        for place, link in enumerate(row["links"]):
            yield f"bill_{kind}_links", {"id": made_id("link", row["id"], place), f"{kind}_id": row["id"], **link}
