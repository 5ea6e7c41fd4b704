"""Made tables of any kind go the whole way: fit, save, load, sample, files, report. What is wrong with one is told by a
`TabganError` of one line, and by nothing else. `python benchmarks/fuzz.py` runs many more of them."""

from __future__ import annotations

import datetime
import string
import tempfile
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabgan import ModelConfig, Synthesizer, TrainConfig, evaluate, load
from tabgan.errors import TabganError
from tabgan.tables import read_table, to_arrow, write_table

TEN_STEPS = TrainConfig(
    warmup_steps=10, evaluate_every=5, folds=2, game_steps=2, game_evaluate_every=2, critic_head_start=2
)
SMALL = ModelConfig(width=8, blocks=1, noise=4, critic_width=8, critic_embedding=4)
MOST_ROWS, MOST_COLUMNS = 60, 5

HOSTILE = [
    "=cmd()",
    "+1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "</td><b>",
    '"',
    "'",
    ",",
    ";",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "",
    " ",
    "NA",
    "nan",
    "None",
    "true",
    "False",
    "-0",
    "007",
    "1e5",
    "1,5",
    "12 %",
    "$5",
    "2024-02-30",
    "20240131",
    "31.01.2024",
    "\N{RIGHT-TO-LEFT OVERRIDE}evil",
    "שלום",
    "\N{GRINNING FACE}",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{ZERO WIDTH SPACE}",
    "\N{BYTE ORDER MARK}",
    "{{ x }}",
    "%s",
    "../../etc",
    "x" * 3_000,
    "kim@mail.org",
    "192.168.0.1",
    "DE89370400440532013000",
    "+49 30 123456",
]
# Arrow's text holds no half of a surrogate pair; see the odd files for those.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.one_of(st.sampled_from(HOSTILE), TEXT, st.text(string.ascii_lowercase, min_size=1, max_size=8))
DATES = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
ODD_DOUBLES = [0.0, -0.0, 5e-324, 1.7e308, -1.7e308, 1e-300, 2.0**53, float("inf"), float("-inf"), float("nan")]

# What a column may hold, by its Arrow type.
VALUES: dict[pa.DataType, list[st.SearchStrategy[Any]]] = {
    pa.int64(): [st.integers(-(2**63), 2**63 - 1), st.integers(0, 3), st.integers(0, 1000)],
    pa.int8(): [st.integers(-128, 127)],
    pa.uint64(): [st.integers(0, 2**64 - 1)],
    pa.float64(): [
        st.floats(allow_subnormal=True),
        st.sampled_from(ODD_DOUBLES),
        st.floats(0, 100).map(lambda x: round(x, 2)),
        st.just(0.0),
    ],
    pa.float32(): [st.floats(width=32)],
    pa.string(): [TEXT, st.sampled_from(HOSTILE), st.sampled_from(HOSTILE[:5]), st.just("same")],
    pa.large_string(): [st.sampled_from("abc")],
    pa.bool_(): [st.booleans()],
    pa.timestamp("us"): [DATES, st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2024, 3, 1))],
    pa.timestamp("ns", "Europe/Berlin"): [DATES],
    pa.timestamp("s"): [st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31))],
    pa.date32(): [st.dates()],
    pa.time64("us"): [st.times()],
    pa.duration("ms"): [st.timedeltas(datetime.timedelta(-10_000), datetime.timedelta(10_000))],
    pa.decimal128(20, 3): [st.decimals(-1_000_000, 1_000_000, places=3).map(Decimal)],
    pa.binary(): [st.binary(max_size=5)],
    pa.list_(pa.int8()): [st.lists(st.integers(0, 3), max_size=3)],
    pa.null(): [st.none()],
}


