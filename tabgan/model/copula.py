"""What the generator starts from: the Gaussian copula of a table's ordered codes.

A linear model of normal scores says much of a number given others, and learns it from few rows. The network adds what
is not linear to it. For features x of the known codes K the score s of another code is normal with mean
C_sK (C_KK + r I)^-1 x_K and with the variance v that is left, so that p(s | x) / p(s) is, but for a factor,
exp(s mean / v - s^2 (1/v - 1) / 2): a tilt of the frequencies that the heads start with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tabgan.encoding.base import Code
from tabgan.model.embedding import Layout

FEW_PLACES = 4
"""Ordered codes of no more values than this are taken as labels."""
LABELS = 12
"""So many of a code's commonest labels are features of their own."""
MOST_FEATURES = 400
"""A table of more features than this has fewer for its labels, and at last none for some codes."""
MANY_FEATURES = 150
"""Of more features than this masks are solved one by one on a CPU."""
RIDGE, SHRINK = 1e-3, 0.1
"""Added to every variance: the first, and the second for every feature in use, divided by the number of rows."""
LEAST_VARIANCE = 3e-3
"""Of a score given others: a bin is about as wide."""

Tilts = tuple[Tensor, Tensor]
"""Slope and curvature, `(rows, numbers)` each: the logit of a score s gains s (slope - s curvature)."""


class Solution(NamedTuple):
    """What some known codes say of the numbers: `weights`, `(features, numbers)`, are zero for features of others;
    `left`, `(numbers,)`, is the share of the variance that is left."""

    weights: Tensor
    left: Tensor


