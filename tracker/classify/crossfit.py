"""What encoders said of labelled bills that they had not seen: kept by bill, as keys and scores only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = "crossfit.npz"
Floats = NDArray[np.float64]


def load(folder: Path) -> dict[str, Floats]:
    """`encoder.summaries` by the bill's key (`gold.key`)."""
    if not (folder / FILE).is_file():
        return {}
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        return dict(zip(arrays["keys"].tolist(), arrays["scores"].astype(np.float64), strict=True))


def save(folder: Path, summaries: Mapping[str, Floats]) -> None:
    """Write the file anew."""
    keys = sorted(summaries)
    scores = np.stack([summaries[key] for key in keys]).astype(np.float16)
    np.savez_compressed(folder / FILE, keys=np.array(keys), scores=scores)
