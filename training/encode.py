"""Fine-tunes the encoder from its published weights: once for each part of the states, blind to that part, and once on all.

    python training/encode.py MINILM ../shared MODELS [--work FOLDER] [--only ROUND]

`MODELS` is a folder of models (`tracker/classify/models/cte`): its vocabulary and topic weights are used, its encoder is replaced,
and `crossfit.npz` is written with what the blind encoders said of every labelled bill. `MINILM` is the folder of
all-MiniLM-L6-v2, with `model.safetensors` and `vocab.txt`. A round is 15 to 25 minutes of one core; `--only` does one of
them (0, 1, 2 blind; 3 on all), and without it those that are there are not done again. Needs torch and onnx.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import examples
import heads
import madeup
import numpy as np
import quantised
import torch
import written
from examples import Bag
from finetune import fit, score
from minilm import LAYERS, Kept, Lower, Upper, weights
from numpy.typing import NDArray

from tracker import playbook
from tracker.classify import crossfit
from tracker.classify.candidates import Reader
from tracker.classify.encoder import FILE, VOCABULARY, item_pieces, summaries
from tracker.classify.measures import FOLDS, folds
from tracker.classify.wordpiece import WordPiece

TRAINED = 4
"""Upper layers that learn; those below and the words stay as published."""

FIRST_EPOCHS, FIRST_RATE = 2, 1.5e-4
"""All rounds begin from one that learnt from what is not of any labelled bill: made-up, written, contrasts."""

EPOCHS, RATE = 2, 1e-4
GOLD = ("dev", "train")
HERE = Path(__file__).parent


def main() -> None:
    parser = arguments(__doc__, "rounds")
    given = parser.parse_args()
    given.work.mkdir(exist_ok=True)
    source = published(given.minilm, given.models / VOCABULARY)
    bags = gathered(given.shared, given.models)
    kept = Kept(Lower(source, LAYERS - TRAINED), pieces(bags, given.models / VOCABULARY))
    part = parts(bags)
    common = given.work / "common.pt"
    if not common.exists():
        _common(bags, kept, source, common)
    source |= torch.load(common)
    for number in range(FOLDS + 1):
        if number == given.only or (given.only is None and not (given.work / f"learnt-{number}.pt").exists()):
            _round(number, bags, kept, part, source, given.work)
    if given.only is None:
        finish(bags, given.models, given.work)


def arguments(words: str | None, work: str) -> argparse.ArgumentParser:
    """What every command that trains in rounds is told; `work` is where it keeps them, if nothing else is said."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minilm", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("shared", type=Path, help="folder with gold/ and corpus/")
    parser.add_argument("models", type=Path, help="folder of the model whose encoder is replaced")
    parser.add_argument("--only", type=int, help="train only this part's encoder (0, 1, 2 blind; 3 is the one on all)")
    parser.add_argument("--work", type=Path, default=Path(work), help="folder for what each round said and learnt")
    return parser


def published(minilm: Path, vocabulary: Path) -> dict[str, torch.Tensor]:
    """The published weights, with the words of our vocabulary only."""
    source = weights(minilm / "model.safetensors")
    places = {piece: n for n, piece in enumerate((minilm / "vocab.txt").read_text(encoding="utf-8").split("\n"))}
    ours = [piece for piece in vocabulary.read_text(encoding="utf-8").split("\n") if piece]
    words = "embeddings.word_embeddings.weight"
    source[words] = source[words][[places[piece] for piece in ours]]
    return source


