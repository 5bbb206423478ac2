"""Makes a new model from labelled bills, and refuses it where it is worse than the one in use.

The linear model and the last step are trained here, by state: every score the last step learns from comes
from a model that has not seen that bill's state. The encoder is kept as it is (`training/` makes it);
`crossfit.npz` holds, by bill, what encoders that had not seen the bill's state said of it. Needs the `train`
extra (scikit-learn).
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

from tracker.classify import crossfit, evaluation, gold, laststep, linear
from tracker.classify.bill import Bill, read
from tracker.classify.candidates import Candidates, Reader
from tracker.classify.encoder import FILE, Encoder, summaries
from tracker.classify.laststep import LastStep
from tracker.classify.measures import FOLDS, best_threshold, folds, recall_threshold
from tracker.classify.model import TOPIC, ModelError
from tracker.classify.signals import signals
from tracker.classify.trees import Trees
from tracker.playbook import Playbook

FEWEST = 5
LAST_FOLDS = 6
WORSE_BY = 0.01
"""A new model may lose this much macro F1 on the frozen set before it is refused: less is noise."""

LOST_UNREAD = 0.004
"""The share of bills that belong into a digest which may be lost because the encoder is not asked of them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What training gave: cross-fitted F1 by label on the frozen set, the same of the model in use, the verdict,
    and the whole cross-fitted report (`evaluation.measured`).
    """

    f1: dict[str, float]
    before: dict[str, float] | None
    accepted: bool
    reason: str
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled bills as they are learnt from. `truth` is bills x labels: 1, 0, or NaN where nobody said."""

    labels: list[str]
    found: list[Candidates]
    truth: Floats
    weight: Floats
    states: list[str]
    encoded: Floats | None
    topic_weights: dict[str, float]

    def known(self, number: int, among: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Rows in which label `number` is known, of all or of some rows."""
        there = ~np.isnan(self.truth[:, number])
        return np.flatnonzero(there if among is None else there & among)


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
    mean F1 decides (default: all of the playbook). A label that a bill does not name is left open. Raises
    ModelError without the `train` extra, with too few labels, or with too few states.
    """
    given = _examples([*frozen, *bills], playbook, folder)
    last, scores, cheap = _last_steps(given)
    thresholds = {}
    # bills that a model picked to be read are not the mix that thresholds are for
    picked = np.array([b.get("source") == "read" for b in [*frozen, *bills]])
    for number, label in enumerate(given.labels):
        rows = given.known(number, ~picked)
        thresholds[label] = best_threshold(given.truth[rows, number], scores[rows, number])
    report = _report(given, scores, thresholds, frozen, playbook)
    f1 = {label: float(row["f1"]) for label, row in report["labels"].items()}
    before = _before(folder)
    outcome = Outcome(f1, before, *_verdict(f1, before, [TOPIC, *(judged or playbook.strategies)]), report)
    if outcome.accepted:
        about = {
            "labels": given.labels,
            "playbook": playbook.hash,
            "trained_on": len(given.found),
            "frozen": len(frozen),
            "crossfitted_f1": f1,
            "best_thresholds": thresholds,
            "digest_threshold": _digest_threshold(given, scores),
            "encoder_from": _encoder_from(given, scores, cheap),
            "topic_weights": given.topic_weights,
            "last_step": {kind: {label: pair[0] for label, pair in by.items()} for kind, by in last.items()},
        }
        trees = {
            f"{kind}/{label}/{name}": array
            for kind, by in last.items()
            for label, (_, arrays) in by.items()
            for name, array in arrays.items()
        }
        _write(folder, _fit_linear(given, np.ones(len(given.found), dtype=bool)), trees, about)
        (folder / evaluation.QUALITY).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return outcome


def _examples(bills: Sequence[Mapping[str, Any]], playbook: Playbook, folder: Path) -> Examples:
    labels = [TOPIC, *playbook.strategies]
    truth = np.array(
        [[float(b["labels"][label]) if label in b["labels"] else np.nan for label in labels] for b in bills]
    )
    true = np.nansum(truth, axis=0)
    if true.min() < FEWEST:
        scarce = labels[int(true.argmin())]
        raise ModelError(f"'{scarce}' is true in fewer than five labelled bills; label more before training.")
    states = [str(b.get("jurisdiction")) for b in bills]
    if len(set(states)) < FOLDS:
        raise ModelError(f"The labelled bills are of fewer than {FOLDS} states; label bills of more states.")
    read_bills = [read(b) for b in bills]
    weights = _kept_weights(folder) or topic_weights(playbook, read_bills, truth[:, 0])
    reader = Reader(playbook, weights)
    found = [reader.candidates(bill) for bill in read_bills]
    return Examples(
        labels=labels,
        found=found,
        truth=truth,
        weight=np.array([gold.certainty(b) for b in bills]),
        states=states,
        encoded=_encoded(folder, bills, read_bills, found),
        topic_weights=weights,
    )


def _last_steps(given: Examples) -> tuple[dict[str, dict[str, Any]], Floats, Floats]:
    """The last step by kind and label, the cross-fitted scores of the fullest kind, and the topic's of the plain."""
    crossed = np.round(_crossed(given), 3)
    parts = folds(given.states, min(LAST_FOLDS, len(set(given.states))))
    last: dict[str, dict[str, Any]] = {}
    scores = np.zeros_like(given.truth)
    cheap = np.zeros(len(given.truth))
    kinds = ("plain", "full") if given.encoded is not None else ("plain",)
    for kind in kinds:
        last[kind] = {}
        for number, label in enumerate(given.labels):
            rows = np.stack([_signals(given, crossed, kind, number, n) for n in range(len(given.found))])
            for part in range(parts.max() + 1 if kind == kinds[-1] or number == 0 else 0):
                seen = given.known(number, parts != part)
                step = _step(laststep_of(rows[seen], given.truth[seen, number], given.weight[seen]))
                for n in np.flatnonzero(parts == part):
                    scores[n, number] = step.score(rows[n])
            if kind == "plain" and number == 0:
                cheap = scores[:, 0].copy()
            known = given.known(number)
            last[kind][label] = laststep_of(rows[known], given.truth[known, number], given.weight[known])
    return last, scores, cheap


def laststep_of(rows: Floats, truth: Floats, weight: Floats) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """`laststep.fit`, with one sentence where the `train` extra is not there."""
    try:
        return laststep.fit(rows, truth, weight)
    except ImportError as error:
        raise ModelError("Training needs scikit-learn; install the 'train' extra.") from error


def _step(fitted: tuple[dict[str, Any], dict[str, NDArray[Any]]]) -> LastStep:
    about, arrays = fitted
    return LastStep(about, Trees(arrays, ""))


def _signals(given: Examples, crossed: Floats, kind: str, number: int, row: int) -> Floats:
    encoded = given.encoded[row] if kind == "full" and given.encoded is not None else None
    return signals(given.labels, number, crossed[row], encoded, given.found[row])


def _crossed(given: Examples) -> Floats:
    """Linear logits of every bill by a model that saw no bill of its state."""
    fold = folds(given.states)
    crossed = np.zeros_like(given.truth)
    matrix = _matrix(given.found)
    for number in range(FOLDS):
        weights, bias = _fit_linear(given, fold != number, matrix)
        crossed[fold == number] = matrix[fold == number] @ weights.T + bias
    return crossed


def _report(
    given: Examples,
    scores: Floats,
    thresholds: dict[str, float],
    frozen: Sequence[Mapping[str, Any]],
    playbook: Playbook,
) -> dict[str, Any]:
    """How good tags are on the frozen bills, applied as the service does: no strategy without the topic."""
    rows = slice(0, len(frozen))
    applied = scores[rows] >= np.array([thresholds[label] for label in given.labels])
    applied &= applied[:, :1]
    wanted = scores[rows, 0] >= _digest_threshold(given, scores)
    about = {"gold": "the frozen set, each read by models that saw no bill of its state", "thresholds": thresholds}
    return about | evaluation.measured(frozen, given.truth[rows] == 1, applied, wanted, playbook)


def _digest_threshold(given: Examples, scores: Floats) -> float:
    rows = given.known(0)
    return recall_threshold(given.truth[rows, 0], scores[rows, 0], 0.96)


def _encoder_from(given: Examples, scores: Floats, cheap: Floats) -> float:
    """The highest score of the cheap reading below which the encoder is not asked: next to no bill that belongs into a
    digest is lost there.
    """
    rows = given.known(0)
    shown = (given.truth[rows, 0] > 0) & (scores[rows, 0] >= _digest_threshold(given, scores))
    tried = [round(0.02 + 0.01 * n, 2) for n in range(9)]
    good = [t for t in tried if (shown & (cheap[rows] < t)).sum() <= LOST_UNREAD * max(1, shown.sum())]
    return max(good, default=tried[0])


def _kept_weights(folder: Path) -> dict[str, float] | None:
    """The weights of the model in use, where it has an encoder: they chose the passages it was asked of."""
    if not ((folder / FILE).is_file() and (folder / "model.json").is_file()):
        return None
    return dict(json.loads((folder / "model.json").read_text(encoding="utf-8"))["topic_weights"])


def topic_weights(playbook: Playbook, bills: Sequence[Bill], in_scope: Floats) -> dict[str, float]:
    """How much each topic cue tells: its smoothed log odds in labelled bills, raised so that none is
    useless.
    """
    cues = Reader(playbook).topic
    there: Counter[int] = Counter()
    true: Counter[int] = Counter()
    for bill, value in zip(bills, in_scope, strict=True):
        if np.isnan(value):
            continue
        for number in cues.found(" ".join((bill.title, *bill.abstracts, bill.text)).lower().replace("-", " ")):
            there[number] += 1
            true[number] += int(value)
    return {
        cues.phrases[n]: round(max(0.15, math.log((true[n] + 0.5) / (there[n] - true[n] + 1.0)) + 1.6), 3)
        for n in sorted(there)
    }


def _fit_linear(given: Examples, among: NDArray[np.bool_], matrix: Any = None) -> tuple[Floats, Floats]:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ModelError("Training needs scikit-learn; install the 'train' extra.") from error
    matrix = _matrix(given.found) if matrix is None else matrix
    weights, biases = np.zeros((given.truth.shape[1], matrix.shape[1])), np.zeros(given.truth.shape[1])
    for number in range(given.truth.shape[1]):
        rows = given.known(number, among)
        # only the places that occur: the others would stay zero, at a cost
        used = np.flatnonzero(matrix[rows].getnnz(axis=0))
        truth = given.truth[rows, number]
        model = LogisticRegression(C=8.0, solver="liblinear", random_state=0)
        model.fit(matrix[rows][:, used], truth, sample_weight=given.weight[rows] * (1 + truth))
        weights[number, used], biases[number] = model.coef_[0], model.intercept_[0]
    return weights, biases


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
    known = crossfit.load(folder)
    encoder = Encoder(folder)
    rows = []
    for given, bill, one in zip(bills, read_bills, found, strict=True):
        row = known.get(gold.key(given))
        rows.append(summaries(encoder.score(bill.title, one)) if row is None else row)
    return np.stack(rows)


def _before(folder: Path) -> dict[str, float] | None:
    path = folder / "model.json"
    if not path.is_file():
        return None
    return dict(json.loads(path.read_text(encoding="utf-8"))["crossfitted_f1"])


def _verdict(f1: dict[str, float], before: dict[str, float] | None, deciding: Sequence[str]) -> tuple[bool, str]:
    new = float(np.mean([f1[label] for label in deciding]))
    if before is None:
        return True, f"Accepted: there was no model before; mean F1 {new:.3f}."
    old = float(np.mean([before.get(label, 0.0) for label in deciding]))
    if new < old - WORSE_BY:
        return False, f"Refused: mean F1 on the frozen set {new:.3f}, the model in use has {old:.3f}."
    return True, f"Accepted: mean F1 on the frozen set {new:.3f}, before {old:.3f}."


def _write(folder: Path, whole: tuple[Floats, Floats], trees: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights, bias = whole
    scale = np.maximum(np.abs(weights).max(axis=1), 1e-9) / 127
    small = np.round(weights / scale[:, None]).astype(np.int8)
    np.savez_compressed(folder / "linear.npz", weights=small, scale=scale, bias=bias)
    np.savez_compressed(folder / "trees.npz", **trees)  # type: ignore[arg-type]
    text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=True)
    (folder / "model.json").write_text(text + "\n", encoding="utf-8")
