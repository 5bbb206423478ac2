"""The views are as documented, column by column, and every question of the documents is answered on both databases.

``python -m tests.tracker.test_questions`` writes the generated parts of docs/querying.md anew.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text, update

from tests.tracker import analysts
from tracker import readonly
from tracker.db import reading, writing
from tracker.events import EventKind
from tracker.models.bills import BillTextRow
from tracker.notes import add_note, watch
from tracker.questions import QUESTIONS
from tracker.view_columns import VIEWS

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "querying.md"
KEY = "a signing key of the tests"


def views_as_text() -> str:
    parts = []
    for view, (about, columns) in VIEWS.items():
        rows = [f"| `{name}` | {kind} | {meaning.replace('|', ' ')} |" for name, (kind, meaning) in columns.items()]
        parts.append("\n".join([f"### {view}", "", about, "", "| column | kind | meaning |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def questions_as_text() -> str:
    return "\n\n".join(f"{n}. {q.words}\n\n```sql\n{q.sql}\n```" for n, q in enumerate(QUESTIONS, 1))


def generated(page: str) -> str:
    for name, made in (("questions", questions_as_text()), ("views", views_as_text())):
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        head, _, rest = page.partition(begin)
        _, _, tail = rest.partition(end)
        page = f"{head}{begin}\n\n{made}\n\n{end}{tail}"
    return page


def test_the_document_has_every_view_and_question() -> None:
    page = PAGE.read_text("utf-8")
    assert page == generated(page), "run: python -m tests.tracker.test_questions"
    assert len(re.findall(r"```sql", page)) >= 20


def test_every_kind_of_event_is_explained() -> None:
    _, _, rest = PAGE.read_text("utf-8").partition("### What an event says")
    explained = re.findall(r"`([a-z_]+)`", "".join(row.split("|")[1] for row in re.findall(r"^\| `.*$", rest, re.M)))
    assert {kind.value for kind in EventKind} <= set(explained)


def test_views_have_the_documented_columns(engine: Engine) -> None:
    found = inspect(engine)
    names = [view for view in found.get_view_names() if view.startswith("v_")]
    assert sorted(names) == sorted(VIEWS)
    for view, (_, columns) in VIEWS.items():
        assert [column["name"] for column in found.get_columns(view)] == list(columns), view


def test_kinds_are_as_documented(engine: Engine) -> None:
    fill(engine)
    python = {"text": str, "int": int, "float": float, "bool": int, "json": (str, list, dict), "date": object,
              "moment": object}  # fmt: skip
    seen = set()
    with reading(engine) as connection:
        for view, (_, columns) in VIEWS.items():
            for row in connection.execute(text(f"SELECT * FROM {view}")):
                for (name, (kind, _)), value in zip(columns.items(), row, strict=True):
                    assert value is None or isinstance(value, python[kind]), (view, name, value)
                    if value is not None and kind in ("date", "moment"):
                        day = value if isinstance(value, str) else value.isoformat()
                        assert re.match(r"\d{4}-\d\d-\d\d" + ("T" if kind == "moment" else "$"), day), (view, name)
                    seen.add((view, name))
    assert {view for view, _ in seen} == set(VIEWS)


def fill(engine: Engine) -> None:
    """The test bills, ten days later: one signed late, one with another title and without its tag."""
    analysts.fill(engine)
    later = analysts.NOW + dt.timedelta(days=10)
    signed = copy.deepcopy(analysts.BILLS[0])
    signed["actions"].append({"date": "2026-02-05", "description": "Signed by the Governor", "chamber": "executive"})
    signed["actions"].append({"date": "2026-02-20", "description": "Zorbled by the clerk", "chamber": "lower"})
    analysts.load(engine, [signed, dict(analysts.BILLS[1], title="Relating to apprenticeships.")], later)
    analysts.add_text(engine, "HB 12", "", later, "Engrossed")
    with writing(engine) as connection:
        connection.execute(update(BillTextRow).where(BillTextRow.text == "").values(status="scanned", reason="a scan"))
        add_note(connection, "tx/89R/HB 12", author="Ana", note="call", stance="support", now=analysts.NOW)
        watch(connection, "tx/89R/HB 12", "CTE", by="Ana", now=analysts.NOW)
    analysts.tag(engine, later)


@pytest.fixture
def bills(engine: Engine) -> Iterator[Engine]:
    fill(engine)
    yield engine
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection, connection.begin():
            role = readonly.role_name(engine)
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")


def test_every_question_is_answered(bills: Engine) -> None:
    assert len(QUESTIONS) >= 20 and len({q.name for q in QUESTIONS}) == len(QUESTIONS)
    for question in QUESTIONS:
        answer = readonly.run(bills, question.sql, password_key=KEY)
        assert answer.rows, question.name
    states = readonly.run(bills, next(q.sql for q in QUESTIONS if q.name == "states"), password_key=KEY)
    assert states.rows == [("flexibility", "oh", 1), ("tax_credits", "tx", 1)]


if __name__ == "__main__":
    PAGE.write_text(generated(PAGE.read_text("utf-8")), "utf-8")
