"""For machines that watch us: ``/healthz`` (does the app answer), ``/healthz/service`` (does anything happen),
``/metrics`` (Prometheus, with a token).
"""

from __future__ import annotations

import datetime as dt
import hmac

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tracker import metrics, pulse
from tracker.db import reading
from tracker.web.dependencies import AppSettings, Database

router = APIRouter(include_in_schema=False)
_FRESH = {"Cache-Control": "no-store"}


@router.get("/healthz")
def healthz(engine: Database) -> Response:
    """Whether the app and its database answer."""
    try:
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return JSONResponse({"status": "no database"}, 503, _FRESH)
    return JSONResponse({"status": "ok"}, headers=_FRESH)


@router.get("/healthz/service")
def service(engine: Database, settings: AppSettings) -> Response:
    """Whether the whole service lives: 503 when nothing happens that should. Point an outside monitor here.

    Says how many problems there are, not what they are: anybody may ask.
    """
    try:
        found = pulse.take(engine, now=dt.datetime.now(dt.UTC), hours=settings.silence_hours)
    except SQLAlchemyError:
        return JSONResponse({"status": "no database"}, 503, _FRESH)
    problems = len(found.pop("problems"))
    body = {"status": "degraded" if problems else "ok", "problems": problems, **found}
    return JSONResponse(body, 503 if problems else 200, _FRESH)


@router.get("/metrics")
def numbers(request: Request, engine: Database, settings: AppSettings) -> Response:
    """Prometheus' text format, for who has the token; without the setting ``metrics_token`` there is no such page."""
    token = settings.metrics_token.get_secret_value()
    if not token:
        return PlainTextResponse("Set metrics_token to have metrics here.\n", 404)
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), token.encode()):
        return PlainTextResponse("A bearer token is needed.\n", 401, {"WWW-Authenticate": "Bearer"})
    return Response(
        metrics.text(engine, now=dt.datetime.now(dt.UTC), hours=settings.silence_hours),
        media_type=metrics.CONTENT_TYPE,
        headers=_FRESH,
    )
