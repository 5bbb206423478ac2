"""Puts newly learnt weights into the encoder's 8-bit file, in place of those it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from fused import QUANTISED
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

HIGHEST = 64
"""Weights keep to seven bits, so that processors without VNNI do not saturate."""

_HEAD = "m.h.weight_Transposed"


def _stems(model: Any) -> dict[str, str]:
    """The name of each quantised matrix of the layers, by the name that BERT gives it."""
    found = {}
    for node in model.graph.node:
        if node.op_type in QUANTISED and node.name.startswith("/m/e/encoder"):
            name = node.name.removeprefix("/m/e/").replace("/MatMul_quant", "").replace("/", ".")
            found[name + ".weight"] = node.input[1].replace("_quantized", "")
    return found


def replace(path: Path, learnt: dict[str, Tensor], out: Path) -> None:
    """Write the file anew with `learnt` (by BERT's names, with `head.weight` and `head.bias`) in place of what it holds; the rest stays."""
    model = onnx.load(str(path))
    new: dict[str, NDArray[Any]] = {}
    stems = {**_stems(model), "head.weight": _HEAD}
    kept_names = {array.name for array in model.graph.initializer}
    for name, tensor in learnt.items():
        array = tensor.detach().float().numpy()
        if name in stems:
            columns = array.T
            scale = (np.maximum(np.abs(columns).max(axis=0), 1e-8) / HIGHEST).astype(np.float32)
            new[stems[name] + "_scale"] = scale
            new[stems[name] + "_quantized"] = np.round(columns / scale).astype(np.int8)
            if stems[name] + "_zero_point" in kept_names:
                new[stems[name] + "_zero_point"] = np.zeros(len(scale), dtype=np.int8)
        else:
            new["m.h.bias" if name == "head.bias" else "m.e." + name] = array.astype(np.float32)
    for kept in model.graph.initializer:
        if kept.name in new:
            array = new.pop(kept.name)
            if list(kept.dims) != list(array.shape):
                raise ValueError(f"{kept.name} has another shape")
            kept.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), kept.name))
    if new:
        raise ValueError(f"the encoder has no {', '.join(new)}")
    onnx.save(model, str(out))
