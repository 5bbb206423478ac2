"""Starts crawls as processes of their own and takes in what they bring.

The tracker never imports the crawlers: a crawl is ``python -m crawlers …``, which writes records (JSONL) and
a manifest beside them. So a crawl that leaks, hangs or dies costs itself only, and can run on another
machine. What it brought is judged before it is published; a run that looks wrong is held back whole.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from tracker import budgets, crawl_process, jurisdictions, record_files, runs
from tracker.db import reading, writing
from tracker.ingest import Report, Run, ingest
from tracker.jurisdictions import Source
from tracker.models.bills import ActionRow, BillRow, SessionRow
from tracker.models.runs import CrawlRunRow, HttpCacheRow
from tracker.settings import Settings

CRAWL_HOURS = 8
HISTORY_RUNS = 10


class CrawlError(RuntimeError):
    """A crawl that could not be started, or died without an account of itself."""


@dataclass(frozen=True)
class Plan:
    """One crawl to do. ``replay`` is a recording or archive instead of the network."""

    jurisdiction: str
    source: str = ""
    session: str = ""
    replay: Path | None = None
    full: bool = False
    limit: int = 0
    record: Path | None = None


@dataclass
class Crawled:
    """What a crawl brought: where its records are, and its own account."""

    plan: Plan
    records: Path
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> str:
        """Why there is nothing to load; empty when there is."""
        if self.manifest.get("outcome") == "failed":
            return str(self.manifest.get("reason") or "the crawl failed without saying why")
        return ""


def recordings(path: Path) -> list[Plan]:
    """The crawls that a folder of recordings holds, in the order of their days."""
    answer = _crawlers(["--recordings", str(path)], timeout=300)
    return [
        Plan(
            jurisdiction=entry["jurisdiction"],
            source=entry.get("source") or "",
            session=entry.get("session") or "",
            replay=Path(entry["file"]),
        )
        for entry in json.loads(answer)
    ]


def plans(codes: Sequence[str], settings: Settings, now: dt.datetime) -> list[Plan]:
    """The crawls that these jurisdictions need today: each session that still moves, from the chosen source."""
    arguments = ["--plans", ",".join(codes), "--today", now.date().isoformat()]
    answer = _crawlers([*arguments, "--sources", json.dumps(settings.sources)], timeout=60)
    return [Plan(entry["jurisdiction"], entry["source"], entry["session"]) for entry in json.loads(answer)]


def sample(settings: Settings, now: dt.datetime) -> Path:
    """A folder with the made-up recordings that come with the project, written as of now."""
    folder = settings.home / "sample"
    _crawlers(["--sample", str(folder), "--today", now.date().isoformat()], timeout=60)
    return folder


def crawl(
    plan: Plan,
    settings: Settings,
    engine: Engine | None,
    *,
    now: dt.datetime,
    out: Path | None = None,
    progress: crawl_process.Progress | None = None,
) -> Crawled:
    """Run one crawl to its end. With a database, the crawl is told what is known, so that it asks less.

    ``progress`` is told how many bills are written, about once a second.

    Raises :class:`CrawlError` when the process died without a manifest.
    """
    settings.records.mkdir(parents=True, exist_ok=True)
    name = f"{plan.jurisdiction}-{now:%Y%m%dT%H%M%S}-{abs(hash(plan)) % 10_000:04d}"
    target = out or settings.records / f"{name}.jsonl"
    # A live crawl writes under a name that its next start finds again, so that a killed one goes on where it was.
    resumes = plan.replay is None and out is None
    unfinished = f"{plan.jurisdiction}-{plan.source}-{plan.session}".replace("/", "_").replace(" ", "_")
    records = settings.records / f"unfinished-{unfinished}.jsonl" if resumes else target
    manifest = records.with_suffix(".run.json")
    manifest.unlink(missing_ok=True)
    arguments = [plan.jurisdiction, "--out", str(records)]
    for option, value in (
        ("--source", plan.source or settings.sources.get(plan.jurisdiction, "")),
        ("--session", plan.session),
        ("--replay", plan.replay),
        ("--record", plan.record),
        ("--limit", plan.limit),
    ):
        if value:
            arguments += [option, str(value)]
    counted = _counted(plan, settings) if engine is not None else None
    share = budgets.take(engine, counted, settings, now) if engine is not None and counted else 0
    if counted and not share:
        raise CrawlError(f"{plan.jurisdiction}: {counted.name}'s allowance is used up; it has to wait for the next")
    arguments += ["--queries", str(share)] if counted else []
    arguments += ["--full"] if plan.full else []
    arguments += ["--resume"] if resumes else []
    temporary: list[Path] = []
    if engine is not None:
        known = settings.records / f"{name}.known.json"
        known.write_text(json.dumps(_known(engine, plan.jurisdiction)), "utf-8")
        history = settings.records / f"{name}.history.json"
        history.write_text(json.dumps(_history(engine, plan.jurisdiction, now)), "utf-8")
        temporary = [known, history]
        arguments += ["--known", str(known), "--history", str(history)]
    log = settings.home / "logs" / f"{name}.log"
    try:
        ended = crawl_process.run(
            arguments,
            log=log,
            environment=environment(settings),
            hours=CRAWL_HOURS,
            growing=records,
            progress=progress,
        )
    except subprocess.TimeoutExpired as error:
        raise CrawlError(f"{plan.jurisdiction}: the crawl was stopped after {CRAWL_HOURS} hours") from error
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
    try:
        account = json.loads(manifest.read_text("utf-8"))
    except (OSError, ValueError) as error:
        last = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
        raise CrawlError(
            f"{plan.jurisdiction}: the crawl ended with code {ended} and no account: {last[0][:300]}"
        ) from error
    if engine is not None and counted:
        budgets.give_back(engine, counted, settings, share - int(account.get("queries") or 0), now)
    if records != target and records.exists():
        records.replace(target)
        manifest.replace(target.with_suffix(".run.json"))
    return Crawled(plan, target, account)


def _counted(plan: Plan, settings: Settings) -> Source | None:
    """The plan's source, when its key allows only so many queries."""
    name = plan.source or settings.sources.get(plan.jurisdiction, "")
    if plan.replay is not None or not name:
        return None
    try:
        source = jurisdictions.load().sources_for(plan.jurisdiction, name)[0]
    except KeyError:
        return None
    return source if budgets.limit_of(source, settings, dt.datetime.now(dt.UTC))[1] else None


