"""How codes that are drawn in the same round go together: by a Gaussian copula, given what is known before the round.

A round draws every code from its own probabilities, by inverse CDF. If the uniform numbers for that are independent, so
are the codes, given what is known. Here they are the CDF of correlated normal numbers: columns that grow together are
drawn high together, and each still follows its own probabilities. What the copula does not say, the game's shared noise
or another round must.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tabgan.model.copula import Copula

LEAST_STRENGTH = 0.3
"""Below this a score says too little of the normal number behind it to make up for it."""
MOST_CORRELATED = 0.98
LEAST_CORRELATED, BY_CHANCE = 0.05, 2.0
"""A code is left alone whose correlations are all below the first, or below so many standard errors of none."""
FALTER, MOST_FALTERS = 0.9, 50
"""Correlations that no normal numbers have together are made smaller by this factor until some do."""
LEAST_LEFT = 3e-3
"""Of a score's variance, which is 1, at least so much is taken to be left given what is known."""


class Tie(NamedTuple):
    """What ties the codes of a round."""

    codes: list[int]
    factor: Tensor
    """The Cholesky factor of the correlations of their normal numbers, `(codes, codes)`."""
    orders: Mapping[int, Tensor]
    """The values of a code by rising score, where that is not their order already."""

    def on(self, device: torch.device) -> Tie:
        """The same on a device."""
        orders = {code: order.to(device) for code, order in self.orders.items()}
        return Tie(self.codes, self.factor.to(device), orders)

    def tied(self, uniforms: Tensor) -> Tensor:
        """`(rows, all codes)` independent numbers in [0, 1), of which those of these codes are tied."""
        normal = torch.special.ndtri(uniforms[:, self.codes].clamp(2**-24, 1 - 2**-24)) @ self.factor.T
        found = uniforms.clone()
        found[:, self.codes] = torch.special.ndtr(normal).clamp(0, 1 - 2**-24)
        return found


class Ties(nn.Module):
    """One score for each value of a code, and what the scores' correlations say of the normal numbers behind them."""

    def __init__(self, copula: Copula) -> None:
        """Ties nothing before `fit`; nothing of it is trained."""
        super().__init__()
        self.register_buffer("directions", torch.zeros(copula.features.count))
        self.register_buffer("strengths", torch.ones(len(copula.slices)))
        self._orders: dict[int, Tensor] = {}

    directions: Tensor
    """A code's score is the sum of its features, times these: the direction in which the others tell most of it."""
    strengths: Tensor
    """The correlation of a code's score and the normal number that draws it, `(codes,)`: 1 where values are many."""

    @torch.no_grad()
    def fit(self, copula: Copula, frequencies: Tensor) -> None:
        """Take the scores from a copula that was fitted; `frequencies`: `(total,)`, how often each value occurs."""
        numbers = set(copula.features.scores_of.values())
        for part, covariance, told in copula.told_by_others():
            self.directions[part] = _direction(covariance, told, is_number=part.start in numbers)
        self._orders = {}
        for code in self._tied(copula, range(len(copula.slices))):
            scores, shares = self._scores(copula, code), frequencies[copula.slices[code]]
            order = scores.argsort(stable=True)
            self.strengths[code] = _strength(scores[order], shares[order])

    @torch.no_grad()
    def of(self, copula: Copula, known: Sequence[int], codes: Sequence[int]) -> Tie | None:
        """What ties `codes` given those that are `known`, 0 or 1 for each; None where nothing much does."""
        codes = self._tied(copula, codes)
        if len(codes) < 2:
            return None
        parts = [copula.features.of_code[code] for code in codes]
        features = torch.cat([copula.features.numbers[part] for part in parts])
        sums = torch.block_diag(*(self.directions[part, None] for part in parts))
        mask = torch.tensor(list(known), dtype=torch.bool, device=sums.device)
        left = copula.left_between(mask, features, sums)
        spread = left.diagonal().clamp(min=LEAST_LEFT).sqrt() * self.strengths[codes].clamp(LEAST_STRENGTH, 1)
        correlation = (left / torch.outer(spread, spread)).clamp(-MOST_CORRELATED, MOST_CORRELATED).fill_diagonal_(0)
        by_chance = BY_CHANCE / float(copula.rows) ** 0.5
        matter = (correlation.abs().max(dim=1).values > max(LEAST_CORRELATED, by_chance)).nonzero().squeeze(1)
        if not len(matter):
            return None
        codes = [codes[i] for i in matter.tolist()]
        orders = {code: order for code in codes if (order := self._order(copula, code)) is not None}
        return Tie(codes, _factor(correlation[matter][:, matter].fill_diagonal_(1)), orders)

    def _tied(self, copula: Copula, codes: Iterable[int]) -> list[int]:
        """Those that have scores."""
        parts = copula.features.of_code
        return [code for code in codes if bool(self.directions[parts[code]].any())]

    def _scores(self, copula: Copula, code: int) -> Tensor:
        """Of each value of a code, `(cardinality,)`."""
        return copula.features.table(code) @ self.directions[copula.features.of_code[code]]

    def _order(self, copula: Copula, code: int) -> Tensor | None:
        """The values of a code by rising score; None where that is their order already."""
        features = copula.features
        if code in features.scores_of and not features.gaps[code]:
            return None
        if code not in self._orders:
            self._orders[code] = self._scores(copula, code).argsort(stable=True)
        return self._orders[code]


