"""The SQL page answers questions and nothing else, on both databases."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from tests.tracker import analysts
from tests.tracker.test_readonly import HOSTILE, fingerprint
from tests.tracker.web.conftest import Serve
from tracker import readonly
from tracker.questions import QUESTIONS


@pytest.fixture
def web(engine: Engine, serve: Serve) -> Iterator[httpx.Client]:
    analysts.fill(engine)
    with httpx.Client(base_url=serve(engine), timeout=20) as client:
        yield client
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection, connection.begin():
            role = readonly.role_name(engine)
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")


def test_a_question_is_answered_in_three_forms(web: httpx.Client) -> None:
    empty = web.get("/sql")
    assert empty.status_code == 200 and "Questions to start from" in empty.text and "<h2>Answer</h2>" not in empty.text
    sql = "SELECT bill_key, title, first_seen FROM v_bills ORDER BY bill_key"
    page = web.get("/sql", params={"sql": sql})
    assert page.status_code == 200 and "9 rows in" in page.text
    assert "<td>tx/89R/HB 12</td>" in page.text and "=cmd|&#39;" in page.text
    rows = web.get("/sql", params={"sql": sql, "format": "json"}).json()
    assert len(rows) == 9 and rows[0]["bill_key"] == "co/2026A/HB 26-1001"
    assert rows[0]["first_seen"].startswith("2026-02-10T12:00:00")
    file = web.get("/sql", params={"sql": sql, "format": "csv"})
    assert file.headers["content-disposition"].startswith("attachment")
    table = list(csv.DictReader(io.StringIO(file.text, newline="")))
    assert table[0]["title"].startswith("'=cmd")
    assert web.get("/sql", params={"sql": QUESTIONS[0].sql}).text.count("<td>tax credit</td>") == 2


def test_nothing_hostile_gets_through_the_page(web: httpx.Client, engine: Engine) -> None:
    before = fingerprint(engine)
    for statement in HOSTILE:
        if statement.strip(" ;") and "\x00" not in statement and len(statement) < 8_000:
            reply = web.get("/sql", params={"sql": statement})
            assert reply.status_code == 400, (statement, reply.text[:400])
            assert "Not answered" in reply.text and "<h2>Answer</h2>" not in reply.text
    assert fingerprint(engine) == before
    for params in ({"sql": "x" * 9_000}, {"sql": "SELECT 1", "format": "exe"}):
        assert web.get("/sql", params=params).status_code == 422
    assert web.get("/sql", params={"sql": "SELECT nothing", "format": "json"}).json()["detail"]
    script = web.get("/sql", params={"sql": "SELECT '<script>alert(1)</script>' AS a"})
    assert script.status_code == 200 and "<script>alert" not in script.text
