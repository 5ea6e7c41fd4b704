"""Can an attacker tell who was in the table? Fit on one half of it, and tell its rows from those of the other half.

    python benchmarks/membership.py                  # adult, shoppers, and 344 rows of adult, of ../shared/data
    python benchmarks/membership.py adult --rows 344 --splits 5

Two attacks, one line each, with the AUC (0.5: the attacker guesses): by the distance to the closest record of a
synthetic table as large as the half (the rows are out, the model is not), and by `score_samples` (the model file is
out). Rows with labels that the half has not are told by the latter for certain, and count so.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score

from tabgan import Schema, Synthesizer
from tabgan.report.columns import ComparableTable, comparable
from tabgan.report.model import log_probabilities
from tabgan.tables import read_table

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
DEFAULT = [("adult", None, 1), ("shoppers", None, 1), ("adult", 344, 5)]
MOST_ROWS = 4_000
"""Of each half, whose distances are worked out."""


def places(table: ComparableTable, real: ComparableTable) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of numbers among those of `real`, -1 where missing, and codes of labels: `(rows, columns)` each."""
    empty = np.zeros((table.rows, 0))
    ranks, labels = [empty], [empty]
    for i, column in enumerate(table.columns):
        if column.is_number:
            order = np.sort(real.numbers(i)[~np.isnan(real.numbers(i))])
            rank = np.searchsorted(order, table.numbers(i)) / max(1, len(order))
            ranks.append(np.where(np.isnan(table.numbers(i)), -1.0, rank)[:, None])
        else:
            labels.append(table.codes(i)[:, None])
    return np.hstack(ranks), np.hstack(labels)


def closest(rows: tuple[np.ndarray, np.ndarray], among: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Gower's distance of each row to the closest one among others, `(rows,)`."""
    found = []
    for at in np.array_split(np.arange(len(rows[0])), max(1, len(rows[0]) // 200)):
        distance = np.zeros((len(at), len(among[0])))
        if rows[0].shape[1]:
            distance += cdist(rows[0][at], among[0], "cityblock")
        if rows[1].shape[1]:
            distance += cdist(rows[1][at], among[1], "hamming") * rows[1].shape[1]
        found.append(distance.min(axis=1))
    return np.concatenate(found)


def attacked(table: pa.Table, split: int) -> tuple[float, float]:
    """The AUCs of both attacks on a fit of one half."""
    order = np.random.default_rng(split).permutation(table.num_rows)
    half = table.num_rows // 2
    members, others = table.take(pa.array(order[:half])), table.take(pa.array(order[half : 2 * half]))
    model = Synthesizer(seed=split, device="cpu").fit(members)
    tables = {"real": members, "synthetic": model.sample(half), "others": others}
    schema = Schema.infer(members)
    known = comparable(schema, tables)
    synthetic = places(known["synthetic"], known["real"])
    truth = np.repeat([1, 0], [min(half, MOST_ROWS)] * 2)
    some = [known[part].take(np.arange(min(half, MOST_ROWS))) for part in ("real", "others")]
    distances = np.concatenate([closest(places(each, known["real"]), synthetic) for each in some])
    logs = np.concatenate([log_probabilities(model, each) for each in (members, others)])
    return float(roc_auc_score(truth, -distances)), float(roc_auc_score(np.repeat([1, 0], [half, half]), logs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", help="the name of a table of ../shared/data, or a path")
    parser.add_argument("--rows", type=int, help="take so many rows of it, at random")
    parser.add_argument("--splits", type=int, default=1, help="halve it so many times")
    given = parser.parse_args()
    for name, rows, splits in [(given.table, given.rows, given.splits)] if given.table else DEFAULT:
        path = DATA / f"{name}.csv"
        table = read_table(path if path.exists() else name)
        start, found = time.perf_counter(), []
        for split in range(splits):
            picked = np.random.default_rng(100 + split).permutation(table.num_rows)[:rows]
            found.append(attacked(table.take(pa.array(picked)), split))
        for attack, aucs in zip(("distance to the closest record", "score_samples"), np.transpose(found), strict=True):
            print(
                f"{name}, {rows or table.num_rows} rows, {attack}: AUC {aucs.mean():.3f} "
                f"({aucs.min():.3f} to {aucs.max():.3f} of {splits}), {time.perf_counter() - start:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
