"""Rounds of generation: codes that are known go in, a group of the others is drawn, and the next round sees them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tabgan.device import fastest_precision
from tabgan.errors import ConfigError
from tabgan.model.cooccurrence import split_by_dependence
from tabgan.model.generator import Generator, Tables
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.rounds import Rounds

BLOCK_ROWS = 512
"""Rows made together. They share one order of groups, and the block's number keys its random numbers."""


def rows_of(n: int, shard: int, shards: int) -> range:
    """The rows of one shard of `n` rows, the first being 1: whole blocks, spread evenly. Raises `ConfigError`."""
    if not 1 <= shard <= shards:
        raise ConfigError(f"shard {shard} of {shards} is none; the first of {max(shards, 1)} is 1.")
    blocks = -(-n // BLOCK_ROWS)
    first, last = (min(n, part * blocks // shards * BLOCK_ROWS) for part in (shard - 1, shard))
    return range(first, last)


class Sampler:
    """Draws rows of codes from a generator, `rounds` groups of codes a row."""

    def __init__(self, network: Generator, information: Tensor, exclusions: Exclusions, *, noisy: bool) -> None:
        """`information`: mutual information of the codes, `(codes, codes)`; `noisy`: whether rounds share a vector `z`
        (after the game) or not (after the warm-up alone)."""
        self.network = network
        self.information = information
        self.exclusions = exclusions
        self.noisy = noisy
        self.device = str(network.bias.device)

    @torch.inference_mode()
    def blocks(self, rows: int, rounds: int, seed: int, first: int = 0) -> Iterator[Tensor]:
        """Rows `first`, where a block begins, to `rows` in blocks of `(BLOCK_ROWS or fewer, codes)` int64."""
        groups = split_by_dependence(self.information, rounds)
        tables = Tables(self.network, fastest_precision(self.device))
        for start in range(first, rows, BLOCK_ROWS):
            rng = keyed("rows", seed, start // BLOCK_ROWS)
            # One fixed order would let errors pile up in the late groups.
            order = torch.randperm(len(groups), generator=rng).tolist()
            codes = self._block([groups[i] for i in order], tables, rng)
            yield codes[: rows - start].cpu()

    def _block(self, groups: list[list[int]], tables: Tables, rng: torch.Generator) -> Tensor:
        network, count = self.network, self.network.layout.count
        z = torch.randn(BLOCK_ROWS, network.noise, generator=rng).to(self.device) if self.noisy else None
        uniforms = spread_uniforms(BLOCK_ROWS, count, rng).to(self.device)
        rows = Rounds(tables, self.exclusions, z)
        for i, group in enumerate(groups):
            if i:
                rows.look()
            for code in group:
                rows.put(code, draw(rows.logits(code), uniforms[:, code : code + 1]))
        return torch.stack([rows.drawn[code] for code in range(count)], dim=1)


def spread_uniforms(rows: int, columns: int, rng: torch.Generator) -> Tensor:
    """`(rows, columns)` numbers uniform in [0, 1), of which every column has one in each 1/rows of the interval.

    A Latin hypercube sample (McKay et al. 1979): each row is distributed as before, and shares over many rows vary less
    than independent draws would make them.
    """
    strata = torch.rand(columns, rows, generator=rng).argsort(dim=1).T
    return ((strata + torch.rand(rows, columns, generator=rng)) / rows).clamp(max=1 - 2**-24)


def draw(logits: Tensor, uniforms: Tensor) -> Tensor:
    """One value a row by inverse CDF: `(rows, values)` logits and `(rows, 1)` uniforms in [0, 1) to `(rows,)` int64.

    The logits may be of one row that stands for all."""
    edges = logits.softmax(dim=1).cumsum(dim=1)
    # Scaled by the last edge, which rounding leaves near 1: no draw can fall past the end.
    scaled = uniforms * edges[:, -1:]
    below = torch.searchsorted(edges[0] if len(edges) == 1 else edges, scaled, right=True).squeeze(1)
    return below.clamp(max=logits.shape[1] - 1)
