"""How pages cut and name things: nothing of a text is lost, nothing invisible is left."""

from __future__ import annotations

import datetime as dt
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tracker.cleaning import clean, shorten, visible
from tracker.overview import Month
from tracker.web import drawing
from tracker.web.presentation import (
    address,
    cut,
    joined,
    law_pieces,
    news,
    percent,
    pieces,
    spread_address,
    stage_label,
    strategy_name,
    way,
)

_spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda s: (min(s), max(s))), max_size=6)


def test_visible_leaves_no_character_that_hides_or_turns() -> None:
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in "\n\t\r":
            assert visible(f"a{character}b") == "ab", hex(number)
    assert visible("a\r\nb\rc\td") == "a\nb\nc\td"


@given(st.text(max_size=80))
def test_clean_reads_the_same_whichever_way_it_takes(text: str) -> None:
    # A letter outside ASCII sends it the long way.
    assert clean(text + " é").removesuffix("é").rstrip() == clean(text)
    assert visible(clean(text)) == clean(text) and len(shorten(text, 20)) <= 20


@settings(max_examples=200)
@given(text=st.text("ab <\n&", max_size=60), spans=_spans)
def test_pieces_together_are_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    found = pieces(text, spans)
    assert "".join(piece.text for piece in found) == text
    inside = {at for start, end in spans for at in range(start, min(end, len(text)))}
    assert sum(len(p.text) for p in found if p.kind == "mark") == len(inside)


@settings(max_examples=200)
@given(
    text=st.text("abc \n", max_size=60),
    marks=_spans,
    added=_spans,
    struck=st.lists(st.tuples(st.integers(0, 80), st.text("xyz", min_size=1, max_size=4)), max_size=4),
)
def test_a_law_keeps_every_word_and_mark(
    text: str, marks: list[tuple[int, int]], added: list[tuple[int, int]], struck: list[tuple[int, str]]
) -> None:
    found = list(law_pieces(text, marks, added, struck))
    assert "".join(p.text for p in found if p.kind != "del") == text
    assert sorted(p.text for p in found if p.kind == "del") == sorted(words for _, words in struck)
    marked = {at for start, end in marks for at in range(start, min(end, len(text)))}
    new = {at for start, end in added for at in range(start, min(end, len(text)))} - marked
    assert sum(len(p.text) for p in found if p.kind == "mark") == len(marked)
    assert sum(len(p.text) for p in found if p.kind == "ins") == len(new)
    numbers = [p.number for p in found if p.kind == "mark"]
    assert numbers == sorted(numbers) and all(1 <= n <= len(joined(marks)) for n in numbers)


def test_cut_keeps_the_marks() -> None:
    assert cut([("a ", False), ("tax credit", True), (" of more", False)], 8) == [("a ", False), ("tax c…", True)]
    assert cut([("short", True)], 8) == [("short", True)]


def test_a_passage_is_asked_for_by_some_of_its_runs() -> None:
    forms = [f"w{n}" for n in range(100)]
    link = spread_address(forms)
    assert link.count("OR") == 5 and len(link) < 1_000 and "w0+w1+w2+w3+w4+w5+w6" in link
    assert spread_address(["tax", "credit"]) == "/spread?q=%22tax+credit%22"
    assert address("/search", [("q", ""), ("state", "tx"), ("state", "oh")]) == "/search?state=tx&state=oh"


@pytest.mark.parametrize(
    ("stage", "classes", "places"),
    [
        ("introduced", [], ["here", "", "", "", "", ""]),
        ("became_law", [], ["done", "done", "done", "done", "done", "here"]),
        ("failed", ["referral-committee"], ["done", "done", "here bad"]),
        ("vetoed", ["passage", "executive-veto"], ["done", "done", "done", "done", "done", "here bad"]),
        ("carried_over", [], ["done", "here"]),
    ],
)
def test_the_way_ends_where_the_bill_did(stage: str, classes: list[str], places: list[str]) -> None:
    bill = {"stage": stage, "jurisdiction": "tx", "actions": [{"classification": classes}]}
    assert [step.place for step in way(bill)] == places


def test_names() -> None:
    assert stage_label("sent_to_executive", "us") == "Sent to the President"
    assert strategy_name("tax_credits") == "Tax credits" and strategy_name("gone_one") == "Gone one"
    assert percent(0.999) == "99\u202f%"
    event = {"kind": "stage", "before": {"stage": "introduced"}, "after": {"stage": "became_law"}}
    assert news(event) == "Introduced → Became law"
    assert news({"kind": "subject", "before": ["A"], "after": ["B"]}) == "+ B, − A"


def test_pictures_are_xml_with_their_words() -> None:
    months = [Month(dt.date(2026, m, 1), m, m // 2) for m in range(1, 13)]
    for picture in (
        drawing.month_bars(months, "Bills & laws"),
        drawing.month_bars([], "none"),
        drawing.steps([dt.date(2026, 1, 1), dt.date(2026, 5, 2)], 'a "title"'),
        drawing.tile_map({"tx": 3}, lambda code: f"/search?q=a&state={code}"),
    ):
        root = etree.fromstring(picture)
        assert root.xpath("string(./*[local-name()='title'])") and "style=" not in picture
    assert drawing.steps([], "nothing") == ""
    bars = etree.fromstring(drawing.month_bars(months, "x"))
    heights = [float(r.get("height")) for r in bars.xpath("//*[local-name()='rect'][@class='bar']")]
    assert heights == sorted(heights) and len(heights) == 12
