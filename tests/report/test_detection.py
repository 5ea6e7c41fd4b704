import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.report.roc import auc_with_interval


def test_the_auc_and_its_interval_by_hand() -> None:
    # True rows 3 and 1 against 2 and 0: 3 is above both, 1 above one of two. Shares 1 and 1/2 both ways: variance 1/8.
    found = auc_with_interval(np.array([True, True, False, False]), np.array([3.0, 1, 2, 0]))
    assert found.value == pytest.approx(0.75)
    reach = 1.96 * np.sqrt(1 / 8 / 2 + 1 / 8 / 2)
    assert found.low == pytest.approx(0.75 - reach)
    assert found.high == 1


def test_ties_count_half() -> None:
    assert auc_with_interval(np.array([True, False, False]), np.array([1.0, 1.0, 0.0])).value == pytest.approx(0.75)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=40))
def test_the_auc_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    from sklearn.metrics import roc_auc_score

    truth, score = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    if 0 < truth.sum() < len(truth):
        assert auc_with_interval(truth, score).value == pytest.approx(roc_auc_score(truth, score))


def test_the_interval_holds_the_truth_about_95_times_of_100() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([True, False], 150)
    held = 0
    for _ in range(400):
        found = auc_with_interval(truth, rng.normal(size=300) + truth)  # the true AUC is Phi(1 / sqrt(2)) = 0.7602
        held += found.low <= 0.7602 <= found.high
    assert 0.92 <= held / 400 <= 0.98
