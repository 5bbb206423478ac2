"""Lets the rounds of `encode.py` learn on from texts that we wrote after reading what they got wrong.

    python training/further.py MINILM ../shared MODELS ROUNDS --work FOLDER [--only ROUND]

`ROUNDS` is the work folder of `encode.py`; what is learnt and said goes into `FOLDER`, and MODELS gets the encoder and its
`crossfit.npz` as there. The new texts (`labels/further.jsonl`) are read several times, beside a share of what the round
already knew, so that it forgets nothing. A round is 5 to 8 minutes of one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import encode
import numpy as np
import torch
import written
from examples import LABELS, Bag
from finetune import fit
from minilm import LAYERS, Kept, Lower, Upper
from numpy.typing import NDArray

from tracker.classify.encoder import VOCABULARY
from tracker.classify.measures import FOLDS

RATE = 5e-5
REPEATED = 3
"""How often the new texts are read."""

OWN, WITH_STRATEGY, OTHERS = 0.35, 0.6, 0.25
"""Shares that are read again: of our own earlier texts, of bills that show a strategy, of all others."""

TEXTS = Path(__file__).parent / "labels/further.jsonl"


def main() -> None:
    parser = encode.arguments(__doc__, "further")
    parser.add_argument("rounds", type=Path, help="what encode.py learnt")
    given = parser.parse_args()
    given.work.mkdir(exist_ok=True)
    bags = encode.gathered(given.shared, given.models)
    part = encode.parts(bags)
    source = encode.published(given.minilm, given.models / VOCABULARY)
    every = [*bags, *written.bags(TEXTS)]
    kept = Kept(Lower(source, LAYERS - encode.TRAINED), encode.pieces(every, given.models / VOCABULARY))
    for number in range(FOLDS + 1) if given.only is None else [given.only]:
        learnt = torch.load(given.rounds / f"learnt-{number}.pt")
        upper = Upper(source | learnt, encode.TRAINED, len(LABELS))
        _round(number, every, kept, part, upper)
        torch.save(upper.learnt(), given.work / f"learnt-{number}.pt")
        encode.keep_said(number, bags, kept, part, upper, given.work)
    if given.only is None:
        encode.finish(bags, given.models, given.work)


def _round(number: int, every: Sequence[Bag], kept: Kept, part: NDArray[np.int64], upper: Upper) -> None:
    """`every` are the bags that `part` tells of, and behind them the new ones."""
    chance = np.random.default_rng(number + 50)
    again = [n for n in range(len(part)) if part[n] != number and chance.random() < _share(every[n])]
    seen = [*again, *[*range(len(part), len(every))] * REPEATED]
    first = encode.first_items(every)
    fit([every[n] for n in seen], [first[n] for n in seen], kept, upper, 1, number + 50, RATE, f"further {number}")


def _share(bag: Bag) -> float:
    if bag.source in ("madeup", "written"):
        return OWN
    said = [bag.labels, *(item.labels for item in bag.items)]
    return WITH_STRATEGY if any((labels[1:4] > 0).any() for labels in said if labels is not None) else OTHERS


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
