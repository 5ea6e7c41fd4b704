"""Processes that train together end where one process with the whole batch ends, and none of them waits for ever."""

from __future__ import annotations

import json
import math
import multiprocessing
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import tabgan.training.checkpoint
import tabgan.training.history
from tabgan import ModelConfig, Synthesizer, TrainConfig, load
from tabgan.errors import ConfigError, ProcessError
from tabgan.model.copula import in_turn
from tabgan.model.part import Part
from tabgan.training.launch import Processes
from tabgan_cli.app import main

pytestmark = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()),
    reason="this torch has no gloo, by which processes on CPUs talk",
)

FRAME = pd.DataFrame({"colour": ["red", "green", "red"] * 100, "price": [i * 7919 % 1000 / 10 for i in range(300)]})
QUICK = TrainConfig(warmup_steps=40, evaluate_every=20, folds=2, game_steps=3, critic_head_start=6, rounds=2)
SMALL = ModelConfig(width=24, blocks=1, noise=4, critic_width=24, critic_embedding=4)

# Processes that fork from one, since it takes seconds to load torch. Products are made in float32: rounded to bfloat16,
# they would hide smaller differences. No number here is a multiple of another: parts, halves and masks are uneven.
TOGETHER = """
import json, os, signal, sys
os.environ["OMP_NUM_THREADS"] = "1"  # threads that wait for each other spin
from pathlib import Path
import pandas as pd
import sklearn.ensemble
import torch, torch._dynamo  # optimizers would load the latter, in each child anew
import torch.distributed as dist
from safetensors.torch import save_file
import tabgan.training.fit
from tabgan import ModelConfig, Synthesizer, TrainConfig
from tabgan.encoding.base import Code
from tabgan.errors import ConfigError, ProcessError
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.history import History
from tabgan.training.parallel import ALONE, Group

torch.set_num_threads(1)
folder, size, port = Path(sys.argv[1]), 2, sys.argv[2]
rng = torch.Generator().manual_seed(0)
a = torch.randint(0, 12, (300, 1), generator=rng)
b = (a + torch.randint(0, 3, (300, 1), generator=rng)).clamp(max=13)
c = torch.randint(1, 4, (300, 1), generator=rng)
codes = torch.cat([a, b, c, torch.where(c > 1, a // 4 + 1, c)], dim=1)
layout = [Code("a", 12, True), Code("b", 14, True), Code("c", 4, False), Code("d", 4, False)]
model = ModelConfig(width=32, blocks=1, noise=8, critic_width=24, critic_embedding=4)
config = TrainConfig(
    batch_rows=19, game_batch_rows=22, warmup_steps=10, evaluate_every=5, folds=2, game_steps=6,
    critic_head_start=4, game_learning_rate=3e-4, rounds=2,
    trunk_learning_rate=1e-3,  # a step is as long where few rows have no gradient but rounding
)

def fit(name, group=ALONE, config=config, seed=0):
    history = History(None, None)
    found = tabgan.training.fit.train(codes, layout, {}, model, config, history, Checkpoint(), seed, "cpu", group)
    save_file(found.tensors(), folder / name)
    (folder / f"{name}.json").write_text(json.dumps(history.records))

precision, tabgan.training.fit.fastest_precision = tabgan.training.fit.fastest_precision, lambda device: torch.float32
fit("one")
rank = 0 if os.fork() else 1

# As torchrun would start them.
tabgan.training.fit.fastest_precision = precision
told = {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
os.environ.update(told)
frame, settings = pd.read_json(folder / "frame.json"), json.loads((folder / "settings.json").read_text())
seen = []
joined = Synthesizer(device="cpu", train=TrainConfig(**settings["train"]), model=ModelConfig(**settings["model"]))
joined.fit(frame, progress=seen.append, checkpoint=folder / "joined.part").save(folder / "joined.tabgan", force=False)
(folder / f"seen.{rank}").write_text(str(len(seen)))
(folder / f"rows.{rank}").write_text(joined.sample(50).to_csv())
for name in told:
    del os.environ[name]

tabgan.training.fit.fastest_precision = lambda device: torch.float32
dist.init_process_group("gloo", store=dist.FileStore(str(folder / "store"), size), rank=rank, world_size=size)
group = Group.joined()
for name in ("two", "again"):
    fit(f"{name}.{rank}", group)
together, group.together = group.together, ALONE.together
fit(f"apart.{rank}", group)
group.together = together
for name, wrong in (("seeds", {"seed": rank}), ("rows", {"config": TrainConfig(batch_rows=1)})):
    try:
        fit("none", group, **wrong)
    except ConfigError as error:
        (folder / f"{name}.{rank}").write_text(str(error))
try:
    if rank:
        Group._sum = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    fit(f"left.{rank}", group)
except ProcessError as error:
    (folder / "said").write_text(str(error))
dist.destroy_process_group()  # as a fit does: threads of gloo that are left at the end of a process may abort it
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the processes of `TOGETHER` left."""
    folder = tmp_path_factory.mktemp("together")
    FRAME.to_json(folder / "frame.json")
    (folder / "settings.json").write_text(json.dumps({"train": asdict(QUICK), "model": asdict(SMALL)}))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [sys.executable, "-c", TOGETHER, str(folder), str(port)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
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
    game = [record for record in together if record["stage"] == "game"]
    assert {"penalty", "gap", "loss", "critic_gradient", "generator_gradient", "c2st"} <= game[-1].keys()
    for mine, whole in zip(together, records(folder, "one"), strict=True):
        assert mine.pop("stage") == whole.pop("stage")
        # The loss is a small difference of larger terms, and rounding shows in it most.
        loss = {name: record.pop("loss", 0.0) for name, record in (("mine", mine), ("whole", whole))}
        assert loss["mine"] == pytest.approx(loss["whole"], abs=5e-5)
        assert mine == pytest.approx(whole, rel=1e-4, abs=1e-5)


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


def test_processes_that_cannot_train_together_are_all_told(folder: Path) -> None:
    for rank in (0, 1):
        said = (folder / f"seeds.{rank}").read_text()
        assert said.startswith("1 of the 2 processes have another table, seed or settings than the first; give all the")
        said = (folder / f"rows.{rank}").read_text()
        assert said == "devices is 2, and of this table a batch has 1 row(s); use fewer devices."
    assert not (folder / "none").exists()


def test_of_torchruns_processes_the_first_alone_writes_and_tells_and_all_sample(folder: Path) -> None:
    assert int((folder / "seen.0").read_text()) > 3
    assert (folder / "seen.1").read_text() == "0"
    assert (folder / "rows.0").read_text() == (folder / "rows.1").read_text()
    made = load(folder / "joined.tabgan", device="cpu").sample(50)
    assert set(made.colour) <= {"red", "green"}
    assert not (folder / "joined.part").exists()


def test_a_fit_whose_helper_is_killed_ends_in_one_line_and_goes_on_to_the_same_bytes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabgan.training.checkpoint, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(tabgan.training.history, "REPORT_SECONDS", 0.0)

    def kill(progress: Any) -> None:
        if progress.stage == "warm-up" and progress.step == 25:
            multiprocessing.active_children()[0].kill()

    fits = Synthesizer(device="cpu", devices=2, model=SMALL, train=QUICK)
    frame, part = pd.read_json(folder / "frame.json"), tmp_path / "m.part"
    with pytest.raises(ProcessError, match=r"^process 2 of 2 was killed \(SIGKILL\), .*so the fit ends\.$"):
        fits.fit(frame, checkpoint=part, progress=kill)
    assert not multiprocessing.active_children()
    fits.fit(frame, checkpoint=part, resume=True).save(tmp_path / "m.tabgan")
    assert not multiprocessing.active_children()
    assert (tmp_path / "m.tabgan").read_bytes() == (folder / "joined.tabgan").read_bytes()


def test_the_command_fits_in_two_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    model, made = tmp_path / "m.tabgan", tmp_path / "made.csv"
    fit = ["fit", str(tmp_path / "t.csv"), "-o", str(model), "--devices", "2", "--device", "cpu", "--time-limit", "2s"]
    assert main([*fit, "--quiet"]) == 0
    assert main(["sample", str(model), "-n", "20", "-o", str(made), "--quiet"]) == 0
    assert len(made.read_text().splitlines()) == 21
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"devices": 0}, "devices is 0; use 1 or more"),
        ({"devices": 2, "device": "cpu", "epsilon": 3.0}, "under epsilon works in one process"),
    ],
)
def test_devices_that_cannot_be_are_refused_before_the_work(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Synthesizer(**settings)


@pytest.mark.parametrize(("device", "says"), [("mps", "use cpu, or cuda without a number"), ("cuda:1", "'cuda:1'")])
def test_devices_of_one_kind_only_work_together(device: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Processes.planned(2, device)


def test_more_cuda_devices_than_there_are_are_refused() -> None:
    count = torch.cuda.device_count()
    with pytest.raises(ConfigError, match=f"devices is {count + 2}, and there are {count} CUDA devices here"):
        Processes.planned(count + 2, "cuda")


def test_what_torchrun_started_is_joined_unless_one_process_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "3"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(name, value)
    joined = Processes.planned(None, "cpu")
    assert joined == Processes.planned(3, "cpu") == Processes(3, True, "cpu")
    assert not joined.is_first
    assert Processes.planned(1, "cpu") == Processes(1, False, "cpu")
    with pytest.raises(ConfigError, match="devices is 2, and torchrun has started 3 processes; leave out devices"):
        Processes.planned(2, "cpu")


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_two_gpus_learn_together(tmp_path: Path) -> None:
    fitted = Synthesizer(device="cuda", devices=2, model=SMALL, train=QUICK).fit(FRAME)
    assert len(fitted.sample(20)) == 20


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
