"""What a reader or a program gets when something is wrong: a page, or ``{"detail": "…"}`` from the API."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException as StarletteHTTPException

from tracker.query import QueryError
from tracker.web.security import HEADERS
from tracker.web.templating import page

# The first part of every address of the API. Open States' clients expect them at the top: pages use others.
API = frozenset({"jurisdictions", "bills", "people", "people.geo", "committees", "events", "changes"})
_log = structlog.get_logger(__name__)


def is_api(path: str) -> bool:
    """Whether a program asks: it gets JSON, also when something is wrong."""
    first = path.split("/")[1:2]
    return first == ["api"] or bool(API.intersection(first))


def register(app: FastAPI) -> None:
    """Add the handlers."""
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(QueryError, _query)
    # What SQLite's driver and PostgreSQL say of a number that no column can hold.
    for kind in (OverflowError, DataError):
        app.add_exception_handler(kind, _too_large)
    app.add_exception_handler(Exception, _broken)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    return reply(request, error.status_code, str(error.detail), dict(error.headers or {}))


async def _query(request: Request, error: Exception) -> Response:
    sentence = str(error)
    return reply(request, 400, f"{sentence[:1].upper()}{sentence[1:]}.")


async def _too_large(request: Request, _error: Exception) -> Response:
    return reply(request, 400, "A number in the address is too large.")


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if is_api(request.url.path):
        found = [{name: e[name] for name in ("loc", "msg", "type")} for e in error.errors()]
        return JSONResponse({"detail": jsonable_encoder(found)}, 422)
    first = error.errors()[0]
    return reply(request, 422, f"{first['loc'][-1]}: {first['msg']}.")


async def _broken(request: Request, error: Exception) -> Response:
    # The address as it is written in the code: a real one may carry a reader's secret.
    route = getattr(request.scope.get("route"), "path", "")
    _log.error("a page failed", route=route, exc_info=error)
    return reply(request, 500, "Something went wrong on our side; it is in the log.", HEADERS)


def reply(request: Request, status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """The error for whoever asks."""
    if is_api(request.url.path):
        return JSONResponse({"detail": detail}, status, headers=headers)
    return page(request, "error.html", status, headers, title=HTTPStatus(status).phrase, words=detail)


def not_found(words: str) -> HTTPException:
    """404 with a sentence."""
    return HTTPException(404, words)
