import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabgan.report.marginals import ks_similarity, tv_similarity

NAN = float("nan")


@pytest.mark.parametrize(
    ("real", "synthetic", "similarity"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 1.0),
        ([1, 2, 3, 4], [3, 4, 5, 6], 0.5),  # at 2 the real curve stands at 2/4, the synthetic one at 0
        ([1, 2], [3, 4], 0.0),
        ([0, 0, 0, 1], [0, 1], 0.75),  # three quarters are 0 against one half
        ([1, 2, NAN, NAN], [1, 2], 1.0),  # missing cells are left out
        ([0.1 + 0.2], [0.3], 1.0),  # one value, but for the noise of float64
        ([1e300], [-1e300], 0.0),
    ],
)
def test_ks_similarity_by_hand(real: list[float], synthetic: list[float], similarity: float) -> None:
    assert ks_similarity(np.array(real, float), np.array(synthetic, float)) == pytest.approx(similarity)


def test_ks_similarity_without_values_is_undefined() -> None:
    assert np.isnan(ks_similarity(np.array([1.0]), np.array([NAN])))


@pytest.mark.parametrize(
    ("real", "synthetic", "similarity"),
    [
        ([0, 0, 1, 1], [0, 1], 1.0),
        ([0, 0, 0, 1], [0, 1, 1, 1], 0.5),  # |3/4 - 1/4| + |1/4 - 3/4|, halved
        ([0, 0], [1, 2], 0.0),
        ([0, 1], [0, 2], 0.5),
    ],
)
def test_tv_similarity_by_hand(real: list[int], synthetic: list[int], similarity: float) -> None:
    assert tv_similarity(np.array(real), np.array(synthetic), 3) == pytest.approx(similarity)


@given(st.lists(st.integers(-5, 5), min_size=1), st.lists(st.integers(-5, 5), min_size=1))
def test_similarities_are_symmetric_and_ks_is_at_least_tv(left: list[int], right: list[int]) -> None:
    a, b = np.array(left), np.array(right)
    ks = ks_similarity(a.astype(float), b.astype(float))
    tv = tv_similarity(a + 5, b + 5, 11)
    assert ks == pytest.approx(ks_similarity(b.astype(float), a.astype(float)))
    assert tv == pytest.approx(tv_similarity(b + 5, a + 5, 11))
    assert 0 <= tv <= ks + 1e-12 <= 1 + 1e-12
