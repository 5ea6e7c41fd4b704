"""Is the promise of `epsilon` kept? One row is planted or left out, again and again, and an attacker has to tell which.

    python benchmarks/privacy_audit.py               # 50 fits with the row and 50 without it
    python benchmarks/privacy_audit.py --broken      # the same where gradients are not clipped: the audit must fail

The attacker knows the whole table but for that row, the canary, which is unlike all others, and asks the network that
was trained by DP-SGD, before anything smooths its answers, how likely the canary is. The share of right and wrong
answers bounds epsilon from below (Jagielski et al. 2020, "Auditing differentially private machine learning"), with 95%
confidence (Clopper and Pearson 1934). The exit status is 1 where that is more than was promised.
"""

from __future__ import annotations

import argparse
import math
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from scipy.stats import beta

from tabgan import TrainConfig
from tabgan.model.losses import cross_entropies
from tabgan.private import descent, learn
from tabgan.private.budget import Budget, plan_looks
from tabgan.private.gradients import add_clipped
from tabgan.private.learn import train
from tabgan.private.looks import Looks, secret_rng
from tabgan.private.marginals import Layout, look
from tabgan.training.history import History

ROWS, STEPS = 3_000, 100
BUDGET = Budget(1.0)
CANARY = {"label 0": "a", "label 1": "c", "label 2": "b", "label 3": "c", "number": 10}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=50, help="with the canary, and as many without it")
    parser.add_argument("--broken", action="store_true", help="do not clip gradients")
    arguments = parser.parse_args()
    learn.STEPS, learn.TREE = STEPS, TrainConfig(warmup_steps=100)
    if arguments.broken:
        descent.add_clipped = lambda network, codes, known, clip: add_clipped(network, codes, known, 1e9)
    scores: dict[bool, list[float]] = {False: [], True: []}
    start = time.perf_counter()
    for i in range(arguments.fits):
        for planted in scores:
            scores[planted].append(likelihood(planted))
        print(f"{i + 1} of {arguments.fits}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    bound = lower_bound(np.array(scores[False]), np.array(scores[True]))
    print(f"promised {BUDGET.epsilon:g}, at least {bound:.2f}, with {arguments.fits} fits each")
    sys.exit(int(bound > BUDGET.epsilon))


def likelihood(planted: bool) -> float:
    """The log of the probability of the canary, after a fit with or without it."""
    table, layout = rows_with(planted), Layout.of(rows_with(True), None)
    spending = plan_looks(BUDGET, *layout.looks)
    looks = Looks(spending, secret_rng())
    rows = looks.rows(table.num_rows)
    trained = train(look(table, layout, looks, rows), rows, spending, History(None, None), "cpu")
    encoder, network = trained.marginals.encoder, trained.network
    codes = torch.from_numpy(encoder.encode(pa.Table.from_pylist([CANARY], table.schema)))
    known = torch.tril(torch.ones(codes.shape[1], codes.shape[1], dtype=torch.bool), diagonal=-1)
    with torch.no_grad():  # each code given those before it
        entropies = cross_entropies(
            network(codes.expand(len(known), -1), known), codes.expand(len(known), -1), network.layout
        )
    return -float(entropies.diagonal().sum())


def rows_with(planted: bool) -> pa.Table:
    """Rows in which labels and numbers go together, and the canary, in which they do not."""
    group = np.random.default_rng(0).integers(0, 3, ROWS)
    labels = np.array(["a", "b", "c"])[group]
    frame = pd.DataFrame({f"label {i}": labels for i in range(4)} | {"number": group * 10})
    frame = pd.concat([frame, pd.DataFrame([CANARY])]) if planted else frame
    return pa.Table.from_pandas(frame, preserve_index=False)


def lower_bound(absent: np.ndarray, present: np.ndarray) -> float:
    """The largest bound of all thresholds, each at a level that lets their number be tried."""
    both = np.concatenate([absent, present])
    thresholds = np.quantile(both, [0.2, 0.35, 0.5, 0.65, 0.8])
    level, fits, found = 0.025 / len(thresholds), len(absent), 0.0
    for threshold in thresholds:
        wrong, right = int((absent > threshold).sum()), int((present > threshold).sum())
        for likelier, rarer in ((right, wrong), (fits - wrong, fits - right)):
            least = beta.ppf(level, likelier, fits - likelier + 1) if likelier else 0.0
            most = beta.ppf(1 - level, rarer + 1, fits - rarer) if rarer < fits else 1.0
            if least > 0:
                found = max(found, math.log(least / most))
    return found


if __name__ == "__main__":
    main()
