"""The nightly copy for other tools: one SQLite file that Datasette opens."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from tracker import console


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(snapshot)


def snapshot(
    path: Annotated[Path | None, typer.Argument(help="File to write; snapshots/bills.db in the home folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")] = False,
) -> None:
    """Write everything public into one SQLite file for Datasette, from either database; a timer's job each night."""
    from dataclasses import asdict

    from tracker.export import ExportError, export

    settings = console.load_settings()
    target = path or settings.home / "snapshots" / "bills.db"
    try:
        with console.progress("copying", quiet=as_json) as update:
            manifest = export(
                console.open_database(settings),
                "sqlite",
                target,
                now=dt.datetime.now(dt.UTC),
                progress=update,
            )
    except ExportError as error:
        console.fail(str(error))
    if as_json:
        console.emit({"path": str(target), **asdict(manifest)})
    else:
        typer.echo(f"{target}: {manifest.counts.get('bills', 0):,} bills, as of event {manifest.last_seq:,}")
        console.note(f"datasette serve {target} --metadata {target}.metadata.json")
