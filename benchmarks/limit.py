"""How near is sampling to what the processor could do? On one core:

    tabgan fit ../shared/data/adult.csv -o adult.tabgan && python benchmarks/limit.py adult.tabgan

The products of the trunk and of the heads are what cannot be left out. Their multiply-adds a row, divided by how many
the core makes a second in products of just these shapes, are a time that no program around them can go below.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from tabgan import load
from tabgan.device import fastest_precision
from tabgan.sampling.sampler import UNIT_ROWS

ROWS = 65_536


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds, the least of five."""
    found = []
    for _ in range(5):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def products_a_second(width: int, precision: torch.dtype) -> float:
    """Multiply-adds a second of the trunk's product."""
    rows = UNIT_ROWS
    x, weight = torch.randn(rows, width).to(precision), torch.randn(width, width).to(precision)
    return 200 * rows * width**2 / seconds(lambda: [torch.nn.functional.linear(x, weight) for _ in range(200)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    model = load(parser.parse_args().model, device="cpu")
    torch.set_num_threads(1)
    networks, config, precision = model._fitted(), model.model_config, fastest_precision("cpu")
    total = networks.conditional.layout.total
    # In the first round there is one row for all.
    trunk = (networks.rounds - 1) * config.blocks * 2 * config.width**2
    speed = products_a_second(config.width, precision)
    least = (trunk + total * config.width) / speed
    with torch.inference_mode():
        codes = seconds(lambda: list(networks.sampler(networks.rounds).blocks(ROWS, networks.rounds, seed=0))) / ROWS
    rows = seconds(lambda: list(model.sample_tables(ROWS, seed=0))) / ROWS
    print(
        f"{networks.rounds} rounds; multiply-adds a row: {trunk:,} in the trunk, {total * config.width:,} in the heads"
    )
    print(f"{speed / 1e9:,.0f} thousand million multiply-adds a second ({precision}): {1 / least:,.0f} rows a second")
    print(f"codes: {1 / codes:,.0f} rows a second, {least / codes:.0%} of the limit; as a table: {1 / rows:,.0f}")


if __name__ == "__main__":
    main()
