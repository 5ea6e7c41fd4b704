"""How many trees does a two-sample test need, and at what rate?

    python benchmarks/c2st.py                  # adult, shoppers and taxis of ../shared/data, about ten minutes
    python benchmarks/c2st.py magic --rows 500

Real rows are told from other real rows, and from these with a tenth or three tenths of the cells of every column from
other rows. A line each: the mean AUCs of eight draws, how many standard deviations of chance the damaged rows lie above
the whole ones, and the time as a share of that of the first line.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from tabgan import Schema
from tabgan.c2st import c2st_guesses, trees
from tabgan.report.columns import comparable
from tabgan.report.features import Features, features
from tabgan.tables import read_table

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
SETTINGS = [(100, 0.1), (50, 0.2), (40, 0.25), (30, 0.3)]
DAMAGES = (0.0, 0.1, 0.3)
FOLDS, DRAWS = 3, 8


def damaged(rows: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """The rows with that share of the cells of every column from other ones."""
    found = rows.copy()
    for column in found.T:
        swapped = rng.random(len(column)) < share
        column[swapped] = rng.permutation(column)[: swapped.sum()]
    return found


def aucs(table: Features, rows: int, count: int, rate: float) -> np.ndarray:
    """`(draws, damages)`."""
    found = np.empty((DRAWS, len(DAMAGES)))
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        order = rng.permutation(len(table.values))
        real, other = table.values[order[:rows]], table.values[order[rows : 2 * rows]]
        for i, share in enumerate(DAMAGES):
            classifier = trees(table.labels, draw).set_params(max_iter=count, learning_rate=rate)
            truth, guesses = c2st_guesses(real, damaged(other, share, rng), classifier, FOLDS, draw)
            found[draw, i] = roc_auc_score(truth, guesses)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["adult", "shoppers", "taxis"])
    parser.add_argument("--rows", type=int, nargs="*", default=[200, 1_000, 3_000])
    asked = parser.parse_args()
    for name in asked.names:
        real = read_table(DATA / f"{name}.csv")
        table = features(comparable(Schema.infer(real), {"real": real})["real"])
        for rows in asked.rows:
            first = None
            for count, rate in SETTINGS:
                start = time.process_time()
                found = aucs(table, rows, count, rate)
                spent = time.process_time() - start
                first = first or spent
                chance = np.sqrt(found.var(axis=0, ddof=1).mean())
                whole, *means = found.mean(axis=0)
                above = "  ".join(f"{mean:.3f} (+{(mean - whole) / chance:.1f} sd)" for mean in means)
                print(f"{name} {rows} rows, {count} trees at {rate}: {whole:.3f}  {above}, time {spent / first:.2f}")


if __name__ == "__main__":
    main()
