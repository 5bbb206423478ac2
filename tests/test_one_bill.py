"""One bill in everything that shows it: the same numbers in mail, page, API, SQL and every export, now and then."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, select

from alerts.outbox import opened
from alerts.sending import send
from tests.alerts.data import FILED, NOW, PASSED, bill, load, reader, settings
from tests.tracker.web.conftest import Serve, serve
from tracker import readonly, spreadsheet
from tracker.api_keys import add_key
from tracker.db import reading, writing
from tracker.export import export
from tracker.history import end_of, read_bill
from tracker.models.readers import DigestIssueRow
from tracker.search import Query, search
from tracker.search_index import catch_up
from tracker.vocabulary import Stage

__all__ = ["serve"]

KEY = "tx/89R/HB 1"
WEEK = dt.timedelta(days=7)
TITLE = "A bill relating to a tax credit & a grant for <employers> of apprentices"
SIGNING = "k" * 32


@pytest.fixture
def weeks(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """Two weeks: the bill with two tags, told in a digest; then it passes, loses a tag, and a digest tells that."""
    reader(engine, states=["tx"])
    first = bill("HB 1", title=TITLE, subject=["Taxation"], sponsorships=[{"name": "Ortiz"}])
    load(engine, [first, bill("HB 2", title="On roads")])
    assert send(engine, settings(tmp_path), now=NOW).mails[0]["bills"] == 1
    second = {**first, "title": "A bill relating to a grant for employers", "actions": [*first["actions"]]}
    second["actions"].append(
        {"date": PASSED[0], "description": PASSED[1], "chamber": "lower", "classification": PASSED[2]}
    )
    load(engine, [second], now=NOW + WEEK)
    assert send(engine, settings(tmp_path), now=NOW + WEEK).mails[0]["bills"] == 1
    yield engine
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection, connection.begin():
            role = readonly.role_name(engine)
            if connection.exec_driver_sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'").first():
                connection.exec_driver_sql(f"DROP OWNED BY {role}")
                connection.exec_driver_sql(f"DROP ROLE {role}")


def card(engine: Engine, issue: int) -> dict[str, Any]:
    """The bill's card in a frozen digest, the first or the second; the mail's text says the same."""
    with reading(engine) as connection:
        row = connection.execute(
            select(DigestIssueRow.snapshot, DigestIssueRow.mail).order_by(DigestIssueRow.id).offset(issue).limit(1)
        ).one()
    cards = [c for s in row.snapshot["sections"] for g in s["groups"] for c in g["bills"] if c["key"] == KEY]
    assert len(cards) == 1
    found: dict[str, Any] = cards[0]
    body = message_from_bytes(opened(row.mail), policy=SMTP).get_body(("plain",))
    assert body is not None
    words = " ".join(body.get_content().split())
    assert found["quote"] in words and found["title"] in words and found["action"] in words
    return found


# What every form says of the bill: title, stage, latest action, its date, strategies with scores and quotes.
Said = tuple[str, str, str, str, dict[str, tuple[str, str]]]


def in_mail(found: dict[str, Any]) -> tuple[str, str, str, list[str]]:
    return found["title"], found["stage"], found["action"], sorted(tag["confidence"] for tag in found["tags"])


def as_in_mail(said: Said) -> tuple[str, str, str, list[str]]:
    return said[0], Stage(said[1]).label, said[2], sorted(f"{float(score):.0%}" for score, _ in said[4].values())


def from_show(engine: Engine, as_of: dt.datetime | None = None) -> Said:
    with reading(engine) as connection:
        found = read_bill(connection, KEY, as_of)
    tags = {
        t["strategy"]: (f"{t['score']:.4f}", t["evidence"][0]["quote"])
        for t in found["tags"]
        if t["applied"] and t["strategy"] != "in_scope"
    }
    return found["title"], found["stage"], found["latest_action"], found["latest_action_date"].isoformat(), tags


def from_api(web: httpx.Client, **params: Any) -> Said:
    found = web.get("/bills/tx/89R/HB 1", params={"include": "tags", **params}).json()
    tags = {
        t["strategy"]: (f"{t['score']:.4f}", t["evidence"][0]["quote"])
        for t in found["tags"]
        if t["applied"] and t["strategy"] != "in_scope"
    }
    return found["title"], found["stage"], found["latest_action_description"], found["latest_action_date"], tags


def from_rows(bill_row: dict[str, Any], tag_rows: list[dict[str, Any]]) -> Said:
    tags = {row["strategy"]: (f"{row['score']:.4f}", row["quote"]) for row in tag_rows}
    day = bill_row["latest_action_date"]
    return bill_row["title"], bill_row["stage"], bill_row["latest_action"], str(day), tags


def from_sql(engine: Engine) -> Said:
    def ask(sql: str) -> list[dict[str, Any]]:
        return readonly.run(engine, sql, password_key=SIGNING).as_dicts()

    (row,) = ask(f"SELECT * FROM v_bills WHERE bill_key = '{KEY}'")
    tags = ask(f"SELECT * FROM v_tags WHERE bill_id = {row['bill_id']} AND applied AND strategy <> 'in_scope'")
    return from_rows(row, tags)


def from_exports(engine: Engine, folder: Path) -> list[Said]:
    now = NOW + WEEK
    for format_, name in (("csv", "b.csv"), ("sqlite", "b.db"), ("parquet", "tables"), ("jsonl", "b.jsonl")):
        export(engine, format_, folder / name, now=now)
    with (folder / "b.csv").open(newline="", encoding="utf-8") as file:
        flat = next(row for row in spreadsheet.read(file) if row["key"] == KEY)
    with sqlite3.connect(folder / "b.db") as snapshot:
        snapshot.row_factory = sqlite3.Row
        row = dict(snapshot.execute("SELECT * FROM bills WHERE bill_key = ?", [KEY]).fetchone())
        tagged = "SELECT * FROM tags WHERE bill_id = ? AND applied AND strategy <> 'in_scope'"
        tags = [dict(tag) for tag in snapshot.execute(tagged, [row["bill_id"]])]
    snapshot.close()
    (typed,) = [r for r in pq.read_table(folder / "tables/bills.parquet").to_pylist() if r["bill_key"] == KEY]
    typed_tags = [
        t
        for t in pq.read_table(folder / "tables/tags.parquet").to_pylist()
        if t["bill_id"] == typed["bill_id"] and t["applied"] and t["strategy"] != "in_scope"
    ]
    quotes = {tag["strategy"]: tag["quote"] for tag in tags}
    flat_tags = {name: (f"{score:.4f}", quotes[name]) for name, score in json.loads(flat["tags"]).items()}
    lines = map(json.loads, (folder / "b.jsonl").read_text("utf-8").splitlines())
    line = next(record for record in lines if record["identifier"] == "HB 1")
    assert line["title"] == row["title"] and line["actions"][-1]["description"] == row["latest_action"]
    return [
        from_rows(row, tags),
        from_rows(typed, typed_tags),
        (flat["title"], flat["stage"], flat["latest_action"], flat["latest_action_date"], flat_tags),
    ]


def test_one_bill_says_the_same_everywhere(weeks: Engine, serve: Serve, tmp_path: Path) -> None:
    with writing(weeks) as connection:
        key = add_key(connection, "tests", now=NOW)
    said = from_show(weeks)
    assert said[1:4] == ("passed_one_chamber", "Passed", "2025-03-09") and said[4] == {
        "incentives": ("0.9100", "grant")
    }
    assert in_mail(card(weeks, 1)) == as_in_mail(said)
    assert card(weeks, 1)["quote"] == "grant"
    with httpx.Client(base_url=serve(weeks), headers={"X-API-KEY": key}, timeout=20) as web:
        assert from_api(web) == said
        (listed,) = web.get("/bills", params={"strategy": "incentives", "min_score": 0.9}).json()["results"]
        assert listed["key"] == KEY
        # The mail's link, as a browser opens it.
        linked = httpx.get(
            card(weeks, 1)["page"].replace("http://127.0.0.1:8000", str(web.base_url)), headers={"Accept": "text/html"}
        )
        assert linked.status_code == 302 and linked.headers["location"] == "/bill/tx/89R/HB%201"
    assert from_sql(weeks) == said
    assert from_exports(weeks, tmp_path / "out") == [said] * 3
    catch_up(weeks)
    with reading(weeks) as connection:
        (hit,) = search(connection, Query("grant", strategies=["incentives"])).hits
    assert (hit.title, hit.stage, hit.latest_action) == said[:3] and hit.tags == {"incentives": 0.91}


def test_then_is_what_the_digest_of_then_said(weeks: Engine, serve: Serve) -> None:
    with writing(weeks) as connection:
        key = add_key(connection, "tests", now=NOW)
    then = from_show(weeks, end_of(NOW.date()))
    assert then[0] == TITLE and set(then[4]) == {"tax_credits", "incentives"}
    assert then[1:4] == ("introduced", FILED[1], FILED[0])
    assert in_mail(card(weeks, 0)) == as_in_mail(then)
    with httpx.Client(base_url=serve(weeks), headers={"X-API-KEY": key}, timeout=20) as web:
        assert from_api(web, as_of=NOW.date().isoformat()) == then
        assert from_api(web, as_of=(NOW + WEEK).isoformat()) == from_api(web) == from_show(weeks)
