"""Noisy counts: all that is ever known of the rows beside the gradients."""

from __future__ import annotations

import secrets

import numpy as np
import torch
from scipy.special import ndtri

from tabgan.private.budget import Spending


def secret_rng() -> np.random.Generator:
    """A generator that nobody can repeat: noise that follows from a known seed hides nothing."""
    return np.random.default_rng(secrets.randbits(128))


def secret_torch_rng(device: str) -> torch.Generator:
    """The same for tensors."""
    return torch.Generator(device).manual_seed(secrets.randbits(63))


class Looks:
    """Histograms with Gaussian noise; in each a row counts once, in one cell."""

    def __init__(self, spending: Spending, rng: np.random.Generator) -> None:
        self.noise = spending.look_noise
        self.rng = rng
        self._spending = spending
        self._left, self._thresholds_left = spending.looks, spending.thresholds

    def rows(self, rows: int) -> int:
        """About how many rows there are, at least 1: Laplace noise (Dwork and Roth 2014, definition 3.3)."""
        return max(1, round(rows + self.rng.laplace(scale=1 / self._spending.count_epsilon)))

    def known(self, counts: np.ndarray) -> np.ndarray:
        """Counts of cells that are known beforehand, `(cells,)`, as whole numbers of 0 and more."""
        if not self._left:
            raise RuntimeError("more looks than were planned")
        self._left -= 1
        return np.maximum(np.rint(counts + self.rng.normal(scale=self.noise, size=len(counts))), 0.0)

    def unknown(self, counts: np.ndarray) -> np.ndarray:
        """Counts of cells that rows hold, which nobody knows beforehand: 0 below `threshold`.

        A cell of one row alone passes with the chance `threshold_delta` (Korolova et al. 2009, "Releasing search
        queries and clicks privately", with Gaussian noise)."""
        if not self._thresholds_left:
            raise RuntimeError("more looks than were planned")
        self._thresholds_left -= 1
        found = self.known(counts)
        return np.where(found >= self.threshold, found, 0.0)

    @property
    def threshold(self) -> float:
        """The least count at which an unknown cell comes out."""
        return 1 + self.noise * float(-ndtri(self._spending.threshold_delta)) + 0.5  # counts are rounded


def shared_out(sizes: np.ndarray, rows: int) -> np.ndarray:
    """`(rows,)` rising numbers of cells, each as often as its size says, as nearly as whole numbers can."""
    edges = np.cumsum(sizes) / sizes.sum()
    found: np.ndarray = np.minimum(np.searchsorted(edges, (np.arange(rows) + 0.5) / rows, "right"), len(sizes) - 1)
    return found
