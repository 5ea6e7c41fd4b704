from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from tabgan import ModelConfig, Synthesizer, TrainConfig, load
from tabgan.errors import ConfigError, DataError, FileError, ModelFileError, NotFittedError
from tabgan.tables import write_table

QUICK = TrainConfig(
    warmup_steps=60, evaluate_every=30, folds=2, game_steps=10, game_evaluate_every=5, critic_head_start=5, rounds=3
)
CHOOSING = replace(QUICK, rounds=None)
SMALL = ModelConfig(width=32, blocks=1, noise=8, critic_width=32, critic_embedding=4)


def quick(seed: int = 0, train: TrainConfig = QUICK) -> Synthesizer:
    return Synthesizer(seed=seed, device="cpu", model=SMALL, train=train)


def made_frame(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    colour = rng.choice(["red", "green", "blue"], rows, p=[0.6, 0.3, 0.1])
    frame = pd.DataFrame(
        {
            "id": np.arange(rows) + 1,
            "colour": colour,
            "price": np.round(rng.gamma(3, np.where(colour == "red", 2.0, 9.0)), 2),
            "stock": rng.poisson(3, rows),
            "sold": rng.random(rows) < 0.3,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, rows), unit="D"),
        }
    )
    frame.loc[frame.sold, "day"] = pd.NaT
    frame["note"] = None
    frame["shop"] = "north"
    return frame


@pytest.fixture(scope="module")
def fitted() -> Synthesizer:
    return quick().fit(made_frame())


def test_rows_come_back_in_the_kind_order_and_types_they_came_in(fitted):
    frame, made = made_frame(), fitted.sample(50)
    assert isinstance(made, pd.DataFrame)
    assert made.dtypes.to_dict() == frame.dtypes.to_dict()
    assert list(made.columns) == list(frame.columns)
    polars = pl.from_pandas(frame.drop(columns="note"))
    assert quick().fit(polars).sample(5).schema == polars.schema
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    assert quick().fit(arrow).sample(5).schema == arrow.schema


@pytest.mark.parametrize("rows", [1, 2, 511, 512, 513, 40_000])
def test_exactly_as_many_rows_as_asked(fitted, rows):
    assert len(fitted.sample(rows)) == rows


def test_as_many_rows_as_fitted_on_by_default(fitted):
    assert len(fitted.sample()) == 300


def test_values_stay_within_what_was_there(fitted):
    frame, made = made_frame(), fitted.sample(5_000)
    assert set(made.colour) <= set(frame.colour)
    assert made.price.between(frame.price.min(), frame.price.max()).all()
    assert (made.price.round(2) == made.price).all()
    assert made.day.dropna().between(frame.day.min(), frame.day.max()).all()
    assert made.note.isna().all()
    assert (made.shop == "north").all()


def test_keys_are_new_and_unique(fitted):
    made = fitted.sample(40_000)
    assert made.id.is_unique
    assert not set(made.id) & set(made_frame().id)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    paths = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    for path in paths:
        synthesizer = quick(3, CHOOSING).fit(made_frame())
        write_table(pa.concat_tables(synthesizer.sample_tables(2_000, seed=7)), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_small_sample_is_the_start_of_a_large_one_and_seeds_differ(fitted):
    large = fitted.sample(33_000, seed=1)
    pd.testing.assert_frame_equal(fitted.sample(700, seed=1), large.head(700))
    assert not fitted.sample(700, seed=2).equals(large.head(700))


def test_the_callers_threads_are_given_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        quick().fit(made_frame(60)).sample(10)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_saved_model_gives_the_same_rows(fitted, tmp_path):
    fitted.save(tmp_path / "m.tabgan")
    again = load(tmp_path / "m.tabgan", device="cpu")
    pd.testing.assert_frame_equal(again.sample(600, seed=4), fitted.sample(600, seed=4))
    assert again.rounds_ == fitted.rounds_
    assert again.schema == fitted.schema
    assert again.history_ == fitted.history_


def test_a_model_of_a_table_whose_later_column_is_the_smaller_one_is_saved(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"high": rng.gamma(2, 20, 2_000).round(2)})
    frame["low"] = (frame.high * rng.random(2_000)).round(2)
    synthesizer = quick().fit(frame)
    assert [str(fact) for fact in synthesizer.schema.facts] == ["high >= low"]
    synthesizer.save(tmp_path / "m.tabgan")
    made = load(tmp_path / "m.tabgan", device="cpu").sample(500)
    assert (made.high >= made.low).all()


def test_a_saved_model_is_kept_unless_it_may_be_replaced(fitted, tmp_path):
    fitted.save(tmp_path / "m.tabgan")
    with pytest.raises(FileError, match="exists already"):
        fitted.save(tmp_path / "m.tabgan", force=False)


