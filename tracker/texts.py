"""Fetches the documents of bill versions and keeps the text that is in them.

Bills that may be in scope come first, the rest as the budget allows; the share without text is always
known. A document without readable text is kept too, with its named reason, so that it is not asked for again
and shows in the quality report.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, exists, insert, or_, select, update
from sqlalchemy import func as sql

from tracker import console, crawl_process, events
from tracker.crawling import CRAWL_HOURS, CrawlError, environment
from tracker.db import reading, writing
from tracker.events import Event, EventKind
from tracker.models.base import stamp
from tracker.models.bills import BillRow, BillTextRow, VersionLinkRow, VersionRow
from tracker.models.tags import TagRow
from tracker.settings import Settings
from tracker.tagging import IN_SCOPE
from tracker.text import extract

# Documents in this order, where a version has several: the first is read best.
PREFERRED = ("text/xml", "application/xml", "text/html", "text/plain", "application/pdf")
BATCH = 50
UNFETCHED = "unfetched"
# A document that did not come (a busy site, a refusal) is asked for again after so long.
ASK_AGAIN = dt.timedelta(days=3)


@dataclass
class TextReport:
    """What a run of text fetching did. ``without`` counts bills of these jurisdictions with no readable text.

    ``states`` has a row a jurisdiction with bills: jurisdiction, bills, without, share_without, and documents
    without text by reason (``unreadable``: pictures of pages are ``image_only``).
    """

    wanted: int = 0
    fetched: int = 0
    ok: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    bills: int = 0
    without: int = 0
    states: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


@dataclass(frozen=True)
class Wanted:
    """One document to fetch: the version it is of, and where it is."""

    ref: int
    bill_id: int
    jurisdiction: str
    session: str
    identifier: str
    note: str
    url: str
    media_type: str


def wanted(
    connection: Connection, codes: Sequence[str], limit: int, *, now: dt.datetime, likely_first: bool = True
) -> list[Wanted]:
    """Versions whose text we do not have, the most useful first, one document each.

    A document that was read, with or without text, is not asked for again; one that did not come is, after a while.
    """
    from tracker.models.bills import SessionRow

    likely = (
        select(sql.max(TagRow.score))
        .where(TagRow.bill_id == BillRow.id, TagRow.strategy == IN_SCOPE, TagRow.removed_at.is_(None))
        .scalar_subquery()
    )
    order: list[Any] = [BillRow.latest_action_date.desc(), VersionRow.id.desc()]
    if likely_first:
        order.insert(0, sql.coalesce(likely, 0.0).desc())
    query = (
        select(
            VersionRow.id,
            VersionRow.bill_id,
            VersionRow.note,
            BillRow.jurisdiction,
            SessionRow.identifier.label("session"),
            BillRow.identifier,
        )
        .join(BillRow, BillRow.id == VersionRow.bill_id)
        .join(SessionRow, SessionRow.id == BillRow.session_id)
        .where(
            BillRow.jurisdiction.in_(codes),
            VersionRow.removed_at.is_(None),
            BillRow.vanished_at.is_(None),
            ~exists().where(
                BillTextRow.version_id == VersionRow.id,
                or_(BillTextRow.status != UNFETCHED, BillTextRow.fetched_at > now - ASK_AGAIN),
            ),
            exists().where(VersionLinkRow.version_id == VersionRow.id),
        )
        .order_by(*order)
        .limit(limit)
    )
    versions = connection.execute(query).all()
    links: dict[int, list[tuple[str, str]]] = {}
    ids = [row.id for row in versions]
    for start in range(0, len(ids), 500):
        for link in connection.execute(
            select(VersionLinkRow.version_id, VersionLinkRow.url, VersionLinkRow.media_type).where(
                VersionLinkRow.version_id.in_(ids[start : start + 500])
            )
        ):
            links.setdefault(link.version_id, []).append((link.url, link.media_type))
    return [
        Wanted(
            row.id,
            row.bill_id,
            row.jurisdiction,
            row.session,
            row.identifier,
            row.note,
            *_best(links[row.id]),
        )
        for row in versions
    ]


def _best(links: Sequence[tuple[str, str]]) -> tuple[str, str]:
    # A state that names an FTP server beside its pages wants robots to go there.
    def rank(link: tuple[str, str]) -> tuple[int, bool]:
        return PREFERRED.index(link[1]) if link[1] in PREFERRED else len(PREFERRED), not link[0].startswith("ftp:")

    return min(links, key=rank)


def fetch(
    engine: Engine,
    settings: Settings,
    codes: Sequence[str],
    *,
    replays: Sequence[Path] = (),
    now: dt.datetime,
    quiet: bool = False,
) -> TextReport:
    """Fetch and read what is missing, within the budget; from recordings when ``replays`` are given."""
    report = TextReport()
    with reading(engine) as connection:
        missing = wanted(connection, codes, settings.text_budget, now=now, likely_first=settings.text_first)
    report.wanted = len(missing)
    sources: list[Path | None] = [*replays] or ([None] if missing else [])
    for replay in sources:
        try:
            store(engine, missing, _documents(settings, missing, replay, now, quiet), now=now, report=report)
        except CrawlError as error:
            report.problem = str(error)
    with reading(engine) as connection:
        report.states = standing(connection, codes)
    report.bills = sum(row["bills"] for row in report.states)
    report.without = sum(row["without"] for row in report.states)
    return report


def standing(connection: Connection, codes: Sequence[str]) -> list[dict[str, Any]]:
    """How far each jurisdiction's bills have readable text, and why the others have none."""
    readable = exists().where(BillTextRow.bill_id == BillRow.id, BillTextRow.status == "ok")
    there = (BillRow.jurisdiction.in_(codes), BillRow.vanished_at.is_(None))
    unreadable: dict[str, dict[str, int]] = {}
    for code, status, count in connection.execute(
        select(BillRow.jurisdiction, BillTextRow.status, sql.count())
        .join(BillTextRow, BillTextRow.bill_id == BillRow.id)
        .where(*there, BillTextRow.status != "ok")
        .group_by(BillRow.jurisdiction, BillTextRow.status)
        .order_by(BillTextRow.status)
    ):
        unreadable.setdefault(code, {})[status] = count
    counted = connection.execute(
        select(BillRow.jurisdiction, sql.count(), sql.count().filter(readable))
        .where(*there)
        .group_by(BillRow.jurisdiction)
        .order_by(BillRow.jurisdiction)
    )
    return [
        {
            "jurisdiction": code,
            "bills": bills,
            "without": bills - having,
            "share_without": round(1 - having / bills, 4),
            "unreadable": unreadable.get(code, {}),
        }
        for code, bills, having in counted
    ]


