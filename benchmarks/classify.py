"""Speed, memory and start-up of tagging on a corpus of real bills.

    python benchmarks/classify.py BILLS.jsonl.gz [TEXTS.jsonl.gz [DOCUMENTS]]

Titles and summaries of BILLS are tagged as they come (its natural mix), TEXTS as they are, and texts in a natural mix
of three in a hundred in scope, with a mean of about 3,000 words: those in scope are of TEXTS, the others of DOCUMENTS,
a folder of tarballs of version documents. TEXTS were picked for their topic, so that its bills out of scope are read
closely far more often than in nature; DOCUMENTS were not. One process, then as many as there are cores.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tracker.classify import Classifier, Pool
from tracker.text import extract

COUNT, COUNT_WITH_TEXT = 20_000, 400
SHARE_IN_SCOPE, MEAN_WORDS = 0.03, 3_000
ROUNDS = 4


def bills(path: Path, count: int) -> Iterator[dict[str, Any]]:
    """Every n-th bill of a file, so that all its states are there."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        step = max(1, sum(1 for _ in lines) // count)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, 0, count * step, step)]
    for row in rows:
        abstracts = [a["abstract"] if isinstance(a, dict) else a for a in row.get("abstracts") or []]
        yield {
            "title": row["title"],
            "abstracts": abstracts,
            "subjects": row.get("subject"),
            "text": row.get("text"),
        }


def measure(name: str, classifier: Classifier | Pool, given: list[dict[str, Any]]) -> None:
    """Print bills a second, and how many are in scope."""
    start = time.perf_counter()
    true = sum(answer["in_scope"]["value"] for answer in classifier.tag(given))
    took = time.perf_counter() - start
    print(
        f"{name:<34}{len(given):>7} bills {len(given) / took:>8.0f} a second {100 * true / len(given):>6.1f} % in scope"
    )


def documents(folder: Path) -> list[str]:
    """The texts of all version documents that can be read."""
    found = []
    for path in sorted(folder.glob("*.tar.gz")):
        with tarfile.open(path) as archive:
            streams = [archive.extractfile(member) for member in archive if member.isfile()]
            read = [extract(s.read(), jurisdiction=path.name.split(".")[0], media_type="") for s in streams if s]
        found += [one.text for one in read if one.text]
    return found


def natural(
    classifier: Classifier, topical: list[dict[str, Any]], others: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """`SHARE_IN_SCOPE` of the bills from `topical`, the rest from `others`, out of scope; two or three texts are joined
    where that brings the mean near to `MEAN_WORDS`. Those out of scope come `ROUNDS` times, a whole round apart.
    """
    outside = [bill for bill in others if not classifier.tag_one(bill)["in_scope"]["value"]]
    inside = [bill for bill in topical if classifier.tag_one(bill)["in_scope"]["value"]]
    mean = sum(len(bill["text"].split()) for bill in outside) / len(outside)
    step = max(1, round(MEAN_WORDS / mean))
    joined = [
        {**bill, "text": "\n\n".join(outside[(n + k) % len(outside)]["text"] for k in range(step))}
        for n, bill in enumerate(outside)
    ]
    mix = []
    # one round after another: beside its copy, a bill would be answered from the encoder's memory
    count = round(len(joined) * SHARE_IN_SCOPE / (1 - SHARE_IN_SCOPE))
    for turn in range(ROUNDS):
        part = joined + inside[turn * count : (turn + 1) * count]
        mix += sorted(part, key=lambda bill: zlib.crc32(bill["text"][:99].encode()))
    words = sum(len((bill["text"] or "").split()) for bill in mix) / len(mix)
    print(f"the mix: {len(mix)} bills, {words:.0f} words on average")
    return mix


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
    if len(sys.argv) > 3:
        others = [{"title": text[:120], "abstracts": [], "text": text} for text in documents(Path(sys.argv[3]))]
        mix = natural(classifier, texts, others)
        measure("texts in a natural mix", classifier, mix)
        with Pool() as pool:
            list(pool.answers(mix[:1] * 400))
            measure(f"the same, {pool.processes} processes", pool, mix)
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (the bills measured included)")


if __name__ == "__main__":
    main()
