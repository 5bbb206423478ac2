"""What we know, what we knew on a day, and the feed: the log and the rows tell one story on both databases."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.tracker import analysts
from tracker import notes
from tracker.db import reading, writing
from tracker.history import WITHOUT_HISTORY, NoBill, end_of, read_bill, read_changes, tag_history

DAYS = [analysts.NOW + dt.timedelta(days=n) for n in range(5)]
# What moves with the clock of the question, not with the bill.
_CLOCK = {"as_of", "without_history", "last_seen"}


def show(engine: Engine, key: str = "tx/89R/HB 12", as_of: dt.datetime | None = None) -> dict[str, Any]:
    with reading(engine) as connection:
        return read_bill(connection, key, as_of)


def story(engine: Engine) -> list[dict[str, Any]]:
    """Four days in the life of a bill; returns what was shown on each of them."""
    shown = []
    bill = copy.deepcopy(analysts.BILLS[0])
    analysts.load(engine, now=DAYS[0])
    analysts.tag(engine, DAYS[0])
    shown.append(show(engine))
    bill["title"] = "Relating to a franchise deduction."
    bill["actions"].append({"date": "2026-02-11", "description": "Passed the House", "chamber": "lower"})
    bill["hearings"][0].update(date="2026-02-25", time="14:00")
    analysts.load(engine, [bill], DAYS[1])
    analysts.tag(engine, DAYS[1])
    shown.append(show(engine))
    bill["sponsorships"].pop()
    bill["abstracts"] = []
    bill["subject"] = ["Taxation"]
    bill["versions"].append({"note": "Enrolled", "date": "2026-02-12", "links": []})
    bill["hearings"][0]["status"] = "cancelled"
    analysts.load(engine, [bill], DAYS[2])
    analysts.add_text(engine, "HB 12", "The text of the law.", DAYS[2], "Enrolled")
    shown.append(show(engine))
    bill["actions"].pop()
    bill["actions"].append({"date": "2026-02-13", "description": "Signed by the Governor", "chamber": "executive"})
    bill["title"] = "Relating to a tax credit again."
    analysts.load(engine, [bill], DAYS[3])
    analysts.tag(engine, DAYS[3])
    shown.append(show(engine))
    return shown


def test_as_of_shows_what_was_shown_on_that_day(engine: Engine) -> None:
    shown = story(engine)
    assert len({day["stage"] for day in shown}) >= 2 and len({day["title"] for day in shown}) == 3
    for day, then in zip(DAYS, shown, strict=False):
        asked = show(engine, as_of=day + dt.timedelta(hours=1))
        assert asked["without_history"] == list(WITHOUT_HISTORY)
        for name in then.keys() - _CLOCK - {"stage_date"}:
            assert asked[name] == then[name], (day, name)


def test_a_day_means_its_end(engine: Engine) -> None:
    story(engine)
    assert show(engine, as_of=end_of(dt.date(2026, 2, 10)))["title"].startswith("Relating to a franchise tax credit")
    with pytest.raises(NoBill, match="first seen 2026-02-10"):
        show(engine, as_of=end_of(dt.date(2026, 2, 9)))


def test_any_spelling_of_a_key_and_the_public_id(sqlite: Engine) -> None:
    analysts.load(sqlite)
    bill = show(sqlite, "TX/89R/h.b. 0012")
    assert bill["key"] == "tx/89R/HB 12"
    assert show(sqlite, bill["ocd_id"])["id"] == bill["id"]
    for wrong in ("tx/89R/HB 999", "tx/HB 12", "", "//", "ocd-bill/none"):
        with pytest.raises(NoBill) as error:
            show(sqlite, wrong)
        assert "\n" not in str(error.value)


def test_tags_keep_their_history(engine: Engine) -> None:
    story(engine)
    bill = show(engine)
    with reading(engine) as connection:
        history = [t for t in tag_history(connection, bill["id"]) if t["strategy"] == "tax_credits"]
    assert [(t["from"], t["until"]) for t in history] == [(DAYS[0], DAYS[1]), (DAYS[3], None)]
    (tag,) = [t for t in bill["tags"] if t["applied"] and t["strategy"] == "tax_credits"]
    evidence = tag["evidence"][0]
    assert bill["title"][evidence["start"] : evidence["end"]] == evidence["quote"]


def test_changes_come_once_in_order(engine: Engine) -> None:
    story(engine)
    with reading(engine) as connection:
        all_of_them = read_changes(connection, limit=1000)
        seqs = [row["seq"] for row in all_of_them]
        assert seqs == sorted(set(seqs))
        assert read_changes(connection, after=seqs[-1]) == []
        pages: list[int] = []
        while rows := read_changes(connection, after=pages[-1] if pages else 0, limit=3):
            pages += [row["seq"] for row in rows]
        assert pages == seqs
        assert {r["jurisdiction"] for r in read_changes(connection, codes=["oh"])} == {"oh"}
        assert {r["kind"] for r in read_changes(connection, kinds=["stage"])} == {"stage"}


def test_notes_and_lists_survive_a_crawl_and_have_history(engine: Engine) -> None:
    story(engine)
    key = "tx/89R/HB 12"
    with writing(engine) as connection:
        number = notes.add_note(
            connection, key, author="Ana", note="Talk to the sponsor", stance="support", now=DAYS[3]
        )
        assert notes.watch(connection, key, "CTE 2026", by="Ana", now=DAYS[3])
        assert not notes.watch(connection, key, "CTE 2026", by="Ben", now=DAYS[3])
    analysts.load(engine, [dict(analysts.BILLS[0], title="Another title")], DAYS[4])
    bill = show(engine)
    assert [(n["author"], n["note"], n["stance"]) for n in bill["notes"]] == [("Ana", "Talk to the sponsor", "support")]
    assert bill["watch_lists"] == ["CTE 2026"]
    with writing(engine) as connection:
        assert notes.remove_note(connection, number, now=DAYS[4])
        assert not notes.remove_note(connection, number, now=DAYS[4])
        assert notes.unwatch(connection, key, "CTE 2026", now=DAYS[4])
    assert show(engine)["notes"] == [] and show(engine)["watch_lists"] == []
    assert len(show(engine, as_of=DAYS[3])["notes"]) == 1


def test_notes_that_cannot_be_kept(sqlite: Engine) -> None:
    analysts.load(sqlite)
    with writing(sqlite) as connection:
        for more in (
            {"note": " "},
            {"note": "x", "stance": "maybe"},
            {"note": "x" * 30_000},
            {"note": "x", "author": ""},
        ):
            with pytest.raises(notes.NoteError):
                notes.add_note(
                    connection,
                    "tx/89R/HB 12",
                    **{"author": "Ana", "now": DAYS[0], **more},  # type: ignore[arg-type]
                )
        with pytest.raises(NoBill):
            notes.watch(connection, "tx/89R/HB 77", "list", by="Ana", now=DAYS[0])
