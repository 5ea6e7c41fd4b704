"""What a table has that tools often lose: rare labels, spikes, tails, narrow ties, the calendar, very many ids.

The bounds are wide for chance and narrow for a lost mechanism: each test names one that it fails without.
"""

import numpy as np
import pandas as pd
import pytest

from tabgan import ModelConfig, Synthesizer, TrainConfig

ROWS = 15_000
SMALL = ModelConfig(width=64, blocks=2)
SHORT = TrainConfig(warmup_steps=300, game_steps=0)


def shop_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rare = np.repeat([f"rare {i}" for i in range(60)], 5)  # 5 of 15,000 rows each: 10 of 30,000
    town = np.concatenate([rare, rng.choice(["Ulm", "Bonn", "Hof"], ROWS - len(rare), p=[0.6, 0.3, 0.1])])
    spent = np.where(rng.random(ROWS) < 0.4, 0, rng.lognormal(3, 1.5, ROWS).round(2))
    width = rng.normal(100, 15, ROWS).round(1)
    day = rng.choice(
        365, ROWS, p=np.tile([3, 3, 3, 3, 4, 1, 0], 53)[:365] / np.tile([3, 3, 3, 3, 4, 1, 0], 53)[:365].sum()
    )
    hour = np.clip(rng.normal(13, 2.5, ROWS), 8, 19.99)
    frame = pd.DataFrame(
        {
            "town": rng.permutation(town),
            "spent": spent,
            "width": width,
            "length": (2 * width + rng.normal(0, 2, ROWS)).round(1),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(day * 86_400 + (hour * 3_600).astype(int), unit="s"),
            "price": rng.choice(np.arange(1, 400), ROWS) - 0.01,
        }
    )
    frame.loc[rng.random(ROWS) < 0.1, "width"] = np.nan
    return frame


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return shop_frame()


@pytest.fixture(scope="module")
def made(real) -> pd.DataFrame:
    rows: pd.DataFrame = Synthesizer(device="cpu", model=SMALL, train=SHORT).fit(real).sample(30_000)
    return rows


def test_nine_of_ten_labels_that_are_due_ten_times_appear(made, real):
    rare = {town for town in real.town if town.startswith("rare")}
    assert len(rare & set(made.town)) >= 0.9 * len(rare)
    assert made.town.str.startswith("rare").mean() == pytest.approx(0.02, abs=0.006)


def test_spikes_stay_spikes(made, real):
    assert (made.spent == 0).mean() == pytest.approx((real.spent == 0).mean(), abs=0.02)
    assert ((made.price + 0.01) % 1).round(6).isin([0, 1]).all()  # shared values within bins


@pytest.mark.parametrize(("quantile", "ratio"), [(0.001, 1.7), (0.01, 1.15), (0.99, 1.15), (0.999, 1.7)])
def test_tails_keep_their_quantiles(made, real, quantile, ratio):
    expected = real.spent[real.spent > 0].quantile(quantile)
    found = made.spent[made.spent > 0].quantile(quantile)
    assert expected / ratio < found < expected * ratio  # with one bin for a tail, eight times


def test_closely_related_numbers_stay_close(made, real):
    def residual(frame: pd.DataFrame) -> float:
        return float((frame.length - 2 * frame.width).std())

    assert residual(made) < 1.6 * residual(real)  # without the copula it is four times as wide


def test_the_calendar_is_kept(made, real):
    for part in ("day_of_week", "hour", "month"):
        expected = getattr(real.when.dt, part).value_counts(normalize=True)
        found = getattr(made.when.dt, part).value_counts(normalize=True)
        assert expected.sub(found, fill_value=0).abs().sum() / 2 < 0.05  # without a code for the weekday 0.2
    assert not (made.when.dt.day_of_week == 6).any()
    assert real.when.min() <= made.when.min() < made.when.max() <= real.when.max()


def test_no_number_of_one_row_is_copied_but_where_numbers_are_rounded(made, real):
    once = real.spent.value_counts()
    once = once[once == 1].index
    long = [value for value in once if value > 500]  # so far out that hardly a rounded number is met by chance
    assert made.spent.isin(long).sum() <= 2 + 0.02 * len(long)


def test_very_many_ids_keep_their_frequency_curve_and_need_no_wide_code():
    rng = np.random.default_rng(0)
    ids = rng.zipf(1.3, 60_000) % 20_000
    frame = pd.DataFrame({"user id": ids, "sort": np.where(ids < 10, "known", "new")})
    synthesizer = Synthesizer(device="cpu", model=SMALL, train=SHORT).fit(frame)
    assert max(code.cardinality for code in synthesizer._encoder.codes) < 300
    rows = synthesizer.sample(60_000)
    assert set(rows["user id"]) <= set(ids)

    def curve(values: pd.Series) -> np.ndarray:
        shares = values.value_counts(normalize=True).cumsum().to_numpy()
        return shares[[0, 9, 99, 999]]

    np.testing.assert_allclose(curve(rows["user id"]), curve(frame["user id"]), atol=0.05)
    due = (1 - np.exp(-frame["user id"].value_counts())).sum()  # an id of one row appears in 63 % of samples
    assert rows["user id"].nunique() == pytest.approx(due, rel=0.1)
    assert (rows.sort == np.where(rows["user id"] < 10, "known", "new")).mean() > 0.99


def test_a_small_table_is_not_learned_by_heart():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(3, 8))
    numbers = rng.normal(size=(800, 3)) @ mixing + 0.5 * rng.normal(size=(800, 8))
    train, holdout = (pd.DataFrame(part, columns=list("abcdefgh")).round(3) for part in (numbers[:400], numbers[400:]))
    made = Synthesizer(device="cpu", train=TrainConfig(folds=2, game_steps=0, rounds=8)).fit(train).sample(2_000)

    def nearest(frame: pd.DataFrame) -> np.ndarray:
        spread = train.std().to_numpy()
        differences = (made.to_numpy()[:, None, :] - frame.to_numpy()[None]) / spread
        return np.abs(differences).sum(axis=2).min(axis=1)

    closer = (nearest(train) < nearest(holdout)).mean()
    assert 0.42 < closer < 0.58  # 400 rows learned by heart: above 0.9
    assert len(made.merge(train)) == 0
    assert np.abs(made.corr() - train.corr()).max(axis=None) < 0.15
