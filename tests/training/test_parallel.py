"""Processes that train together end where one process with the whole batch ends, and none of them waits for ever."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tabgan.model.copula import in_turn
from tabgan.model.part import Part

pytestmark = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()),
    reason="this torch has no gloo, by which processes on CPUs talk",
)

# Processes that fork from one, since it takes seconds to load torch. Products are made in float32: rounded to bfloat16,
# they would hide smaller differences. No number here is a multiple of another: parts, halves and masks are uneven.
TOGETHER = """
import json, os, signal, sys
os.environ["OMP_NUM_THREADS"] = "1"  # threads that wait for each other spin
from pathlib import Path
import sklearn.ensemble
import torch
import torch.distributed as dist
from safetensors.torch import save_file
import tabgan.training.fit
from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.errors import ProcessError
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.history import History
from tabgan.training.parallel import ALONE, Group

torch.set_num_threads(1)
tabgan.training.fit.fastest_precision = lambda device: torch.float32
folder, size = Path(sys.argv[1]), 2
rng = torch.Generator().manual_seed(0)
a = torch.randint(0, 12, (300, 1), generator=rng)
b = (a + torch.randint(0, 3, (300, 1), generator=rng)).clamp(max=13)
c = torch.randint(1, 4, (300, 1), generator=rng)
codes = torch.cat([a, b, c, torch.where(c > 1, a // 4 + 1, c)], dim=1)
layout = [Code("a", 12, True), Code("b", 14, True), Code("c", 4, False), Code("d", 4, False)]
model = ModelConfig(width=32, blocks=1, noise=8, critic_width=24, critic_embedding=4)
config = TrainConfig(
    batch_rows=19, game_batch_rows=22, warmup_steps=30, evaluate_every=15, game_steps=6, critic_head_start=4, rounds=2
)

def fit(name, group=ALONE):
    history = History(None, None)
    found = tabgan.training.fit.train(codes, layout, {}, model, config, history, Checkpoint(), 0, "cpu", group)
    save_file(found.tensors(), folder / name)
    (folder / f"{name}.json").write_text(json.dumps(history.records))

fit("one")
children = []
for rank in reversed(range(size)):
    if rank and not (child := os.fork()):
        break
    children.append(child)
dist.init_process_group("gloo", store=dist.FileStore(str(folder / "store"), size), rank=rank, world_size=size)
group = Group.joined()
for name in ("two", "again"):
    fit(f"{name}.{rank}", group)
backward, group.backward = group.backward, lambda loss, part, weights, figures: ALONE.backward(
    loss, part, weights, figures)
fit(f"apart.{rank}", group)
group.backward = backward
try:
    if rank:
        Group._sum = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    fit(f"left.{rank}", group)
except ProcessError as error:
    (folder / "said").write_text(str(error))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the processes of `TOGETHER` left."""
    folder = tmp_path_factory.mktemp("together")
    command = [sys.executable, "-c", TOGETHER, str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return folder


def records(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / f"{name}.json").read_text())
    return found


def test_two_processes_learn_what_one_learns_with_the_whole_batch(folder: Path) -> None:
    one, two = load_file(folder / "one"), load_file(folder / "two.0")
    assert any(name.startswith("joint.") for name in one)
    torch.testing.assert_close(two, one, rtol=1e-5, atol=1e-6)
    together = records(folder, "two.0")
    assert {"penalty", "gap", "loss", "critic_gradient", "generator_gradient", "c2st"} <= together[-1].keys()
    for mine, whole in zip(together, records(folder, "one"), strict=True):
        assert mine.pop("stage") == whole.pop("stage")
        assert mine == pytest.approx(whole, rel=1e-3, abs=1e-5)


def test_without_the_sum_of_gradients_they_would_not(folder: Path) -> None:
    one, two, apart = (load_file(folder / name) for name in ("one", "two.0", "apart.0"))
    for stage in ("conditional", "joint"):
        weights = [f"{stage}.blocks.0.inner.weight", f"{stage}.heads.own", f"{stage}.bias"]
        near, far = (max(float((of[name] - one[name]).abs().max()) for name in weights) for of in (two, apart))
        assert far > 1_000 * near


def test_all_processes_hold_the_same_networks_and_the_same_seed_gives_the_same_bytes(folder: Path) -> None:
    whole = (folder / "two.0").read_bytes()
    assert [(folder / name).read_bytes() == whole for name in ("two.1", "again.0", "again.1")] == [True] * 3
    assert records(folder, "two.1") == records(folder, "two.0")


def test_a_process_that_is_killed_ends_the_others_in_one_line(folder: Path) -> None:
    said = (folder / "said").read_text()
    assert said.startswith("a process that trained with this one ended")
    assert "\n" not in said
    assert not list(folder.glob("left.*"))


@pytest.mark.parametrize("step", [1, 2, 3, 16, 20])
@pytest.mark.parametrize("rows", [1, 19, 512])
def test_the_parts_of_a_batch_are_the_batch_and_keep_their_masks(rows: int, step: int) -> None:
    batch, known = torch.arange(rows), torch.arange(16)[:, None]
    masks = in_turn(known, rows)
    parts = [Part(rows, first, step) for first in range(step)]
    assert sorted(torch.cat([part.of(batch) for part in parts]).tolist()) == batch.tolist()
    assert math.isclose(sum(part.share for part in parts), 1)
    for part in parts:
        mine = part.of(batch)
        assert part.before(rows // 2) == int((mine < rows // 2).sum())
        assert torch.equal(in_turn(part.masks(known), len(mine)), part.of(masks))
