"""What a linear model reads of codes: normal scores of numbers, missing cells, and the commonest labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from tabgan.encoding.base import Code
from tabgan.model.embedding import Layout

FEW_PLACES = 4
"""Ordered codes of no more values than this are taken as labels."""
LABELS, LEAST_LABELS = 12, 3
"""So many of a code's commonest labels are features of their own. Where each code has room for fewer than the second,
codes of more labels have none: what some of them tell of numbers, labels that are drawn do not bear out."""
MOST_WITH_LABELS = 400
"""There are no more features than this unless numbers alone have more."""


class Features(nn.Module):
    """Codes `(rows, codes)` -> features `(rows, features)`, zero being the mean; those of one code lie together."""

    def __init__(self, codes: Sequence[Code], frequencies: Tensor, most: int, least_labels: int = LEAST_LABELS) -> None:
        """`frequencies`: `(total,)`, how often each value occurs in the training table; what does not vary in it has no
        feature. Where there would be more than `most`, there are none for some codes."""
        super().__init__()
        layout = Layout([code.cardinality for code in codes])
        is_number = [code.ordered and code.cardinality - 1 > FEW_PLACES for code in codes]
        self.gaps = [
            number and bool(frequencies[part.start] > 0) for number, part in zip(is_number, layout.slices, strict=True)
        ]
        """Whether a code is a number that may be missing."""
        room = max(0, MOST_WITH_LABELS - sum(is_number) - sum(self.gaps)) // max(1, len(codes) - sum(is_number))
        self.scores_of: dict[int, int] = {}
        """The feature that is the normal score of a code; the next one is whether it is missing, if it may be."""
        self.of_code: list[slice] = []
        """The features of each code."""
        columns: list[Tensor] = []
        owner: list[int] = []
        scored = torch.full((layout.total,), -1)
        size = 0
        for i, part in enumerate(layout.slices):
            first, share = len(columns), frequencies[part]
            if is_number[i]:
                found = [_normal_scores(share), _indicator(share, 0)][: 1 + self.gaps[i]]
                if first + len(found) <= most:
                    self.scores_of[i] = first
                    scored[part] = size + torch.arange(len(share))
            else:
                found = _common_labels(share, LABELS)
                found = found[:room] if room >= least_labels or len(found) <= room else []
            columns += found[: most - first]
            size = sum(map(len, columns[first:]), size)
            owner += [i] * (len(columns) - first)
            self.of_code.append(slice(first, len(columns)))
        self.count = len(columns)
        self._ends = [0, *accumulate(map(len, columns))]
        self.register_buffer("values", torch.cat([*columns, torch.zeros(0)]))
        self.register_buffer("starts", torch.tensor(self._ends[:-1], dtype=torch.long), persistent=False)
        self.register_buffer("numbers", torch.arange(self.count), persistent=False)
        self.register_buffer("owner", torch.tensor(owner, dtype=torch.long), persistent=False)
        self.register_buffer("scored", scored, persistent=False)

    values: Tensor
    """What each feature is for every value of its code, one feature after the other."""
    starts: Tensor
    """Where it does so."""
    numbers: Tensor
    """0, 1, 2 ... for all features."""
    owner: Tensor
    """The code of each feature."""
    scored: Tensor
    """Where in `values` the score of each value of all codes is, `(total,)`; -1 where there is none."""

    @property
    def scores(self) -> Tensor:
        """The normal score of each value of all codes, `(total,)`; zero where there is none."""
        return torch.cat([self.values, self.values.new_zeros(1)])[self.scored]

    def scores_of_code(self, code: int) -> Tensor:
        """The normal score of each value of a number."""
        feature = self.scores_of[code]
        return self.values[self._ends[feature] : self._ends[feature + 1]]

    def forward(self, codes: Tensor, known: Tensor) -> Tensor:
        """The features of those codes, `(rows, codes)` int64, that are `known`, bool; of others they are zero."""
        return self.values[self.starts + codes[:, self.owner]] * known[:, self.owner]

    def put(self, x: Tensor, codes: Sequence[int], values: Sequence[Tensor]) -> Tensor:
        """`x`, `(rows, features)` or of one row for all, with those of some codes, whose values are whole numbers
        `(rows,)` or weights `(rows, cardinality)`."""
        some = [(code, each) for code, each in zip(codes, values, strict=True) if self.has(code)]
        x = x.expand(len(values[0]), -1)
        if not some:
            return x
        parts = [self.of_code[code] for code, _ in some]
        numbers = [self.numbers[part] for part in parts]
        if values[0].is_floating_point():
            found = torch.cat([each @ self.table(code) for code, each in some], dim=1)
        else:
            code_of = torch.stack(
                [each for part, (_, each) in zip(parts, some, strict=True) for _ in range(part.start, part.stop)], dim=1
            )
            found = self.values[torch.cat([self.starts[part] for part in parts]) + code_of]
        return x.index_copy(1, torch.cat(numbers), found)

    def has(self, code: int) -> bool:
        """Whether a code has features."""
        return len(range(self.count)[self.of_code[code]]) > 0

    def table(self, code: int) -> Tensor:
        """What the features of a code are for each of its values, `(cardinality, features)`."""
        part = self.of_code[code]
        return self.values[self._ends[part.start] : self._ends[part.stop]].view(part.stop - part.start, -1).T


def _common_labels(frequencies: Tensor, most: int) -> list[Tensor]:
    """Indicators of the commonest labels; one label fewer than there are, for the last follows from them."""
    seen = int((frequencies > 0).sum())
    order = frequencies.argsort(descending=True, stable=True)[: max(0, min(most, seen - 1))]
    return [_indicator(frequencies, label) for label in order.tolist()]


def _indicator(frequencies: Tensor, value: int) -> Tensor:
    """1 for one value of a code and 0 for the others, less the mean."""
    indicator = -frequencies[value].repeat(len(frequencies))
    indicator[value] += 1
    return indicator


def _normal_scores(frequencies: Tensor) -> Tensor:
    """Normal scores of a code's places, of mean 0 and variance 1 over the known cells; 0 for a missing one."""
    share = frequencies[1:].double()
    share = share / share.sum().clamp(min=1e-12)
    middle = (share.cumsum(0) - share / 2).clamp(1e-4, 1 - 1e-4)
    scores = torch.special.ndtri(middle)
    scores = scores - (share * scores).sum()
    spread = (share * scores.square()).sum().sqrt().clamp(min=1e-3)
    return torch.cat([torch.zeros(1), (scores / spread).float()])
