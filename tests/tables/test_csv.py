import csv
import gzip
import io
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabgan.errors import DataError, FileError
from tabgan.tables import read_table, write_table


def read(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> pa.Table:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


def written(tmp_path: Path, table: pa.Table, name: str = "out.csv") -> str:
    write_table(table, tmp_path / name, force=True)
    return (tmp_path / name).read_bytes().decode()


TYPES = {
    "a,b\n1,-2\n3,\n": ["int64", "int64"],
    "a,b\n1.5,1e3\n-2,inf\n": ["double", "double"],
    "a,b\n007,+49\n12,1\n": ["string", "string"],  # zip and phone codes
    "a,b\n-07,0x1F\n1,2\n": ["string", "string"],
    "a,b\n0.5,0\n-0.5,10\n": ["double", "int64"],
    "a,b\n12345678901234567890,1\n2,1234567890123456789\n": ["string", "int64"],
    "a,b\nTrue,false\nFalse,true\n": ["bool", "bool"],
    "a,b\nTrue,yes\nfalse,no\n": ["string", "string"],
    "a,b\n2024-01-31,01.02.2024\n2024-02-01,\n": ["string", "string"],
    "a,b\n 1,1 \n2,2\n": ["string", "string"],
    "a,b\n,NA\n,\n": ["double", "double"],
    "a,b\nx,1\nNone,null\n": ["string", "int64"],
}


@pytest.mark.parametrize("text", TYPES)
def test_a_column_has_the_narrowest_type_that_loses_nothing(tmp_path: Path, text: str) -> None:
    assert [str(kind) for kind in read(tmp_path, text).schema.types] == TYPES[text]


@pytest.mark.parametrize(
    "text",
    [
        "zip,n,x\n007,1,1.5\n12,,2.0\n",
        "a,b,c\nTrue,false,TRUE\n,true,FALSE\nFalse,,\n",
        "day,moment\n31.01.2024,2024-01-31T10:00:00Z\n01.02.2024,\n",
        'a,b\n"say ""no""",1\n"two\nlines",2\n"x,y",3\n;,4\n',
        'only\n1\n""\n3\n',
        "only\n1\n2\n",
        '"a,b","c ""d"""\n1,2\n',
        "a,b\n12345678901234567890,x\n",
        "a,b\n1e+20,1.25e-7\ninf,-inf\n",
        "größe,\N{GRINNING FACE}\n\N{SNOWMAN},é\n",
    ],
)
def test_a_file_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    assert written(tmp_path, read(tmp_path, text)) == text


@pytest.mark.parametrize("name", ["t.tsv", "t.csv.gz", "t.tsv.gz"])
def test_the_ending_says_how_a_file_is_written(tmp_path: Path, name: str) -> None:
    table = pa.table({"a": ["x,y", "p\tq", None], "b": [1, 2, 3]})
    write_table(table, tmp_path / name)
    assert read_table(tmp_path / name).equals(table)
    content = (tmp_path / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith("gz") else content).decode()
    assert text == ('a\tb\nx,y\t1\n"p\tq"\t2\n\t3\n' if "tsv" in name else 'a,b\n"x,y",1\np\tq,2\n,3\n')


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2]})
    for name in ("one.csv.gz", "two.csv.gz", "one.parquet", "two.parquet"):
        write_table(table, tmp_path / name)
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


@pytest.mark.parametrize(
    "spelling", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A", '""', '"NA"']
)
def test_a_missing_cell_is_spelt_as_in_pandas(tmp_path: Path, spelling: str) -> None:
    text = f"a,b\n{spelling},1\nx,2\n"
    assert read(tmp_path, text)["a"].to_pylist() == [None, "x"]
    assert pd.read_csv(io.StringIO(text))["a"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfa,b\n1,2\n",
        b"a,b\r\n1,2\r\n",
        b"\na,b\n1,2",
        b"\n\r\na,b\n\n1,2\n\n",
        b'"a",b\n"1","2"\n',
    ],
)
def test_a_mark_at_the_start_line_ends_and_empty_lines_do_not_matter(tmp_path: Path, text: bytes) -> None:
    assert read(tmp_path, text).to_pylist() == [{"a": 1, "b": 2}]


def test_a_name_of_two_lines_is_one_name(tmp_path: Path) -> None:
    assert read(tmp_path, '"two\nlines",b\n1,2\n').to_pylist() == [{"two\nlines": 1, "b": 2}]


