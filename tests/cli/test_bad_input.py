"""Whatever a user may hand in by mistake: one line that says what is wrong, status 1, and no file left behind."""

from __future__ import annotations

import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def _parquet_cut_in_half() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(1000))}), file)
    return file.getvalue()[: len(file.getvalue()) // 2]


def _zip_of_something_else() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", "hello")
    return file.getvalue()


TABLES = {
    "empty.csv": (b"", "empty"),
    "blank.csv": (b"\n\n", "empty"),
    "header_only.csv": (b"a,b\n", "no rows"),
    "header_only.tsv": (b"a\tb\n", "no rows"),
    "twice.csv": (b"a,b,a\n1,2,3\n", "'a'"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00", "no text"),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", "3 cell(s)"),
    "cut.parquet": (_parquet_cut_in_half(), "Parquet"),
    "empty.parquet": (b"", "Parquet"),
    "cut.csv.gz": (b"\x1f\x8b\x08\x00\x00\x00", "cut off"),
    "not_gzip.csv.gz": (b"a,b\n1,2\n", "damaged"),
    "sheet.xlsx": (b"PK\x03\x04", ".parquet"),
}
MODELS = {
    "empty.tabgan": b"",
    "text.tabgan": b"a,b\n1,2\n",
    "other.tabgan": _zip_of_something_else(),
}


def _is_one_error_line(ran, *says: str) -> None:
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    for text in says:
        assert text in ran.err


@pytest.mark.parametrize("name", TABLES)
def test_fit_of_a_bad_table(tabgan, tmp_path, name):
    content, says = TABLES[name]
    (tmp_path / name).write_bytes(content)
    log = tmp_path / "log.jsonl"
    _is_one_error_line(tabgan("fit", tmp_path / name, "-o", tmp_path / "m.tabgan", "--log", log), name, says)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["empty.csv", "header_only.csv", "picture.csv", "cut.parquet"])
def test_report_on_a_bad_table(tabgan, tmp_path, orders, name):
    content, says = TABLES[name]
    (tmp_path / name).write_bytes(content)
    ran = tabgan("report", orders, tmp_path / name, "-o", tmp_path / "report.html", "--quiet")
    _is_one_error_line(ran, name, says)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_report_on_tables_with_other_columns(tabgan, tmp_path, orders):
    other = tmp_path / "other.csv"
    other.write_text("produkt,size\ntea,S\n")
    _is_one_error_line(tabgan("report", orders, other, "-o", tmp_path / "report.html", "--quiet"), "product")
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet", "no_folder/*.parquet"])
def test_a_table_that_is_not_there(tabgan, tmp_path, name):
    for arguments in (["fit", tmp_path / name, "-o", tmp_path / "m.tabgan"], ["schema", tmp_path / name]):
        _is_one_error_line(tabgan(*arguments), name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_parts(tabgan, tmp_path):
    parts = tmp_path / "parts"
    parts.mkdir()
    _is_one_error_line(tabgan("fit", parts, "-o", tmp_path / "m.tabgan"), ".parquet")
    assert list(tmp_path.iterdir()) == [parts]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_file_that_is_none(tabgan, tmp_path, name):
    (tmp_path / name).write_bytes(MODELS[name])
    for arguments in (["sample", tmp_path / name, "-n", 5, "-o", tmp_path / "rows.csv"], ["info", tmp_path / name]):
        _is_one_error_line(tabgan(*arguments), name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_model_cut_in_half(tabgan, tmp_path, model):
    cut = tmp_path / "cut.tabgan"
    cut.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    _is_one_error_line(tabgan("sample", cut, "-n", 5, "-o", tmp_path / "rows.csv"), "cut.tabgan")
    assert list(tmp_path.iterdir()) == [cut]


@pytest.mark.parametrize("name", ["missing.tabgan", "."])
def test_a_model_file_that_is_not_there(tabgan, tmp_path, name):
    _is_one_error_line(tabgan("sample", tmp_path / name, "-n", 5, "-o", tmp_path / "rows.csv"), str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def _commands(orders, model):
    yield lambda out: ["fit", orders, "-o", out("m.tabgan")]
    yield lambda out: ["sample", model, "-n", 5, "-o", out("rows.csv")]
    yield lambda out: ["report", orders, orders, "-o", out("report.html")]
    yield lambda out: ["report", orders, orders, "-o", model.with_name("report.html"), "--json", out("report.json")]
    yield lambda out: ["fit", orders, "-o", model.with_name("m.tabgan"), "--log", out("log.jsonl")]
    yield lambda out: ["schema", orders, "-o", out("schema.yaml")]


def test_an_output_folder_that_does_not_exist(tabgan, tmp_path, orders, model):
    for command in _commands(orders, model):
        _is_one_error_line(tabgan(*command(lambda name: tmp_path / "no_such" / name)), "no_such")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_output_folder(tabgan, tmp_path, orders, model):
    (tmp_path / "file").write_text("x")
    for command in _commands(orders, model):
        _is_one_error_line(tabgan(*command(lambda name: tmp_path / "file" / name)), "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_output_that_exists_is_kept(tabgan, tmp_path, orders, model):
    for command in _commands(orders, model):
        asked = []

        def out(name, asked=asked):
            (tmp_path / name).write_text("precious")
            asked.append(tmp_path / name)
            return tmp_path / name

        _is_one_error_line(tabgan(*command(out)), "--force")
        assert [path.read_text() for path in asked] == ["precious"]


def test_an_output_that_is_a_folder(tabgan, tmp_path, orders, model):
    for command in _commands(orders, model):

        def out(name):
            (tmp_path / name).mkdir()
            return tmp_path / name

        _is_one_error_line(tabgan(*command(out), "--force"), "folder")


@pytest.mark.parametrize("name", ["rows.xlsx", "rows"])
def test_an_output_ending_that_is_unknown(tabgan, tmp_path, model, name):
    _is_one_error_line(tabgan("sample", model, "-n", 5, "-o", tmp_path / name), name, ".parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there(tabgan, tmp_path, orders):
    _is_one_error_line(tabgan("fit", orders, "-o", tmp_path / "m.tabgan", "--device", "gpu"), "gpu", "auto")
    assert list(tmp_path.iterdir()) == []
