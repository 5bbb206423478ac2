"""The search language: what each form means, and one sentence for what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.query import And, Identifier, Not, Or, Phrase, Prefix, QueryError, Word, leaves, parse
from tracker.words import words


def test_words_are_all_wanted() -> None:
    assert parse("Tax credits") == And((Word("tax"), Word("credit")))


def test_or_binds_less_than_and() -> None:
    assert parse("ash birch OR cedar") == Or((And((Word("ash"), Word("birch"))), Word("cedar")))
    assert parse("(birch | cedar) -dogwood") == And((Or((Word("birch"), Word("cedar"))), Not(Word("dogwood"))))
    assert parse("birch NOT (cedar OR dogwood)") == And((Word("birch"), Not(Or((Word("cedar"), Word("dogwood"))))))


def test_phrases_prefixes_and_joined_words() -> None:
    assert parse("“career and technical education”") == Phrase(("career", "technical", "education"))
    assert parse("work-based") == Phrase(("work", "based"))
    assert parse("policies*") == Prefix("policies", ("policy",))
    assert parse("apprentic*") == Prefix("apprentic")


@pytest.mark.parametrize(
    "spelling", ["HB 12", "hb12", "H.B. 12", "h. b. 0012", "HB-12", "HB 0012", '"HB 12"', "Hb. 12", "HB 12."]
)
def test_a_number_in_any_spelling_is_the_bill(spelling: str) -> None:
    tree = parse(spelling)
    assert isinstance(tree, Identifier)
    assert tree.identifier == "HB 12"


def test_numbers_with_a_year_and_whole_keys() -> None:
    year = parse("hb26-1001")
    assert isinstance(year, Identifier) and year.identifier == "HB 26-1001"
    key = parse("tx/89R/hb12")
    assert isinstance(key, Identifier) and (key.identifier, key.place) == ("HB 12", ("tx", "89R"))


@pytest.mark.parametrize(
    "text",
    [
        '"open',
        "(open",
        "close)",
        "OR xy",
        "xy OR",
        "NOT",
        "xy AND",
        "()",
        "of the",
        '""',
        "x*",
        "a*b",
        "*",
        "(" * 25 + "xy" + ")" * 25,
        "word " * 45,
        "y" * 1001,
        '"a phrase"*',
    ],
)
def test_what_cannot_be_read_is_one_sentence(text: str) -> None:
    with pytest.raises(QueryError) as error:
        parse(text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 120


def test_empty_is_no_question() -> None:
    assert parse("  ") is None


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab1 \"()-*|ORNTAD/.é’\x00%_'\\;", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except QueryError:
        return
    for leaf, _ in leaves(tree) if tree else ():
        forms = getattr(leaf, "forms", None) or [getattr(leaf, "form", getattr(leaf, "start", "x"))]
        assert all(form.isascii() and form.isalnum() for form in forms)


def test_words_fold_case_accents_apostrophes_and_plurals() -> None:
    assert words("The Governor’s POLICIES: José’s taxes, classes & status") == [
        "governor",
        "policy",
        "jose",
        "tax",
        "class",
        "status",
    ]
    assert words("Hawaiʻi O'Brien teachers' U.S.") == ["hawaii", "obrien", "teacher", "u", "s"]
    assert words("教育 法") == [f"{ord('教'):x}{ord('育'):x}", f"{ord('法'):x}"]
