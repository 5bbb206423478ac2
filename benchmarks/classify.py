"""Speed, memory and start-up of tagging on a corpus of real bills.

    python benchmarks/classify.py BILLS.jsonl.gz [TEXTS.jsonl.gz]

Titles and summaries of BILLS are tagged as they come (its natural mix), TEXTS as they are, and TEXTS once more in a
natural mix: three in a hundred in scope, the others not, joined to a mean of about 3,000 words. One process. The texts
out of scope still come from a file picked for its topic, so they are read closely more often than in nature.
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
SHARE_IN_SCOPE, MEAN_WORDS = 0.03, 3_000


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


def natural(classifier: Classifier, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same bills, fewer of them in scope, with texts brought near to `MEAN_WORDS` by repeating short ones."""
    inside = [bill for bill in given if classifier.tag_one(bill)["in_scope"]["value"]]
    outside = [bill for bill in given if bill not in inside]
    mix = inside[: round(len(outside) * SHARE_IN_SCOPE / (1 - SHARE_IN_SCOPE))] + outside
    mean = sum(len((bill["text"] or "").split()) for bill in mix) / len(mix)
    times = max(1, round(MEAN_WORDS / mean))
    return [{**bill, "text": " ".join([bill["text"] or ""] * times)} for bill in mix]


def main() -> None:
    start = time.perf_counter()
    code = "from tracker.classify import Classifier; Classifier.load()"
    subprocess.run([sys.executable, "-c", code], check=True)
    print(f"start-up {time.perf_counter() - start:.2f} s")
    classifier = Classifier.load()
    plain = list(bills(Path(sys.argv[1]), COUNT))
    measure("title and summary", classifier, plain)
    if len(sys.argv) > 2:
        texts = list(bills(Path(sys.argv[2]), COUNT_WITH_TEXT))
        measure("texts as they are", classifier, texts)
        measure("texts in a natural mix", classifier, natural(classifier, texts))
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (the bills measured included)")


if __name__ == "__main__":
    main()
