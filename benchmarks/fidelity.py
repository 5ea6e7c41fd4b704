"""Fidelity of the defaults: fit on 80 % of a table, sample as many rows, score them; one line a table.

    python benchmarks/fidelity.py                     # sample_data/reviews.csv and the tables of ../shared/data
    python benchmarks/fidelity.py adult --seeds 0 1 2 # one of them, three seeds
    python benchmarks/fidelity.py my/orders.csv --target price
    python benchmarks/fidelity.py adult --epsilon 3   # with differential privacy
    python benchmarks/fidelity.py adult --rows 500    # on so many rows, held against up to 4,000 others

The scores are tabgan's own (Shape and Trend as errors in %) and, where ../shared/tools/score.py is there, an outside
judge's: c2st_auc, mle_ratio and the rest. Files stay in benchmarks/out/.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from tabgan import Schema, Synthesizer, TrainConfig, evaluate
from tabgan.tables import read_table, write_table

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
JUDGE = SHARED / "tools" / "score.py"
OUT = ROOT / "benchmarks" / "out"
MOST_HELD_OUT = 4_000
"""Rows that a fit on few rows is held against."""


@dataclass(frozen=True)
class Task:
    """A table, the column to predict, and the columns that the judge is told are categories."""

    path: Path
    target: str | None = None
    categories: str = ""


TASKS = {
    "sample_data": Task(ROOT / "sample_data" / "reviews.csv", "rating", "product_id,rating"),
    "adult": Task(SHARED / "data" / "adult.csv", "income"),
    "shoppers": Task(SHARED / "data" / "shoppers.csv", "Revenue", "OperatingSystems,Browser,Region,TrafficType"),
    "reviews": Task(SHARED / "data" / "reviews.csv", "Recommended IND", "Clothing ID,Rating,Recommended IND"),
    "magic": Task(SHARED / "data" / "magic.csv", "class"),
    "taxis": Task(SHARED / "data" / "taxis.csv", "tip"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help=f"names ({', '.join(TASKS)}) or paths; by default all names")
    parser.add_argument("--target", help="the column to predict, for a path")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, help="fit on so many rows instead of 80 %%")
    parser.add_argument("--epsilon", type=float, help="promise differential privacy")
    parser.add_argument("--rounds", type=int, nargs="+", help="numbers of rounds instead of the default one")
    parser.add_argument("--train", default="{}", help='settings as JSON, for example {"game_steps": 0}')
    arguments = parser.parse_args()
    for name in arguments.tables or list(TASKS):
        task = TASKS.get(name) or Task(Path(name), arguments.target)
        if not task.path.exists():
            print(f"{name}: skipped, {task.path} is not there")
            continue
        train, holdout = split(task, arguments.rows)
        for seed in arguments.seeds:
            start = time.perf_counter()
            settings = TrainConfig(**json.loads(arguments.train))
            synthesizer = Synthesizer(seed=seed, epsilon=arguments.epsilon, train=settings).fit(train)
            seconds = time.perf_counter() - start
            for rounds in arguments.rounds or [synthesizer.rounds_]:
                figures = {"fit_s": seconds, **score(task, synthesizer, train, holdout, rounds)}
                line = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
                print(f"{task.path.stem} seed {seed} rounds {rounds}  {line}", flush=True)


def split(task: Task, rows: int | None) -> tuple[Path, Path]:
    """80 % of the rows, or so many, to fit on and others to hold out, as files beside each other."""
    folder = OUT / f"{task.path.parent.name}_{task.path.stem}"
    folder.mkdir(parents=True, exist_ok=True)
    table = read_table(task.path)
    order = np.random.default_rng(0).permutation(table.num_rows)
    cut, end = (int(0.8 * table.num_rows), None) if rows is None else (rows, rows + MOST_HELD_OUT)
    paths = folder / "train.csv", folder / "holdout.csv"
    for path, picked in zip(paths, (order[:cut], order[cut:end]), strict=True):
        write_table(table.take(picked), path, force=True)
    return paths


def score(task: Task, synthesizer: Synthesizer, train: Path, holdout: Path, rounds: int) -> dict[str, float]:
    """Sample as many rows as were fitted on and score them."""
    synthetic = train.with_name("synthetic.csv")
    start = time.perf_counter()
    tables = list(synthesizer.sample_tables(synthesizer.rows_, rounds=rounds))
    rate = synthesizer.rows_ / (time.perf_counter() - start)
    write_table(pa.concat_tables(tables), synthetic, force=True)
    report = evaluate(train, synthetic, holdout=holdout)
    figures = {
        "rows_per_s": rate,
        "shape_error": 100 * (1 - report.scores["shape"]),
        "trend_error": 100 * (1 - report.scores["trend"]),
    }
    return figures | (judge(task, train, holdout, synthetic) if JUDGE.exists() else {})


def judge(task: Task, train: Path, holdout: Path, synthetic: Path) -> dict[str, float]:
    """The outside judge's figures under its own names; row ids, which it would take for categories, are left out."""
    result = train.with_name("scores.json")
    command = [sys.executable, JUDGE, "--json", result, "--categorical", task.categories]
    keys = [column.name for column in Schema.infer(read_table(train)) if column.kind == "key"]
    for name, path in (("--train", train), ("--holdout", holdout), ("--synthetic", synthetic)):
        write_table(read_table(path).drop_columns(keys), without_keys := path.with_suffix(".judged.csv"), force=True)
        command += [name, without_keys]
    command += ["--target", task.target] if task.target else []
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    found = json.loads(result.read_text())
    names = ("shape_error", "trend_error", "trend_error_strong", "c2st_auc", "mle", "mle_ratio", "dcr_share")
    names += ("exact_copies", "exact_copies_holdout", "rare_category_coverage", "dtypes_equal")
    return {f"judge_{name}": float(found[name]) for name in names if found.get(name) is not None}


if __name__ == "__main__":
    main()
