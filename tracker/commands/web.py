"""Commands of the web app: serve."""

from __future__ import annotations

from typing import Annotated

import typer

from tracker import console


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one and says which.")] = 8000,
) -> None:
    """Serve pages, API and feeds until stopped."""
    import uvicorn

    from tracker.db import DatabaseError
    from tracker.web.application import create_app

    settings = console.load_settings()
    try:
        app = create_app(settings)
    except DatabaseError as error:
        console.fail(str(error))
    uvicorn.run(app, host=host, port=port, server_header=False, h11_max_incomplete_event_size=64 * 1024)
