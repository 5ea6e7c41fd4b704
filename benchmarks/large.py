"""A large table to fit: a folder of Parquet parts, or a CSV, of 12 columns.

    python benchmarks/large.py benchmarks/out/large 10_000_000        # Parquet parts of a million rows
    python benchmarks/large.py benchmarks/out/large.csv 2_000_000
    /usr/bin/time -v tabgan fit benchmarks/out/large -o large.tabgan --time-limit 15m    # "Maximum resident set size"

`--mail` adds 100,000 different e-mail addresses and a key.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

PART_ROWS = 1_000_000
CITIES = [f"city {i}" for i in range(5_000)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("rows", type=int)
    parser.add_argument("--mail", action="store_true")
    arguments = parser.parse_args()
    starts = range(0, arguments.rows, PART_ROWS)
    parts = (part(start, min(PART_ROWS, arguments.rows - start), mail=arguments.mail) for start in starts)
    if arguments.out.suffix == ".csv":
        first = next(parts)
        with pacsv.CSVWriter(arguments.out, first.schema) as writer:
            writer.write(first)
            for table in parts:
                writer.write(table)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    for i, table in enumerate(parts):
        pq.write_table(table, arguments.out / f"part-{i:03d}.parquet")


def part(start: int, rows: int, *, mail: bool) -> pa.Table:
    """`rows` rows from number `start` on."""
    rng = np.random.default_rng(start)
    city = (rng.random(rows) ** 3 * len(CITIES)).astype(np.int64)
    price = rng.lognormal(3, 0.8, rows).round(2)
    items = rng.poisson(2, rows) + 1
    day = np.datetime64("2022-01-01") + rng.integers(0, 700, rows)
    columns = {
        "order": np.arange(start, start + rows),
        "city": pa.array(CITIES).take(pa.array(city)),
        "region": pa.array([f"region {i}" for i in range(50)]).take(pa.array(city % 50)),
        "items": items,
        "price": price,
        "total": (price * items).round(2),
        "discount": pa.array(rng.choice([0.0, 0.0, 0.1, 0.25], rows), mask=rng.random(rows) < 0.1),
        "ordered": pa.array(day.astype("datetime64[D]")),
        "shipped": pa.array((day + rng.poisson(3, rows)).astype("datetime64[D]")),
        "seconds": rng.exponential(90, rows),
        "returned": rng.random(rows) < 0.05 + 0.1 * (price > 40),
        "product": rng.integers(0, 300, rows) % (1 + city % 300),
    }
    if mail:
        columns["mail"] = pa.array([f"user{i}@mail.org" for i in rng.integers(0, 100_000, rows)])
        columns["receipt"] = pa.array([f"R{i:09d}" for i in range(start, start + rows)])
    return pa.table(columns)


if __name__ == "__main__":
    main()
