"""The command line: ``billtracker``. Areas register themselves; nothing heavy is imported before it is used."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated

import typer

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


@cache
def build() -> typer.Typer:
    """The whole command line: every area that the installation offers (``billtracker.commands``)."""
    for point in sorted(entry_points(group="billtracker.commands"), key=lambda p: p.name):
        point.load()(app)
    return app


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
    except Exception as error:
        end = console.ending(error)
        if end is None:
            raise
        typer.echo(f"billtracker: {end.sentence}", err=True)
        sys.exit(end.code)


if __name__ == "__main__":
    main()
