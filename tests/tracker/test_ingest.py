"""Loading: what is new or changed becomes rows and events, once, on both databases."""

from __future__ import annotations

import copy
import datetime as dt
import gzip
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tracker import record_files
from tracker.db import reading
from tracker.ingest import Report, Run, ingest
from tracker.known_bills import KnownBills, place_of
from tracker.new_bill import digest_of
from tracker.records import BillRecord

DAY1 = dt.datetime(2026, 1, 20, 12, tzinfo=dt.UTC)
DAY2 = DAY1 + dt.timedelta(days=1)
BILL: dict[str, Any] = {
    "jurisdiction": "va",
    "legislative_session": "2026",
    "identifier": "HB 1",
    "title": "Income tax; credit for employers of apprentices.",
    "chamber": "lower",
    "subject": ["Taxation"],
    "abstracts": [{"abstract": "Establishes a credit.", "note": "Introduced"}],
    "actions": [
        {"date": "2026-01-12", "description": "Prefiled and ordered printed", "chamber": "lower"},
        {"date": "2026-01-13", "description": "Referred to Committee on Finance", "chamber": "lower"},
    ],
    "sponsorships": [{"name": "Avery Sample", "classification": "chief patron"}],
    "versions": [{"note": "Introduced", "links": [{"url": "https://lis.virginia.gov/a", "media_type": "text/html"}]}],
    "hearings": [{"date": "2026-02-01", "committee": "Finance"}],
    "sources": [{"url": "https://lis.virginia.gov/bill"}],
}


def load(engine: Engine, *bills: Any, now: dt.datetime = DAY1, complete: bool = False) -> Report:
    return ingest(engine, list(bills), Run("test", complete=complete), now=now)


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BILL), **fields}


def events(engine: Engine, after: int = 1) -> list[tuple[str, Any, Any]]:
    with reading(engine) as connection:
        rows = connection.execute(
            text("SELECT kind, before, after FROM bill_event WHERE seq > :after ORDER BY seq"),
            {"after": after},
        ).all()
    return [(kind, _value(before), _value(new)) for kind, before, new in rows]


def _value(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def count(engine: Engine, table: str, where: str = "1 = 1") -> int:
    with reading(engine) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())


def test_a_new_bill_is_one_event_with_all_its_rows(engine: Engine) -> None:
    report = load(engine, BILL)
    assert (report.total("new"), report.total("events")) == (1, 1)
    assert events(engine, 0)[0][0] == "new_bill"
    assert [count(engine, t) for t in ("bill", "action", "sponsorship", "version_link", "hearing")] == [
        1,
        2,
        1,
        1,
        1,
    ]
    with reading(engine) as connection:
        row = connection.execute(text("SELECT * FROM v_bills")).one()
    assert (row.bill_key, row.latest_action) == ("va/2026/HB 1", "Referred to Committee on Finance")
    assert (row.stage, str(row.latest_action_date)) == ("in_committee", "2026-01-13")


def test_loading_twice_changes_nothing(engine: Engine) -> None:
    load(engine, BILL)
    again = load(engine, BILL, now=DAY2)
    assert (again.total("unchanged"), again.total("events")) == (1, 0)
    reworded = load(engine, json.dumps(BILL, indent=1), now=DAY2)
    assert (reworded.total("unchanged"), reworded.total("events")) == (1, 0)
    assert count(engine, "action") == 2


def test_every_change_is_an_event_of_its_own_kind(engine: Engine) -> None:
    load(engine, BILL)
    new = changed(
        title="Income tax; credit for employers of registered apprentices.",
        subject=["Taxation", "Education"],
        abstracts=[{"abstract": "Establishes a larger credit.", "note": "Introduced"}],
        sponsorships=[{"name": "Blake Sample", "classification": "chief patron"}],
        related_bills=[{"identifier": "sb0009", "relation_type": "companion"}],
        hearings=[{"date": "2026-02-03", "committee": "Finance", "status": "rescheduled"}],
    )
    new["actions"].append(
        {"date": "2026-01-20", "description": "Read third time and passed House (71-Y 27-N)", "chamber": "lower"}
    )
    new["versions"].append({"note": "Engrossed", "date": "2026-01-20", "links": []})
    report = load(engine, new, now=DAY2)
    kinds = [kind for kind, _, _ in events(engine)]
    assert kinds == [
        "title",
        "action",
        "stage",
        "sponsor_added",
        "sponsor_removed",
        "version",
        "abstract",
        "subject",
        "related_bill",
        "hearing_changed",
    ]
    assert report.total("events") == len(kinds)
    told = {kind: (before, after) for kind, before, after in events(engine)}
    assert told["stage"] == ({"stage": "in_committee"}, {"stage": "passed_one_chamber", "date": "2026-01-20"})
    assert told["related_bill"][1]["identifier"] == "SB 9"
    assert told["hearing_changed"][0]["date"] == "2026-02-01"
    assert count(engine, "sponsorship", "removed_at IS NULL") == 1
    assert count(engine, "bill_title") == 2
    assert load(engine, new, now=DAY2 + dt.timedelta(days=1)).total("events") == 0


