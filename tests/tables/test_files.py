import gzip
import io
import os
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabgan.errors import DataError, FileError
from tabgan.tables import TableWriter, check_output, read_table, to_arrow, write_table
from tabgan.tables.files import WholeFile

TABLE = pa.table({"n": [1, 2, None], "s": ["a", None, "c"]})
ENDINGS = [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet"]


@pytest.mark.parametrize("ending", [*ENDINGS, ".CSV", ".Parquet"])
def test_a_table_comes_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t{ending}"
    write_table(TABLE, path)
    assert read_table(path).equals(TABLE)
    assert to_arrow(str(path))[1] == "file"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_blocks_follow_one_another(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t{ending}"
    with TableWriter(path, TABLE.schema) as writer:
        for _ in range(3):
            writer.write(TABLE)
        writer.write(TABLE.slice(0, 0))
        assert not path.exists()
    assert read_table(path).equals(pa.concat_tables([TABLE] * 3))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_stays_behind_when_the_block_fails(tmp_path: Path, ending: str, error: type[BaseException]) -> None:
    path = tmp_path / f"t{ending}"
    path.write_text("before")

    def fail() -> None:
        with TableWriter(path, TABLE.schema, force=True) as writer:
            writer.write(TABLE)
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == [path.name]


def test_nothing_stays_behind_when_the_file_cannot_be_begun(tmp_path: Path) -> None:
    unwritable = pa.schema([pa.field("x", pa.month_day_nano_interval())])
    with pytest.raises(pa.ArrowException), TableWriter(tmp_path / "t.parquet", unwritable):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is always full is a thing of Linux")
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, ending: str) -> None:
    writer = TableWriter(tmp_path / f"t{ending}", TABLE.schema)
    os.symlink("/dev/full", writer._whole._temporary)

    def fill() -> None:
        with writer:
            writer.write(pa.concat_tables([TABLE] * 1_000))

    with pytest.raises(FileError, match=r"cannot be written: No space left on device\.$"):
        fill()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_is_replaced_only_with_force(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t{ending}"
    path.write_text("mine")
    with pytest.raises(FileError, match=r"exists already; use --force \(in Python: force=True\)"):
        write_table(TABLE, path)
    assert path.read_text() == "mine"
    write_table(TABLE, path, force=True)
    assert read_table(path).equals(TABLE)


def test_outputs_that_cannot_be_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name, why in {
        "t.xlsx": r"unknown file ending; use \.csv",
        "t": "unknown file ending",
        "none/t.csv": "the folder .*none does not exist; create it first",
        "folder.csv": "is a folder; name a file",
    }.items():
        with pytest.raises(FileError, match=why):
            check_output(tmp_path / name, force=True)
    check_output(tmp_path / "t.csv", force=False)
    check_output("-", force=False)
    check_output(tmp_path / "t.tabgan", force=False, endings=())
    check_output(tmp_path / "t.html", force=False, endings=(".html",))
    with pytest.raises(FileError, match=r"unknown file ending; use \.yaml or \.yml\.$"):
        check_output(tmp_path / "t.csv", force=False, endings=(".yaml", ".yml"))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="everything can be written here")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="cannot be written to; choose another one"):
        check_output(tmp_path / "t.csv", force=False)


def test_standard_input_and_output_are_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    write_table(TABLE, "-")
    assert out.buffer.getvalue() == b"n,s\n1,a\n2,\n,c\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(out.buffer.getvalue())))
    assert read_table("-").equals(TABLE)


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    (folder / "deep").mkdir(parents=True)
    pq.write_table(TABLE, folder / "0.parquet")
    pq.write_table(TABLE, folder / "1.parquet")
    pq.write_table(TABLE, folder / "deep" / "2.parquet")
    (folder / "_SUCCESS").touch()
    (folder / "notes.txt").write_text("no table")
    return folder


def test_a_folder_of_parts_is_one_table(parts: Path) -> None:
    assert read_table(parts).equals(pa.concat_tables([TABLE] * 3))


def test_a_glob_of_parts_is_one_table(parts: Path) -> None:
    assert read_table(f"{parts}/*.parquet").equals(pa.concat_tables([TABLE] * 2))
    assert read_table(f"{parts}/[1].parquet").equals(TABLE)
    with pytest.raises(FileError, match=r"no \.parquet file there"):
        read_table(f"{parts}/none*.parquet")


def test_a_name_with_brackets_that_exists_is_no_glob(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t[1].csv")
    assert read_table(tmp_path / "t[1].csv").equals(TABLE)


@pytest.mark.parametrize("years", [[2023, 2024, 2024], [2023, 2023, 2023]])
def test_names_of_partitions_are_a_column(tmp_path: Path, years: list[int]) -> None:
    pd.DataFrame({"year": years, "n": [1, 2, 3]}).to_parquet(tmp_path / "t", partition_cols=["year"])
    assert read_table(tmp_path / "t").to_pydict() == {"n": [1, 2, 3], "year": years}


def test_parts_with_different_columns_are_refused(parts: Path) -> None:
    pq.write_table(TABLE.rename_columns(["n", "t"]), parts / "1.parquet")
    with pytest.raises(DataError, match=r"other columns in '1\.parquet' than in '0\.parquet'; make them alike"):
        read_table(parts)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = slice(15, len(content) - 15)
    content[middle] = bytes(byte ^ 255 for byte in content[middle])
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip])
@pytest.mark.parametrize("ending", [".parquet", ".csv.gz"])
def test_a_damaged_file_is_one_line(tmp_path: Path, ending: str, damage: object) -> None:
    path = tmp_path / f"t{ending}"
    write_table(TABLE, path)
    damage(path)
    with pytest.raises(FileError, match="copy it again") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_what_they_are_called_are_one_line(tmp_path: Path) -> None:
    for name in ("t.parquet", "t.csv.gz", "t.csv"):
        (tmp_path / name).write_bytes(b"PK\x03\x04\xff\xfe not this")
        with pytest.raises(FileError, match=r"t\.") as caught:
            read_table(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_what_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file; check the path"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "orders.csv").touch()
    with pytest.raises(FileError, match=r"ordres\.csv: no such file; did you mean 'orders\.csv'\?"):
        read_table(tmp_path / "ordres.csv")
    with pytest.raises(FileError, match=r"no \.parquet file there"):
        read_table(tmp_path)
    (tmp_path / "t.xlsx").touch()
    with pytest.raises(FileError, match=r"unknown file ending; use \.csv"):
        read_table(tmp_path / "t.xlsx")


def test_a_parquet_file_without_rows_or_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="no rows"):
        read_table(tmp_path / "t.parquet")
    pq.write_table(pa.table({}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="no columns"):
        read_table(tmp_path / "t.parquet")


def test_a_gzip_of_two_members_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"))
    assert read_table(tmp_path / "t.csv.gz")["a"].to_pylist() == [1, 2]


def test_a_whole_file_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    with WholeFile(path) as file:
        file.write(b"abc")
        assert not path.exists()
    assert path.read_bytes() == b"abc"
    with pytest.raises(FileError, match="cannot be written"), WholeFile(tmp_path / "none" / "x.bin"):
        pass
