"""The closed lists hang together, and agree with what the contract and the real corpus use."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path
from typing import get_args

from tracker import records, vocabulary
from tracker.vocabulary import ADDED_ACTION_CLASSES, IMPORTANCE, ActionClass, BillClass, Stage, importance


def test_every_stage_has_a_label_and_its_own_place() -> None:
    assert sorted(stage.order for stage in Stage) == list(range(9))
    assert len({stage.label for stage in Stage}) == 9
    assert Stage.INTRODUCED.order < Stage.PASSED_ONE_CHAMBER.order < Stage.BECAME_LAW.order


def test_members_are_their_text() -> None:
    assert Stage.BECAME_LAW == "became_law"
    assert str(ActionClass.REFERRAL_COMMITTEE) == "referral-committee"
    assert json.dumps([Stage.VETOED]) == '["vetoed"]'


def test_the_contract_knows_the_same_chambers() -> None:
    assert set(get_args(records.Chamber)) == {*vocabulary.CHAMBERS, ""}


def test_importance_puts_law_before_passage_before_referral() -> None:
    assert importance(["became-law"]) > importance(["passage", "reading-3"]) > importance(["referral-committee"])
    assert importance([]) == importance(["sponsorship"]) == 0
    assert len(IMPORTANCE) == len(set(IMPORTANCE))


def test_open_states_has_no_class_we_lack(shared: Path) -> None:
    """The classes met in the corpus are ours, and none of those we added."""
    seen: set[str] = set()
    kinds: set[str] = set()
    with gzip.open(shared / "corpus" / "bills-2025-2026.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in islice(lines, 0, None, 25):
            bill = json.loads(line)
            kinds.update(bill["classification"])
            for action in bill.get("actions", ()):
                seen.update(action["classification"])
    assert len(seen) > 20
    assert seen <= set(ActionClass)
    assert not seen & ADDED_ACTION_CLASSES
    assert kinds <= set(BillClass)
