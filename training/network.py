"""The network for training: BERT's layers on a table of pieces, with heads for status, medium and kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from monitor.detect.reader.passage import MAX_PIECES
from monitor.detect.reader.pieces import FIRST, PAD, SECOND
from training.export import HEADS

_EPSILON = 1e-12
_FAR = -1e4


class Layer(nn.Module):
    """One layer of BERT, with the norms after the sums."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.o = nn.Linear(width, width)
        self.n1 = nn.LayerNorm(width, eps=_EPSILON)
        self.f1 = nn.Linear(width, inner)
        self.f2 = nn.Linear(inner, width)
        self.n2 = nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Apply the layer to `x` of shape (pairs, pieces, width); `mask` is added to the attention scores."""
        pairs, pieces, width = x.shape
        q, k, v = self.qkv(x).view(pairs, pieces, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = self.n1(x + self.o(mixed.transpose(1, 2).reshape(pairs, pieces, width)))
        found: Tensor = self.n2(x + self.f2(functional.gelu(self.f1(x))))
        return found


class Network(nn.Module):
    """Maps rows of pieces to the scores of all classes, with the heads' outputs concatenated.

    The heads read the opening piece and the two leaders' markers: entity markers as in Baldini Soares et al. 2019,
    https://aclanthology.org/P19-1279
    """

    def __init__(self, base: Mapping[str, NDArray[np.float32]], table: NDArray[np.float32], outputs: int) -> None:
        super().__init__()
        width = table.shape[1]
        self.emb = nn.Embedding.from_pretrained(torch.tensor(table), freeze=False, padding_idx=PAD, sparse=True)
        places = base["embeddings.position_embeddings.weight"][:MAX_PIECES]
        self.pos = nn.Parameter(torch.tensor(places + base["embeddings.token_type_embeddings.weight"][0]))
        self.n0 = nn.LayerNorm(width, eps=_EPSILON)
        count = 1 + max(int(name.split(".")[2]) for name in base if name.startswith("encoder.layer."))
        inner = base["encoder.layer.0.intermediate.dense.weight"].shape[0]
        self.layers = nn.ModuleList(Layer(width, inner) for _ in range(count))
        self.h1 = nn.Linear(3 * width, width)
        self.h2 = nn.Linear(width, outputs)
        self._take(base)

    def _take(self, base: Mapping[str, NDArray[np.float32]]) -> None:
        """Copy the weights of the base model."""

        def put(module: nn.Module, *names: str) -> None:
            for part in ("weight", "bias"):
                value = np.concatenate([base[f"{name}.{part}"] for name in names])
                module.get_parameter(part).copy_(torch.tensor(value))

        with torch.no_grad():
            put(self.n0, "embeddings.LayerNorm")
            for n, layer in enumerate(self.layers):
                key = f"encoder.layer.{n}"
                put(layer.get_submodule("qkv"), *(f"{key}.attention.self.{one}" for one in ("query", "key", "value")))
                put(layer.get_submodule("o"), f"{key}.attention.output.dense")
                put(layer.get_submodule("n1"), f"{key}.attention.output.LayerNorm")
                put(layer.get_submodule("f1"), f"{key}.intermediate.dense")
                put(layer.get_submodule("f2"), f"{key}.output.dense")
                put(layer.get_submodule("n2"), f"{key}.output.LayerNorm")

    def forward(self, ids: Tensor) -> Tensor:
        """Return the scores of `ids` of shape (pairs, pieces), which are padded with PAD."""
        x = self.n0(self.emb(ids) + self.pos[: ids.shape[1]])
        mask = torch.zeros(ids.shape, dtype=x.dtype).masked_fill(ids == PAD, _FAR)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        x = x.float()
        pooled = torch.cat([x[:, 0], _mean(x, ids == FIRST), _mean(x, ids == SECOND)], dim=1)
        found: Tensor = self.h2(functional.gelu(self.h1(pooled)))
        return found


def _mean(x: Tensor, where: Tensor) -> Tensor:
    here = where.float()
    return (here[:, :, None] * x).sum(1) / here.sum(1, keepdim=True).clamp(min=1)
