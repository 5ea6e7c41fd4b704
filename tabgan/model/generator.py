"""The generator: the codes that are known -> logits over the others. Its condition is any subset of the row."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model.embedding import CodeTable, Layout

IMPOSSIBLE = -1e4
"""The logit of a value that the table does not hold."""


class Generator(nn.Module):
    """A residual MLP over the sum of the embedded known codes; one head a code.

    Rows come in as `(rows, codes)` int64 with a mask of what is known, or as weights `(rows, total)` over the values of
    all codes (one-hot, soft or straight-through draws), which lets gradients pass. Logits go out as `(rows, total)`.
    """

    def __init__(self, codes: Sequence[Code], frequencies: Tensor, config: ModelConfig, rng: torch.Generator) -> None:
        """`frequencies`: `(total,)`, how often each value occurs in the training table; the heads start from it."""
        super().__init__()
        self.layout = Layout([code.cardinality for code in codes])
        width = config.width
        self.noise = config.noise
        self.values = CodeTable(codes, width, 1.0, rng)
        self.unknown = nn.Parameter(torch.randn(len(codes), width, generator=rng))
        self.from_noise = nn.Parameter(torch.randn(config.noise, width, generator=rng) / config.noise**0.5)
        self.blocks = nn.ModuleList(Block(width, rng) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.heads = CodeTable(codes, width, 0.1 * width**-0.5, rng)
        self.bias = nn.Parameter(frequencies.clamp(min=1e-9).log())
        impossible = torch.where(frequencies > 0, 0.0, IMPOSSIBLE)
        self.register_buffer("impossible", impossible)
        starts = torch.tensor(self.layout.starts)
        self.register_buffer("starts", starts, persistent=False)

    impossible: Tensor
    starts: Tensor

    def forward(self, codes: Tensor, known: Tensor, z: Tensor | None = None) -> Tensor:
        """Logits `(rows, total)` given `(rows, codes)` int64 and which of them are known, `(rows, codes)` bool."""
        return self.logits(self.trunk(self.embed(codes, known), z))

    def embed(self, codes: Tensor, known: Tensor) -> Tensor:
        """The sum of the vectors of known codes and of the marks of unknown ones, `(rows, width)`."""
        unknown = self.layout.total + torch.arange(self.layout.count, device=codes.device)
        index = torch.where(known, codes + self.starts, unknown)
        table = torch.cat([self.values.rows(), self.unknown])
        embedded: Tensor = nn.functional.embedding_bag(index, table, mode="sum")
        return embedded

    def embed_weights(self, weights: Tensor, known: Tensor) -> Tensor:
        """As `embed`, for `(rows, total)` weights that are zero for unknown codes."""
        return weights @ self.values.rows() + (~known).to(weights.dtype) @ self.unknown

    def trunk(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """`(rows, width)` to the features that the heads read, `(rows, width)`."""
        x = x * self.layout.count**-0.5
        if z is not None:
            x = x + z @ self.from_noise
        for block in self.blocks:
            x = block(x)
        features: Tensor = self.norm(x)
        return features

    def logits(self, features: Tensor) -> Tensor:
        """The logits of all heads, `(rows, total)`."""
        return torch.addmm(self.bias + self.impossible, features, self.heads.rows().T)


class Block(nn.Module):
    """x + W2 silu(W1 norm(x)); W2 starts at zero, so that a new network passes its input on."""

    def __init__(self, width: int, rng: torch.Generator) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = linear(width, width, rng)
        self.outer = linear(width, width, rng)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """`(rows, width)` to `(rows, width)`."""
        y: Tensor = self.outer(nn.functional.silu(self.inner(self.norm(x))))
        return x + y


def linear(inputs: int, outputs: int, rng: torch.Generator) -> nn.Linear:
    """A linear layer that takes its first weights from `rng` (Kaiming uniform) and leaves the global state alone."""
    layer: nn.Linear = torch.nn.utils.skip_init(nn.Linear, inputs, outputs)
    bound = (3 / inputs) ** 0.5
    with torch.no_grad():
        layer.weight.copy_((torch.rand(outputs, inputs, generator=rng) * 2 - 1) * bound)
        layer.bias.zero_()
    return layer
