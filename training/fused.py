"""Writes the encoder's 8-bit file with fewer and larger operations: the same weights, read in three quarters of the time.

    python training/fused.py ENCODER.onnx [OUT.onnx]

The last step after `heads.py`; a file that it has written may be given again. Arrays keep their names, so that
`quantised.py` and `heads.py` can work on such a file, too. Needs onnx, but no torch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from heads import SUFFIX
from onnx import TensorProto, helper, numpy_helper

ATTENDING, LAYERS, SHARED = 12, 6, 2
"""Attention heads, layers that an item passes, and those of them that both judging heads stand on."""

EPSILON = 1e-12
QUANTISED = ("MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat")
"""Operations that hold a quantised matrix as their second input: the first before this step, the others after it."""

_MICROSOFT = "com.microsoft"
_LAYER = "/m/e/encoder/layer."


class _Graph:
    """Nodes that are written one after another, over the arrays of a file."""

    def __init__(self, model: Any) -> None:
        self.arrays = {array.name: array for array in model.graph.initializer}
        self.nodes: list[Any] = []
        self.used: dict[str, Any] = {}
        self._stems = {
            node.name: node.input[1].replace("_quantized", "")
            for node in model.graph.node
            if node.op_type in QUANTISED and node.name.startswith(_LAYER)
        }

    def add(self, kind: str, given: list[str], name: str, outputs: list[str] | None = None, **settings: Any) -> str:
        """A node; its one output has its name."""
        self.nodes.append(helper.make_node(kind, given, outputs or [name], name=name, **settings))
        return name

    def array(self, name: str) -> str:
        """An array of the file. What both heads have in common stands there once."""
        name = name if name in self.arrays else name.removesuffix(SUFFIX)
        self.used[name] = self.arrays[name]
        return name

    def constant(self, name: str, value: Any) -> str:
        self.used[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def table(self, name: str, rows: str) -> str:
        """Rows of one of the embedding tables."""
        weight = f"m.e.embeddings.{name}.weight"
        found = self.add("Gather", [self.array(weight + "_quantized"), rows], f"{name}/rows")
        return self.add(
            "DequantizeLinear", [found, self.array(weight + "_scale"), self.array(weight + "_zero_point")], name
        )

    def embedded(self) -> str:
        """Words and their places."""
        first, one = self.constant("first", np.int64(0)), self.constant("one", np.int64(1))
        count = self.add("Gather", [self.add("Shape", ["ids"], "shape"), one], "count")
        places = self.table("position_embeddings", self.add("Range", [first, count, one], "places"))
        words = self.add(
            "Add", [self.table("word_embeddings", "ids"), self.table("token_type_embeddings", first)], "words"
        )
        return self._normed(self.add("Add", [words, places], "placed"), "embeddings", "LayerNorm", "")

    def layer(self, given: str, number: int, head: str) -> str:
        """One layer of BERT for the head with this suffix."""
        at = f"{_LAYER}{number}"
        # the three projections of the attention share one quantised input
        shared = [f"{at}/{part}{head}" for part in ("integers", "scale", "zero")]
        self.add("DynamicQuantizeLinear", [given], f"{at}/quantised{head}", shared)
        parts = [self._projected(shared, at, part, head) for part in ("query", "key", "value")]
        mixed = self.add("MultiHeadAttention", parts, f"{at}/attention{head}", domain=_MICROSOFT, num_heads=ATTENDING)
        out = self._dense(mixed, at, "attention/output/dense", head)
        # a skip and its norm as one operation would be eight times slower than the two
        hidden = self._normed(
            self.add("Add", [out, given], f"{at}/skip{head}"), _bert(at), "attention.output.LayerNorm", head
        )
        inner = self._dense(hidden, at, "intermediate/dense", head)
        outer = self._dense(self.add("Gelu", [inner], f"{at}/gelu{head}", domain=_MICROSOFT), at, "output/dense", head)
        return self._normed(self.add("Add", [outer, hidden], f"{at}/second{head}"), _bert(at), "output.LayerNorm", head)

    def judged(self, shared: str, head: str, output: str) -> str:
        """The upper layers of one head; twice the mean of all pieces and their maximum, to logits."""
        given = shared
        for number in range(SHARED, LAYERS):
            given = self.layer(given, number, head)
        mean = self.add("ReduceMean", [given], f"mean{head}", axes=[1], keepdims=0)
        most = self.add("ReduceMax", [given], f"most{head}", axes=[1], keepdims=0)
        twice = self.add("Mul", [mean, self.constant("twice", np.float32(2.0))], f"twice_mean{head}")
        seen = self.add("Concat", [twice, most], f"seen{head}", axis=1)
        matrix = self._matrix("m.h.weight_Transposed", head)
        given = [seen, *matrix, "", self.array(f"m.h.bias{head}")]
        return self.add("DynamicQuantizeMatMul", given, output, domain=_MICROSOFT)

    def _matrix(self, stem: str, head: str) -> list[str]:
        # the weights' zero points are all zero, and left out
        return [self.array(f"{stem}_{part}{head}") for part in ("quantized", "scale")]

    def _projected(self, quantised: list[str], at: str, part: str, head: str) -> str:
        name = f"{at}/attention/self/{part}/MatMul_quant"
        weight, scale = self._matrix(self._stems[name], head)
        integers, given_scale, zero = quantised
        bias = self.array(f"m.e.{_bert(at)}.attention.self.{part}.bias{head}")
        given = [integers, weight, given_scale, scale, zero, "", bias]
        return self.add("MatMulIntegerToFloat", given, name + head, domain=_MICROSOFT)

    def _dense(self, given: str, at: str, part: str, head: str) -> str:
        name = f"{at}/{part}/MatMul_quant"
        bias = self.array(f"m.e.{_bert(at)}.{part.replace('/', '.')}.bias{head}")
        inputs = [given, *self._matrix(self._stems[name], head), "", bias]
        return self.add("DynamicQuantizeMatMul", inputs, name + head, domain=_MICROSOFT)

    def _normed(self, given: str, at: str, part: str, head: str) -> str:
        arrays = [self.array(f"m.e.{at}.{part}.{one}{head}") for one in ("weight", "bias")]
        return self.add("LayerNormalization", [given, *arrays], f"{at}.{part}{head}", axis=-1, epsilon=EPSILON)


def _bert(at: str) -> str:
    """BERT's name of a layer."""
    return at.removeprefix("/m/e/").replace("/", ".")


