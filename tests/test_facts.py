"""Facts that were planted in made tables are found, and nothing else is taken for one."""

import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.facts import Fact
from tabgan.pursuit import pursue
from tabgan.schema import Schema

ROWS = 2_000
RNG = np.random.default_rng(3)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def the_same_numbers_whatever_ran_before() -> None:
    RNG.bit_generator.state = START


def facts_of(frame: pd.DataFrame) -> list[str]:
    return [str(fact) for fact in Schema.infer(pa.Table.from_pandas(frame, preserve_index=False)).facts]


def money(scale: float = 20.0) -> np.ndarray:
    return RNG.gamma(2, scale, ROWS).round(2)


def test_an_exact_sum_is_found_whatever_the_order_of_its_columns():
    frame = pd.DataFrame({"net": money(), "total": 0.0, "tax": money(3), "shipping": money(5)})
    frame["total"] = (frame.net + frame.tax + frame.shipping).round(2)
    assert facts_of(frame) == ["total = net + shipping + tax"]


def test_a_difference_is_told_as_the_sum_that_it_is():
    frame = pd.DataFrame({"revenue": money(100), "cost": money(60)})
    frame["profit"] = (frame.revenue - frame.cost).round(2)
    assert facts_of(frame) == ["revenue = profit + cost"]


def test_a_sum_of_which_some_cells_are_missing_is_found():
    frame = pd.DataFrame({"a": money(), "b": money(), "c": money()})
    frame["total"] = (frame.a + frame.b + frame.c).round(2)
    for name in frame:
        frame.loc[RNG.random(ROWS) < 0.1, name] = np.nan
    total = next(fact for fact in Schema.infer(pa.Table.from_pandas(frame)).facts if fact.kind == "sum")
    assert total.column == "total"
    assert set(total.of) == set("abc")


def test_a_sum_up_to_one_of_a_few_surcharges():
    frame = pd.DataFrame({"fare": money(), "tip": money(3), "distance": money(4)})
    frame["total"] = (frame.fare + frame.tip + RNG.choice([0.5, 1.3, 3.8], ROWS, p=[0.7, 0.2, 0.1])).round(2)
    assert facts_of(frame) == ["total = fare + tip + one of a few values"]


def test_numbers_that_are_only_alike_are_no_sum():
    a, b = RNG.normal(0, 20, ROWS).round(2), RNG.normal(0, 20, ROWS).round(2)
    frame = pd.DataFrame({"a": a, "b": b, "c": (a + b + RNG.normal(0, 3, ROWS)).round(2)})
    assert facts_of(frame) == []


def test_numbers_that_are_nearly_a_sum_are_close_to_it():
    a, b = RNG.normal(0, 20, ROWS).round(2), RNG.normal(0, 20, ROWS).round(2)
    frame = pd.DataFrame({"a": a, "b": b, "c": (a + b + RNG.normal(0, 0.5, ROWS)).round(2)})
    assert facts_of(frame) == ["c is close to a + b"]
    frame.loc[RNG.integers(0, ROWS, 5), "c"] += 1_000  # a few that are far out hide nothing
    assert facts_of(frame) == ["c is close to a + b"]


def test_a_sum_is_found_beside_columns_that_are_like_it():
    """What a sum leaves in a few rows goes with another of its columns, and is no weight of that."""
    first = RNG.gamma(6, 180, ROWS).round()
    second = np.where(RNG.random(ROWS) < 0.4, RNG.gamma(6, 120, ROWS), 0).round()
    other = np.where(RNG.random(ROWS) < 0.015, RNG.gamma(6, 60, ROWS), 0).round()
    frame = pd.DataFrame({"first": first, "second": second, "rooms": 0.0, "living": first + second + other})
    frame["rooms"] = np.rint(frame.living / 220 + 2 * (other > 0) + RNG.normal(0, 0.8, ROWS))
    assert "living = first + second + one of a few values" in facts_of(frame)


