"""The quality report names faults that are really there, and no others."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import Engine, update

from tests.tracker import analysts
from tracker.db import writing
from tracker.ingest import Run, ingest
from tracker.models.bills import BillTextRow
from tracker.quality import report


def whole(number: int, **more: Any) -> dict[str, Any]:
    """A bill with everything."""
    given = {
        "sponsorships": [{"name": "Ortiz"}],
        "versions": [{"note": "Introduced", "links": [{"url": f"https://legislature.example/{number}.htm"}]}],
    }
    return analysts.bill("tx", "89R", f"HB {number}", f"An act, number {number}", **{**given, **more})


def row_of(engine: Engine, now: dt.datetime = analysts.NOW) -> dict[str, Any]:
    (row,) = report(engine, now=now, codes=["tx"])
    return row


def test_whole_bills_have_no_problem(engine: Engine) -> None:
    ingest(engine, [whole(n) for n in range(1, 21)], Run("file"), now=analysts.NOW)
    row = row_of(engine)
    assert (row["bills"], row["without_text"], row["proof"]) == (20, 20, row["proof"]) and row["proof"]
    assert row["problems"] == []


def test_seeded_faults_are_all_named(engine: Engine) -> None:
    unknown = [{"date": "2026-01-15", "description": f"Zorbled {n} times", "chamber": "lower"} for n in range(9)]
    faulty = [
        whole(1, actions=[]),
        whole(2, sponsorships=[]),
        whole(3, versions=[]),
        whole(4, actions=unknown),
        whole(5, sources=[{"url": "https://legislature.example/5"}]),
        {"jurisdiction": "tx", "legislative_session": "89R", "identifier": "HB 6", "title": ""},
    ]
    made = ingest(engine, faulty, Run("file"), now=analysts.NOW)
    assert len(made.rejected) == 1
    analysts.add_text(engine, "HB 5", "")
    with writing(engine) as connection:
        connection.execute(update(BillTextRow).values(status="scanned", reason="only pictures"))
    row = row_of(engine)
    for name in ("without_actions", "without_sponsors", "without_versions", "unreadable_text"):
        assert row[name] == 1, name
    assert (row["bills"], row["unknown_actions"], row["without_text"]) == (5, 9, 4)
    said = " ".join(row["problems"])
    for words in ("have no action", "have no sponsor", "have no version", "could not be read", "fit no rule",
                  "1 records were rejected"):  # fmt: skip
        assert words in said, words
    stale = row_of(engine, dt.datetime(2026, 6, 30, tzinfo=dt.UTC))
    assert stale["freshness"] in ("stale", "quiet")
    json.dumps(row, default=str)


def test_an_unknown_session_is_named(engine: Engine) -> None:
    ingest(engine, [analysts.bill("tx", "99Z", "HB 1", "An act")], Run("file"), now=analysts.NOW)
    assert "the session is not in the list of sessions" in row_of(engine)["problems"]
