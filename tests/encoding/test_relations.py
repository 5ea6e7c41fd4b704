"""Tables with facts: taken apart and put together again they are the same, and new rows of them keep the facts."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan import ModelConfig, Synthesizer, TrainConfig
from tabgan.encoding.base import Draw
from tabgan.encoding.derived import Derived
from tabgan.encoding.table import TableEncoder
from tabgan.facts import Fact
from tabgan.schema import Schema

ROWS = 3_000
QUICK = TrainConfig(
    warmup_steps=40, evaluate_every=20, folds=1, game_steps=4, game_evaluate_every=2, critic_head_start=2, rounds=3
)
NO_GAME = TrainConfig(warmup_steps=40, evaluate_every=20, folds=1, game_steps=0, rounds=4)
SMALL = ModelConfig(width=32, blocks=1, noise=8, critic_width=32, critic_embedding=4)


def quick(train: TrainConfig = QUICK) -> Synthesizer:
    return Synthesizer(device="cpu", train=train, model=SMALL)


def orders_frame() -> pd.DataFrame:
    """Every kind of fact, and cells missing in each of its columns."""
    rng = np.random.default_rng(0)
    product, size = rng.integers(0, 30, ROWS), rng.integers(0, 4, ROWS)
    ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300 * 86_400, ROWS), unit="s")
    shipped = ordered + pd.to_timedelta(rng.poisson(40, ROWS), unit="h")
    frame = pd.DataFrame(
        {
            "product": pd.Categorical([f"p{i}" for i in product]),
            "label": [f"label of p{i}" for i in product],  # the product under another name
            "group": [f"g{i % 6}" for i in product],
            "size": size,
            "price": rng.choice([9.9, 19.9, 24.5, 49.0, 99.0], (30, 4))[product, size],
            "ordered": ordered,
            "shipped": shipped.to_numpy().astype("datetime64[ms]"),
            "delivered": (shipped + pd.to_timedelta(1 + rng.poisson(2, ROWS), unit="D")).strftime("%d.%m.%Y"),
            "weekday": ordered.day_name(),
            "month": ordered.month.astype("int8"),
            "net": rng.gamma(2, 30, ROWS).round(2),
            "tax": rng.gamma(2, 5, ROWS).round(2),
            "low": rng.normal(10, 8, ROWS).round(1),
            "paid": rng.gamma(2, 30, ROWS).round(2),
        }
    )
    frame["total"] = (frame.net + frame.tax + rng.choice([0, 4.9], ROWS)).round(2)
    frame["high"] = (frame.low + rng.gamma(4, 0.8, ROWS)).round(1)
    frame["owed"] = (frame.paid * (1 + rng.gamma(1, 2, ROWS))).round(2)
    frame["bill"] = rng.gamma(2, 30, ROWS).round(2)
    frame["last"] = np.where(rng.random(ROWS) < 0.3, frame.bill, rng.gamma(2, 20, ROWS).round(2))
    frame["spare"] = rng.gamma(2, 30, ROWS).round(2)
    frame["spare too"] = rng.gamma(2, 30, ROWS).round(2)
    for name in ("total", "tax", "high", "low", "last", "delivered", "shipped"):
        frame.loc[rng.random(ROWS) < 0.1, name] = None
    frame.loc[rng.choice(ROWS, 8, replace=False), ["spare", "spare too"]] = np.nan
    return frame


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return orders_frame()


@pytest.fixture(scope="module")
def made(frame) -> pd.DataFrame:
    """Rows of a model that has hardly learned anything: what they keep they keep by construction."""
    rows: pd.DataFrame = quick().fit(frame).sample(4_000)
    return rows


def test_all_its_facts_are_found(frame):
    found = {(fact.kind, fact.column) for fact in Schema.infer(pa.Table.from_pandas(frame)).facts}
    assert found == {
        ("fixed", "label"),
        ("fixed", "product"),
        ("fixed", "group"),
        ("fixed", "price"),
        ("fixed", "weekday"),
        ("fixed", "month"),
        ("sum", "total"),
        ("at_least", "shipped"),
        ("at_least", "delivered"),
        ("at_least", "high"),
        ("same", "last"),
        ("order", "owed"),
        ("missing", "spare"),
        ("missing", "spare too"),
    }


def test_real_rows_come_back_with_the_same_missing_cells_and_facts(frame):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    encoder = TableEncoder(Schema.infer(table), table.schema).fit(table)
    codes = encoder.encode(table)
    again = TableEncoder(encoder.schema, table.schema).restore(json.loads(json.dumps(encoder.state())))
    draw = Draw(np.arange(ROWS), np.random.default_rng(1).random(codes.shape), 0)
    back = encoder.decode(codes, draw)
    assert back.equals(again.decode(codes, draw))
    back = back.to_pandas()
    assert (back.isna() == frame.isna()).all(axis=None)
    for name in ("product", "label", "group", "size", "price", "ordered"):
        if name != "ordered":
            pd.testing.assert_series_equal(back[name], frame[name])
    assert abs((back["last"] == back.bill).mean() - (frame["last"] == frame.bill).mean()) < 0.005
    check_facts(back, frame)


def test_new_rows_keep_every_fact(made, frame):
    check_facts(made, frame)


def check_facts(rows: pd.DataFrame, real: pd.DataFrame) -> None:
    assert rows.dtypes.to_dict() == real.dtypes.to_dict()
    for left, right in (
        ("product", "label"),
        ("label", "product"),
        ("product", "group"),
        (["product", "size"], "price"),
    ):
        assert (rows.groupby(left, observed=True)[right].nunique() == 1).all()
    merged = rows[["product", "size", "price"]].drop_duplicates().astype({"product": str})
    pairs = real[["product", "size", "price"]].drop_duplicates().astype({"product": str})
    assert len(merged.merge(pairs)) == len(merged)
    assert (rows.weekday == rows.ordered.dt.day_name()).all()
    assert (rows.month == rows.ordered.dt.month).all()
    complete = rows.dropna(subset=["total", "tax"])
    assert set((complete.total - complete.net - complete.tax).round(2)) == {0, 4.9}
    assert not (rows.shipped < rows.ordered).any()
    delivered = pd.to_datetime(rows.delivered, format="%d.%m.%Y")
    assert not (delivered < rows.shipped).any()
    assert not (rows.high < rows.low).any()
    assert not (rows.owed < rows.paid).any()
    assert (rows.spare.isna() == rows["spare too"].isna()).all()
    for name in rows.select_dtypes("number"):
        assert rows[name].min() >= real[name].min()
        assert rows[name].max() <= real[name].max()
        assert (rows[name].dropna() == rows[name].dropna().round(2)).all()
        assert real[name].hasnans or not rows[name].hasnans


def test_rows_differ_from_the_real_ones(made, frame):
    assert len(made.drop(columns=["product", "size"]).merge(frame)) == 0


def test_equal_values_of_two_columns_are_as_frequent_as_in_the_table(frame):
    table = frame[["bill", "last"]]
    train, model = TrainConfig(warmup_steps=300, game_steps=0, rounds=2), ModelConfig(width=128, blocks=2)
    made = Synthesizer(device="cpu", train=train, model=model).fit(table).sample(6_000)
    real_share = (table.bill == table["last"]).mean()
    assert abs((made.bill == made["last"]).mean() - real_share) < 0.04


def test_facts_that_are_switched_off_are_not_kept(frame):
    schema = Schema.infer(pa.Table.from_pandas(frame, preserve_index=False))
    off = schema.model_copy(update={"facts": tuple(fact.model_copy(update={"keep": False}) for fact in schema.facts)})
    rows = quick(train=NO_GAME).fit(frame, schema=off).sample(4_000)
    assert (rows.groupby("product", observed=True)["label"].nunique() > 1).any()
    assert (rows.groupby(["product", "size"], observed=True)["price"].nunique() > 1).any()
    assert len(set((rows.total - rows.net - rows.tax).round(2))) > 100
    assert (rows.shipped < rows.ordered).any()
    assert (rows.high < rows.low).any()
    assert (rows.owed < rows.paid).any()
    assert (rows["last"] == rows.bill).mean() < 0.05
    assert (rows.spare.isna() != rows["spare too"].isna()).any()


def test_a_sum_that_would_leave_its_range_gives_back_to_its_terms():
    rng = np.random.default_rng(0)
    a = rng.gamma(1, 100, ROWS).round(2)
    frame = pd.DataFrame({"a": a, "b": (300 * np.exp(-a / 50) + rng.random(ROWS)).round(2)})
    frame["c"] = (frame.a + frame.b).round(2)
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    np.testing.assert_allclose(rows.c, rows.a + rows.b, atol=1e-9)
    for name in frame:
        assert frame[name].min() <= rows[name].min()
        assert rows[name].max() <= frame[name].max()


def sales_frame() -> pd.DataFrame:
    """Products, a quotient, a share, and numbers that are close to others."""
    rng = np.random.default_rng(5)
    quantity, price = rng.integers(1, 12, ROWS), rng.gamma(2, 12, ROWS).round(2)
    frame = pd.DataFrame({"quantity": quantity, "price": price, "total": (quantity * price).round(2)})
    frame["kilos"], frame["metres"] = rng.normal(75, 12, ROWS).round(1), rng.normal(1.7, 0.1, ROWS).round(2)
    frame["bmi"] = (frame.kilos / frame.metres**2).round(2)
    frame["left"] = rng.normal(40, 9, ROWS).round(2)
    frame["right"] = (frame.left + rng.normal(0, 0.1, ROWS)).round(2)
    for name in ("price", "total", "metres", "right"):
        frame.loc[rng.random(ROWS) < 0.1, name] = None
    frame.loc[rng.random(ROWS) < 0.01, ["quantity", "total"]] = 0
    return frame


@pytest.fixture(scope="module")
def sales() -> Synthesizer:
    return quick(NO_GAME).fit(sales_frame())


def test_products_hold_and_close_numbers_stay_close(sales):
    frame, rows = sales_frame(), sales.sample(4_000)
    assert {str(fact) for fact in Schema.infer(pa.Table.from_pandas(frame, preserve_index=False)).facts} == {
        "total = quantity * price",
        "bmi = kilos / metres / metres",
        "right is close to left",
    }
    complete = rows.dropna(subset=["total", "price"])
    assert (complete.total == (complete.quantity * complete.price).round(2)).all()
    assert (rows.bmi == (rows.kilos / rows.metres**2).round(2))[rows.metres.notna() & rows.bmi.notna()].mean() > 0.99
    assert (rows.right - rows.left).abs().quantile(0.99) < 0.5
    for name in frame:
        assert frame[name].min() <= rows[name].min()
        assert rows[name].max() <= frame[name].max()
        assert abs(rows[name].isna().mean() - frame[name].isna().mean()) < 0.1
    assert rows.dtypes.to_dict() == frame.dtypes.to_dict()


def test_a_product_comes_back_from_its_codes():
    table = pa.Table.from_pandas(sales_frame(), preserve_index=False)
    encoder = TableEncoder(Schema.infer(table), table.schema).fit(table)
    codes = encoder.encode(table)
    back = encoder.decode(codes, Draw(np.arange(ROWS), np.random.default_rng(1).random(codes.shape), 0)).to_pandas()
    assert (back.isna() == sales_frame().isna()).all(axis=None)
    complete = back.dropna(subset=["total", "price"])
    assert (complete.total == (complete.quantity * complete.price).round(2)).all()


def test_conditions_on_a_product_are_fulfilled_and_keep_it(sales):
    for low, high in ((200, None), (48.4, 48.4)):
        rows = sales.sample(200, where={"total": (low, high)})
        assert rows.total.between(low, high or np.inf).all()
        complete = rows.dropna(subset=["price"])
        assert len(complete) > 0.8 * len(rows)  # nine of ten have a price, with a given total as without
        assert (complete.total == (complete.quantity * complete.price).round(2)).all()


def test_a_factor_is_worked_out_from_a_product_that_is_given(sales):
    given = pd.DataFrame({"quantity": [2, 5, 7], "total": [30.0, 110.0, 84.7]})
    rows = sales.sample(given=given)
    pd.testing.assert_frame_equal(rows[["quantity", "total"]], given.astype(rows[["quantity", "total"]].dtypes))
    known = rows.price.notna()
    assert (rows.price == (rows.total / rows.quantity).round(2))[known].all()


def test_a_quotient_is_there_where_a_new_row_divides_by_nothing():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"whole": rng.gamma(4, 25, ROWS).round(2), "parts": rng.choice([-1.0, 1, 2, 3], ROWS)})
    frame["each"] = (frame.whole / frame.parts).round(3)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = Schema.infer(table)
    fact = Fact(kind="product", column="each", of=("whole",), minus=("parts",))
    step = Derived(fact, columns["each"], [columns["whole"]], [columns["parts"]]).fit(table)
    cells = {"whole": pa.array([30.0, 30, None]), "parts": pa.array([0.0, 2, 2]), step.rest: pa.array([0.0, 0, None])}
    step.expand(cells)
    assert cells["each"].to_pylist() == [frame.each.max(), 15.0, None]


def test_a_product_that_would_leave_its_range_gives_back_to_its_factors():
    rng = np.random.default_rng(0)
    quantity = rng.integers(1, 40, ROWS)
    price = (600 / quantity * rng.uniform(0.2, 1, ROWS)).round(2)  # the more, the cheaper: what hardly learns breaks it
    frame = pd.DataFrame({"quantity": quantity, "price": price, "total": (quantity * price).round(2)})
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    assert (rows.total == (rows.quantity * rows.price).round(2)).all()
    for name in frame:
        assert frame[name].min() <= rows[name].min()
        assert rows[name].max() <= frame[name].max()


def games_frame() -> pd.DataFrame:
    """Weighted sums, one of another one, and a number that is close to one and never above another."""
    rng = np.random.default_rng(6)
    wins, draws = rng.poisson(40, ROWS), rng.poisson(30, ROWS)
    frame = pd.DataFrame({"wins": wins, "draws": draws, "points": 3 * wins + draws})
    frame["low"] = rng.normal(12, 8, ROWS).round(1)
    frame["high"] = (frame.low + rng.gamma(3, 4, ROWS)).round(1)
    frame["mean"] = (frame.high / 2 + frame.low / 2).round(2)
    frame["fahrenheit"] = (1.8 * frame["mean"] + 32).round(2)
    frame["noon"] = np.minimum(0.7 * frame.high + 0.3 * frame.low + rng.normal(0, 0.15, ROWS), frame.high).round(1)
    for name in ("high", "points"):
        frame.loc[rng.random(ROWS) < 0.1, name] = None
    return frame


@pytest.fixture(scope="module")
def games() -> Synthesizer:
    return quick(NO_GAME).fit(games_frame())


def test_weighted_sums_hold_and_close_numbers_keep_their_order(games):
    frame, rows = games_frame(), games.sample(4_000)
    found = {str(fact) for fact in games.schema.facts}
    assert {"points = 3 * wins + draws", "mean = 0.5 * low + 0.5 * high", "high >= noon", "noon >= low"} < found
    assert {fact.partition(" = ")[0] for fact in found if " = " in fact} == {"points", "mean", "fahrenheit"}
    assert any(fact.startswith("noon is close to") for fact in found)
    complete = rows.dropna(subset=["high", "points"])
    assert len(complete) > 0.7 * len(rows)
    assert (complete.points == 3 * complete.wins + complete.draws).all()
    np.testing.assert_allclose(complete["mean"], (complete.high + complete.low) / 2, atol=0.0051)
    np.testing.assert_allclose(complete.fahrenheit, 1.8 * complete["mean"] + 32, atol=0.0051)
    assert (complete.noon - 0.7 * complete.high - 0.3 * complete.low).abs().quantile(0.99) < 1
    assert (complete.noon <= complete.high).all()
    assert (complete.noon >= complete.low).all()
    for name in frame:
        assert frame[name].min() <= rows[name].min()
        assert rows[name].max() <= frame[name].max()
    assert rows.dtypes.to_dict() == frame.dtypes.to_dict()


def test_conditions_and_given_cells_of_a_weighted_sum_are_kept(games):
    rows = games.sample(200, where={"points": (170, 175)})
    assert rows.points.between(170, 175).all()
    assert (rows.points == 3 * rows.wins + rows.draws).all()
    given = pd.DataFrame({"wins": [40, 50], "points": [140.0, 180.0]})
    rows = games.sample(given=given)
    assert rows.draws.tolist() == [20, 30]


def test_a_weighted_sum_that_would_leave_its_range_gives_back_to_its_terms():
    rng = np.random.default_rng(0)
    a = rng.gamma(1, 100, ROWS).round(1)
    frame = pd.DataFrame({"a": a, "b": (300 * np.exp(-a / 50) + rng.random(ROWS)).round(1)})
    frame["c"] = (frame.a + 2.5 * frame.b + 10).round(2)
    assert [str(fact) for fact in Schema.infer(pa.Table.from_pandas(frame)).facts] == ["c = 2.5 * b + a + 10"]
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    np.testing.assert_allclose(rows.c, rows.a + 2.5 * rows.b + 10, atol=1e-9)
    for name in frame:
        assert frame[name].min() <= rows[name].min()
        assert rows[name].max() <= frame[name].max()


def test_a_number_that_follows_from_another_keeps_to_the_values_that_the_table_holds():
    rng = np.random.default_rng(0)
    low = np.rint(rng.normal(10, 8, ROWS)) * 1.8 + 32  # whole degrees on another scale
    frame = pd.DataFrame({"low": low.round(2), "high": (low.round(2) + 1.8 * rng.poisson(3, ROWS)).round(2)})
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    assert (rows.high >= rows.low).all()
    assert (((rows.high - 32) / 1.8).round(6) % 1 == 0).mean() > 0.99


def test_a_number_that_is_near_another_is_not_moved_far_to_a_value_that_the_table_holds():
    rng = np.random.default_rng(0)
    left = np.r_[rng.integers(0, 21, ROWS - 5), np.full(5, 60)].astype(float)
    table = pa.Table.from_pandas(pd.DataFrame({"left": left, "right": left}), preserve_index=False)
    columns = Schema.infer(table)
    fact = Fact(kind="linear", column="right", of=("left",), weights=(1,), remainder=True)
    step = Derived(fact, columns["right"], [columns["left"]]).fit(table)
    cells = {"left": pa.array([7.0, 40.0]), step.rest: pa.array([0.0, 0.0])}
    step.expand(cells)
    assert cells["right"].to_pylist() == [7.0, 40.0]


def test_of_three_columns_of_which_two_fix_the_third_none_is_missing_in_new_combinations():
    rng = np.random.default_rng(0)
    liens, failed = rng.poisson(0.4, ROWS), rng.poisson(0.3, ROWS)
    liens[:12] = rng.integers(10, 60, 12)  # of so few rows that new ones are in between
    frame = pd.DataFrame({"liens": liens, "failed": failed, "odd": liens ^ failed})
    assert len([fact for fact in Schema.infer(pa.Table.from_pandas(frame)).facts if fact.kind == "fixed"]) == 3
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    assert len(rows.merge(frame.drop_duplicates())) < len(rows)
    assert not rows.isna().any(axis=None)


def test_arithmetic_of_few_different_prices_holds_in_every_new_row():
    rng = np.random.default_rng(0)
    quantity, price = 1 + rng.poisson(1.5, ROWS), rng.choice([4.99, 9.0, 14.5, 49.0, 99.0], ROWS)
    net = (quantity * price).round(2)
    frame = pd.DataFrame({"quantity": quantity, "price": price, "net": net, "tax": (0.19 * net).round(2)})
    frame["gross"] = (frame.net + frame.tax).round(2)
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    assert not rows.gross.isin(frame.gross).all()
    assert (rows.net == (rows.quantity * rows.price).round(2)).all()
    assert (rows.tax == (0.19 * rows.net).round(2)).all()
    assert (rows.gross == (rows.net + rows.tax).round(2)).all()


def test_a_column_that_says_the_same_as_a_number_is_there_for_new_numbers_too():
    rng = np.random.default_rng(0)
    net = rng.choice([9.99, 14.5, 49.0, 99.0], ROWS) * (1 + rng.poisson(1.5, ROWS))
    frame = pd.DataFrame({"net": net.round(2), "band": [f"{n:.2f} net" for n in net]})
    frame["place"] = frame.net.rank(method="dense")
    assert {fact.kind for fact in Schema.infer(pa.Table.from_pandas(frame)).facts} == {"fixed"}
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    assert not rows.net.isin(frame.net).all()
    assert not rows.isna().any(axis=None)


def test_a_lookup_holds_no_number_of_one_row():
    rng = np.random.default_rng(0)
    shop = np.minimum(rng.geometric(0.03, ROWS), 150)
    size = rng.gamma(2, 1_000, 151).round(3)
    frame = pd.DataFrame({"shop": [f"s{i}" for i in shop], "size": size[shop]})
    single = set(frame.groupby("shop").filter(lambda group: len(group) == 1)["size"])
    assert single
    rows = quick(NO_GAME).fit(frame).sample(4_000)
    assert not single & set(rows["size"])
    assert (rows.groupby("shop")["size"].nunique() == 1).all()
