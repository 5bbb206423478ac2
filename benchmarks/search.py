"""Time of every form of search over the corpus and many long texts (see corpus_database.py).

    python benchmarks/search.py DATABASE-URL BILLS.jsonl.gz TEXTS.jsonl.gz

Each form is asked with several questions, page by page as a reader would, and each question several times;
the first round is left out. Prints median and 95th percentile in milliseconds, hits, and whether the
ranking was capped; ends with 1 when the slowest form's 95th percentile is above 100 ms.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from corpus_database import build

from tracker.db import reading
from tracker.search import Query, facets, search

ROUNDS = 5
LIMIT_MS = 100.0
FORMS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "word, common": [("school", {}), ("act", {}), ("section", {}), ("tax", {}), ("state", {})],
    "word, rare": [("apprenticeship", {}), ("dyslexia", {}), ("externship", {}), ("xylophone", {})],
    "words": [("tax credit", {}), ("school district board", {}), ("career technical education program", {})],
    "phrase": [
        ('"tax credit"', {}),
        ('"career and technical education"', {}),
        ('"school district"', {}),
        ('"shall be amended to read as follows"', {}),
        ('"board of education of the school district"', {}),
    ],
    "or": [("apprentice OR internship", {}), ("school OR tax OR court", {}), ('"tax credit" OR "tax deduction"', {})],
    "not": [("school -charter", {}), ("tax NOT (income OR sales)", {}), ("-school", {}), ('tax -"tax credit"', {})],
    "prefix": [("apprentic*", {}), ("educat*", {}), ("pro*", {}), ("in*", {})],
    "identifier": [("HB 12", {}), ("h.b. 0120", {}), ("sb1", {}), ("tx/89R/HB 120", {}), ("S 1 tax", {})],
    "no words, newest": [("", {})],
    "state": [("school", {"states": ["tx"]}), ("", {"states": ["nj", "ny"]}), ("tax credit", {"states": ["oh"]})],
    "session": [("school", {"sessions": ["2026"]}), ("", {"sessions": ["222"]})],
    "chamber": [("school", {"chambers": ["upper"]}), ("", {"chambers": ["lower"]})],
    "class": [("school", {"classifications": ["resolution"]}), ("", {"classifications": ["bill"]})],
    "subject": [("school", {"subjects": ["education"]}), ("", {"subjects": ["income tax"]})],
    "sponsor": [("school", {"sponsors": ["Smith"]}), ("", {"sponsors": ["Murphy"]})],
    "stage": [("school", {"stages": ["became_law"]}), ("", {"stages": ["in_committee"]})],
    "strategy": [("school", {"strategies": ["incentives"]}), ("", {"strategies": ["tax_credits", "flexibility"]})],
    "score": [("school", {"strategies": ["incentives"], "min_score": 0.2}), ("", {"min_score": 0.3})],
    "action dates": [
        ("school", {"action_since": dt.date(2026, 1, 1), "action_until": dt.date(2026, 2, 1)}),
        ("", {"action_since": dt.date(2026, 3, 1)}),
    ],
    "dates of observation": [
        ("school", {"seen_since": dt.date(2026, 11, 1)}),
        ("", {"changed_since": dt.date(2026, 11, 21)}),
        ("tax", {"seen_until": dt.date(2026, 11, 1)}),
    ],
    "all filters": [
        (
            "tax credit",
            {
                "states": ["nj", "ny", "tx"],
                "chambers": ["lower", "upper"],
                "stages": ["in_committee", "introduced"],
                "action_since": dt.date(2025, 1, 1),
                "seen_since": dt.date(2026, 1, 1),
            },
        )
    ],
    "deep page": [("school", {"offset": 180}), ("tax", {"offset": 1_000}), ("", {"offset": 5_000})],
    "newest first": [("school", {"sort": "newest"}), ('"tax credit"', {"sort": "newest"})],
}


def timed(work: Any) -> tuple[float, Any]:
    """Milliseconds and answer."""
    start = time.perf_counter()
    answer = work()
    return (time.perf_counter() - start) * 1000, answer


def main() -> int:
    """Run it, print a table and one JSON object."""
    engine = build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    worst, lines = 0.0, {}
    for form, questions in FORMS.items():
        times: list[float] = []
        counting: list[float] = []
        notes = []
        for words, more in questions:
            asked = Query(words, **more)
            slow = 0.0
            with reading(engine) as connection:
                for attempt in range(ROUNDS + 1):
                    took, found = timed(lambda: search(connection, asked))  # noqa: B023
                    spread, _ = timed(lambda: facets(connection, asked))  # noqa: B023
                    if attempt:
                        times.append(took)
                        counting.append(spread)
                        slow = max(slow, took)
            notes.append(
                f"{words or '-'}: {found.total}{'' if found.counted else '+'}{' capped' if found.capped else ''}"
                f" {slow:.0f} ms"
            )
        p95 = statistics.quantiles(times, n=20)[-1]
        facet95 = statistics.quantiles(counting, n=20)[-1]
        worst = max(worst, p95)
        lines[form] = {"median_ms": round(statistics.median(times), 1), "p95_ms": round(p95, 1)}
        print(
            f"{form:<22}{statistics.median(times):>8.1f}{p95:>8.1f}  facets {facet95:>6.1f}   {'; '.join(notes)}",
            file=sys.stderr,
        )
    print(json.dumps({"database": engine.dialect.name, "worst_p95_ms": round(worst, 1), "forms": lines}, indent=2))
    return int(worst > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