def environment(settings: Settings) -> dict[str, str]:
    """What a crawl's process is told beside its arguments: how a legislature reaches us, where we keep things."""
    home = str(settings.home.absolute())
    return {**os.environ, "BILLTRACKER_CONTACT": settings.contact, "BILLTRACKER_HOME": home}


def publish(
    engine: Engine,
    crawled: Crawled,
    *,
    now: dt.datetime,
    progress: Callable[[int], None] | None = None,
) -> tuple[str, str, Report | None]:
    """Judge a crawl and load it. Returns (status, reason, report): published, unchanged, older, held or failed.

    ``older`` is a recording made before one that is loaded already: it would turn time back.
    """
    manifest = crawled.manifest
    code = crawled.plan.jurisdiction
    run = Run(
        source=str(manifest.get("source") or crawled.plan.source),
        complete=bool(manifest.get("complete")),
        replayed=bool(manifest.get("replayed")),
        records_path=crawled.records.name,
        started_at=_moment(manifest.get("started_at")) or now,
        manifest=manifest,
    )
    reason = crawled.failed
    newer = "" if reason else _newer_recording(engine, code, manifest)
    if newer:
        return "older", f"a recording of {newer[:10]} is loaded already", None
    verdict = manifest.get("verdict") or {}
    status = "failed" if reason else "held" if verdict.get("publish") is False else ""
    if status:
        reason = reason or "; ".join(verdict.get("reasons") or ["the numbers look wrong"])
        with writing(engine) as connection:
            run_id = runs.hold(connection, code, run, reason, now, status)
            runs.note_issues(connection, run_id, code, _issues(manifest), now)
        return status, reason, None
    report = ingest(engine, record_files.read(crawled.records), run, now=now, progress=progress)
    with writing(engine) as connection:
        run_id = report.run_ids.get(code) or _empty_run(connection, code, run, now)
        runs.note_issues(connection, run_id, code, _issues(manifest), now)
        runs.keep_validators(connection, code, manifest.get("validators") or {}, now)
    counts = report.of(code)
    counts.rejected += len(manifest.get("rejected") or ())
    return ("unchanged" if manifest.get("outcome") == "unchanged" else "published"), "", report


