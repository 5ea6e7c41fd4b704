"""One contract for every encoder: what goes in comes back in its own type, with missing cells where they were."""

import datetime as dt
import json
import random
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.column import Column, as_float, plain
from tabgan.encoding.base import ColumnEncoder, Draw
from tabgan.encoding.table import ENCODERS, TableEncoder
from tabgan.errors import DataError, SchemaError
from tabgan.schema import Schema

ROWS = 200
WORDS = ["", " ", 'say "no"', "two\nlines", "a,b;c\td", "\N{SNOWMAN}\N{GRINNING FACE}", "NULL", "0012", "é", "\x00"]


def spread(low: int, high: int) -> list[int]:
    """Whole numbers from low to high, some of them often, so that there are atoms and bins."""
    draw = random.Random(low * 31 + high)
    return [low] * 30 + [high] * 30 + [draw.randint(low, high) for _ in range(ROWS - 60)]


def whole(kind: pa.DataType, low: int, high: int) -> pa.Array:
    return pa.array(spread(low, high), kind)


def stored(kind: pa.DataType, low: int, high: int) -> pa.Array:
    return pa.array(spread(low, high), pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)


def words(kind: pa.DataType) -> pa.Array:
    return pa.array([WORDS[i * i % 10] for i in range(ROWS)], kind)


def dictionary(values: list, indices: pa.DataType, ordered: bool) -> pa.Array:
    codes = pa.array([i * i % (len(values) - 1) for i in range(ROWS)], indices)  # the last one is never observed
    return pa.DictionaryArray.from_arrays(codes, pa.array(values), ordered=ordered)


