"""The dear reading: a small encoder, fine-tuned on provisions, that scores a header and its best passages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tracker.classify.candidates import Candidates
from tracker.classify.wordpiece import WordPiece

MAX_PIECES, TITLE_PIECES = 150, 30
FILE, VOCABULARY = "encoder.onnx", "vocabulary.txt"
_DIGITS = 3


class Encoder:
    """Scores items: one logit per label for the header and for each passage read with the title before it."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        # one thread and no reordering between runs: sums are taken in the same order everywhere
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / FILE), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._pieces = WordPiece(folder / VOCABULARY)

    def score(self, title: str, found: Candidates) -> NDArray[np.float64]:
        """Logits, one row for the header and one for each passage, in their order."""
        rows = [self._row(found.header)]
        rows += [self._row(c.passage.text, title) for c in found.passages]
        return np.stack(rows)

    def quotes(self, title: str, quotes: list[str]) -> NDArray[np.float64]:
        """Logits of quotes, one row each."""
        return np.stack([self._row(quote, title) for quote in quotes])

    def _row(self, text: str, title: str | None = None) -> NDArray[np.float64]:
        mark = self._pieces.separator
        ids = [self._pieces.start]
        if title is not None:
            ids += [*self._pieces.numbers(title, TITLE_PIECES), mark]
        ids += [*self._pieces.numbers(text, MAX_PIECES - 1 - len(ids)), mark]
        # one item at a time: padding to a longer neighbour would change the scales of the quantised sums
        fed = {"ids": np.array([ids], dtype=np.int64), "mask": np.ones((1, len(ids)), dtype=np.int64)}
        logits = self._session.run(None, fed)[0]
        row: NDArray[np.float64] = np.round(np.asarray(logits, dtype=np.float64)[0], _DIGITS)
        return row


def summary(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the last step sees of the items' logits, six rows by label.

    Header; best passage; second-best passage; best passage where topic and label meet; best item; whether
    any passage.
    """
    header, passages = rows[0], rows[1:]
    if not len(passages):
        nothing = np.zeros_like(header)
        return np.stack([header, nothing, nothing, nothing, header, nothing])
    ordered = np.sort(passages, axis=0)[::-1]
    second = ordered[1] if len(ordered) > 1 else ordered[0] - 1
    meeting = np.minimum(passages[:, :1], passages).max(axis=0)
    return np.stack([header, ordered[0], second, meeting, rows.max(axis=0), np.ones_like(header)])
