"""Speed, memory and start-up of tagging on a corpus of real bills.

    python benchmarks/classify.py BILLS.jsonl.gz [TEXTS.jsonl.gz]

Titles and summaries of BILLS are tagged as they come (its natural mix), TEXTS as they are. One process.
A file of texts that was picked for its topic is read closely far more often than a natural mix would be:
the share in scope is printed, so that the two are not confused.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker.classify import Classifier

COUNT, COUNT_WITH_TEXT = 20_000, 400


def bills(path: Path, count: int) -> Iterator[dict[str, Any]]:
    """Every n-th bill of a file, so that all its states are there."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows[:: max(1, len(rows) // count)][:count]:
        abstracts = [a["abstract"] if isinstance(a, dict) else a for a in row.get("abstracts") or []]
        yield {
            "title": row["title"],
            "abstracts": abstracts,
            "subjects": row.get("subject"),
            "text": row.get("text"),
        }


def measure(name: str, classifier: Classifier, given: list[dict[str, Any]]) -> None:
    """Print bills a second, and how many are in scope."""
    start = time.perf_counter()
    true = sum(answer["in_scope"]["value"] for answer in classifier.tag(given))
    took = time.perf_counter() - start
    print(
        f"{name:<24}{len(given):>7} bills {len(given) / took:>8.0f} a second {100 * true / len(given):>6.1f} % in scope"
    )


def main() -> None:
    start = time.perf_counter()
    code = "from tracker.classify import Classifier; Classifier.load()"
    subprocess.run([sys.executable, "-c", code], check=True)
    print(f"start-up {time.perf_counter() - start:.2f} s")
    classifier = Classifier.load()
    plain = list(bills(Path(sys.argv[1]), COUNT))
    measure("title and summary", classifier, plain)
    if len(sys.argv) > 2:
        measure("texts as they are", classifier, list(bills(Path(sys.argv[2]), COUNT_WITH_TEXT)))
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (the bills measured included)")


if __name__ == "__main__":
    main()
