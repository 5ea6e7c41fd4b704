"""The critic: an embedded row -> a score, high for real rows; no normalisation layers (Gulrajani et al. 2017, 4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model.embedding import CodeTable, Layout
from tabgan.model.generator import linear


class Critic(nn.Module):
    """An MLP over rows in which every code is a unit vector of a few numbers.

    Unlike the paper: rows are scored, mixed and penalised as embedded rows and not as one-hots, so that a gradient of
    norm 1 means the same for narrow and for wide columns.
    """

    def __init__(self, codes: Sequence[Code], config: ModelConfig, rng: torch.Generator) -> None:
        super().__init__()
        self.layout = Layout([code.cardinality for code in codes])
        self.values = CodeTable(codes, config.critic_embedding, 1.0, rng)
        width = config.critic_width
        self.layers = nn.Sequential(
            linear(len(codes) * config.critic_embedding, width, rng),
            nn.LeakyReLU(0.2),
            linear(width, width, rng),
            nn.LeakyReLU(0.2),
            linear(width, 1, rng),
        )
        self.register_buffer("starts", torch.tensor(self.layout.starts), persistent=False)

    starts: Tensor

    @property
    def hidden(self) -> list[nn.Parameter]:
        """The matrix between the hidden layers."""
        return [weight for weight in self.layers[2].parameters() if weight.ndim > 1]

    def embed(self, codes: Tensor) -> Tensor:
        """`(rows, codes)` int64 to embedded rows, `(rows, features)`."""
        return functional.embedding(codes + self.starts, self._unit_rows()).flatten(1)

    def embed_weights(self, weights: Tensor) -> Tensor:
        """As `embed`, for `(rows, total)` weights over the values of all codes."""
        sizes = self.layout.cardinalities
        parts = zip(weights.split(sizes, dim=1), self._unit_rows().split(sizes), strict=True)
        return torch.cat([part @ table for part, table in parts], dim=1)

    def _unit_rows(self) -> Tensor:
        return functional.normalize(self.values.rows(), dim=1)

    def forward(self, embedded: Tensor) -> Tensor:
        """The scores `(rows,)` of embedded rows."""
        scores: Tensor = self.layers(embedded)
        return scores.squeeze(1)
