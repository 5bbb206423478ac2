"""The changed words: only what changed, evidence first, bounded, and harmless."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from alerts.amendments import LINES, ROOM, as_html, as_text, excerpt

OLD = (
    "Section 1. An employer may claim a grant for each apprentice.\n\n"
    "Section 2. The department shall report each year.\n\n"
    "Section 3. This act takes effect on July 1."
)
NEW = OLD.replace("a grant", "an income tax credit").replace("each year", "every two years")


_BASE = "The fee for every course of the program in every school of the district is"


def test_only_changed_passages_are_shown() -> None:
    found = excerpt(OLD, NEW)
    assert [as_text(line) for line in found.lines] == [
        "Section 1. An employer may claim [-a grant-] {+an income tax credit+} for each apprentice.",
        "Section 2. The department shall report [-each year-] {+every two years+}.",
    ]
    assert found.left_out == 0


def test_white_space_alone_is_no_change() -> None:
    assert excerpt(OLD, OLD.replace(" may ", "  may\t")).lines == ()
    assert excerpt(OLD, OLD).lines == ()


def test_evidence_comes_before_other_changes() -> None:
    at = NEW.index("every two years")
    found = excerpt(OLD, NEW, gained=[(at, at + 15)], lines=1)
    assert "two years" in as_text(found.lines[0]) and found.left_out == 1
    at = OLD.index("a grant")
    assert "[-a grant-]" in as_text(excerpt(OLD, NEW, lost=[(at, at + 7)], lines=1).lines[0])


def test_many_changes_are_cut_and_counted() -> None:
    old = "\n\n".join(f"Section {i}. The fee is {i} dollars for every year." for i in range(40))
    found = excerpt(old, old.replace("dollars", "cents"))
    assert (len(found.lines), found.left_out) == (LINES, 40 - LINES)


def test_long_paragraphs_keep_the_words_around_the_change() -> None:
    old = " ".join(f"before{i}" for i in range(300)) + " shall " + " ".join(f"after{i}" for i in range(300))
    (line,) = excerpt(old, old.replace("shall", "may")).lines
    assert "[-shall-] {+may+}" in as_text(line) and len(as_text(line)) < ROOM + 10


def test_html_has_the_same_words_and_no_markup_of_the_bill() -> None:
    (line,) = excerpt(_BASE + " low.", _BASE + " <script>alert(1)</script>.").lines
    found = html.fromstring(f"<p>{as_html(line)}</p>")
    assert {e.tag for e in found.iter()} == {"p", "del", "ins"}
    assert "<script>alert(1)</script>" in found.text_content()


_HOSTILE = st.text(
    st.one_of(st.sampled_from("<>&\"'\r\n\u202e\u200b\u2066\x00\x1b{}%"), st.characters(exclude_categories=["Cs"])),
    max_size=200,
)


@pytest.mark.parametrize("mode", ["inserted", "deleted", "changed"])
@settings(max_examples=150, deadline=None)
@given(words=_HOSTILE)
def test_hostile_words_never_break_a_line(mode: str, words: str) -> None:
    base = "The board shall adopt rules for the program each year"
    old, new = (base, f"{base} {words}") if mode == "inserted" else (f"{base} {words}", base)
    if mode == "changed":
        old, new = f"{base} soon", f"{base} {words}"
    for line in excerpt(old, new).lines:
        plain = as_text(line)
        assert not any(unicodedata.category(c).startswith("C") for c in plain)
        assert sum(len(c.text) for c in line) <= ROOM
        tags = {e.tag for e in html.fromstring(f"<p>{as_html(line)}</p>").iter()}
        assert tags <= {"p", "del", "ins"}