def test_of_an_equation_the_amount_to_the_cent_is_worked_out_and_not_the_round_one():
    loan = 500.0 * RNG.integers(2, 80, ROWS)
    paid = np.where(RNG.random(ROWS) < 0.1, loan, (loan * RNG.beta(2, 5, ROWS)).round(2))
    frame = pd.DataFrame({"loan": loan, "paid": paid, "owed": (loan - paid).round(2)})
    assert "paid = loan - owed" in facts_of(frame)  # what is owed is often 0


def test_a_column_of_common_values_is_not_told_by_a_difference():
    low = np.rint(RNG.normal(60, 10, ROWS))
    frame = pd.DataFrame({"low": low, "high": low + RNG.poisson(3, ROWS)})
    assert facts_of(frame) == ["high >= low"]
    assert Schema.infer(pa.Table.from_pandas(frame)).facts[0].kind == "order"


def test_products_and_quotients():
    quantity, price = RNG.integers(1, 9, ROWS), money()
    frame = pd.DataFrame({"quantity": quantity, "price": price, "total": (quantity * price).round(2)})
    assert facts_of(frame) == ["total = quantity * price"]
    kilos, metres = RNG.normal(75, 12, ROWS).round(1), RNG.normal(1.7, 0.1, ROWS).round(2)
    frame = pd.DataFrame({"kilos": kilos, "metres": metres, "bmi": (kilos / metres**2).round(1)})
    assert facts_of(frame) == ["bmi = kilos / metres / metres"]
    frame = pd.DataFrame({"miles": money(), "hours": (0.2 + money(2)).round(2), "speed": 0.0})
    frame["speed"] = frame.miles / frame.hours  # as it is, not rounded
    assert facts_of(frame) == ["speed = miles / hours"]


def test_a_share_of_another_column():
    net = money(100)
    frame = pd.DataFrame({"net": net, "tax": (0.19 * net).round(2)})
    assert facts_of(frame) == ["tax = 0.19 * net"]
    frame["gross"] = (frame.net + frame.tax).round(2)
    assert sorted(facts_of(frame)) == ["gross = net + tax", "tax = 0.19 * net"]


def test_a_number_that_is_nearly_a_product_is_close_to_it():
    x, depth = RNG.normal(6, 1, ROWS).round(2), RNG.normal(62, 1.5, ROWS).round(1)
    frame = pd.DataFrame({"depth": depth, "x": x, "z": (x * depth / 100 + RNG.normal(0, 0.03, ROWS)).round(2)})
    fact, order = Schema.infer(pa.Table.from_pandas(frame)).facts
    assert (fact.kind, fact.column, set(fact.of), fact.remainder) == ("product", "z", {"x", "depth"}, True)
    assert abs(fact.factor - 0.01) < 1e-4
    assert str(order) == "x >= z"


def test_numbers_that_only_go_together_are_no_product():
    size = RNG.gamma(6, 20, ROWS).round(1)
    frame = pd.DataFrame({"size": size, "price": (12 * size * RNG.lognormal(0, 0.2, ROWS)).round(2)})
    assert facts_of(frame) == []


def test_counts_of_few_values_are_no_product_by_chance():
    frame = pd.DataFrame({name: 1 + RNG.poisson(2, ROWS) for name in "abcd"})
    frame["e"] = RNG.integers(1, 7, ROWS)
    assert facts_of(frame) == []


def test_an_order_and_its_line_are_unique_together_and_neither_alone():
    sizes = RNG.integers(1, 6, 700)
    order = np.repeat(np.arange(700) + 5_000, sizes)
    line = np.concatenate([np.arange(size) + 1 for size in sizes])
    shuffled = RNG.permutation(len(order))
    frame = pd.DataFrame({"order_id": order, "line": line, "colour": RNG.choice(list("abcd"), len(order))}).iloc[
        shuffled
    ]
    assert facts_of(frame) == ["order_id and line are unique together"]
    once_more = pd.concat([frame, frame.tail(1)])
    assert facts_of(once_more) == []


