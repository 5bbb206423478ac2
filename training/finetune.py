"""Fine-tunes the upper layers of the encoder on bags of items, and scores items with it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from examples import LABELS, UNKNOWN, Bag
from minilm import Kept, Upper
from numpy.typing import NDArray
from torch import Tensor

SHARPNESS = 2.0
"""A bag's logit is a smooth maximum of its items': log-sum-exp at this sharpness."""

PIECES_A_STEP, PIECES_A_PASS = 3000, 1800
MOST, MOST_OF_NEGATIVE = 6, 3
"""Items read of a bill with a strategy, and of one without, drawn anew in each epoch."""

SHARE = {"read": 0.4, "contrast": 0.6, "madeup": 0.5, "written": 0.7}
"""The share of bags without a strategy that is read in an epoch, by source (all of the others)."""

HEAD_RATE, RATE = 5e-4, 6e-5
POSITIVE = torch.tensor([1.0, 1.3, 2.0, 1.8, 1.3, 1.3, 1.3])


def fit(
    bags: Sequence[Bag],
    first: Sequence[int],
    kept: Kept,
    upper: Upper,
    epochs: float,
    seed: int = 0,
    rate: float = RATE,
    log: str = "",
) -> None:
    """Train `upper` in place. `first` is the number of each bag's first item among those kept."""
    chance = np.random.default_rng(seed)
    torch.manual_seed(seed)
    heads = list(upper.head.parameters())
    body = list(upper.layers.parameters())
    optimiser = torch.optim.AdamW(
        [{"params": heads, "lr": HEAD_RATE * rate / RATE}, {"params": body, "lr": rate}], weight_decay=0.01
    )
    plan = [step for n in range(math.ceil(epochs)) for step in _steps(bags, kept, first, chance)]
    plan = plan[: int(len(plan) * epochs / math.ceil(epochs))]
    warm = max(1, len(plan) // 15)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: min((n + 1) / warm, max(0.02, (len(plan) - n) / (len(plan) - warm + 1)))
    )
    start, told = time.monotonic(), 0.0
    upper.train()
    for number, step in enumerate(plan):
        optimiser.zero_grad()
        told += _step(step, bags, first, kept, upper)
        torch.nn.utils.clip_grad_norm_([*heads, *body], 1.0)
        optimiser.step()
        schedule.step()
        if number % 100 == 99:
            spent = time.monotonic() - start
            print(f"{log} {number + 1}/{len(plan)} loss {told / 100:.4f} {spent:.0f} s", flush=True)
            told = 0.0


def _steps(
    bags: Sequence[Bag], kept: Kept, first: Sequence[int], chance: np.random.Generator
) -> list[list[tuple[int, list[int]]]]:
    """Steps of one epoch: bags with the items read of each."""
    steps: list[list[tuple[int, list[int]]]] = [[]]
    pieces = 0
    for number in chance.permutation(len(bags)):
        bag = bags[number]
        items = list(range(len(bag.items)))
        said = [bag.labels, *(item.labels for item in bag.items)]
        plain = not any((labels[1:4] > 0).any() for labels in said if labels is not None)
        if plain and chance.random() > SHARE.get(bag.source, 1.0):
            continue
        most = MOST_OF_NEGATIVE if plain else MOST
        if len(items) > most:
            # the header always, and of the passages those that show a strategy before the others
            shown = [n for n in items[1:] if (bag.items[n].labels[1:4] > 0).any()]
            others = chance.permutation([n for n in items[1:] if n not in shown]).tolist()
            items = [0, *sorted([*shown, *others][: most - 1])]
        size = int(sum(kept.lengths[first[number] + n] for n in items))
        if pieces + size > PIECES_A_STEP and steps[-1]:
            steps.append([])
            pieces = 0
        steps[-1].append((int(number), items))
        pieces += size
    return steps


def _step(
    step: list[tuple[int, list[int]]], bags: Sequence[Bag], first: Sequence[int], kept: Kept, upper: Upper
) -> float:
    numbers = [first[number] + n for number, items in step for n in items]
    logits = _logits(numbers, kept, upper)
    loss = torch.zeros(())
    weight = 0.0
    at = 0
    for number, items in step:
        bag = bags[number]
        rows = logits[at : at + len(items)]
        at += len(items)
        if bag.labels is not None:
            truth = torch.from_numpy(bag.labels)
            together = torch.logsumexp(rows * SHARPNESS, dim=0) / SHARPNESS
            loss = loss + bag.weight * _entropy(together, truth).sum()
            weight += bag.weight
        for n, row in zip(items, rows, strict=True):
            item = bag.items[n]
            known = torch.from_numpy((item.labels != UNKNOWN).astype(np.float32))
            if known.any():
                part = 0.5 if bag.labels is not None else 1.0
                truth = torch.from_numpy(item.labels).clamp(min=0.0)
                loss = loss + part * item.weight * (_entropy(row, truth) * known).sum()
                weight += part * item.weight
    loss = loss / max(1.0, weight)
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())


def _entropy(logit: Tensor, truth: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logit, truth, pos_weight=POSITIVE, reduction="none")


def _logits(numbers: Sequence[int], kept: Kept, upper: Upper) -> Tensor:
    """Logits of items, run in groups of like length."""
    order = sorted(range(len(numbers)), key=lambda n: kept.lengths[numbers[n]])
    rows: list[Tensor | None] = [None] * len(numbers)
    group: list[int] = []
    groups = []
    for n in order:
        if group and (len(group) + 1) * int(kept.lengths[numbers[n]]) > PIECES_A_PASS:
            groups.append(group)
            group = []
        group.append(n)
    for part in [*groups, group]:
        hidden, mask = kept.batch([numbers[n] for n in part])
        with torch.autocast("cpu", torch.bfloat16):
            found = upper(hidden, mask).float()
        for n, row in zip(part, found, strict=True):
            rows[n] = row
    return torch.stack([row for row in rows if row is not None])


def score(numbers: Sequence[int], kept: Kept, upper: Upper) -> NDArray[np.float32]:
    """Logits of items by the trained network, one row each."""
    upper.eval()
    out = []
    with torch.inference_mode():
        for at in range(0, len(numbers), 64):
            out.append(_logits(numbers[at : at + 64], kept, upper).numpy())
    found: NDArray[np.float32] = np.concatenate(out) if out else np.zeros((0, len(LABELS)), np.float32)
    return found
