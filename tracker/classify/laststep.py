"""The last step: signals to a score between 0 and 1, by label. The mean of a logistic regression and of small trees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.classify.trees import Trees, flattened

Floats = NDArray[np.float64]


class LastStep:
    """One label's last step, from what `fit` gave. Without trees the regression decides alone."""

    def __init__(self, about: dict[str, Any], trees: Trees | None = None) -> None:
        self._bias = float(about["bias"])
        self._weights = np.array(about["weights"], dtype=np.float64)
        self._trees = trees

    def score(self, given: Floats) -> float:
        """A calibrated score."""
        plain = _squash(self._bias + float(np.dot(self._weights, given)))
        return plain if self._trees is None else (plain + _squash(self._trees.logit(given))) / 2.0


def _squash(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-min(30.0, max(-30.0, logit)))))


def fit(given: Floats, truth: Floats, weight: Floats) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Learn one label's last step: the regression as JSON values, the trees as arrays. Needs scikit-learn."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    middle, spread = given.mean(axis=0), given.std(axis=0) + 1e-6
    regression = LogisticRegression(C=0.03, max_iter=500).fit((given - middle) / spread, truth, sample_weight=weight)
    weights = regression.coef_[0] / spread
    bias = float(regression.intercept_[0] - np.dot(weights, middle))
    trees = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.05,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        l2_regularization=3.0,
        early_stopping=False,
        random_state=0,
    ).fit(given, truth, sample_weight=weight)
    return {"bias": round(bias, 6), "weights": [round(float(w), 6) for w in weights]}, flattened(trees)
