"""A trained model: a folder of plain arrays and JSON, chosen by the playbook's name.

`model.json` holds what was trained on what, the weights of topic cues and of the last step; `linear.npz`
the linear model; `trees.npz` the last step's trees; `encoder.onnx` with `vocabulary.txt` the small encoder, which may
be absent: the last step is learnt for both cases. Scores are rounded before they are compared, so that the last
bits of a processor's arithmetic do not matter.
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
from tracker.classify.encoder import FILE, VOCABULARY, Encoder, summaries
from tracker.classify.laststep import LastStep
from tracker.classify.signals import signals
from tracker.classify.trees import Trees

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
                self._scale = arrays["scale"].astype(np.float64)
                self._weights = arrays["weights"]
                self._bias = arrays["bias"].astype(np.float64)
            self.labels: list[str] = list(self.about["labels"])
            self.topic_weights: dict[str, float] = self.about["topic_weights"]
            self._last = _last_steps(folder, self.about["last_step"])
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"{folder}: is not a model folder ({error}); train it again with 'billtracker train'."
            ) from error
        self.encoder = Encoder(folder) if (folder / FILE).is_file() else None
        self.hash = _hash(folder)

    @classmethod
    def for_playbook(cls, name: str, folder: Path = FOLDER) -> Model | None:
        """The model trained for the playbook of that name, if there is one."""
        return cls(folder / name) if (folder / name / "model.json").is_file() else None

    def linear_scores(self, found: Candidates) -> NDArray[np.float64]:
        """One logit per label from the linear model."""
        places, values = linear.features(found)
        if not len(places):
            return np.array(self._bias)
        return np.array((self._weights[:, places].astype(np.float64) @ values) * self._scale + self._bias)

    def score(self, title: str, found: Candidates) -> tuple[dict[str, float], NDArray[np.float64] | None]:
        """Calibrated scores between 0 and 1 by label, and the encoder's logits of header and passages (the mean of its
        heads) where it was asked.
        """
        scores = np.round(self.linear_scores(found), 3)
        plain = self._last_step("plain", scores, None, found)
        # a bill that the linear reading finds far out of scope is not worth the encoder
        if self.encoder is None or plain[TOPIC] < float(self.about["encoder_from"]):
            return plain, None
        said = self.encoder.score(title, found, plain[TOPIC])
        return self._last_step("full", scores, summaries(said), found), said.mean(axis=0)

    def _last_step(
        self, kind: str, scores: NDArray[np.float64], encoded: NDArray[np.float64] | None, found: Candidates
    ) -> dict[str, float]:
        return {
            label: self._last[kind][label].score(signals(self.labels, number, scores, encoded, found))
            for number, label in enumerate(self.labels)
        }


def _last_steps(folder: Path, about: dict[str, dict[str, Any]]) -> dict[str, dict[str, LastStep]]:
    with np.load(folder / "trees.npz", allow_pickle=False) as arrays:
        return {
            kind: {
                label: LastStep(
                    values, Trees(arrays, f"{kind}/{label}/") if f"{kind}/{label}/roots" in arrays else None
                )
                for label, values in by_label.items()
            }
            for kind, by_label in about.items()
        }


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.name in ("model.json", "linear.npz", "trees.npz", FILE, VOCABULARY):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
