"""Commands that bring bills in: crawl, ingest, jurisdictions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from tracker import console

Now = Annotated[str | None, typer.Option("--now", help="Pretend that it is this moment (ISO).")]
Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(crawl)
    app.command()(ingest)
    app.command()(text)
    app.command()(jurisdictions)


def crawl(
    codes: Annotated[list[str], typer.Argument(metavar="CODE…", help="Postal codes, such as va us tx.")],
    source: Annotated[str, typer.Option(help="Another source than the default.")] = "",
    session: Annotated[str, typer.Option(help="A session other than the current one.")] = "",
    replay: Annotated[Path | None, typer.Option(exists=True, help="A recording instead of the network.")] = None,
    record: Annotated[Path | None, typer.Option(help="Record all replies to this WARC file.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Ask for everything, changed or not.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Stop after so many bills.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write records here (one jurisdiction only).")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Judge what came and load it, as `run` does.")] = False,
    as_json: Json = False,
) -> None:
    """Collect bills into a file of records. Nothing is stored: `billtracker ingest FILE` does that, or --publish."""
    from tracker.commands.publishing import crawl_and_publish
    from tracker.crawling import CrawlError, Plan
    from tracker.crawling import crawl as start

    settings = console.load_settings()
    if publish and out:
        console.fail("--out is for looking at records; --publish loads them")
    if out and len(codes) > 1:
        console.fail("--out takes one jurisdiction at a time")
    engine = console.open_database(settings)
    rows = []
    for code in codes:
        place = place_of(code)
        plan = Plan(place.code, source, session, replay, full, limit, record)
        if publish:
            rows.append(crawl_and_publish(engine, settings, plan, dt.datetime.now(dt.UTC), quiet=as_json))
            continue
        console.note(f"{place.code}: crawling {place.name} …")
        try:
            with console.progress(f"  {place.code}: crawling", None, as_json) as update:
                done = start(plan, settings, engine, now=dt.datetime.now(dt.UTC), out=out, progress=update)
        except CrawlError as error:
            rows.append({"jurisdiction": place.code, "outcome": "failed", "reason": str(error)})
            continue
        rows.append(crawl_row(done, compare(engine, done.records)))
    if as_json:
        console.emit(rows)
    else:
        console.table(rows)
        for row in rows:
            for rejected in row.get("rejected_why", []):
                console.note(f"  rejected: {rejected}")
            if row.get("file") and row["outcome"] != "failed":
                console.note(f"next: billtracker ingest {row['file']}")
    bad = ("failed", "held")
    raise typer.Exit(
        int(any(row.get("outcome") in bad or row.get("status") in bad or row.get("rejected") for row in rows))
    )


def crawl_row(done: Any, compared: dict[str, int]) -> dict[str, Any]:
    """One crawl's closing line."""
    manifest = done.manifest
    rejected = manifest.get("rejected") or []
    return {
        "jurisdiction": done.plan.jurisdiction,
        "source": manifest.get("source"),
        "session": manifest.get("session"),
        "outcome": manifest.get("outcome"),
        "bills": manifest.get("bills"),
        **compared,
        "rejected": len(rejected),
        "rejected_why": [f"{r.get('identifier')}: {r.get('field')}: {r.get('problem')}" for r in rejected[:20]],
        "requests": manifest.get("requests"),
        "reason": manifest.get("reason") or "",
        "file": str(done.records),
    }


def compare(engine: Any, records: Path) -> dict[str, int]:
    """How a file of records stands to the database, without storing anything."""
    from contextlib import suppress
    from itertools import islice

    from pydantic_core import from_json
    from sqlalchemy import select

    from tracker.db import reading
    from tracker.models.bills import BillRow
    from tracker.new_bill import digest_of
    from tracker.record_files import FileError, read
    from tracker.records import RecordError, parse_record

    counts = {"new": 0, "changed": 0, "unchanged": 0}
    with reading(engine) as connection, suppress(FileError, RecordError, ValueError):
        lines = read(records)
        while part := list(islice(lines, 500)):
            digests = {parse_record(from_json(line)).id: digest_of(line) for line in part}
            query = select(BillRow.ocd_id, BillRow.record_hash).where(BillRow.ocd_id.in_(digests))
            known = {row.ocd_id: bytes(row.record_hash) for row in connection.execute(query)}
            for key, digest in digests.items():
                stored = known.get(key)
                counts["new" if stored is None else "unchanged" if stored == digest else "changed"] += 1
    return counts


