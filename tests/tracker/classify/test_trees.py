"""Trees read from plain arrays say what the library that grew them says."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.classify.trees import Trees, flattened


def test_flattened_trees_agree_with_those_that_were_grown() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    chance = np.random.default_rng(1)
    given = chance.normal(size=(400, 5)).astype(np.float32).astype(np.float64)
    truth = (given[:, 0] * given[:, 1] + 0.3 * given[:, 2] > 0).astype(int)
    grown = ensemble.HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=6, random_state=0).fit(given, truth)
    trees = Trees({f"x_{name}": array for name, array in flattened(grown).items()}, "x_")
    new = chance.normal(size=(200, 5))
    ours = np.array([trees.logit(row) for row in new])
    assert ours == pytest.approx(grown.decision_function(new), abs=1e-4)
