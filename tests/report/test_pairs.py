import numpy as np
import pytest

from tabgan.report.columns import ComparableColumn, ComparableTable
from tabgan.report.pairs import contingency_similarity, correlations, dependence, discretise

NAN = float("nan")


def test_correlations_by_hand() -> None:
    columns = [
        np.array([1.0, 2.0, 3.0]),
        np.array([2.0, 4.0, 6.0]),
        np.array([1.0, 0.0, -1.0]),
        np.array([1.0, 3.0, 2.0]),
    ]
    assert correlations(columns) == pytest.approx(
        np.array([[1, 1, -1, 0.5], [1, 1, -1, 0.5], [-1, -1, 1, -0.5], [0.5, 0.5, -0.5, 1]])
    )


def test_correlation_uses_the_rows_where_both_have_a_value() -> None:
    matrix = correlations(
        [np.array([1.0, 2.0, 3.0, NAN]), np.array([NAN, 5.0, 4.0, 9.0]), np.array([1.0, 2.0, 3.0, 4.0])]
    )
    assert matrix[0, 1] == pytest.approx(-1)
    assert matrix[1, 2] == pytest.approx(np.corrcoef([5, 4, 9], [2, 3, 4])[0, 1])


@pytest.mark.parametrize("column", [[7.0, 7.0, 7.0], [NAN, NAN, NAN], [1.0, NAN, NAN], [5.0, 5.0, NAN]])
def test_a_column_that_does_not_vary_has_no_correlation(column: list[float]) -> None:
    assert np.isnan(correlations([np.array(column), np.array([1.0, 2.0, 3.0])])[0, 1])


def test_very_large_values_have_a_correlation() -> None:
    assert correlations([np.array([1e300, 2e300]), np.array([1.0, 2.0])])[0, 1] == pytest.approx(1)


def test_the_largest_floats_have_a_correlation() -> None:
    columns = [np.array([1.7e308, 1.7e308, -1.7e308]), np.array([1.0, 1.0, -1.0]), np.array([0.0, 0.0, 5e-324])]
    assert correlations(columns)[0, 1:].tolist() == pytest.approx([1, -1])


@pytest.mark.parametrize("ends", [(-1e300, 1e300), (0.0, 5e-324), (1.0, 1 + 1e-15), (1e16, 1e16 + 2)])
def test_discretise_takes_ends_without_room_for_edges_between(ends: tuple[float, float]) -> None:
    assert discretise(np.array([*ends, NAN])).tolist() == [1, 11, 11]


def test_discretise_takes_a_large_number_without_room_beside_it() -> None:
    assert len(set(discretise(np.array([1e300, 1e300])).tolist())) == 1


def test_discretise_cuts_ten_bins_and_puts_missing_cells_with_the_largest() -> None:
    assert discretise(np.array([0.0, 0.5, 1.0, 9.9, 10.0, NAN])).tolist() == [1, 1, 2, 10, 11, 11]


@pytest.mark.parametrize("column", [[3.0, 3.0], [NAN, NAN]])
def test_discretise_takes_columns_without_a_range(column: list[float]) -> None:
    assert len(set(discretise(np.array(column)).tolist())) == 1


def test_contingency_similarity_by_hand() -> None:
    real = (np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))
    independent = (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))  # a quarter in each of four cells, not a half in two
    assert contingency_similarity(real, independent, (2, 2)) == pytest.approx(0.5)
    assert contingency_similarity(real, real, (2, 2)) == 1


def test_counting_by_sorting_agrees_with_counting_in_full() -> None:
    rng = np.random.default_rng(0)
    real = (rng.integers(0, 9, 500), rng.integers(0, 7, 500))
    synthetic = (rng.integers(0, 9, 300), rng.integers(0, 7, 300))
    dense = contingency_similarity(real, synthetic, (9, 7))
    assert contingency_similarity(real, synthetic, (900, 700)) == pytest.approx(dense)


def two_numbers(x: np.ndarray, y: np.ndarray) -> ComparableTable:
    columns = tuple(ComparableColumn(name=name, kind="number", is_number=True) for name in "xy")
    return ComparableTable(columns=columns, values=(x, y), rows=len(x))


def test_dependence_is_that_of_joint_deciles() -> None:
    steps = np.arange(1.0, 11)
    tied = two_numbers(steps, steps)  # a tenth in each of ten cells
    assert dependence(tied, tied) == 1
    assert dependence(tied, two_numbers(steps, steps[::-1])) == 0
    half = two_numbers(steps, np.concatenate([steps[:5], steps[:4:-1]]))  # half of the rows stand where they did
    assert dependence(tied, half) == pytest.approx(0.6)  # 8 is in the middle of what is turned round


def test_dependence_does_not_hang_on_an_extreme_value() -> None:
    rng = np.random.default_rng(0)
    real = two_numbers(rng.normal(size=500), rng.normal(size=500))
    stretched = two_numbers(np.append(real.numbers(0)[1:], 1e6), real.numbers(1))
    shifted = two_numbers(np.append(real.numbers(0)[1:], 3.0), real.numbers(1))
    assert dependence(real, stretched) == dependence(real, shifted)


def test_missing_cells_count_as_a_bin_in_dependence() -> None:
    known, missing = np.array([1.0, 2.0]), np.array([NAN, NAN])
    assert dependence(two_numbers(known, known), two_numbers(missing, known)) == 0
    assert dependence(two_numbers(missing, known), two_numbers(missing, known)) == 1
