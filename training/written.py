"""Titles, abstracts and provisions that we wrote for training, in groups whose texts are alike but for what decides.

Every sentence is our own; `labels/written.jsonl` holds them with their letters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from examples import Bag, Item, of_letters

WEIGHT = 0.7
"""Of such an item, against one of a real bill."""


def bags(path: Path) -> Iterator[Bag]:
    """One bag of one item for each line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        title = row["title"] if row["kind"] == "provision" else None
        item = Item(row["text"], title, of_letters(row["labels"]), WEIGHT)
        yield Bag(f"written/{number}", "written", "written", [item], None)
