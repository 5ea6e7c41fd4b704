"""Rows under conditions: every row fulfils them, and the rest is distributed as in real rows that do."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabgan import ModelConfig, Synthesizer, TrainConfig
from tabgan.conditions import NOT_NULL, Where, parse
from tabgan.errors import ConfigError, SchemaError

ROWS = 4_000
RNG = np.random.default_rng(12)


def orders() -> pd.DataFrame:
    """Products that fix a department, prices by product, a promo that is often missing, a date, many ids, a sum."""
    product = RNG.integers(0, 12, ROWS)
    price = (RNG.gamma(4, 2, ROWS) * (1 + product)).round(2)
    fee = RNG.choice([0.0, 2.5, 5.0], ROWS)
    promo = np.array(["none", "ten", "half"], dtype=object)[RNG.integers(0, 3, ROWS)]
    promo[RNG.random(ROWS) < 0.4] = None
    frame = pd.DataFrame(
        {
            "order": np.arange(ROWS) + 10_000,
            "product": [f"p{i}" for i in product],
            "department": [f"d{i % 3}" for i in product],
            "price": price,
            "fee": fee,
            "total": (price + fee).round(2),
            "items": RNG.poisson(2, ROWS) + 1,
            "promo": promo,
            "paid": RNG.random(ROWS) < 0.3 + 0.05 * (product > 5),
            "day": pd.Series(pd.to_datetime("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, ROWS), unit="D")),
            "delivered": pd.to_datetime("2024-01-01"),
            "customer": RNG.integers(0, 1_300, ROWS).astype(str),
            "score": pd.array(np.where(RNG.random(ROWS) < 0.2, None, RNG.integers(0, 100, ROWS)), dtype="Int64"),
        }
    )
    frame["delivered"] = frame["day"] + pd.to_timedelta(RNG.poisson(6, ROWS), unit="D")
    return frame


REAL = orders()


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    schema = {"columns": {"customer": {"kind": "category"}}}
    train, model = TrainConfig(warmup_steps=500, game_steps=0, rounds=8), ModelConfig(width=128, blocks=2)
    return Synthesizer(seed=0, train=train, model=model).fit(REAL, schema=schema)


DATES = ("day", "delivered")
CONDITIONS = {
    "one label": {"product": "p3"},
    "labels": {"product": ["p3", "p4"]},
    "what fixes another": {"department": "d1"},
    "both that go together": {"product": "p4", "department": "d1"},
    "missing": {"promo": None},
    "two missing": {"promo": None, "score": None},
    "missing or a label": {"promo": [None, "half"]},
    "not missing": {"promo": NOT_NULL, "score": NOT_NULL},
    "a range": {"price": (10, 20)},
    "a narrow range": {"price": (10.0, 10.05)},
    "half a range": {"price": (None, 5), "items": (4, None)},
    "whole numbers": {"items": (2, 3)},
    "one number": {"items": 2, "score": 50},
    "numbers": {"score": [1, 50, 99]},
    "dates": {"day": (dt.date(2024, 2, 5), dt.date(2024, 2, 7))},
    "a date": {"day": "2024-03-01"},
    "half a range of dates": {"day": ("2024-10-01", None)},
    "truth": {"paid": True},
    "one of many ids": {"customer": "17"},
    "many": {"product": ["p1", "p2", "p9"], "price": (5, 40), "promo": [None, "ten"], "paid": False, "items": (1, 3)},
    "what follows from others": {"total": (10, 30)},
    "one value of what follows from others": {"total": 17.35},
    "a rare end of what follows from others": {"total": (150, None)},
    "values of what follows from others": {"total": [12.34, 45.67], "fee": 2.5, "product": "p5"},
    "a date that follows from another": {"delivered": "2024-05-17", "product": "p2"},
    "dates that follow from each other": {"day": ("2024-05-01", "2024-05-10"), "delivered": ("2024-05-20", None)},
    "excluded": {"product": Where(excluded=("p1", "p2")), "items": Where(excluded=(1,))},
    "open ends": {"items": Where(low=1, low_open=True, high=4, high_open=True)},
}


def fulfils(rows: pd.DataFrame, wishes: dict) -> pd.Series:
    """Written anew, by pandas."""
    ok = pd.Series(True, index=rows.index)
    for name, wish in wishes.items():
        cells = rows[name]
        if isinstance(wish, Where):
            here = cells.notna()
            here &= ~cells.isin(list(wish.excluded))
            if wish.low is not None:
                here &= cells > wish.low
            if wish.high is not None:
                here &= cells < wish.high
        elif wish is None:
            here = cells.isna()
        elif isinstance(wish, tuple):
            low, high = (pd.Timestamp(end) if name in DATES and end is not None else end for end in wish)
            here = cells.notna()
            here &= (cells >= low) if low is not None else True
            here &= (cells <= high) if high is not None else True
        elif isinstance(wish, list):
            here = cells.isin([each for each in wish if each is not None]) | (cells.isna() if None in wish else False)
        else:
            here = cells == (pd.Timestamp(wish) if name in DATES else wish)
        ok &= here.fillna(False).astype(bool)
    return ok


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_row_fulfils_the_conditions(synthesizer: Synthesizer, name: str) -> None:
    rows = synthesizer.sample(700, where=CONDITIONS[name])
    assert len(rows) == 700
    assert fulfils(rows, CONDITIONS[name]).all()
    assert rows.dtypes.to_dict() == REAL.dtypes.to_dict()
    assert (rows.order == np.arange(700) + 10_000 + ROWS).all()
    assert (rows.department.str[1:].astype(int) == rows["product"].str[1:].astype(int) % 3).all()
    np.testing.assert_allclose(rows.total, rows.price + rows.fee, atol=0.011)


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_conditions_on_random_columns_hold(synthesizer: Synthesizer, data: st.DataObject) -> None:
    row = REAL.iloc[data.draw(st.integers(0, ROWS - 1))]  # one real row fulfils them all
    wishes: dict = {}
    for name in data.draw(
        st.lists(st.sampled_from(["product", "price", "total", "items", "promo", "paid", "day"]), unique=True)
    ):
        cell = row[name]
        if pd.isna(cell):
            wishes[name] = None
        elif name in ("price", "items"):
            wishes[name] = (cell - data.draw(st.integers(0, 5)), cell + data.draw(st.integers(0, 5)))
        elif name == "total":
            wishes[name] = cell
        elif name in DATES:
            wishes[name] = (cell - pd.Timedelta(days=data.draw(st.integers(0, 20))), cell)
        else:
            wishes[name] = data.draw(st.sampled_from([cell, [cell]]))
    rows = synthesizer.sample(40, where=wishes)
    assert len(rows) == 40
    assert fulfils(rows, wishes).all()


@pytest.mark.parametrize("name", ["labels", "a range", "many"])
def test_the_rest_is_distributed_as_in_real_rows_that_fulfil_them(synthesizer: Synthesizer, name: str) -> None:
    wishes = {"product": ["p1", "p2", "p9"], "price": (5, 40)} if name == "many" else CONDITIONS[name]
    rows, real = synthesizer.sample(3_000, where=wishes), REAL[fulfils(REAL, wishes)]
    for column in ("product", "promo", "paid", "items"):
        shares = [frame[column].astype(str).value_counts(normalize=True) for frame in (rows, real)]
        assert shares[0].sub(shares[1], fill_value=0).abs().sum() / 2 < 0.12
    assert rows.price.median() == pytest.approx(real.price.median(), rel=0.12)


WRONG = {
    "a misspelt column": ({"prise": 5}, r"there is no column 'prise'; did you mean 'price'\?"),
    "an unknown column": (
        {"zzz": 5},
        r"there is no column 'zzz'; there are 'order', 'product', 'department' and 10 more\.",
    ),
    "an unseen label": ({"product": "p99"}, r"'p99' does not occur .* did you mean 'p9'\?"),
    "a range outside": ({"price": (10_000, None)}, r"column 'price': no value is allowed; the table holds"),
    "an empty range": ({"price": (20, 10)}, r"column 'price' allow no value"),
    "a list of nothing": ({"price": []}, "a list of no values"),
    "a range of labels": ({"promo": ("a", "b")}, "column 'promo' holds labels, which have no order"),
    "a word for a number": ({"price": "cheap"}, "column 'price' holds numbers, and 'cheap' is none"),
    "a word for a date": ({"day": "soon"}, "column 'day' holds dates, and 'soon' is none"),
    "a key": ({"order": 5}, r"column 'order' is made up \(key\)"),
    "a broken fact": ({"product": "p1", "department": "d0"}, "no row can fulfil all conditions together"),
    "dates outside": ({"day": ("2030-01-01", None)}, "column 'day': no value is allowed"),
    "a missing cell where none is": ({"price": None}, r"no row can fulfil|column 'price'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_row_can_fulfil_is_said_before_any_is_made(synthesizer: Synthesizer, name: str) -> None:
    wishes, message = WRONG[name]
    with pytest.raises(ConfigError, match=message) as caught:
        synthesizer.sample(10, where=wishes)
    assert "\n" not in str(caught.value)


def test_a_smaller_sample_is_the_start_of_a_larger_one(synthesizer: Synthesizer) -> None:
    rows = synthesizer.sample(1_500, where=CONDITIONS["many"])
    pd.testing.assert_frame_equal(synthesizer.sample(10, where=CONDITIONS["many"]), rows.head(10))
    assert not synthesizer.sample(10, where=CONDITIONS["many"], seed=1).equals(rows.head(10))


def test_given_cells_stay_and_the_rest_is_made(synthesizer: Synthesizer) -> None:
    begun = REAL[["promo", "product", "items"]].sample(300, random_state=0).reset_index(drop=True)
    begun["items"] = begun["items"].astype("Int64").mask(begun.index % 3 == 0)
    rows = synthesizer.sample(given=begun)
    assert list(rows) == list(REAL)
    assert (rows["product"] == begun["product"]).all()
    there = begun["items"].notna()
    assert (rows["items"][there] == begun["items"][there]).all()
    assert rows["items"].notna().all()
    there = begun["promo"].notna()
    assert (rows["promo"][there] == begun["promo"][there]).all()
    assert (rows.department.str[1:].astype(int) == rows["product"].str[1:].astype(int) % 3).all()
    with pytest.raises(SchemaError, match=r"the model has no column 'prise'; did you mean 'price'\?"):
        synthesizer.sample(given=begun.rename(columns={"items": "prise"}))
    with pytest.raises(ConfigError, match="n and given exclude each other"):
        synthesizer.sample(10, given=begun)


def test_impute_fills_missing_cells_and_touches_no_other(synthesizer: Synthesizer) -> None:
    hidden = REAL.head(600).copy()
    mask = np.random.default_rng(1).random((600, 5)) < 0.2
    for i, name in enumerate(["product", "department", "price", "items", "day"]):
        hidden[name] = hidden[name].astype("Int64" if name == "items" else hidden[name].dtype).mask(mask[:, i])
    filled = synthesizer.impute(hidden)
    assert filled.notna().all().all()
    for name in hidden:
        there = hidden[name].notna()
        assert (filled[name][there] == hidden[name][there]).all(), name
    both = mask[:, 0] & ~mask[:, 1]  # the department is known, and says which products there may be
    numbers = filled.loc[both, "product"].str[1:].astype(int) % 3
    assert (numbers == filled.loc[both, "department"].str[1:].astype(int)).all()
    several = synthesizer.impute(hidden, m=3)
    assert len(several) == 3
    pd.testing.assert_frame_equal(several[0], filled)
    assert not several[1].equals(filled)


def test_likely_rows_score_higher_than_shuffled_ones(synthesizer: Synthesizer) -> None:
    shuffled = REAL.copy()
    for i, name in enumerate(["product", "price", "items"]):
        shuffled[name] = REAL[name].sample(frac=1, random_state=i).to_numpy()
    shuffled["department"] = "d" + (shuffled["product"].str[1:].astype(int) % 3).astype(str)
    shuffled["total"] = (shuffled.price + shuffled.fee).round(2)
    real, other = (synthesizer.score_samples(frame.head(800)) for frame in (REAL, shuffled))
    assert real.shape == (800,)
    assert real.mean() > other.mean() + 0.2


def test_a_row_with_a_label_that_is_not_known_cannot_be(synthesizer: Synthesizer) -> None:
    rows = REAL.head(3).copy()
    expected = synthesizer.score_samples(rows)
    rows.loc[1, "product"] = "p99"
    expected[1] = -np.inf
    np.testing.assert_array_equal(synthesizer.score_samples(rows), expected)


def test_probabilities_of_all_rows_sum_to_one() -> None:
    table = pa.table({"a": ["x", "y", "x", "z"] * 60, "b": [True, False, False] * 80})
    small = Synthesizer(train=TrainConfig(warmup_steps=50, folds=1, game_steps=0)).fit(table)
    every = pa.table({"a": ["x", "y", "z"] * 2, "b": [True] * 3 + [False] * 3})
    assert np.exp(small.score_samples(every)).sum() == pytest.approx(1.0, abs=1e-3)


def test_a_column_is_balanced(synthesizer: Synthesizer) -> None:
    rows = synthesizer.sample(1_200, balance="product")
    assert (rows["product"].value_counts() - 100).abs().max() <= 6
    assert (rows.department.str[1:].astype(int) == rows["product"].str[1:].astype(int) % 3).all()
    pd.testing.assert_frame_equal(synthesizer.sample(20, balance="product"), rows.head(20))
    rows = synthesizer.sample(512, balance={"items": {1: 0.75, 5: 0.25}}, where={"paid": True})
    assert rows["items"].value_counts().to_dict() == {1: 384, 5: 128}
    assert rows.paid.all()
    assert synthesizer.sample(100, balance="department").department.value_counts().min() > 25


def test_a_column_is_balanced_over_the_values_that_its_own_condition_allows(synthesizer: Synthesizer) -> None:
    rows = synthesizer.sample(512, balance="items", where={"items": [2, 4]})
    assert rows["items"].value_counts().to_dict() == {2: 256, 4: 256}
    rows = synthesizer.sample(512, balance="items", where=parse(["items >= 2", "items < 4"]))
    assert rows["items"].value_counts().to_dict() == {2: 256, 3: 256}
    rows = synthesizer.sample(
        512, balance="product", where={"product": Where(excluded=tuple(f"p{i}" for i in range(10)))}
    )
    assert rows["product"].value_counts().to_dict() == {"p10": 256, "p11": 256}
    rows = synthesizer.sample(512, balance={"items": {2: 3, 4: 1}}, where={"items": (2, 9)})
    assert rows["items"].value_counts().to_dict() == {2: 384, 4: 128}


def test_what_cannot_be_balanced_is_answered(synthesizer: Synthesizer) -> None:
    for balance, message in {
        "price": "column 'price' has no few values to balance",
        "prise": r"no column 'prise'; did you mean 'price'\?",
    }.items():
        with pytest.raises((ConfigError, SchemaError), match=message):
            synthesizer.sample(10, balance=balance)
    with pytest.raises(ConfigError, match="the conditions on column 'items' allow no value"):
        synthesizer.sample(10, balance={"items": {1: 1, 4: 1}}, where={"items": [4, 5]})
    with pytest.raises(ConfigError, match="the conditions on column 'product' leave nothing to balance"):
        synthesizer.sample(10, balance="product", where={"product": Where(excluded=tuple(f"p{i}" for i in range(12)))})
    with pytest.raises(ConfigError, match="the shares of 'items' must be numbers"):
        synthesizer.sample(10, balance={"items": {1: -1}})
    with pytest.raises(ConfigError, match="'p99' does not occur"):
        synthesizer.sample(10, balance={"product": {"p99": 1}})


def test_rows_like_others_keep_most_cells(synthesizer: Synthesizer) -> None:
    real = REAL.head(400)
    for strength in (0.0, 0.3, 1.0):
        rows = synthesizer.sample(like=real, strength=strength)
        same = (rows["promo"].fillna("-").to_numpy() == real["promo"].fillna("-").to_numpy()).mean()
        kept = (rows["day"].to_numpy() == real["day"].to_numpy()).mean()
        assert kept == pytest.approx(1 - strength, abs=0.08)
        assert same >= 0.5 * (1 - strength)
        assert not set(rows["order"]) & set(real["order"])
    assert len(synthesizer.sample(900, like=real.head(1))) == 900
    with pytest.raises(ConfigError, match="strength is 2"):
        synthesizer.sample(like=real, strength=2)


def test_probabilities_of_a_column_are_those_of_its_labels(synthesizer: Synthesizer) -> None:
    found = synthesizer.predict_proba(REAL.head(500), "product")
    assert sorted(found.columns) == sorted(REAL["product"].unique())
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    guessed = found.idxmax(axis=1)
    assert (guessed.str[1:].astype(int) % 3 == REAL.department.head(500).str[1:].astype(int)).mean() > 0.99
    pd.testing.assert_frame_equal(synthesizer.predict_proba(REAL.head(500).drop(columns="product"), "product"), found)
    with pytest.raises(ConfigError, match="column 'price' has no labels of its own"):
        synthesizer.predict_proba(REAL.head(5), "price")


EXPRESSIONS = {
    "age >= 30": {"age": Where(low="30")},
    "age<30": {"age": Where(high="30", high_open=True)},
    "income == >50K": {"income": Where(values=(">50K",))},
    '"marital status" != "Never, ever"': {"marital status": Where(excluded=("Never, ever",))},
    "region in [N, 'S, T',  W]": {"region": Where(values=("N", "S, T", "W"))},
    "region not in [N]": {"region": Where(excluded=("N",))},
    "promo is null": {"promo": Where(values=(), null=True)},
    "promo is not null": {"promo": NOT_NULL},
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_read(expression: str) -> None:
    assert parse([expression]) == EXPRESSIONS[expression]


@pytest.mark.parametrize("expression", ["age", "age between 3 and 5", "age ==", "== 5", "", "region in N"])
def test_an_expression_that_is_none_is_answered_with_the_grammar(expression: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read; write COLUMN == VALUE"):
        parse([expression])


def test_expressions_on_one_column_hold_together(synthesizer: Synthesizer) -> None:
    where = parse(["items > 1", "items <= 3", "items != 2", "day >= 2024-02-05", "day < 2024-02-08"])
    rows = synthesizer.sample(200, where=where)
    assert set(rows["items"]) == {3}
    assert rows.day.min() >= pd.Timestamp("2024-02-05")
    assert rows.day.max() < pd.Timestamp("2024-02-08")
