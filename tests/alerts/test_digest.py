"""What a reader is told: the right bills, once, in the right place, in both parts of the mail."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from alerts.mail import build
from alerts.outbox import draft
from alerts.render import MAX_HTML, render
from alerts.sending import send
from alerts.subscriptions import find
from tests.alerts.data import FILED, NOW, PASSED, REPORTED, SIGNED, bill, load, reader, settings
from tracker.cleaning import clean, shorten, web_address

WEEK = dt.timedelta(days=7)


def sections(content: dict[str, Any]) -> dict[str, list[str]]:
    return {s["key"]: [b["identifier"] for g in s["groups"] for b in g["bills"]] for s in content["sections"]}


def test_a_week_of_news_lands_in_its_sections(engine: Engine, tmp_path: Path) -> None:
    names = ("HB 1", "HB 2", "HB 3", "HB 4", "HB 5", "HB 6")
    load(engine, [bill(n) for n in names])
    reader(engine, states=["tx"])
    assert send(engine, settings(tmp_path), now=NOW).mails[0]["bills"] == 6
    hearing = {"date": "2025-03-12", "time": "09:30", "timezone": "America/Chicago", "committee": "Education"}
    later = NOW + WEEK
    load(
        engine,
        [
            bill("HB 1", actions=[FILED, SIGNED]),
            bill("HB 2", actions=[FILED, PASSED]),
            bill("HB 3", actions=[FILED, REPORTED]),
            bill("HB 4", title="A bill about nothing of the kind"),
            bill("HB 5", hearings=[hearing]),
            bill("HB 6", subject=["Education"]),
            bill("HB 7"),
            bill("SB 9", state="oh"),
        ],
        now=later,
    )
    made = draft(engine, settings(tmp_path), find(engine, "ann@example.org"), now=later)
    found = sections(made.content)
    assert found == {
        "law": ["HB 1"],
        "passed": ["HB 2"],
        "committee": ["HB 3"],
        "new": ["HB 7"],
        "hearings": ["HB 5"],
        "corrections": ["HB 4"],
    }
    assert made.content["dull"]["bills"] == 1
    assert "Wed 12 Mar 2025, 09:30 CDT, Education" in made.parts.text
    assert "We withdraw the tag Tax credits" in made.parts.text
    assert "https://legislature.example/HB1" in made.parts.html
    assert "http://127.0.0.1:8000/bills/tx/89R/HB%201" in made.parts.html


def test_both_parts_list_the_same_bills_each_once(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill(f"HB {n}", title=f"A tax credit and a grant, number {n}") for n in range(1, 30)])
    parts = draft(sqlite, settings(tmp_path), reader(sqlite), now=NOW).parts
    in_html = re.findall(r"<h4[^>]*><a href=\"[^\"]*/bills/tx/89R/(HB%20\d+)\"", parts.html)
    in_text = re.findall(r"/bills/tx/89R/(HB%20\d+)$", parts.text, re.M)
    assert in_html == in_text == [f"HB%20{n}" for n in range(1, 30)]


def test_five_hundred_bills_stay_under_the_limit_and_the_rest_is_counted(sqlite: Engine, tmp_path: Path) -> None:
    long = "A bill relating to a tax credit " + "for the training of apprentices " * 12
    load(sqlite, [bill(f"HB {n}", title=f"{long} {n}") for n in range(500)])
    made = draft(sqlite, settings(tmp_path), reader(sqlite), now=NOW)
    assert len(made.parts.html.encode()) < MAX_HTML
    more = 500 - len(made.parts.shown)
    assert 0 < more < 480
    assert f"and {more} more" in made.parts.html and f"and {more} more" in made.parts.text


def test_states_strategies_and_keywords_choose(sqlite: Engine, tmp_path: Path) -> None:
    load(
        sqlite,
        [
            bill("HB 1"),
            bill("HB 2", title="A grant"),
            bill("HB 3", title="On welding schools"),
            bill("HB 4", state="oh"),
        ],
    )
    asked = reader(sqlite, states=["tx"], strategies=["tax_credits"], keywords=["welding"])
    made = draft(sqlite, settings(tmp_path), asked, now=NOW)
    assert sections(made.content)["new"] == ["HB 1", "HB 3"]
    assert "keyword “welding”" in made.parts.text
    assert [row["state"] for row in made.content["freshness"]] == ["TX"]


def test_a_state_never_crawled_is_named_so(sqlite: Engine, tmp_path: Path) -> None:
    made = draft(sqlite, settings(tmp_path), reader(sqlite, states=["va"]), now=NOW)
    assert "not checked yet: nothing here covers it" in made.parts.html
    assert "nothing new" in made.subject


def test_old_news_is_left_out_and_said_so(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")], now=NOW - dt.timedelta(days=20))
    made = draft(sqlite, settings(tmp_path), reader(sqlite), now=NOW)
    assert made.content["bills"] == 0
    assert "older than 14 days are left out" in made.parts.text


NASTY = st.text(
    st.one_of(st.characters(), st.sampled_from("\r\n\0\u202e\u2066\u200b\u200d\ufeff<>&\"'\u2028")),
    max_size=80,
)
HOSTILE = st.one_of(
    NASTY,
    st.sampled_from(["x\r\nBcc: all@example.org", "<script>alert(1)</script>", "\u202egnp.exe", "{{ 7*7 }}"]),
)


@given(HOSTILE)
def test_cleaned_text_is_one_visible_line(text: str) -> None:
    for made in (clean(text), shorten(text, 20)):
        assert not re.search(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u2028]", made)


@given(HOSTILE)
def test_only_web_addresses_become_links(text: str) -> None:
    for url in (
        text,
        f"javascript:{text}",
        f"data:{text}",
        f" javascript:{text}",
        f'https://a.example/"{text}',
    ):
        assert web_address(url) == "" or re.fullmatch(r"https?://[^\s\"'<>]+", web_address(url), re.I)


@given(HOSTILE, HOSTILE)
@hypothesis_settings(max_examples=60, deadline=None)
def test_hostile_words_change_neither_headers_nor_markup(title: str, action: str) -> None:
    card = {
        "key": "k", "state": "TX", "identifier": "HB 1", "title": clean(title), "stage": "Introduced",
        "tone": "", "action": clean(action), "action_date": "", "late": "", "tags": [], "quote": clean(title),
        "quote_from": "text", "hearings": [], "why": "new", "official": web_address(title), "page": "http://x/",
        "text": "", "also": [], "diff": {}, "turns": [], "happened": "new bill",
    }  # fmt: skip
    section = {"key": "new", "title": "New", "groups": [{"strategy": "S", "bills": [card]}]}
    content = {
        "name": "CTE bills", "period": "week 1", "date": "d", "moment": "m", "sections": [section],
        "counts": {"new": 1}, "bills": 1, "top": [], "map": {}, "agenda": [], "ahead": [],
        "dull": {"bills": 0, "events": 0}, "freshness": [], "unseen": [], "from_seq": 0, "to_seq": 1,
        "versions": {"playbook": "p", "classifier": "c"},
        "checked": {"events": 1, "bills": 1, "unreadable": 0, "states": [], "strategies": [], "keywords": [],
                    "searches": [], "sponsors": [], "followed": 0, "min_score": 0.0, "errors": [], "left_out": 0,
                    "days": 14, "first": False},
    }  # fmt: skip
    parts = render(content, subject=clean(title), public_url="http://x")
    assert "<script" not in parts.html
    assert parts.html.count("<h4") == 1 and parts.html.count("<a ") == 2 + bool(card["official"])
    mail = build(
        mail_from="D <d@example.org>", to="a@example.org", subject=title + "\r\nBcc: x@example.org",
        html=parts.html, text=parts.text, identifier="<1@x>", planned_at=NOW, unsubscribe="http://x/u",
    )  # fmt: skip
    head = mail.partition(b"\r\n\r\n")[0].lower()
    assert b"\nbcc:" not in head
    assert head.count(b"\nsubject:") == 1
