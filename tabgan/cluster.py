"""A sample made by many machines: Ray hands out its shards, each of which becomes one Parquet part (extra `ray`).

A row depends on the seed and its number alone, so a shard that is lost with its worker is made again, the same.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabgan.engine import connected, needed_ray
from tabgan.errors import ConfigError, FileError, TabganError
from tabgan.progress import Listener, Progress, time_left
from tabgan.synthesizer import load
from tabgan.tables import TableWriter
from tabgan.tables.folders import WholeFolder, check_folder

PART_ROWS = 1_000_000
"""Rows of a part by default: on one core some ten to ninety seconds of work."""


def sample_dataset(
    model: str | Path,
    n: int,
    folder: str | Path,
    *,
    shards: int | None = None,
    where: Mapping[str, Any] | None = None,
    seed: int | None = None,
    rounds: int | None = None,
    device: str = "auto",
    force: bool = False,
    progress: Listener | None = None,
) -> int:
    """Write `n` rows of the model file `model` to a new `folder` of Parquet parts, by Ray; returns the parts' number.

    The parts together are the rows of `Synthesizer.sample(n)` with the same `where`, `seed` and `rounds`; by default
    they hold a million rows each, or there are `shards` of them. Ray is the one that this process is connected to, else
    that of the environment variable RAY_ADDRESS, else an instance of this machine's cores. A shard whose worker is lost
    is made again. All machines must see the folder under the same path; the model file is sent to them. It appears when
    all of it is there, with an empty file `_SUCCESS`; `force` replaces a folder of Parquet parts.

    A shard takes one core, or with a `device` "cuda" one GPU; "auto" is the CPU here. `progress` is called when a shard
    is done.

    Raises `ConfigError` without Ray, for settings outside their range, conditions that no row fulfils and tables whose
    rows cannot be made in shards, `FileError` for a folder that cannot be written, and `TabganError` with the words of
    a worker that cannot write its part.
    """
    needed_ray()
    shards = -(-n // PART_ROWS) if shards is None else shards
    if n >= 1 > shards:
        raise ConfigError(f"shards is {shards}; use 1 or more.")
    check_folder(folder, force=force)
    device = "cpu" if device == "auto" else device
    asked: dict[str, Any] = {"where": where, "seed": seed, "rounds": rounds}
    # What cannot be made is said here and not by a worker; on the CPU, for this machine may have no GPU.
    synthesizer = load(model, device="cpu")
    synthesizer.sample_tables(n, shard=(1, shards), **asked)
    if where:
        next(synthesizer.sample_tables(1, **asked))
    with WholeFolder(folder, force=force) as hidden, connected():
        part = _Part(Path(model).read_bytes(), str(hidden), n, shards, asked, device)
        done, start = 0, time.monotonic()
        for rows in _results(part, shards, device):
            done += rows
            if progress:
                left = time_left(time.monotonic() - start, done, n - done)
                progress(Progress(stage="sample", step=done, steps=n, seconds_left=left))
    return shards


@dataclass(frozen=True)
class _Part:
    """Makes one shard, wherever it is called, and writes its part. Ray's object store carries it to the workers."""

    model: bytes
    folder: str
    n: int
    shards: int
    asked: Mapping[str, Any]
    device: str

    def __call__(self, row: Mapping[str, int]) -> dict[str, Any]:
        """`row["id"]`: the shard's number, from 0. Returns its `rows`, or an `error` of tabgan in words."""
        try:
            return {"rows": self._write(row["id"] + 1), "error": ""}
        except TabganError as error:
            return {"rows": 0, "error": str(error)}

    def _write(self, shard: int) -> int:
        if not os.path.isdir(self.folder):  # which is there where the command runs
            where = os.path.dirname(self.folder)
            raise FileError(
                f"the machine {platform.node()} does not share {where}; name a folder that all of them see."
            )
        digits = max(5, len(str(self.shards)))
        name = f"part-{shard:0{digits}}-of-{self.shards:0{digits}}.parquet"
        with tempfile.TemporaryDirectory() as unpacked:
            path = Path(unpacked, "model.tabgan")
            path.write_bytes(self.model)
            synthesizer = load(path, device=self.device)
        rows = 0
        # With force: where a worker was lost after it had written the part, the part is there.
        with TableWriter(Path(self.folder, name), synthesizer.arrow_schema, force=True) as writer:
            for table in synthesizer.sample_tables(self.n, shard=(shard, self.shards), **self.asked):
                writer.write(table)
                rows += table.num_rows
        return rows


def _results(part: _Part, shards: int, device: str) -> Iterator[int]:
    """The number of rows of each shard, as they are done."""
    import ray.data

    numbers = ray.data.range(shards, override_num_blocks=shards)
    made = numbers.map(part, num_gpus=1) if device.startswith("cuda") else numbers.map(part, num_cpus=1)
    for result in made.iter_rows():
        if result["error"]:
            raise TabganError(result["error"])
        yield int(result["rows"])
