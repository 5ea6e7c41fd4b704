import numpy as np
import pytest

from tabgan.c2st import c2st_auc


@pytest.mark.parametrize("values", [0, 1, 3])
def test_a_column_of_hardly_any_value_is_taken(values: int) -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.random(60), np.full(60, np.nan)])
    rows[:values, 1] = 5.0
    assert 0.2 < c2st_auc(rows[:30], rows[30:], [False, False], folds=3, seed=0) < 0.8
