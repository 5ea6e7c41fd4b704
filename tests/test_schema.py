import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
import pytest
import yaml

from tabgan.column import Column
from tabgan.errors import DataError, SchemaError
from tabgan.facts import Fact
from tabgan.schema import Schema
from tabgan.schemafile import Wishes
from tabgan.tables import read_table

RNG = np.random.default_rng(11)
ROWS = 600
CODES = RNG.integers(0, 40, ROWS)
CASES = {
    "prices": (RNG.lognormal(size=ROWS).round(2), "number", {"precision": 2}),
    "whole": (RNG.integers(0, 100, ROWS), "number", {"precision": 0}),
    "thousands": (RNG.integers(0, 100, ROWS) * 1_000, "number", {"precision": -3}),
    "full floats": (RNG.normal(size=ROWS), "number", {"precision": None}),
    "float32": (pa.array(RNG.random(ROWS).round(1), pa.float32()), "number", {"precision": 1}),
    "decimals": (pa.array([Decimal(i % 97) / 4 for i in range(ROWS)], pa.decimal128(9, 2)), "number", {"precision": 2}),
    "duration": (pa.array(CODES, pa.int64()).view(pa.duration("s")), "number", {"precision": 0}),
    "time": (pa.array(CODES, pa.int64()).view(pa.time64("us")), "number", {"precision": 0}),
    "counter": (np.arange(ROWS) + 1_000, "key", {}),
    "shuffled counter": (RNG.permutation(ROWS), "key", {}),
    "large keys": (np.arange(2**62, 2**62 + ROWS), "key", {}),
    "wide and unique": (np.unique(RNG.integers(0, 10**9, 10 * ROWS))[:ROWS], "number", {}),
    "wide and unique id": (np.unique(RNG.integers(0, 10**9, 10 * ROWS))[:ROWS], "key", {}),
    "unique text": ([f"C-{i}" for i in range(ROWS)], "key", {}),
    "shop id": (RNG.integers(0, 900, ROWS), "category", {}),
    "paid": (RNG.integers(0, 900, ROWS), "number", {}),
    "zero or one": (RNG.integers(0, 2, ROWS), "category", {}),
    "labels": ([f"{i % 7}th" for i in range(ROWS)], "category", {}),
    "truth": ([i % 3 == 0 for i in range(ROWS)], "boolean", {}),
    "letters of truth": (["T", "F"] * (ROWS // 2), "boolean", {}),
    "days as numbers": ([20240101 + i % 28 for i in range(ROWS)], "datetime", {"format": "%Y%m%d"}),
    "no days as numbers": ([20240101 + i % 60 for i in range(ROWS)], "number", {}),
    "money": ([f"${1_000 + i % 300:,}.50" for i in range(ROWS)], "number", {"format": "$#,##0.00", "minimum": 1000.5}),
    "German money": ([f"{i % 90},05 €" for i in range(ROWS)], "number", {"format": "0,00 €", "precision": 2}),
    "percent": ([f"{i % 90}%" for i in range(ROWS)], "number", {"format": "0%"}),
    "zip codes": ([f"{10_000 + i % 90}" for i in range(ROWS)], "category", {}),
    "mail": ([f"kim{i}@mail.org" for i in range(ROWS)], "pii", {"pii": "email"}),
    "contact": ([f"kim{i % 40}@mail.org" for i in range(ROWS)], "pii", {"pii": "email"}),
    "host": ([f"81.2.{i % 7}.{i % 200}" for i in range(ROWS)], "pii", {"pii": "ip"}),
    "site": ([f"https://shop.org/{i}" for i in range(ROWS)], "pii", {"pii": "url"}),
    "payer": ([f"DE{i % 90:02d} 3704 0044 0532 0130 {i % 100:02d}" for i in range(ROWS)], "pii", {"pii": "iban"}),
    "social": ([f"{100 + i}-{i % 90 + 10}-{1000 + i}" for i in range(ROWS)], "pii", {"pii": "ssn"}),
    "call": ([f"+49 30 {10_000 + i}" for i in range(ROWS)], "pii", {"pii": "phone"}),
    "phone": (RNG.integers(10**9, 10**10, ROWS), "pii", {"pii": "phone"}),
    "first name": (["Anna", "Li", "José"] * (ROWS // 3), "pii", {"pii": "first_name"}),
    "surname": (["Lee", "O'Neill", "van Dam"] * (ROWS // 3), "pii", {"pii": "last_name"}),
    "customer name": (
        [f"Maria Smith{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(ROWS)],
        "pii",
        {"pii": "name"},
    ),
    "product name": ([f"Blue Shirt{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(ROWS)], "key", {}),
    "street address": ([f"{i} Elm St" for i in range(ROWS)], "pii", {"pii": "address"}),
    "remarks": ([f"The parcel {i} came late, and it was wet as well." for i in range(ROWS)], "text", {}),
    "long labels": (["a label that is long but is always the same one"] * 300 + ["b"] * 300, "category", {}),
    "words of truth": (["yes", "no"] * (ROWS // 2), "boolean", {}),
    "category": (pa.array([f"{i % 7}th" for i in range(ROWS)]).dictionary_encode(), "category", {}),
    "category of ints": (pa.array(CODES).dictionary_encode(), "category", {}),
    "category of dates": (pa.array(["2024-01-01", "2024-02-01"] * (ROWS // 2)).dictionary_encode(), "category", {}),
    "days": (pa.array(CODES.astype(np.int32), pa.int32()).view(pa.date32()), "datetime", {"format": None}),
    "moments": (pa.array(CODES, pa.int64()).view(pa.timestamp("ms", "UTC")), "datetime", {}),
    "text days": ([f"{1 + i % 28:02d}.03.2024" for i in range(ROWS)], "datetime", {"format": "%d.%m.%Y"}),
    "same": (["a"] * ROWS, "constant", {}),
    "nothing": (pa.nulls(ROWS), "constant", {}),
    "no float": (pa.nulls(ROWS, pa.float64()), "constant", {}),
    "NaN throughout": ([float("nan")] * ROWS, "constant", {"nullable": True}),
    "one day": (pa.array([dt.date(2024, 1, 1)] * ROWS), "constant", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_kind_of_a_column_is_inferred(name: str) -> None:
    values, kind, more = CASES[name]
    table = pa.table({name: values})
    column = Schema.infer(table)[name]
    assert column.kind == kind
    assert column.dtype == str(table.schema.types[0])
    assert column.model_dump(include=set(more)) == more


@pytest.mark.parametrize(
    "name", ["prices", "days", "text days", "unique text", "counter", "truth", "labels", "category"]
)
def test_missing_cells_change_no_kind(name: str) -> None:
    values, kind, _ = CASES[name]
    table = pa.table({name: pa.array(values).take(pa.array([None, *range(1, ROWS)]))})
    column = Schema.infer(table)[name]
    assert (column.kind, column.nullable) == (kind, True)
    assert not Schema.infer(table.slice(1))[name].nullable


def test_nan_is_missing() -> None:
    assert Schema.infer(pa.table({"x": [1.5, float("nan"), 2.5]}))["x"].nullable


def test_codes_that_fix_a_label_are_a_category() -> None:
    department = np.array([f"d{i}" for i in RNG.permutation(40) % 5])
    table = pa.table({"product": CODES, "department": department[CODES]})
    assert Schema.infer(table)["product"].kind == "category"
    assert Schema.infer(table.drop_columns("department"))["product"].kind == "number"
    mixed = table.set_column(1, "department", pa.array(department[RNG.permutation(CODES)]))
    assert Schema.infer(mixed)["product"].kind == "number"


def test_a_scale_and_its_bands_stay_a_number() -> None:
    bands = np.array(["young", "grown", "old"])[np.minimum(CODES // 15, 2)]
    assert Schema.infer(pa.table({"age": CODES, "band": bands}))["age"].kind == "number"


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1], [2]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([b"a", b"b"]),
        pa.array([b"a", b"b"], pa.binary(1)),
        pa.array([b"a", b"b"], pa.large_binary()),
        pa.array([b"a", b"b"]).dictionary_encode(),
        pa.array([(1, 2, 3), (1, 2, 3)], pa.month_day_nano_interval()),
    ],
    ids=lambda values: str(values.type),
)
def test_cells_that_are_no_single_values_are_refused(values: pa.Array) -> None:
    with pytest.raises(DataError, match=r"column 'x' holds .*no plain values; drop the column") as caught:
        Schema.infer(pa.table({"x": values}))
    assert "\n" not in str(caught.value)


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        Schema.infer(pa.table({"x": pa.array([], pa.string())}))


def test_a_misspelt_column_is_answered_with_its_neighbour() -> None:
    schema = Schema.infer(pa.table({"price": [1, 2], "rating": [1, 2]}))
    assert schema.names == ["price", "rating"]
    assert [column.name for column in schema] == ["price", "rating"]
    with pytest.raises(SchemaError, match=r"no column 'raiting'; did you mean 'rating'\?"):
        schema["raiting"]
    with pytest.raises(SchemaError, match=r"no column 'zzz'\.$"):
        schema["zzz"]


def test_a_schema_is_frozen_and_knows_its_words() -> None:
    column = Column(name="x", kind="number", dtype="int64")
    with pytest.raises(pydantic.ValidationError):
        column.kind = "key"
    with pytest.raises(pydantic.ValidationError):
        Column(name="x", kind="numbers", dtype="int64")


def test_yaml_shows_each_column_and_what_is_not_by_default(tmp_path: Path) -> None:
    schema = Schema.infer(pa.table({"größe": [1.5, None, 2.5], "day": ["01.02.2024", "02.02.2024", "02.02.2024"]}))
    text = schema.to_yaml(tmp_path / "schema.yaml")
    assert (tmp_path / "schema.yaml").read_text(encoding="utf-8") == text
    assert "größe" in text
    assert yaml.safe_load(text) == {
        "columns": {
            "größe": {
                "kind": "number",
                "dtype": "double",
                "nullable": True,
                "precision": 1,
                "minimum": 1.5,
                "maximum": 2.5,
            },
            "day": {
                "kind": "datetime",
                "dtype": "string",
                "format": "%d.%m.%Y",
                "minimum": "2024-02-01",
                "maximum": "2024-02-02",
            },
        }
    }


def test_yaml_that_is_given_back_is_the_same_schema(tmp_path: Path) -> None:
    table = pa.table({name: CASES[name][0] for name in CASES} | {"plus one": np.asarray(CASES["whole"][0]) + 1})
    schema = Schema.infer(table)
    assert schema.facts
    schema.to_yaml(tmp_path / "schema.yaml")
    assert Schema.infer(table, Wishes.read(tmp_path / "schema.yaml")) == schema


def test_numbers_are_floats_with_nan_where_missing() -> None:
    column = Column(name="x", kind="number", dtype="int64")
    for values in (
        pa.array([1, None, 3]),
        pa.array([1, None, 3], pa.uint8()),
        pa.array([1, None, 3], pa.decimal128(5, 2)),
        pa.array([1, None, 3]).view(pa.duration("s")),
        pa.array([1, None, 3], pa.int32()).view(pa.time32("s")),
        pa.array([1, None, 3]).dictionary_encode(),
    ):
        numbers = column.numbers(pa.chunked_array([values]))
        assert numbers.dtype == np.float64
        np.testing.assert_array_equal(numbers, [1, np.nan, 3])


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "+02:00"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_are_seconds_of_the_wall_clock(unit: str, zone: str | None) -> None:
    at_noon = [dt.datetime(1970, 1, 2, 12), None, dt.datetime(2024, 7, 1, 12)]
    stamps = pa.array(at_noon, pa.timestamp(unit))
    if zone:
        stamps = pa.compute.assume_timezone(stamps, zone)
    column = Schema.infer(pa.table({"x": stamps}))["x"]
    values = pa.chunked_array([stamps])
    np.testing.assert_array_equal(column.numbers(values), [129_600, np.nan, 1_719_835_200])
    ticks, missing = column.ticks(values)
    assert ticks.tolist() == [129_600 * column.ticks_a_second, 0, 1_719_835_200 * column.ticks_a_second]
    assert missing.tolist() == [False, True, False]
    assert column.from_ticks(ticks, missing, stamps.type).equals(stamps)


def test_dates_of_another_table_may_be_text_in_another_format() -> None:
    column = Column(name="x", kind="datetime", dtype="string", format="%d.%m.%Y")
    own, other = (pa.chunked_array([pa.array([text, None])]) for text in ("02.01.1970", "1970-01-02"))
    for values in (own, other, pa.chunked_array([pa.array([dt.date(1970, 1, 2), None])]), own.dictionary_encode()):
        np.testing.assert_array_equal(column.numbers(values), [86_400, np.nan])
    assert np.isnan(column.numbers(pa.chunked_array([pa.nulls(2, pa.string())]))).all()
    with pytest.raises(
        DataError, match=r"column 'x': dates like %d\.%m\.%Y are expected, and some cells are none"
    ) as error:
        column.numbers(pa.chunked_array([["02.01.1970", "secret"]]))
    assert "secret" not in str(error.value)


def test_labels_are_text_with_none_where_missing() -> None:
    column = Column(name="x", kind="category", dtype="int64")
    assert column.labels(pa.chunked_array([pa.array([7, None])])).tolist() == ["7", None]
    assert column.labels(pa.chunked_array([pa.array([True, None])])).tolist() == ["true", None]
    assert column.labels(pa.chunked_array([pa.array(["b", None]).dictionary_encode()])).tolist() == ["b", None]
    assert column.labels(pa.chunked_array([pa.array(["b", None], pa.string_view())])).tolist() == ["b", None]


DATA = Path(__file__).parents[2] / "shared" / "data"
KINDS = {  # what is neither a number nor a category of text
    "adult": {
        "education-num": "number",
        "fnlwgt": "number",
        "age": "number",
        "income": "category",
        "workclass": "category",
    },
    "magic": {"fLength": "number", "class": "category"},
    "reviews": {"Clothing ID": "category", "Recommended IND": "category", "Rating": "number", "Age": "number"},
    "shoppers": {"Weekend": "boolean", "Revenue": "boolean", "Month": "category", "PageValues": "number"},
    "taxis": {"pickup": "datetime", "dropoff": "datetime", "tip": "number", "pickup_zone": "category"},
}


@pytest.mark.parametrize("name", KINDS)
def test_the_kinds_of_a_well_known_table(name: str) -> None:
    path = DATA / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not here: the five development tables lie outside the repository")
    schema = Schema.infer(read_table(path))
    assert {column: schema[column].kind for column in KINDS[name]} == KINDS[name]
    assert "key" not in {column.kind for column in schema}


def test_a_fact_about_a_column_that_is_not_there_is_refused_with_the_nearest_name():
    columns = (Column(name="total", kind="number", dtype="double"), Column(name="fare", kind="number", dtype="double"))
    with pytest.raises(pydantic.ValidationError, match="'fair' that is not there; did you mean 'fare'"):
        Schema(columns=columns, facts=(Fact(kind="sum", column="total", of=("fair",)),))


def test_facts_are_written_with_the_switch_that_turns_them_off():
    table = pa.table({"low": list(range(60)) * 5, "high": [i + i % 7 for i in range(60)] * 5})
    content = yaml.safe_load(Schema.infer(table).to_yaml())
    assert {fact["kind"] for fact in content["facts"]} <= {"fixed", "order", "at_least", "sum", "same", "missing"}
    assert all(fact["keep"] for fact in content["facts"])
    assert content["facts"]


def test_a_schema_is_inferred_of_any_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"zip": [10_115, 20_095] * 10, "x": np.arange(20) / 3})
    schema = Schema.infer(frame, {"columns": {"zip": "number"}})
    assert schema["zip"].kind == "number"
    frame.to_csv(tmp_path / "t.csv", index=False)
    schema.to_yaml(tmp_path / "schema.yaml")
    assert Schema.infer(tmp_path / "t.csv", tmp_path / "schema.yaml")["zip"].kind == "number"
