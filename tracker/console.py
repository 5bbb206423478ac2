"""What every command shares: settings, the database, output for people and machines, errors in one sentence."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import typer

from tracker import parent

# Every command starts here, `--help` too: the database and the settings are imported where they are used.
if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tracker.settings import Settings

DONE, NEEDS_A_LOOK, WRONG_USE = 0, 1, 2
#: How often a job of the clock says how far it is, and a command whose words go into a file or pipe.
LINE_SECONDS, PIPE_SECONDS = 2.0, 30.0
#: Set by the entry point: then logging is ours to configure, and not that of a program which calls us.
own_process = False


def fail(sentence: str, code: int = WRONG_USE) -> NoReturn:
    """End the command with one sentence on standard error."""
    typer.echo(f"billtracker: {printable(sentence)}", err=True)
    raise typer.Exit(code)


class Ending(NamedTuple):
    """How an error ends a command: one sentence, and the exit code."""

    sentence: str
    code: int


def ending(error: Exception) -> Ending | None:
    """What an error of the database or the system says to a person; nothing for one that is a fault of ours."""
    if isinstance(error, _database_errors()):
        first = (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
        damaged = "; `billtracker doctor` says what to do" if "malformed" in first or "not a database" in first else ""
        return Ending(f"the database refused: {printable(first)}{damaged}", NEEDS_A_LOOK)
    if isinstance(error, OSError):
        return Ending(printable(str(error)), WRONG_USE if isinstance(error, FileNotFoundError) else NEEDS_A_LOOK)
    return None


def _database_errors() -> tuple[type[Exception], ...]:
    """What databases raise, by SQLAlchemy or past it; asked for only when something was raised."""
    import sqlite3

    import psycopg
    from sqlalchemy.exc import DatabaseError

    return DatabaseError, sqlite3.Error, psycopg.Error


def note(sentence: str) -> None:
    """A line for a person, on standard error, so that it never mixes with data."""
    typer.echo(printable(sentence), err=True)


def printable(text: str) -> str:
    """Text without control characters: what a state wrote must not steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def emit(value: Any, as_json: bool = True) -> None:
    """One JSON value on standard output (``as_json``), else the value as text."""
    from pydantic_core import to_json

    text = to_json(value, indent=2, fallback=str).decode() if as_json else printable(str(value))
    typer.echo(text)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Rows as an aligned table on standard output; long cells are cut to the terminal's width."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    names = list(columns or rows[0])
    for name in names:
        shown.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        shown.add_row(*(Text(printable(_cell(row.get(name)))) for name in names))
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(shown)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def load_settings() -> Settings:
    """The settings, or the end of the command. A process of ours logs as they say from here on."""
    from tracker import settings

    try:
        found = settings.load()
    except settings.SettingsError as error:
        fail(str(error))
    if own_process:
        from tracker import log

        log.configure(found)
    return found


def open_database(settings: Settings | None = None) -> Engine:
    """The database with the newest schema, or the end of the command."""
    from tracker.db import DatabaseAway, DatabaseError, make_engine, upgrade

    try:
        engine = make_engine((settings or load_settings()).url)
        upgrade(engine)
    except DatabaseAway as error:
        fail(str(error), NEEDS_A_LOOK)
    except DatabaseError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot make the database's folder: {error}")
    return engine


def parse_now(value: str | None) -> dt.datetime:
    """``--now``: an ISO moment (UTC where no offset is given), or the clock."""
    if not value:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        fail(f"--now {value!r} is not an ISO date and time, such as 2026-01-31T09:00")
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


@contextmanager
def progress(label: str, total: int | None = None, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, when a person watches, else a line now and then; yields ``update(done)``
    (or ``update(done, total)`` where the total is known only then).

    A job of the clock says it in a line every few seconds, ``quiet`` or not: ``schedule list`` shows the last.
    """
    if parent.VARIABLE in os.environ:
        yield _lines(label, total, LINE_SECONDS)
        return
    if quiet:
        yield lambda done, of=None: None
        return
    if not sys.stderr.isatty():
        yield _lines(label, total, PIPE_SECONDS)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done, of=total: bar.update(task, completed=done, total=of)


def _lines(label: str, total: int | None, seconds: float) -> Callable[..., None]:
    said = time.monotonic()

    def update(done: int, of: int | None = total) -> None:
        nonlocal said
        if time.monotonic() - said >= seconds:
            said = time.monotonic()
            note(f"{label.strip()}: {done:,}" + (f" of {of:,}" if of else ""))

    return update
