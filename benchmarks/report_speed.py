"""How long does a report take, in how much memory, and how fast does its page open?

    python benchmarks/report_speed.py adult      # 32,561 rows x 15 columns of ../shared/data, against as many
    python benchmarks/report_speed.py million    # 1,000,000 rows x 20 columns, against as many
    python benchmarks/report_speed.py page       # pages of 50 and of 200 columns, opened in headless Chromium

The synthetic table is the real one with a tenth of its cells from other rows. Memory is that of the process that
compares.
"""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tabgan import evaluate
from tabgan.report import Report
from tabgan.tables import read_table

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", "--dump-dom"]
WATCH = """<script>addEventListener("load", () => {
  const height = document.body.offsetHeight;  // waits until the page is laid out
  document.body.textContent = `${height} pixels high after ${performance.now().toFixed(0)} ms`;
})</script></body>"""


def made(rows: int, columns: int, seed: int) -> pa.Table:
    """Numbers, labels and dates in turn, tied by a few hidden causes."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(rows, 4))
    found: dict[str, object] = {}
    for i in range(columns):
        value = causes[:, i % 4] + rng.normal(size=rows)
        if i % 5 in (0, 1):
            found[f"number {i}"] = np.round(value * 100, 2)
        elif i % 5 in (2, 3):
            labels = np.array([f"label {k} of column {i}" for k in range(5 + i)])
            found[f"category {i}"] = labels[np.clip((value + 2) / 4 * len(labels), 0, len(labels) - 1).astype(int)]
        else:
            found[f"date {i}"] = np.datetime64("2020-01-01") + (value * 200).astype(int)
    return pa.table(found)


def altered(table: pa.Table, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = []
    for column in table.columns:
        at = np.arange(table.num_rows)
        swapped = rng.random(table.num_rows) < 0.1
        at[swapped] = rng.permutation(at)[swapped]
        columns.append(column.take(pa.array(at)))
    return pa.table(columns, names=table.column_names)


def timed(real: Path, synthetic: Path, target: str | None) -> Report:
    begun = last = time.perf_counter()
    stage = ""

    def tell(progress: object) -> None:
        nonlocal last, stage
        now = time.perf_counter()
        if stage:
            print(f"  {stage}: {now - last:.1f} s", flush=True)
        last, stage = now, getattr(progress, "stage", "")

    report = evaluate(real, synthetic, target=target, progress=tell)
    print(f"  {stage} and the rest: {time.perf_counter() - last:.1f} s")
    compared = time.perf_counter()
    page = report.to_html()
    whole = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"compared in {compared - begun:.1f} s, page of {len(page.encode()) / 1e6:.2f} MB in {whole - compared:.1f} s, "
        f"{peak:.2f} GiB at most; figures from {dict(report.looked_at)} rows of each table"
    )
    return report


def open_in_chromium(page: Path) -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        return "no Chromium here"
    watched = page.with_name("watched.html")
    html = page.read_text(encoding="utf-8")
    html = re.sub("script-src '[^']*'", "script-src 'unsafe-inline'", html).replace("</body>", WATCH)
    watched.write_text(html, encoding="utf-8")
    ran = subprocess.run(
        [browser, *OPTIONS, watched.as_uri()],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"\d+ pixels high after \d+ ms", ran.stdout)
    return found.group() if found else "nothing measured"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["adult", "million", "page", "tables"])
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)  # of "tables": where the tables go
    given = parser.parse_args()
    if given.what == "tables":
        table = made(1_000_000, 20, seed=0)
        pq.write_table(table, given.folder / "real.parquet")
        pq.write_table(altered(table, seed=1), given.folder / "synthetic.parquet")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.what == "million":  # made by another process, so that its memory does not count
            subprocess.run([sys.executable, __file__, "tables", name], check=True)
            timed(folder / "real.parquet", folder / "synthetic.parquet", None)
        elif given.what == "adult":
            pq.write_table(altered(read_table(DATA / "adult.csv"), seed=1), folder / "synthetic.parquet")
            timed(DATA / "adult.csv", folder / "synthetic.parquet", "income")
        else:
            for columns in (50, 200):
                table = made(1_000, columns, seed=0)
                page = folder / "report.html"
                evaluate(table, altered(table, seed=1)).to_html(page)
                print(f"{columns} columns: {page.stat().st_size / 1e6:.2f} MB, {open_in_chromium(page)}", flush=True)


if __name__ == "__main__":
    main()
