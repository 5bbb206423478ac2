"""The dear reading: a small encoder, fine-tuned on provisions, that scores a header and its best passages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tracker.classify.candidates import Candidates
from tracker.classify.wordpiece import WordPiece

MAX_PIECES, TITLE_PIECES = 150, 30
FILE, VOCABULARY = "encoder.onnx", "vocabulary.txt"
FIRST_PASSAGES, FAR_OFF = 1, -4.0
"""Of 549 labelled bills in scope with a text, read by encoders that had not seen them, 4 end here; of all a sixth."""

_DIGITS = 3
_REMEMBERED = 256


class Encoder:
    """Scores items: the header, and each passage read with the title before it.

    The network may have several heads, each of which judges by itself: upper layers learnt apart over the same lower
    ones.
    """

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
        # strategies of a bill ask about the same quotes
        self._row = lru_cache(maxsize=_REMEMBERED)(self._read)

    def score(self, title: str, found: Candidates) -> NDArray[np.float64]:
        """Logits, heads x items x labels: the header first, then the passages in their order.

        Passages after the best are left out where header and that one are far off the topic.
        """
        rows = [self._row(found.header)]
        for number, one in enumerate(found.passages):
            if number == FIRST_PASSAGES and max(float(row[:, 0].mean()) for row in rows) < FAR_OFF:
                break
            rows.append(self._row(one.passage.text, title))
        return np.stack(rows, axis=1)

    def quotes(self, title: str | None, quotes: list[str]) -> NDArray[np.float64]:
        """Logits of quotes, the mean of the heads, one row each, read after the bill's title or (None) alone."""
        return np.stack([self._row(quote, title).mean(axis=0) for quote in quotes])

    def _read(self, text: str, title: str | None = None) -> NDArray[np.float64]:
        ids = item_pieces(self._pieces, text, title)
        # one item at a time: padding to a longer neighbour would change the scales of the quantised sums
        fed = {"ids": np.array([ids], dtype=np.int64), "mask": np.ones((1, len(ids)), dtype=np.int64)}
        logits = [np.asarray(head, dtype=np.float64)[0] for head in self._session.run(None, fed)]
        return np.round(np.stack(logits), _DIGITS)


def item_pieces(words: WordPiece, text: str, title: str | None) -> list[int]:
    """The piece numbers of one item as the network reads it: the title, where there is one, then the text."""
    ids = [words.start]
    if title is not None:
        ids += [*words.numbers(title, TITLE_PIECES), words.separator]
    return [*ids, *words.numbers(text, MAX_PIECES - 1 - len(ids)), words.separator]


def summaries(said: NDArray[np.float64]) -> NDArray[np.float64]:
    """`summary` of each head: heads x 6 x labels."""
    return np.stack([summary(rows) for rows in said])


def summary(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the last step sees of the items' logits by one head, six rows by label.

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
