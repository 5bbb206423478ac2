"""Commands for readers and their digests: ``subscribers`` and ``digest``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tracker import console

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
Now = Annotated[str | None, typer.Option("--now", help="Pretend that it is this moment (ISO).")]
_READERS = ["email", "confirmed", "paused", "suppressed", "cadence", "states", "strategies", "keywords"]

subscribers = typer.Typer(help="Who gets the digest, and about what.", no_args_is_help=True)
admins = typer.Typer(help="Who runs the service.", no_args_is_help=True)
digest = typer.Typer(help="The digest: look at it, send it, replay it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(subscribers, name="subscribers")
    app.add_typer(digest, name="digest")
    app.add_typer(admins, name="admins")


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _day(name: str) -> int:
    from alerts.wishes import DAYS

    found = [at for at, day in enumerate(DAYS) if len(name) >= 2 and day.lower().startswith(name.strip().lower())]
    if len(found) != 1:
        console.fail(f"--day {name!r} is not a day of the week such as Monday")
    return found[0]


def _reader(engine: Any, email: str) -> Any:
    from alerts.subscriptions import SubscriptionError, find

    try:
        return find(engine, email)
    except SubscriptionError as error:
        console.fail(str(error))


@subscribers.command("add")
def add_(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    states: Annotated[str, typer.Option(help="Codes such as tx,oh; all when empty.")] = "",
    strategies: Annotated[str, typer.Option(help="Strategies; the playbook's first group when empty.")] = "",
    keywords: Annotated[str, typer.Option(help="Words that make any title worth a card.")] = "",
    searches: Annotated[
        list[str] | None,
        typer.Option("--search", help="A saved search, as billtracker search takes it; again for more."),
    ] = None,
    bills: Annotated[str, typer.Option(help="Followed bills: KEYs, parted by commas.")] = "",
    sponsors: Annotated[str, typer.Option(help="Followed sponsors, parted by commas.")] = "",
    cadence: Annotated[str, typer.Option(help="weekly, daily or immediate.")] = "weekly",
    day: Annotated[str, typer.Option(help="Day of the weekly digest, in the reader's time zone.")] = "Monday",
    hour: Annotated[int, typer.Option(help="Hour of weekly and daily digests, 0 to 23, there.")] = 7,
    daily_cap: Annotated[int, typer.Option(help="Immediate mails a day at most; the rest waits.")] = 5,
    empty_weeks: Annotated[
        bool, typer.Option("--empty-weeks/--no-empty-weeks", help="Send weekly digests without news too.")
    ] = True,
    timezone: Annotated[str, typer.Option(help="Such as America/Chicago.")] = "America/New_York",
    min_score: Annotated[float, typer.Option(help="Only tags at least this sure.")] = 0.0,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="They have agreed to get mail.")] = False,
    paused: Annotated[bool, typer.Option("--paused", help="Keep the reader, send nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="They unsubscribed and asked to come back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a reader, or give an existing one these wishes."""
    from alerts.subscriptions import SubscriptionError, Wishes, add
    from alerts.suppressions import Hasher

    settings = console.load_settings()
    engine = console.open_database(settings)
    wishes = Wishes(
        states=_split(states),
        strategies=_split(strategies),
        keywords=_split(keywords),
        searches=tuple({"text": text} for text in searches or ()),
        bills=_split(bills),
        sponsors=_split(sponsors),
        cadence=cadence,
        timezone=timezone,
        weekday=_day(day),
        hour=hour,
        daily_cap=daily_cap,
        empty_weeks=empty_weeks,
        min_score=min_score,
    )
    try:
        reader = add(
            engine,
            email,
            wishes,
            hasher=Hasher.of(settings),
            now=console.parse_now(None),
            confirmed=confirmed,
            paused=paused,
            again=again,
        )
    except SubscriptionError as error:
        console.fail(str(error))
    if as_json:
        console.emit(reader.to_json())
    else:
        hint = "" if confirmed else "; no mail is sent before they are --confirmed"
        typer.echo(f"{reader.email} gets a {reader.cadence} digest{hint}")


@subscribers.command("list")
def list_(as_json: AsJson = False) -> None:
    """All readers."""
    from alerts.subscriptions import everyone

    rows = [reader.to_json() for reader in everyone(console.open_database())]
    if as_json:
        console.emit(rows)
    else:
        console.table(rows, _READERS)


@subscribers.command("remove")
def remove_(email: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    """Forget a reader. An unsubscription is kept, as a hash."""
    from alerts.subscriptions import remove

    engine = console.open_database()
    _reader(engine, email)
    remove(engine, email)
    typer.echo(f"{email} is removed")


@subscribers.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False)]) -> None:
    """Add readers from a CSV file; lists in a cell are parted by semicolons."""
    from alerts.subscriptions import SubscriptionError, import_csv
    from alerts.suppressions import Hasher

    settings = console.load_settings()
    engine = console.open_database(settings)
    try:
        done, errors = import_csv(engine, file, hasher=Hasher.of(settings), now=console.parse_now(None))
    except (SubscriptionError, UnicodeDecodeError) as error:
        console.fail(str(error))
    typer.echo(f"{done:,} readers imported")
    for sentence in errors:
        console.note(sentence)
    raise typer.Exit(console.NEEDS_A_LOOK if errors else console.DONE)


@subscribers.command("export")
def export_(file: Annotated[Path, typer.Argument(metavar="FILE.csv", dir_okay=False)]) -> None:
    """Write all readers into a CSV file."""
    from alerts.subscriptions import export_csv

    typer.echo(f"{export_csv(console.open_database(), file):,} readers in {file}")


