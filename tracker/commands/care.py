"""Commands that keep an installation whole: ``backup``, ``restore``, ``clean``, ``doctor``, ``morning``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from tracker import console

Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
    app.command()(clean)
    app.command()(doctor)
    app.command()(morning)


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A new file, or a folder.")],
    keep: Annotated[int, typer.Option(min=0, help="In a folder: keep only the newest so many.")] = 0,
    as_json: Json = False,
) -> None:
    """Write a checked copy of the whole database, while it is in use."""
    from tracker import backup as copies

    engine = console.open_database()
    try:
        with console.progress("copying", total=100, quiet=as_json) as update:
            made, gone = copies.backup(engine, path, now=dt.datetime.now(dt.UTC), keep=keep, progress=update)
    except copies.BackupError as error:
        console.fail(str(error), console.NEEDS_A_LOOK)
    size = made.stat().st_size
    if as_json:
        console.emit({"file": str(made), "bytes": size, "removed": [str(old) for old in gone]})
    else:
        typer.echo(f"{made}: {size / 1e6:,.1f} MB, checked" + (f"; {len(gone)} older removed" if gone else ""))
        console.note("Keep the file secret-key of the home folder too: links in mail are signed with it.")


def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="What `billtracker backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the database there is.")] = False,
    as_json: Json = False,
) -> None:
    """Bring a copy back, checked, with the newest schema. Stop the clock, the workers and the pages first."""
    from tracker import backup as copies
    from tracker.db import DatabaseError, make_engine

    settings = console.load_settings()
    try:
        engine = make_engine(settings.url)
        kept = copies.restore(engine, settings, path, now=dt.datetime.now(dt.UTC), replace=replace)
    except (copies.BackupError, DatabaseError) as error:
        console.fail(str(error), console.NEEDS_A_LOOK)
    if as_json:
        console.emit({"restored": str(path), "replaced": str(kept) if kept else None})
    else:
        typer.echo(f"{path} is restored" + (f"; what was there is kept as {kept}" if kept else ""))
        typer.echo("Next: billtracker doctor")


def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what there is and would go; delete nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what is past its bounds (settings logs_days and others), close runs whose process was killed."""
    from tracker import leftovers, lost_runs

    settings = console.load_settings()
    now = dt.datetime.now(dt.UTC)
    rows = list(leftovers.survey(settings, now))
    # The files first: on a disk that is full the database cannot even be opened.
    gone = {} if dry_run else leftovers.clean(settings, now)
    if dry_run and not as_json:
        console.table([{**row, "bytes": f"{row['bytes']:,}"} for row in rows])
        typer.echo(f"{sum(int(str(row['past'])) for row in rows):,} files would go")
    elif not as_json:
        said = ", ".join(f"{count:,} {name}" for name, count in gone.items()) or "nothing"
        typer.echo(f"deleted: {said}")
    engine = console.open_database(settings)
    killed = lost_runs.find(engine, now) if dry_run else lost_runs.close(engine, now)
    accounts = 0 if dry_run else leftovers.forget_runs(engine, settings.job_runs_days, now)
    if as_json and dry_run:
        console.emit({"files": rows, "runs_killed": len(killed)})
    elif as_json:
        console.emit({"deleted": gone, "job_runs_deleted": accounts, "runs_closed": len(killed)})
    elif dry_run:
        typer.echo(f"{len(killed):,} runs whose process was killed are open")
    else:
        typer.echo(f"deleted {accounts:,} accounts of jobs; closed {len(killed):,} runs whose process was killed")


def doctor(as_json: Json = False) -> None:
    """Check that what is stored is whole, and say what to do. Changes nothing; ends with 1 on any finding."""
    from sqlalchemy.exc import DBAPIError

    from tracker import doctor as checks

    settings = console.load_settings()
    try:
        engine = console.open_database(settings)
        found, names = checks.examine(engine, settings, now=dt.datetime.now(dt.UTC))
    except DBAPIError as error:
        # So damaged that not even its schema can be read.
        found, names = [checks.unreadable(error)], ["file"]
    if as_json:
        console.emit({"findings": [finding.__dict__ for finding in found], "checks": names})
    else:
        for finding in found:
            typer.echo(console.printable(f"{finding.check}: {finding.count:,} ({finding.example})\n  {finding.do}"))
        typer.echo(f"{len(names)} checks, {len(found)} findings")
    raise typer.Exit(int(bool(found)))


def morning(as_json: Json = False) -> None:
    """The last day on one page, and what to do about it. Ends with 1 when there is something to do."""
    from tracker import morning as pages

    settings = console.load_settings()
    found = pages.page(console.open_database(settings), settings, now=dt.datetime.now(dt.UTC))
    console.emit(found if as_json else pages.text(found), as_json)
    raise typer.Exit(int(bool(found["todo"])))
