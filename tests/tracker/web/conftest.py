"""The app on a real local port, filled with the analysts' bills."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr
from sqlalchemy import Engine

from tracker.settings import Settings
from tracker.web.application import create_app
from tracker.web.listener import listen

Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """``serve(engine)`` starts the whole app over a database on a free port and gives its address.

    ``replaced`` gives dependencies of the tests instead of the app's, such as a clock.
    """
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(engine: Engine, replaced: dict[Any, Any] | None = None, **overrides: Any) -> str:
        settings = Settings(
            home=tmp_path / "home",
            database_url=engine.url.render_as_string(hide_password=False),
            secret_key=SecretStr("k" * 32),
            **overrides,
        )  # type: ignore[call-arg]
        app = create_app(settings)
        app.dependency_overrides.update(replaced or {})
        listener = listen("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started
        running.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
