"""Fresh, quiet, stale or failing: by real changes and good runs, never by bookkeeping."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import Engine

from tracker import runs, settings
from tracker.db import writing
from tracker.freshness import survey
from tracker.ingest import Run, ingest

# Virginia sits until 14 March 2026, and its governor signs until 22 May.
SITTING = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
SIGNING = dt.datetime(2026, 4, 10, 12, tzinfo=dt.UTC)
ADJOURNED = dt.datetime(2026, 7, 10, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def good(engine: Engine, now: dt.datetime, action: dt.date) -> None:
    bill: dict[str, Any] = {
        "jurisdiction": "va",
        "legislative_session": "2026",
        "identifier": "HB 1",
        "title": "A made-up bill",
        "actions": [{"date": action.isoformat(), "description": "Read first time"}],
    }
    ingest(engine, [bill], Run("lis", complete=True), now=now)


def virginia(engine: Engine, now: dt.datetime, **more: Any) -> dict[str, Any]:
    return next(row for row in survey(engine, now=now, **more) if row["code"] == "va")


@pytest.mark.parametrize(
    ("now", "days", "action", "state", "says"),
    [
        (SITTING, 0, SITTING.date(), "fresh", ""),
        (SITTING, 5, SITTING.date() - 5 * DAY, "stale", "last good run 5 days ago"),
        # Good runs that bring nothing new do not make old data fresh.
        (SITTING, 0, dt.date(2026, 1, 15), "stale", "the newest action is of 2026-01-15"),
        (SIGNING, 30, dt.date(2026, 3, 10), "quiet", "may still be signed"),
        (ADJOURNED, 60, dt.date(2026, 5, 10), "quiet", "not in session"),
    ],
)
def test_a_state_is_stale_by_its_real_data_and_quiet_when_adjourned(
    engine: Engine, now: dt.datetime, days: int, action: dt.date, state: str, says: str
) -> None:
    good(engine, now - days * DAY, action)
    found = virginia(engine, now)["freshness"]
    assert found["state"] == state and says in found["reason"]


def test_a_held_run_is_failing_and_leaves_the_last_good_data(engine: Engine) -> None:
    assert virginia(engine, SITTING)["freshness"]["state"] == "unseen"
    good(engine, SITTING - 2 * DAY, SITTING.date() - 2 * DAY)
    with writing(engine) as connection:
        runs.hold(connection, "va", Run("lis"), "40 % fewer bills", SITTING, "held")
    found = virginia(engine, SITTING)["freshness"]
    assert (found["state"], found["failures"], found["bills"]) == ("failing", 1, 1)
    assert "40 % fewer bills" in found["reason"]
    assert found["last_good_run"].startswith("2026-02-08"), "a run that was held back is no good run"


def test_the_admins_choice_comes_first(engine: Engine) -> None:
    assert virginia(engine, SITTING)["sources"][0]["name"] == "lis"
    chosen = virginia(engine, SITTING, prefer={"va": "govbot"})["sources"]
    assert chosen[0]["name"] == "govbot" and "hearings" not in chosen[0]["brings"]
    with pytest.raises(KeyError, match="no source 'nosuch'"):
        survey(engine, now=SITTING, prefer={"va": "nosuch"})


def test_a_table_in_the_environment_that_is_no_json_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLTRACKER_SOURCES", '{va="govbot"}')
    with pytest.raises(settings.SettingsError, match=r"^setting sources: .*JSON"):
        settings.load()
