"""Does the report's detection and privacy agree with an outside judge?

    python benchmarks/report_agreement.py                  # all five tables of ../shared/data, a few minutes each
    python benchmarks/report_agreement.py adult shoppers

Of each table 60 % is fitted on, 20 % held out, and 20 % stands for synthetic rows: as they are ("fresh"), with a
twentieth or a fifth of their cells from other rows, with half of the rows replaced by fitted ones, and with all columns
shuffled. The spread is that of the report's figure over three seeds: which rows are looked at, and the folds. The
judge is ../shared/tools/score.py.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tabgan import evaluate

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
TABLES = ["adult", "shoppers", "reviews", "magic", "taxis"]
SEEDS = range(3)


def altered(rows: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """A share of the cells of every column from other rows."""
    found = rows.copy()
    for name in found:
        swapped = rng.random(len(found)) < share
        found.loc[swapped, name] = found.loc[swapped, name].to_numpy()[rng.permutation(int(swapped.sum()))]
    return found


def made(train: pd.DataFrame, rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    half = len(rows) // 2
    copies = pd.concat([rows.iloc[:half], train.iloc[: len(rows) - half]], ignore_index=True)
    return {
        "fresh": rows,
        "a twentieth": altered(rows, 0.05, rng),
        "a fifth": altered(rows, 0.2, rng),
        "half copies": copies,
        "shuffled": altered(rows, 1, rng),
    }


def judged(folder: Path, parts: dict[str, pd.DataFrame]) -> dict[str, float]:
    command = [sys.executable, str(SHARED / "tools" / "score.py"), "--json", str(folder / "scores.json")]
    for name, table in parts.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        command += [f"--{name}", str(folder / f"{name}.csv")]
    subprocess.run(command, capture_output=True, check=True)
    found: dict[str, float] = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", default=TABLES)
    print("| table | synthetic rows | AUC of trees: report (spread) / judge | nearer to fitted rows: report / judge |")
    print("| --- | --- | ---: | ---: |", flush=True)
    for name in parser.parse_args().tables:
        rng = np.random.default_rng(0)
        table = pd.read_csv(SHARED / "data" / f"{name}.csv")
        table = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
        fitted, known = 6 * len(table) // 10, 8 * len(table) // 10
        ends = [(0, fitted), (fitted, known), (known, len(table))]
        train, holdout, rest = (table.iloc[start:end].reset_index(drop=True) for start, end in ends)
        for kind, synthetic in made(train, rest, rng).items():
            with tempfile.TemporaryDirectory() as folder:
                parts = {"train": train, "holdout": holdout, "synthetic": synthetic}
                judge = judged(Path(folder), parts)
            ours = [evaluate(train, synthetic, holdout=holdout, seed=seed).scores for seed in SEEDS]
            auc, share = (np.array([scores[score] for scores in ours]) for score in ("c2st_auc", "dcr_share"))
            print(
                f"| {name} | {kind} | {auc[0]:.3f} ({np.ptp(auc):.3f}) / {judge['c2st_auc']:.3f} | "
                f"{100 * share[0]:.1f} % ({100 * np.ptp(share):.1f}) / {judge['dcr_share']:.1f} % |",
                flush=True,
            )


if __name__ == "__main__":
    main()
