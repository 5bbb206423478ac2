"""Joins labels made by reading with the texts they were read from, as a gold file for `billtracker train`.

    python training/join.py training/labels/read.jsonl ../shared/corpus READ.jsonl.gz

The labels are kept here as keys, offsets and letters; the texts stay where they are.
"""

from __future__ import annotations

import sys
from pathlib import Path

from examples import corpus_of, joined, read_rows

from tracker.classify import gold


def main() -> None:
    labels, corpus, out = (Path(argument) for argument in sys.argv[1:4])
    rows = read_rows(labels)
    records = corpus_of(corpus)
    print(gold.save(out, (joined(row, records) for row in rows)), "labelled bills")


if __name__ == "__main__":
    main()