def _documents(
    settings: Settings, missing: Sequence[Wanted], replay: Path | None, now: dt.datetime, quiet: bool
) -> Iterator[dict[str, Any]]:
    """Start the fetching process and read the documents that it brings, one JSON object a line."""
    folder = settings.records
    folder.mkdir(parents=True, exist_ok=True)
    name = f"texts-{now:%Y%m%dT%H%M%S}"
    asked, brought = folder / f"{name}.wanted.jsonl", folder / f"{name}.documents.jsonl.gz"
    asked.write_text("".join(json.dumps(asdict(w)) + "\n" for w in missing), "utf-8")
    # As crawlers/texts.py names it.
    marks = brought.with_suffix(".progress.tmp")
    log = settings.home / "logs" / f"{name}.log"
    try:
        with console.progress("  texts: fetching", len(missing), quiet) as update:
            code = crawl_process.run(
                ["--texts", str(asked), "--out", str(brought), *(["--replay", str(replay)] if replay else [])],
                log=log,
                environment=environment(settings),
                hours=CRAWL_HOURS,
                growing=marks,
                progress=update,
            )
        if code and not brought.exists():
            last = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
            raise CrawlError(f"the texts could not be fetched: {last[0][:300]}")
        with gzip.open(brought, "rb") as file, console.progress("  texts: reading", len(missing), quiet) as update:
            for done, line in enumerate(file, 1):
                yield json.loads(line)
                update(done)
    except subprocess.TimeoutExpired as error:
        raise CrawlError(f"fetching texts was stopped after {CRAWL_HOURS} hours") from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise CrawlError(f"the fetched texts are damaged: {error}") from error
    finally:
        asked.unlink(missing_ok=True)
        brought.unlink(missing_ok=True)
        marks.unlink(missing_ok=True)


