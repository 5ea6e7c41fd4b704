"""Files in and out. Output appears whole or not at all: it is written under a temporary name and renamed at the end."""

from __future__ import annotations

import glob
import gzip
import io
import os
import platform
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from tabgan.errors import DataError, FileError, check_names, meant, some_of
from tabgan.tables.csv import CsvFile
from tabgan.tables.csvsink import CsvSink

STANDARD = "-"
"""The path that stands for CSV on standard input or output."""

_DELIMITERS = {".csv": None, ".tsv": "\t"}
_ENDINGS = [text + packed for text in _DELIMITERS for packed in (".gz", ".zst", "")] + [".parquet"]
_KNOWN = ".csv, .tsv (also .gz or .zst) or .parquet"

BLOCK_ROWS = 131_072
"""Rows that are read together."""
PACKED_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class Source:
    """A table that is read as often as asked, a block of rows after the other."""

    schema: pa.Schema
    rows: int
    tables: Callable[[], Iterator[pa.Table]]

    def whole(self) -> pa.Table:
        """All rows."""
        return pa.concat_tables([self.schema.empty_table(), *self.tables()])

    @classmethod
    def of(cls, table: pa.Table) -> Source:
        """A table in memory."""
        starts = range(0, table.num_rows, BLOCK_ROWS)
        return cls(table.schema, table.num_rows, lambda: (table.slice(start, BLOCK_ROWS) for start in starts))


def read_table(path: str | Path) -> pa.Table:
    """All rows of the file at `path`, as `open_table` takes it.

    Raises as that does.
    """
    return open_table(path).whole()


def open_table(path: str | Path) -> Source:
    """A CSV or TSV (also `.gz` or `.zst`), a Parquet file, a folder or glob of Parquet parts, or `-`: CSV on stdin.

    Raises `FileError` for what cannot be read and `DataError` for a table without rows.
    """
    name = str(path)
    if name == STANDARD:
        return _checked(_standard_input(), "standard input")
    ending = _ending(name)
    is_folder, is_glob = os.path.isdir(name), glob.has_magic(name) and not os.path.exists(name)
    if is_folder or is_glob:
        parts = sorted(glob.glob(os.path.join(name, "**/*.parquet") if is_folder else name, recursive=True))
        if not parts:
            raise FileError(f"{name}: no .parquet file there; check the path.")
        source = _open_parquet(parts, name, base=name if is_folder else None)
    elif not os.path.exists(name):
        raise not_there(name)
    elif ending == ".parquet":
        source = _open_parquet([name], name)
    elif ending:
        source = _open_csv(lambda: _open(name), name, _delimiter(ending))
    else:
        raise FileError(f"{name}: unknown file ending; use {_KNOWN}.")
    return _checked(source, name)


def not_there(path: str | Path) -> FileError:
    """The error for a file that does not exist, with the file beside it whose name is nearest."""
    beside = glob.glob("*", root_dir=os.path.dirname(path) or ".")
    return FileError(f"{path}: no such file{meant(os.path.basename(path), beside, '; check the path.')}")


def _ending(name: str) -> str:
    """The ending that says what is in a file; "" where it is none that we know."""
    lower = name.lower()
    return next((end for end in _ENDINGS if lower.endswith(end)), "")


def _delimiter(ending: str) -> str | None:
    """What the ending of a text file says of its delimiter: a tab, or nothing."""
    return _DELIMITERS.get(ending.removesuffix(".gz").removesuffix(".zst"))


def _standard_input() -> Source:
    """CSV on standard input, copied to a file of its own: it is read more than once."""
    with tempfile.TemporaryFile() as copied:
        shutil.copyfileobj(sys.stdin.buffer, copied)
        copied.flush()
        kept = os.dup(copied.fileno())  # open as long as the process

    def from_start() -> BinaryIO:
        os.lseek(kept, 0, os.SEEK_SET)
        return open(os.dup(kept), "rb")

    return _open_csv(from_start, "standard input", None)


def _open(name: str) -> BinaryIO:
    """A file without its packing."""
    try:
        if name.lower().endswith(".gz"):
            return cast(BinaryIO, gzip.open(name, "rb"))
        if name.lower().endswith(".zst"):
            return cast(BinaryIO, _Unpacked(name))
        return open(name, "rb")
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or 'damaged file'}.") from None


