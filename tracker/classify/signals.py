"""What the last step weighs for one label: linear scores, the encoder's summary, and where cues meet."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tracker.classify.candidates import Candidates

Floats = NDArray[np.float64]
LIMIT = 8.0


def signals(labels: list[str], label: int, linear: Floats, encoded: Floats | None, found: Candidates) -> Floats:
    """The signals of label number `label`; the topic is label 0. `encoded` is `encoder.summaries`, or None
    without it.
    """
    linear = np.clip(linear, -LIMIT, LIMIT)
    values = [float(linear[label]), *linear.tolist(), *_cues(labels[label], label == 0, found)]
    if encoded is not None:
        for head in np.clip(encoded, -LIMIT, LIMIT):
            values += _places(label, head, bool(found.passages))
    return np.array(values, dtype=np.float64)


def _cues(name: str, is_topic: bool, found: Candidates) -> list[float]:
    """Cues in the header and where they meet, and what kind of record the bill is."""
    topic = [len(c.topic) for c in found.passages]
    meeting = [len(c.mechanisms.get(name, ())) for c in found.passages if c.topic]
    return [
        min(3.0, len(found.header_topic)),
        0.0 if is_topic else min(3.0, len(found.header_mechanisms.get(name, ()))),
        min(4.0, max(topic, default=0)),
        min(4.0, max(meeting, default=0)),
        float(found.together.get(name, 0)),
        float(len(found.passages)),
        math.log1p(found.header.count(" ")),
    ]


def _places(label: int, encoded: Floats, has_passages: bool) -> list[float]:
    """What header and passages say of the label and of its neighbours, by one head."""
    header, best, second, meeting, item, _ = encoded
    if not has_passages:
        # a bill without text has its header in place of passages
        best, second, meeting = header, header - 1.0, np.minimum(header, header[0])
    own = [header[label], best[label], second[label], meeting[label], item[label], item[0], header[0], best[0]]
    return [*(float(value) for value in own), *item.tolist(), *header.tolist()]
