"""Is the promise of `epsilon` kept? One row is planted or left out, again and again, and an attacker has to tell which.

    python benchmarks/privacy_audit.py               # 50 fits with the row and 50 without it
    python benchmarks/privacy_audit.py --broken      # the same where gradients are not clipped: the audit must fail

The attacker knows the whole table but for that row, the canary, which is unlike all others, and sees all that DP-SGD
sees of the rows, every noisy gradient: differential privacy promises that even this gives little away. From each
gradient he takes off what the rows that he knows add to it, and sums up what is left in the direction of the canary's
own. The share of right and wrong answers bounds epsilon from below (Jagielski et al. 2020, "Auditing differentially
private machine learning"), with 95% confidence (Clopper and Pearson 1934). The exit status is 1 where that is more than
was promised. To make the attack as strong as it can be, all rows are in every batch, hide all of their codes, and meet
a wide network.
"""

from __future__ import annotations

import argparse
import math
import sys
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch
from scipy.stats import beta

from tabgan import TrainConfig
from tabgan.config import ModelConfig
from tabgan.private import descent, learn
from tabgan.private.budget import Budget, plan_looks
from tabgan.private.descent import Descent
from tabgan.private.gradients import add_clipped
from tabgan.private.learn import train
from tabgan.private.looks import Looks, secret_rng
from tabgan.private.marginals import FileLayout, look
from tabgan.training.history import History

ROWS, STEPS = 1_500, 5
BUDGET = Budget(2.0)
CANARY = {"label 0": "a", "label 1": "c"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=50, help="with the canary, and as many without it")
    parser.add_argument("--broken", action="store_true", help="do not clip gradients")
    arguments = parser.parse_args()
    learn.STEPS, learn.TREE, learn.Descent = STEPS, TrainConfig(warmup_steps=1), Watched
    learn.MODEL = ModelConfig(width=768, blocks=1)
    descent.MOST_SHARE = descent.HIDDEN_SHARE = 1.0
    if arguments.broken:
        descent.add_clipped = lambda network, codes, known, clip: add_clipped(network, codes, known, 1e9)
    scores: dict[bool, list[float]] = {False: [], True: []}
    for i in range(arguments.fits):
        for planted in scores:
            scores[planted].append(score(planted))
        print(f"{i + 1} of {arguments.fits}", file=sys.stderr, flush=True)
    bound = lower_bound(np.array(scores[False]), np.array(scores[True]))
    print(f"promised {BUDGET.epsilon:g}, at least {bound:.2f}, with {arguments.fits} fits each")
    sys.exit(int(bound > BUDGET.epsilon))


class Watched(Descent):
    """A descent whose noisy gradients the attacker sees."""

    canary: ClassVar[torch.Tensor]
    """Its codes, `(1, codes)`."""
    score: ClassVar[float]

    def look(self) -> None:
        known = self.sum_of(self.codes[:ROWS])
        along = self.sum_of(Watched.canary)
        super().look()
        noisy = torch.cat([weight.grad.flatten() for weight in self.weights if weight.grad is not None])
        Watched.score += float((noisy * self._batch_rows - known) @ along / along.norm())

    def sum_of(self, codes: torch.Tensor) -> torch.Tensor:
        """The sum of the rows' gradients as the descent clips them."""
        for weight in self.weights:
            weight.grad = torch.zeros_like(weight)
        descent.add_clipped(self.generator, codes, torch.zeros_like(codes, dtype=torch.bool), descent.CLIP)
        return torch.cat([weight.grad.flatten() for weight in self.weights if weight.grad is not None])


def score(planted: bool) -> float:
    """How much of the canary the attacker sees in a fit with or without it."""
    table, layout = rows_with(planted), FileLayout.of(rows_with(True), None)
    spending = plan_looks(BUDGET, *layout.looks)
    looks = Looks(spending, secret_rng())
    marginals = look(table, layout, looks, ROWS)
    Watched.score = 0.0
    Watched.canary = torch.from_numpy(marginals.encoder.encode(pa.Table.from_pylist([CANARY], table.schema)))
    train(marginals, ROWS, spending, History(None, None), "cpu")
    return Watched.score


def rows_with(planted: bool) -> pa.Table:
    """Rows in which labels go together, and the canary, in which they do not."""
    labels = np.array(["a", "b", "c"])[np.random.default_rng(0).integers(0, 3, ROWS)]
    table = pa.table({"label 0": labels, "label 1": labels})
    return pa.concat_tables([table, pa.Table.from_pylist([CANARY], table.schema)]) if planted else table


def lower_bound(absent: np.ndarray, present: np.ndarray) -> float:
    """The epsilon that the rates of right and wrong answers need, where the attacker parts the scores at the median."""
    threshold, fits = float(np.median(np.concatenate([absent, present]))), len(absent)
    wrong, right = int((absent > threshold).sum()), int((present > threshold).sum())
    most_wrong = beta.ppf(0.975, wrong + 1, fits - wrong) if wrong < fits else 1.0
    least_right = beta.ppf(0.025, right, fits - right + 1) if right else 0.0
    return math.log(least_right / most_wrong) if least_right > most_wrong else 0.0


if __name__ == "__main__":
    main()
