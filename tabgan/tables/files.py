"""Files in and out. Output appears whole or not at all: it is written under a temporary name and renamed at the end."""

from __future__ import annotations

import glob
import gzip
import os
import sys
import zlib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from tabgan.errors import DataError, FileError, some_of
from tabgan.tables.csv import CsvSink, read_csv

STANDARD = "-"
"""The path that stands for CSV on standard input or output."""

_TEXT_ENDINGS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
_KNOWN = ".csv, .csv.gz, .tsv, .tsv.gz or .parquet"


def read_table(path: str | Path) -> pa.Table:
    """Read a CSV or TSV file (also `.gz`), a Parquet file, a folder or glob of Parquet parts, or `-`: CSV on stdin.

    Raises `FileError` for what cannot be read and `DataError` for a table without rows.
    """
    name = str(path)
    if name == STANDARD:
        return _with_rows(read_csv(sys.stdin.buffer.read(), "standard input"), "standard input")
    ending = _ending(name)
    is_folder, is_glob = os.path.isdir(name), glob.has_magic(name) and not os.path.exists(name)
    if is_folder or is_glob:
        parts = sorted(glob.glob(os.path.join(name, "**/*.parquet") if is_folder else name, recursive=True))
        if not parts:
            raise FileError(f"{name}: no .parquet file there; check the path.")
        table = _read_parquet(parts, name, base=name if is_folder else None)
    elif not os.path.exists(name):
        raise FileError(f"{name}: no such file; check the path.")
    elif ending == ".parquet":
        table = _read_parquet([name], name)
    elif ending in _TEXT_ENDINGS:
        table = read_csv(_read_bytes(name), name, _TEXT_ENDINGS[ending])
    else:
        raise FileError(f"{name}: unknown file ending; use {_KNOWN}.")
    return _with_rows(table, name)


def _ending(name: str) -> str:
    """The ending that says what is in a file; "" where it is none that we know."""
    lower = name.lower()
    return next((end for end in (".csv.gz", ".tsv.gz", ".csv", ".tsv", ".parquet") if lower.endswith(end)), "")


def _read_bytes(name: str) -> bytes:
    try:
        opened = gzip.open(name, "rb") if name.lower().endswith(".gz") else open(name, "rb")
        with opened as file:
            return file.read()
    except (EOFError, zlib.error):
        raise FileError(f"{name} is cut off or damaged; copy it again.") from None
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or 'damaged file'}.") from None


def _read_parquet(parts: list[str], name: str, base: str | None = None) -> pa.Table:
    """The rows of all `parts`; in the folder `base`, names such as `year=2024` are a column of their own."""
    try:
        first = set(pq.read_schema(parts[0]).names)
        odd = [os.path.basename(part) for part in parts if set(pq.read_schema(part).names) != first]
        if odd:
            raise DataError(
                f"{name}: other columns in {some_of(odd)} than in {os.path.basename(parts[0])!r}; make them alike."
            )
        if len(parts) == 1 and base is None:
            return pq.ParquetFile(parts[0]).read()
        return ds.dataset(parts, format="parquet", partitioning="hive", partition_base_dir=base or "").to_table()
    except (pa.ArrowException, OSError) as error:
        permission = isinstance(error, PermissionError)
        why = "no permission to read it" if permission else "not a whole Parquet file; write or copy it again"
        raise FileError(f"{name}: {why}.") from None


def _with_rows(table: pa.Table, name: str) -> pa.Table:
    twice = sorted({column for column in table.column_names if table.column_names.count(column) > 1})
    if twice:
        raise DataError(f"{name}: column name(s) occur more than once: {some_of(twice)}. Rename them.")
    if table.num_columns == 0:
        raise DataError(f"{name} has no columns.")
    if table.num_rows == 0:
        raise DataError(f"{name} has a header but no rows; at least one row is needed.")
    return table


def check_output(path: str | Path, *, force: bool, endings: tuple[str, ...] | None = None) -> None:
    """Raise `FileError` where a table could not be written to `path`: before the slow part, not after it.

    `endings` replaces the endings of tables for other outputs; an empty tuple allows every ending.
    """
    name = str(path)
    if name == STANDARD and endings is None:
        return
    if endings is None and not _ending(name):
        raise FileError(f"{name}: unknown file ending; use {_KNOWN}, or - for CSV on standard output.")
    if endings and not name.lower().endswith(endings):
        raise FileError(f"{name}: unknown file ending; use {' or '.join(endings)}.")
    target = Path(name)
    folder = target.parent
    if not folder.is_dir():
        raise FileError(f"{name}: the folder {folder} does not exist; create it first.")
    if not os.access(folder, os.W_OK):
        raise FileError(f"{name}: the folder {folder} cannot be written to; choose another one.")
    if target.is_dir():
        raise FileError(f"{name} is a folder; name a file.")
    if target.exists() and not force:
        raise FileError(f"{name} exists already; use --force (in Python: force=True) to replace it.")


class WholeFile:
    """A binary file that appears under `path` when the block ends well, and leaves nothing behind when it does not."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")

    def __enter__(self) -> BinaryIO:
        try:
            self._file = open(self._temporary, "wb")
        except OSError as error:
            raise FileError(f"{self._path} cannot be written: {error.strerror}.") from None
        return self._file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self._file.closed:
                self._file.close()
            if kind is None:
                os.replace(self._temporary, self._path)
        except OSError as problem:
            raise FileError(f"{self._path} cannot be written: {problem.strerror}.") from None
        finally:
            self._temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, FileError):
            raise FileError(f"{self._path} cannot be written: {error.strerror}.") from None


class TableWriter:
    """Writes a table in blocks to CSV (also `.gz`), TSV or Parquet, or as CSV to standard output.

    with TableWriter("rows.parquet", schema, force=True) as writer:
        writer.write(block)
    """

    def __init__(self, path: str | Path, schema: pa.Schema, *, force: bool = False) -> None:
        check_output(path, force=force)
        self._name = str(path)
        self._schema = schema
        self._whole = None if self._name == STANDARD else WholeFile(path)

    def __enter__(self) -> Self:
        ending = _ending(self._name)
        with ExitStack() as stack:
            file = stack.enter_context(self._whole) if self._whole else sys.stdout.buffer
            if ending == ".parquet":
                self._sink: pq.ParquetWriter | CsvSink = stack.enter_context(pq.ParquetWriter(file, self._schema))
            else:
                if ending.endswith(".gz"):
                    file = stack.enter_context(_gzip(file))
                self._sink = CsvSink(file, self._schema, _TEXT_ENDINGS.get(ending, ","))
            self._open = stack.pop_all()
        return self

    def write(self, table: pa.Table) -> None:
        """Append the rows of `table`, whose schema must be the writer's."""
        self._sink.write(table)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
        if self._whole is None:
            sys.stdout.buffer.flush()


def _gzip(file: BinaryIO) -> BinaryIO:
    """The same rows give the same bytes: neither the time nor the name of the file is written."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename=""))


def write_table(table: pa.Table, path: str | Path, *, force: bool = False) -> None:
    """Write `table` to `path`, whole or not at all; an existing file is replaced only with `force`."""
    with TableWriter(path, table.schema, force=force) as writer:
        writer.write(table)