def _newer_recording(engine: Engine, code: str, manifest: dict[str, Any]) -> str:
    """When the newest recording was made that is loaded of this source and session, if it is newer than this one."""
    made = str(manifest.get("recorded_at") or "")
    if not made:
        return ""
    with reading(engine) as connection:
        loaded = connection.execute(
            select(CrawlRunRow.numbers).where(
                CrawlRunRow.jurisdiction == code,
                CrawlRunRow.source == str(manifest.get("source")),
                CrawlRunRow.session == str(manifest.get("session")),
                CrawlRunRow.replayed,
                CrawlRunRow.status == "published",
            )
        ).scalars()
        newest = max((str(numbers.get("recorded_at") or "") for numbers in loaded), default="")
    return newest if newest > made else ""


def _empty_run(connection: Any, code: str, run: Run, now: dt.datetime) -> int:
    from tracker.ingest import Counts

    run_id = runs.start(connection, code, run, run.started_at or now)
    runs.finish(connection, run_id, Counts(), now, "")
    return run_id


def _issues(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    rejected = [{"kind": "rejected", **entry} for entry in manifest.get("rejected") or ()]
    warnings = [{"kind": "warning", "detail": text} for text in (manifest.get("verdict") or {}).get("warnings") or ()]
    return rejected + list(manifest.get("issues") or ()) + warnings


def _known(engine: Engine, code: str) -> dict[str, dict[str, str]]:
    with reading(engine) as connection:
        rows = connection.execute(select(HttpCacheRow).where(HttpCacheRow.jurisdiction == code)).all()
        # A bill that had vanished and shows again is read, however old its stamp.
        gone = {
            f"{session}/{bill}"
            for session, bill in connection.execute(
                select(SessionRow.identifier, BillRow.identifier)
                .join(SessionRow, SessionRow.id == BillRow.session_id)
                .where(BillRow.jurisdiction == code, BillRow.vanished_at.is_not(None))
            )
        }
    names = ("etag", "last_modified", "body_hash", "stamp", "bill")
    return {row.url: {name: getattr(row, name) for name in names} for row in rows if row.bill not in gone}


def _history(engine: Engine, code: str, now: dt.datetime) -> dict[str, Any]:
    """What judging needs of the past: the last published runs' numbers, action counts, the calendar."""
    with reading(engine) as connection:
        past = connection.execute(
            select(CrawlRunRow.numbers, CrawlRunRow.session, CrawlRunRow.finished_at)
            .where(CrawlRunRow.jurisdiction == code, CrawlRunRow.status == "published")
            .order_by(CrawlRunRow.id.desc())
            .limit(HISTORY_RUNS)
        ).all()
        histories = connection.execute(
            select(SessionRow.identifier, BillRow.identifier, func.count())
            .select_from(BillRow)
            .join(SessionRow, SessionRow.id == BillRow.session_id)
            .join(ActionRow, ActionRow.bill_id == BillRow.id)
            .where(BillRow.jurisdiction == code, BillRow.vanished_at.is_(None), ActionRow.removed_at.is_(None))
            .group_by(SessionRow.identifier, BillRow.identifier)
        ).all()
    today = now.astimezone(jurisdictions.load().get(code).zone).date()
    return {
        "runs": [
            {**row.numbers, "session": row.session, "finished_at": row.finished_at.isoformat()}
            for row in past
            if row.finished_at
        ],
        "actions": {f"{session}/{bill}": count for session, bill, count in histories},
        "today": today.isoformat(),
        "sitting": jurisdictions.load().sitting(code, today),
    }


def _crawlers(arguments: Sequence[str], timeout: float) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "crawlers", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
        text=True,
    )
    if done.returncode:
        last = (done.stderr or "no message").strip().splitlines()[-1]
        raise CrawlError(last[:500])
    return done.stdout


def _moment(value: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
