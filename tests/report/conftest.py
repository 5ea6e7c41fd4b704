from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan.report import Report, evaluate

Damage = Callable[[pd.DataFrame], pd.DataFrame]


def _shuffled(table: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({name: rng.permutation(column) for name, column in table.items()})


def _noisy(table: pd.DataFrame) -> pd.DataFrame:
    """A third of the cells comes from another row; numbers are also stretched a little."""
    rng = np.random.default_rng(2)
    noisy = table.copy()
    for name in table:
        swapped = rng.random(len(table)) < 1 / 3
        noisy.loc[swapped, name] = rng.permutation(table[name].to_numpy())[swapped]
    for name in table.select_dtypes("float"):
        noisy[name] = noisy[name] * 1.1
    return noisy


def _resampled(table: pd.DataFrame) -> pd.DataFrame:
    """As good as it gets: half of the rows, drawn again."""
    return table.sample(frac=0.5, replace=True, random_state=3, ignore_index=True)


@pytest.fixture(params=[_shuffled, _noisy, _resampled], ids=["shuffled", "noisy", "resampled"])
def damage(request: pytest.FixtureRequest) -> Damage:
    """What makes a synthetic table out of a real one."""
    made: Damage = request.param
    return made


@pytest.fixture(scope="session")
def orders() -> pd.DataFrame:
    """600 rows of every kind of column, with missing cells, tied to each other."""
    rng = np.random.default_rng(0)
    rows = 600
    size = rng.choice(["small", "large", "huge"], rows, p=[0.5, 0.3, 0.2])
    price = np.round(rng.gamma(2, 10, rows) * np.select([size == "small", size == "large"], [1, 2], 4), 2)
    weight = np.where(rng.random(rows) < 0.1, np.nan, price / 3 + rng.normal(0, 2, rows))
    return pd.DataFrame(
        {
            "order_id": np.arange(rows) + 5000,
            "size": np.where(rng.random(rows) < 0.05, None, size),
            "price": price,
            "weight": weight,
            "pieces": rng.integers(1, 9, rows),
            "paid": price > rng.normal(30, 10, rows),
            "gift": pd.array(np.where(rng.random(rows) < 0.2, None, rng.random(rows) < 0.3), dtype="boolean"),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 730, rows), unit="D"),
            "currency": "EUR",
            "tax": 0.2,
        }
    )


@pytest.fixture(scope="session")
def same(orders: pd.DataFrame) -> Report:
    """What comes out where the synthetic table is the real one."""
    return evaluate(orders, orders)


@pytest.fixture
def shared_data() -> Path:
    """The folder of public tables beside the repository; the test is skipped where it is absent."""
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the public tables of ../shared/data are not here")
    return folder
