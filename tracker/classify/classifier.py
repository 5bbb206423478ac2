"""Tags bills: a gate, a close reading of the few passages that count, scores, and the words that show
each tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker import playbook as playbooks
from tracker.classify.bill import Bill, read
from tracker.classify.candidates import Candidates, Reader
from tracker.classify.cues import Cues
from tracker.classify.cuescores import CueScores
from tracker.classify.model import TOPIC, Model
from tracker.classify.quoting import Quoter
from tracker.playbook import Playbook

CODE_VERSION = "4"
"""Raised by hand when code changes so that the same playbook and model give other tags."""

DIGITS = 4


class Classifier:
    """Tags bills against one playbook; made with `load`, then used for any number of bills."""

    def __init__(self, playbook: Playbook, model: Model | None) -> None:
        self.playbook = playbook
        self.model = model
        self._cue_scores = CueScores(playbook)
        self._reader = Reader(playbook, model.topic_weights if model else None)
        self._cues = {key: Cues(strategy.cues) for key, strategy in playbook.strategies.items()}
        self._topic = self._reader.topic
        self._quoter = Quoter(self._reader, self._cues, model)
        model_name = model.hash if model else "cues"
        self.version = f"{playbook.name}-{playbook.hash}/{model_name}/{CODE_VERSION}"

    @classmethod
    def load(cls, playbook: Playbook | None = None) -> Classifier:
        """The classifier for a playbook (default: the one the service ships), with its trained model if
        it has one.
        """
        playbook = playbook or playbooks.load()
        return cls(playbook, Model.for_playbook(playbook.name))

    def tag(self, bills: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Tags of bills, one for each and in order, in the shape of `billtracker tag`.

        An input that is not a bill raises BillError when its turn comes; the iterator goes on after it.
        """
        return map(self.tag_one, bills)

    def tag_one(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Tags of one bill. Raises BillError where a key holds the wrong kind of value."""
        bill = read(given)
        found, scores, said = self._scores(bill)
        in_scope = scores[TOPIC] >= self.playbook.topic.threshold
        tags = []
        for key, strategy in self.playbook.strategies.items():
            applied = in_scope and scores[key] >= strategy.threshold
            quotes = self._quoter.quotes(bill, found, said, key) if applied and found else []
            tags.append(
                {
                    "strategy": key,
                    "score": scores[key],
                    "value": bool(quotes),
                    "evidence": [quote.as_dict() for quote in quotes],
                }
            )
        return {
            **bill.identity,
            "in_scope": {"score": scores[TOPIC], "value": in_scope},
            "tags": tags,
            "classifier": self.version,
        }

    def explain(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Why each strategy was or was not applied, in plain words.

        Gives `in_scope` and `strategies`, each with score, threshold, value, `why` (one or two sentences)
        and the cues that were met.
        """
        bill = read(given)
        found, scores, _ = self._scores(bill)
        tagged = {tag["strategy"]: tag for tag in self.tag_one(given)["tags"]}
        topic = self.playbook.topic
        in_scope = scores[TOPIC] >= topic.threshold
        met = self._met(found)
        answer: dict[str, Any] = {
            **bill.identity,
            "classifier": self.version,
            "in_scope": {
                "name": topic.name,
                "score": scores[TOPIC],
                "threshold": topic.threshold,
                "value": in_scope,
                "cues": met,
                "why": self._why_topic(found, met, in_scope, scores[TOPIC]),
            },
            "strategies": [],
        }
        for key, strategy in self.playbook.strategies.items():
            tag = tagged[key]
            cues = self._met_with_topic(found, key)
            answer["strategies"].append(
                {
                    "strategy": key,
                    "name": strategy.name,
                    "score": tag["score"],
                    "threshold": strategy.threshold,
                    "value": tag["value"],
                    "cues": cues,
                    "evidence": tag["evidence"],
                    "why": self._why(key, tag, cues, in_scope),
                }
            )
        return answer

    def _scores(self, bill: Bill) -> tuple[Candidates | None, dict[str, float], NDArray[np.float64] | None]:
        """What is read closely, the scores, and the encoder's logits of header and passages where it was asked."""
        keys = (TOPIC, *self.playbook.strategies)
        if not self._reader.passes(bill):
            return None, dict.fromkeys(keys, 0.0), None
        found = self._reader.candidates(bill)
        scores = self._cue_scores.score(found)
        said = None
        if self.model:
            by_label, said = self.model.score(bill.title, found)
            scores.update({label: value for label, value in by_label.items() if label in scores})
        return found, {key: round(scores[key], DIGITS) for key in keys}, said

    def _met(self, found: Candidates | None) -> list[str]:
        if found is None:
            return []
        hits = set(found.header_topic).union(*(c.topic for c in found.passages))
        return [self._topic.phrases[n].rstrip("*") for n in sorted(hits, key=lambda n: (-self._reader.weights[n], n))][
            :8
        ]

    def _met_with_topic(self, found: Candidates | None, key: str) -> list[str]:
        if found is None:
            return []
        hits = set(found.header_mechanisms.get(key, ())) if found.header_topic else set()
        hits = hits.union(*(c.mechanisms.get(key, frozenset()) for c in found.passages if c.topic))
        return [self._cues[key].phrases[n].rstrip("*") for n in sorted(hits)][:8]

    def _why_topic(self, found: Candidates | None, met: list[str], applied: bool, score: float) -> str:
        topic = self.playbook.topic
        if found is None:
            return f"Not in scope: neither title, summary nor text has any of the words of “{topic.name}”."
        words = f"its words ({_listed(met)})" if met else "the passages read"
        if applied:
            needed = f"with a score of {score:.2f} where {topic.threshold:.2f} is needed"
            return f"In scope: {words} speak of “{topic.name}”, {needed}."
        short = f"the score of {score:.2f} stays below {topic.threshold:.2f}"
        return f"Not in scope: {words} touch “{topic.name}”, but {short}."

    def _why(self, key: str, tag: dict[str, Any], cues: list[str], in_scope: bool) -> str:
        strategy = self.playbook.strategies[key]
        needed = f"a score of {tag['score']:.2f} where {strategy.threshold:.2f} is needed"
        if tag["value"]:
            first = tag["evidence"][0]
            return f"Applied: the bill's {first['field'].split(':')[0]} says “{first['quote']}” ({needed})."
        if not in_scope:
            return "Not applied: the bill is not in scope, and a strategy is only looked for in bills that are."
        if not cues:
            return f"Not applied: no words of “{strategy.name}” stand in the same provision as the topic."
        beside = f"words such as {_listed(cues)} stand beside the topic"
        return f"Not applied: {beside}, but read together they reach only {needed}."


def _listed(words: list[str]) -> str:
    return ", ".join(f"“{word}”" for word in words[:5])
