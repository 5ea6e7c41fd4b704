"""Factor analysis: many features as a few factors that they share, and what each has of its own."""

from __future__ import annotations

import torch
from torch import Tensor

MOST_FACTORS = 200
LEAST_OWN = 3e-3
"""Of a feature's variance, at least so much is its own."""
PASSES = 5


def factors(covariance: Tensor, rows: float) -> tuple[Tensor, Tensor]:
    """Loadings, `(features, factors)`, and own variances, `(features,)`, of features that all vary and whose
    `covariance`, `(features, features)`, was estimated from so many rows.

    By principal factors (Harman 1976, chapter 8): the eigenvectors of the correlations, with what is shared instead of
    1 on the diagonal, which is what the factors of the pass before say. As many are kept as stand out from what chance
    makes of independent features (Marchenko and Pastur 1967), but not more than `MOST_FACTORS`.
    """
    spread = covariance.diagonal().double().sqrt()
    correlation = covariance.double() / torch.outer(spread, spread)
    ratio = len(covariance) / rows
    by_chance = 2 * ratio**0.5 + ratio
    own = torch.ones_like(spread)
    loadings = correlation[:, :0]
    for _ in range(PASSES):
        values, vectors = torch.linalg.eigh(correlation - torch.diag(own))
        kept = (values > by_chance).nonzero().squeeze(1)[-MOST_FACTORS:]
        loadings = vectors[:, kept] * values[kept].sqrt()
        own = (1 - loadings.square().sum(dim=1)).clamp(min=LEAST_OWN)
    return (loadings * spread[:, None]).float(), (own * spread.square()).float()