def test_a_late_action_is_told_once_and_marked(engine: Engine) -> None:
    load(engine, BILL)
    new = changed()
    new["actions"].insert(0, {"date": "2026-01-02", "description": "Offered", "chamber": "lower"})
    load(engine, new, now=DAY2)
    ((kind, _, after),) = events(engine)
    assert (kind, after["late"]) == ("action", True)
    assert count(engine, "action", "late") == 1


def test_order_and_classes_are_no_news(engine: Engine) -> None:
    load(engine, BILL)
    new = changed()
    new["actions"].reverse()
    new["actions"][0]["description"] += "."
    assert load(engine, new, now=DAY2).total("events") == 0


def test_one_bad_record_costs_only_itself(engine: Engine) -> None:
    bad = [
        b"{",
        "null",
        changed(identifier="HB 2", title=""),
        changed(actions=[{"date": "x", "description": "y"}]),
    ]
    report = load(engine, *bad, changed(identifier="HB 3"))
    assert (report.total("new"), report.total("rejected")) == (1, 4)
    assert {e.field for e in report.rejected} == {"JSON", "record", "title", "actions.0.date"}
    assert count(engine, "crawl_issue", "kind = 'rejected'") == 4


def test_the_same_bill_twice_in_one_load_does_not_flip(engine: Engine) -> None:
    twin = changed(title="Another title for the same bill")
    first = load(engine, BILL, twin)
    assert (first.total("new"), first.total("duplicates")) == (1, 1)
    assert load(engine, BILL, twin, now=DAY2).total("events") == 0


def test_bills_vanish_after_three_complete_runs_and_may_return(engine: Engine) -> None:
    other = changed(identifier="HB 2")
    load(engine, BILL, other, complete=True)
    for _ in range(2):
        assert load(engine, BILL, complete=True).total("events") == 0
    load(engine, BILL, complete=True)
    assert events(engine, 2)[-1][0] == "vanished"
    load(engine, BILL, other, complete=True)
    assert events(engine, 3)[-1][0] == "returned"
    assert count(engine, "bill", "vanished_at IS NOT NULL") == 0


def test_bills_that_a_crawl_saw_unchanged_are_there(engine: Engine) -> None:
    load(engine, BILL, changed(identifier="HB 2"), changed(identifier="HB 3"))
    manifest = {"jurisdiction": "va", "present": ["2026/HB 2", "2026/HB 99", "2025/HB 3"]}
    run = Run("test", complete=True, manifest=manifest)
    for day in range(1, 4):
        report = ingest(engine, [BILL], run, now=DAY1 + dt.timedelta(days=day))
        assert (report.of("va").bills, report.of("va").unchanged) == (2, 2)
    assert count(engine, "bill", "vanished_at IS NOT NULL") == 1
    assert count(engine, "bill", "missing_runs = 0") == 2
    nothing = ingest(engine, [], Run("test", complete=True, manifest=manifest), now=DAY1 + dt.timedelta(days=5))
    assert nothing.total("events") == 0


def test_a_partial_run_makes_nothing_vanish(engine: Engine) -> None:
    load(engine, BILL, changed(identifier="HB 2"), complete=True)
    for _ in range(5):
        load(engine, BILL)
    assert count(engine, "bill", "missing_runs > 0") == 0


def test_hostile_text_is_kept_as_text(engine: Engine) -> None:
    title = "'; DROP TABLE bill; -- <script>alert(1)</script> \u202e %s {{x}} \x00"
    load(engine, changed(title=title, extras={"x": "\x00"}))
    with reading(engine) as connection:
        assert "DROP TABLE" in connection.execute(text("SELECT title FROM bill")).scalar_one()


