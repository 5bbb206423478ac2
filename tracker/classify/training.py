"""Makes a new model from labelled bills, and refuses it where it is worse than the one in use.

The linear model and the last step are trained here, by state: every score the last step learns from comes
from a model that has not seen that bill's state. The encoder is kept as it is; `crossfit.npz` holds, by
bill, what encoders that had not seen the bill's state said of it. Needs the `train` extra (scikit-learn).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.classify import gold, linear
from tracker.classify.bill import Bill, read
from tracker.classify.candidates import Candidates, Reader
from tracker.classify.encoder import FILE, Encoder, summary
from tracker.classify.model import TOPIC, ModelError
from tracker.classify.signals import signals
from tracker.playbook import Playbook

FOLDS = 3
WORSE_BY = 0.01
"""A new model may lose this much macro F1 on the frozen set before it is refused: less is noise."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What training gave: cross-fitted F1 by label on the frozen set, the same of the model in use, and
    the verdict.
    """

    f1: dict[str, float]
    before: dict[str, float] | None
    accepted: bool
    reason: str


def train(
    bills: Sequence[Mapping[str, Any]],
    frozen: Sequence[Mapping[str, Any]],
    playbook: Playbook,
    folder: Path,
    judged: Sequence[str] = (),
) -> Outcome:
    """Train on `bills` and `frozen` together and write the model into `folder`, unless it is worse on
    `frozen`.

    `frozen` is judged by scores of models that did not see its states. `judged` are the strategies whose
    mean F1 decides (default: all of the playbook). Raises ModelError without the `train` extra or with
    too few labels.
    """
    everything = [*frozen, *bills]
    labels = [TOPIC, *playbook.strategies]
    truth = np.array([[bool(b["labels"].get(label)) for label in labels] for b in everything], dtype=np.float64)
    if truth.sum(axis=0).min() < 5:
        scarce = labels[int(truth.sum(axis=0).argmin())]
        raise ModelError(f"'{scarce}' is true in fewer than five labelled bills; label more before training.")
    weight = np.array([gold.certainty(b) for b in everything])
    read_bills = [read(b) for b in everything]
    weights = topic_weights(playbook, read_bills, truth[:, 0])
    reader = Reader(playbook, weights)
    found = [reader.candidates(bill) for bill in read_bills]
    place = [str(b.get("jurisdiction")) for b in everything]
    if len(set(place)) < FOLDS:
        raise ModelError(f"The labelled bills are of fewer than {FOLDS} states; label bills of more states.")
    fold = folds(place)
    matrix = _matrix(found)
    crossed = np.zeros_like(truth)
    for number in range(FOLDS):
        seen = fold != number
        part = _fit_linear(matrix[seen], truth[seen], weight[seen])
        crossed[~seen] = matrix[~seen] @ part[0].T + part[1]
    encoded = _encoded(folder, everything, read_bills, found)
    last: dict[str, dict[str, Any]] = {"plain": {}}
    judged_scores = {"plain": np.zeros_like(truth)}
    if encoded is not None:
        last["full"], judged_scores["full"] = {}, np.zeros_like(truth)
    count = min(10, len(set(place)))
    states = folds(place, count)
    for kind in last:
        for number, label in enumerate(labels):
            given = np.stack(
                [
                    signals(
                        labels,
                        number,
                        crossed[i],
                        encoded[i] if kind == "full" and encoded is not None else None,
                        found[i],
                    )
                    for i in range(len(found))
                ]
            )
            for part_number in range(count):
                seen = states != part_number
                model = _logistic(given[seen], truth[seen, number], weight[seen])
                judged_scores[kind][~seen, number] = model.predict_proba(given[~seen])[:, 1]
            model = _logistic(given, truth[:, number], weight)
            last[kind][label] = {
                "bias": round(float(model.intercept_[0]), 6),
                "weights": [round(float(w), 6) for w in model.coef_[0]],
            }
    scores = judged_scores["full" if encoded is not None else "plain"]
    thresholds = {label: best_threshold(truth[:, n], scores[:, n]) for n, label in enumerate(labels)}
    part_frozen = slice(0, len(frozen))
    f1 = {
        label: f_score(truth[part_frozen, n], scores[part_frozen, n] >= thresholds[label])
        for n, label in enumerate(labels)
    }
    before = _before(folder)
    deciding = [TOPIC, *(judged or playbook.strategies)]
    outcome = _verdict(f1, before, deciding)
    if outcome.accepted:
        whole = _fit_linear(matrix, truth, weight)
        about = {
            "labels": labels,
            "playbook": playbook.hash,
            "trained_on": len(everything),
            "frozen": len(frozen),
            "crossfitted_f1": {label: round(value, 4) for label, value in f1.items()},
            "best_thresholds": thresholds,
            "digest_threshold": recall_threshold(truth[:, 0], scores[:, 0], 0.96),
            "encoder_from": 0.04,
            "topic_weights": weights,
            "last_step": last,
        }
        _write(folder, whole, about)
    return outcome


def topic_weights(playbook: Playbook, bills: Sequence[Bill], in_scope: Floats) -> dict[str, float]:
    """How much each topic cue tells: its smoothed log odds in labelled bills, raised so that none is
    useless.
    """
    cues = Reader(playbook).topic
    there: Counter[int] = Counter()
    true: Counter[int] = Counter()
    for bill, value in zip(bills, in_scope, strict=True):
        for number in cues.found(" ".join((bill.title, *bill.abstracts, bill.text)).lower().replace("-", " ")):
            there[number] += 1
            true[number] += int(value)
    return {
        cues.phrases[n]: round(max(0.15, math.log((true[n] + 0.5) / (there[n] - true[n] + 1.0)) + 1.6), 3)
        for n in sorted(there)
    }


def folds(states: Sequence[str], count: int = FOLDS) -> NDArray[np.int64]:
    """A fold for each bill; bills of one state share it, and folds are about equally large."""
    sizes = [0] * count
    place: dict[str, int] = {}
    for state, number in sorted(Counter(states).items(), key=lambda pair: (-pair[1], pair[0])):
        place[state] = sizes.index(min(sizes))
        sizes[place[state]] += number
    return np.array([place[state] for state in states])


def f_score(truth: Floats, applied: NDArray[np.bool_]) -> float:
    """F1, 0 where nothing is true and nothing applied."""
    both = float((applied & (truth > 0)).sum())
    return 2 * both / max(1.0, float(applied.sum() + truth.sum()))


def best_threshold(truth: Floats, scores: Floats) -> float:
    """The threshold with the best F1, as the middle of the thresholds that come within 0.005 of it."""
    tried = [round(0.05 + 0.01 * n, 2) for n in range(90)]
    values = [f_score(truth, scores >= t) for t in tried]
    good = [t for t, value in zip(tried, values, strict=True) if value >= max(values) - 0.005]
    return good[len(good) // 2]


def recall_threshold(truth: Floats, scores: Floats, recall: float) -> float:
    """The highest threshold that still finds this share of what is true."""
    true = np.sort(scores[truth > 0])
    return round(float(true[int((1 - recall) * len(true))]) - 0.0005, 3)


def _logistic(given: Any, truth: Floats, weight: Floats, strength: float = 0.1) -> Any:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ModelError("Training needs scikit-learn; install the 'train' extra.") from error
    return LogisticRegression(C=strength, max_iter=500).fit(given, truth, sample_weight=weight)


def _fit_linear(matrix: Any, truth: Floats, weight: Floats) -> tuple[Floats, Floats]:
    # only the places that occur: the others would stay zero, at a cost
    used = np.flatnonzero(matrix.getnnz(axis=0))
    part = matrix[:, used]
    models = [_logistic(part, truth[:, n], weight * (1 + truth[:, n]), 8.0) for n in range(truth.shape[1])]
    weights = np.zeros((truth.shape[1], matrix.shape[1]))
    weights[:, used] = np.stack([m.coef_[0] for m in models])
    return weights, np.array([m.intercept_[0] for m in models])


def _matrix(found: Sequence[Candidates]) -> Any:
    from scipy.sparse import csr_matrix

    rows = [linear.features(one) for one in found]
    start = np.cumsum([0, *(len(places) for places, _ in rows)])
    places, values = (np.concatenate([row[n] for row in rows]) for n in (0, 1))
    return csr_matrix((values, places, start), shape=(len(rows), 1 << linear.BITS))


def _encoded(
    folder: Path, bills: Sequence[Mapping[str, Any]], read_bills: Sequence[Bill], found: Sequence[Candidates]
) -> Floats | None:
    if not (folder / FILE).is_file():
        return None
    known: dict[str, Floats] = {}
    if (folder / "crossfit.npz").is_file():
        with np.load(folder / "crossfit.npz", allow_pickle=False) as arrays:
            known = dict(zip(arrays["keys"].tolist(), arrays["scores"].astype(np.float64), strict=True))
    encoder = Encoder(folder)
    rows = []
    for given, bill, one in zip(bills, read_bills, found, strict=True):
        row = known.get(gold.key(given))
        rows.append(summary(encoder.score(bill.title, one)) if row is None else row)
    return np.stack(rows)


def _before(folder: Path) -> dict[str, float] | None:
    path = folder / "model.json"
    if not path.is_file():
        return None
    return dict(json.loads(path.read_text(encoding="utf-8"))["crossfitted_f1"])


def _verdict(f1: dict[str, float], before: dict[str, float] | None, deciding: Sequence[str]) -> Outcome:
    new = float(np.mean([f1[label] for label in deciding]))
    if before is None:
        return Outcome(f1, None, True, f"Accepted: there was no model before; mean F1 {new:.3f}.")
    old = float(np.mean([before.get(label, 0.0) for label in deciding]))
    if new < old - WORSE_BY:
        return Outcome(
            f1,
            before,
            False,
            f"Refused: mean F1 on the frozen set {new:.3f}, the model in use has {old:.3f}.",
        )
    return Outcome(f1, before, True, f"Accepted: mean F1 on the frozen set {new:.3f}, before {old:.3f}.")


def _write(folder: Path, whole: tuple[Floats, Floats], about: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights, bias = whole
    scale = np.maximum(np.abs(weights).max(axis=1), 1e-9) / 127
    small = np.round(weights / scale[:, None]).astype(np.int8)
    np.savez_compressed(folder / "linear.npz", weights=small, scale=scale, bias=bias)
    text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=True)
    (folder / "model.json").write_text(text + "\n", encoding="utf-8")