@st.composite
def columns(draw: st.DrawFn, rows: int) -> pa.Array:
    """One column, with or without missing cells; few values, or a different one in every row."""
    kind = draw(st.sampled_from(list(VALUES)))
    values = draw(st.sampled_from(VALUES[kind]))
    missing = draw(st.sampled_from([0, 0, 0, 1, 5]))  # of ten cells
    few = draw(st.booleans())
    if few:
        values = st.sampled_from(draw(st.lists(values, min_size=1, max_size=6)))
    cells = draw(st.lists(values, min_size=rows, max_size=rows))
    holes = draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows)) if missing else [9] * rows
    return pa.array([None if hole < missing else cell for cell, hole in zip(cells, holes, strict=True)], kind)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table; some columns follow from others."""
    rows = draw(st.integers(1, MOST_ROWS))
    found = [draw(columns(rows)) for _ in range(draw(st.integers(1, MOST_COLUMNS)))]
    for tie in draw(st.lists(st.sampled_from(["copy", "key", "shift"]), max_size=2)):
        like = draw(st.sampled_from(found))
        if tie == "copy":
            found.append(like)
        elif tie == "shift":
            found.append(pa.concat_arrays([like[1:], like[:1]]))
        else:
            found.append(pa.array([f"{draw(st.sampled_from(['A', '-', '=']))}{i:04d}" for i in range(rows)]))
    names = draw(st.lists(NAMES, min_size=len(found), max_size=len(found), unique=True))
    return pa.table(found, names=names)


KINDS: dict[str, Callable[[pa.Table, Path], Any]] = {
    "pyarrow": lambda table, folder: table,
    "pandas": lambda table, folder: table.to_pandas(),
    "polars": lambda table, folder: pl.from_arrow(table),
    "csv": lambda table, folder: _written(table, folder / "real.csv"),
    "tsv": lambda table, folder: _written(table, folder / "real.tsv"),
    "parquet": lambda table, folder: _written(table, folder / "real.parquet"),
}


def _written(table: pa.Table, path: Path) -> Path:
    if path.suffix != ".parquet":  # text has no bytes and no lists
        nested = {field.name for field in table.schema if field.type in (pa.binary(), pa.list_(pa.int8()))}
        table = table.drop_columns(list(nested)) if len(nested) < table.num_columns else pa.table({"a": [1, 2]})
    write_table(table, path)
    return path


class Tags(HTMLParser):
    """How often each element is on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen[tag] += 1


def whole_way(table: pa.Table, kind: str, folder: Path) -> str:
    """Take the table from `fit` to the report; return how far it came, which is the error's text if it is refused."""
    stage = "read"
    try:
        data = KINDS[kind](table, folder)
        real, _ = to_arrow(data)
        stage = "fit"
        fitted = Synthesizer(device="cpu", train=TEN_STEPS, model=SMALL).fit(data)
        stage = "save and load"
        fitted.save(folder / "m.tabgan")
        loaded = load(folder / "m.tabgan", device="cpu")
        stage = "sample"
        made, _ = to_arrow(fitted.sample(50))
        again = pa.concat_tables(loaded.sample_tables(50))
        assert again.schema.equals(real.schema), (again.schema, real.schema)
        assert made.num_rows == again.num_rows == 50
        assert made.column_names == real.column_names
        stage = "write"
        for name in ("made.csv", "made.parquet"):
            write_table(again, folder / name, force=True)
            back = read_table(folder / name)
            assert (back.column_names, back.num_rows) == (real.column_names, 50), name
        stage = "score"
        assert len(loaded.score_samples(data)) == real.num_rows
        stage = "impute"
        loaded.impute(data)
        stage = "info"
        loaded.describe()
        stage = "report"
        evaluate(data, again).to_html(folder / "report.html")
        tags = Tags()
        tags.feed((folder / "report.html").read_text(encoding="utf-8"))
        assert (tags.seen["script"], tags.seen["b"]) == (1, 0)  # the page's own
        return "done"
    except TabganError as error:
        said = str(error)
    assert said
    assert "\n" not in said, repr(said)
    return f"{stage}: {said}"


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(tables(), st.sampled_from(list(KINDS)))
def test_any_table_goes_the_whole_way_or_is_refused_in_one_line(table: pa.Table, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole_way(table, kind, Path(folder))