DAY = 86_400
COLUMNS = {
    **{
        f"int{bits}": whole(getattr(pa, f"int{bits}")(), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        for bits in (8, 16, 32, 64)
    },
    **{f"uint{bits}": whole(getattr(pa, f"uint{bits}")(), 0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    "int64 near its end": whole(pa.int64(), 2**63 - 5_000, 2**63 - 1),
    "small ints": whole(pa.int64(), 0, 5),
    "halves": pa.array(np.linspace(-3, 3, ROWS).astype(np.float16)),
    "float32": pa.array(np.linspace(0, 5, ROWS).round(1), pa.float32()),
    "float64": pa.array(np.geomspace(1e-300, 1e299, ROWS)),
    "huge float64": pa.array([1.7e308, -1.7e308, 5e-324, 0.1] * 50),
    "infinities and NaN": pa.array([float("inf"), float("-inf"), float("nan"), 1.5, 2.5, 3.5, -1.0, 0.0] * 25),
    "only infinities": pa.array(([float("inf"), float("-inf"), float("nan")] * 67)[:ROWS]),
    "only NaN": pa.array([float("nan")] * ROWS),
    "decimal": pa.array([Decimal(i * i) / 100 for i in range(ROWS)], pa.decimal128(10, 2)),
    "wide decimal": pa.array([Decimal(10**38 - 1 - i * i) for i in range(ROWS)], pa.decimal128(38, 0)),
    "decimal256": pa.array([Decimal(i) / 8 for i in range(ROWS)], pa.decimal256(50, 3)),
    "bool": pa.array([i % 3 == 0 for i in range(ROWS)]),
    "text": words(pa.string()),
    "large text": words(pa.large_string()),
    "text views": words(pa.string_view()),
    "categories": dictionary(WORDS, pa.int8(), ordered=False),
    "ordered categories": dictionary(["low", "middle", "high", "never"], pa.uint32(), ordered=True),
    "categories of ints": dictionary([5, 3, 2**62 + 1, 0], pa.int8(), ordered=True),
    "categories of floats": dictionary([0.1, float("inf"), 3.0, 0.0], pa.int16(), ordered=False),
    "categories of dates": dictionary(
        [dt.date(2020, 1, 1), dt.date(1999, 1, 1), dt.date(1900, 1, 1)], pa.int8(), False
    ),
    "one category": dictionary(["only", "never"], pa.int8(), ordered=False),
    "date32": stored(pa.date32(), -100_000, 100_000),
    "date64": pa.array([day * DAY * 1000 for day in spread(-1000, 30_000)], pa.int64()).view(pa.date64()),
    **{
        f"timestamp {unit}": stored(pa.timestamp(unit), -(10**9) * scale, 10**9 * scale)
        for unit, scale in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))
    },
    "the longest nanoseconds": stored(pa.timestamp("ns"), -(2**63) + 1, 2**63 - 1),
    "Berlin": stored(pa.timestamp("us", "Europe/Berlin"), 0, 2 * 10**15),
    "fixed zone": stored(pa.timestamp("s", "+05:30"), 0, 2 * 10**9),
    "time32": stored(pa.time32("s"), 0, DAY - 1),
    "time32 ms": stored(pa.time32("ms"), 0, DAY * 1000 - 1),
    "time64": stored(pa.time64("ns"), 0, DAY * 10**9 - 1),
    "duration": stored(pa.duration("ns"), -(2**62), 2**62),
    "nothing": pa.nulls(ROWS),
    "text dates": pa.array([f"{1 + i % 28:02d}.{1 + i % 12:02d}.{1950 + i % 99}" for i in range(ROWS)]),
    "numbered keys": pa.array([f"C-{i:05d}" for i in range(ROWS)]),
    "other keys": pa.array([f"{WORDS[i % 10]}{i}é{i * i}x" for i in range(ROWS)], pa.large_string()),
    "whole keys": pa.array(range(10, 10 + ROWS), pa.int16()),
    "mails": pa.array([f"kim{i % 150}@mail.org" for i in range(ROWS)]),
    "telephones": pa.array([f"+49 30 {10_000 + i * i}" for i in range(ROWS)], pa.large_string()),
    "notes": pa.array([f"Called on day {i} and asked for a new one, again." for i in range(ROWS)]),
}
SHAPES = {
    "whole": lambda values: values,
    "some missing": lambda values: pc.if_else(pa.array([i % 7 != 3 for i in range(len(values))]), values, None),
    "all missing": lambda values: pa.nulls(len(values), values.type),
    "one value": lambda values: values.take(pa.array([8] * 40)),
    "one value or missing": lambda values: values.take(pa.array([8, None] * 20)),
    "two rows": lambda values: values.take(pa.array([0, 40])),
    "one known cell": lambda values: values.take(pa.array([None, None, 9])),
    "two chunks": lambda values: pa.chunked_array([values[:50], values[50:]]),
}


def shaped(name: str, shape: str) -> pa.Array | pa.ChunkedArray:
    values = COLUMNS[name]
    if not pa.types.is_string_view(values.type):
        return SHAPES[shape](values)
    return SHAPES[shape](values.cast(pa.string())).cast(values.type)  # Arrow takes no rows of views


def fitted(values: pa.Array | pa.ChunkedArray, column: Column | None = None) -> tuple[ColumnEncoder, pa.ChunkedArray]:
    table = pa.table({"x": values})
    column = column or Schema.infer(table)["x"]
    return ENCODERS[column.kind](column, table["x"].type).fit(table["x"]), table["x"]


def draw_for(encoder: ColumnEncoder, rows: int, seed: int = 0) -> Draw:
    return Draw(np.arange(rows), np.random.default_rng(seed).random((rows, len(encoder.codes_))), seed)


def keep_contract(values: pa.Array | pa.ChunkedArray) -> None:
    encoder, values = fitted(values)
    kind = encoder.column.kind
    codes = encoder.encode(values)
    assert codes.dtype == np.int64
    assert codes.shape == (len(values), len(encoder.codes_))
    assert ((codes >= 0) & (codes < [code.cardinality for code in encoder.codes_])).all()
    draw = draw_for(encoder, len(values))
    back = encoder.decode(codes, draw)
    assert back.type == values.type

    real, made = plain(values), plain(pa.chunked_array([back]))
    assert made.is_null().to_pylist() == real.is_null().to_pylist()
    if kind in ("category", "boolean", "constant"):
        assert made.equals(real)
    elif kind == "number":
        numbers, usable = as_float(made), as_float(real)
        usable = usable[np.abs(usable) <= 1e300]
        numbers = numbers[~np.isnan(numbers)]
        if len(usable):
            assert numbers.min() >= usable.min()
            assert numbers.max() <= usable.max()
    elif kind == "datetime":
        ticks, missing = encoder.column.ticks(values)
        again, _ = encoder.column.ticks(pa.chunked_array([back]))
        assert again[~missing].min() >= ticks[~missing].min()
        assert again[~missing].max() <= ticks[~missing].max()
    else:
        known = made.drop_null()
        assert kind != "key" or len(pc.unique(known)) == len(known)
        assert not set(known.to_pylist()) & set(real.drop_null().to_pylist()) or kind == "key"
    exact = np.array([kind in ("category", "boolean", "key")] * len(codes))
    if kind == "number":
        exact = np.concatenate([[True], encoder.scale_.is_atom])[codes[:, 0]]
    recoded = encoder.encode(pa.chunked_array([back]))
    assert (recoded[exact] == codes[exact]).all()

    state = json.loads(json.dumps(encoder.state()))
    twin = ENCODERS[kind](encoder.column, values.type).restore(state)
    assert twin.codes_ == encoder.codes_
    assert twin.decode(codes, draw).equals(back)
    assert (twin.encode(values) == codes).all()
    assert twin.state() == encoder.state()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_keeps_the_contract(name: str, shape: str) -> None:
    keep_contract(shaped(name, shape))


def test_the_columns_meet_every_kind() -> None:
    assert {fitted(values)[0].column.kind for values in COLUMNS.values()} == set(ENCODERS)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.text(max_size=5), min_size=2, max_size=60))
