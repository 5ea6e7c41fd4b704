import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from tabgan.errors import DataError
from tabgan.report.columns import comparable
from tabgan.schema import Schema


def compared(real: dict[str, object], synthetic: dict[str, object], name: str) -> tuple[list[object], list[object]]:
    """The values of one column in both tables, codes as labels (None: missing)."""
    tables = {"real": pa.table(real), "synthetic": pa.table(synthetic)}
    ready = comparable(Schema.infer(tables["real"]), tables)
    index = [column.name for column in ready["real"].columns].index(name)
    column = ready["real"].columns[index]
    if column.is_number:
        return ready["real"].numbers(index).tolist(), ready["synthetic"].numbers(index).tolist()
    names = [*column.labels, None]
    return [names[i] for i in ready["real"].codes(index)], [names[i] for i in ready["synthetic"].codes(index)]


def test_dates_as_text_compare_with_dates_as_timestamps() -> None:
    stamps = pa.array([dt.datetime(2024, 1, 2), None], pa.timestamp("us"))
    real, synthetic = compared({"day": ["2024-01-01", "2024-01-02"]}, {"day": stamps}, "day")
    assert real[1] == synthetic[0]
    assert np.isnan(synthetic[1])


@pytest.mark.parametrize("text", ["2024-01-02T00:00:00", "2024-01-02 00:00:00.000", "2024-01-02"])
def test_dates_as_text_may_be_written_otherwise(text: str) -> None:
    for days in (
        ["01/31/2024", "01/02/2024"],
        ["2024-01-01", "2024-01-02"],
        [dt.date(2024, 1, 1), dt.date(2024, 1, 2)],
    ):
        real, synthetic = compared({"day": days}, {"day": [text, None]}, "day")
        assert real[1] == synthetic[0]


def test_a_missing_label_is_a_label_and_not_the_text_of_one() -> None:
    real, synthetic = compared({"a": ["None", None, "x"]}, {"a": [None, "None", "y"]}, "a")
    assert real == ["None", None, "x"]
    assert synthetic == [None, "None", "y"]


@pytest.mark.parametrize(
    ("real", "synthetic"),
    [
        (pa.array([3, 1, 3], pa.int64()), pa.array([3.0, 1.0, 3.0])),  # pandas turns integers with gaps into floats
        (pa.array([3, 1, 3], pa.int64()), pa.array(["3", "1", "3"])),
        (pa.array(["3", "1", "3"]), pa.array([3, 1, 3])),
        (pa.array([True, False, True]), pa.array(["True", "False", "True"])),
        (pa.array(["a", "b", "a"]), pa.array(["a", "b", "a"]).dictionary_encode()),
    ],
)
def test_labels_are_spelled_alike_in_both_tables(real: pa.Array, synthetic: pa.Array) -> None:
    left, right = compared({"a": real}, {"a": synthetic}, "a")
    assert left == right


def test_infinite_numbers_count_as_missing() -> None:
    real, _ = compared({"a": [1.5, float("inf"), 2.5]}, {"a": [1.0, 1.0, 1.0]}, "a")
    assert np.isnan(real[1])


def test_missing_columns_are_named() -> None:
    real = pa.table({"a": [1.5, 2.5], "b": ["x", "y"]})
    with pytest.raises(DataError, match=r"the synthetic table lacks 1 column\(s\) of the real table: 'b'\."):
        comparable(Schema.infer(real), {"real": real, "synthetic": pa.table({"a": [1.0]})})


@pytest.mark.parametrize("values", [["x", "y"], [[1.0], [2.0]]])
def test_text_in_place_of_numbers_is_named_without_its_values(values: list[object]) -> None:
    real = pa.table({"a": [1.5, 2.5]})
    with pytest.raises(DataError, match=r"column 'a' holds numbers in the real table and .* in the synthetic table"):
        comparable(Schema.infer(real), {"real": real, "synthetic": pa.table({"a": values})})


def test_shuffling_keeps_every_column_and_loses_the_rows() -> None:
    real = pa.table({"a": np.arange(200) / 2, "b": np.arange(200) / 2})
    ready = comparable(Schema.infer(real), {"real": real})["real"]
    shuffled = ready.shuffled(np.random.default_rng(0))
    assert sorted(shuffled.numbers(0)) == sorted(shuffled.numbers(1)) == sorted(ready.numbers(0))
    assert (shuffled.numbers(0) != shuffled.numbers(1)).any()