class Copula(nn.Module):
    """Features of known codes -> tilts of the others' logits. It is fitted in closed form; nothing of it is trained."""

    def __init__(self, codes: Sequence[Code], frequencies: Tensor) -> None:
        """`frequencies`: `(total,)`, how often each value occurs in the training table. What does not vary in it has no
        feature."""
        super().__init__()
        layout = Layout([code.cardinality for code in codes])
        is_number = [code.ordered and code.cardinality - 1 > FEW_PLACES for code in codes]
        gaps = [
            number and bool(frequencies[part.start] > 0) for number, part in zip(is_number, layout.slices, strict=True)
        ]
        labels = (MOST_FEATURES - sum(is_number) - sum(gaps)) // max(1, len(codes) - sum(is_number))
        columns: list[Tensor] = []
        self.numbers: list[int] = []
        targets, owner = [], []
        scores = torch.zeros(layout.total)
        for i, part in enumerate(layout.slices):
            found = _labels(frequencies[part], max(0, min(LABELS, labels)))
            if is_number[i]:
                scores[part] = _scores(frequencies[part])
                found = [scores[part], _indicator(frequencies[part], 0)][: 1 + gaps[i]]
                if len(columns) + len(found) <= MOST_FEATURES:
                    self.numbers.append(i)
                    targets.append(len(columns))
            for values in found[: MOST_FEATURES - len(columns)]:
                column = torch.zeros(layout.total)
                column[part] = values
                columns.append(column)
                owner.append(i)
        if not columns:  # very many codes, all of labels
            columns.append(torch.zeros(layout.total))
            owner.append(0)
        self.slices = layout.slices
        self.number_of = {code: number for number, code in enumerate(self.numbers)}
        # Of the numbers that may be missing, the features of their scores and those of missing cells.
        scored = [t for code, t in zip(self.numbers, targets, strict=True) if gaps[code]]
        self.may_miss = bool(scored)
        self._varied_at: Tensor | None = None
        self.register_buffer("scores", scores)
        self.register_buffer("features", torch.stack(columns, dim=1))
        self.register_buffer("covariance", torch.eye(len(columns)))
        self.register_buffer("rows", torch.tensor(1.0))
        self.register_buffer("targets", torch.tensor(targets, dtype=torch.long), persistent=False)
        self.register_buffer("scored", torch.tensor(scored, dtype=torch.long), persistent=False)
        self.register_buffer("missing", torch.tensor(scored, dtype=torch.long) + 1, persistent=False)
        self.register_buffer("owner", torch.tensor(owner, dtype=torch.long), persistent=False)
        self.register_buffer("starts", torch.tensor(layout.starts), persistent=False)

    scores: Tensor
    features: Tensor
    covariance: Tensor
    rows: Tensor
    targets: Tensor
    scored: Tensor
    missing: Tensor
    owner: Tensor
    starts: Tensor

    @torch.no_grad()
    def fit(self, codes: Tensor, block_rows: int = 8192) -> None:
        """Learn the covariance of `(rows, codes)` int64, of two scores over the rows in which both are known."""
        total = torch.zeros_like(self.covariance)
        both = torch.zeros_like(self.covariance)
        for block in codes.split(block_rows):
            x = self.embed(block.long(), torch.ones_like(block, dtype=torch.bool))
            known = torch.ones_like(x)
            known[:, self.targets] = (block[:, self.numbers] > 0).to(x.dtype)
            total += x.T @ x
            both += known.T @ known
        values, vectors = torch.linalg.eigh(total / both.clamp(min=1))
        varied = (total.diagonal() > 0).to(total.dtype)  # of features that do not vary rounding would leave traces
        self.covariance.copy_(torch.outer(varied, varied) * (vectors * values.clamp(min=0) @ vectors.T))
        self.rows.fill_(len(codes))
        self._varied_at = None

    def embed(self, codes: Tensor, known: Tensor) -> Tensor:
        """The features of known codes, `(rows, features)`, from `(rows, codes)` int64 and bool; zero is the mean."""
        x: Tensor = nn.functional.embedding_bag(
            codes + self.starts, self.features, mode="sum", per_sample_weights=known.to(self.features.dtype)
        )
        return x

    @property
    def solution_size(self) -> int:
        """Numbers in a solution."""
        return len(self.owner) * len(self.targets)

    @torch.no_grad()
    def solve(self, known: Tensor) -> Solution:
        """What those codes that are `known`, `(masks, codes)` bool, say of every number: `(masks, features, numbers)`
        and `(masks, numbers)`.

        Rows and columns of codes that a mask does not know become those of the unit matrix, so that all masks have one
        shape. Of many features that is more work than to solve each mask by itself, without them; but a GPU would have
        to wait for their number.
        """
        varied = self._varied
        if known.device.type == "cpu":
            if len(known) > 1 and len(varied) > MANY_FEATURES:
                return Solution(*map(torch.cat, zip(*map(self.solve, known.split(1)), strict=True)))
            varied = varied[known.any(dim=0)[self.owner[varied]]]
        used = known[:, self.owner[varied]].to(self.covariance.dtype)
        covariance = self.covariance[varied]
        both = used[:, :, None] * used[:, None, :]
        ridge = RIDGE + SHRINK * used.sum(dim=1, keepdim=True) / self.rows
        square = covariance[:, varied] * both + torch.diag_embed(1 - used + ridge * used)
        across = used[:, :, None] * covariance[:, self.targets]
        factor = torch.linalg.cholesky_ex(square).L
        found = torch.linalg.solve_triangular(factor, across, upper=False)
        found = torch.linalg.solve_triangular(factor.mT, found, upper=True)
        own = self.covariance[self.targets, self.targets].clamp(min=1e-6)
        weights = torch.zeros(len(known), len(self.owner), len(self.targets), device=known.device)
        weights[:, varied] = found
        return Solution(weights, 1 - (across * found).sum(dim=1) / own)

    @property
    def _varied(self) -> Tensor:
        """The features that vary; that of missing cells does not in a column without any."""
        if self._varied_at is None:
            self._varied_at = self.covariance.diagonal().nonzero().squeeze(1)
        return self._varied_at

    def forward(self, x: Tensor, solution: Solution, numbers: slice = slice(None)) -> Tilts:
        """The tilts of some of the numbers given the features of the known codes, `(rows, features)`, and what they
        say; of several solutions at once, each with rows of its own, `(masks, rows, features)`."""
        weights = solution.weights[..., numbers]
        left = solution.left[..., numbers]
        if self.may_miss:
            # A known cell that is missing stands in with the mean: what its score would have told is left open.
            missing = (x[..., self.missing] > 0).to(x.dtype)
            left = left + missing @ weights[..., self.scored, :].square()
        left = left.clamp(min=LEAST_VARIANCE, max=1)
        slope = x @ weights / left
        return slope, ((1 / left - 1) / 2).expand_as(slope)

    @torch.no_grad()
    def of_rows(self, codes: Tensor, known: Tensor) -> Tilts:
        """As `forward` for `(rows, codes)` int64, of which row i knows `known[i % masks]`, `(masks, codes)` bool."""
        x = self.embed(codes, in_turn(known, len(codes)))
        weights, left = self.solve(known)
        x = nn.functional.pad(x, (0, 0, 0, -len(x) % len(known))).view(-1, len(known), x.shape[1])
        tilts = self(x.transpose(0, 1), Solution(weights, left[:, None]))
        slope, curvature = (each.transpose(0, 1).flatten(0, 1)[: len(codes)] for each in tilts)
        return slope, curvature

    @torch.no_grad()
    def gains(self, tilts: Tilts) -> Tensor:
        """What the logits of all codes gain, `(rows, total)`."""
        found = torch.zeros(len(self.scores), len(tilts[0]), device=self.scores.device)
        both, curves = torch.stack([each.T for each in tilts], dim=1), _curves(self.scores).T.contiguous()
        for i, number in enumerate(self.numbers):
            part = self.slices[number]
            torch.mm(curves[part], both[i], out=found[part])
        return found.T

    def tilt_code(self, logits: Tensor, x: Tensor, solution: Solution, code: int) -> Tensor:
        """`(rows, cardinality)` logits of one code, tilted by what the known codes say of it."""
        number = self.number_of.get(code)
        if number is None:
            return logits
        tilts = torch.cat(self(x, solution, slice(number, number + 1)), dim=1)
        return torch.addmm(logits, tilts.expand(len(logits), -1), _curves(self.scores[self.slices[code]]))


