"""How well our action rules agree with Open States' classes, state by state, on the corpus.

    python benchmarks/action_classes.py ../shared/corpus/bills-2025-2026.jsonl.gz
    python benchmarks/action_classes.py CORPUS --show nd committee-passage     the texts behind a number
    python benchmarks/action_classes.py CORPUS --read others passage           30 actions at random on which we differ

Three tables: agreement with the classes as Open States gives them ("raw"), agreement after the corrections
of ``open_states_errors.toml`` (each with its reason; the number of actions it touches is shown), and the
share of texts no rule knows. ``committee-passage`` counts its favorable and unfavorable forms as well,
because Open States chooses between the three by habit of the state. The last lines time the classifier.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tracker.actions import match_action, rules_for

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
# States of the corpus that are crawled officially; all others have the general rules (Colorado has a file).
OFFICIAL = ("ca", "mn", "ms", "nd", "nj", "nm", "sd")
COMMITTEE = {"committee-passage", "committee-passage-favorable", "committee-passage-unfavorable"}
READ = 30
CORRECTIONS = Path(__file__).with_name("open_states_errors.toml")

Key = tuple[str, str, frozenset[str]]


@dataclass
class Score:
    """Counts of one class."""

    hit: int = 0
    extra: int = 0
    missed: int = 0

    def add(self, other: Score) -> None:
        self.hit += other.hit
        self.extra += other.extra
        self.missed += other.missed

    @property
    def meant(self) -> int:
        return self.hit + self.missed

    @property
    def f1(self) -> float | None:
        whole = 2 * self.hit + self.extra + self.missed
        return 2 * self.hit / whole if whole else None


@dataclass
class Correction:
    """Texts where Open States gives a class wrongly (``wrong``) or leaves it out (``missing``)."""

    states: frozenset[str]
    name: str
    verdict: str
    pattern: re.Pattern[str]
    why: str
    touched: Counter[str] = field(default_factory=Counter)


def corrections(path: Path = CORRECTIONS) -> list[Correction]:
    """The adjudicated differences."""
    entries = tomllib.loads(path.read_text("utf-8"))["correction"]
    return [
        Correction(
            frozenset(entry["states"]),
            entry["class"],
            entry["verdict"],
            re.compile("|".join(entry["match"]), re.IGNORECASE),
            entry["why"],
        )
        for entry in entries
    ]


def read(path: Path) -> dict[str, Counter[Key]]:
    """Per state: (description, chamber, classes) → how often."""
    found: dict[str, Counter[Key]] = defaultdict(Counter)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            bill = json.loads(line)
            for action in bill.get("actions", ()):
                chamber = json.loads(action["organization_id"][1:])["classification"]
                found[bill["jurisdiction"]][(action["description"], chamber, frozenset(action["classification"]))] += 1
    return found


def family(classes: frozenset[str] | tuple[str, ...]) -> set[str]:
    """The eight classes only, committee reports as one."""
    found = set(classes)
    if found & COMMITTEE:
        found.add("committee-passage")
    return found & set(CLASSES)


def corrected(state: str, description: str, given: set[str], known: list[Correction], count: int) -> set[str]:
    """``given`` after the corrections that speak about this text."""
    result = set(given)
    for entry in known:
        if state in entry.states or "*" in entry.states:
            has = entry.name in given
            if has == (entry.verdict == "wrong") and entry.pattern.search(description):
                (result.discard if has else result.add)(entry.name)
                entry.touched[state] += count
    return result


def score(state: str, actions: Counter[Key], known: list[Correction]) -> tuple[dict[str, Score], dict[str, Score], int]:
    """Raw and corrected scores of a state, and how many actions no rule knows."""
    raw = {name: Score() for name in CLASSES}
    fair = {name: Score() for name in CLASSES}
    unknown = 0
    for (description, chamber, given), count in actions.items():
        match = match_action(state, description, chamber)
        unknown += 0 if match.known else count
        ours, theirs = family(match.classes), family(given)
        for scores, reference in ((raw, theirs), (fair, corrected(state, description, theirs, known, count))):
            for name in ours | reference:
                if name in ours and name in reference:
                    scores[name].hit += count
                elif name in ours:
                    scores[name].extra += count
                else:
                    scores[name].missed += count
    return raw, fair, unknown


def cell(value: Score) -> str:
    """F1, "-" where neither side knows the class, "!" where Open States never gives it in that state."""
    if value.f1 is None:
        return "-"
    return f"{value.f1:.3f}" if value.meant else f"!{value.extra}"


def table(title: str, rows: dict[str, dict[str, Score]]) -> None:
    """Print one table, with the pool of all states but the official ones, with and without absent classes."""
    print(f"\n{title}\n{'':10}" + "".join(f"{name[:18]:>20}" for name in CLASSES))
    for state, scores in rows.items():
        print(f"{state:10}" + "".join(f"{cell(scores[name]):>20}" for name in CLASSES))
    for label, only_where_given in (("others", False), ("others*", True)):
        pool = {name: Score() for name in CLASSES}
        for state, scores in rows.items():
            for name in CLASSES:
                if state not in OFFICIAL and (scores[name].meant or not only_where_given):
                    pool[name].add(scores[name])
        print(f"{label:10}" + "".join(f"{cell(pool[name]):>20}" for name in CLASSES))


def show(state: str, name: str, actions: Counter[Key], known: list[Correction], limit: int) -> None:
    """The texts where we differ, most frequent first, digits as #."""
    extra: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for (description, chamber, given), count in actions.items():
        ours = family(match_action(state, description, chamber).classes)
        reference = corrected(state, description, family(given), known, count)
        text = re.sub(r"\d+", "#", description)[:110]
        if name in ours - reference:
            extra[text] += count
        if name in reference - ours:
            missed[text] += count
    for label, found in (("we say it, they do not", extra), ("they say it, we do not", missed)):
        print(f"{state} {name}: {label}: {sum(found.values())}")
        for text, count in found.most_common(limit):
            print(f"  {count:6} {text}")


