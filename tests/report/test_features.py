import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.report.columns import ComparableTable, comparable
from tabgan.report.features import features
from tabgan.schema import Schema


def compared(frame: pd.DataFrame) -> ComparableTable:
    table = pa.Table.from_pandas(frame)
    return comparable(Schema.infer(table), {"real": table})["real"]


def test_a_date_comes_with_its_weekday_and_hour() -> None:
    dates = pd.to_datetime(["2026-11-25 15:38", "1969-12-31 23:59", "2000-02-29 00:00", None] * 5)  # Wed., Wed., Tue.
    found = features(compared(pd.DataFrame({"when": dates, "x": np.arange(20) % 7 * 1.5})))
    assert found.owner.tolist() == [0, 0, 0, 1]
    assert found.values[:3, 1].tolist() == [2, 2, 1]
    assert found.values[:3, 2].tolist() == [15, 23, 0]
    assert np.isnan(found.values[3, :3]).all()


@pytest.mark.parametrize(
    ("label", "expected"),
    [("label {}", [0, 0, 5, 300]), ("{}", [1_000, 1_000, 1_005, np.nan]), ("1e{}", [0, 0, 5, 300])],
)
def test_very_many_labels_are_ordered_as_numbers_or_by_frequency(label: str, expected: list[float]) -> None:
    labels = [label.format(1_000 + i) for i in range(300) for _ in range(300 - i)]
    table = compared(pd.DataFrame({"name": [*labels, None, None], "b": [True, False] * (len(labels) // 2 + 1)}))
    found = features(table)
    at = [0, 1, labels.index(label.format(1_005)), -1]
    np.testing.assert_array_equal(found.values[at, 0], expected)
    assert found.labels.tolist() == [False, True]


def test_what_comes_from_one_column_is_shuffled_together_and_left_out_together() -> None:
    dates = pd.date_range("2020-01-01", periods=50, freq="7h")
    found = features(compared(pd.DataFrame({"when": dates, "x": np.arange(50) % 9 * 0.5})))
    shuffled = found.shuffled(0, np.random.default_rng(0))
    rows = {tuple(row) for row in found.values[:, :3].tolist()}
    assert {tuple(row) for row in shuffled[:, :3].tolist()} == rows
    assert (shuffled[:, 3] == found.values[:, 3]).all()
    assert (shuffled[:, 0] != found.values[:, 0]).any()
    assert found.but(0).owner.tolist() == [1]