def test_a_column_that_is_unique_alone_makes_no_composite_key():
    days = pd.date_range("2020-01-01", periods=ROWS)
    frame = pd.DataFrame({"day": RNG.permutation(days), "weather": RNG.choice(["sun", "rain"], ROWS)})
    assert facts_of(frame) == []


def test_amounts_that_hardly_ever_meet_make_no_composite_key():
    frame = pd.DataFrame({"cents": RNG.integers(0, 10**6, ROWS), "grams": RNG.integers(0, 10**6, ROWS)})
    assert facts_of(frame) == []


def test_counts_of_few_values_are_no_sum_by_chance():
    frame = pd.DataFrame({name: RNG.poisson(1.5, ROWS) for name in "abcd"})
    assert facts_of(frame) == []


def test_dates_in_order_are_found_across_their_formats():
    ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 500 * 86_400, ROWS), unit="s")
    frame = pd.DataFrame({"ordered": ordered})
    frame["shipped"] = (ordered + pd.to_timedelta(1 + RNG.poisson(2, ROWS), unit="D")).strftime("%d.%m.%Y")
    assert facts_of(frame) == ["shipped >= ordered"]


def test_numbers_in_order_are_found_close_ones_as_a_difference_and_others_as_an_order():
    low = RNG.normal(10, 8, ROWS).round(1)
    frame = pd.DataFrame({"low": low, "high": (low + RNG.gamma(4, 0.8, ROWS)).round(1)})
    frame["paid"] = RNG.gamma(2, 30, ROWS).round(2)
    frame["owed"] = (frame.paid * (1 + RNG.gamma(1, 2, ROWS))).round(2)
    found = Schema.infer(pa.Table.from_pandas(frame)).facts
    assert {(fact.kind, fact.column) for fact in found} == {("at_least", "high"), ("order", "owed")}


def test_ranges_that_do_not_overlap_are_no_order():
    frame = pd.DataFrame({"small": RNG.random(ROWS), "large": 100 + RNG.random(ROWS)})
    assert facts_of(frame) == []


def test_payments_that_are_often_the_bill_are_found():
    bill = money(500)
    paid = np.where(RNG.random(ROWS) < 0.2, bill, money(90))
    assert facts_of(pd.DataFrame({"bill": bill, "paid": paid})) == ["paid often equals bill"]


def test_close_whole_numbers_are_not_often_the_same_beyond_chance():
    skill = RNG.normal(60, 12, ROWS)
    frame = pd.DataFrame({name: np.rint(skill + RNG.normal(0, 4, ROWS)).astype(int) for name in ("pass", "shoot")})
    assert facts_of(frame) == []


def test_what_one_column_fixes_or_two_and_nothing_by_way_of_others():
    product = RNG.integers(0, 40, ROWS)
    size = RNG.integers(0, 5, ROWS)
    frame = pd.DataFrame({"product": [f"p{i}" for i in product], "size": [f"s{i}" for i in size]})
    group = product % 7
    frame["group"] = [f"g{i}" for i in group]
    frame["aisle"] = [f"a{i % 2}" for i in group]
    frame["price"] = RNG.gamma(2, 30, (40, 5)).round(2)[product, size]
    assert facts_of(frame) == ["product fixes group", "group fixes aisle", "product and size fix price"]


