"""A fit that was interrupted goes on to the same end, and a checkpoint that does not fit is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

import tabgan.training.checkpoint
import tabgan.training.game
from tabgan import ModelConfig, Synthesizer, TrainConfig
from tabgan.errors import ConfigError, FileError
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.history import History

FRAME = pd.DataFrame({"colour": ["red", "green", "red"] * 100, "price": [i * 7919 % 1000 / 10 for i in range(300)]})
QUICK = TrainConfig(
    warmup_steps=40, evaluate_every=10, folds=2, game_steps=3, game_evaluate_every=3, critic_head_start=6
)
SMALL = ModelConfig(width=24, blocks=1, noise=4, critic_width=24, critic_embedding=4)

# In one process that forks, since it takes seconds to load torch. A child kills itself at its n-th sign of life.
KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
import sklearn.ensemble
import torch, torch._dynamo  # optimizers would load the latter, in each child anew
import tabgan.training.checkpoint, tabgan.training.game, tabgan.training.history
from tabgan import ModelConfig, Synthesizer, TrainConfig

tabgan.training.checkpoint.EVERY_SECONDS = tabgan.training.history.REPORT_SECONDS = 0.0
tabgan.training.game.LEAST_C2ST = 0.0  # it is played, whatever may be won
torch.set_num_threads(1)
folder = Path(sys.argv[1])
frame = pd.read_json(folder / "frame.json")
train = TrainConfig(
    warmup_steps=40, evaluate_every=10, folds=2, game_steps=3, game_evaluate_every=3, critic_head_start=6
)
model = ModelConfig(width=24, blocks=1, noise=4, critic_width=24, critic_embedding=4)

def fit(name, kill_at=None):
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = []
    def listen(progress):
        seen.append(progress.stage)
        if len(seen) == kill_at:
            print(progress.stage, progress.step, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    synthesizer = Synthesizer(device="cpu", train=train, model=model)
    synthesizer.fit(frame, progress=listen, checkpoint=folder / f"{name}.part", resume=True).save(folder / name)
    os._exit(0)

assert fit("whole") == 0
for moment in sys.argv[2:]:
    assert fit("killed", int(moment)) == -signal.SIGKILL
assert fit("killed") == 0
"""


