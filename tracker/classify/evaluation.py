"""Measures tags against labelled bills: precision, recall and F1 with intervals, by label, state and
kind of bill.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.classify import gold
from tracker.classify.classifier import Classifier
from tracker.classify.model import TOPIC
from tracker.playbook import Playbook

QUALITY = "quality.json"
"""In a model's folder: how good it was on bills of states that it had not seen."""

RESAMPLES, SEED = 500, 20
OMNIBUS_WORDS = 8000
"""A text from this length on is reported as an omnibus bill."""

Truths = NDArray[np.bool_]


def evaluate(gold_path: Path, classifier: Classifier) -> dict[str, Any]:
    """Tag the labelled bills of a file and compare; gives what `measured` gives, with `gold` and `classifier`.

    Bills that the model has learnt from flatter it: `unseen` is what it reached on others.
    """
    bills = gold.load(gold_path)
    labels = [TOPIC, *classifier.playbook.strategies]
    truth = np.array([[bool(b["labels"].get(label)) for label in labels] for b in bills])
    answers = list(classifier.tag(bills))
    applied = np.array([[a[TOPIC]["value"], *(t["value"] for t in a["tags"])] for a in answers])
    wanted = np.array([a[TOPIC]["score"] for a in answers]) >= classifier.playbook.topic.digest_threshold
    about = {"gold": gold_path.name, "classifier": classifier.version}
    return about | measured(bills, truth, applied, wanted, classifier.playbook)


def measured(
    bills: Sequence[Mapping[str, Any]], truth: Truths, applied: Truths, wanted: Truths, playbook: Playbook
) -> dict[str, Any]:
    """Compare what was applied with what is true: bills x labels, the topic first, then the playbook's strategies.

    `wanted` are the bills that a digest would show. Gives `bills`, `labels` (by label: precision, recall, f1,
    f1_low and f1_high of a 95 % bootstrap interval, true, applied), `macro_f1` over the legislative strategies
    (the first group of the playbook), `digest_recall`, `kinds` (title only, with text, omnibus) and `states`.
    """
    labels = [TOPIC, *playbook.strategies]
    group = playbook.strategy[0].group
    first = [n for n, s in enumerate(playbook.strategy, 1) if s.group == group]
    draws = np.random.default_rng(SEED).integers(0, len(bills), (RESAMPLES, len(bills)))
    kinds: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "title_only": lambda b: not b.get("text") and not b.get("abstracts"),
        "with_text": lambda b: bool(b.get("text")),
        "omnibus": lambda b: len((b.get("text") or "").split()) >= OMNIBUS_WORDS,
    }
    return {
        "bills": len(bills),
        "labels": {label: _counted(truth[:, n], applied[:, n], draws) for n, label in enumerate(labels)},
        "macro_f1": _macro(truth, applied, first),
        "macro_of": [labels[n] for n in first],
        "digest_recall": round(float((wanted & truth[:, 0]).sum() / max(1, truth[:, 0].sum())), 4),
        "kinds": {name: _part(truth, applied, first, [is_kind(b) for b in bills]) for name, is_kind in kinds.items()},
        "states": {
            state: _part(truth, applied, first, [b.get("jurisdiction") == state for b in bills])
            for state in sorted({str(b.get("jurisdiction")) for b in bills})
        },
    }


def unseen(folder: Path) -> dict[str, Any] | None:
    """What a model reached when it was trained, on bills of states that it had not seen; None without a report."""
    path = folder / QUALITY
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def render(report: dict[str, Any]) -> str:
    """The report as a table in plain text."""
    lines = [
        f"{report['bills']} bills of {report['gold']}"
        + (f", classifier {by}" if (by := report.get("classifier")) else ""),
        f"{'label':<16}{'precision':>10}{'recall':>8}{'F1':>7}  {'95 % interval':<15}{'true':>6}{'applied':>9}",
    ]
    for label, row in report["labels"].items():
        interval = f"{row['f1_low']:.2f} to {row['f1_high']:.2f}"
        lines.append(
            f"{label:<16}{row['precision']:>10.3f}{row['recall']:>8.3f}{row['f1']:>7.3f}  {interval:<15}"
            f"{row['true']:>6}{row['applied']:>9}"
        )
    lines.append(f"macro F1 of {', '.join(report['macro_of'])}: {report['macro_f1']:.3f}")
    lines.append(f"recall of {TOPIC} at the digest's threshold: {report['digest_recall']:.3f}")
    for title in ("kinds", "states"):
        lines.append("")
        lines.append(f"{title:<16}{'bills':>6}{'in scope F1':>13}{'macro F1':>10}")
        for name, row in report[title].items():
            lines.append(f"{name:<16}{row['bills']:>6}{_shown(row['in_scope_f1']):>13}{_shown(row['macro_f1']):>10}")
    return "\n".join(lines)


def _counted(truth: Truths, applied: Truths, draws: NDArray[np.int64]) -> dict[str, float | int]:
    both = int((truth & applied).sum())
    spread = [_f1(truth[d], applied[d]) or 0.0 for d in draws]
    low, high = np.percentile(spread, [2.5, 97.5])
    return {
        "precision": round(both / max(1, int(applied.sum())), 4),
        "recall": round(both / max(1, int(truth.sum())), 4),
        "f1": round(_f1(truth, applied) or 0.0, 4),
        "f1_low": round(float(low), 4),
        "f1_high": round(float(high), 4),
        "true": int(truth.sum()),
        "applied": int(applied.sum()),
    }


def _f1(truth: Truths, applied: Truths) -> float | None:
    total = int(truth.sum() + applied.sum())
    return 2 * int((truth & applied).sum()) / total if total else None


def _macro(truth: Truths, applied: Truths, columns: Sequence[int]) -> float | None:
    values = [v for n in columns if (v := _f1(truth[:, n], applied[:, n])) is not None]
    return round(float(np.mean(values)), 4) if values else None


def _part(truth: Truths, applied: Truths, columns: Sequence[int], chosen: Sequence[bool]) -> dict[str, Any]:
    rows = np.array(chosen, dtype=bool)
    scope = _f1(truth[rows, 0], applied[rows, 0])
    return {
        "bills": int(rows.sum()),
        "in_scope_f1": None if scope is None else round(scope, 4),
        "macro_f1": _macro(truth[rows], applied[rows], columns),
    }


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
