"""The main job, end to end: ``billtracker run``; and ``billtracker health``."""

from __future__ import annotations

import datetime as dt
import io
import json
import socket
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from traceback import format_exception_only
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from tracker import console

DEMO_READER = "reader@example.org"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(health)


def run(
    context: typer.Context,
    codes: Annotated[list[str] | None, typer.Argument(metavar="[CODE…]", help="Postal codes.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Recordings instead of the network.")] = None,
    now: Annotated[str | None, typer.Option("--now", help="Pretend that it is this moment (ISO).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")] = False,
) -> None:
    """The main job: crawl, ingest, fetch texts, classify, send the digests that are due."""
    from tracker import crawling
    from tracker.commands.publishing import crawl_and_publish

    settings = console.load_settings()
    engine = console.open_database(settings)
    moment = console.parse_now(now)
    places = _places(codes or [])
    try:
        plans, how = _plans(places, replay, settings, moment)
    except crawling.CrawlError as error:
        console.fail(f"cannot read the recordings: {error}")
    if not plans:
        console.fail(f"{replay} holds no recording" + (f" of {', '.join(places)}" if places else ""))
    console.note(how)
    crawls = [crawl_and_publish(engine, settings, plan, moment, quiet=as_json) for plan in plans]
    # Titles and summaries first: they say whose text is worth fetching.
    first = _classify(engine, settings.tag_processes, moment, quiet=as_json)
    texts = _fetch_texts(engine, settings, plans, moment, quiet=as_json)
    again = _classify(engine, settings.tag_processes, moment, quiet=as_json)
    tags = {**first, **{name: first[name] + again[name] for name in ("gained", "lost")}}
    mails = _digests(context, settings, moment)
    told = _billtracker(context, "admins", "notify", "--now", moment.isoformat(), "--json")
    summary = {"how": how, "crawls": crawls, "texts": texts, "tags": tags, "digests": mails, "admins": told}
    looks = _needs_a_look(crawls, mails)
    summary["needs_a_look"] = looks
    if as_json:
        console.emit(summary)
    else:
        _print(summary, settings)
    raise typer.Exit(int(any(look["serious"] for look in looks)))


def _places(codes: list[str]) -> list[str]:
    from tracker import jurisdictions

    try:
        return [jurisdictions.load().get(code).code for code in codes]
    except KeyError as error:
        console.fail(str(error.args[0]))


def _plans(places: list[str], replay: Path | None, settings: Any, moment: dt.datetime) -> tuple[list[Any], str]:
    from tracker import crawling

    if replay is not None:
        if not replay.exists():
            console.fail(f"{replay} does not exist")
        plans = [p for p in crawling.recordings(replay) if not places or p.jurisdiction in places]
        return plans, f"Replaying {len(plans)} recorded crawls from {replay}; the network is not used."
    wanted = places or settings.starter_states
    if not _network(wanted, settings):
        plans = crawling.recordings(crawling.sample(settings, moment))
        chosen = [p for p in plans if not places or p.jurisdiction in places]
        return chosen, (
            "No network: none of the official sources can be reached. Doing the same job on the bundled "
            "sample of made-up bills instead."
        )
    if not settings.contact:
        console.note("Set BILLTRACKER_CONTACT: legislatures should be able to reach whoever crawls them.")
    try:
        chosen = crawling.plans(wanted, settings, moment)
    except crawling.CrawlError as error:
        console.fail(str(error))
    return chosen, f"Crawling {', '.join(wanted)} from their sources."


def _network(codes: list[str], settings: Any) -> bool:
    """Whether any source of these jurisdictions answers at all (a name that resolves, a port that opens)."""
    from tracker import jurisdictions

    places = jurisdictions.load()
    for code in codes:
        source = places.sources_for(code, settings.sources.get(code, ""))[0]
        host = urlsplit(source.url).hostname
        try:
            socket.create_connection((host or "", 443), timeout=5).close()
        except OSError:
            continue
        return True
    return False


def _fetch_texts(engine: Any, settings: Any, plans: list[Any], moment: dt.datetime, *, quiet: bool) -> dict[str, Any]:
    from tracker import texts

    replays = [plan.replay for plan in plans if plan.replay is not None]
    codes = sorted({plan.jurisdiction for plan in plans})
    return texts.fetch(engine, settings, codes, replays=replays, now=moment, quiet=quiet).to_json()


def _classify(engine: Any, processes: int, moment: dt.datetime, *, quiet: bool) -> dict[str, Any]:
    from tracker.classify import Pool
    from tracker.tagging import tag_bills

    with Pool(processes=processes) as classifier, console.progress("  tagging", quiet=quiet) as update:
        report = tag_bills(engine, classifier, now=moment, progress=update)
    return report.__dict__