def test_weights_of_another_shape_are_refused(fitted, tmp_path):
    from tabgan.modelfile import Content, read_model, write_model

    fitted.save(tmp_path / "m.tabgan")
    content = read_model(tmp_path / "m.tabgan")
    tensors = content.tensors | {"conditional.bias": torch.zeros(3)}
    write_model(
        tmp_path / "bad.tabgan",
        Content(tensors, content.schema, content.encoders, content.config, content.history),
        force=False,
    )
    with pytest.raises(ModelFileError, match="damaged"):
        load(tmp_path / "bad.tabgan")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"one": ["a", "b"] * 20}),
        pd.DataFrame({"one": [1.5, None] * 20}),
        pd.DataFrame({"same": [1] * 30, "none": [None] * 30}),
        pd.DataFrame({"key": np.arange(100)}),
        pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}),
        pd.DataFrame({"a": ["x", None, "y"], "b": [1.0, None, 3.5]}),
    ],
    ids=["one column", "one number with gaps", "nothing varies", "only a key", "two rows", "three rows"],
)
def test_what_can_be_learned_from_is_learned_from(frame):
    made = quick().fit(frame).sample(20)
    assert len(made) == 20
    assert list(made.columns) == list(frame.columns)


def test_rows_of_nothing_but_keys_are_certain():
    frame = pd.DataFrame({"key": np.arange(100), "same": 1})
    fitted = quick().fit(frame)
    assert fitted.score_samples(frame).tolist() == [0.0] * 100
    pd.testing.assert_frame_equal(fitted.impute(frame), frame)


def test_more_rounds_than_codes_are_as_many_as_codes(fitted):
    assert len(fitted.sample(10, rounds=1_000)) == 10


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s.sample(0), ConfigError, "n is 0"),
        (lambda s: s.sample(-3), ConfigError, "n is -3"),
        (lambda s: s.sample(5, rounds=0), ConfigError, "rounds is 0"),
    ],
)
def test_a_wrong_wish_is_refused_before_the_work(fitted, call, error, message):
    with pytest.raises(error, match=message):
        call(fitted)


def test_bad_settings_and_tables_are_refused():
    with pytest.raises(ConfigError, match="time_limit"):
        Synthesizer(time_limit=0)
    with pytest.raises(ConfigError, match="'gpu' is not to be had"):
        Synthesizer(device="gpu")
    with pytest.raises(ConfigError, match="critic_steps is 0"):
        TrainConfig(critic_steps=0)
    with pytest.raises(NotFittedError, match="call fit or load first"):
        Synthesizer().sample(1)
    with pytest.raises(DataError, match="1 row"):
        quick().fit(pd.DataFrame({"a": [1]}))
    with pytest.raises(FileError, match="no such file"):
        quick().fit("nowhere.csv")


def test_a_time_limit_is_kept():
    import time

    start = time.monotonic()
    patient = TrainConfig(warmup_steps=10**6, warmup_epochs=10**6, game_epochs=10**6, game_steps=10**6)
    Synthesizer(device="cpu", time_limit=6, model=SMALL, train=patient).fit(made_frame())
    assert 3 < time.monotonic() - start < 15  # without the limit it would take hours


def test_progress_names_every_stage():
    seen = []
    frame = made_frame()
    # What a few steps do not learn, so that the game has something to win.
    frame["shelf"] = np.floor(frame.price % 4).astype(str)
    quick(train=CHOOSING).fit(frame, progress=seen.append)
    assert list(dict.fromkeys(event.stage for event in seen)) == [
        "encode",
        "teacher 1",
        "teacher 2",
        "warm-up",
        "game",
        "choose",
    ]
    assert all(0 <= event.step <= event.steps for event in seen)
    assert any(event.held_out is not None for event in seen)


def test_ties_between_columns_are_learned():
    # Twice the price of each colour must come out: a model of shuffled columns has no difference between the colours.
    rng = np.random.default_rng(1)
    colour = rng.choice(["red", "blue"], 2_000)
    frame = pd.DataFrame({"colour": colour, "price": rng.normal(np.where(colour == "red", 10, 20), 2).round(1)})
    train = TrainConfig(warmup_steps=300, evaluate_every=100, folds=1, game_steps=0, rounds=2)
    made = quick(train=train).fit(frame).sample(4_000)
    means = made.groupby("colour").price.mean()
    assert means["red"] == pytest.approx(10, abs=0.7)
    assert means["blue"] == pytest.approx(20, abs=0.7)
    assert made.price.groupby(made.colour).std().max() < 3


def test_weekdays_of_dates_survive():
    days = pd.date_range("2023-01-02", periods=5 * 52, freq="B")  # no weekend
    frame = pd.DataFrame({"day": np.random.default_rng(0).choice(days, 1_500), "x": 1})
    made = quick().fit(frame).sample(2_000)
    assert (made.day.dt.day_of_week < 5).all()
    assert made.day.dt.day_of_week.value_counts(normalize=True).between(0.15, 0.25).all()
