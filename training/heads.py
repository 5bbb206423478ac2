"""Joins two encoders that share words and lower layers into one network with two outputs.

    python training/heads.py FIRST SECOND OUT

All three are folders of models; of those that are blind to a bill's state, `crossfit.npz` keeps what both said.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tracker.classify import crossfit
from tracker.classify.encoder import FILE

SUFFIX = "~2"


def join(first: Path, second: Path, out: Path) -> None:
    """Write `first` with the upper part of `second` as a further output; what both share is kept once.

    Raises ValueError where the lower parts differ.
    """
    one, two = onnx.load(str(first)), onnx.load(str(second))
    mine = {array.name: array.SerializeToString() for array in one.graph.initializer}
    differing = {array.name for array in two.graph.initializer if array.SerializeToString() != mine[array.name]}
    moved = _after(two.graph, differing)
    below = {name for node in two.graph.node if not set(node.output) & moved for name in node.input}
    if differing & below or any("embeddings" in name for name in differing):
        raise ValueError("the two encoders differ below their heads")
    for array in two.graph.initializer:
        if array.name in differing:
            array.name += SUFFIX
            one.graph.initializer.append(array)
    for node in two.graph.node:
        if set(node.output) & moved:
            node.name += SUFFIX
            for names in (node.input, node.output):
                for number, name in enumerate(names):
                    if name in moved or name in differing:
                        names[number] = name + SUFFIX
            one.graph.node.append(node)
    answer = two.graph.output[0]
    answer.name += SUFFIX
    one.graph.output.append(answer)
    onnx.checker.check_model(one)
    onnx.save(one, str(out))


def first(path: Path, out: Path) -> None:
    """Write the network with its first head only."""
    model = onnx.load(str(path))
    graph = model.graph
    for parts in (graph.initializer, graph.node, graph.output):
        kept = [part for part in parts if not part.name.endswith(SUFFIX)]
        del parts[:]
        parts.extend(kept)
    onnx.checker.check_model(model)
    onnx.save(model, str(out))


def _after(graph: Any, arrays: set[str]) -> set[str]:
    """Everything that is worked out from these arrays. Nodes stand in the order of their use."""
    moved: set[str] = set()
    for node in graph.node:
        if any(name in arrays or name in moved for name in node.input):
            moved.update(node.output)
    return moved


def main() -> None:
    first, second, out = (Path(argument) for argument in sys.argv[1:4])
    join(first / FILE, second / FILE, out / FILE)
    one, two = crossfit.load(first), crossfit.load(second)
    crossfit.save(out, {key: np.concatenate([one[key], two[key]]) for key in one.keys() & two.keys()})


if __name__ == "__main__":
    main()