BAD = {
    "": (FileError, "is empty; a table needs a header line and rows"),
    " \n\n": (DataError, "has a header but no rows"),
    "\n\n": (FileError, "is empty"),
    "a,b\n": (DataError, "has a header but no rows"),
    "a,b,a\n1,2,3\n": (DataError, r"occur more than once: 'a'\. Rename them"),
    "a,b\n1,2\nsecret,2,3\n4,5\n": (FileError, r"3 cell\(s\) where the header has 2"),
    "a,b\n1,2\nsecret\n": (FileError, r"1 cell\(s\) where the header has 2"),
    'a,b\n1,"secret\n': (FileError, "a quote is opened and never closed"),
    'a,b\n1,"secret\n2,3\n4,5\n': (FileError, "a quote is opened and never closed"),
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_one_line_that_shows_no_cell(tmp_path: Path, text: str) -> None:
    error, message = BAD[text]
    with pytest.raises(error, match=message) as caught:
        read(tmp_path, text)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "t.csv" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "a;b\né;1,5\n\u00fc;2,5\n".encode("latin-1"),
        "é,b\n1 €,1\n".encode("cp1252"),
        "a,b\n\x81é,1\n".encode("latin-1"),
        "a,b\né,2\n\u4e2d,3\n".encode("utf-16"),
        b'"a","b"\n"x","1"\n"y","2"\n',
        b"a;b\n1;2\n",
        b"a|b|c\n1,5|2|x y\n2,5||z\n",
        b"a;b\r\n1;2\r\n3;4\r\n",
        b'a;b\n"1;2";"3"\n'.replace(b'"3"', b"3"),
        b"a,b\nNA,1\nx,\nNA,3\n",
        b"price,n\n10.80,1.5\n-0.10,2.25\n,3.0\n",
        b"a,b\n0.100,1.5\n2.000,3.0\n",
        b"a,b,c\nNULL,1,2.5\nx,NaN,n/a\n",
        b"a\n1,234.5\n".replace(b",", b""),
        b'a,b\n"1,234.50",$5.00\n12.00,$12.50\n',
        b"a;b\n1.234,50 \xe2\x82\xac;12 %\n3,00 \xe2\x82\xac;7 %\n",
    ],
)
def test_a_file_comes_back_in_its_own_dialect(tmp_path: Path, content: bytes) -> None:
    table = read(tmp_path, content)
    write_table(table, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == content
    # A block of rows like any other: the look of a file lies in the schema, which every sample has.
    write_table(table.slice(0, 1), tmp_path / "start.csv")
    assert content.startswith((tmp_path / "start.csv").read_bytes())


def test_bytes_that_are_no_text_are_no_csv(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"is no text; is it a CSV file\?"):
        read(tmp_path, bytes(range(256)))


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        (pa.array([0.1, 2, None, float("nan")], pa.float32()), ["0.1", "2.0", "", ""]),
        (pa.array([True, False, None]), ["True", "False", ""]),
        (pa.array([Decimal("1.50"), None]), ["1.50", ""]),
        (pa.array(["", None, "a"]), ['""', "", "a"]),
        (pa.array(["b", None]).dictionary_encode(), ["b", ""]),
        (pa.array([1.0, None]).dictionary_encode(), ["1.0", ""]),
        (pa.array(["b", None], pa.string_view()), ["b", ""]),
        (pa.array([0, None], pa.int32()).view(pa.date32()), ["1970-01-01", ""]),
        (pa.array([1, None]).view(pa.timestamp("s")), ["1970-01-01 00:00:01", ""]),
        (pa.array([1_000, 1]).view(pa.timestamp("ms")), ["1970-01-01 00:00:01", "1970-01-01 00:00:00.001"]),
        (pa.array([10**9]).view(pa.timestamp("ns", "Europe/Berlin")), ["1970-01-01 01:00:01+01:00"]),
        (pa.array([1]).view(pa.timestamp("s", "UTC")), ["1970-01-01 00:00:01+00:00"]),
        (pa.array([1], pa.int32()).view(pa.time32("s")), ["00:00:01"]),
        (pa.array([5]).view(pa.duration("s")), ["5"]),
        (pa.nulls(1), [""]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)
def test_cells_look_as_pandas_writes_them(tmp_path: Path, values: pa.Array, cells: list[str]) -> None:
    text = written(tmp_path, pa.table({"x": values, "y": [1] * len(values)}))
    assert text.splitlines()[1:] == [f"{cell},1" for cell in cells]


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    table = pa.table({"n": range(150_000), "s": [f"r{i}" for i in range(150_000)]})
    write_table(table, tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").equals(table)


CELLS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from([".csv", ".tsv"]))
def test_any_text_can_be_read_by_others(tmp_path: Path, rows: list[tuple[str | None, str | None]], ending: str) -> None:
    table = pa.table(
        {name: pa.array(cells, pa.string()) for name, cells in zip("ab", zip(*rows, strict=True), strict=True)}
    )
    text = io.StringIO(written(tmp_path, table, f"t{ending}"), newline="")
    header, *back = csv.reader(text, delimiter="," if ending == ".csv" else "\t")
    assert header == ["a", "b"]
    assert back == [[cell or "" for cell in row] for row in rows]
    assert back == [[cell or "" for cell in row.values()] for row in read_as_text(tmp_path / f"t{ending}")]


def read_as_text(path: Path) -> list[dict[str, str]]:
    """The cells that Arrow sees in the file."""
    parse = pacsv.ParseOptions(delimiter="," if path.suffix == ".csv" else "\t", newlines_in_values=True)
    convert = pacsv.ConvertOptions(column_types={"a": pa.string(), "b": pa.string()})
    return pacsv.read_csv(path, parse_options=parse, convert_options=convert).to_pylist()


def test_formulas_are_escaped_where_asked_for_and_numbers_are_not(tmp_path: Path) -> None:
    run = ["=cmd()", "+1-cmd()", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-"]
    kept = ["a=b", "-5", "+1.5e3", "-1,000.50 €", "-$5", "+49 30 123", "'=x", None]
    cells = run + kept
    labels = pa.array(["-x"] * len(cells)).dictionary_encode()
    table = pa.table({"=name": cells, "n": [-1.5] * len(cells), "l": labels})
    write_table(table, tmp_path / "t.csv", escape_formulas=True)
    back = read_table(tmp_path / "t.csv")
    assert back.column_names == ["'=name", "n", "l"]
    assert back["'=name"].to_pylist() == [f"'{cell}" for cell in run] + kept
    assert set(back["n"].to_pylist()) == {-1.5}
    assert set(back["l"].to_pylist()) == {"'-x"}
    write_table(table, tmp_path / "plain.csv")
    assert read_table(tmp_path / "plain.csv")["=name"].to_pylist() == cells
