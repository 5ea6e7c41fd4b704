"""A folder of Parquet parts as an output: it appears whole or not at all, as `files.py` does it for a file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType

from tabgan.errors import FileError, some_of
from tabgan.tables.files import check_place, exists_already, hidden_beside

DONE = "_SUCCESS"
"""The empty file that Hadoop, Spark and what waits for them take for the end of a folder's writing."""


def check_folder(path: str | Path, *, force: bool) -> None:
    """Raise `FileError` where a folder of parts could not be written to `path`: before the slow part, not after it.

    With `force` a folder may be replaced that holds Parquet parts and nothing else.
    """
    target = Path(path).absolute()
    check_place(path, target.parent)
    if target.exists() and not target.is_dir():
        raise FileError(f"{path} is a file; name a folder.")
    held = sorted(os.listdir(target)) if target.exists() else []
    if held and not force:
        raise exists_already(path)
    odd = [name for name in held if name != DONE and not name.endswith(".parquet")]
    if odd:
        raise FileError(f"{path} holds more than Parquet parts: {some_of(odd)}. Name another folder.")


class WholeFolder:
    """A folder that appears under `path` when the block ends well, and leaves nothing behind when it does not.

    The block gets the path of a hidden folder beside it, to write into.
    """

    def __init__(self, path: str | Path, *, force: bool) -> None:
        """Raises as `check_folder`."""
        check_folder(path, force=force)
        self._path = Path(path).absolute()
        self._temporary = hidden_beside(self._path)

    def __enter__(self) -> Path:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir()
        return self._temporary

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._appear()
        except OSError as problem:
            raise FileError(f"{self._path} cannot be written: {problem.strerror}.") from None
        finally:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _appear(self) -> None:
        for left in self._temporary.glob(".*"):  # of writers that were lost on the way
            left.unlink()
        (self._temporary / DONE).touch()
        before = self._temporary.with_suffix(".before")
        if self._path.exists():
            self._path.rename(before)
        self._temporary.rename(self._path)
        shutil.rmtree(before, ignore_errors=True)
