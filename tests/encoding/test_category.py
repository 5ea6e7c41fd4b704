import numpy as np
import pyarrow as pa

from tabgan.column import Column
from tabgan.encoding.base import Draw
from tabgan.encoding.category import MAX_LABELS, CategoryEncoder


def fitted(values: pa.ChunkedArray) -> CategoryEncoder:
    return CategoryEncoder(Column(name="x", kind="category", dtype=str(values.type)), values.type).fit(values)


def test_the_commonest_label_comes_first_and_ties_are_in_order() -> None:
    encoder = fitted(pa.chunked_array([["b", "c", "c", "a", None, "c"]]))
    assert encoder.labels_.to_pylist() == ["c", "a", "b"]
    assert encoder.encode(pa.chunked_array([["c", "a", "b", None]])).tolist() == [[1], [2], [3], [0]]
    assert [(code.name, code.cardinality) for code in encoder.codes_] == [("x", 4)]


def test_very_many_labels_are_digits_of_a_small_alphabet() -> None:
    values = pa.chunked_array([pa.array([*(f"p{i}" for i in range(5_000)), None])])
    encoder = fitted(values)
    assert [(code.name, code.cardinality) for code in encoder.codes_] == [("x (digit 1)", 72), ("x (digit 2)", 72)]
    codes = encoder.encode(values)
    assert len(np.unique(codes, axis=0)) == 5_001
    draw = Draw(np.arange(len(codes)), np.zeros(codes.shape), 0)
    assert encoder.decode(codes, draw).to_pylist() == values.to_pylist()
    assert fitted(values.slice(0, MAX_LABELS)).codes_[0].cardinality == MAX_LABELS + 1


def test_digits_that_name_no_label_give_the_rarest_one() -> None:
    encoder = fitted(pa.chunked_array([[f"p{i:04d}" for i in range(5_000)]]))
    made = encoder.decode(np.array([[71, 71], [1, 0]]), Draw(np.arange(2), np.zeros((2, 2)), 0))
    assert made.to_pylist() == ["p4999", "p0000"]


def test_categories_that_no_row_has_stay_in_the_type() -> None:
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", "a"]).dictionary_encode()]
    encoder = fitted(pa.chunked_array(chunks))
    made = encoder.decode(np.array([[1], [0]]), Draw(np.arange(2), np.zeros((2, 1)), 0))
    assert made.dictionary.to_pylist() == ["a", "b", "c"]
    assert made.to_pylist() == ["a", None]
