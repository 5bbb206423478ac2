"""How well the rules agree with Open States' classes: F1 per class, per state and over all.

python benchmarks/action_classes.py bills.jsonl.gz

``committee-passage`` stands for its favorable and unfavorable kinds too: sources label one or the other.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter, defaultdict
from types import SimpleNamespace

from tracker.actions import classify_action, stage_of

CLASSES = (
    "introduction",
    "referral-committee",
    "committee-passage",
    "passage",
    "executive-signature",
    "executive-veto",
    "became-law",
    "failure",
)


def f1(hit: int, extra: int, missed: int) -> float | None:
    """None where neither side has the class."""
    return 2 * hit / (2 * hit + extra + missed) if hit + extra + missed else None


def main(path: str) -> None:
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    bills = []
    unknown: Counter[str] = Counter()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            actions = []
            for action in raw.get("actions") or []:
                organization = str(action.get("organization_id", ""))
                chamber = next((c for c in ("upper", "lower", "legislature", "executive") if c in organization), "")
                actions.append(
                    SimpleNamespace(
                        date=action["date"],
                        description=action["description"],
                        chamber=chamber,
                        classification=action["classification"],
                    )
                )
            bills.append((raw["jurisdiction"], raw["classification"], actions))
    start = time.perf_counter()
    total = 0
    for jurisdiction, _, actions in bills:
        for action in actions:
            total += 1
            ours = classify_action(jurisdiction, action.description, action.chamber)
            if not ours and not action.classification:
                unknown[jurisdiction] += 1
            for name in CLASSES:
                told, said = name in action.classification, name in ours
                if name == "committee-passage":
                    told = any(word.startswith(name) for word in action.classification)
                    said = any(word.startswith(name) for word in ours)
                if told or said:
                    kind = "hit" if told and said else "missed" if told else "extra"
                    counts[jurisdiction][name][kind] += 1
                    counts["all"][name][kind] += 1
    print(f"classified {total} actions in {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    stages: Counter[str] = Counter()
    for jurisdiction, classes, actions in bills:
        stages[stage_of(actions, bill_classification=classes, jurisdiction=jurisdiction).stage] += 1
    print(f"stages of {len(bills)} bills in {time.perf_counter() - start:.1f} s: {dict(stages)}")
    print("     " + " ".join(f"{name[:13]:>13}" for name in CLASSES))
    for place in [*sorted(set(counts) - {"all"}), "all"]:
        cells = []
        for name in CLASSES:
            kinds = counts[place][name]
            score = f1(kinds["hit"], kinds["extra"], kinds["missed"])
            cells.append(f"{'-' if score is None else f'{score:.3f}':>13}")
        print(f"{place:5}" + " ".join(cells))


if __name__ == "__main__":
    main(sys.argv[1])
