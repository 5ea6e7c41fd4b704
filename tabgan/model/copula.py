"""What the generator starts from: the Gaussian copula of a table's ordered codes.

A linear model of normal scores says much of a number given others, and learns it from few rows. The network adds what
is not linear to it. For features x of the known codes K the score s of another code is normal with mean
C_sK (C_KK + r I)^-1 x_K and with the variance v that is left, so that p(s | x) / p(s) is, but for a factor,
exp(s mean / v - s^2 (1/v - 1) / 2): a tilt of the frequencies that the heads start with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tabgan.encoding.base import Code
from tabgan.model.embedding import Layout
from tabgan.model.factors import MOST_FACTORS, factors
from tabgan.model.features import MOST_WITH_LABELS, Features

MOST_FEATURES = 2_000
"""Numbers after the last of these start from their frequencies alone."""
MOST_PAIRED = MOST_WITH_LABELS
"""More features than this tell of each other by the factors that they share, and not pair by pair."""
MANY_FEATURES = 150
"""Of more features than this masks are solved one by one on a CPU."""
MASKS = 32
"""So many masks are solved together at most."""
MOST_PRODUCTS, LEAST_ROWS = 2e11, 10_000
"""Multiplications for the covariance, at most, if that leaves so many rows."""
RIDGE, SHRINK = 1e-3, 0.1
"""Added to every variance: the first, and the second for every feature in use, divided by the number of rows."""
LEAST_VARIANCE = 3e-3
"""Of a score given others: a bin is about as wide."""

Tilts = tuple[Tensor, Tensor]
"""Slope and curvature, `(rows, numbers)` each: the logit of a score s gains s (slope - s curvature)."""


class Solution(NamedTuple):
    """What known codes say of the numbers; of several masks each has a dimension before."""

    factors: Tensor | None
    """By which features are read, `(features, factors)`; None where they are read as they are."""
    weights: Tensor
    """What the means of the scores are made of, `(features or factors, numbers)`."""
    left: Tensor
    """The share of their variance that is left, `(numbers,)`."""

    def first(self) -> Solution:
        """That of the first mask."""
        factors = None if self.factors is None else self.factors[0]
        return Solution(factors, self.weights[0], self.left[0])


class Told(NamedTuple):
    """What is read of rows."""

    read: Tensor
    """`(rows, features or factors)`."""
    missing: Tensor
    """Which numbers are known to be missing, `(rows, numbers that may be)`."""


class Copula(nn.Module):
    """Features of known codes -> tilts of the others' logits. It is fitted in closed form; nothing of it is trained."""

    def __init__(self, codes: Sequence[Code], frequencies: Tensor, features: Features | None = None) -> None:
        """`frequencies`: `(total,)`, how often each value occurs in the training table; `features`: those of the codes,
        if not as they are found today."""
        super().__init__()
        self.features = features or Features(codes, frequencies, MOST_FEATURES)
        self.slices = Layout([code.cardinality for code in codes]).slices
        self.is_factored = self.features.count > MOST_PAIRED
        scores_of = self.features.scores_of
        self.number_of = {code: number for number, code in enumerate(scores_of)}
        self._varied_at: Tensor | None = None
        self._factors: int | None = None
        if self.is_factored:
            self.register_buffer("loadings", torch.zeros(self.features.count, MOST_FACTORS))
            self.register_buffer("own", torch.ones(self.features.count))
        else:
            self.register_buffer("covariance", torch.eye(self.features.count))
        self.register_buffer("rows", torch.tensor(1.0))
        # Of the numbers that may be missing, the features of their scores and those of missing cells.
        scored = [score for code, score in scores_of.items() if self.features.gaps[code]]
        for name, places in (
            ("targets", scores_of.values()),
            ("scored", scored),
            ("missing", [score + 1 for score in scored]),
        ):
            self.register_buffer(name, torch.tensor(list(places), dtype=torch.long), persistent=False)

    covariance: Tensor
    loadings: Tensor
    own: Tensor
    rows: Tensor
    targets: Tensor
    """The features that are scores of numbers."""
    scored: Tensor
    """Those of numbers that may be missing."""
    missing: Tensor
    """The features that say so."""

    @torch.no_grad()
    def fit(self, codes: Tensor, block_rows: int = 8192) -> None:
        """Learn the covariance of `(rows, codes)` int64, of two scores over the rows in which both are known."""
        count = self.features.count
        codes = codes[: max(LEAST_ROWS, int(MOST_PRODUCTS / max(1, count) ** 2))]
        total = torch.zeros(count, count, device=self.rows.device)
        both = torch.zeros_like(total)
        numbers = list(self.number_of)
        every = torch.ones(1, codes.shape[1], dtype=torch.bool, device=codes.device)
        for block in codes.split(block_rows):
            x = self.features(block.long(), every)
            total += x.T @ x
            if not len(self.missing):
                both += len(block)
                continue
            known = torch.ones_like(x)
            known[:, self.targets] = (block[:, numbers] > 0).to(x.dtype)
            both += known.T @ known
        varied = total.diagonal() > 0  # of features that do not vary rounding would leave traces
        covariance = total / both.clamp(min=1)
        self.rows.fill_(len(codes))
        if self.is_factored:
            loadings, own = factors(covariance[varied][:, varied], len(codes))
            self.loadings.zero_()
            self.own.zero_()
            self.loadings[varied, : loadings.shape[1]], self.own[varied] = loadings, own
        else:
            values, vectors = torch.linalg.eigh(covariance)
            covariance = vectors * values.clamp(min=0) @ vectors.T
            self.covariance.copy_(torch.outer(varied, varied) * covariance)
        self._varied_at = self._factors = None

    @torch.no_grad()
    def solve(self, known: Tensor) -> Solution:
        """What those codes that are `known`, `(masks, codes)` bool, say of the others; of each mask."""
        return self._solved_by_factors(known) if self.is_factored else self._solved_by_pairs(known)

    def _solved_by_pairs(self, known: Tensor) -> Solution:
        """Rows and columns of codes that a mask does not know become those of the unit matrix, so that all masks have
        one shape. Of many features that is more work than to solve each mask by itself, without them; but a GPU would
        have to wait for their number."""
        varied = self._varied
        if known.device.type == "cpu":
            if len(known) > 1 and len(varied) > MANY_FEATURES:
                each = [self._solved_by_pairs(mask)[1:] for mask in known.split(1)]
                return Solution(None, *map(torch.cat, zip(*each, strict=True)))
            varied = varied[known.any(dim=0)[self.features.owner[varied]]]
        used = known[:, self.features.owner[varied]].to(self.covariance.dtype)
        covariance = self.covariance[varied]
        both = used[:, :, None] * used[:, None, :]
        square = covariance[:, varied] * both + torch.diag_embed(1 - used + self._ridge(used) * used)
        across = used[:, :, None] * covariance[:, self.targets]
        factor = torch.linalg.cholesky_ex(square).L
        found = torch.linalg.solve_triangular(factor, across, upper=False)
        found = torch.linalg.solve_triangular(factor.mT, found, upper=True)
        own = self.covariance.diagonal()[self.targets].clamp(min=1e-6)
        weights = torch.zeros(len(known), self.features.count, len(self.targets), device=known.device)
        weights[:, varied] = found
        return Solution(None, weights, 1 - (across * found).sum(dim=1) / own)

    def _solved_by_factors(self, known: Tensor) -> Solution:
        """By Woodbury's identity no matrix is larger than the number of factors."""
        used = known[:, self.features.owner].to(self.own.dtype)
        loadings = self.loadings[:, : self._factor_count]
        weighted = loadings * (used / (self.own + self._ridge(used)))[:, :, None]
        unit = torch.eye(loadings.shape[1], device=known.device)
        factor = torch.linalg.cholesky_ex(unit + loadings.T @ weighted).L
        half = torch.linalg.solve_triangular(factor, unit.expand_as(factor), upper=False)
        inner = half.mT @ half
        own, shared = self.own[self.targets], loadings[self.targets]
        left = own + ((shared @ inner) * shared).sum(dim=2)
        left = left / (own + shared.square().sum(dim=1)).clamp(min=1e-6)
        return Solution(weighted @ inner, shared.T.expand(len(known), -1, -1), left)

    def told_by_others(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Of each code that has features: these, their covariance, and the part of it that all others tell of it."""
        covariance = (self.loadings @ self.loadings.T + torch.diag(self.own)) if self.is_factored else self.covariance
        square = covariance.double()
        square += self._ridge(torch.ones_like(square[:1])) * torch.eye(len(square), device=square.device)
        precision = torch.linalg.inv(square)
        for code, part in enumerate(self.features.of_code):
            if self.features.has(code):
                left = torch.linalg.inv(precision[part, part])
                yield part, covariance[part, part].double(), square[part, part] - left

    def left_between(self, known: Tensor, features: Tensor, sums: Tensor) -> Tensor:
        """The covariance of sums of some `features`, given the codes that are `known`, `(codes,)` bool: `(sums, sums)`.

        `sums`: `(some features, sums)`, how much of each; none of them is of a known code."""
        used = known[self.features.owner].to(self.rows.dtype)[None]
        if self.is_factored:
            loadings = self.loadings[:, : self._factor_count]
            weighted = loadings * (used / (self.own + self._ridge(used))).T
            square = torch.eye(loadings.shape[1], device=used.device) + loadings.T @ weighted
            across, own = loadings[features].T @ sums, (sums.T * self.own[features]) @ sums
            return own + across.T @ torch.cholesky_solve(across, torch.linalg.cholesky_ex(square).L)
        some = self._varied[known[self.features.owner[self._varied]]]
        square = self.covariance[some][:, some] + self._ridge(used) * torch.eye(len(some), device=used.device)
        across, own = self.covariance[some][:, features] @ sums, sums.T @ self.covariance[features][:, features] @ sums
        return own - across.T @ torch.cholesky_solve(across, torch.linalg.cholesky_ex(square).L)

    def _ridge(self, used: Tensor) -> Tensor:
        """What is added to every variance, `(masks, 1)`, where so many features are `used`, `(masks, features)`."""
        return RIDGE + SHRINK * used.sum(dim=1, keepdim=True) / self.rows

    @property
    def solution_size(self) -> int:
        """Numbers in a solution, about."""
        return self.features.count * (2 * self._factor_count if self.is_factored else len(self.targets))

    @property
    def _varied(self) -> Tensor:
        """The features that vary; that of missing cells does not in a column without any."""
        if self._varied_at is None or self._varied_at.device != self.covariance.device:
            self._varied_at = self.covariance.diagonal().nonzero().squeeze(1)
        return self._varied_at

    @property
    def _factor_count(self) -> int:
        if self._factors is None:
            self._factors = int(self.loadings.any(dim=0).sum())
        return self._factors

    def read(self, x: Tensor, solution: Solution) -> Told:
        """What there is to read of the features of the known codes, `(rows, features)`; of several solutions at once,
        each with rows of its own, `(masks, rows, features)`."""
        missing = (x[..., self.missing] > 0).to(x.dtype)
        return Told(x if solution.factors is None else x @ solution.factors, missing)

    def forward(self, told: Told, solution: Solution, some: slice = slice(None)) -> Tilts:
        """The tilts of some of the numbers."""
        weights, left = solution.weights[..., some], solution.left[..., None, some]
        if len(self.missing):
            # A known cell that is missing stands in with the mean: what its score would have told is left open.
            if solution.factors is None:
                scored = weights[..., self.scored, :]
            else:
                scored = solution.factors[..., self.scored, :] @ weights
            left = left + told.missing @ scored.square()
        left = left.clamp(min=LEAST_VARIANCE, max=1)
        slope = told.read @ weights / left
        return slope, ((1 / left - 1) / 2).expand_as(slope)

    @torch.no_grad()
    def of_rows(self, codes: Tensor, known: Tensor) -> Tilts:
        """As `forward` for `(rows, codes)` int64, of which row i knows `known[i % masks]`, `(masks, codes)` bool."""
        x = self.features(codes, in_turn(known, len(codes)))
        x = nn.functional.pad(x, (0, 0, 0, -len(x) % len(known)))
        x = x.unflatten(0, (len(x) // len(known), len(known))).transpose(0, 1)
        found = []
        for masks, rows in zip(known.split(MASKS), x.split(MASKS), strict=True):
            solution = self.solve(masks)
            found.append(self(self.read(rows, solution), solution))
        slope, curvature = (torch.cat(each).transpose(0, 1).flatten(0, 1) for each in zip(*found, strict=True))
        return slope[: len(codes)], curvature[: len(codes)]

    @torch.no_grad()
    def gains(self, tilts: Tilts) -> Tensor:
        """What the logits of all codes gain, `(rows, total)`."""
        curves = _curves(self.features.scores).T.contiguous()
        found = torch.zeros(len(curves), len(tilts[0]), device=curves.device)
        both = torch.stack([each.T for each in tilts], dim=1)
        for code, number in self.number_of.items():
            part = self.slices[code]
            torch.mm(curves[part], both[number], out=found[part])
        return found.T

    def tilt_code(self, logits: Tensor, told: Told, solution: Solution, code: int) -> Tensor:
        """`(rows, cardinality)` logits of one code, tilted by what the known codes say of it."""
        number = self.number_of.get(code)
        if number is None:
            return logits
        tilts = torch.cat(self(told, solution, slice(number, number + 1)), dim=1)
        return torch.addmm(logits, tilts.expand(len(logits), -1), _curves(self.features.scores_of_code(code)))


def of_first_formats(codes: Sequence[Code], state: dict[str, Tensor]) -> Copula:
    """That of the weights `state` of a file of format 1 or 2, whose features become what they are now."""
    found = Features(codes, state["frequencies"], most=400, least_labels=0)
    copula = Copula(codes, state["frequencies"], found)
    features = state.pop("copula.features")
    del state["copula.scores"]
    columns = [features[copula.slices[owner], i] for i, owner in enumerate(copula.features.owner.tolist())]
    state["copula.features.values"] = torch.cat([*columns, features.new_zeros(0)])
    return copula


def in_turn(masks: Tensor, rows: int) -> Tensor:
    """`(masks, codes)` repeated to `(rows, codes)`: row i has mask i modulo their number."""
    return masks.repeat(-(-rows // len(masks)), 1)[:rows]


def _curves(scores: Tensor) -> Tensor:
    """What a slope and a curvature of 1 add to the logits of `(values,)` scores: `(2, values)`."""
    return torch.stack([scores, -scores.square()])
