"""What the last step weighs for one label: linear scores, encoder scores, and where cues meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracker.classify.candidates import Candidates


def signals(
    labels: list[str],
    label: int,
    linear: NDArray[np.float64],
    encoded: NDArray[np.float64] | None,
    found: Candidates,
) -> NDArray[np.float64]:
    """The signals of label number `label`; the topic is label 0. `encoded` is `encoder.summary`, or None
    without it.
    """
    linear = np.clip(linear, -8, 8)
    values = [linear[label] / 2, linear[0] / 2, 1.0 if found.passages else 0.0]
    values += list(linear / 4)
    name = labels[label]
    if label == 0:
        values.append(min(3, len(found.header_topic)) / 3)
        values.append(max((min(4, len(c.topic)) for c in found.passages), default=0) / 4)
    else:
        values.append(min(3, len(found.header_mechanisms.get(name, ()))) / 3)
        values.append(max((min(4, len(c.mechanisms.get(name, ()))) for c in found.passages if c.topic), default=0) / 4)
    if encoded is not None:
        header, best, second, meeting, item, _ = np.clip(encoded, -8, 8)
        values += [header[label] / 2, best[label] / 2, second[label] / 2, meeting[label] / 2, item[label] / 2]
        values += [item[0] / 2, header[0] / 2, *(item / 4)]
    return np.array(values, dtype=np.float64)
