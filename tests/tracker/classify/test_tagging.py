"""Bills in, tags with evidence out: sample bills, hostile input, size and sameness."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracker.classify import BillError, Classifier

SAMPLES = {
    "incentives": {
        "title": "An act establishing a grant program for youth apprenticeships in high schools",
        "text": "Section 1. The department shall award grants to school districts and employers that start "
        "registered youth apprenticeship programs for pupils in grades eleven and twelve. A grant may not exceed "
        "$40,000.",
    },
    "tax_credits": {
        "title": "An act allowing an income tax credit to employers of registered apprentices",
        "text": "Section 1. A taxpayer who employs an apprentice in a registered apprenticeship program is "
        "allowed a credit against the tax imposed by this chapter of $1,500 for "
        "each apprentice for each taxable year.",
    },
    "flexibility": {
        "title": "An act allowing career and technical education courses to satisfy mathematics "
        "graduation requirements",
        "text": "Section 1. Notwithstanding any other provision, a pupil may satisfy one mathematics credit "
        "required for graduation by completing an approved career and technical education course.",
    },
}
ROADS = {
    "title": "An act relating to bridge inspection",
    "text": "Section 1. The department of transportation shall inspect every bridge once a year.",
}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def field(bill: dict[str, Any], name: str) -> str:
    value = bill["abstracts"][int(name.removeprefix("abstract:"))] if name.startswith("abstract:") else bill[name]
    assert isinstance(value, str)
    return value


def check(bill: dict[str, Any], answer: dict[str, Any], classifier: Classifier) -> None:
    assert [t["strategy"] for t in answer["tags"]] == list(classifier.playbook.strategies)
    for tag in answer["tags"]:
        assert 0 <= tag["score"] <= 1
        assert bool(tag["evidence"]) == tag["value"]
        assert len(tag["evidence"]) <= 3
        if tag["value"]:
            assert answer["in_scope"]["value"]
        for quote in tag["evidence"]:
            source = field(bill, quote["field"])
            assert quote["quote"] == source[quote["start"] : quote["end"]] != ""
            assert len(quote["quote"]) <= 300


@pytest.mark.parametrize("strategy", SAMPLES)
def test_a_plain_bill_of_each_strategy(classifier: Classifier, strategy: str) -> None:
    bill = SAMPLES[strategy]
    answer = classifier.tag_one(bill)
    check(bill, answer, classifier)
    assert answer["in_scope"]["value"]
    assert strategy in [tag["strategy"] for tag in answer["tags"] if tag["value"]]
    assert answer["classifier"] == classifier.version


@pytest.mark.parametrize("strategy", SAMPLES)
def test_a_title_alone_is_enough(classifier: Classifier, strategy: str) -> None:
    bill = {"title": SAMPLES[strategy]["title"]}
    tags = {tag["strategy"]: tag for tag in classifier.tag_one(bill)["tags"]}
    assert tags[strategy]["value"]
    assert tags[strategy]["evidence"][0]["field"] == "title"


def test_a_bill_on_something_else_has_no_tags(classifier: Classifier) -> None:
    answer = classifier.tag_one(ROADS)
    assert not answer["in_scope"]["value"]
    assert not any(tag["value"] for tag in answer["tags"])


def test_mechanism_and_topic_in_different_sections_do_not_make_a_tax_credit(classifier: Classifier) -> None:
    bill = {
        "title": "An act relating to apprenticeship",
        "text": "Section 1. Registered apprenticeship programs shall report enrollment to the council. "
        + "The council keeps the reports of apprenticeship programs for ten years. " * 12
        + "Section 2. The tax credit for the restoration of historic theaters is repealed. " * 8,
    }
    tags = {tag["strategy"]: tag for tag in classifier.tag_one(bill)["tags"]}
    assert not tags["tax_credits"]["value"]


def test_offsets_count_code_points_of_the_string_as_given(classifier: Classifier) -> None:
    bill = {
        "title": "\U0001f393  İstanbul\u00a0\u2013  " + SAMPLES["tax_credits"]["title"],
        "abstracts": ["", "\ud800 " + SAMPLES["tax_credits"]["text"]],
        "text": "\u0000\u00adé́ " * 50 + SAMPLES["tax_credits"]["text"].replace(" ", " \n "),
    }
    answer = classifier.tag_one(bill)
    check(bill, answer, classifier)
    assert next(t for t in answer["tags"] if t["strategy"] == "tax_credits")["value"]
    json.dumps(answer)


words = st.one_of(
    st.text(max_size=60),
    st.sampled_from([v for s in SAMPLES.values() for v in s.values()]),
    st.sampled_from(["İ", "ß", "\u0301", "\ud83c", " \r\n\t\u2028", "new text begin", ". (1) ", "§", "12 ", "\x00"]),
)
hostile = st.lists(words, max_size=12).map("".join)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(title=hostile, abstracts=st.lists(hostile, max_size=3), text=hostile)
def test_quotes_are_always_the_field_at_their_offsets(
    classifier: Classifier, title: str, abstracts: list[str], text: str
) -> None:
    bill = {"title": title, "abstracts": abstracts, "text": text}
    check(bill, classifier.tag_one(bill), classifier)


@pytest.mark.parametrize("bill", [{}, {"title": None, "abstracts": None, "text": None}, {"title": ""}, {"text": " "}])
def test_nothing_given_gives_no_tags(classifier: Classifier, bill: dict[str, Any]) -> None:
    answer = classifier.tag_one(bill)
    assert answer["in_scope"] == {"score": 0.0, "value": False}
    assert not any(tag["value"] or tag["evidence"] for tag in answer["tags"])


@pytest.mark.parametrize(
    ("bill", "words"),
    [
        ({"title": 3}, "'title' must be a string, not a number"),
        ({"abstracts": "x"}, "'abstracts' must be a list of strings, not a string"),
        ({"abstracts": [{"abstract": 1}]}, "'abstracts' must hold strings only"),
        ({"subjects": {}}, "'subjects' must be a list"),
        ({"session": 2025}, "'session' must be a string"),
        ([], "must be a JSON object"),
    ],
)
def test_wrong_kinds_are_one_clear_sentence(classifier: Classifier, bill: Any, words: str) -> None:
    with pytest.raises(BillError, match=words):
        classifier.tag_one(bill)


def test_a_bad_bill_does_not_end_the_stream(classifier: Classifier) -> None:
    answers = classifier.tag([ROADS, {"title": 1}, SAMPLES["incentives"]])
    assert not next(answers)["in_scope"]["value"]
    with pytest.raises(BillError):
        next(answers)
    assert next(answers)["in_scope"]["value"]


def test_abstracts_of_bill_records_are_read(classifier: Classifier) -> None:
    bill = {"title": "Labor", "abstracts": [{"abstract": SAMPLES["tax_credits"]["text"], "note": "summary"}]}
    answer = classifier.tag_one(bill)
    quotes = [quote for tag in answer["tags"] for quote in tag["evidence"]]
    assert quotes and all(quote["field"] in ("abstract:0", "title") for quote in quotes)


def test_the_same_input_gives_the_same_output(classifier: Classifier) -> None:
    bills = [*SAMPLES.values(), ROADS]
    first = [json.dumps(answer) for answer in classifier.tag(bills)]
    again = [json.dumps(answer) for answer in Classifier.load().tag(reversed(bills))]
    assert first == again[::-1]


@pytest.mark.parametrize(
    "text",
    [
        (SAMPLES["incentives"]["text"] + " ") * 4000,
        "apprenticeship " * 70_000,
        "a" * 1_000_000 + " apprentice",
        "(1) apprentice;" * 70_000,
        "\n" * 1_000_000 + "apprentice",
    ],
    ids=["provisions", "one word", "no spaces", "clauses", "blank lines"],
)
def test_a_text_of_a_million_characters_is_read_in_bounded_time(classifier: Classifier, text: str) -> None:
    bill = {"title": "An act relating to apprenticeship", "text": text}
    start = time.perf_counter()
    check(bill, classifier.tag_one(bill), classifier)
    assert time.perf_counter() - start < 15


@pytest.mark.parametrize("strategy", SAMPLES)
def test_explanations_say_why(classifier: Classifier, strategy: str) -> None:
    answer = classifier.explain(SAMPLES[strategy])
    whys = {row["strategy"]: row for row in answer["strategies"]}
    assert whys[strategy]["value"] and whys[strategy]["why"].startswith("Applied: ")
    assert all(row["why"].startswith(("Applied: ", "Not applied: ")) for row in whys.values())
    assert answer["in_scope"]["why"].startswith("In scope: ")
    assert classifier.explain(ROADS)["in_scope"]["why"].startswith("Not in scope: ")
