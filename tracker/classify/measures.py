"""Small measures of training: folds by state, F1, and thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FOLDS = 3
Floats = NDArray[np.float64]


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