@digest.command("preview")
def preview(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for digest.html and digest.txt.")] = None,
    now: Now = None,
) -> None:
    """Show what a reader would get now; nothing is sent or noted."""
    from alerts.outbox import draft
    from alerts.render import MARK, addressed

    settings = console.load_settings()
    engine = console.open_database(settings)
    made = draft(engine, settings, _reader(engine, email), now=console.parse_now(now))
    # A preview has no issue yet: its "read in the browser" leads to the start page.
    html, plain = addressed(made.parts.html.replace(MARK, ""), made.parts.text, settings.public_url)
    if out is None:
        console.emit(f"Subject: {made.subject}\n\n{plain}", as_json=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("digest.html", html), ("digest.txt", plain)):
        (out / name).write_text(text, encoding="utf-8")
    typer.echo(f"{made.subject}: {out / 'digest.html'} and digest.txt")


@digest.command("send")
def send_(
    due: Annotated[bool, typer.Option("--due", help="Everyone whose digest is due (the default).")] = False,
    to: Annotated[str, typer.Option("--to", help="One reader, due or not, if there is news.")] = "",
    now: Now = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send digests, and finish what an earlier run left. Sending again sends nothing twice."""
    from alerts.sending import Busy, send
    from alerts.suppressions import KeyChanged
    from alerts.transport import TransportError

    if due and to:
        console.fail("give --due or --to, not both")
    settings = console.load_settings()
    engine = console.open_database(settings)
    only = [_reader(engine, to)] if to else None
    try:
        report = send(engine, settings, now=console.parse_now(now), only=only, dry_run=dry_run)
    except (TransportError, KeyChanged) as error:
        console.fail(str(error))
    except Busy as error:
        console.fail(str(error), console.NEEDS_A_LOOK)
    if as_json:
        console.emit({"mails": report.mails, "errors": report.errors})
    else:
        console.table(
            [{"file": "", "state": "", **mail} for mail in report.mails],
            ["to", "subject", "bills", "state", "file"],
        )
        typer.echo(f"{len(report.mails):,} mails")
        for sentence in report.errors:
            console.note(sentence)
    raise typer.Exit(console.NEEDS_A_LOOK if report.errors else console.DONE)


@digest.command("resume")
def resume(
    retry: Annotated[list[int] | None, typer.Option("--retry", help="An issue that failed, to send again.")] = None,
) -> None:
    """Let mails go again after a stop, and plan failed issues anew."""
    from alerts import brake, sending

    engine = console.open_database()
    released = brake.release(engine, now=console.parse_now(None))
    again = sending.retry(engine, retry or [])
    typer.echo(f"{released} stops released, {again} mails planned again; billtracker digest send sends")


@digest.command("bounces")
def bounces_(
    mailbox: Annotated[str, typer.Option("--mailbox", help="An mbox file, a Maildir, or imaps://…")] = "",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Read the bounce mailbox and act: stop dead addresses and complaints, send later what bounced for now."""
    from alerts.mailbox import MailboxError, messages
    from alerts.returns import take_in

    settings = console.load_settings()
    place = mailbox or settings.bounce_mailbox.get_secret_value()
    if not place:
        console.fail("give --mailbox or set BILLTRACKER_BOUNCE_MAILBOX")
    moment = console.parse_now(now)
    try:
        done = take_in(console.open_database(settings), settings, messages(place, now=moment), now=moment)
    except MailboxError as error:
        console.fail(str(error), console.NEEDS_A_LOOK)
    if as_json:
        console.emit(done.__dict__)
    else:
        console.table([done.__dict__])


@digest.command("receipts")
def receipts_(issue: Annotated[int, typer.Argument(metavar="ISSUE")], as_json: AsJson = False) -> None:
    """For each bill of an issue: when it was first seen, tagged and mailed."""
    from alerts.receipts import receipts

    rows = receipts(console.open_database(), issue)
    if rows is None:
        console.fail(f"there is no issue {issue}")
    if as_json:
        console.emit(rows)
    else:
        console.table(rows, ["key", "first_seen", "tagged", "happened", "mailed", "hours", "state"])


@digest.command("replay")
def replay(
    issue: Annotated[int, typer.Argument(metavar="ISSUE")],
    check: Annotated[
        bool, typer.Option("--check", help="Also make the mail anew from the frozen contents, and compare.")
    ] = False,
) -> None:
    """Write an issue's mail on standard output, to the byte as it was sent."""
    from alerts.outbox import frozen_mail, rebuilt_mail

    settings = console.load_settings()
    engine = console.open_database(settings)
    mail = frozen_mail(engine, issue)
    if mail is None:
        console.fail(f"there is no issue {issue}")
    sys.stdout.buffer.write(mail)
    sys.stdout.buffer.flush()
    if check and rebuilt_mail(engine, settings, issue) != mail:
        console.fail(
            "made anew the mail differs: templates, sender, public address or key have changed since",
            console.NEEDS_A_LOOK,
        )


@admins.callback()
def _admins() -> None:
    """Who runs the service."""


@admins.command("notify")
def notify_(now: Now = None, as_json: AsJson = False) -> None:
    """Mail the admins when crawls fail or nothing happens any more, and when all is well again, each once."""
    from alerts.admins import notify
    from alerts.sending import transport_of

    settings = console.load_settings()
    moment = console.parse_now(now)
    report = notify(console.open_database(settings), settings, transport_of(settings), now=moment)
    if as_json:
        console.emit(report)
    else:
        typer.echo(
            f"trouble: {', '.join(report['trouble']) or 'none new'}; well: {', '.join(report['well']) or 'none new'}"
        )
        for sentence in report["service"]:
            typer.echo(console.printable(sentence))
        for error in report["errors"]:
            console.note(error)
    raise typer.Exit(int(bool(report["errors"])))
