"""Boosted decision trees as plain arrays: read without the library that grew them, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DEPTH = 12


class Trees:
    """The trees of one label. All nodes lie in one row; `roots` are the trees' first nodes; a leaf points to itself."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        self._feature: NDArray[np.int64] = arrays[prefix + "feature"].astype(np.int64)
        self._threshold: Floats = arrays[prefix + "threshold"].astype(np.float64)
        self._left: NDArray[np.int64] = arrays[prefix + "left"].astype(np.int64)
        self._right: NDArray[np.int64] = arrays[prefix + "right"].astype(np.int64)
        self._value: Floats = arrays[prefix + "value"].astype(np.float64)
        self._roots: NDArray[np.int64] = arrays[prefix + "roots"].astype(np.int64)

    def logit(self, given: Floats) -> float:
        """The sum over all trees, the starting value included."""
        at = self._roots
        for _ in range(DEPTH):
            goes_left = given[self._feature[at]] <= self._threshold[at]
            at = np.where(goes_left, self._left[at], self._right[at])
        # fsum-like order: one running sum, so that the order of additions is always the same
        return float(np.add.accumulate(self._value[at])[-1])


def flattened(grown: Any) -> dict[str, NDArray[Any]]:
    """The arrays of a fitted scikit-learn HistGradientBoostingClassifier with one output.

    Thresholds are rounded to single precision, like the arrays that are kept.
    """
    parts: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    # the starting value is a tree of one leaf
    roots, start = [0], 1
    for name, value in (("feature", 0), ("threshold", 0.0), ("left", 0), ("right", 0)):
        parts[name].append(value)
    parts["value"].append(float(grown._baseline_prediction.ravel()[0]))
    for (predictor,) in grown._predictors:
        nodes = predictor.nodes
        if int(nodes["depth"].max()) >= DEPTH:
            raise ValueError("a tree is deeper than can be read")
        here = np.arange(len(nodes)) + start
        leaf = nodes["is_leaf"].astype(bool)
        parts["feature"] += np.where(leaf, 0, nodes["feature_idx"]).tolist()
        parts["threshold"] += np.where(leaf, 0.0, nodes["num_threshold"]).tolist()
        parts["left"] += np.where(leaf, here, nodes["left"] + start).tolist()
        parts["right"] += np.where(leaf, here, nodes["right"] + start).tolist()
        parts["value"] += np.where(leaf, nodes["value"], 0.0).tolist()
        roots.append(start)
        start += len(nodes)
    return {
        "feature": np.array(parts["feature"], dtype=np.int16),
        "threshold": np.array(parts["threshold"], dtype=np.float32),
        "left": np.array(parts["left"], dtype=np.int32),
        "right": np.array(parts["right"], dtype=np.int32),
        "value": np.array(parts["value"], dtype=np.float32),
        "roots": np.array(roots, dtype=np.int32),
    }
