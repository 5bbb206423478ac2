"""What the encoder learns from: usable lines, groups that teach, and labels that fit the bills they are of."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
LABELS = ROOT / "training/labels"
GOLD = ROOT.parent / "shared/gold"
sys.path.insert(0, str(ROOT / "training"))

import examples  # noqa: E402
import written  # noqa: E402

from tracker import playbook  # noqa: E402
from tracker.classify.candidates import Reader  # noqa: E402


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (LABELS / name).read_text(encoding="utf-8").splitlines()]


def allowed(letters: str) -> bool:
    """Nothing holds of a text that is out of scope."""
    return (
        set(letters) <= set(examples.LETTERS) and len(set(letters)) == len(letters) and (not letters or "S" in letters)
    )


WRITTEN = ["written.jsonl", "further.jsonl"]


@pytest.mark.parametrize("name", WRITTEN)
def test_written_texts_can_be_learned_from(name: str) -> None:
    rows = lines(name)
    assert all(allowed(row["labels"]) for row in rows)
    assert {row["kind"] for row in rows} <= {"title", "abstract", "provision"}
    assert len({row["text"] for row in rows}) == len(rows)
    bags = list(written.bags(LABELS / name))
    assert [bag.items[0].title is None for bag in bags] == [row["kind"] != "provision" for row in rows]


@pytest.mark.parametrize("name", WRITTEN)
def test_most_groups_hold_texts_that_differ_in_what_decides(name: str) -> None:
    groups = defaultdict(set)
    for row in lines(name):
        groups[row["group"]].add(row["labels"])
    differ = sum(len(labels) > 1 for labels in groups.values())
    assert differ / len(groups) > 0.9


@pytest.mark.parametrize("name", ["read.jsonl", "gold.jsonl"])
def test_labels_hold_places_and_letters_but_no_texts(name: str) -> None:
    for row in lines(name):
        for field, start, end, letters in row.get("passages", []):
            assert field == "text" or field.startswith("abstract:")
            assert 0 <= start < end
            assert set(letters) <= set(examples.LETTERS)
        assert max((len(value) for value in row.values() if isinstance(value, str)), default=0) < 60


@pytest.mark.skipif(not GOLD.is_dir(), reason="needs ../shared/gold")
def test_passages_read_are_those_the_service_reads() -> None:
    shown = examples.passages_of(LABELS / "gold.jsonl")
    about = json.loads((ROOT / "tracker/classify/models/cte/model.json").read_text(encoding="utf-8"))
    bags = list(examples.gold_bags(GOLD / "dev.jsonl.gz", Reader(playbook.load(), about["topic_weights"]), shown))
    used = [bag for bag in bags if bag.key in shown]
    assert used
    for bag in bags:
        labels = np.stack([item.labels for item in bag.items])
        # what the bill does not have, no passage has
        assert not (labels[:, bag.labels == 0] > 0).any()
    whole = sum((np.stack([item.labels for item in bag.items])[:, 1:4] == 1).any() for bag in used)
    assert whole / len(used) > 0.9
