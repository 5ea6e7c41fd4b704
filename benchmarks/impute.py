"""Imputation: a fifth of adult's cells hidden at random; how often categories are restored, and whether columns keep
their distribution. Against the most frequent label and scikit-learn's IterativeImputer with a random forest.

    python benchmarks/impute.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

from tabgan import Synthesizer

ADULT = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "adult.csv"
HIDDEN, ROWS = 0.2, 4_000


def main() -> None:
    if not ADULT.exists():
        print(f"skipped, {ADULT} is not there")
        return
    real = pd.read_csv(ADULT)
    rng = np.random.default_rng(0)
    mask = pd.DataFrame(rng.random(real.shape) < HIDDEN, columns=real.columns, index=real.index) & real.notna()
    hidden = real.mask(mask).convert_dtypes(convert_string=False)
    synthesizer = Synthesizer(seed=0).fit(hidden)
    some, truth, holes = hidden.head(ROWS), real.head(ROWS), mask.head(ROWS)
    drawn = synthesizer.impute(some)
    labels = [name for name in real if not pd.api.types.is_numeric_dtype(real[name])]
    forest = by_forest(some, labels)
    print(f"{'':16s} {'drawn':>9s} {'likeliest':>9s} {'mode':>9s} {'forest':>9s} {'TV':>9s}")
    found = []
    for name in labels:
        here = holes[name]
        likeliest = synthesizer.predict_proba(some, name).idxmax(axis=1)
        right = [
            (guess[here].to_numpy() == truth.loc[here, name].to_numpy()).mean()
            for guess in (drawn[name], likeliest, pd.Series(some[name].mode()[0], index=some.index), forest[name])
        ]
        shares = [frame[name].value_counts(normalize=True) for frame in (drawn, truth)]
        found.append([*right, shares[0].sub(shares[1], fill_value=0).abs().sum() / 2])
        print(f"{name:16s} " + " ".join(f"{figure:9.3f}" for figure in found[-1]), flush=True)
    print(f"{'mean':16s} " + " ".join(f"{figure:9.3f}" for figure in np.mean(found, axis=0)))


def by_forest(some: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """The labels as IterativeImputer restores them, from codes in alphabetical order."""
    levels = {name: sorted(some[name].dropna().unique()) for name in labels}
    codes = pd.DataFrame(
        {
            name: pd.Series(pd.Categorical(some[name], levels[name]).codes.astype(float)).replace(-1, np.nan)
            if name in levels
            else some[name].astype(float).to_numpy()
            for name in some
        }
    )
    forest = RandomForestRegressor(n_estimators=50, random_state=0)
    imputer = IterativeImputer(forest, max_iter=5, random_state=0)
    filled = pd.DataFrame(imputer.fit_transform(codes), columns=some.columns)
    return pd.DataFrame(
        {
            name: np.array(level)[filled[name].round().clip(0, len(level) - 1).astype(int)]
            for name, level in levels.items()
        },
        index=some.index,
    )


if __name__ == "__main__":
    main()
