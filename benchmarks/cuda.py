"""How long does a fit take on a GPU, and where does the time go?

    python benchmarks/cuda.py ../shared/data/adult.csv --fits 3
    PYTHONPATH=OTHER_CHECKOUT python benchmarks/cuda.py ../shared/data/adult.csv --fits 1    # before and after, in turn

Seconds by the clock at the default settings, by stage. In the first fit of a process CUDA and the libraries start up.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from tabgan import Synthesizer
from tabgan.progress import Progress
from tabgan.tables import read_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--fits", type=int, default=1)
    given = parser.parse_args()
    table = read_table(given.table)
    print(torch.__version__, torch.cuda.get_device_name())
    for seed in range(given.fits):
        begun, starts = time.perf_counter(), dict[str, float]()

        def listen(progress: Progress, starts: dict[str, float] = starts) -> None:
            starts.setdefault(progress.stage, time.perf_counter())

        synthesizer = Synthesizer(device="cuda", seed=seed).fit(table, progress=listen)
        torch.cuda.synchronize()
        ends = [*starts.values(), time.perf_counter()]
        stages = [f"{stage} {end - start:.1f}" for (stage, start), end in zip(starts.items(), ends[1:], strict=True)]
        mebibytes = torch.cuda.max_memory_allocated() / 2**20
        print(
            f"fit {ends[-1] - begun:.1f} s ({', '.join(stages)}), {mebibytes:.0f} MiB of the GPU", end=", ", flush=True
        )
        synthesizer.sample(5_000)
        begun = time.perf_counter()
        synthesizer.sample(table.num_rows)
        rate = table.num_rows / (time.perf_counter() - begun)
        print(f"{rate:,.0f} rows a second in {synthesizer.rounds_} rounds", flush=True)


if __name__ == "__main__":
    main()