def fused(model: Any) -> Any:
    """The same network. Of two heads the second is asked only where the first's logit of the topic is above the further
    input `far`; else it repeats what the first said.
    """
    graph = _Graph(model)
    hidden = graph.embedded()
    for number in range(SHARED):
        hidden = graph.layer(hidden, number, "")
    outputs = [graph.judged(hidden, "", "logits")]
    if f"m.h.bias{SUFFIX}" in graph.arrays:
        outputs.append(_second(graph, hidden))
    written = helper.make_graph(
        graph.nodes,
        "encoder",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "pieces"]),
            helper.make_tensor_value_info("far", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None]) for name in outputs],
        list(graph.used.values()),
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(written, opset_imports=versions, ir_version=8)


def _second(graph: _Graph, hidden: str) -> str:
    before, graph.nodes = graph.nodes, []
    graph.judged(hidden, SUFFIX, f"said{SUFFIX}")
    asked, graph.nodes = graph.nodes, before
    repeated = helper.make_node("Identity", ["logits"], [f"repeated{SUFFIX}"], name=f"repeated{SUFFIX}")
    topic = graph.add("Gather", ["logits", graph.constant(f"topic{SUFFIX}", np.int64(0))], f"on{SUFFIX}", axis=1)
    near = graph.add("Greater", [topic, "far"], f"near{SUFFIX}")
    branches = {
        "then_branch": _branch(asked, f"said{SUFFIX}"),
        "else_branch": _branch([repeated], f"repeated{SUFFIX}"),
    }
    return graph.add("If", [near], f"logits{SUFFIX}", **branches)


def _branch(nodes: list[Any], output: str) -> Any:
    return helper.make_graph(nodes, output, [], [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, None])])


def main() -> None:
    given, out = Path(sys.argv[1]), Path(sys.argv[-1])
    onnx.save(fused(onnx.load(str(given))), str(out))


if __name__ == "__main__":
    main()
