"""What a digest says: amended words, companions, wishes, hearings, dates, coverage, and numbers that add up."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from alerts import ahead
from alerts.compose import subject
from alerts.outbox import Draft, draft
from alerts.subscriptions import Reader, find
from alerts.wishes import SubscriptionError
from tests.alerts.data import FILED, NOW, PASSED, REPORTED, SIGNED, bill, load, reader, settings, version
from tracker import jurisdictions
from tracker.db import reading, writing
from tracker.ingest import Run, ingest

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
OLD = (
    "Section 1. An employer may claim a grant for each apprentice.\n\nSection 2. The department shall report each year."
    "\n\nSection 3. Nothing else changes here."
)
NEW = OLD.replace("a grant", "an income tax credit").replace("each year", "every two years")
FIRST, SECOND = version("Introduced", "2025-02-27", "1"), version("Engrossed", "2025-03-07", "2")


def told(engine: Engine, who: Reader) -> None:
    """As if a digest had told this reader of all there is."""
    with writing(engine) as connection:
        newest = connection.execute(text("SELECT max(seq) FROM bill_event")).scalar_one()
        connection.execute(text("UPDATE subscriber SET last_seq = :s WHERE id = :i"), {"s": newest, "i": who.id})


def made(engine: Engine, tmp_path: Path, email: str = "ann@example.org", now: dt.datetime = NOW) -> Draft:
    return draft(engine, settings(tmp_path), find(engine, email), now=now)


def cards(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {b["identifier"]: b for s in content["sections"] for g in s["groups"] for b in g["bills"]}


def section_of(content: dict[str, Any], identifier: str) -> str:
    return next(
        s["key"] for s in content["sections"] for g in s["groups"] for b in g["bills"] if b["identifier"] == identifier
    )


# ---------------------------------------------------------------- amended


def test_an_amendment_shows_the_words_that_brought_and_took_a_strategy(engine: Engine, tmp_path: Path) -> None:
    plain = bill("HB 1", title="A bill relating to apprentices", versions=[FIRST])
    load(engine, [plain], texts={("HB 1", "Introduced"): OLD})
    told(engine, reader(engine, states=["tx"]))
    later = NOW + WEEK
    load(engine, [{**plain, "versions": [FIRST, SECOND]}], later, texts={("HB 1", "Engrossed"): NEW})
    digest = made(engine, tmp_path, now=later)
    card = cards(digest.content)["HB 1"]
    assert section_of(digest.content, "HB 1") == "amended"
    assert card["diff"]["between"] == "Introduced → Engrossed"
    assert len(card["diff"]["lines"]) == 2
    assert "may claim [-a grant-] {+an income tax credit+} for each" in digest.parts.text
    assert re.search(r"<del[^>]*>a grant</del> <ins[^>]*>an income tax credit</ins>", digest.parts.html)
    assert "Nothing else changes" not in digest.parts.text
    assert card["turns"] == [
        "Gained: Tax credits.",
        "We withdraw the tag Incentives: the bill changed and no longer shows it.",
    ]
    assert card["quote"] == "tax credit" and card["quote_from"] == "text, Engrossed"
    assert card["text"].endswith("/text/2")
    assert subject(digest.content).endswith("1 moved")


def test_the_first_text_of_a_bill_is_no_amendment(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1", versions=[FIRST])])
    told(sqlite, reader(sqlite))
    load(sqlite, [], NOW + DAY, texts={("HB 1", "Introduced"): NEW})
    assert "amended" not in {s["key"] for s in made(sqlite, tmp_path, now=NOW + DAY).content["sections"]}


def test_a_quote_that_no_longer_stands_is_not_shown(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1", versions=[FIRST])], texts={("HB 1", "Introduced"): NEW})
    reader(sqlite)
    assert cards(made(sqlite, tmp_path).content)["HB 1"]["quote"] == "tax credit"
    with writing(sqlite) as connection:
        connection.execute(text("UPDATE tag_evidence SET start_offset = start_offset + 3"))
    assert cards(made(sqlite, tmp_path).content)["HB 1"]["quote"] == ""


# ---------------------------------------------------------------- one card a bill


def test_three_tags_are_one_card_with_three_badges(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1", title="A tax credit, a grant and a waiver")])
    reader(sqlite, strategies=["flexibility", "tax_credits", "incentives"])
    digest = made(sqlite, tmp_path)
    assert digest.content["bills"] == 1
    assert len(cards(digest.content)["HB 1"]["tags"]) == 3
    assert digest.parts.html.count("<h4") == 1


def test_companions_share_a_card_wherever_each_belongs(engine: Engine, tmp_path: Path) -> None:
    pair = {"identifier": "SB 5", "legislative_session": "89R", "relation_type": "companion"}
    load(engine, [bill("HB 1", related_bills=[pair]), bill("SB 5"), bill("HB 2")])
    told(engine, reader(engine))
    load(
        engine,
        [bill("HB 1", related_bills=[pair], actions=[FILED, REPORTED]), bill("SB 5", actions=[FILED, PASSED])],
        NOW + WEEK,
    )
    digest = made(engine, tmp_path, now=NOW + WEEK)
    card = cards(digest.content)["SB 5"]
    assert [other["identifier"] for other in card["also"]] == ["HB 1"]
    assert digest.content["counts"] == {"passed": 2} and digest.content["map"] == {"tx": 2}
    assert set(digest.parts.shown) == {"tx/89R/SB 5", "tx/89R/HB 1"}
    assert "Together with its companion HB 1" in digest.parts.text


# ---------------------------------------------------------------- wishes


def test_the_same_bills_stand_in_each_readers_own_order(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1"), bill("HB 2", title="A grant"), bill("SB 9", state="oh")])
    reader(sqlite, "a@example.org", strategies=["tax_credits", "incentives"])
    reader(sqlite, "b@example.org", strategies=["incentives", "tax_credits"])

    def order(email: str) -> list[tuple[str, list[str]]]:
        groups = made(sqlite, tmp_path, email).content["sections"][0]["groups"]
        return [(g["strategy"], [f"{b['state']} {b['identifier']}" for b in g["bills"]]) for g in groups]

    assert order("a@example.org") == [("Tax credits", ["OH SB 9", "TX HB 1"]), ("Incentives", ["TX HB 2"])]
    assert order("b@example.org") == [("Incentives", ["TX HB 2"]), ("Tax credits", ["OH SB 9", "TX HB 1"])]


def test_searches_bills_and_sponsors_are_followed(engine: Engine, tmp_path: Path) -> None:
    ruiz = [{"name": "Senator Ruiz", "classification": "primary", "primary": True, "entity_type": "person"}]
    load(
        engine,
        [
            bill("HB 1", title="On the licensing of barbers"),
            bill("HB 2", title="On fishing", sponsorships=ruiz),
            bill("HB 3", title="On roads"),
            bill("HB 4", title="On the licensing of boats", state="oh"),
            bill("HB 5", title="On bridges"),
        ],
    )
    reader(
        engine,
        states=["tx"],
        strategies=["flexibility"],
        searches=[{"name": "licences", "text": "licens*"}, {"text": "boats", "states": ["oh"]}],
        bills=["tx/89R/hb 3"],
        sponsors=["Ruiz"],
    )
    found = cards(made(engine, tmp_path).content)
    assert {name: card["why"] for name, card in found.items()} == {
        "HB 1": "search “licences”",
        "HB 2": "sponsor Ruiz",
        "HB 3": "a bill you follow",
        "HB 4": "search “boats”",
    }


def test_a_bill_amended_to_match_a_search_is_told(sqlite: Engine, tmp_path: Path) -> None:
    plain = bill("HB 1", title="On roads", versions=[FIRST])
    load(sqlite, [plain], texts={("HB 1", "Introduced"): "Roads are built."})
    told(sqlite, reader(sqlite, searches=[{"text": "welding"}]))
    later = NOW + WEEK
    welded = {("HB 1", "Engrossed"): "Roads are built.\n\nWelding is taught."}
    load(sqlite, [{**plain, "versions": [FIRST, SECOND]}], later, texts=welded)
    assert cards(made(sqlite, tmp_path, now=later).content)["HB 1"]["why"] == "search “welding”"


def test_a_reader_may_ask_for_more_confidence(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    reader(sqlite, min_score=0.95)
    digest = made(sqlite, tmp_path)
    assert digest.content["bills"] == 0 and "with at least 95% confidence" in digest.parts.text


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"searches": [{"text": '"open'}]}, "cannot be read"),
        ({"searches": [{"name": "x"}]}, "needs words or a filter"),
        ({"searches": [{"text": "x", "colour": "red"}]}, "no more"),
        ({"bills": ["nonsense"]}, "is not a KEY"),
        ({"hour": 24}, "hour 24 is not between"),
        ({"weekday": 7}, "weekday 7 is not between"),
        ({"timezone": "Moon/Base"}, "is not a time zone"),
        ({"cadence": "hourly"}, "is not one of"),
        ({"keywords": [f"k{n}" for n in range(51)]}, "at most 50"),
    ],
)
def test_wishes_that_cannot_be_are_refused_in_a_sentence(sqlite: Engine, wishes: dict[str, Any], says: str) -> None:
    with pytest.raises(SubscriptionError, match=re.escape(says)):
        reader(sqlite, **wishes)


# ---------------------------------------------------------------- what comes, and what was not seen


def test_hearings_of_the_coming_week_are_in_one_place_with_links(sqlite: Engine, tmp_path: Path) -> None:
    def hearing(day: str, **more: str) -> dict[str, str]:
        return {"date": day, "time": "23:30", "committee": "Education", "location": "Room 5", **more}

    page = {"url": "https://legislature.example/hearing/1"}
    load(
        sqlite,
        [
            bill("HB 1", state="oh", hearings=[hearing("2025-03-05", timezone="America/New_York", **page)]),
            bill("HB 2", hearings=[hearing("2025-03-11")]),
            bill("HB 3", hearings=[hearing("2025-03-05", status="cancelled")]),
            bill("HB 4", actions=[FILED, SIGNED], hearings=[hearing("2025-03-06")]),
        ],
    )
    reader(sqlite)
    digest = made(sqlite, tmp_path)
    assert digest.content["counts"] == {"law": 1, "new": 2, "hearings": 1}
    assert "Wed 5 Mar 2025, 23:30 EST, Education, Room 5 https://legislature.example/hearing/1" in digest.parts.text
    assert digest.content["agenda"] == [{"bill": "TX HB 4", "words": "Thu 6 Mar 2025, 23:30 CST, Education, Room 5"}]


def test_dates_ahead_name_crossover_adjournment_and_the_last_day_to_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    places = jurisdictions.load()
    session = (
        places["va"]
        .by_identifier["2025"]
        .model_copy(
            update={
                "crossover": dt.date(2025, 3, 4),
                "end": dt.date(2025, 3, 10),
                "executive_until": dt.date(2025, 3, 17),
            }
        )
    )
    changed = jurisdictions.Jurisdictions(
        {**places, "va": places["va"].model_copy(update={"sessions": (session,)})}, places.mirrors
    )
    monkeypatch.setattr(jurisdictions, "load", lambda: changed)
    found = ahead.dates(["va", "tx"], {("va", "2025"): 3}, NOW)
    assert [(d["date"], d["words"].partition(",")[0], d["bills"]) for d in found] == [
        ("Tue 4 Mar 2025", "crossover: bills must have passed their first chamber", 0),
        ("Mon 10 Mar 2025", "last day of sitting", 0),
        ("Mon 17 Mar 2025", "last day for the Governor to sign or veto", 3),
    ]
    assert ahead.dates(["va"], {}, NOW + 3 * WEEK) == []


def test_bills_that_wait_for_the_governor_are_counted(sqlite: Engine, tmp_path: Path) -> None:
    sent = ("2025-03-20", "Sent to the Governor", ["executive-receipt"])
    record = bill("HB 1", state="va", actions=[("2025-03-01", "Filed", ["filing"]), sent])
    near = dt.datetime(2025, 4, 25, 15, tzinfo=dt.UTC)
    load(sqlite, [{**record, "legislative_session": "2025"}], near)
    reader(sqlite, states=["va"])
    digest = made(sqlite, tmp_path, now=near)
    assert "last day for the Governor to sign or veto, 2025 Regular Session; 1 of your bills wait" in digest.parts.text


def test_a_failing_state_is_named_with_its_last_good_day(sqlite: Engine, tmp_path: Path) -> None:
    from tracker import runs

    load(sqlite, [bill("HB 1")])
    reader(sqlite, states=["tx"])
    with writing(sqlite) as connection:
        runs.hold(connection, "tx", Run("test"), "a block page instead of bills", NOW + DAY, "failed")
    digest = made(sqlite, tmp_path, now=NOW + DAY)
    assert "TX: our last attempts failed: news may be missing" in digest.parts.text
    assert "a block page instead of bills" in digest.parts.html
    assert "Last good check: 3 Mar 2025" in digest.parts.text


def test_an_empty_week_says_what_was_checked_or_stays_silent(sqlite: Engine, tmp_path: Path) -> None:
    from alerts.sending import send

    load(sqlite, [bill("HB 1", title="On roads"), bill("HB 2", title="On bridges")])
    reader(sqlite, "a@example.org")
    reader(sqlite, "b@example.org", empty_weeks=False)
    report = send(sqlite, settings(tmp_path), now=NOW)
    assert [m["to"] for m in report.mails] == ["a@example.org"]
    digest = made(sqlite, tmp_path, "b@example.org")
    assert digest.subject == "CTE bills, week 10: nothing new"
    assert "We checked 2 changes to 2 bills" in digest.parts.text and "We checked 2 changes" in digest.parts.html


def test_dull_changes_are_dropped_and_counted(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1"), bill("HB 2")])
    told(sqlite, reader(sqlite))
    printed = ("2025-03-04", "Bill printed", [])
    load(sqlite, [bill("HB 1", actions=[FILED, printed]), bill("HB 2", subject=["Schools"])], NOW + DAY)
    digest = made(sqlite, tmp_path, now=NOW + DAY)
    assert digest.content["bills"] == 0 and digest.content["dull"] == {"bills": 2, "events": 2}
    assert "2 more bills changed only in small things (2 such as" in digest.parts.text


def test_a_new_classifiers_second_thoughts_are_corrections(sqlite: Engine, tmp_path: Path) -> None:
    from tests.alerts.data import WordTagger
    from tracker.tagging import tag_bills

    load(sqlite, [bill("HB 1"), bill("HB 2", title="A grant")])
    told(sqlite, reader(sqlite))
    other = WordTagger("words-0/none/2", tax_credits="nothing of the kind", incentives="grant")
    tag_bills(sqlite, other, now=NOW + DAY, everything=True)
    digest = made(sqlite, tmp_path, now=NOW + DAY)
    assert section_of(digest.content, "HB 1") == "corrections" and len(cards(digest.content)) == 1
    assert "Correction: we withdraw the tag Tax credits: on a new reading" in digest.parts.text


# ---------------------------------------------------------------- numbers


def test_every_number_equals_a_query_at_the_snapshot(engine: Engine, tmp_path: Path) -> None:
    first = [bill(f"HB {n}") for n in range(1, 30)] + [
        bill(f"SB {n}", state="oh", title="A grant") for n in range(1, 9)
    ]
    others = [bill(f"SR {n}", title="On roads") for n in range(1, 12)]
    load(engine, [*first, *others], NOW - 20 * DAY)
    told(engine, reader(engine, states=["tx"], strategies=["tax_credits"]))
    moves = [[FILED, SIGNED], [FILED, PASSED], [FILED, REPORTED]]
    load(engine, [bill(f"HB {n}", actions=moves[n % 3]) for n in range(1, 20)], NOW - DAY)
    load(engine, [bill(f"HB {n}", subject=["Schools"]) for n in range(20, 24)], NOW - DAY)
    load(engine, [bill(f"SR {n}", title="On roads", actions=[FILED, REPORTED]) for n in range(1, 5)], NOW - DAY)
    load(engine, [bill(f"HB {n}") for n in range(100, 103)], NOW)
    digest = made(engine, tmp_path)
    content = digest.content
    span = {"low": content["from_seq"], "high": content["to_seq"]}
    new = "FROM bill_event e JOIN bill b ON b.id = e.bill_id WHERE e.seq > :low AND e.seq <= :high"
    mine = (
        "b.jurisdiction = 'tx' AND EXISTS (SELECT 1 FROM tag t WHERE t.bill_id = b.id AND t.applied AND t.removed_at "
        "IS NULL AND t.strategy = 'tax_credits')"
    )

    def ask(query: str) -> int:
        with reading(engine) as connection:
            return int(connection.execute(text(query), span).scalar_one())

    assert content["checked"]["events"] == ask(f"SELECT count(*) {new} AND b.jurisdiction = 'tx'")
    assert content["checked"]["bills"] == ask(f"SELECT count(DISTINCT b.id) {new} AND b.jurisdiction = 'tx'")
    assert content["checked"]["unreadable"] == content["checked"]["bills"]
    told_of = ask(f"SELECT count(DISTINCT b.id) {new} AND {mine}")
    assert content["bills"] + content["dull"]["bills"] == told_of == 26
    assert (
        sum(content["counts"].values()) == content["bills"] == sum(content["map"].values()) == len(digest.parts.shown)
    )
    assert content["dull"]["events"] == ask(
        f"SELECT count(*) {new} AND {mine} AND b.id NOT IN (SELECT bill_id FROM bill_event WHERE seq > :low AND "
        "kind IN ('action', 'stage', 'new_bill'))"
    )
    stages = {"law": "= 'became_law'", "passed": "LIKE 'passed%'", "new": "= 'introduced'"}
    for name, stage in stages.items():
        moved = "e.kind IN ('action', 'stage', 'new_bill')"
        assert content["counts"][name] == ask(
            f"SELECT count(DISTINCT b.id) {new} AND {mine} AND {moved} AND b.stage {stage}"
        )
    shown = [int(n) for n in re.findall(r"\((\d+)\)</h2>", digest.parts.html)]
    assert shown == [content["counts"][s["key"]] for s in content["sections"]]
    assert f"changes {span['low'] + 1:,} to {span['high']:,}" in digest.parts.text


def test_the_subject_counts_in_sixty_characters_and_never_quotes_a_bill(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1", title="tax credit\r\nBcc: all@example.org")])
    reader(sqlite)
    assert made(sqlite, tmp_path).subject == "CTE bills, week 10: 1 new"
    many = {"law": 1234, "passed": 9999, "new": 12345, "hearings": 999, "corrections": 88}
    line = subject({"name": "CTE bills", "period": "week 47", "counts": many})
    assert line == "CTE bills, week 47: 1234 law or veto, 9999 moved, 12345 new"
    assert len(line) <= 60


def test_late_events_of_a_transaction_that_commits_last_are_not_lost(engine: Engine, tmp_path: Path) -> None:
    """What is loaded while a digest is being made is told by the next one, not skipped."""
    from alerts.outbox import draft_from
    from alerts.snapshot import take

    load(engine, [bill("HB 1")])
    someone = reader(engine)
    with take(engine, [someone], now=NOW) as snapshot:
        ingest(engine, [bill("HB 2")], Run("test"), now=NOW)
        first = draft_from(snapshot, settings(tmp_path), someone)
    load(engine, [], NOW)
    assert set(cards(first.content)) == {"HB 1"}
    with writing(engine) as connection:
        connection.execute(text("UPDATE subscriber SET last_seq = :s"), {"s": first.content["to_seq"]})
    assert set(cards(made(engine, tmp_path).content)) == {"HB 2"}
