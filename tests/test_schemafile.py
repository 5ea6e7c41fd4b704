"""A schema as a user writes it, and what a mistake in it is answered with."""

from pathlib import Path

import pyarrow as pa
import pytest

from tabgan import Synthesizer, TrainConfig
from tabgan.errors import FileError, SchemaError
from tabgan.schema import Schema
from tabgan.schemafile import Wishes

TABLE = pa.table(
    {
        "zip": [10_115, 20_095, 80_331, 10_115, 20_095] * 8,
        "price": [1.5, 2.0, 99.0, 3.25, None] * 8,
        "day": ["2024-01-31", "2024-02-01", "2024-03-05", "2024-01-31", "2024-02-02"] * 8,
        "label": ["a", "b", "c", "a", "b"] * 8,
        "yes": [True, False, True, True, None] * 8,
    }
)
QUICK = TrainConfig(warmup_steps=1, folds=1, game_steps=0)


def infer(text: str, tmp_path: Path) -> Schema:
    path = tmp_path / "schema.yaml"
    path.write_text(text, encoding="utf-8")
    return Schema.infer(TABLE, Wishes.read(path))


@pytest.mark.filterwarnings("ignore:column 'price'")
def test_some_settings_of_some_columns_are_enough(tmp_path: Path) -> None:
    schema = infer(
        "columns:\n  zip: category\n  price: {maximum: 50, precision: 1}\n  yes: {kind: category}\n", tmp_path
    )
    assert schema["zip"].kind == "category"
    assert (schema["price"].kind, schema["price"].maximum, schema["price"].precision) == ("number", 50, 1)
    assert schema["yes"].kind == "category"
    assert schema["day"] == Schema.infer(TABLE)["day"]


@pytest.mark.parametrize("text", ["", "columns:\n", "{}", "# nothing\n"])
def test_an_empty_file_asks_for_nothing(tmp_path: Path, text: str) -> None:
    assert infer(text, tmp_path) == Schema.infer(TABLE)


WRONG = {
    "columns:\n  zip:\n    kind: catgory\n": r"line 3: column 'zip': kind is 'catgory'; it must be one of category, "
    r"number, .*did you mean 'category'\?",
    "columns:\n  zip:\n    knd: category\n": r"line 3: there is no setting 'knd'; did you mean 'kind'\?",
    "columns:\n  zop: {kind: category}\n": r"line 2: the table has no column 'zop'; did you mean 'zip'\?",
    "colums: {}\n": r"line 1: there is no setting 'colums'; did you mean 'columns'\?",
    "columns:\n  zip: 5\n": r"line 2: column 'zip' has no settings",
    "columns: [zip]\n": r"line 1: a mapping of columns by their names is expected",
    "- zip\n": r"line 1: a mapping with `columns` and `facts` is expected",
    "columns:\n  zip: {kind: [\n": r"line \d: this is no YAML",
    "columns:\n  zip: {}\n  zip: {}\n": r"line 3: 'zip' occurs twice",
    "columns:\n  price:\n    precision: much\n": r"line 3: column 'price': precision is 'much'",
    "columns:\n  price:\n    format: '#,#0'\n": r"line 3: column 'price': '#,#0' is no pattern of a number",
    "columns:\n  price: {kind: key}\n": r"line 2: column 'price' is no key: \d+ cell",
    "columns:\n  zip: {kind: key}\n": r"line 2: column 'zip' is no key: 37 cell\(s\) repeat",
    "columns:\n  label: {kind: number}\n": r"line 2: column 'label': numbers like 0 are expected, and 40 cell",
    "columns:\n  label: {kind: datetime}\n": r"line 2: column 'label' holds no dates in one format",
    "columns:\n  label: {kind: boolean}\n": r"line 2: column 'label' is no boolean: it holds 3 values",
    "columns:\n  label: {kind: constant}\n": r"line 2: column 'label' is no constant: it holds 3 values",
    "columns:\n  price: {kind: text}\n": r"line 2: column 'price' holds double; text is of text",
    "columns:\n  label: {kind: pii}\n": r"line 2: column 'label': say what of a person it is",
    "columns:\n  price: {nullable: false}\n": r"line 2: column 'price' is not nullable there, and 8 cell\(s\)",
    "columns:\n  price: {dtype: int64}\n": r"line 2: column 'price' is of dtype int64 there and of double in the table",
    "columns:\n  price: {minimum: 5, maximum: 4}\n": r"line 2: column 'price' has a minimum of 5 above its maximum",
    "columns:\n  label: {rare: never}\n": r"rare is 'never'; it must be one of keep, pool",
    "facts:\n- {kind: fxed, column: zip, of: [label]}\n": r"line 2: kind is 'fxed'; .*did you mean 'fixed'\?",
    "facts:\n- {kind: linear, column: zip, of: [label]}\n": r"line 2: this is no fact; .*as many weights",
    "facts:\n- {kind: sum, column: label, of: [zip]}\n": r"line 2: a fact of kind sum is of numbers, .*'label'",
    "facts:\n- {kind: at_least, column: zip, of: [zip, label]}\n": r"line 2: this is no fact; .*one column in `of`",
    "facts:\n- {kind: sum, column: zip, of: []}\n": r"line 2: this is no fact; .*has a column in `of`",
    "facts:\n- {kind: fixed, of: [label]}\n": r"line 2: 'column' is missing; a fact has it",
    "facts:\n- {kind: fixed, column: zap, of: [label]}\n": r"line 2: the table has no column 'zap'; did you",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_answered_with_its_line_and_the_nearest_right_word(tmp_path: Path, text: str) -> None:
    with pytest.raises(SchemaError, match=WRONG[text]) as caught:
        infer(text, tmp_path)
    assert "schema.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read: No such file"):
        Wishes.read(tmp_path / "none.yaml")
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\xff")
    with pytest.raises(SchemaError, match="is no UTF-8 text"):
        Wishes.read(tmp_path / "picture.yaml")


