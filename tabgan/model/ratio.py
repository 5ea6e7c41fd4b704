"""How much likelier a row is a real one than a made one: a density ratio by boosted trees, as tensors.

Trees over codes need no comparisons: each value of a code rules out some leaves of every tree, and of a row that one
leaf is left which none of its values rules out (Lucchese et al. 2015, "QuickScorer", section 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabgan.encoding.base import Code
from tabgan.model.embedding import Layout

LEAVES = 31
"""Leaves of a tree at most: bits of a whole number, less its sign."""
MOST = 3.0
"""A log ratio is not taken to be farther from 0 than this: of rarer rows the trees have seen too few."""
BLOCK_ROWS = 2_048


class DensityRatio:
    """log p(real) / p(made) of rows of codes, but for a constant."""

    def __init__(self, masks: Tensor, values: Tensor, offsets: Tensor, codes: Sequence[Code]) -> None:
        """`masks`: `(total, trees)` int32, of which bit l is set where a value does not rule out leaf l; `values`:
        `(trees, LEAVES)` float32, what a leaf adds to the log ratio; `offsets`: `(total,)` float32, what each value of
        each code adds. Raises `ValueError` where they do not fit `codes`."""
        self.layout = layout = Layout([code.cardinality for code in codes])
        if masks.shape != (layout.total, len(values)) or values.shape[1:] != (LEAVES,):
            raise ValueError("ratio")
        if offsets.shape != (layout.total,) or not values.is_floating_point() or not offsets.is_floating_point():
            raise ValueError("ratio")
        self.masks, self.values, self.offsets = masks.to(torch.int32), values.float(), offsets.float()
        self._starts = torch.tensor(layout.starts, device=masks.device)
        asked = [bool((self.masks[part] != self.masks[part][:1]).any()) for part in layout.slices]
        self._asked = [(i, start) for i, start in enumerate(layout.starts) if asked[i]]
        self._firsts = torch.arange(len(values), device=values.device) * LEAVES

    @classmethod
    def from_classifier(cls, classifier: Any, codes: Sequence[Code], device: str) -> DensityRatio:
        """The trees of a fitted `HistGradientBoostingClassifier` without categorical features, which had `codes` as its
        columns and takes real rows for the positive class."""
        layout = Layout([code.cardinality for code in codes])
        trees = [trees[0].nodes for trees in classifier._predictors]  # has no public name; a test compares the guesses
        masks = np.empty((layout.total, len(trees)), np.int32)
        values = np.zeros((len(trees), LEAVES), np.float32)
        for number, nodes in enumerate(trees):
            masks[:, number] = _bits(0, int(nodes["is_leaf"].sum()))
            _walk(nodes, 0, 0, masks[:, number], values[number], layout)
        found = {"masks": torch.from_numpy(masks), "values": torch.from_numpy(values)}
        return cls.restore({**found, "offsets": torch.zeros(layout.total)}, codes, device)

    def __call__(self, codes: Tensor) -> Tensor:
        """`(rows,)` float32 of `(rows, codes)` int64."""
        by_trees = torch.cat([self._by_trees(block) for block in codes.split(BLOCK_ROWS)]).clamp(-MOST, MOST)
        return by_trees + self.offsets[codes + self._starts].sum(dim=1)

    def _by_trees(self, codes: Tensor) -> Tensor:
        left = self.masks.new_ones(len(codes), len(self.values))
        for place, (code, start) in enumerate(self._asked):
            masks = self.masks.index_select(0, codes[:, code] + start)
            left = masks if place == 0 else left.bitwise_and_(masks)
        leaf = (torch.frexp(left.float()).exponent - 1).clamp(0, LEAVES - 1)  # the one bit that is set
        return self.values.view(-1).index_select(0, (self._firsts + leaf).view(-1)).view(leaf.shape).sum(dim=1)

    def tensors(self) -> dict[str, Tensor]:
        """What `restore` reads."""
        return {"masks": self.masks, "values": self.values, "offsets": self.offsets}

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor], codes: Sequence[Code], device: str) -> DensityRatio:
        """Undo `tensors`. Raises `ValueError` or `LookupError` for tensors that do not fit `codes`."""
        masks, values, offsets = (tensors[name].to(device) for name in ("masks", "values", "offsets"))
        return cls(masks, values, offsets, codes)


def _walk(nodes: np.ndarray, node: int, first: int, masks: np.ndarray, values: np.ndarray, layout: Layout) -> int:
    """Write the leaves below a node, of which `first` is the first, into one tree's `masks` and `values`; the number of
    the leaf after them."""
    this = nodes[node]
    if this["is_leaf"]:
        values[first] = this["value"]
        return first + 1
    middle = _walk(nodes, int(this["left"]), first, masks, values, layout)
    end = _walk(nodes, int(this["right"]), middle, masks, values, layout)
    part = masks[layout.slices[int(this["feature_idx"])]]
    to_left = np.arange(len(part)) <= this["num_threshold"]
    part[to_left] &= ~_bits(middle, end)
    part[~to_left] &= ~_bits(first, middle)
    return end


def _bits(first: int, end: int) -> np.int32:
    return np.int32((1 << end) - (1 << first))