class _Unpacked(io.RawIOBase):
    """A `.zst` file without its packing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._file = pa.input_stream(name, compression="zstd")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Only from the start, as far as a header may lie behind it."""
        self._file.close()
        self._file = pa.input_stream(self._name, compression="zstd")
        return len(self._file.read(offset))

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(None if size < 0 else size)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _open_csv(open_: Callable[[], BinaryIO], name: str, delimiter: str | None) -> Source:
    with _readable(name):
        file = CsvFile(open_, name, delimiter)

    def tables() -> Iterator[pa.Table]:
        with _readable(name):
            yield from file.tables()

    return Source(file.schema, file.rows, tables)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """What goes wrong inside is told as an error of the file `name`."""
    try:
        yield
    except FileError:
        raise
    except (*PACKED_ERRORS, pa.ArrowException):
        raise FileError(f"{name} is cut off or damaged; copy it again.") from None
    except OSError as error:
        if error.strerror is None:
            raise FileError(f"{name} is cut off or damaged; copy it again.") from None
        raise FileError(f"{name} cannot be read: {error.strerror}.") from None


def _open_parquet(parts: list[str], name: str, base: str | None = None) -> Source:
    """The rows of all `parts`; in the folder `base`, names such as `year=2024` are a column of their own."""
    with _whole_parquet(name):
        first = set(pq.read_schema(parts[0]).names)
        odd = [os.path.basename(part) for part in parts if set(pq.read_schema(part).names) != first]
        if odd:
            raise DataError(
                f"{name}: other columns in {some_of(odd)} than in {os.path.basename(parts[0])!r}; make them alike."
            )
        one = len(parts) == 1 and base is None
        schema = pq.ParquetFile(parts[0]).schema_arrow if one else None
        # Of names that occur twice a dataset is none, and an error comes later that says so.
        if schema is not None and len(set(schema.names)) < len(schema.names):
            return Source(schema, 0, lambda: iter(()))
        data = ds.dataset(parts, format="parquet", partitioning=None if one else "hive", partition_base_dir=base or "")

    def tables() -> Iterator[pa.Table]:
        with _whole_parquet(name):
            for batch in data.scanner(batch_size=BLOCK_ROWS, batch_readahead=2, fragment_readahead=1).to_batches():
                yield pa.Table.from_batches([batch], schema=data.schema)

    return Source(schema or data.schema, data.count_rows(), tables)


@contextmanager
def _whole_parquet(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileError):
            raise
        permission = isinstance(error, PermissionError)
        why = "no permission to read it" if permission else "not a whole Parquet file; write or copy it again"
        raise FileError(f"{name}: {why}.") from None


def _checked(source: Source, name: str) -> Source:
    names = source.schema.names
    check_names(names, name)
    if not names:
        raise DataError(f"{name} has no columns.")
    if source.rows == 0:
        raise DataError(f"{name} has a header but no rows; at least one row is needed.")
    return source


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
    check_place(name, target.parent)
    if target.is_dir():
        raise FileError(f"{name} is a folder; name a file.")
    if target.exists() and not force:
        raise exists_already(name)


def check_place(name: str | Path, folder: Path) -> None:
    """Raise `FileError` where the output `name` could not be written to `folder`."""
    if not folder.is_dir():
        raise FileError(f"{name}: the folder {folder} does not exist; create it first.")
    if not os.access(folder, os.W_OK):
        raise FileError(f"{name}: the folder {folder} cannot be written to; choose another one.")


def exists_already(name: str | Path) -> FileError:
    """The error for an output that may not be replaced."""
    return FileError(f"{name} exists already; use --force (in Python: force=True) to replace it.")


def hidden_beside(path: Path) -> Path:
    """Where an output is while it is written. Nobody else's: on a shared disk processes of two machines may have one
    number."""
    return path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.part")


class WholeFile:
    """A binary file that appears under `path` when the block ends well, and leaves nothing behind when it does not."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._temporary = hidden_beside(self._path)

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
    """Writes a table in blocks to CSV or TSV (also `.gz` or `.zst`) or Parquet, or as CSV to standard output.

    with TableWriter("rows.parquet", schema, force=True) as writer:
        writer.write(block)
    """

    def __init__(
        self, path: str | Path, schema: pa.Schema, *, force: bool = False, escape_formulas: bool = False
    ) -> None:
        """`escape_formulas`: as in `CsvSink`; Parquet holds texts as they are."""
        check_output(path, force=force)
        self._escape_formulas = escape_formulas
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
                elif ending.endswith(".zst"):
                    file = stack.enter_context(pa.CompressedOutputStream(file, "zstd"))
                self._sink = CsvSink(file, self._schema, _delimiter(ending), escape_formulas=self._escape_formulas)
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


def write_table(table: pa.Table, path: str | Path, *, force: bool = False, escape_formulas: bool = False) -> None:
    """Write `table` to `path`, whole or not at all; an existing file is replaced only with `force`.

    `escape_formulas`: as in `TableWriter`."""
    with TableWriter(path, table.schema, force=force, escape_formulas=escape_formulas) as writer:
        writer.write(table)
