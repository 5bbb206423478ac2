"""Puts the web app together: settings in, an app with one database out.

    app = create_app(settings)          # uvicorn serves it: billtracker serve

Other packages add pages by the entry-point group ``billtracker.pages`` (a ``tracker.web.groups.PageGroup`` each,
which says what every page links to); the tracker's own are listed in ``tracker.web.pages`` and ``tracker.web.api``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points, version
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles

from tracker.db import make_engine, upgrade
from tracker.settings import Settings
from tracker.watch import Watch
from tracker.web import api, errors, groups, health, pages
from tracker.web.addresses import Addresses
from tracker.web.api.limits import Meter
from tracker.web.caching import EntityTags
from tracker.web.security import Security
from tracker.web.upkeep import Upkeep

STATIC = Path(__file__).with_name("static")
# Requests worked on at once; fewer than the engine's connections, so that none waits for one in vain.
THREADS = 12
DESCRIPTION = (
    "Open States' API v3 for jurisdictions, bills and events, with tags, evidence, history and a feed of changes."
    " The same under /api/v3. Every request needs a key."
)


def create_app(settings: Settings) -> FastAPI:
    """The app over the settings' database, which is brought to the newest schema first.

    Raises :class:`tracker.db.DatabaseError` when the database cannot be opened.
    """
    engine = make_engine(settings.url)
    upgrade(engine)
    meter = Meter(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        upkeep = Upkeep(engine, meter, Watch(engine, settings))
        await anyio.to_thread.run_sync(upkeep.start)
        yield
        await anyio.to_thread.run_sync(upkeep.stop)
        meter.close()
        engine.dispose()

    app = FastAPI(
        title="Bill tracker",
        version=version("billtracker"),
        description=DESCRIPTION,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.state.settings = settings
    app.state.meter = meter
    errors.register(app)
    app.include_router(health.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in api.routers():
        app.include_router(router)
    elsewhere = sorted(entry_points(group="billtracker.pages"), key=lambda p: p.name)
    added = [point.load() for point in elsewhere]
    app.state.links = groups.collected(added, settings)
    for router in [*pages.routers(), *added]:
        app.include_router(router, include_in_schema=False)
    # The last one added is the first to see a request.
    app.add_middleware(EntityTags)
    app.add_middleware(Addresses)
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    app.add_middleware(Security, public_url=settings.public_url)
    return app
