import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from tabgan.encoding.base import Code
from tabgan.model.ratio import LEAVES, MOST, DensityRatio

CODES = [Code("a", 40, ordered=True), Code("b", 5, ordered=False), Code("c", 600, ordered=True), Code("d", 1, False)]


def rows_of(rows: int, tied: bool) -> np.ndarray:
    rng = np.random.default_rng(int(tied))
    a = rng.integers(0, 40, rows)
    c = a * 15 + rng.integers(0, 15, rows) if tied else rng.integers(0, 600, rows)
    return np.stack([a, rng.integers(0, 5, rows), c, np.zeros(rows, int)], axis=1)


@pytest.mark.parametrize("leaves", [2, 7, LEAVES])
def test_trees_as_tensors_say_what_scikit_learn_says(leaves: int):
    rows, real = np.concatenate([rows_of(900, True), rows_of(900, False)]), np.repeat([True, False], 900)
    trees = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=leaves, early_stopping=False).fit(rows, real)
    ratio = DensityRatio.from_classifier(trees, CODES, "cpu")
    some = torch.from_numpy(rows_of(5_000, False))
    expected = np.clip(trees.decision_function(some.numpy()), -MOST, MOST)
    assert np.ptp(expected) > 0.2
    np.testing.assert_allclose(ratio(some).numpy(), expected, atol=1e-4)
    again = DensityRatio.restore(ratio.tensors(), CODES, "cpu")
    assert torch.equal(again(some), ratio(some))


def test_trees_without_a_split_say_nothing():
    rows, real = np.zeros((60, 4), int), np.repeat([True, False], 30)
    trees = HistGradientBoostingClassifier(max_iter=3, early_stopping=False).fit(rows, real)
    assert DensityRatio.from_classifier(trees, CODES, "cpu")(torch.from_numpy(rows)).abs().max() < 1e-6


def test_tensors_that_do_not_fit_the_codes_are_refused():
    masks, values, offsets = torch.ones(646, 3, dtype=torch.int32), torch.zeros(3, LEAVES), torch.zeros(646)
    DensityRatio(masks, values, offsets, CODES)
    for wrong in (
        (masks[:-1], values, offsets),
        (masks, values[:2], offsets),
        (masks, values[:, :-1], offsets),
        (masks, values.int(), offsets),
        (masks, values, offsets[1:]),
    ):
        with pytest.raises(ValueError, match="ratio"):
            DensityRatio(*wrong, CODES)
