"""The SQL page: a question in, a table out. Read-only for certain (:mod:`tracker.readonly`); GET, so that a question
can be kept as a link."""

from __future__ import annotations

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic_core import to_jsonable_python

from tracker import readonly, spreadsheet
from tracker.questions import QUESTIONS
from tracker.readonly import Answer, SqlError
from tracker.view_columns import VIEWS
from tracker.web.dependencies import Database, SigningKey
from tracker.web.templating import page

router = APIRouter()
SHOWN = 500
FILE_ROWS = 10_000
MAX_STATEMENT = 8_000
_CELL = 2_000
# Long questions must not take every thread that serves pages, neither by running nor by waiting.
_places = threading.BoundedSemaphore(3)
_PATIENCE = 1.0


@router.get("/sql")
def ask(
    request: Request,
    engine: Database,
    key: SigningKey,
    sql: Annotated[str, Query(max_length=MAX_STATEMENT)] = "",
    format_: Annotated[str, Query(alias="format", pattern="^(html|csv|json)$")] = "html",
) -> Response:
    """The form, and the answer as a table, CSV or JSON."""
    password_key = "" if engine.dialect.name == "sqlite" else key
    answer, wrong, status = None, "", 200
    if sql.strip():
        try:
            answer = _run(engine, sql, password_key, SHOWN if format_ == "html" else FILE_ROWS)
        except SqlError as error:
            wrong, status = str(error), 400
        except TimeoutError as error:
            wrong, status = str(error), 503
    if answer and format_ == "json":
        return JSONResponse(to_jsonable_python(answer.as_dicts(), fallback=str))
    if answer and format_ == "csv":
        disposition = {"Content-Disposition": 'attachment; filename="answer.csv"'}
        return Response(spreadsheet.text(answer.as_dicts()), media_type="text/csv; charset=utf-8", headers=disposition)
    if wrong and format_ != "html":
        return JSONResponse({"detail": wrong}, status)
    return page(
        request,
        "sql.html",
        status,
        title="SQL",
        current="/sql",
        sql=sql,
        answer=answer,
        rows=[[_cell(value) for value in row] for row in answer.rows] if answer else [],
        wrong=wrong,
        questions=QUESTIONS,
        views=VIEWS,
        most=FILE_ROWS,
        longest=MAX_STATEMENT,
    )


def _run(engine: Database, sql: str, password_key: str, rows: int) -> Answer:
    if not _places.acquire(timeout=_PATIENCE):
        raise TimeoutError("too many questions are being answered: ask again in a moment")
    try:
        return readonly.run(engine, sql, password_key=password_key, max_rows=rows)
    finally:
        _places.release()


def _cell(value: Any) -> str:
    """A value as people read it; long texts are cut, the files have them whole."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        value = spreadsheet.cell(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"