def test_columns_that_repeat_a_part_of_a_date():
    start = pd.Timestamp("2023-03-01") + pd.to_timedelta(RNG.integers(0, 700 * 1_440, ROWS), unit="min")
    frame = pd.DataFrame({"start": start, "month": start.month, "day": start.day_name(), "hour": start.hour})
    frame["weekend"] = start.day_of_week >= 5
    frame["season"] = np.array(["winter", "spring", "summer", "autumn"])[start.month % 12 // 3]
    assert facts_of(frame) == [
        "the weekday of start fixes day",
        "the weekday of start fixes weekend",
        "the hour of start fixes hour",
        "the month of start fixes month",
        "the month of start fixes season",
    ]


def test_labels_that_hardly_repeat_fix_nothing():
    frame = pd.DataFrame(
        {"word": [f"w{i}" for i in RNG.integers(0, 3_000, ROWS)], "sort": RNG.choice(list("ab"), ROWS)}
    )
    assert facts_of(frame) == []


def test_cells_missing_together_or_wherever_another_is():
    frame = pd.DataFrame({"left": money(), "right": money(), "more": money(), "free": money()})
    hole = RNG.random(ROWS) < 0.05
    frame.loc[hole, ["left", "right"]] = np.nan
    frame.loc[hole | (RNG.random(ROWS) < 0.2), "more"] = np.nan
    frame.loc[RNG.random(ROWS) < 0.1, "free"] = np.nan
    assert sorted(facts_of(frame)) == [
        "left is missing wherever right is",
        "more is missing wherever left is",
        "right is missing wherever left is",
    ]


def test_a_table_of_500_columns_is_searched_within_seconds():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.gamma(2, 10, (2_000, 500)).round(1), columns=[f"c{i}" for i in range(500)])
    frame["c499"] = (frame.c3 + frame.c77).round(1)
    start = time.perf_counter()
    assert "c499 = c3 + c77" in facts_of(frame)
    assert time.perf_counter() - start < 30  # a few seconds; the rest is for a loaded machine


def test_a_fact_says_which_columns_it_is_about():
    fact = Fact(kind="sum", column="a", of=("b",), minus=("c",))
    assert fact.columns == ("a", "b", "c")
    assert str(fact) == "a = b - c"
    half = Fact(kind="product", column="a", of=("b", "c"), minus=("d",), factor=0.5)
    assert half.columns == ("a", "b", "c", "d")
    assert str(half) == "a = 0.5 * b * c / d"
    assert str(Fact(kind="product", column="a", of=(), minus=("d",))) == "a = 1 / d"
    grade = Fact(kind="linear", column="a", of=("b", "c", "d"), weights=(0.5, 1, -2), offset=-3.5)
    assert str(grade) == "a = 0.5 * b + c - 2 * d - 3.5"
    with pytest.raises(ValueError, match="as many weights, none 0, as columns"):
        Fact(kind="linear", column="a", of=("b", "c"), weights=(0.5,))
    with pytest.raises(ValueError, match="none 0"):
        Fact(kind="linear", column="a", of=("b",), weights=(0,))


def test_arithmetic_of_numbers_of_few_values_comes_before_what_they_fix():
    quantity, price = 1 + RNG.poisson(1.5, ROWS), RNG.choice([4.99, 9.0, 14.5, 49.0, 99.0], ROWS)
    frame = pd.DataFrame({"quantity": quantity, "price": price, "net": (quantity * price).round(2)})
    frame["gross"] = (1.25 * frame.net).round(2)
    assert facts_of(frame) == ["net = quantity * price", "gross = 1.25 * net"]
    liens, bankrupt = RNG.poisson(0.4, ROWS), RNG.poisson(0.3, ROWS)
    frame = pd.DataFrame({"liens": liens, "bankrupt": bankrupt, "failed": liens + bankrupt})
    assert facts_of(frame) == ["failed = liens + bankrupt"]


def test_what_a_label_fixes_is_looked_up_though_it_is_a_sum_too():
    dish = RNG.integers(0, 12, ROWS)
    net = RNG.integers(400, 3_000, 12)[dish] / 100
    frame = pd.DataFrame({"dish": [f"d{i}" for i in dish], "net": net, "tip": RNG.integers(0, 9, ROWS) / 2})
    frame["tax"] = (0.19 * net).round(2)
    frame["gross"] = (frame.net + frame.tax).round(2)
    frame["paid"] = (frame.gross + frame.tip).round(2)
    found = facts_of(frame)
    assert [fact.partition(" = ")[0] for fact in found if "=" in fact] == ["paid"]
    assert {"dish fixes net", "dish fixes tax", "dish fixes gross"} < set(found)


