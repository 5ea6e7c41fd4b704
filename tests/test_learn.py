"""Tables that are too large to be read as a whole: some rows say what columns are, and all rows what these lack."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tabgan.learn
from tabgan import Synthesizer, TrainConfig
from tabgan.errors import DataError, SchemaError
from tabgan.learn import learn
from tabgan.schemafile import Wishes
from tabgan.tables import Source, write_table

ROWS = 4_500
QUICK = TrainConfig(warmup_steps=1, folds=1, game_steps=0, rounds=2)
RNG = np.random.default_rng(8)
CITY = RNG.integers(0, 40, ROWS)
TABLE = pa.table(
    {
        "order": [f"C-{i:07d}" for i in range(ROWS)],
        "receipt": pa.array(range(10**6, 10**6 + ROWS), pa.int32()),
        "city": [f"city {i}" for i in CITY],
        "region": [f"region {i % 5}" for i in CITY],
        "price": RNG.lognormal(3, 1, ROWS).round(2),
        "day": pa.array(RNG.integers(19_000, 19_400, ROWS).astype(np.int32), pa.int32()).view(pa.date32()),
        "text day": [f"{1 + i % 28:02d}.03.2024" for i in range(ROWS)],
        "paid": pa.array(RNG.random(ROWS) < 0.3, mask=RNG.random(ROWS) < 0.1),
        "same": ["x"] * ROWS,
        "size": pa.array([f"{i % 3}" for i in range(ROWS)]).dictionary_encode(),
        "money": [f"${n:,.2f}" for n in RNG.lognormal(7, 1, ROWS)],
        "mail": [f"kim{i % 900}@example.com" for i in range(ROWS)],
    }
)


@pytest.fixture(autouse=True)
def few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table counts as large, and a tenth of its rows are looked at."""
    monkeypatch.setattr(tabgan.learn, "WHOLE_CELLS", 1_000)
    monkeypatch.setattr(tabgan.learn, "SOME_CELLS", ROWS * TABLE.num_columns // 10)
    monkeypatch.setattr(tabgan.learn, "SOME_ROWS", ROWS // 10)


def changed(row: int, **cells: object) -> pa.Table:
    """The table with other cells in one row, which is not looked at."""
    table = TABLE
    for name, cell in cells.items():
        at = table.column_names.index(name)
        values = table[name].combine_chunks()
        new = pa.array([cell], values.type)
        values = pa.concat_arrays([values[:row], new, values[row + 1 :]])
        table = table.set_column(at, table.schema.field(at), values)
    return table


def unseen_row() -> int:
    """A row that is not among those looked at with seed 0."""
    shares = np.random.default_rng([0, 2]).random(ROWS)
    return int(np.flatnonzero(shares > 0.5)[5])


@pytest.mark.parametrize("ending", ["csv", "parquet", "frame"])
def test_a_large_table_is_learned_as_a_small_one(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"t.{ending}"
    if ending != "frame":
        write_table(TABLE, path)
    data = TABLE if ending == "frame" else path
    large = Synthesizer(train=QUICK).fit(data)
    monkeypatch.setattr(tabgan.learn, "WHOLE_CELLS", 10**9)
    small = Synthesizer(train=QUICK).fit(data)
    assert [column.kind for column in large.schema] == [column.kind for column in small.schema]
    assert "region" in {fact.column for fact in large.schema.facts if fact.kind == "fixed"}
    assert large.rows_ == ROWS
    made, other = large.sample(2_000), small.sample(2_000)
    assert list(made) == list(other) if ending != "frame" else made.schema == other.schema
    keys = made["order"].to_pylist() if ending == "frame" else list(made["order"])
    assert keys[0] == f"C-{ROWS:07d}"


def test_what_only_rows_that_are_not_looked_at_hold_is_known() -> None:
    row = unseen_row()
    table = changed(row, city="Atlantis", region="sea", price=10**7, paid=None, order="C-9000000", receipt=2 * 10**6)
    learned = learn(Source.of(table), Wishes(), 0, lambda done, rows: None)
    decoded = {encoder.column.name: encoder for encoder in learned.encoder.encoders}
    assert "Atlantis" in decoded["city"].labels_.to_pylist()
    assert decoded["price"].ends_[1].as_py() == 10**7
    assert learned.schema["price"].maximum == 10**7
    assert decoded["order"].state_["last"] == 9_000_000
    assert decoded["receipt"].state_["last"] == 2 * 10**6
    sea = [step for step in learned.encoder.relations.steps if step.column.name == "region"]
    assert "sea" in sea[0].values_.to_pylist()
    assert len(learned.codes) == ROWS


@pytest.mark.parametrize(
    ("column", "cell"), [("text day", "soon"), ("money", "a lot"), ("same", "y"), ("order", "none of these")]
)
def test_a_column_that_is_something_else_further_down_becomes_labels(column: str, cell: str) -> None:
    table = changed(unseen_row(), **{column: cell})
    learned = learn(Source.of(table), Wishes(), 0, lambda done, rows: None)
    assert learned.schema[column].kind == "category"
    with pytest.raises((SchemaError, DataError), match=column):
        learn(
            Source.of(table),
            Wishes.of({"columns": {column: {"kind": learned_kind(column)}}}),
            0,
            lambda done, rows: None,
        )


def learned_kind(column: str) -> str:
    return {"text day": "datetime", "money": "number", "same": "constant", "order": "key"}[column]


def test_a_real_domain_of_mail_is_never_made() -> None:
    table = changed(unseen_row(), mail="kim@example.org")
    made = Synthesizer(train=QUICK).fit(table).sample(500)["mail"].to_pylist()
    assert all(address.endswith("@example.net") for address in made)


def test_rows_beyond_the_most_are_drawn_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabgan.learn, "MOST_ROWS", 2_000)
    learned = learn(Source.of(TABLE), Wishes(), 0, lambda done, rows: None)
    assert 1_800 < len(learned.codes) < 2_200


def test_rare_labels_stay_out_of_a_large_table_too() -> None:
    table = changed(unseen_row(), city="Atlantis")
    wishes = Wishes.of({"columns": {"city": {"rare": "pool"}}})
    learned = learn(Source.of(table), wishes, 0, lambda done, rows: None)
    assert "Atlantis" not in str(learned.encoder.state()["columns"])


def test_parts_are_read_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for i in range(3):
        pq.write_table(TABLE.slice(i * 1_500, 1_500), tmp_path / "parts" / f"{i}.parquet")
    synthesizer = Synthesizer(train=QUICK).fit(tmp_path / "parts")
    assert synthesizer.rows_ == ROWS
    assert synthesizer.arrow_schema.equals(TABLE.schema)
