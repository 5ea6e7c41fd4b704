"""What chance does: how unlikely it is that something never happens."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

LEAST_CHANCES = 20.0
"""A fact counts if chance alone would have broken it so many times."""
LOG_CHANCE = -15.0
"""The log of the chance below which something that never happens counts as impossible: once in 3 million."""


def never_by_chance(a: int, b: int, rows: int) -> bool:
    """Whether sets of `a` and of `b` of the rows would, if independent, hardly ever lie apart: once in 3 million times
    (the hypergeometric distribution's value at 0)."""
    return bool(log_apart(np.array(a), np.array(b), rows) <= LOG_CHANCE)


def log_apart(a: np.ndarray, b: np.ndarray, rows: int) -> np.ndarray:
    """The log of the chance that independent sets of `a` and of `b` rows have none in common; -inf if they must."""
    free = rows - a - b
    log = gammaln(rows - a + 1) + gammaln(rows - b + 1) - gammaln(rows + 1) - gammaln(np.maximum(free, 0) + 1)
    apart: np.ndarray = np.where(free < 0, -np.inf, log)
    return apart