def in_turn(masks: Tensor, rows: int) -> Tensor:
    """`(masks, codes)` repeated to `(rows, codes)`: row i has mask i modulo their number."""
    return masks.repeat(-(-rows // len(masks)), 1)[:rows]


def _curves(scores: Tensor) -> Tensor:
    """What a slope and a curvature of 1 add to the logits of `(values,)` scores: `(2, values)`."""
    return torch.stack([scores, -scores.square()])


def _labels(frequencies: Tensor, most: int) -> list[Tensor]:
    """Indicators of the commonest labels; one label fewer than there are, for the last follows from them."""
    seen = int((frequencies > 0).sum())
    order = frequencies.argsort(descending=True, stable=True)[: max(0, min(most, seen - 1))]
    return [_indicator(frequencies, label) for label in order.tolist()]


def _indicator(frequencies: Tensor, value: int) -> Tensor:
    """1 for one value of a code and 0 for the others, less the mean."""
    indicator = -frequencies[value].repeat(len(frequencies))
    indicator[value] += 1
    return indicator


def _scores(frequencies: Tensor) -> Tensor:
    """Normal scores of a code's places, of mean 0 and variance 1 over the known cells; 0 for a missing one."""
    share = frequencies[1:].double()
    share = share / share.sum().clamp(min=1e-12)
    middle = (share.cumsum(0) - share / 2).clamp(1e-4, 1 - 1e-4)
    scores = torch.special.ndtri(middle)
    scores = scores - (share * scores).sum()
    spread = (share * scores.square()).sum().sqrt().clamp(min=1e-3)
    return torch.cat([torch.zeros(1), (scores / spread).float()])
