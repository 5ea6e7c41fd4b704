"""Does oversampling help a classifier? Lift over no augmentation, one line a way.

    python benchmarks/augment.py                 # shoppers (Revenue) and sample_data (is it an enthusiast?)
    python benchmarks/augment.py --seeds 0 --folds 5

It is cross-validated, by default with two folds and five seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from tabgan.augment import augment_report

ROOT = Path(__file__).resolve().parent.parent
TASKS = {
    "shoppers": (ROOT.parent / "shared" / "data" / "shoppers.csv", "Revenue", True),
    "sample_data": (ROOT / "sample_data" / "reviews.csv", "preference_cluster", "enthusiast"),
}
LEFT_OUT = ["review_id", "product_id", "review_date"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--folds", type=int, default=2)
    arguments = parser.parse_args()
    for name, (path, target, rare) in TASKS.items():
        if not path.exists():
            print(f"{name}: skipped, {path} is not there")
            continue
        frame = pd.read_csv(path).drop(columns=LEFT_OUT, errors="ignore")
        y = (frame.pop(target) == rare).astype(int)
        frame = frame.apply(lambda cells: cells if pd.api.types.is_numeric_dtype(cells) else cells.astype("category"))
        reports = []
        for seed in arguments.seeds:
            estimator = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=seed)
            reports.append(augment_report(frame, y, estimator, folds=arguments.folds, random_state=seed))
            print(f"{name} seed {seed}\n{reports[-1].round(4).to_string()}", flush=True)
        lifts = pd.DataFrame({seed: report["lift"] for seed, report in zip(arguments.seeds, reports, strict=True)})
        mean = np.mean([report.loc["no augmentation", "mean"] for report in reports])
        print(f"{name}: {y.mean():.1%} rare rows, AUC without augmentation {mean:.4f}; lift, mean and range over seeds")
        for way, found in lifts.iterrows():
            print(f"  {way:22s} {found.mean():+.4f} ({found.min():+.4f} to {found.max():+.4f})")


if __name__ == "__main__":
    main()
