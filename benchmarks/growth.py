"""How do time, memory and quality of a fit grow with rows, columns and labels?

    python benchmarks/growth.py --log growth.jsonl --plot docs/growth.png        # all, hours on one core
    python benchmarks/growth.py --log growth.jsonl --axis columns                # one axis
    python benchmarks/growth.py --log growth.jsonl --plot docs/growth.png --table   # what the log has

Each fit is one at the default settings on one thread in a process of its own, from a Parquet file; memory is the most
that the process held. Rows of the table are tied by four hidden causes; one column has `labels` labels, of which the
k-th is drawn in proportion to 1 / (k + 10). Quality is that of 10,000 made rows beside 10,000 real ones (at most), and
that of as many other real rows.
A run that the log has is not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
ROWS, COLUMNS, LABELS = 100_000, 10, 100
AXES = {
    "rows": [(rows, COLUMNS, LABELS) for rows in (10_000, 100_000, 1_000_000, 10_000_000)],
    "columns": [(20_000, columns, LABELS) for columns in (10, 50, 200, 1_000)],
    "labels": [(1_000_000, COLUMNS, labels) for labels in (100, 1_000, 10_000, 100_000, 1_000_000)],
}
JUDGED, OTHER = 10_000, 1_000_000
"""Rows that are judged, and the seed of other real ones, which no table holds."""
BLOCK = 1_000_000


def made(rows: int, columns: int, labels: int, seed: int) -> pa.Table:
    """Numbers, categories and dates in turn, tied by hidden causes, and a column of many labels."""
    rng = np.random.default_rng([7, seed])
    causes = rng.normal(size=(rows, 4))
    found: dict[str, object] = {}
    shares = 1 / (np.arange(labels) + 10)
    ranks = np.searchsorted(np.cumsum(shares) / shares.sum(), rng.random(rows)).clip(max=labels - 1)
    found["label"] = pa.array(np.char.add("v", ranks.astype(str))).dictionary_encode().cast(pa.string())
    causes[:, 0] += (ranks % 7 - 3) / 2
    for i in range(columns - 1):
        value = causes[:, i % 4] + rng.normal(size=rows)
        if i % 3 == 0:
            found[f"number {i}"] = np.round(value * 100, 2)
        elif i % 3 == 1:
            kinds = np.array([f"kind {k}" for k in range(5 + i % 11)])
            found[f"category {i}"] = kinds[((value + 3) / 6 * len(kinds)).astype(int).clip(0, len(kinds) - 1)]
        else:
            found[f"date {i}"] = np.datetime64("2020-01-01") + (value * 200).astype(int)
    return pa.table(found)


def measured(rows: int, columns: int, labels: int) -> dict[str, float]:
    """Make the table, fit it in another process, and judge it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with pq.ParquetWriter(folder / "table.parquet", made(10, columns, labels, 0).schema) as out:
            for block, first in enumerate(range(0, rows, BLOCK)):
                out.write_table(made(min(BLOCK, rows - first), columns, labels, block))
        clean = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            [sys.executable, __file__, "--fit", name, str(labels)],
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            sys.exit(ran.stderr[-2_000:])
        figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return {"rows": rows, "columns": columns, "labels": labels, **figures}


def fit(folder: Path, labels: int) -> None:
    """Fit the table of a folder, and print how it went."""
    from tabgan import Synthesizer

    begun = time.perf_counter()
    model = Synthesizer(device="cpu").fit(folder / "table.parquet")
    fitted, cpu = time.perf_counter() - begun, time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    begun = time.process_time()
    synthetic = model.sample(JUDGED)
    sampled = JUDGED / (time.process_time() - begun)
    real = pq.ParquetFile(folder / "table.parquet").read_row_group(0).slice(0, JUDGED)
    other = made(JUDGED, real.num_columns, labels, OTHER)
    print(
        json.dumps(
            {"seconds": fitted, "cpu": cpu, "GiB": memory, "rows a second": sampled}
            | judged(real, synthetic)
            | {f"real {name}": score for name, score in judged(real, other).items()}
        )
    )


def judged(real: pa.Table, synthetic: object) -> dict[str, float]:
    """Shape and C2ST, which is slow, over at most 200 columns."""
    from tabgan import evaluate
    from tabgan.tables import to_arrow

    some = real.column_names[:200]
    scores = evaluate(real.select(some), to_arrow(synthetic)[0].select(some)).scores
    return {"shape": scores["shape"], "c2st": scores["c2st_auc"]}


def show(records: list[dict[str, float]], plot: Path | None) -> None:
    """Print the table of each axis; draw them."""
    drawn = []
    for axis, points in AXES.items():
        found = {(record["rows"], record["columns"], record["labels"]): record for record in records}
        print(f"\n| {axis} | fit, CPU s | memory, GiB | rows a CPU second | Shape (real) | C2ST (real) |")
        print("|" + " ---: |" * 6)
        for point in points:
            if (record := found.get(point)) is None:
                continue
            print(
                f"| {record[axis]:,} | {record['cpu']:.0f} | {record['GiB']:.2f} | {record['rows a second']:,.0f} | "
                f"{record['shape']:.3f} ({record['real shape']:.3f}) | "
                f"{record['c2st']:.3f} ({record['real c2st']:.3f}) |"
            )
            drawn += [
                {"axis": axis, "size": record[axis], "figure": figure, "value": record[name]}
                for figure, name in (("CPU seconds of the fit", "cpu"), ("GiB at most", "GiB"))
            ]
    if plot is not None:
        import altair as alt

        chart = alt.Chart(alt.Data(values=drawn), width=220, height=150).mark_line(point=True)
        log = alt.Scale(type="log")
        chart.encode(
            x=alt.X("size:Q", scale=log, title=None, axis=alt.Axis(format="~s", tickCount=5)),
            y=alt.Y("value:Q", scale=log, title=None),
        ).facet(
            column=alt.Column("axis:N", title=None, sort=list(AXES)), row=alt.Row("figure:N", title=None)
        ).resolve_scale(x="independent").save(plot)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, help="where a line for each run goes")
    parser.add_argument("--axis", choices=AXES, action="append", help="by default all")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--table", action="store_true", help="show what the log has, and run nothing")
    parser.add_argument("--fit", nargs=2, help=argparse.SUPPRESS)  # the folder of one table, and its labels
    given = parser.parse_args()
    if given.fit is not None:
        fit(Path(given.fit[0]), int(given.fit[1]))
        return
    log = given.log or Path("growth.jsonl")
    records = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = {(record["rows"], record["columns"], record["labels"]) for record in records}
    for point in dict.fromkeys(point for axis in given.axis or AXES for point in AXES[axis]):
        if point in known or given.table:
            continue
        records.append(measured(*point))
        print(records[-1], file=sys.stderr, flush=True)
        with log.open("a") as out:
            out.write(json.dumps(records[-1]) + "\n")
    show(records, given.plot)


if __name__ == "__main__":
    main()
