"""Commands for whoever writes a crawler: new-state, record, check."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tracker import console

Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
ROOT = Path(__file__).resolve().parents[2]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("new-state")(new_state)
    app.command()(record)
    app.command()(check)


def new_state(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Postal code, such as ok.")],
    url: Annotated[str, typer.Option(help="Where the official source lists the session's bills.")],
    kind: Annotated[str, typer.Option(help="api, bulk or detail, when the first reply does not tell.")] = "",
    reply: Annotated[Path | None, typer.Option(exists=True, help="A reply saved by hand; nothing is asked.")] = None,
    as_json: Json = False,
) -> None:
    """Begin a crawler: module, data entry, first recording, and a test that says what is missing."""
    arguments = ["new-state", code, "--url", url]
    arguments += ["--kind", kind] if kind else []
    arguments += ["--reply", str(reply)] if reply else []
    made = _kit(arguments)
    if as_json:
        console.emit(made)
        return
    for file in made["files"]:
        typer.echo(f"  {file}")
    console.note(
        f"next: say in {made['files'][0]} where the fields are, then: billtracker check {made['jurisdiction']}"
    )


def record(
    codes: Annotated[list[str], typer.Argument(metavar="CODE…", help="Postal codes.")],
    session: Annotated[str, typer.Option(help="A session other than the current one.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Bills to record.")] = 5,
    name: Annotated[str, typer.Option(help="What to call it; the day without.")] = "",
    reply: Annotated[list[str] | None, typer.Option(metavar="URL=FILE", help="A reply saved by hand.")] = None,
    as_json: Json = False,
) -> None:
    """Add a recording of a few bills for the tests, without cookies and keys."""
    rows = []
    for code in codes:
        arguments = ["record", code, "--name", name]
        for pair in reply or ():
            if "=" not in pair:
                console.fail(f"--reply {pair[:60]!r} is not URL=FILE")
            arguments += ["--reply", pair]
        made = _kit(arguments)
        rows.append(made if reply else _record_live(code, session, limit, Path(made["file"])))
    if as_json:
        console.emit(rows)
    else:
        console.table(rows)
        console.note("next: run the tests; they write what the recording gives, for you to review")


def _record_live(code: str, session: str, limit: int, target: Path) -> dict[str, Any]:
    done = _crawl(code, session=session, limit=limit, full=True, record=target)
    if done.failed:
        target.unlink(missing_ok=True)
        console.fail(f"{code}: {done.failed}", console.NEEDS_A_LOOK)
    return {"jurisdiction": code, "file": str(target.relative_to(ROOT)), "bills": done.manifest.get("bills")}


def check(
    codes: Annotated[list[str], typer.Argument(metavar="CODE…", help="Postal codes.")],
    live: Annotated[bool, typer.Option("--live", help="Ask the site, though there is a recording.")] = False,
    replay: Annotated[Path | None, typer.Option(exists=True, help="This recording.")] = None,
    session: Annotated[str, typer.Option(help="A session other than the current one.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Bills to look at; 0 is all.")] = 10,
    as_json: Json = False,
) -> None:
    """Run a crawler on a few bills, live or replayed, and report what a person can judge. Stores nothing."""
    from tracker import inspection
    from tracker.commands.collect import compare

    reports = []
    places = [_place(code) for code in codes]
    engine = console.open_database()
    for place in places:
        recordings = sorted((ROOT / f"tests/crawlers/recordings/{place.code}").glob("*.warc*"))
        source = replay or (recordings[-1] if recordings and not live else None)
        done = _crawl(place.code, session=session, limit=limit, replay=source)
        made = inspection.report(_records(done.records), done.manifest, place)
        made["recording"] = source.name if source else ""
        made["would_store"] = compare(engine, done.records) if done.records.exists() else {}
        reports.append(made)
    if as_json:
        console.emit(reports)
    else:
        for made in reports:
            _print(made)
    raise typer.Exit(int(any(_wants_a_look(made) for made in reports)))


def _wants_a_look(made: dict[str, Any]) -> bool:
    held = made["verdict"].get("publish") is False
    return bool(made["outcome"] == "failed" or made["rejected"] or made["odd"] or made["unknown_actions"] or held)


def _print(made: dict[str, Any]) -> None:
    where = f"recording {made['recording']}" if made["recording"] else "the site itself"
    typer.echo(f"{made['jurisdiction']} {made['session']} from {made['source']} ({where})")
    if made["reason"]:
        typer.echo(f"  {made['outcome']}: {console.printable(made['reason'])}")
    typer.echo(
        f"  {made['bills']:,} bills with {made['actions']:,} actions; {made['requests'] or 0:,} requests, "
        f"{(made['bytes'] or 0) / 1e6:.1f} MB, {made['seconds_between_requests']:g} s between two"
    )
    rows = [{**row, "filled": f"{row['filled']}/{row['of']}"} for row in made["fields"]]
    console.table(rows, ("field", "filled", "example"))
    _list("Odd", [f"{row['what']}: {row['bills']} ({', '.join(row['examples'])})" for row in made["odd"]])
    _list("No rule knows", [f"{row['times']}× {row['text'][:100]}" for row in made["unknown_actions"]])
    _list("Rejected", [f"{row['identifier']}: {row['field']}: {row['problem']}" for row in made["rejected"]])
    _list("Issues", [f"{row['kind']} {row['identifier']}: {row['detail'][:150]}" for row in made["issues"]])
    _list("Held back", made["verdict"].get("reasons") or [])
    _list("Warnings", made["verdict"].get("warnings") or [])
    console.table(made["would_be"], ("key", "stage", "latest_action", "actions", "sponsors", "versions", "title"))
    stored = ", ".join(f"{count} {kind}" for kind, count in made["would_store"].items() if count)
    typer.echo(f"  would store: {stored or 'nothing'}")


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        typer.echo(f"  {title}:")
        for line in lines:
            typer.echo(f"    {console.printable(line)}")


def _crawl(code: str, **options: Any) -> Any:
    from tracker import crawling

    settings = console.load_settings()
    place = _place(code)
    plan = crawling.Plan(place.code, **options)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "records.jsonl"
        try:
            done = crawling.crawl(plan, settings, None, now=dt.datetime.now(dt.UTC), out=out)
        except crawling.CrawlError as error:
            console.fail(str(error), console.NEEDS_A_LOOK)
        done.records = settings.records / f"check-{place.code}.jsonl"
        done.records.write_bytes(out.read_bytes() if out.exists() else b"")
    return done


def _records(file: Path) -> list[Any]:
    from tracker.records import parse_record

    return [parse_record(json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def _place(code: str) -> Any:
    from tracker.commands.collect import place_of

    return place_of(code)


def _kit(arguments: list[str]) -> Any:
    command = [sys.executable, "-m", "crawlers.kit", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the kit ended without a word"]
        console.fail(lines[-1])
    return json.loads(done.stdout)
