"""Classes of actions and stages of bills."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.actions import ActionRuleError, classify_action, is_dull, load_rules, stage_of
from tracker.actions.rules import FOLDER, Rule, tidy
from tracker.vocabulary import ACTION_CLASSES, STAGES

RULES = [rule for path in sorted(FOLDER.glob("*.toml")) for rule in load_rules(path)]


@dataclass
class Act:
    description: str = ""
    date: str = "2026-01-01"
    chamber: str = ""
    classification: list[str] = field(default_factory=list)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_examples_of_a_rule(rule: Rule) -> None:
    assert rule.examples
    for text in rule.examples:
        assert rule.matches(tidy(text), rule.chamber), text
    for text in rule.counter_examples:
        assert not rule.matches(tidy(text), rule.chamber), text


def at(classes: str, day: int = 1, chamber: str = "", text: str = "x") -> Act:
    return Act(text, f"2026-01-{day:02}", chamber, classes.split())


STAGE_CASES: list[tuple[str, list[str], str, list[Act]]] = [
    ("introduced", ["bill"], "va", []),
    ("introduced", ["bill"], "va", [at("introduction")]),
    ("introduced", ["bill"], "va", [at("filing")]),
    ("in_committee", ["bill"], "va", [at("introduction"), at("referral-committee", 2)]),
    ("in_committee", ["bill"], "va", [at("introduction referral-committee")]),
    ("in_committee", ["bill"], "va", [at("committee-passage", 3), at("introduction", 1)]),
    ("passed_one_chamber", ["bill"], "va", [at("passage", 1, "upper")]),
    ("passed_one_chamber", ["bill"], "va", [at("passage", 1, "upper"), at("referral-committee", 2, "lower")]),
    ("passed_one_chamber", ["bill"], "va", [at("passage", 1, "upper"), at("passage", 2, "upper")]),
    ("passed_legislature", ["bill"], "va", [at("passage", 1, "upper"), at("passage", 2, "lower")]),
    ("passed_legislature", ["bill"], "ne", [at("passage", 1, "legislature")]),
    ("passed_legislature", ["bill"], "ne", [at("passage", 1)]),
    ("passed_legislature", ["bill"], "va", [at("enrolled", 3)]),
    ("sent_to_executive", ["bill"], "va", [at("enrolled", 3), at("executive-receipt", 4)]),
    ("passed_legislature", ["concurrent resolution"], "va", [at("executive-receipt", 4)]),
    ("became_law", ["bill"], "va", [at("executive-receipt", 4), at("executive-signature", 5)]),
    ("became_law", ["bill"], "va", [at("became-law", 5)]),
    ("became_law", ["joint resolution"], "us", [at("became-law", 5)]),
    ("became_law", [], "us", [at("became-law", 5)]),
    ("passed_legislature", ["resolution"], "va", [at("executive-signature", 5)]),
    ("passed_legislature", ["concurrent resolution"], "va", [at("became-law", 5)]),
    ("vetoed", ["bill"], "va", [at("executive-receipt", 4), at("executive-veto", 5)]),
    ("vetoed", ["bill"], "va", [at("executive-veto", 5), at("veto-override-failure", 6)]),
    ("vetoed", ["bill"], "va", [at("executive-veto", 5), at("veto-override-passage", 6, "upper")]),
    (
        "became_law",
        ["bill"],
        "va",
        [
            at("executive-veto", 5),
            at("veto-override-passage", 6, "upper"),
            at("veto-override-passage", 7, "lower"),
        ],
    ),
    ("became_law", ["bill"], "ne", [at("executive-veto", 5), at("veto-override-passage", 6)]),
    ("became_law", ["bill"], "va", [at("executive-veto-line-item", 5)]),
    ("became_law", ["bill"], "oh", [at("executive-veto", 5, text="line item veto receipt")]),
    ("failed", ["bill"], "va", [at("referral-committee"), at("failure", 2)]),
    ("failed", ["bill"], "va", [at("failure", 2), at("referral-committee", 1)]),
    ("failed", ["bill"], "va", [at("withdrawal", 2, text="Withdrawn from further consideration")]),
    (
        "in_committee",
        ["bill"],
        "fl",
        [at("referral-committee"), at("withdrawal", 2, text="Withdrawn from Rules")],
    ),
    ("passed_one_chamber", ["bill"], "va", [at("failure", 2, "upper"), at("passage", 3, "upper")]),
    ("introduced", ["bill"], "in", [at("failure amendment-failure", 2)]),
    ("carried_over", ["bill"], "va", [at("referral-committee"), at("carried-over", 9)]),
    ("in_committee", ["bill"], "va", [at("carried-over", 2), at("referral-committee", 9)]),
    ("vetoed", ["bill"], "hi", [at("executive-veto", 2), at("carried-over", 9)]),
    (
        "passed_legislature",
        ["bill"],
        "co",
        [at("passage", 1, "upper", "Signed by the President of the Senate")],
    ),
    ("in_committee", ["bill"], "va", [Act("H Referred to Committee on Finance", chamber="lower")]),
]


@pytest.mark.parametrize(("stage", "kinds", "place", "actions"), STAGE_CASES)
def test_stages(stage: str, kinds: list[str], place: str, actions: list[Act]) -> None:
    assert stage_of(actions, bill_classification=kinds, jurisdiction=place).stage == stage
    if len({a.date for a in actions}) == len(actions):
        assert stage_of(actions[::-1], bill_classification=kinds, jurisdiction=place).stage == stage


def test_the_action_that_says_so_is_named() -> None:
    actions = [at("introduction", 1), at("referral-committee", 2), at("committee-passage", 3)]
    assert stage_of(actions, bill_classification=["bill"], jurisdiction="va") == (
        "in_committee",
        "2026-01-02",
        1,
    )
    newest_first = actions[::-1]
    assert stage_of(newest_first, bill_classification=["bill"], jurisdiction="va").because == 1


def test_an_ended_session_ends_what_did_not_get_through() -> None:
    def ended(*actions: Act) -> str:
        return stage_of(actions, bill_classification=["bill"], jurisdiction="va", session_ended=True).stage

    assert ended(at("referral-committee")) == "failed"
    assert ended(at("passage", 1, "upper")) == "failed"
    assert ended(at("executive-receipt")) == "sent_to_executive"
    assert ended(at("carried-over")) == "carried_over"


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("Not Signed Off", ()),
        ("Veto overridden", ("veto-override-passage",)),
        ("zzzz", ()),
        ("Pass and be re-referred to Appropriations", ("referral-committee",)),
        ("Signed by Governor", ("executive-signature",)),
        ("Vetoed by Governor", ("executive-veto",)),
    ],
)
def test_pitfalls(text: str, classes: tuple[str, ...]) -> None:
    assert classify_action("wa", text) == classes


def test_pass_and_be_re_referred_is_no_passage() -> None:
    assert "passage" not in classify_action("mn", "Committee report, to pass and be re-referred to Taxes")


def test_dull() -> None:
    assert is_dull("ca", "From printer. May be heard in committee March 9.", [])
    assert is_dull("mn", "Author added Virnig", [])
    assert not is_dull("va", "Passed Senate (40-Y 0-N)", ["passage"])


@given(st.text(), st.sampled_from(["va", "us", "nd", "zz", "", "../x"]), st.sampled_from(["", "upper"]))
def test_any_text_is_taken(text: str, place: str, chamber: str) -> None:
    classes = classify_action(place, text, chamber)
    assert set(classes) <= set(ACTION_CLASSES)
    assert is_dull(place, text, classes) in (True, False)
    result = stage_of([Act(text, chamber=chamber)], bill_classification=["bill"], jurisdiction=place)
    assert result.stage in STAGES


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rule]]\nmatch = '('\nclasses = []", "rule 1 .*match is not a regex"),
        ("[[rule]]\nmatch = 'a'\nclasses = ['passed']", "rule 1 .*'passed' is not an action class"),
        ("[[rule]]\nmatch = 'a'\nclasses = []\n[[rule]]\nmatch = 'b'", "rule 2 .*classes is missing"),
        ("[[rule]]\nmatch = 'a'\nclasses = []\nfoo = 1", "rule 1 .*unknown key 'foo'"),
        ("[[rule]]\nmatch = '(a+)+'\nclasses = []", "rule 1 .*repeats a repetition"),
        ("[[rule]]\nmatch = 'a'\nclasses = []\nchamber = 'senate'", "rule 1 .*not a chamber"),
        ("[[rule]]\nmatch = 'a'\nclasses = []\ndull = 'yes'", "rule 1 .*dull must be true or false"),
        ("rules = 1", "unknown key 'rules'"),
        ("[[rule", "not readable as TOML"),
    ],
)
def test_errors_name_file_and_rule(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "xx.toml"
    path.write_text(text)
    with pytest.raises(ActionRuleError, match=rf"^xx\.toml.*{says}"):
        load_rules(path)
