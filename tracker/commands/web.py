"""Commands of the web app: serve, and the keys to its API."""

from __future__ import annotations

import datetime as dt
import os
from typing import Annotated

import typer

from tracker import console

keys = typer.Typer(help="Keys to the API.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.add_typer(keys, name="api-key")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one and says which.")] = 8000,
) -> None:
    """Serve pages, API and feeds until stopped."""
    import uvicorn

    from tracker.db import DatabaseError
    from tracker.web.application import create_app
    from tracker.web.listener import listen

    settings = console.load_settings()
    try:
        listener = listen(host, port)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else "there is no such host"
        console.fail(f"cannot listen on {host}, port {port} ({why}): choose another --port or --host")
    with listener:
        try:
            app = create_app(settings)
        except DatabaseError as error:
            console.fail(str(error))
        shown = f"[{host}]" if ":" in host else host
        console.note(f"serving on http://{shown}:{listener.getsockname()[1]}, until stopped with Ctrl-C")
        # No log of requests: addresses carry keys, and the links that readers got by mail.
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,  # its messages go through ours, which hides secrets
            log_level="warning",
            server_header=False,
            h11_max_incomplete_event_size=64 * 1024,
        )
        uvicorn.Server(config).run(sockets=[listener])


@keys.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    per_minute: Annotated[int, typer.Option(min=1, max=1_000_000, help="Requests a minute.")] = 240,
    per_day: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="Requests a day (UTC).")] = 50_000,
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    from tracker.api_keys import ApiKeyError, add_key
    from tracker.db import writing

    try:
        with writing(console.open_database()) as connection:
            key = add_key(connection, name, per_minute=per_minute, per_day=per_day, now=dt.datetime.now(dt.UTC))
    except ApiKeyError as error:
        console.fail(str(error))
    typer.echo(f"The key of {console.printable(name)}, shown this once: {key}")


@keys.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")] = False) -> None:
    """All keys ever made, without the keys themselves."""
    from tracker.api_keys import list_keys
    from tracker.db import reading

    with reading(console.open_database()) as connection:
        rows = list_keys(connection)
    if as_json:
        console.emit(rows)
    else:
        console.table(rows)


@keys.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="The key's name, number or first letters.")]) -> None:
    """End a key; the next request with it gets 401."""
    from tracker.api_keys import ApiKeyError, revoke_key
    from tracker.db import writing

    try:
        with writing(console.open_database()) as connection:
            revoke_key(connection, name, now=dt.datetime.now(dt.UTC))
    except ApiKeyError as error:
        console.fail(str(error))
    typer.echo(f"the key {name} is no longer in force")