def gathered(shared: Path, models: Path) -> list[Bag]:
    """Everything that is learned from."""
    book = playbook.load()
    reader = Reader(book, json.loads((models / "model.json").read_text(encoding="utf-8"))["topic_weights"])
    passages = examples.passages_of(HERE / "labels/gold.jsonl")
    bags = [bag for name in GOLD for bag in examples.gold_bags(shared / f"gold/{name}.jsonl.gz", reader, passages)]
    bags += examples.provision_bags(shared / "gold/provisions.jsonl.gz")
    corpus = examples.corpus_of(shared / "corpus")
    rows = examples.read_rows(HERE / "labels/read.jsonl")
    bags += [examples.read_bag(row, examples.joined(row, corpus), reader) for row in rows]
    titles = [bag.items[0].text[:200] for bag in bags if bag.labels is not None and bag.labels[0] > 0]
    bags += examples.contrasts(book, corpus["texts"], titles, 900)
    bags += [*madeup.bags(800), *madeup.mixed(500)]
    bags += written.bags(HERE / "labels/written.jsonl")
    return bags


def parts(bags: Sequence[Bag]) -> NDArray[np.int64]:
    """The part of each bag: by state; made-up bags have none (-1)."""
    states = [bag.state for bag in bags if bag.source in GOLD]
    of_state = dict(zip(states, folds(states).tolist(), strict=True))
    return np.array(
        [
            -1
            if bag.source in ("madeup", "written")
            else of_state.get(bag.state, zlib.crc32(bag.state.encode()) % FOLDS)
            for bag in bags
        ]
    )


def pieces(bags: Sequence[Bag], vocabulary: Path) -> list[list[int]]:
    """The pieces of all items, bag after bag."""
    words = WordPiece(vocabulary)
    return [item_pieces(words, item.text, item.title) for bag in bags for item in bag.items]


def first_items(bags: Sequence[Bag]) -> list[int]:
    """The number of each bag's first item among all."""
    return [0, *np.cumsum([len(bag.items) for bag in bags]).tolist()]


def _common(bags: Sequence[Bag], kept: Kept, source: dict[str, torch.Tensor], out: Path) -> None:
    first = first_items(bags)
    seen = [n for n, bag in enumerate(bags) if bag.source in ("contrast", "madeup", "written")]
    upper = Upper(source, TRAINED, len(examples.LABELS))
    chosen = [bags[n] for n in seen]
    fit(chosen, [first[n] for n in seen], kept, upper, FIRST_EPOCHS, 9, FIRST_RATE, "common")
    torch.save(upper.learnt(), out)


def _round(
    number: int, bags: list[Bag], kept: Kept, part: NDArray[np.int64], source: dict[str, torch.Tensor], work: Path
) -> None:
    first = first_items(bags)
    seen = [n for n in range(len(bags)) if part[n] != number]
    upper = Upper(source, TRAINED, len(examples.LABELS))
    fit([bags[n] for n in seen], [first[n] for n in seen], kept, upper, EPOCHS, number, RATE, f"round {number}")
    torch.save(upper.learnt(), work / f"learnt-{number}.pt")
    keep_said(number, bags, kept, part, upper, work)


def keep_said(number: int, bags: Sequence[Bag], kept: Kept, part: NDArray[np.int64], upper: Upper, work: Path) -> None:
    """Write what a round says of the bills that it is blind to."""
    first = first_items(bags)
    unseen = [n for n in range(len(bags)) if part[n] == number and bags[n].source in (*GOLD, "read")]
    if unseen:
        places = [place for n in unseen for place in range(first[n], first[n] + len(bags[n].items))]
        np.savez(work / f"said-{number}.npz", bags=np.array(unseen), rows=score(places, kept, upper))


def finish(bags: Sequence[Bag], models: Path, work: Path) -> None:
    """Write `crossfit.npz` from the blind rounds, and the encoder, with this one head, from the round on all."""
    said = {}
    for number in range(FOLDS):
        with np.load(work / f"said-{number}.npz") as arrays:
            at = 0
            for n in arrays["bags"].tolist():
                count = len(bags[n].items)
                said[bags[n].key] = summaries(arrays["rows"][None, at : at + count].astype(np.float64))
                at += count
    crossfit.save(models, said)
    learnt = torch.load(work / f"learnt-{FOLDS}.pt")
    heads.first(models / FILE, models / FILE)
    quantised.replace(models / FILE, learnt, models / FILE)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
