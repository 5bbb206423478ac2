"""Scores from a playbook's cues alone: what a playbook without a trained model is tagged with.

A strategy scores only where one of its cues meets a cue of the topic in the same place: the title, an
abstract, or one provision. More different cues, and cues in the title, score higher; exclusions near them
lower.
"""

from __future__ import annotations

import math

from tracker.classify.candidates import Candidates
from tracker.classify.cues import Cues
from tracker.classify.reading import fold
from tracker.playbook import Playbook


class CueScores:
    """Scores between 0 and 1 for the topic ("in_scope") and each strategy of a playbook."""

    def __init__(self, playbook: Playbook) -> None:
        self._topic_exclusions = Cues(playbook.topic.exclusions)
        self._exclusions = {key: Cues(strategy.exclusions) for key, strategy in playbook.strategies.items()}

    def score(self, found: Candidates) -> dict[str, float]:
        header = fold(found.header)
        places = [(1.4, header, found.header_topic, found.header_mechanisms)]
        places += [
            (1.0, fold(c.passage.text), c.topic, c.mechanisms)
            for c in found.passages
            if c.passage.kind not in ("closing", "restated")
        ]
        topic = max(
            (
                weight * len(hits) - 0.9 * len(self._topic_exclusions.found(text))
                for weight, text, hits, _ in places
                if hits
            ),
            default=0.0,
        )
        spread = sum(1 for _, _, hits, _ in places if hits)
        in_scope = _squash(topic + 0.35 * (spread - 1) - 1.2) if topic > 0 else 0.0
        scores = {"in_scope": in_scope}
        for key, exclusions in self._exclusions.items():
            best = max(
                (
                    weight * (min(len(hits), 2) + min(len(mechanisms[key]), 3)) - 1.5 * len(exclusions.found(text))
                    for weight, text, hits, mechanisms in places
                    if hits and mechanisms.get(key)
                ),
                default=-9.0,
            )
            scores[key] = _squash(best - 2.4) * (0.4 + 0.6 * in_scope)
        return scores


def _squash(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-1.6 * max(-20.0, min(20.0, value))))
