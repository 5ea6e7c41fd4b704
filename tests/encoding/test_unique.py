"""Composite keys: no two rows of a sample are equal in both columns, however many are asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tabgan import ModelConfig, Synthesizer, TrainConfig, load
from tabgan.errors import ConfigError

QUICK = TrainConfig(warmup_steps=20, evaluate_every=20, folds=1, game_steps=0)
SMALL = ModelConfig(width=32, blocks=1, noise=8, critic_width=32, critic_embedding=4)
ORDER_LINE, STORE_DAY = ["order_id", "line"], ["store", "day"]


def fitted(frame: pd.DataFrame) -> Synthesizer:
    return Synthesizer(device="cpu", train=QUICK, model=SMALL).fit(frame)


def order_lines(prefix: str = "") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    sizes = 1 + rng.poisson(1.5, 400)
    order = np.repeat(np.arange(400) + 10_000, sizes)
    return pd.DataFrame(
        {
            "order_id": [f"{prefix}{number}" for number in order] if prefix else order,
            "line": np.concatenate([np.arange(size) + 1 for size in sizes]),
            "price": rng.gamma(2, 10, len(order)).round(2),
        }
    )


def panel() -> pd.DataFrame:
    """Every store on every day."""
    rng = np.random.default_rng(0)
    stores, days = [f"store {letter}" for letter in "ABCDEFGH"], pd.date_range("2024-01-01", periods=150)
    frame = pd.MultiIndex.from_product([stores, days], names=STORE_DAY).to_frame(index=False)
    return frame.assign(sales=rng.gamma(3, 100, len(frame)).round())


@pytest.fixture(scope="module")
def orders() -> Synthesizer:
    return fitted(order_lines())


@pytest.fixture(scope="module")
def stores() -> Synthesizer:
    return fitted(panel())


def test_any_number_of_order_lines_is_unique(orders):
    rows = orders.sample(10_000)
    assert not rows.duplicated(ORDER_LINE).any()
    assert rows["line"].max() <= order_lines()["line"].max()
    assert rows.dtypes.equals(order_lines().dtypes)


def test_new_ids_of_text_look_like_the_real_ones():
    rows = fitted(order_lines("O-")).sample(3_000)
    assert not rows.duplicated(ORDER_LINE).any()
    assert rows["order_id"].str.fullmatch("O-[0-9]{5}").all()


def test_an_order_that_repeats_becomes_another_order_as_a_whole(orders):
    rows = orders.sample(6_000)
    new = rows[rows["order_id"] > order_lines()["order_id"].max()]
    assert new.groupby("order_id").size().max() > 1


def test_a_small_sample_is_the_start_of_a_large_one(orders, stores):
    for synthesizer, rows in ((orders, 5_000), (stores, len(panel()))):
        large = synthesizer.sample(rows)
        for few in (1, 700):
            pd.testing.assert_frame_equal(synthesizer.sample(few), large.head(few))


def test_a_full_grid_comes_out_full(stores):
    rows = stores.sample(len(panel()))
    assert not rows.duplicated(STORE_DAY).any()
    assert set(rows["store"]) == set(panel()["store"])
    assert rows["day"].nunique() == 150


def test_more_rows_than_pairs_are_refused_before_any_is_made(stores):
    with pytest.raises(ConfigError, match="'day' and 'store' are unique together, which leaves 1,200 pairs"):
        stores.sample(1_201)


def test_under_a_condition_as_many_pairs_as_fulfil_it_can_be_had(stores):
    where = {"store": "store C"}
    rows = stores.sample(150, where=where)
    assert set(rows["store"]) == {"store C"}
    assert rows["day"].nunique() == 150
    with pytest.raises(ConfigError, match="only 150 of 151 rows could be made"):
        stores.sample(151, where=where)


def test_a_conditioned_id_is_not_exchanged(orders):
    real = order_lines()
    common = int(real["order_id"].mode()[0])
    rows = orders.sample(2, where={"order_id": common})
    assert set(rows["order_id"]) == {common}
    assert not rows.duplicated(ORDER_LINE).any()


def test_a_saved_model_keeps_its_keys(orders, stores, tmp_path):
    for name, synthesizer, rows in (("orders", orders, 3_000), ("stores", stores, 1_200)):
        synthesizer.save(tmp_path / name)
        pd.testing.assert_frame_equal(load(tmp_path / name, device="cpu").sample(rows), synthesizer.sample(rows))


def test_a_fact_that_is_switched_off_is_not_kept():
    schema = {"facts": [{"kind": "unique", "column": "order_id", "of": ["line"], "keep": False}]}
    rows = Synthesizer(device="cpu", train=QUICK, model=SMALL).fit(order_lines(), schema=schema).sample(5_000)
    assert rows.duplicated(ORDER_LINE).any()