def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="JSONL (.gz), scraper JSON, folder or tar.")],
    complete: Annotated[
        bool, typer.Option("--complete", help="The files hold whole sessions: bills not in them are missing.")
    ] = False,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Load bills. What is new or changed becomes rows and events; loading twice changes nothing.

    Notes and watch lists that an export wrote beside the file (FILE.notes.jsonl) are loaded with it.
    """
    from tracker import record_files
    from tracker.ingest import ingest as load

    engine = console.open_database()
    moment = console.parse_now(now)
    rows: list[dict[str, Any]] = []
    broken = []
    for file in files:
        if not file.exists():
            console.fail(f"{file} does not exist")
        try:
            with console.progress(f"loading {file.name}", quiet=as_json) as update:
                report = load(
                    engine,
                    record_files.read(file),
                    _run_of(file, complete),
                    now=moment,
                    progress=update,
                )
        except record_files.FileError as error:
            broken.append({"file": str(file), "reason": str(error)})
            continue
        for code, counts in sorted(report.counts.items()):
            rows.append({"file": file.name, "jurisdiction": code or "?", **counts.to_json()})
        _restore_notes(engine, file)
        if not as_json:
            for rejected in report.rejected[:10]:
                console.note(f"  rejected: {rejected}")
            if report.unknown_actions:
                console.note(f"  {sum(report.unknown_actions.values())} actions in words that no rule knows yet")
    if as_json:
        console.emit(rows + broken)
    else:
        shown = ("jurisdiction", "bills", "new", "changed", "unchanged", "duplicates", "rejected", "events")
        console.table(rows, shown)
        for entry in broken:
            console.note(f"billtracker: {entry['reason']}")
    raise typer.Exit(int(bool(broken) or any(row["rejected"] for row in rows)))


def _restore_notes(engine: Any, file: Path) -> None:
    """An export's notes and watch lists, which lie beside its records."""
    from tracker import notes
    from tracker.db import writing

    beside = file.with_name(file.name + ".notes.jsonl")
    if not beside.is_file():
        return
    with writing(engine) as connection:
        counts = notes.restore(connection, beside)
    console.note(
        f"{beside.name}: {counts['notes']} notes and {counts['watch']} bills on watch lists restored"
        + (f", {counts['rejected']} lines not usable" if counts["rejected"] else "")
    )


def _run_of(file: Path, complete: bool) -> Any:
    """How a file came about: by the account beside it when a crawl wrote it, so that later runs compare with it."""
    import json

    from tracker.ingest import Run

    try:
        manifest = json.loads(file.with_suffix(".run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return Run("file", complete=complete)
    whole = complete or bool(manifest.get("complete"))
    return Run(str(manifest.get("source") or "file"), whole, bool(manifest.get("replayed")), manifest=manifest)


def text(
    codes: Annotated[list[str] | None, typer.Argument(metavar="[CODE…]", help="Postal codes; all without.")] = None,
    replay: Annotated[Path | None, typer.Option(exists=True, help="A recording instead of the network.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Documents at most; the setting text_budget without.")] = 0,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Fetch and read missing version texts, of bills that may be in scope first."""
    from tracker import jurisdictions as data
    from tracker import texts

    settings = console.load_settings()
    if limit:
        settings = settings.model_copy(update={"text_budget": limit})
    chosen = [place_of(code).code for code in codes] if codes else sorted(data.load())
    report = texts.fetch(
        console.open_database(settings),
        settings,
        chosen,
        replays=[replay] if replay else [],
        now=console.parse_now(now),
        quiet=as_json,
    )
    if as_json:
        console.emit(report.to_json())
    else:
        typer.echo(
            f"{report.wanted:,} wanted, {report.fetched:,} fetched, {report.ok:,} readable; "
            f"{report.without:,} of {report.bills:,} bills have no readable text"
        )
        for reason, count in report.reasons.most_common():
            typer.echo(f"  {reason}: {count:,}")
        console.table(
            [
                {**row, "share_without": f"{row['share_without']:.0%}", "cannot_be_read": _counts(row["unreadable"])}
                for row in report.states
            ],
            ("jurisdiction", "bills", "without", "share_without", "cannot_be_read"),
        )
    if report.problem:
        console.fail(report.problem, console.NEEDS_A_LOOK)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def jurisdictions(as_json: Json = False) -> None:
    """All 56 jurisdictions: sources, how far each is proven, which fields it brings, and how fresh our data are."""
    from tracker.freshness import survey

    settings = console.load_settings()
    try:
        rows = survey(console.open_database(settings), now=dt.datetime.now(dt.UTC), prefer=settings.sources)
    except KeyError as error:
        console.fail(f"setting sources: {error.args[0]}")
    if as_json:
        console.emit(rows)
        return
    console.table(
        [
            {
                "code": row["code"],
                "name": row["name"],
                "source": row["sources"][0]["name"],
                "proof": row["sources"][0]["proof"],
                "brings": _brought(row["sources"][0]["brings"]),
                "others": [s["name"] for s in row["sources"][1:]],
                "bills": row["freshness"]["bills"],
                "last good run": (row["freshness"]["last_good_run"] or "")[:16],
                "state": row["freshness"]["state"],
            }
            for row in rows
        ]
    )


def _brought(fields: Sequence[str]) -> str:
    """``all``, or what is missing of what a source may bring: ``no hearings, subject``."""
    from tracker.jurisdictions import Brought

    lacking = [name for name in get_args(Brought) if name not in fields]
    return f"no {', '.join(lacking)}" if lacking else "all"


def place_of(code: str) -> Any:
    from tracker import jurisdictions as data

    try:
        return data.load().get(code)
    except KeyError as error:
        console.fail(str(error.args[0]))
