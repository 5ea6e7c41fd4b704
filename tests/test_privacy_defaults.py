"""What is one person's alone does not come out with the default settings."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan import Synthesizer, TrainConfig

ROWS = 1_500
BILLION = 9_876_543_210.123
QUICK = TrainConfig(warmup_steps=60, folds=2, game_steps=0, rounds=2)


def people() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    income = np.exp(rng.normal(10, 1, ROWS))
    income[3] = BILLION
    return pd.DataFrame(
        {
            "id": [f"P{i * 7919 % 100_000:05d}" for i in range(ROWS)],
            "mail": [f"kim.{i}@firm{i % 7}.org" for i in range(ROWS)],
            "income": income,
            "weight": rng.normal(70, 10, ROWS),
            "born": pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 2_000_000_000, ROWS), unit="s"),
            "job": rng.choice(list("abc"), ROWS),
        }
    )


@pytest.fixture(scope="module")
def fitted() -> Synthesizer:
    return Synthesizer(device="cpu", train=QUICK).fit(people())


@pytest.mark.parametrize("column", ["id", "mail", "income", "weight", "born"])
def test_no_value_of_one_person_comes_out(fitted: Synthesizer, column: str) -> None:
    assert people()[column].is_unique
    made = fitted.sample(20_000)[column]
    assert made.nunique() > 1_000
    assert not made.isin(set(people()[column])).any()


def test_the_model_file_holds_no_key_and_no_mail(fitted: Synthesizer, tmp_path: Path) -> None:
    fitted.save(tmp_path / "m.tabgan")
    with zipfile.ZipFile(tmp_path / "m.tabgan") as archive:
        text = "".join(archive.read(name).decode("latin-1") for name in archive.namelist())
    assert "income" in text
    assert not [each for each in [*people()["id"], *people()["mail"], "kim.", "firm3"] if each in text]
