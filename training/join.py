"""Joins labels made by reading with the texts they were read from, as a gold file for `billtracker train`.

    python training/join.py training/labels/read.jsonl ../shared/corpus READ.jsonl.gz

The labels are kept here as keys, offsets and letters; the texts stay where they are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from examples import corpus_of, joined

from tracker.classify import gold


def main() -> None:
    labels, corpus, out = (Path(argument) for argument in sys.argv[1:4])
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    records = corpus_of(corpus)
    # a bill that was read with and without its text teaches with it
    full = {tuple(row["key"]) for row in rows if row["source"] == "texts"}
    rows = [row for row in rows if row["source"] == "texts" or tuple(row["key"]) not in full]
    print(gold.save(out, (joined(row, records) for row in rows)), "labelled bills")


if __name__ == "__main__":
    main()