def test_any_labels_keep_the_contract(labels: list[str | None]) -> None:
    keep_contract(pa.array(labels, pa.string()))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.floats(), min_size=2, max_size=60))
def test_any_floats_keep_the_contract(numbers: list[float | None]) -> None:
    keep_contract(pa.array(numbers, pa.float64()))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=60))
def test_any_whole_numbers_keep_the_contract(numbers: list[int | None]) -> None:
    keep_contract(pa.array(numbers, pa.int64()))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=60),
    st.sampled_from([pa.timestamp("ns"), pa.timestamp("ns", "Asia/Kolkata")]),
)
def test_any_dates_keep_the_contract(ticks: list[int | None], kind: pa.DataType) -> None:
    if kind.tz:  # its wall clock must fit too
        ticks = [tick and tick // 2 for tick in ticks]
    keep_contract(pa.array(ticks, pa.int64()).view(kind))


def test_large_whole_numbers_keep_the_two_ends_to_the_digit() -> None:
    ends = [2**63 - 300, 2**63 - 1]  # one and the same as a float
    encoder, values = fitted(
        pa.array([0] * 50 + ends * 25), Column(name="x", kind="number", dtype="int64", precision=0)
    )
    made = encoder.decode(encoder.encode(values), draw_for(encoder, 100)).to_pylist()
    assert set(made) == {0, 2**63 - 1}


def test_a_label_that_fit_has_not_seen_is_named() -> None:
    encoder, _ = fitted(pa.array(["a", "b"] * 30))
    with pytest.raises(SchemaError, match=r"column 'x': 4 label\(s\) not seen by fit: 'p', 'q', 'r' and 1 more"):
        encoder.encode(pa.chunked_array([["a", "p", "q", "r", "s", "p"]]))


def test_a_table_encodes_side_by_side_and_says_what_it_lacks() -> None:
    table = pa.table({name: shaped(name, "some missing") for name in COLUMNS})
    encoder = TableEncoder(Schema.infer(table), table.schema).fit(table)
    codes = encoder.encode(table)
    assert codes.shape == (ROWS, len(encoder.codes))
    draw = Draw(np.arange(ROWS), np.random.default_rng(0).random(codes.shape), 0)
    made = encoder.decode(codes, draw)
    assert made.schema == table.schema
    assert made["text"].to_pylist() == table["text"].to_pylist()
    twin = TableEncoder(encoder.schema, table.schema).restore(json.loads(json.dumps(encoder.state())))
    # NaN is not equal to itself, and CSV shows every cell.
    assert str(twin.decode(codes, draw).to_pylist()) == str(made.to_pylist())
    with pytest.raises(SchemaError, match=r"lacks column\(s\) 'text' that"):
        encoder.encode(table.drop_columns("text"))


def test_a_column_of_another_type_is_an_error_of_the_schema() -> None:
    table = pa.table({"n": [i * i % 25 for i in range(50)], "day": ["2024-01-02", "2024-01-03"] * 25})
    encoder = TableEncoder(Schema.infer(table), table.schema).fit(table)
    with pytest.raises(SchemaError, match=r"column 'n' holds string here and int64 where"):
        encoder.encode(table.set_column(0, "n", pa.array(["x"] * 50)))
    with pytest.raises(DataError, match=r"column 'day': dates like %Y-%m-%d are expected"):
        encoder.encode(table.set_column(1, "day", pa.array(["soon"] * 50)))
