"""Puts the web app together: settings in, an app with one database out.

    app = create_app(settings)          # uvicorn serves it: billtracker serve

Other packages add pages by the entry-point group ``billtracker.pages`` (an ``APIRouter`` each); the tracker's
own are listed in ``tracker.web.pages`` and ``tracker.web.api``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points, version
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tracker.db import make_engine, reading, upgrade
from tracker.settings import Settings
from tracker.web import api, errors, pages
from tracker.web.dependencies import Database
from tracker.web.security import Security

STATIC = Path(__file__).with_name("static")
# Requests worked on at once; fewer than the engine's connections, so that none waits for one in vain.
THREADS = 12


def create_app(settings: Settings) -> FastAPI:
    """The app over the settings' database, which is brought to the newest schema first.

    Raises :class:`tracker.db.DatabaseError` when the database cannot be opened.
    """
    engine = make_engine(settings.url)
    upgrade(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield
        engine.dispose()

    app = FastAPI(
        title="Bill tracker",
        version=version("billtracker"),
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.state.settings = settings
    errors.register(app)
    app.add_api_route("/healthz", healthz, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in [*api.routers(), *pages.routers()]:
        app.include_router(router)
    for point in sorted(entry_points(group="billtracker.pages"), key=lambda p: p.name):
        app.include_router(point.load())
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    app.add_middleware(Security, https=settings.public_url.startswith("https://"))
    return app


def healthz(engine: Database) -> Response:
    """Whether the app and its database answer."""
    try:
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return JSONResponse({"status": "no database"}, 503)
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
