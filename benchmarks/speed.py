"""Ours and others in pairs: CPU seconds of fit and sample, peak memory, one after the other in one run.

    python benchmarks/speed.py ../shared/data/adult.csv --rows 1_000_000
    python benchmarks/speed.py ../shared/data/adult.csv --peer tabularargn=/path/to/its/python --pairs 3

A peer is run by the Python of its own environment; `PEERS` says how each is asked. All run on one thread. Every pair
is one fit and one sample of ours and of each peer, so that what else the machine does falls on all; the table shows
medians, and the ratio of each peer to ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FRAME = """
import json, resource, sys, time
data, rows, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
{load}
before = spent()
{fit}
fitted, between = spent() - before, spent()
{sample}
print(json.dumps({{"fit": fitted, "sample": spent() - between,
                  "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""

PEERS = {
    "tabgan": {
        "load": "from tabgan import Synthesizer\nfrom tabgan.tables import TableWriter",
        "fit": "model = Synthesizer(device='cpu').fit(data)",
        "sample": "with TableWriter(folder + '/rows.parquet', model.arrow_schema, force=True) as out:\n"
        "    for table in model.sample_tables(rows): out.write(table)",
    },
    "tabularargn": {
        "load": "import pandas as pd\nfrom mostlyai import engine\ntable = pd.read_csv(data)",
        "fit": "engine.split(tgt_data=table, workspace_dir=folder, model_type='TABULAR')\n"
        "engine.analyze(workspace_dir=folder)\nengine.encode(workspace_dir=folder)\nengine.train(workspace_dir=folder)",
        "sample": "engine.generate(workspace_dir=folder, sample_size=rows)",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--rows", type=int, default=100_000, help="rows to sample")
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help=f"one of {', '.join(PEERS)}")
    arguments = parser.parse_args()
    pythons = {"tabgan": sys.executable} | dict(peer.split("=", 1) for peer in arguments.peer)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    for pair in range(arguments.pairs):
        for name, python in pythons.items():
            found[name].append(measured(name, python, arguments.table.resolve(), arguments.rows))
            print(f"pair {pair + 1}: {name} {found[name][-1]}", file=sys.stderr, flush=True)
    print("| | fit, CPU s | rows a CPU second | memory, MiB |\n| --- | ---: | ---: | ---: |")
    ours = summary(found["tabgan"], arguments.rows)
    for name, runs in found.items():
        figures = summary(runs, arguments.rows)
        ratios = "" if name == "tabgan" else f" ({figures[0] / ours[0]:.2f}x, {figures[1] / ours[1]:.2f}x)"
        print(f"| {name}{ratios} | {figures[0]:.0f} | {figures[1]:,.0f} | {figures[2]:,.0f} |")


def measured(name: str, python: str, table: Path, rows: int) -> dict[str, float]:
    """Fit and sample once in a process of its own."""
    clean = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-W", "ignore", "-c", FRAME.format(**PEERS[name]), str(table), str(rows), folder]
        ran = subprocess.run(command, env=clean, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{name} failed:\n{ran.stderr[-2_000:]}")
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


def summary(runs: list[dict[str, float]], rows: int) -> tuple[float, float, float]:
    """The medians of the seconds of a fit, of the rows a second, and of the memory."""
    fit, sample, memory = (statistics.median(run[figure] for run in runs) for figure in ("fit", "sample", "memory"))
    return fit, rows / sample, memory


if __name__ == "__main__":
    main()
