"""Rows that are chosen among candidates: each by how much likelier it is a real row than a made one.

Sampling-importance resampling (Rubin 1988) in small: of `CANDIDATES` rows from the generator, q, one is kept with a
probability in proportion to the density ratio p / q. With so few they are not distributed as p, but what is wrong with
q is about a `CANDIDATES`-th of what it was. That the judge of rows chooses them is the idea of discriminator rejection
sampling (Azadi et al. 2019); but here every row takes the same number of candidates, so that row i still depends on the
seed and i alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from tabgan.model.ratio import DensityRatio
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.rounds import draw
from tabgan.sampling.sampler import BLOCK_ROWS, Sampler

CANDIDATES = 4
"""Rows that are drawn for each one that is kept."""


class ChoosingSampler:
    """As `Sampler`, with rows that are chosen among candidates."""

    def __init__(self, sampler: Sampler, ratio: DensityRatio) -> None:
        self.sampler, self.ratio = sampler, ratio

    @torch.inference_mode()
    def blocks(self, rows: int, rounds: int, seed: int, first: int = 0) -> Iterator[Tensor]:
        """As `Sampler.blocks`."""
        whole = -(-rows // BLOCK_ROWS) * BLOCK_ROWS
        drawn = self.sampler.blocks(whole * CANDIDATES, rounds, seed, first * CANDIDATES)
        for start in range(first, rows, BLOCK_ROWS):
            candidates = torch.stack(list(islice(drawn, CANDIDATES)), dim=1)
            yield chosen(candidates, self.ratio, keyed("chosen", seed, start // BLOCK_ROWS))[: rows - start]


def chosen(candidates: Tensor, ratio: DensityRatio, rng: torch.Generator) -> Tensor:
    """One of each row's candidates, `(rows, candidates, codes)` int64 to `(rows, codes)`."""
    rows, copies, codes = candidates.shape
    logs = ratio(candidates.reshape(-1, codes).to(ratio.values.device)).cpu().view(rows, copies)
    return candidates[torch.arange(rows), draw(logs, torch.rand(rows, 1, generator=rng))]
