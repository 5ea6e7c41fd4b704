"""How much faster several processes fit: the stages' seconds with each number of devices, in turn, and their ratios.

By the clock and, for machines that have other work, by the CPU seconds of the first process, which waits without them.

python benchmarks/devices.py adult.csv --device cpu --devices 1 2 --repeats 3
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from tabgan import Synthesizer, TrainConfig
from tabgan.progress import Progress

STAGES = ("warm-up", "game")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-rows", type=int, default=TrainConfig.batch_rows)
    parser.add_argument("--warmup-steps", type=int, default=200)
    parser.add_argument("--game-steps", type=int, default=40)
    arguments = parser.parse_args()
    frame = pd.read_csv(arguments.table)
    train = TrainConfig(
        batch_rows=arguments.batch_rows,
        game_batch_rows=arguments.batch_rows,
        warmup_steps=arguments.warmup_steps,
        evaluate_every=arguments.warmup_steps,
        game_steps=arguments.game_steps,
        critic_head_start=0,
        rounds=2,
    )
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    for _ in range(arguments.repeats):
        for devices in arguments.devices:
            for stage, seconds in stages(frame, train, arguments.device, devices).items():
                found.setdefault((stage, devices), []).append(seconds)
    for (stage, devices), seconds in sorted(found.items(), reverse=True):
        ratios = np.divide(found[stage, arguments.devices[0]], seconds)
        middle, low, high = np.median(ratios, axis=0), ratios.min(axis=0), ratios.max(axis=0)
        said = [f"{name} {middle[i]:.2f} ({low[i]:.2f} to {high[i]:.2f})" for i, name in enumerate(("wall", "CPU"))]
        print(
            f"{stage}, {devices} device(s): {' s, '.join(f'{s:.1f}' for s in np.median(seconds, axis=0))} s; as fast as"
        )
        print(f"  {arguments.devices[0]} device(s), times: {', '.join(said)}")


def stages(frame: pd.DataFrame, train: TrainConfig, device: str, devices: int) -> dict[str, np.ndarray]:
    """The seconds from the first to the last report of each stage, `(2,)`: by the clock, and of this process's CPU."""
    times: dict[str, list[tuple[float, float]]] = {stage: [] for stage in STAGES}

    def listen(progress: Progress) -> None:
        if progress.stage in times:
            times[progress.stage].append((time.monotonic(), time.process_time()))

    Synthesizer(device=device, devices=devices, train=train).fit(frame, progress=listen)
    return {stage: np.subtract(seen[-1], seen[0]) for stage, seen in times.items()}


if __name__ == "__main__":
    main()