def differing(
    state: str, name: str, actions: Counter[Key], known: list[Correction]
) -> Iterator[tuple[str, str, bool, str, int]]:
    """(state, text, whether we say it, the correction that speaks of it, how often), as far as we differ."""
    for (description, chamber, given), count in actions.items():
        ours, theirs = family(match_action(state, description, chamber).classes), family(given)
        if (name in ours) != (name in theirs):
            before = {entry.why: entry.touched[state] for entry in known}
            corrected(state, description, theirs, [entry for entry in known if entry.name == name], 1)
            why = next((entry.why for entry in known if entry.touched[state] > before[entry.why]), "")
            yield state, description, name in ours, why, count


def sample(states: list[str], name: str, found: dict[str, Counter[Key]], known: list[Correction], size: int) -> None:
    """Actions at random on which we differ from the classes as given, for a person to judge."""
    all_of = [made for state in states for made in differing(state, name, found[state], known)]
    weights = [made[4] for made in all_of]
    covered = sum(made[4] for made in all_of if made[3])
    print(f"{'+'.join(states)} {name}: we differ on {sum(weights):,} actions, {covered:,} of them corrected")
    chosen = random.Random(20261124).choices(all_of, weights, k=size) if all_of else []  # noqa: S311 - a sample to read
    for state, text, we_say, why, _ in chosen:
        print(f"  {state} {'ours  ' if we_say else 'theirs'} {text[:110]!r:114} {why or 'NO CORRECTION'}")


def speed(found: dict[str, Counter[Key]]) -> None:
    """Texts per second, each seen for the first time, and again."""
    texts = [(state, key[0], key[1]) for state, actions in found.items() for key in actions]
    for state in found:
        rules_for(state)
    match_action.cache_clear()
    start = time.process_time()
    for state, description, chamber in texts:
        rules_for(state).match(description, chamber)
    cold = len(texts) / (time.process_time() - start)
    some = texts[:50_000]
    for text in some:
        match_action(*text)
    start = time.process_time()
    for text in some:
        match_action(*text)
    print(f"\n{len(texts):,} different texts: {cold:,.0f} a second at first sight,", end=" ")
    print(f"{len(some) / (time.process_time() - start):,.0f} a second when seen before")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?", default=Path("../shared/corpus/bills-2025-2026.jsonl.gz"))
    parser.add_argument("--show", nargs=2, metavar=("STATE", "CLASS"), help="texts behind one number")
    parser.add_argument("--read", nargs=2, metavar=("STATE", "CLASS"), help="differences at random; others: pooled")
    parser.add_argument("--limit", type=int, default=25)
    parser.add_argument("--unknown", metavar="STATE", help="most frequent texts no rule knows")
    options = parser.parse_args()
    found = read(options.corpus)
    known = corrections()
    if options.show:
        for state in sorted(found) if options.show[0] == "all" else [options.show[0]]:
            show(state, options.show[1], found[state], known, options.limit)
        return
    if options.read:
        others = [state for state in sorted(found) if state not in OFFICIAL]
        sample(others if options.read[0] == "others" else [options.read[0]], options.read[1], found, known, READ)
        return
    if options.unknown:
        texts: Counter[str] = Counter()
        for (description, chamber, _), count in found[options.unknown].items():
            if not match_action(options.unknown, description, chamber).known:
                texts[re.sub(r"\d+", "#", description)[:110]] += count
        for text, count in texts.most_common(options.limit):
            print(f"{count:6} {text}")
        return
    raw, fair, unknown = {}, {}, {}
    for state in sorted(found, key=lambda code: (code not in OFFICIAL, code)):
        raw[state], fair[state], unknown[state] = score(state, found[state], known)
    table("Agreement (F1) with Open States as it is", raw)
    table("Agreement (F1) after corrections", fair)
    print("\nCorrections (actions touched)")
    for entry in known:
        spread = " ".join(f"{state} {count}" for state, count in sorted(entry.touched.items()))
        print(f"  {entry.verdict:8}{entry.name:20}{entry.why} [{spread}]")
    total = {state: sum(actions.values()) for state, actions in found.items()}
    print("\nUnknown texts: " + ", ".join(f"{s} {unknown[s] / total[s]:.1%}" for s in unknown), end="")
    print(f"; all {sum(unknown.values()) / sum(total.values()):.1%}")
    speed(found)


if __name__ == "__main__":
    main()