def test_files_of_every_form_are_read(sqlite: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(changed(identifier="HB 1")) + "\n\n")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write(json.dumps(changed(identifier="HB 2")))
    scraped = {
        "jurisdiction": {"id": "ocd-jurisdiction/country:us/state:wy/government"},
        "legislative_session": "2026",
        "identifier": "HB0001",
        "title": "Made up",
        "from_organization": '~{"classification": "lower"}',
        "actions": [{"description": "Introduced", "date": "2026-02-10T03:00:00+00:00", "organization_id": None}],
    }
    (tmp_path / "bill_1.json").write_text(json.dumps(scraped, indent=2))
    report = ingest(sqlite, record_files.read(tmp_path), Run("file"), now=DAY1)
    assert {code: c.new for code, c in report.counts.items()} == {"va": 2, "wy": 1}
    with reading(sqlite) as connection:
        day = connection.execute(text("SELECT date FROM v_actions WHERE jurisdiction = 'wy'")).scalar_one()
    assert str(day) == "2026-02-09"


def test_a_damaged_file_says_so_and_keeps_what_came_before(sqlite: Engine, tmp_path: Path) -> None:
    whole = gzip.compress("".join(json.dumps(changed(identifier=f"HB {n}")) + "\n" for n in range(9000)).encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(record_files.FileError, match=r"cut\.jsonl\.gz is damaged"):
        ingest(sqlite, record_files.read(tmp_path / "cut.jsonl.gz"), Run("file"), now=DAY1)
    assert count(sqlite, "bill") > 0
    assert count(sqlite, "crawl_run", "status = 'failed'") == 1


def test_virginia_between_two_days(sqlite: Engine, shared: Path, tmp_path: Path) -> None:
    """The true number of changed bills, worked out from the CSVs without any of the loading code."""
    import csv
    import io
    import subprocess
    import sys

    from warcio.archiveiterator import ArchiveIterator

    def facts(day: str) -> dict[str, Any]:
        tables: dict[str, list[dict[str, str]]] = {}
        with (shared / f"recordings/va-2020-01-{day}.warc.gz").open("rb") as file:
            for reply in ArchiveIterator(file):
                name = reply.rec_headers.get_header("WARC-Target-URI").rsplit("/", 1)[-1]
                rows = csv.DictReader(io.StringIO(reply.content_stream().read().decode("cp1252")))
                tables[name] = [{k: (v or "").strip() for k, v in r.items() if isinstance(v, str)} for r in rows]

        def key(raw: str) -> str:
            letters = raw.strip().rstrip("0123456789")
            return f"{letters}{int(raw.strip()[len(letters) :])}"

        def words(raw: str) -> str:
            # Markup and line ends differ between the days without a word having changed.
            return "".join(html.unescape(re.sub(r"<[^>]*>", "", raw)).split())

        found: dict[str, Any] = {}
        for row in tables["BILLS.CSV"]:
            documents = [(row[f"Full_text_doc{n}"] != "", row[f"Full_text_date{n}"]) for n in range(1, 7)]
            found[key(row["Bill_id"])] = [
                " ".join(row["Bill_description"].split()),
                documents,
                [],
                [],
                [],
                [],
            ]
        for at, (name, column, fields) in enumerate(
            [
                ("HISTORY.CSV", "Bill_id", ("History_date", "History_description")),
                ("Sponsors.csv", "BILL_NUMBER", ("MEMBER_NAME", "PATRON_TYPE")),
                ("DOCKET.CSV", "Bill_no", ("Com_no", "Doc_date")),
                ("Summaries.csv", "SUM_BILNO", ("SUMMARY_TYPE", "SUMMARY_TEXT")),
            ],
            2,
        ):
            for row in tables[name]:
                bill = found.get(key(row[column]))
                if bill is not None:
                    bill[at].append(tuple(words(row[f]) for f in fields))
        # The history lags; what BILLS.CSV names as last action has happened all the same.
        for row in tables["BILLS.CSV"]:
            actions = found[key(row["Bill_id"])][2]
            for name, letter in (("house", "H"), ("senate", "S"), ("conference", ""), ("governor", "")):
                action = row[f"Last_{name}_action"], row[f"Last_{name}_action_date"]
                last = action[1], words(f"{letter}{action[0]}")
                if action[0] and last not in actions:
                    actions.append(last)
        for bill in found.values():
            for part in bill[2:]:
                part.sort()
        return found

    first, second = facts("23"), facts("24")
    new = set(second) - set(first)
    moved = {bill for bill in first if bill in second and first[bill] != second[bill]}
    for day in ("23", "24"):
        out = tmp_path / f"{day}.jsonl"
        recording = shared / f"recordings/va-2020-01-{day}.warc.gz"
        command = [sys.executable, "-m", "crawlers", "va", "--replay", str(recording), "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True)
    one = ingest(sqlite, record_files.read(tmp_path / "23.jsonl"), Run("lis"), now=DAY1)
    two = ingest(sqlite, record_files.read(tmp_path / "24.jsonl"), Run("lis"), now=DAY2)
    assert (one.total("new"), two.total("new"), count(sqlite, "bill")) == (len(first), len(new), 3126)
    with reading(sqlite) as connection:
        touched = {
            identifier.replace(" ", "")
            for (identifier,) in connection.execute(
                text(
                    "SELECT DISTINCT bill.identifier FROM bill_event JOIN bill ON bill.id = bill_event.bill_id "
                    "WHERE seq > :first"
                ),
                {"first": len(first)},
            )
        }
    # A past hearing that a docket drops is no news, nor a last action that gave way to one the history had;
    # those bills differ in the files and in nothing else.
    quiet = {
        bill
        for bill in moved
        if all(first[bill][part] == second[bill][part] for part in (0, 1, 3, 5))
        and all(set(second[bill][part]) <= set(first[bill][part]) for part in (2, 4))
    }
    assert touched == (new | moved) - quiet


def test_an_action_that_the_history_has_not_come_to_is_not_taken_back(engine: Engine) -> None:
    listed = {"date": "2026-01-14", "description": "Referred to Committee", "chamber": "lower"}
    passed = {"date": "2026-01-21", "description": "Passed House", "chamber": "lower"}
    sent = {"date": "2026-01-22", "description": "Referred to Senate Committee", "chamber": "upper"}
    lagging = {"extras": {"history_through": "2026-01-20"}}
    load(engine, changed(actions=[listed, passed], **lagging))
    load(engine, changed(actions=[listed, sent], **lagging), now=DAY2)
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT description FROM v_actions ORDER BY date")).scalars().all()
        stage = connection.execute(text("SELECT stage FROM v_bills")).scalar_one()
    assert rows == [listed["description"], passed["description"], sent["description"]]
    assert stage == "passed_one_chamber"
    # The history came to that day, and does not have it: now it is taken back.
    load(engine, changed(actions=[listed, sent]), now=DAY2 + dt.timedelta(days=1))
    assert count(engine, "action", "removed_at IS NULL") == 2


def test_a_load_reads_the_hashes_of_the_sessions_at_hand_only(engine: Engine) -> None:
    others = [changed(jurisdiction="md", legislative_session=year) for year in ("2024", "2025", "2026")]
    load(engine, BILL, changed(legislative_session="2025"), *others)
    known = KnownBills(engine)
    line = json.dumps(BILL)
    assert known.find(digest_of(BILL), BILL) is not None and len(known.hashes) == 1
    assert known.find(digest_of(line), line) is None, "the same bill in other bytes"
    assert len(known.hashes) == 1
    assert known.find(b"no such digest", changed(legislative_session="1901")) is None
    assert len(known.hashes) == 2, "a session that we do not know by this name: those of its jurisdiction"
    known.find(b"no such digest", b"[]")
    assert len(known.hashes) == 5, "a record that names no place: all"


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ('{"jurisdiction": "va", "legislative_session": "2026"}', ("va", "2026")),
        (b'{"title":"x","jurisdiction":"TX","legislative_session" : "89R"}', ("tx", "89R")),
        ('{"jurisdiction": {"id": "ocd-jurisdiction/country:us/state:oh/government"}}', ("oh", "")),
        ('{"jurisdiction": "ocd-jurisdiction/country:us/government", "session": "119"}', ("us", "119")),
        (BillRecord.model_validate(BILL), ("va", "2026")),
        ({"jurisdiction": {"id": 1}, "legislative_session": 2026}, ("", "")),
        (b"\xff\xfe", ("", "")),
    ],
)
def test_a_records_place_is_found_before_it_is_read(record: Any, place: tuple[str, str]) -> None:
    assert place_of(record) == place


def test_a_record_that_seems_to_be_of_another_session_is_loaded_right(engine: Engine) -> None:
    """Its related bill's session comes first in the text: it is compared like a new one."""
    related = [{"legislative_session": "2025", "identifier": "HB 9", "relation_type": "prior-session"}]
    first = json.dumps({"related_bills": related, **BILL})
    load(engine, changed(legislative_session="2025"), first)
    again = load(engine, first)
    assert (again.total("unchanged"), again.total("changed"), again.total("events")) == (1, 0, 0)
