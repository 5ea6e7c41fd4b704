"""Samples that Ray makes: the parts are the whole, a lost worker changes nothing, and a folder appears whole or not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import tabgan.cluster
from tabgan import ModelConfig, Synthesizer, TrainConfig, load
from tabgan.cluster import sample_dataset
from tabgan.errors import ConfigError, FileError, TabganError
from tabgan.progress import Progress
from tabgan.tables.folders import WholeFolder
from tabgan.training import byray, fit, game

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'tabgan-wgan[ray]'")

# Ray's own: settings of its that it calls old, and processes that it leaves to themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]

ROWS = 60_000


def synthesizer(seed: int = 0, **settings: Any) -> Synthesizer:
    quick = TrainConfig(
        folds=1, warmup_steps=60, evaluate_every=30, game_steps=2, game_evaluate_every=2, critic_head_start=2, rounds=2
    )
    small = ModelConfig(width=64, blocks=1, noise=8, critic_width=64, critic_embedding=4)
    return Synthesizer(seed=seed, device="cpu", model=small, train=quick, **settings)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 6)).round(2), columns=list("abcdef"))
    return frame.assign(kind=rng.choice(["x", "y"], 400), id=range(1, 401))


@pytest.fixture(scope="module")
def prepare() -> Iterator[Callable[[], None]]:
    """What has been done here, and what a worker must do: rounded to bfloat16, products would hide differences between
    one process and several; and the game is played, whatever may be won."""

    def prepare() -> None:
        fit.fastest_precision = lambda device: torch.float32
        game.LEAST_C2ST = 0.0

    precision, least = fit.fastest_precision, game.LEAST_C2ST
    prepare()
    yield prepare
    fit.fastest_precision, game.LEAST_C2ST = precision, least


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame, prepare: object) -> Synthesizer:
    return synthesizer().fit(frame)


@pytest.fixture(scope="module")
def model(fitted: Synthesizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.tabgan"
    fitted.save(path)
    return path


@pytest.fixture(scope="module")
def two_workers() -> Iterator[None]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=2**27,
        log_to_driver=False,
    )
    yield
    ray.shutdown()


def kill_one_writer(folder: Path, killed: list[int], done: threading.Event) -> None:
    """End the process whose half-written part is seen first, as a machine that is taken away would."""
    while not done.wait(0.005):
        for half in folder.parent.glob(f".{folder.name}.*.part/.part-*.part"):
            killed.append(int(half.name.split(".")[-2]))
            os.kill(killed[0], signal.SIGKILL)
            return


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed otherwise here")
@pytest.mark.usefixtures("two_workers")
def test_a_worker_that_is_killed_on_the_way_changes_nothing(model, tmp_path):
    folder, killed, steps, done = tmp_path / "rows", [], [], threading.Event()
    killer = threading.Thread(target=kill_one_writer, args=(folder, killed, done))
    killer.start()
    try:
        parts = sample_dataset(model, ROWS, folder, shards=3, seed=5, progress=lambda at: steps.append(at.step))
    finally:
        done.set()
        killer.join()
    assert len(killed) == 1
    names = [f"part-0000{shard}-of-00003.parquet" for shard in (1, 2, 3)]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["_SUCCESS", *names, "rows"]
    assert parts == len(steps) == 3
    assert steps[-1] == ROWS
    whole = pa.concat_tables(load(model, device="cpu").sample_tables(ROWS, seed=5))
    assert pq.read_table(folder).equals(whole)
    # The same part, made without Ray.
    third = pa.concat_tables(load(model, device="cpu").sample_tables(ROWS, seed=5, shard=(3, 3)))
    assert pq.read_table(folder / names[2]).equals(third)


@pytest.mark.usefixtures("two_workers")
def test_conditions_hold_and_more_parts_than_blocks_are_empty(model, tmp_path):
    where = {"kind": "x", "a": (0, None)}
    sample_dataset(model, 5_000, tmp_path / "rows", shards=4, where=where)
    parts = [pq.read_table(path) for path in sorted((tmp_path / "rows").glob("*.parquet"))]
    assert sorted(part.num_rows for part in parts) == [0, 904, 2_048, 2_048]
    assert pa.concat_tables(parts).equals(pa.concat_tables(load(model, device="cpu").sample_tables(5_000, where=where)))


@pytest.mark.usefixtures("two_workers")
def test_what_a_worker_cannot_write_is_told_in_one_line_and_leaves_nothing(model, tmp_path, monkeypatch):
    class Elsewhere(WholeFolder):
        """A folder that the machines of a cluster do not share."""

        def __enter__(self) -> Path:
            return super().__enter__() / "elsewhere"

    monkeypatch.setattr(tabgan.cluster, "WholeFolder", Elsewhere)
    with pytest.raises(TabganError, match=r"the machine .* does not share .*; name a folder that all of them see\.$"):
        sample_dataset(model, 10, tmp_path / "rows")
    assert list(tmp_path.iterdir()) == []


def test_the_command_starts_an_instance_of_its_own_and_prints_nothing_of_it(model, tmp_path):
    code = "import sys; from tabgan_cli.app import main; sys.exit(main())"
    words = ["sample", str(model), "-n", "700", "-o", "rows", "--engine", "ray", "--shards", "2"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    alone["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
    ran = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, "wrote 700 rows to rows in 2 parts"), ran.stderr
    assert re.fullmatch(r"sample: \d+/700 rows(, \d+ s left)?\n(sample: 700/700 rows\n)?", ran.stderr)
    assert pq.read_table(tmp_path / "rows").num_rows == 700


def refused(model: Path, folder: Path, match: str, n: int = 10, **settings: object) -> None:
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises((ConfigError, FileError), match=match) as caught:
        sample_dataset(model, n, folder, **settings)
    assert "\n" not in str(caught.value)
    assert sorted(folder.parent.rglob("*")) == before
    assert not ray.is_initialized() or ray.cluster_resources()["CPU"] == 2


def test_what_cannot_be_is_refused_before_anything_is_begun(model, tmp_path, monkeypatch):
    refused(model, tmp_path / "rows", "shards is 0; use 1 or more", shards=0)
    refused(model, tmp_path / "rows", "n is 0; ask for 1 row or more", n=0)
    refused(model, tmp_path / "rows", "'kind'", where={"kind": "z"})
    refused(model, tmp_path / "gone" / "rows", "gone does not exist; create it first")
    (tmp_path / "file").touch()
    refused(model, tmp_path / "file", "file is a file; name a folder")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    refused(model, tmp_path / "full", "full exists already; use --force")
    refused(model, tmp_path / "full", "full holds more than Parquet parts: 'thesis.tex'", force=True)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    refused(model, tmp_path / "rows", "no Ray answers at RAY_ADDRESS=127.0.0.1:1; start it, or unset the variable")


def furthest(one: Synthesizer, other: Synthesizer) -> float:
    """The largest difference of two weights of the same place."""
    a, b = one._fitted().tensors(), other._fitted().tensors()
    assert a.keys() == b.keys()
    return max(float((a[name].float() - b[name].float()).abs().max()) for name in a if a[name].numel())


def descendants(name: str) -> list[int]:
    """The processes whose title holds `name` and that this one, or a child of it, has started."""
    parents, titled = {}, []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # those that ended meanwhile
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if name in (entry / "cmdline").read_text():
                titled.append(int(entry.name))

    def is_ours(number: int) -> bool:
        return number == os.getpid() or (number in parents and is_ours(parents[number]))

    return [number for number in titled if is_ours(number)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="workers are found by /proc, which Linux has")
@pytest.mark.usefixtures("two_workers")
def test_a_fit_by_two_workers_of_which_one_is_killed_is_that_of_one_process(
    frame, fitted, prepare, tmp_path, monkeypatch
):
    loop = byray._loop

    def prepared(config: dict[str, Any]) -> None:
        prepare()
        loop(config)

    monkeypatch.setattr(byray, "_loop", prepared)
    for start in (0, 200):
        frame[start : start + 200].to_parquet(tmp_path / f"{start}.parquet")
    told = []

    def listen(progress: Progress) -> None:
        told.append((progress.stage, progress.step))
        if told.count(("warm-up", 1)) == 1 and told[-1] == ("warm-up", 1):
            os.kill(descendants("TrainWorker")[0], signal.SIGKILL)

    found = synthesizer().fit(tmp_path, engine="ray", workers=2, progress=listen)
    assert told.count(("warm-up", 1)) == 2
    assert {stage for stage, _ in told} == {"encode", "warm-up", "game"}
    assert furthest(found, fitted) < 2e-3
    assert furthest(synthesizer(seed=1).fit(frame), fitted) > 0.02
    assert [record["step"] for record in found.history_] == [record["step"] for record in fitted.history_]
    found.save(tmp_path / "m.tabgan")
    assert load(tmp_path / "m.tabgan", device="cpu").sample(5, seed=1).equals(found.sample(5, seed=1))


@pytest.mark.usefixtures("two_workers")
def test_fits_by_ray_that_cannot_be_are_refused(frame, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="workers is 3, and Ray has 2 cores; use 1 to 2"):
        synthesizer().fit(frame, engine="ray", workers=3)
    for settings in ({"checkpoint": tmp_path / "m.part"}, {"resume": True}):
        with pytest.raises(ConfigError, match="a fit by Ray has neither epsilon nor a checkpoint"):
            synthesizer().fit(frame, engine="ray", **settings)
    with pytest.raises(ConfigError, match="a fit by Ray has neither epsilon"):
        synthesizer(epsilon=1.0).fit(frame, engine="ray")
    with pytest.raises(ConfigError, match="engine is 'spark'; use 'ray'"):
        synthesizer().fit(frame, engine="spark")
    with pytest.raises(ConfigError, match="devices are of this machine and workers of Ray"):
        synthesizer(devices=2).fit(frame, engine="ray")
    with pytest.raises(ConfigError, match="workers are those of an engine"):
        synthesizer().fit(frame, workers=2)


def test_without_ray_it_is_said_how_to_get_it(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"needs Ray; install it by pip install 'tabgan-wgan\[ray\]'"):
        sample_dataset(model, 10, tmp_path / "rows")
    with pytest.raises(ConfigError, match="needs Ray"):
        synthesizer().fit("nowhere.csv", engine="ray")


def test_a_folder_of_parts_is_replaced_as_a_whole_and_only_with_force(tmp_path):
    for content in ("old", "new"):
        with WholeFolder(tmp_path / "rows", force=content == "new") as hidden:
            (hidden / f"{content}.parquet").touch()
            (hidden / ".lost.part").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["_SUCCESS", "new.parquet", "rows"]
    with pytest.raises(FileError, match="exists already"):
        WholeFolder(tmp_path / "rows", force=False)


def test_a_folder_whose_writing_fails_stays_as_it_was(tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "old.parquet").touch()
    whole = WholeFolder(tmp_path / "rows", force=True)
    (whole.__enter__() / "new.parquet").touch()
    whole.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["old.parquet", "rows"]