def test_a_fit_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    FRAME.to_json(tmp_path / "frame.json")
    moments = [8, 42, 44, 30, 12, 6, 6]
    command = [sys.executable, "-c", KILLED, str(tmp_path), *map(str, moments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    # Between looks at held-out rows of each warm-up, in the critic's head start, in the game, in the choice of rounds.
    assert ran.stdout.splitlines() == [
        "teacher 1 6",
        "teacher 2 5",
        "warm-up 6",
        "warm-up 33",
        "game 0",
        "game 2",
        "choose 1",
    ]
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "whole").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frame.json", "killed", "whole"]


class Killed(Exception):
    """Stands for whatever ends a fit."""


def quick(seed: int = 0, train: TrainConfig = QUICK) -> Synthesizer:
    return Synthesizer(seed=seed, device="cpu", model=SMALL, train=train)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a fit that came to an end in the game."""
    path = tmp_path_factory.mktemp("kept") / "m.part"

    def end(progress: object) -> None:
        if progress.stage == "game" and progress.step:  # type: ignore[attr-defined]
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tabgan.training.checkpoint, "EVERY_SECONDS", 0.0)
        patch.setattr(tabgan.training.game, "LEAST_C2ST", 0.0)
        with pytest.raises(Killed):
            quick().fit(FRAME, checkpoint=path, progress=end)
    return path


@pytest.fixture
def part(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(kept, tmp_path))


def test_it_is_refused_for_other_settings_seeds_and_tables(part: Path) -> None:
    content = part.read_bytes()
    for other, frame, says in (
        (quick(seed=1), FRAME, "was made with seed 0, and this fit has 1"),
        (quick(train=TrainConfig(warmup_steps=41)), FRAME, "was made with warmup_steps 40, and this fit has 41"),
        (quick(), FRAME.assign(price=FRAME.price + 1), "was made from another table or schema"),
        (quick(), FRAME.iloc[::-1], "was made from another table or schema"),
    ):
        with pytest.raises(ConfigError, match=says) as caught:
            other.fit(frame, checkpoint=part, resume=True)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="another table or schema"):
        quick().fit(FRAME, schema={"columns": {"price": "category"}}, checkpoint=part, resume=True)
    assert part.read_bytes() == content


def test_it_is_kept_unless_the_fit_goes_on_or_it_may_be_replaced(part: Path) -> None:
    with pytest.raises(FileError, match="holds a fit that was interrupted; go on with it by --resume"):
        quick().fit(FRAME, checkpoint=part)
    fitted = quick().fit(FRAME, checkpoint=part, resume=True)
    assert part.exists()
    fitted.save(part.with_name("m.tabgan"))
    assert not part.exists()


def test_a_damaged_one_is_refused(part: Path) -> None:
    content = part.read_bytes()
    for damaged in (b"", content[:1000], content[: len(content) // 2], b"\xff" * 100, b"PK\x03\x04"):
        part.write_bytes(damaged)
        with pytest.raises(FileError, match="is no checkpoint of a fit, or it is damaged") as caught:
            quick().fit(FRAME, checkpoint=part, resume=True)
        assert "\n" not in str(caught.value)


def test_a_table_that_is_gone_leaves_it_as_it_was(part: Path) -> None:
    content = part.read_bytes()
    with pytest.raises(FileError, match=r"gone\.csv: no such file"):
        quick().fit(part.with_name("gone.csv"), checkpoint=part, resume=True)
    assert part.read_bytes() == content


def test_a_folder_that_vanishes_is_told_and_the_fit_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabgan.training.checkpoint, "EVERY_SECONDS", 0.0)
    (tmp_path / "gone").mkdir()

    def vanish(progress: object) -> None:
        shutil.rmtree(tmp_path / "gone", ignore_errors=True)

    with pytest.warns(UserWarning, match=r"m\.part cannot be written: No such file or directory\. The fit goes on"):
        fitted = quick().fit(FRAME, checkpoint=tmp_path / "gone" / "m.part", progress=vanish)
    assert len(fitted.sample(10)) == 10


def test_a_folder_that_is_not_there_is_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist; create it first"):
        quick().fit("nowhere.csv", checkpoint=tmp_path / "no" / "m.part")


def test_the_time_that_was_spent_counts_for_a_time_limit(part: Path) -> None:
    history = History(None, time_limit=100.0)
    content = Checkpoint(part, history, resume=True)
    assert content.state("game") is not None
    assert 0 < history.elapsed < 50
    history.go_on(history.records, 1_000.0)
    assert history.spent > 1
    # What is learned by now can be had: no step is left.
    limited = Synthesizer(device="cpu", model=SMALL, train=QUICK, time_limit=0.001).fit(
        FRAME, checkpoint=part, resume=True
    )
    assert "game" in {each["stage"] for each in limited.history_}
    assert not [each for each in limited.history_ if each["stage"] == "choose"]
    assert len(limited.sample(10)) == 10


def test_tensors_and_keys_of_any_kind_come_back(tmp_path: Path) -> None:
    state = {"weights": [torch.arange(3.0), torch.tensor(True)], "by place": {0: {"step": torch.tensor(2.0)}, 5: None}}
    kept = Checkpoint(tmp_path / "m.part", made_for={"seed": 1})
    kept.finish("first", {"best": torch.ones(2, 2).T[:1], "loss": float("inf")})
    kept._kept = -1e9  # long ago
    kept.keep("second", lambda: state)
    back = Checkpoint(tmp_path / "m.part", History(None, None), {"seed": 1}, resume=True)
    assert back.state("first") is None
    result, found = back.result("first"), back.state("second")
    assert result is not None
    assert result["best"].tolist() == [[1.0, 1.0]]
    assert result["loss"] == float("inf")
    assert found is not None
    assert found["weights"][0].tolist() == [0.0, 1.0, 2.0]
    assert found["weights"][1].dtype == torch.bool
    assert found["by place"][0]["step"].item() == 2.0
    assert found["by place"][5] is None
    assert json.dumps(list(found["by place"])) == "[0, 5]"
