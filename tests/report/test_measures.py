import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.report.columns import comparable
from tabgan.report.measures import Measures, chi_square_p, jensen_shannon, measures, range_coverage, wasserstein
from tabgan.schema import Schema

NAN = float("nan")


def measured(real: object, synthetic: object) -> Measures:
    tables = {
        part: pa.Table.from_pandas(pd.DataFrame({"a": values}), preserve_index=False)
        for part, values in (("real", real), ("synthetic", synthetic))
    }
    made = comparable(Schema.infer(tables["real"]), tables)
    return measures(made["real"], made["synthetic"])[0]


def test_the_wasserstein_distance_is_in_standard_deviations_of_the_real_column() -> None:
    assert wasserstein(np.array([0.0, 2.0]), np.array([3.0, 5.0])) == pytest.approx(3)  # the deviation is 1
    assert wasserstein(np.array([0.0, 0, 4, 4]), np.array([0.0, 4])) == 0
    assert wasserstein(np.array([-1e300, 1e300]), np.array([0.0, 0.0])) == pytest.approx(1)
    assert wasserstein(np.array([3.0, 3.0]), np.array([4.0])) is None


def test_the_jensen_shannon_distance_by_hand() -> None:
    assert jensen_shannon(np.array([0, 0]), np.array([1, 1]), 2) == 1
    assert jensen_shannon(np.array([0, 1]), np.array([1, 0]), 2) == 0
    # Half of it: KL(1 | 3/4) + KL(1/2 | 3/4) and so on: H(3/4, 1/4) - H(1/2, 1/2) / 2 = 0.8113 - 0.5
    assert jensen_shannon(np.array([0, 0]), np.array([0, 1]), 2) == pytest.approx(np.sqrt(0.8112781 - 0.5))


def test_the_chi_square_p_value_by_hand() -> None:
    one, other = np.repeat([0, 1], [50, 50]), np.repeat([0, 1], [60, 40])
    # Expected 55 and 45: 2 * 25 / 55 + 2 * 25 / 45 = 2.0202, one degree of freedom
    assert chi_square_p(one, other, 2) == pytest.approx(0.15521, abs=1e-4)
    assert chi_square_p(one, one, 3) == pytest.approx(1)
    assert chi_square_p(np.zeros(5, int), np.zeros(5, int), 2) is None


def test_labels_of_few_rows_are_pooled_before_they_are_tested() -> None:
    one = np.concatenate([np.zeros(500, int), np.arange(1, 21)])
    other = np.concatenate([np.zeros(500, int), np.arange(21, 41)])
    assert chi_square_p(one, other, 41) == pytest.approx(1)


def test_range_coverage_by_hand() -> None:
    assert range_coverage(np.array([0.0, 10.0]), np.array([2.0, 7.0])) == pytest.approx(0.5)
    assert range_coverage(np.array([0.0, 10.0]), np.array([-5.0, 15.0])) == 1
    assert range_coverage(np.array([0.0, 10.0]), np.array([11.0, 15.0])) == 0
    assert range_coverage(np.array([3.0, 3.0]), np.array([3.0])) is None


def test_labels_are_covered_or_not() -> None:
    real = ["a"] * 300 + ["b"] * 100 + ["c", "d"]
    found = measured(real, ["a", "c", None, "new"] * 50)
    assert found["category_coverage"] == 0.5
    assert found["rare_category_coverage"] == 0.5
    assert found["missing_difference"] == 0.25
    assert measured(["a", "b"] * 50, ["a"] * 9)["rare_category_coverage"] is None


def test_tails_reach_as_far_as_there_are_rows() -> None:
    real, few = np.arange(10_000) + 0.5, np.arange(100) + 0.5
    found = measured(real, real)
    assert (found["tail"], found["low_real"], found["high_synthetic"]) == (0.001, 9.5, 9989.5)
    found = measured(real, few)
    assert (found["tail"], found["low_synthetic"], found["high_synthetic"]) == (0.01, 0.5, 98.5)


def test_dates_are_compared_by_weekday_month_and_hour() -> None:
    days = pd.date_range("2024-01-01", periods=366)
    mondays = pd.date_range("2024-01-01", periods=53, freq="7D")
    found = measured(days, mondays)
    assert found["weekday"] == pytest.approx(53 / 366)
    assert found["month"] == pytest.approx(1, abs=0.06)
    assert "hour" not in found
    hours = days + pd.to_timedelta(12, unit="h")
    assert measured(hours, hours + pd.to_timedelta(1, unit="h"))["hour"] == 0


def test_a_column_without_values_has_no_measures_of_values() -> None:
    found = measured([1.5, 2.5, 3.5], [NAN, NAN])
    assert found["wasserstein"] is None
    assert found["missing_difference"] == 1
    assert found["jensen_shannon"] == 1
