"""What is learned from: labelled bills and passages with their texts, as items for the encoder.

An item is a bill's header, or a passage read after the bill's title. Labels of a bill hold for all its items together,
labels of a passage for that passage alone.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.classify import gold
from tracker.classify.bill import read
from tracker.classify.candidates import Candidates, Reader, header_of
from tracker.classify.cues import Cues
from tracker.classify.reading import clean, fold, provisions
from tracker.playbook import Playbook

LABELS = ("in_scope", "incentives", "tax_credits", "flexibility", "agency_funding", "agency_rules", "executive_call")
LETTERS = "SITFARE"
UNKNOWN = -1.0

Place = tuple[str, int, int]
"""Field and offsets of a passage."""
HEADER: Place = ("header", 0, 0)
ELSEWHERE: Place = ("elsewhere", 0, 0)


@dataclass
class Item:
    """One text for the encoder. `labels` are 1, 0, or -1 where nobody said."""

    text: str
    title: str | None
    labels: NDArray[np.float32] = field(default_factory=lambda: np.full(len(LABELS), UNKNOWN, dtype=np.float32))
    weight: float = 1.0


@dataclass
class Bag:
    """A bill (or a passage by itself): its items, and what holds for them together (None: only items are labelled)."""

    key: str
    state: str
    source: str
    items: list[Item]
    labels: NDArray[np.float32] | None
    weight: float = 1.0


def of_mapping(labels: Mapping[str, bool]) -> NDArray[np.float32]:
    return np.array([float(bool(labels.get(name))) for name in LABELS], dtype=np.float32)


def of_letters(letters: str) -> NDArray[np.float32]:
    return np.array([float(letter in letters) for letter in LETTERS], dtype=np.float32)


def of_bill(found: Candidates, title: str) -> list[Item]:
    """The items of a bill as the service reads them."""
    return [Item(found.header, None), *(Item(c.passage.text, title) for c in found.passages)]


def gold_bags(path: Path, reader: Reader, shown: Mapping[str, dict[Place, str]]) -> Iterator[Bag]:
    """Labelled bills; those that the gate keeps out have a header only.

    `shown` says by bill which letters a passage shows. What a bill does not have, none of its items has; what it has
    stays open in an item that nobody read, unless there is but one.
    """
    for bill in gold.load(path):
        given = read(bill)
        found = reader.candidates(given)
        items = of_bill(found, given.title)
        labels, weight = of_mapping(bill["labels"]), gold.certainty(bill)
        by_place = shown.get(gold.key(bill), {})
        places: list[Place] = [HEADER, *((c.passage.field, c.passage.start, c.passage.end) for c in found.passages)]
        for item, place in zip(items, places, strict=True):
            item.weight = weight
            if place in by_place:
                read_there, open_ = of_letters(by_place[place]), of_letters(by_place[ELSEWHERE])
                item.labels = np.where(open_ > 0, UNKNOWN, read_there * labels).astype(np.float32)
            else:
                item.labels = labels if len(items) == 1 else np.where(labels > 0, UNKNOWN, labels).astype(np.float32)
        yield Bag(gold.key(bill), str(bill["jurisdiction"]), path.name.split(".")[0], items, labels, weight)


def passages_of(path: Path) -> dict[str, dict[Place, str]]:
    """By bill, the letters that its header and passages show, as read in `labels/gold.jsonl`; under `ELSEWHERE` those of
    the bill's letters that none of them shows.
    """
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {
        row["key"]: {HEADER: row["header"], ELSEWHERE: row["elsewhere"]}
        | {(field, start, end): letters for field, start, end, letters in row["passages"]}
        for row in rows
    }


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The bills read by us; one that was read with and without its text counts with it."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    full = {tuple(row["key"]) for row in rows if row["source"] == "texts"}
    return [row for row in rows if row["source"] == "texts" or tuple(row["key"]) not in full]


def provision_bags(path: Path) -> Iterator[Bag]:
    """Labelled provisions, one item each. Nobody said whether a provision is an executive call."""
    for row in gold.load(path):
        labels = of_mapping({**row["labels"], "in_scope": row["labels"]["topic"]})
        labels[LABELS.index("executive_call")] = UNKNOWN
        item = Item(clean(row["text"]), row["title"], labels, gold.certainty(row))
        yield Bag(gold.key(row), str(row["jurisdiction"]), "provisions", [item], None)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def corpus_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The records that labels refer to, by the label's `source`."""
    files = {"corpus": "bills-2025-2026.jsonl.gz", "texts": "texts-unlabelled.jsonl.gz"}
    return {source: rows_of(folder / name) for source, name in files.items()}


