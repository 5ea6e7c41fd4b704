"""The same seed gives the same bytes, whatever threads, blocks and company; nobody else's chance is touched."""

from __future__ import annotations

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import threadpoolctl
import torch

import tabgan.stream
import tabgan.tables.files
from tabgan import ModelConfig, Synthesizer, TrainConfig, evaluate, load
from tabgan.errors import ConfigError
from tabgan.sampling.sampler import UNIT_ROWS

STORED = Path(__file__).parent / "fixtures" / "format2.tabgan"
QUICK = TrainConfig(
    warmup_steps=30, evaluate_every=15, folds=2, game_steps=2, game_evaluate_every=2, critic_head_start=2, rounds=2
)
SMALL = ModelConfig(width=64, blocks=1, noise=8, critic_width=64, critic_embedding=4)


def frame(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)) @ rng.normal(size=(4, 4))
    made = pd.DataFrame(x.round(3), columns=list("abcd")).assign(kind=rng.choice(["x", "y", "z"], rows))
    made.loc[rng.random(rows) < 0.2, "a"] = np.nan
    return made


def fitted(data: object, path: Path) -> bytes:
    Synthesizer(device="cpu", model=SMALL, train=QUICK).fit(data).save(path)
    return path.read_bytes()


def test_the_number_of_threads_does_not_change_the_model_or_its_rows(tmp_path: Path) -> None:
    before, found = torch.get_num_threads(), []
    for threads in (1, 4):
        try:
            torch.set_num_threads(threads)
            with threadpoolctl.threadpool_limits(threads):
                content = fitted(frame(), tmp_path / "m.tabgan")
                rows = load(tmp_path / "m.tabgan", device="cpu").sample(2_000).to_csv()
                assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
        found.append((content, rows))
    assert found[0] == found[1]


def test_the_blocks_in_which_a_file_is_read_do_not_change_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame().to_parquet(tmp_path / "t.parquet", index=False)
    whole = fitted(tmp_path / "t.parquet", tmp_path / "m.tabgan")
    monkeypatch.setattr(tabgan.tables.files, "BLOCK_ROWS", 97)
    assert fitted(tmp_path / "t.parquet", tmp_path / "m.tabgan") == whole


def test_the_callers_random_state_is_not_touched(tmp_path: Path) -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - it is the caller's state that is looked at
    torch.manual_seed(1)

    def states() -> list[object]:
        name, keys, *rest = np.random.get_state()  # noqa: NPY002
        return [random.getstate(), name, keys.tolist(), rest, torch.get_rng_state().tolist()]  # type: ignore[union-attr]

    before = states()
    table = frame(300)
    synthesizer = Synthesizer(device="cpu", model=SMALL, train=QUICK).fit(table)
    made = synthesizer.sample(50)
    synthesizer.sample(20, where={"kind": "x", "b": (0, None)})
    synthesizer.sample(given=table[["a"]].head())
    synthesizer.impute(table)
    synthesizer.score_samples(table)
    synthesizer.predict_proba(table, "kind")
    evaluate(table, made, holdout=table.head(50), target="kind").to_html(tmp_path / "r.html")
    load(STORED, device="cpu").sample(50)  # with people made up
    assert states() == before


def test_a_model_used_from_ten_threads_gives_what_one_gives() -> None:
    before = torch.get_num_threads()
    model = load(STORED, device="cpu")
    table = model.sample(60)

    def work(seed: int) -> list[object]:
        rows = pa.concat_tables(model.sample_tables(1_500, seed=seed))
        fit_to = pa.concat_tables(model.sample_tables(100, seed=seed, where={"size": "L", "price": (5, 20)}))
        return [rows, fit_to, model.impute(table, seed=seed).to_csv(), model.score_samples(table).tolist()]

    alone = [work(seed) for seed in range(10)]
    with ThreadPoolExecutor(10) as pool:
        together = list(pool.map(work, range(10)))
    assert together == alone
    assert torch.get_num_threads() == before


TEN = """
import os, sys
import torch, pandas, sklearn, tabgan.synthesizer
from tabgan_cli.app import main

torch.set_num_threads(1)
model, folder = sys.argv[1:]
children = []
for i in range(10):
    if not (child := os.fork()):
        os._exit(main(["sample", model, "-n", "3000", "-o", f"{folder}/{i}.csv", "--seed", "5", "--quiet"]))
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 10
"""


def test_ten_samples_of_one_file_at_once_are_the_same(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", TEN, STORED, tmp_path], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{i}.csv" for i in range(10)]


@pytest.mark.parametrize("where", [{}, {"kind": "x", "b": (0, None)}])
def test_shards_are_the_parts_of_the_whole_sample(where: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabgan.stream, "SLAB_ROWS", 1_024)  # several of them
    synthesizer = Synthesizer(device="cpu", model=SMALL, train=QUICK).fit(frame().assign(id=range(1_000, 1_400)))
    whole = pa.concat_tables(synthesizer.sample_tables(5_000, where=where))
    for shards in (1, 3, 16):
        parts = [
            pa.concat_tables(synthesizer.sample_tables(5_000, where=where, shard=(shard, shards)))
            for shard in range(1, shards + 1)
        ]
        assert max(part.num_rows for part in parts) - min(part.num_rows for part in parts) <= UNIT_ROWS
        assert pa.concat_tables(parts).equals(whole)
    assert whole["id"].to_pylist() == list(range(1_400, 6_400))


def test_shards_that_cannot_be_are_refused() -> None:
    synthesizer = Synthesizer(device="cpu", model=SMALL, train=QUICK).fit(frame())
    with pytest.raises(ConfigError, match="shard 4 of 3 is none; the first of 3 is 1"):
        synthesizer.sample_tables(10, shard=(4, 3))
    with pytest.raises(ConfigError, match="in shards with --balance: there a row depends on those before it"):
        synthesizer.sample_tables(10, balance="kind", shard=(1, 3))
