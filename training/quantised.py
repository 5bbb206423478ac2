"""Reads the weights of the encoder in use back from its 8-bit file, and puts newly learnt ones in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
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
        if node.op_type == "MatMulInteger" and node.name.startswith("/m/e/encoder"):
            name = node.name.removeprefix("/m/e/").replace("/MatMul_quant", "").replace("/", ".")
            found[name + ".weight"] = node.input[1].replace("_quantized", "")
    return found


def load(path: Path) -> dict[str, Tensor]:
    """The weights by BERT's names, with `head.weight`, `head.bias` and `scale` (by which the mean is multiplied)."""
    model = onnx.load(str(path))
    arrays = {array.name: numpy_helper.to_array(array) for array in model.graph.initializer}
    found = {}
    for name, array in arrays.items():
        if name.startswith("m.e.") and (name.endswith(".bias") or name.endswith("LayerNorm.weight")):
            found[name.removeprefix("m.e.")] = torch.tensor(array.astype(np.float32))
    for kind in ("word", "token_type", "position"):
        name = f"embeddings.{kind}_embeddings.weight"
        found[name] = torch.tensor(_dequantised(arrays, "m.e." + name))
    for name, stem in _stems(model).items():
        found[name] = torch.tensor(_dequantised(arrays, stem).T.copy())
    found["head.weight"] = torch.tensor(_dequantised(arrays, _HEAD).T.copy())
    found["head.bias"] = torch.tensor(arrays["m.h.bias"].astype(np.float32))
    constants = {n.output[0]: n.attribute[0].t for n in model.graph.node if n.op_type == "Constant"}
    found["scale"] = torch.tensor(numpy_helper.to_array(constants["/m/Constant_3_output_0"]).astype(np.float32))
    return found


def _dequantised(arrays: dict[str, NDArray[Any]], stem: str) -> NDArray[np.float32]:
    whole = arrays[stem + "_quantized"].astype(np.float32) - arrays[stem + "_zero_point"].astype(np.float32)
    return (whole * arrays[stem + "_scale"]).astype(np.float32)


def replace(path: Path, learnt: dict[str, Tensor], out: Path) -> None:
    """Write the file anew with `learnt` (names as `load` gives them) in place of what it holds; the rest stays."""
    model = onnx.load(str(path))
    new: dict[str, NDArray[Any]] = {}
    stems = {**_stems(model), "head.weight": _HEAD}
    for name, tensor in learnt.items():
        array = tensor.detach().float().numpy()
        if name in stems:
            columns = array.T
            scale = (np.maximum(np.abs(columns).max(axis=0), 1e-8) / HIGHEST).astype(np.float32)
            new[stems[name] + "_scale"] = scale
            new[stems[name] + "_quantized"] = np.round(columns / scale).astype(np.int8)
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