def joined(row: Mapping[str, Any], corpus: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """A bill labelled by reading (a line of `labels/`) with its record, in the shape of a gold file.

    `corpus` holds the records by the label's `source`. Raises ValueError where line and key do not belong together.
    """
    bill = corpus[row["source"]][row["line"]]
    session = bill.get("session") or bill.get("legislative_session")
    if [bill["jurisdiction"], session, bill["identifier"]] != row["key"]:
        raise ValueError(f"line {row['line']} of {row['source']} is not {row['key']}: the corpus is another one.")
    return {
        "jurisdiction": bill["jurisdiction"],
        "session": session,
        "identifier": bill["identifier"],
        "title": bill["title"],
        "abstracts": [a["abstract"] if isinstance(a, dict) else a for a in bill.get("abstracts") or []],
        "text": bill.get("text"),
        "labels": {name: bool(value) for name, value in zip(LABELS, of_letters(row["labels"]), strict=True)},
        "sure": not row["doubt"],
        "source": "read",
    }


def read_bag(row: Mapping[str, Any], bill: Mapping[str, Any], reader: Reader) -> Bag:
    """The same bill as items: with the passages that were read where it has a text, else as the service reads it."""
    given = read(bill)
    weight = gold.certainty(bill)
    labels = of_letters(row["labels"])
    if "passages" in row:
        items = [Item(header_of(given), None, of_letters(row["header"]), weight)]
        for field, start, end, letters in row["passages"]:
            items.append(Item(clean(given.fields[field][start:end]), given.title, of_letters(letters), weight))
    else:
        items = of_bill(reader.candidates(given), given.title)
        # what a bill without text shows is in its header; what holds of nothing in it is held against all of it
        if len(items) == 1:
            items[0].labels = labels
        elif not labels.any():
            for item in items:
                item.labels = labels
        for item in items:
            item.weight = weight
    return Bag(gold.key(bill), str(bill["jurisdiction"]), "read", items, labels, weight)


def contrasts(playbook: Playbook, texts: list[dict[str, Any]], titles: list[str], count: int) -> Iterator[Bag]:
    """Passages on something else (no cue of the topic) that have the mechanism, read after a title that is on the topic.

    They teach that a title does not lend its topic to whatever stands below it.
    """
    chance = random.Random(11)
    topic = Cues(playbook.topic.cues)
    plain = {
        "tax_credits": Cues(["tax credit*", "credit against", "deduction*", "exempt from the tax", "sales tax*"]),
        "incentives": Cues(["grant program*", "award grants", "grants to", "matching grant*", "reimburse*", "rebate*"]),
        "flexibility": Cues(
            ["waive*", "notwithstanding", "in lieu of", "is not required", "exempt from", "may satisfy"]
        ),
    }
    made = dict.fromkeys(plain, 0)
    for row in chance.sample(texts, len(texts)):
        taken = 0
        for passage in provisions(str(row.get("text") or "")[:200_000]):
            folded = fold(passage.text)
            if passage.kind != "provision" or topic.any(folded):
                continue
            hits = [name for name, cues in plain.items() if cues.any(folded) and made[name] < count // len(plain)]
            if not hits or taken == 2:
                continue
            made[hits[0]] += 1
            taken += 1
            item = Item(passage.text, chance.choice(titles), np.zeros(len(LABELS), dtype=np.float32), 0.7)
            yield Bag(f"contrast/{passage.start}", str(row["jurisdiction"]), "contrast", [item], None)
        if sum(made.values()) >= count - len(plain):
            return