def test_a_clock_is_a_weighted_sum():
    hour, minute = RNG.integers(0, 24, ROWS), RNG.integers(0, 60, ROWS)
    frame = pd.DataFrame({"hour": hour, "minute": minute, "time": 100 * hour + minute})
    assert facts_of(frame) == ["time = 100 * hour + minute"]


def test_weighted_sums():
    high, low = RNG.normal(20, 8, ROWS).round(1), RNG.normal(8, 6, ROWS).round(1)
    frame = pd.DataFrame({"high": high, "low": low, "mean": (high + low) / 2})
    assert facts_of(frame) == ["mean = 0.5 * high + 0.5 * low"]
    frame = pd.DataFrame({"celsius": high, "fahrenheit": (1.8 * high + 32).round(2)})
    assert facts_of(frame) == ["fahrenheit = 1.8 * celsius + 32"]
    fat, carbs, protein = (RNG.gamma(3, 5, ROWS).round(1) for _ in range(3))
    frame = pd.DataFrame({"fat": fat, "carbs": carbs, "protein": protein})
    frame["kcal"] = np.rint(9 * fat + 4 * carbs + 4 * protein)
    assert facts_of(frame) == ["kcal = 9 * fat + 4 * carbs + 4 * protein"]


def test_a_weighted_sum_is_found_beside_columns_that_are_like_it():
    a, b, c = (RNG.normal(0, 20, ROWS).round(2) for _ in range(3))
    frame = pd.DataFrame({"like": 2 * a - b + RNG.normal(0, 5, ROWS), "a": a, "b": b, "c": c})
    frame["score"] = (2 * a - b + 0.25 * c).round(4)
    assert facts_of(frame) == ["score = 2 * a + 0.25 * c - b"]


def test_numbers_that_only_go_together_are_no_weighted_sum():
    a, b = RNG.normal(0, 20, ROWS).round(1), RNG.normal(0, 20, ROWS).round(1)
    frame = pd.DataFrame({"a": a, "b": b, "c": (0.3 * a + 0.7 * b + RNG.normal(0, 2, ROWS)).round(1)})
    assert facts_of(frame) == []
    kind = RNG.integers(1, 4, ROWS)
    frame = pd.DataFrame({"kind": kind, "size": kind**3, "worth": np.array([3, 5, 12])[kind - 1]})
    assert not any("*" in fact for fact in facts_of(frame))  # any three values are a weighted sum of two such columns


def test_of_two_tied_counts_and_their_share_a_count_is_worked_out_and_not_the_share():
    seen = np.rint(RNG.lognormal(6, 1.2, ROWS)) + 5
    share = RNG.uniform(0.6, 1, ROWS)
    frame = pd.DataFrame({"seen": seen, "bought": np.rint(seen * share)})
    frame["rate"] = (frame.bought / frame.seen).round(4)
    assert facts_of(frame)[0].partition(" ")[0] in ("seen", "bought")
    assert not any(fact.startswith("rate") for fact in facts_of(frame))


def test_a_column_is_picked_for_what_it_explains_beside_those_that_are_picked():
    area, ratio = RNG.normal(0, 1, ROWS), RNG.normal(0, 0.2, ROWS)
    like = [ratio + RNG.normal(0, 0.2, ROWS) for _ in range(4)]
    covariance = np.cov(np.column_stack([ratio, area, area + ratio, *like]), rowvar=False)
    picked = list(pursue(covariance, 0, most=3, unexplained=1e-6, starts=6))
    assert {frozenset(columns) for columns in picked} >= {frozenset({1, 2})}


def test_what_needs_no_rounding_is_worked_out_although_its_factors_go_together():
    quantity = RNG.integers(1, 40, ROWS)
    price = (600 / quantity * RNG.uniform(0.2, 1, ROWS)).round(2)
    frame = pd.DataFrame({"quantity": quantity, "price": price, "total": (quantity * price).round(2)})
    assert facts_of(frame) == ["total = quantity * price"]
