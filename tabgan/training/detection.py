"""How well boosted trees tell made rows of codes from real ones."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from tabgan.c2st import MOST_LABELS, c2st_auc
from tabgan.encoding.base import Code

FOLDS = 3
"""A fit asks often, and compares the answers with each other only."""


def c2st(real: Tensor, made: Tensor, codes: Sequence[Code], seed: int) -> float:
    """`c2st_auc` of real and made rows, both `(rows, codes)`."""
    labels = [not code.ordered and code.cardinality <= MOST_LABELS for code in codes]
    return c2st_auc(real.cpu().numpy(), made.cpu().numpy(), labels, FOLDS, seed)
