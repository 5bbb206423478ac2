"""MiniLM in torch: the lower layers run once and are kept, the upper ones are fine-tuned on passages.

Only for training: the service runs the exported network through ONNX.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

WIDTH, HEADS, INNER, LAYERS = 384, 12, 1536, 6
EPSILON = 1e-12
MEAN_SCALE = 2.0
"""By which the mean of all pieces is multiplied before it is judged; it stands in the 8-bit file, too."""

NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "norm2": "output.LayerNorm",
}
"""A layer's parts here and in BERT's own files."""


def weights(path: Path) -> dict[str, Tensor]:
    """The arrays of a safetensors file."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8 : 8 + size])
    found = {}
    for name, about in head.items():
        if name == "__metadata__" or about["dtype"] != "F32":
            continue
        start, end = about["data_offsets"]
        array = np.frombuffer(raw[8 + size + start : 8 + size + end], dtype=np.float32)
        found[name] = torch.tensor(array.reshape(about["shape"]))
    return found


class Layer(nn.Module):
    """One layer of BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.out, self.inner, self.outer = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=EPSILON), nn.LayerNorm(WIDTH, eps=EPSILON)
        self.drop = nn.Dropout(0.1)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """`hidden` is items x pieces x width; `bias` is 0 for pieces and very low for padding."""
        items, pieces, _ = hidden.shape

        def split(x: Tensor) -> Tensor:
            return x.view(items, pieces, HEADS, WIDTH // HEADS).transpose(1, 2)

        query, key, value = split(self.query(hidden)), split(self.key(hidden)), split(self.value(hidden))
        seen = torch.softmax(query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5 + bias[:, None, None, :], -1)
        mixed = (seen @ value).transpose(1, 2).reshape(items, pieces, WIDTH)
        hidden = self.norm1(hidden + self.drop(self.out(mixed)))
        return self.norm2(hidden + self.drop(self.outer(F.gelu(self.inner(hidden)))))

    def fill(self, source: dict[str, Tensor], number: int) -> None:
        """Take over the pre-trained weights of layer `number`."""
        with torch.no_grad():
            for mine, theirs in NAMES.items():
                for part in ("weight", "bias"):
                    getattr(getattr(self, mine), part).copy_(source[f"encoder.layer.{number}.{theirs}.{part}"])


class Lower(nn.Module):
    """Embeddings and the layers that stay as they are."""

    def __init__(self, source: dict[str, Tensor], layers: int) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(source["embeddings.word_embeddings.weight"])
        places = source["embeddings.position_embeddings.weight"] + source["embeddings.token_type_embeddings.weight"][0]
        self.places = nn.Embedding.from_pretrained(places)
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        with torch.no_grad():
            self.norm.weight.copy_(source["embeddings.LayerNorm.weight"])
            self.norm.bias.copy_(source["embeddings.LayerNorm.bias"])
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        for number, layer in enumerate(self.layers):
            layer.fill(source, number)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1])[None, :]
        hidden = self.norm(self.words(ids) + self.places(places))
        bias = (1.0 - mask.to(hidden.dtype)) * -1e4
        for layer in self.layers:
            hidden = layer(hidden, bias)
        return hidden


class Upper(nn.Module):
    """The layers that are fine-tuned, and the judgement by label over the mean and the maximum of all pieces."""

    def __init__(self, source: dict[str, Tensor], layers: int, labels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        for number, layer in enumerate(self.layers):
            layer.fill(source, LAYERS - layers + number)
        self.head = nn.Linear(2 * WIDTH, labels)
        self.drop = nn.Dropout(0.1)
        with torch.no_grad():
            if "head.weight" in source:
                self.head.weight.copy_(source["head.weight"])
                self.head.bias.copy_(source["head.bias"])
            else:
                self.head.bias.fill_(-2.0)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        bias = (1.0 - mask.to(hidden.dtype)) * -1e4
        for layer in self.layers:
            hidden = layer(hidden, bias)
        there = mask[:, :, None].to(hidden.dtype)
        mean = (hidden * there).sum(dim=1) / there.sum(dim=1)
        most = hidden.masked_fill(there < 0.5, -1e4).max(dim=1).values
        return self.head(self.drop(torch.cat([mean * MEAN_SCALE, most], dim=1)))

    def learnt(self) -> dict[str, Tensor]:
        """What was fine-tuned, by BERT's names."""
        found = {"head.weight": self.head.weight, "head.bias": self.head.bias}
        for number, layer in enumerate(self.layers):
            for mine, theirs in NAMES.items():
                for part in ("weight", "bias"):
                    name = f"encoder.layer.{LAYERS - len(self.layers) + number}.{theirs}.{part}"
                    found[name] = getattr(getattr(layer, mine), part)
        return found


class Kept:
    """What the lower layers made of every item, as half floats, one after another."""

    def __init__(self, lower: Lower, items: Sequence[Sequence[int]], batch: int = 6000) -> None:
        lengths = np.array([len(item) for item in items])
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        self.lengths = lengths
        self.values: NDArray[np.float16] = np.empty((int(self.starts[-1]), WIDTH), dtype=np.float16)
        order = np.argsort(lengths, kind="stable")
        at = 0
        lower.eval()
        with torch.inference_mode():
            while at < len(order):
                count = max(1, batch // int(lengths[order[min(len(order) - 1, at + batch // 150)]]))
                part = order[at : at + count]
                at += count
                ids, mask = padded([items[i] for i in part])
                with torch.autocast("cpu", torch.bfloat16):
                    hidden = lower(ids, mask).float().numpy()
                for row, i in enumerate(part):
                    self.values[self.starts[i] : self.starts[i + 1]] = hidden[row, : lengths[i]]

    def batch(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Hidden states and mask of some items, padded to the longest."""
        longest = int(self.lengths[list(numbers)].max())
        hidden = torch.zeros((len(numbers), longest, WIDTH))
        mask = torch.zeros((len(numbers), longest))
        for row, i in enumerate(numbers):
            hidden[row, : self.lengths[i]] = torch.from_numpy(self.values[self.starts[i] : self.starts[i + 1]])
            mask[row, : self.lengths[i]] = 1.0
        return hidden, mask


def padded(items: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Numbers of pieces and mask, padded to the longest."""
    longest = max(len(item) for item in items)
    ids = torch.zeros((len(items), longest), dtype=torch.long)
    mask = torch.zeros((len(items), longest))
    for row, item in enumerate(items):
        ids[row, : len(item)] = torch.tensor(list(item))
        mask[row, : len(item)] = 1.0
    return ids, mask
