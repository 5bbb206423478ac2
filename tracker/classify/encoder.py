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

DOUBTED, FAR_OFF_DOUBTED = 0.3, -2.0
"""Where the linear reading gives a bill less than the first, it is left at the second already, and items that the first
head puts there are not read by another. Of 1,716 labelled bills, scored by encoders that had not seen them, 4 change
sides on the topic and none in scope falls out of the digest.
"""

_BY_ALL_HEADS = -1000.0

_DIGITS = 3
_REMEMBERED = 256


class Encoder:
    """Scores items: the header, and each passage read with the title before it.

    The network may have several heads, each of which judges by itself: upper layers learnt apart over the same lower
    ones. Where the first finds an item to be far off the topic, the network does without the second and repeats what
    the first said (`training/fused.py`).
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

    def score(self, title: str, found: Candidates, likely: float = 1.0) -> NDArray[np.float64]:
        """Logits, heads x items x labels: the header first, then the passages in their order.

        Passages after the best are left out where header and that one are far off the topic. `likely` is how the cheap
        reading scores the bill on the topic.
        """
        doubted = likely < DOUBTED
        end = FAR_OFF_DOUBTED if doubted else FAR_OFF
        far = FAR_OFF_DOUBTED if doubted else _BY_ALL_HEADS
        rows = [self._row(found.header, None, far)]
        for number, one in enumerate(found.passages):
            if number == FIRST_PASSAGES and max(float(row[:, 0].mean()) for row in rows) < end:
                break
            rows.append(self._row(one.passage.text, title, far))
        return np.stack(rows, axis=1)

    def quote(self, title: str | None, quote: str) -> NDArray[np.float64]:
        """Logits of one quote, the mean of the heads, read after the bill's title or (None) alone."""
        said: NDArray[np.float64] = self._row(quote, title, FAR_OFF_DOUBTED).mean(axis=0)
        return said

    def _read(self, text: str, title: str | None, far: float) -> NDArray[np.float64]:
        ids = item_pieces(self._pieces, text, title)
        # one item at a time: padding to a longer neighbour would change the scales of the quantised sums
        fed = {"ids": np.array([ids], dtype=np.int64), "far": np.array([far], dtype=np.float32)}
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
