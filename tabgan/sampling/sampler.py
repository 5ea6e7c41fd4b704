"""Rounds of generation: codes that are known go in, a group of the others is drawn, and the next round sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from tabgan.device import fastest_precision
from tabgan.errors import ConfigError
from tabgan.model.cooccurrence import split_by_dependence
from tabgan.model.generator import Generator, Tables
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.rounds import Rounds, look

BLOCK_ROWS = 512
"""Rows that share one order of groups; the block's number keys its random numbers. Of few rows in an order, or of few
orders in a sample, one sees which groups came late."""
UNIT_ROWS = 4 * BLOCK_ROWS
"""Rows of blocks that ask the trunk at once: fewer and larger products. Shards begin and end with such a unit."""
ORDERS = 64
"""Orders of groups in a large sample; what the copula says after each round is solved once for each."""


def rows_of(n: int, shard: int, shards: int) -> range:
    """The rows of one shard of `n` rows, the first being 1: whole units, spread evenly. Raises `ConfigError`."""
    if not 1 <= shard <= shards:
        raise ConfigError(f"shard {shard} of {shards} is none; the first of {max(shards, 1)} is 1.")
    units = -(-n // UNIT_ROWS)
    first, last = (min(n, part * units // shards * UNIT_ROWS) for part in (shard - 1, shard))
    return range(first, last)


class Sampler:
    """Draws rows of codes from a generator, `rounds` groups of codes a row."""

    def __init__(
        self,
        network: Generator,
        information: Tensor,
        exclusions: Exclusions,
        *,
        noisy: bool,
        offsets: Tensor | None = None,
    ) -> None:
        """`information`: mutual information of the codes, `(codes, codes)`; `noisy`: whether rounds share a vector `z`
        (after the game) or not (after the warm-up alone); `offsets`: added to all logits, `(total,)`."""
        self.network = network
        self.information = information
        self.exclusions = exclusions
        self.noisy = noisy
        self.offsets = offsets
        self.device = str(network.bias.device)

    @torch.inference_mode()
    def blocks(self, rows: int, rounds: int, seed: int, first: int = 0) -> Iterator[Tensor]:
        """Rows `first`, where a unit begins, to `rows` in blocks of `(BLOCK_ROWS or fewer, codes)` int64."""
        groups = split_by_dependence(self.information, rounds)
        tables = Tables(self.network, fastest_precision(self.device), offsets=self.offsets)
        for start in range(first, rows, UNIT_ROWS):
            numbers = range(start // BLOCK_ROWS, (start + UNIT_ROWS) // BLOCK_ROWS)
            for number, codes in zip(numbers, self._together(groups, tables, seed, numbers), strict=True):
                if number * BLOCK_ROWS < rows:
                    yield codes[: rows - number * BLOCK_ROWS].cpu()

    def _together(self, groups: list[list[int]], tables: Tables, seed: int, numbers: Sequence[int]) -> list[Tensor]:
        """The blocks of these numbers."""
        count = self.network.layout.count
        orders, uniforms, walks = [], [], []
        for number in numbers:
            rng = keyed("rows", seed, number)
            # One fixed order would let errors pile up in the late groups.
            orders.append(torch.randperm(len(groups), generator=keyed("order", seed, number % ORDERS)).tolist())
            z = torch.randn(BLOCK_ROWS, self.network.noise, generator=rng).to(self.device) if self.noisy else None
            uniforms.append(spread_uniforms(BLOCK_ROWS, count, rng).to(self.device))
            walks.append(Rounds(tables, self.exclusions, z))
        for places in zip(*orders, strict=True):
            look(walks)
            for walk, place, own in zip(walks, places, uniforms, strict=True):
                walk.draw(groups[place], own)
        return [torch.stack([walk.drawn[code] for code in range(count)], dim=1) for walk in walks]


def spread_uniforms(rows: int, columns: int, rng: torch.Generator) -> Tensor:
    """`(rows, columns)` numbers uniform in [0, 1), of which every column has one in each 1/rows of the interval.

    A Latin hypercube sample (McKay et al. 1979): each row is distributed as before, and shares over many rows vary less
    than independent draws would make them.
    """
    strata = torch.rand(columns, rows, generator=rng).argsort(dim=1).T
    return ((strata + torch.rand(rows, columns, generator=rng)) / rows).clamp(max=1 - 2**-24)
