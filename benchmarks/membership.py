"""Can an attacker tell who was in the table? Fit on a part of it, and tell its rows from the others.

    python benchmarks/membership.py         # halves of adult, shoppers, and 344 rows of adult, of ../shared/data
    python benchmarks/membership.py adult --rows 344 --splits 5
    python benchmarks/membership.py adult --rows 344 --splits 8 --share 0.8

Two attacks, one line each, with the AUC (0.5: the attacker guesses): by the distance to the closest record of a
synthetic table as large as the part (the rows are out, the model is not), and by `score_samples` (the model file is
out). Rows with labels that the part has not are told by the latter for certain, and count so. Of a small part the first
AUC is the mean of several synthetic tables.
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
"""Of each part, whose distances are worked out."""
MOST_SAMPLES, SAMPLED_ROWS = 4, 2_000
"""So many synthetic tables at most, and of so many rows in all."""


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


def attacked(table: pa.Table, split: int, share: float) -> tuple[float, float]:
    """The AUCs of both attacks on a fit of a share of the rows."""
    order = np.random.default_rng(split).permutation(table.num_rows)
    part = int(share * table.num_rows)
    members, others = table.take(pa.array(order[:part])), table.take(pa.array(order[part:]))
    model = Synthesizer(seed=split, device="cpu").fit(members)
    schema = Schema.infer(members)
    found = []
    for seed in range(max(1, min(MOST_SAMPLES, SAMPLED_ROWS // part))):
        known = comparable(
            schema, {"real": members, "synthetic": model.sample(part, seed=split + seed), "others": others}
        )
        synthetic = places(known["synthetic"], known["real"])
        some = [known[each].take(np.arange(min(known[each].rows, MOST_ROWS))) for each in ("real", "others")]
        distances = np.concatenate([closest(places(each, known["real"]), synthetic) for each in some])
        found.append(roc_auc_score(np.repeat([1, 0], [each.rows for each in some]), -distances))
    logs = np.concatenate([log_probabilities(model, each) for each in (members, others)])
    truth = np.repeat([1, 0], [members.num_rows, others.num_rows])
    return float(np.mean(found)), float(roc_auc_score(truth, logs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", help="the name of a table of ../shared/data, or a path")
    parser.add_argument("--rows", type=int, help="take so many rows of it, at random")
    parser.add_argument("--splits", type=int, default=1, help="part it so many times")
    parser.add_argument("--share", type=float, default=0.5, help="of the rows, to fit on")
    given = parser.parse_args()
    for name, rows, splits in [(given.table, given.rows, given.splits)] if given.table else DEFAULT:
        path = DATA / f"{name}.csv"
        table = read_table(path if path.exists() else name)
        start, found = time.perf_counter(), []
        for split in range(splits):
            picked = np.random.default_rng(100 + split).permutation(table.num_rows)[:rows]
            found.append(attacked(table.take(pa.array(picked)), split, given.share))
        for attack, aucs in zip(("distance to the closest record", "score_samples"), np.transpose(found), strict=True):
            print(
                f"{name}, {rows or table.num_rows} rows, {attack}: AUC {aucs.mean():.3f} "
                f"({aucs.min():.3f} to {aucs.max():.3f} of {splits}), {time.perf_counter() - start:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