def test_names_that_yaml_takes_for_something_else_are_names(tmp_path: Path) -> None:
    assert infer("columns:\n  yes: category\n", tmp_path)["yes"].kind == "category"


def test_a_dropped_column_is_gone_and_a_nested_one_can_be_dropped() -> None:
    nested = TABLE.append_column("list", pa.array([[1]] * 40))
    wishes = {"columns": {"list": {"kind": "drop"}, "zip": "drop"}}
    synthesizer = Synthesizer(train=QUICK).fit(nested, schema=wishes)
    assert synthesizer.sample(3).column_names == ["price", "day", "label", "yes"]


@pytest.mark.parametrize(
    ("bounds", "low", "high"),
    [
        ({"price": {"minimum": 2, "maximum": 50}}, 2, 50),
        ({"zip": {"kind": "number", "maximum": 20_095.5}}, 10_115, 20_095),
        ({"day": {"minimum": "2024-02-01"}}, "2024-02-01", "2024-03-05"),
    ],
)
def test_bounds_hold_and_cells_beyond_are_told(bounds: dict, low: object, high: object) -> None:
    with pytest.warns(UserWarning, match=r"\d+ cell\(s\) lie outside its bounds"):
        synthesizer = Synthesizer(train=QUICK).fit(TABLE, schema={"columns": bounds})
    cells = synthesizer.sample(500)[next(iter(bounds))].drop_null().to_pylist()
    assert min(cells) >= low
    assert max(cells) <= high


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int8(), pa.string())])
def test_rare_labels_are_never_made_under_pool(kind: pa.DataType) -> None:
    labels = ["red", "blue"] * 100 + ["rare one", "rare two", "rare two"]
    table = pa.table({"label": pa.array(labels).cast(kind), "x": range(203)})
    for rare, expected in (("pool", {"red", "blue"}), ("keep", set(labels))):
        schema = {"columns": {"label": {"rare": rare}, "x": "number"}}
        synthesizer = Synthesizer(train=QUICK).fit(table, schema=schema)
        assert set(synthesizer.sample(5_000)["label"].cast(pa.string()).to_pylist()) == expected
        assert ("rare one" in str(synthesizer._encoder.state())) == (rare == "keep")
    with pytest.raises(SchemaError, match="every label is held by fewer than 150 rows"):
        Synthesizer(train=QUICK).fit(table, schema={"columns": {"label": {"rare": "pool", "rare_below": 150}}})