def store(
    engine: Engine,
    missing: Sequence[Wanted],
    documents: Iterable[Mapping[str, Any]],
    *,
    now: dt.datetime,
    report: TextReport,
) -> None:
    """Read documents ({ref, url, media_type, body (base64) or problem}) and keep their texts with an event each."""
    by_ref = {item.ref: item for item in missing}
    waiting: list[tuple[Wanted, dict[str, Any]]] = []
    for document in documents:
        item = by_ref.get(int(document.get("ref") or 0))
        if item is None:
            continue
        report.fetched += 1
        row = _read(item, document)
        report.ok += row["status"] == "ok"
        if row["status"] != "ok":
            report.reasons[row["status"]] += 1
        waiting.append((item, row))
        if len(waiting) >= BATCH:
            _write(engine, waiting, now)
            waiting = []
    _write(engine, waiting, now)


def _read(item: Wanted, document: Mapping[str, Any]) -> dict[str, Any]:
    url = str(document.get("url") or item.url)
    media_type = str(document.get("media_type") or item.media_type)
    problem = document.get("problem")
    if problem:
        empty = hashlib.sha256(str(problem).encode()).hexdigest()
        return _row(item, url, media_type, UNFETCHED, str(problem), "", empty, "", [], [])
    body = base64.b64decode(document.get("body") or "")
    found = extract(body, jurisdiction=item.jurisdiction, media_type=media_type, url=url)
    return _row(
        item,
        url,
        found.media_type or media_type,
        found.status,
        found.reason,
        found.extractor,
        hashlib.sha256(body).hexdigest(),
        found.text,
        [list(s) for s in found.struck],
        [list(a) for a in found.added],
    )


def _row(
    item: Wanted,
    url: str,
    media_type: str,
    status: str,
    reason: str,
    extractor: str,
    sha256: str,
    text: str,
    struck: list[Any],
    added: list[Any],
) -> dict[str, Any]:
    text = text.replace("\x00", "")
    return {
        "bill_id": item.bill_id,
        "version_id": item.ref,
        "url": url,
        "media_type": media_type[:100],
        "status": status,
        "reason": reason[:1000],
        "extractor": extractor[:60],
        "sha256": sha256,
        "text": text,
        "struck": struck,
        "added": added,
        "words": len(text.split()),
    }


def _write(engine: Engine, rows: Sequence[tuple[Wanted, dict[str, Any]]], now: dt.datetime) -> None:
    if not rows:
        return
    with writing(engine) as connection:
        happened = []
        for item, row in rows:
            known = connection.execute(
                select(BillTextRow.id).where(BillTextRow.version_id == item.ref, BillTextRow.sha256 == row["sha256"])
            ).scalar()
            if known is not None:
                connection.execute(update(BillTextRow).where(BillTextRow.id == known).values(fetched_at=now))
                continue
            connection.execute(insert(BillTextRow).values(**row, fetched_at=now))
            if row["status"] == "ok":
                after = {"version": item.note, "words": row["words"], "status": row["status"]}
                happened.append(Event(item.bill_id, EventKind.TEXT, None, after))
        changed = [event.bill_id for event in happened]
        connection.execute(update(BillRow).where(BillRow.id.in_(changed)).values(last_changed_at=now))
        events.append(connection, happened, seen_at=stamp(now), run_id=None)
