"""Leaves out the word pieces that no bill uses: a third of the published vocabulary, and 4 MB of the encoder.

    python training/vocabulary.py ../shared MODELS

Run once on an encoder with the whole vocabulary. A word that needs a piece left out is read as smaller pieces.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import examples
import numpy as np
import onnx
from onnx import numpy_helper

from tracker.classify.encoder import FILE, VOCABULARY
from tracker.classify.wordpiece import WordPiece

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = "m.e.embeddings.word_embeddings.weight_quantized"


def main() -> None:
    shared, models = Path(sys.argv[1]), Path(sys.argv[2])
    path = models / VOCABULARY
    pieces = path.read_text(encoding="utf-8").split("\n")
    used = counted(WordPiece(path), texts(shared))
    kept = [n for n, piece in enumerate(pieces) if piece and (used[n] or stays(piece))]
    print(f"{len(kept)} of {len(pieces)} pieces stay")
    shorten(models / FILE, kept)
    path.write_text("\n".join(pieces[n] for n in kept) + "\n", encoding="utf-8")


def texts(shared: Path) -> Iterator[str]:
    """What bills of all states say."""
    files = ("gold/dev", "gold/train", "corpus/texts-unlabelled", "corpus/bills-2025-2026")
    for name in files:
        for bill in examples.rows_of(shared / f"{name}.jsonl.gz"):
            yield str(bill["title"])
            yield from (a["abstract"] if isinstance(a, dict) else a for a in bill.get("abstracts") or [])
            yield str(bill.get("text") or "")


def counted(words: WordPiece, given: Iterator[str]) -> Counter[int]:
    """How often each piece is used."""
    used: Counter[int] = Counter()
    for text in given:
        used.update(words.numbers(text, len(text)))
    return used


def stays(piece: str) -> bool:
    """Marks, and single characters that any word can be made of."""
    return piece in MARKS or (len(piece.removeprefix("##")) == 1 and piece.isascii())


def shorten(path: Path, kept: list[int]) -> None:
    """Write the encoder anew with these rows of its words only."""
    model: Any = onnx.load(str(path))
    array = next(array for array in model.graph.initializer if array.name == WORDS)
    rows = np.ascontiguousarray(numpy_helper.to_array(array)[kept])
    array.CopyFrom(numpy_helper.from_array(rows, WORDS))
    onnx.save(model, str(path))


if __name__ == "__main__":
    main()
