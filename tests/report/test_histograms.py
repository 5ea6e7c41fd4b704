import numpy as np
import pyarrow as pa
import pytest

from tabgan.report.columns import comparable
from tabgan.report.histograms import MAX_BARS, MAX_BINS, Bars, Histogram, marginals
from tabgan.schema import Schema


def drawn(real: list[object], synthetic: list[object]) -> Histogram | Bars:
    tables = {"real": pa.table({"a": real}), "synthetic": pa.table({"a": synthetic})}
    ready = comparable(Schema.infer(tables["real"]), tables)
    return marginals(ready["real"], ready["synthetic"])[0]


def test_shares_and_missing_cells_add_up_to_one() -> None:
    histogram = drawn([0.5, 1.5, 9.25, None], [0.5, 20.0, 30.0])
    assert isinstance(histogram, Histogram)
    assert histogram.missing_real == 0.25
    assert sum(histogram.real) == pytest.approx(0.75)
    assert sum(histogram.synthetic) == pytest.approx(1)
    assert len(histogram.edges) == MAX_BINS + 1


def test_whole_numbers_get_a_bin_each_centred_on_them() -> None:
    histogram = drawn([1, 2, 3, 5], [1, 4, 3, 5])
    assert isinstance(histogram, Histogram)
    assert histogram.edges == (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    assert histogram.real == (0.25, 0.25, 0.25, 0, 0.25)


def test_bins_of_whole_numbers_hold_equally_many_of_them() -> None:
    histogram = drawn(list(range(100)) * 3, list(range(100)))
    assert isinstance(histogram, Histogram)
    assert set(np.diff(histogram.edges)) == {3}
    assert histogram.edges[-1] >= 99


def test_a_long_tail_goes_into_the_last_bin() -> None:
    values = [*np.linspace(0.01, 1, 999), 1000.5]
    histogram = drawn(values, values)
    assert isinstance(histogram, Histogram)
    assert histogram.has_tails
    assert histogram.edges[-1] < 2
    assert sum(histogram.real) == pytest.approx(1)


def test_a_column_without_values_has_no_bins() -> None:
    tables = {"real": pa.table({"a": pa.array([None, None], pa.float64())})}
    ready = comparable(Schema.infer(tables["real"]), tables)["real"]
    assert marginals(ready, ready) == [
        Histogram(edges=(), real=(), synthetic=(), missing_real=1, missing_synthetic=1, is_date=False, has_tails=False)
    ]


def test_rare_labels_are_put_together() -> None:
    labels = [f"label {i}" for i in range(20) for _ in range(40 - i)]
    bars = drawn([*labels, None], ["new"] * 9)
    assert isinstance(bars, Bars)
    assert len(bars.labels) == MAX_BARS
    assert "new" in bars.labels
    assert bars.others == 21 - MAX_BARS
    assert sum(bars.real) + bars.others_real + bars.missing_real == pytest.approx(1)
    assert sum(bars.synthetic) + bars.others_synthetic + bars.missing_synthetic == pytest.approx(1)
