"""The command line: ``billtracker``. Areas register themselves; nothing heavy is imported before it is used."""

from __future__ import annotations

import gc
import os
import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from tracker.console import NEEDS_A_LOOK, WRONG_USE, printable

app = typer.Typer(
    name="billtracker",
    help="Watches US legislatures for bills that put a policy playbook into law.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        from importlib.metadata import version

        typer.echo(version("billtracker"))
        raise typer.Exit


@app.callback()
def _billtracker(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def build() -> typer.Typer:
    """The whole command line: every area that the installation offers (``billtracker.commands``)."""
    for point in sorted(entry_points(group="billtracker.commands"), key=lambda p: p.name):
        point.load()(app)
    return app


def _database_errors() -> tuple[type[Exception], ...]:
    """What databases raise, by SQLAlchemy or past it; asked for only when something was raised."""
    import sqlite3

    import psycopg
    from sqlalchemy.exc import DatabaseError

    return DatabaseError, sqlite3.Error, psycopg.Error


def main() -> None:
    """Entry point. Ends with 0 done, 1 needs a look, 2 wrong use; errors are one sentence."""
    from tracker import console, parent

    # Imports make many objects and no garbage: looking for it that often is a tenth of a short command.
    gc.set_threshold(20_000, 10, 10)
    parent.follow()
    console.own_process = True
    try:
        build()()
    except SystemExit:
        raise  # How every command ends: what databases raise need not be imported to compare with it.
    except KeyboardInterrupt:
        typer.echo("billtracker: stopped; what was finished is kept, run it again to go on", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except _database_errors() as error:
        first = (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
        damaged = "; `billtracker doctor` says what to do" if "malformed" in first or "not a database" in first else ""
        typer.echo(f"billtracker: the database refused: {printable(first)}{damaged}", err=True)
        sys.exit(NEEDS_A_LOOK)
    except OSError as error:
        typer.echo(f"billtracker: {printable(str(error))}", err=True)
        sys.exit(WRONG_USE if isinstance(error, FileNotFoundError) else NEEDS_A_LOOK)


if __name__ == "__main__":
    main()
