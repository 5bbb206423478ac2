"""Which documents are asked for, which again, and how what is missing shows."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from sqlalchemy import Engine, insert, select

from tracker.db import reading, writing
from tracker.ingest import Run, ingest
from tracker.models.bills import BillRow
from tracker.models.tags import ClassifierRow, TagRow
from tracker.tagging import IN_SCOPE
from tracker.texts import ASK_AGAIN, TextReport, Wanted, standing, store, wanted

NOW = dt.datetime(2026, 1, 20, 12, tzinfo=dt.UTC)
WORDS = b"The department shall make grants for apprenticeships. " * 20
LAW = b"<!DOCTYPE html><html><body><p>" + WORDS + b"</p></body></html>"


def bill(number: int, code: str = "va") -> dict[str, Any]:
    link = {"url": f"https://lis.virginia.gov/{code}/{number}", "media_type": "text/html"}
    return {
        "jurisdiction": code,
        "legislative_session": "2026",
        "identifier": f"HB {number}",
        "title": f"A made-up bill number {number}",
        "actions": [{"date": f"2026-01-{number:02d}", "description": "Introduced"}],
        "versions": [{"note": "Introduced", "links": [link]}],
    }


def missing(engine: Engine, now: dt.datetime = NOW, limit: int = 100, **more: Any) -> list[Wanted]:
    with reading(engine) as connection:
        return wanted(connection, ["va", "md"], limit, now=now, **more)


def answer(item: Wanted, **found: Any) -> dict[str, Any]:
    return {"ref": item.ref, "url": item.url, "media_type": item.media_type, **found}


def body(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_what_may_be_in_scope_comes_first_within_the_budget(engine: Engine) -> None:
    ingest(engine, [bill(1), bill(2), bill(3)], Run("test"), now=NOW)
    assert [item.identifier for item in missing(engine)] == ["HB 3", "HB 2", "HB 1"]
    with writing(engine) as connection:
        first = connection.execute(select(BillRow.id).where(BillRow.identifier == "HB 1")).scalar_one()
        hashes = {name: "x" for name in ("version", "playbook", "playbook_hash", "model_hash", "code_version")}
        made = insert(ClassifierRow).values(**hashes, first_used_at=NOW).returning(ClassifierRow.id)
        tag = {"bill_id": first, "strategy": IN_SCOPE, "score": 0.9, "applied": True, "first_seen_at": NOW}
        connection.execute(insert(TagRow).values(**tag, classifier_id=connection.execute(made).scalar_one()))
    assert [item.identifier for item in missing(engine, limit=2)] == ["HB 1", "HB 3"]
    assert [item.identifier for item in missing(engine, limit=2, likely_first=False)] == ["HB 3", "HB 2"]


def test_a_document_that_did_not_come_is_asked_for_again_later(engine: Engine) -> None:
    ingest(engine, [bill(1)], Run("test"), now=NOW)
    (item,) = missing(engine)
    report = TextReport()
    store(engine, [item], [answer(item, problem="status 503")], now=NOW, report=report)
    assert (report.fetched, report.ok, dict(report.reasons)) == (1, 0, {"unfetched": 1})
    assert missing(engine) == []
    later = NOW + ASK_AGAIN + dt.timedelta(hours=1)
    assert missing(engine, later) == [item]
    # The same again: it waits as long once more.
    store(engine, [item], [answer(item, problem="status 503")], now=later, report=report)
    assert missing(engine, later) == []
    then = later + ASK_AGAIN + dt.timedelta(hours=1)
    store(engine, [item], [answer(item, body=body(LAW))], now=then, report=report)
    assert report.ok == 1 and missing(engine, then + 2 * ASK_AGAIN) == []


def test_what_cannot_be_read_shows_by_state(engine: Engine) -> None:
    ingest(engine, [bill(1), bill(2), bill(3), bill(1, "md")], Run("test"), now=NOW)
    items = {(item.jurisdiction, item.identifier): item for item in missing(engine)}
    shell = b"<html><noscript>You need to enable JavaScript to run this app.</noscript><div id=root></div></html>"
    documents = [
        answer(items["va", "HB 1"], body=body(LAW)),
        answer(items["va", "HB 2"], body=body(shell)),
        answer(items["md", "HB 1"], problem="Forbidden by robots.txt"),
    ]
    store(engine, list(items.values()), documents, now=NOW, report=TextReport())
    with reading(engine) as connection:
        rows = {row["jurisdiction"]: row for row in standing(connection, ["va", "md", "tx"])}
    assert (rows["va"]["bills"], rows["va"]["without"], rows["va"]["share_without"]) == (3, 2, 0.6667)
    assert rows["va"]["unreadable"] == {"blocked": 1}
    assert rows["md"]["unreadable"] == {"unfetched": 1}
    assert "tx" not in rows
