"""Trains one network on examples. Seeded and on one thread, so that the same examples give the same weights."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from monitor.detect.reader.pieces import OTHER, PAD, UNKNOWN
from monitor.records import KINDS, MEDIA
from training.examples import STATUSES, UNLABELLED, Example
from training.network import Network

SEED = 7
EPOCHS = 3
BATCH = 32
#: Peak learning rates of the layers, the table of pieces, and the heads.
RATE, TABLE_RATE, HEAD_RATE = 1e-4, 2.4e-4, 6e-4
WARM_UP = 0.1
#: Weight of a label of which its annotator was unsure.
HARD = 0.5
SMOOTHING = 0.05
#: Share of pieces that are replaced by the unknown piece, so that no single word decides.
DROPPED = 0.05
MEDIUM_SHARE, KIND_SHARE = 0.3, 0.2
_CHUNK = 40

Log = Callable[[str], None]


def train(
    examples: Sequence[Example],
    base: Mapping[str, NDArray[np.float32]],
    table: NDArray[np.float32],
    log: Log,
    *,
    seed: int = SEED,
) -> Network:
    """Train a network on the examples and return it."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    draw = random.Random(seed)
    network = Network(base, table, len(STATUSES) + len(MEDIA) + len(KINDS))
    heads = [*network.h1.parameters(), *network.h2.parameters()]
    apart = {id(one) for one in (network.emb.weight, *heads)}
    layers = [one for one in network.parameters() if id(one) not in apart]
    dense = torch.optim.AdamW(
        [{"params": layers, "lr": RATE}, {"params": heads, "lr": HEAD_RATE}], weight_decay=0.01, fused=True
    )
    sparse = torch.optim.SparseAdam([network.emb.weight], lr=TABLE_RATE)
    rates = [(group, group["lr"]) for one in (dense, sparse) for group in one.param_groups]
    # Half precision takes less than half the time if the processor supports it, and much longer if it does not.
    half = torch.cpu.get_capabilities().get("avx512_bf16", False)
    steps, step = EPOCHS * math.ceil(len(examples) / BATCH), 0
    network.train()
    for epoch in range(EPOCHS):
        for batch in _batches(examples, draw):
            step += 1
            share = min(step / (WARM_UP * steps), (steps - step) / (steps * (1 - WARM_UP)))
            for group, rate in rates:
                group["lr"] = rate * min(1.0, max(0.0, share))
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                loss = _loss(network, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*layers, *heads], 1.0)
            for one in (dense, sparse):
                one.step()
                one.zero_grad()
            if step % 100 == 0:
                log(f"epoch {epoch + 1} of {EPOCHS}, step {step} of {steps}, loss {loss.item():.3f}")
    network.eval()
    return network


def scores(network: Network, examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return the scores of each example, in their order."""
    order = sorted(range(len(examples)), key=lambda n: len(examples[n].rows))
    found = np.zeros((len(examples), network.h2.out_features), np.float32)
    with torch.no_grad():
        for start in range(0, len(order), 2 * BATCH):
            part = order[start : start + 2 * BATCH]
            found[part] = network(_ids([examples[n] for n in part])).numpy()
    return found


def _batches(examples: Sequence[Example], draw: random.Random) -> list[list[Example]]:
    """All examples in random order, in batches of similar length."""
    order = list(range(len(examples)))
    draw.shuffle(order)
    batches = []
    for start in range(0, len(order), BATCH * _CHUNK):
        chunk = sorted(order[start : start + BATCH * _CHUNK], key=lambda n: len(examples[n].rows))
        batches += [[examples[n] for n in chunk[at : at + BATCH]] for at in range(0, len(chunk), BATCH)]
    draw.shuffle(batches)
    return batches


def _ids(batch: Sequence[Example]) -> Tensor:
    longest = max(len(one.rows) for one in batch)
    return torch.tensor([[*one.rows, *[PAD] * (longest - len(one.rows))] for one in batch])


def _loss(network: Network, batch: Sequence[Example]) -> Tensor:
    ids = _ids(batch)
    dropped = (torch.rand(ids.shape) < DROPPED) & (ids > OTHER)
    found = network(ids.masked_fill(dropped, UNKNOWN))
    statuses, media, kinds = found.split([len(STATUSES), len(MEDIA), len(KINDS)], dim=1)
    weight = torch.tensor([HARD if one.hard else 1.0 for one in batch])
    by_pair = functional.cross_entropy(
        statuses, torch.tensor([one.status for one in batch]), reduction="none", label_smoothing=SMOOTHING
    )
    loss = (by_pair * weight).mean()
    for part, labels, share in (
        (media, [one.medium for one in batch], MEDIUM_SHARE),
        (kinds, [one.kind for one in batch], KIND_SHARE),
    ):
        if any(label != UNLABELLED for label in labels):
            loss = loss + share * functional.cross_entropy(part, torch.tensor(labels), ignore_index=UNLABELLED)
    return loss