def _digests(context: typer.Context, settings: Any, moment: dt.datetime) -> dict[str, Any]:
    """Send what is due, through the alerts' own command: the tracker does not know them."""
    listed = _billtracker(context, "subscribers", "list", "--json")
    readers = listed if isinstance(listed, list) else []
    invited = False
    if not readers and not settings.smtp_url.get_secret_value():
        # Nobody subscribed and mail goes to a folder: let a newcomer see what a reader would get.
        _billtracker(context, "subscribers", "add", DEMO_READER, "--confirmed", "--json")
        invited = True
    sent = _billtracker(context, "digest", "send", "--due", "--now", moment.isoformat(), "--json")
    return {"example_reader": DEMO_READER if invited else "", "sent": sent}


def _billtracker(context: typer.Context, *arguments: str) -> Any:
    """What another command of this command line prints, or its error. It runs in this process, which has the
    libraries in memory; whatever goes wrong in it ends that command only, as it would in a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            context.find_root().command.main(list(arguments), prog_name="billtracker")
        except SystemExit:
            pass  # How every command ends; what it printed says how.
        except Exception as error:
            end = console.ending(error)
            console.note(f"billtracker: {end.sentence}" if end else "".join(format_exception_only(error)))
    try:
        return json.loads(out.getvalue())
    except ValueError:
        return {"error": (err.getvalue().strip().splitlines() or ["no answer"])[-1]}


def _needs_a_look(crawls: list[dict[str, Any]], mails: dict[str, Any]) -> list[dict[str, Any]]:
    looks = []
    for row in crawls:
        name = f"{row['jurisdiction']} {row.get('recording') or ''}".strip()
        if row["status"] in ("failed", "held"):
            looks.append({"what": f"{name} {row['status']}: {row['reason']}", "serious": True})
        if row.get("rejected"):
            looks.append({"what": f"{name}: {row['rejected']} records rejected", "serious": False})
        if row.get("unknown_actions"):
            looks.append({"what": f"{name}: {row['unknown_actions']} actions in words no rule knows", "serious": False})
    if isinstance(mails["sent"], dict) and mails["sent"].get("error"):
        looks.append({"what": f"digests: {mails['sent']['error']}", "serious": True})
    # Mail that did not go out is no less serious than a crawl that failed.
    told = mails["sent"].get("errors", []) if isinstance(mails["sent"], dict) else []
    return looks + [{"what": f"digests: {sentence}", "serious": True} for sentence in told]


def _print(summary: dict[str, Any], settings: Any) -> None:
    columns = [
        "jurisdiction",
        "session",
        "source",
        "status",
        "bills",
        "new",
        "changed",
        "unchanged",
        "rejected",
        "events",
    ]
    console.table(summary["crawls"], columns)
    texts, tags = summary["texts"], summary["tags"]
    typer.echo(f"Texts: {texts['fetched']:,} fetched, {texts['ok']:,} readable, {texts['without']:,} bills without one")
    typer.echo(
        f"Tags:  {tags['bills']:,} bills read, {tags['in_scope']:,} in scope, {tags['gained']:,} tags gained, "
        f"{tags['lost']:,} lost"
    )
    sent = summary["digests"]["sent"]
    mails = sent if isinstance(sent, list) else sent.get("mails", []) if isinstance(sent, dict) else []
    typer.echo(f"Mails: {len(mails):,}" + ("" if settings.smtp_url.get_secret_value() else f" in {settings.outbox}/"))
    if summary["digests"]["example_reader"]:
        typer.echo(
            f"       Nobody had subscribed, so {DEMO_READER} was added as an example; "
            f"remove it with: billtracker subscribers remove {DEMO_READER}"
        )
    if summary["needs_a_look"]:
        typer.echo("Needs a look:")
        for look in summary["needs_a_look"][:20]:
            typer.echo(f"  {console.printable(look['what'])}")
    typer.echo("Next: billtracker changes   ·   billtracker show KEY   ·   billtracker health")


def health(as_json: Annotated[bool, typer.Option("--json", help="One JSON value.")] = False) -> None:
    """Per jurisdiction: last good run, last real change, counts; and whether anything happens. 1 when degraded."""
    from tracker import pulse
    from tracker.freshness import survey

    settings = console.load_settings()
    engine = console.open_database(settings)
    now = dt.datetime.now(dt.UTC)
    rows = [
        {"code": row["code"], "name": row["name"], **row["freshness"]}
        for row in survey(engine, now=now)
        if row["freshness"]["state"] != "unseen"
    ]
    degraded = [row["code"] for row in rows if row["state"] in ("stale", "failing")]
    found = pulse.take(engine, now=now, hours=settings.silence_hours)
    bad = bool(degraded or found["problems"])
    if as_json:
        status = "degraded" if bad else "ok"
        console.emit({"status": status, "degraded": degraded, **found, "jurisdictions": rows})
    else:
        shown = ["code", "state", "reason", "bills", "last_good_run", "last_real_change", "newest_action_date"]
        console.table(rows, shown)
        for problem in found["problems"]:
            typer.echo(console.printable(problem))
        typer.echo("degraded: " + ", ".join(degraded) if degraded else "degraded" if bad else "ok")
    raise typer.Exit(int(bad))