def _direction(covariance: Tensor, told: Tensor, *, is_number: bool) -> Tensor:
    """The weights of a code's features, `(features,)`, whose sum the other codes tell best: the first canonical variate
    (Hotelling 1936). `covariance` of the features and what is `told` of it, `(features, features)` each. Of a
    number, the first feature is its normal score, whose weight is positive."""
    found = torch.zeros(len(covariance), dtype=covariance.dtype, device=covariance.device)
    varied = covariance.diagonal() > 0
    if not varied.any():
        return found.float()
    inner = covariance[varied][:, varied]
    half = torch.linalg.cholesky(inner + 1e-3 * torch.diag(inner.diagonal()))
    white = torch.linalg.solve_triangular(half, told[varied][:, varied], upper=False)
    white = torch.linalg.solve_triangular(half, white.mT, upper=False)
    vector = torch.linalg.eigh((white + white.mT) / 2).eigenvectors[:, -1:]
    found[varied] = torch.linalg.solve_triangular(half.mT, vector, upper=True).squeeze(1)
    return (-found if is_number and found[0] < 0 else found).float()


def _strength(scores: Tensor, shares: Tensor) -> Tensor:
    """The correlation of a normal number and the score of the value that it draws, of values by rising score."""
    shares = (shares / shares.sum().clamp(min=1e-12)).double()
    edges = shares.cumsum(0).clamp(1e-9, 1 - 1e-9)
    density = (-torch.special.ndtri(edges).square() / 2).exp() / (2 * torch.pi) ** 0.5
    density[-1] = 0
    normal = torch.cat([density.new_zeros(1), density[:-1]]) - density  # the mean of the number, times the share
    centred = scores.double() - (shares * scores).sum()
    spread = (shares * centred.square()).sum().sqrt()
    strength: Tensor = (centred * normal).sum() / spread.clamp(min=1e-9)
    return strength.float()


def _factor(correlation: Tensor) -> Tensor:
    """The Cholesky factor of correlations, which may have to be made smaller to be ones of normal numbers."""
    for _ in range(MOST_FALTERS):
        factor: Tensor
        factor, failed = torch.linalg.cholesky_ex(correlation)
        if not failed:
            return factor.float()
        correlation = (FALTER * correlation).fill_diagonal_(1)
    return torch.eye(len(correlation), device=correlation.device)  # of numbers that are not finite
