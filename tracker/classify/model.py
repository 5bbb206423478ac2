"""A trained model: a folder of plain arrays and JSON, chosen by the playbook's name.

`model.json` holds what was trained on what, the weights of topic cues and of the last step; `linear.npz` the linear
model; `encoder.onnx` with `vocabulary.txt` the small encoder, which may be absent: the last step has weights for both
cases. Scores are rounded before they are compared, so that the last bits of a processor's arithmetic do not matter.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.classify import linear
from tracker.classify.candidates import Candidates

FOLDER = Path(__file__).with_name("models")
TOPIC = "in_scope"


class ModelError(ValueError):
    """A model folder that cannot be used; the message says which file and why."""


class Model:
    """Scores of a playbook's labels for the candidates of one bill."""

    def __init__(self, folder: Path) -> None:
        try:
            self.about: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            with np.load(folder / "linear.npz", allow_pickle=False) as arrays:
                self._weights = arrays["weights"].astype(np.float32)
                self._bias = arrays["bias"].astype(np.float64)
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"{folder}: is not a model folder ({error}); train it again with 'billtracker train'."
            ) from error
        self.labels: list[str] = list(self.about["labels"])
        self.topic_weights: dict[str, float] = self.about["topic_weights"]
        self.hash = _hash(folder)

    @classmethod
    def for_playbook(cls, name: str, folder: Path = FOLDER) -> Model | None:
        """The model trained for the playbook of that name, if there is one."""
        return cls(folder / name) if (folder / name / "model.json").is_file() else None

    def linear_scores(self, found: Candidates) -> NDArray[np.float64]:
        """One logit per label from the linear model."""
        places, values = linear.features(found)
        if not len(places):
            return self._bias
        return np.asarray(self._weights[:, places].astype(np.float64) @ values + self._bias)

    def score(self, found: Candidates) -> dict[str, float]:
        """Calibrated scores between 0 and 1 by label."""
        signal = signals(self.labels, self.linear_scores(found), found)
        scores: dict[str, float] = {}
        for label, last in self.about["last_step"]["plain"].items():
            logit = last["bias"] + float(np.dot(last["weights"], signal))
            scores[label] = float(1.0 / (1.0 + np.exp(-np.clip(logit, -30, 30))))
        return scores


def signals(labels: list[str], scores: NDArray[np.float64], found: Candidates) -> NDArray[np.float64]:
    """What the last step weighs: linear scores, and where the cues of topic and strategy meet."""
    values = list(np.clip(scores, -6, 6) / 2)
    values.append(min(3, len(found.header_topic)) / 3)
    values.append(1.0 if found.passages else 0.0)
    values.append(max((c.rank for c in found.passages), default=0.0) / 20)
    for label in labels:
        if label == TOPIC:
            continue
        values.append(min(3, len(found.header_mechanisms.get(label, ()))) / 3)
        values.append(max((min(4, len(c.mechanisms.get(label, ()))) for c in found.passages if c.topic), default=0) / 4)
    return np.array(values, dtype=np.float64)


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".npz", ".onnx", ".txt"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
