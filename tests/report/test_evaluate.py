from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tabgan.errors import DataError, FileError
from tabgan.progress import Progress
from tabgan.report import Report, evaluate
from tabgan.report.columns import comparable
from tabgan.report.likeness import ceiling, likeness
from tabgan.schema import Schema


def alike(scores: dict[str, float]) -> dict[str, float]:
    """Shape and Trend alone."""
    return {name: scores[name] for name in ("shape", "trend") if name in scores}


def test_a_table_is_wholly_like_itself(same: Report) -> None:
    assert alike(same.scores) == pytest.approx({"shape": 1, "trend": 1})


def test_shuffled_columns_keep_shape_and_lose_trend(orders: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    shuffled = orders.apply(lambda column: rng.permutation(column))
    report = evaluate(orders, shuffled)
    assert report.scores["shape"] == pytest.approx(1)
    assert report.scores["trend"] < report.baselines["holdout"]["trend"] - 0.02
    assert report.scores["trend"] == pytest.approx(report.baselines["independent"]["trend"], abs=0.01)


def test_the_ceiling_is_the_score_of_the_holdout(orders: pd.DataFrame) -> None:
    real, holdout = orders.iloc[:400], orders.iloc[400:]
    ceiling = evaluate(real, orders.sample(50, random_state=0), holdout=holdout).baselines["holdout"]
    assert alike(ceiling) == pytest.approx(alike(evaluate(real, holdout).scores))


def test_without_a_holdout_the_ceiling_is_near_what_other_real_rows_get(orders: pd.DataFrame) -> None:
    rows = pa.Table.from_pandas(orders, preserve_index=False)
    whole = comparable(Schema.infer(rows), {"real": rows})["real"]
    ceilings, scores = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        order = rng.permutation(600)
        real, fresh = whole.take(order[:300]), whole.take(order[300:])
        ceilings.append(ceiling({"real": real, "synthetic": fresh}, rng))
        scores.append(likeness(real, fresh))
    for name in ("shape", "trend"):
        found, given = (np.mean([each[name] for each in of]) for of in (ceilings, scores))
        assert found == pytest.approx(given, abs=0.015)


def test_fewer_synthetic_rows_have_a_lower_ceiling(orders: pd.DataFrame, same: Report) -> None:
    few, many = evaluate(orders, orders.head(30)), same
    assert few.baselines["holdout"]["trend"] < many.baselines["holdout"]["trend"] - 0.05
    assert alike(few.baselines["independent"]) == alike(many.baselines["independent"])


def test_the_seed_fixes_all_numbers(orders: pd.DataFrame, same: Report) -> None:
    again, other = (evaluate(orders, orders, seed=seed) for seed in (0, 1))
    assert same.to_json() == again.to_json()
    assert same.baselines != other.baselines


def test_the_damaged_column_and_pair_are_the_least_alike(orders: pd.DataFrame) -> None:
    synthetic = orders.assign(
        price=orders["price"] * 1.5, paid=orders["paid"].sample(frac=1, random_state=0).to_numpy()
    )
    report = evaluate(orders, synthetic)
    scored = {name: score.similarity for name, score in report.columns.items() if score.similarity is not None}
    assert min(scored, key=scored.__getitem__) == "price"
    pairs = [pair for pair in report.pairs if pair.similarity is not None]
    assert "paid" in min(pairs, key=lambda pair: pair.similarity).columns


def test_keys_are_listed_and_not_scored(orders: pd.DataFrame, same: Report) -> None:
    assert list(same.columns) == list(orders)
    assert same.columns["order_id"].similarity is None
    assert same.columns["order_id"].note == "a row identifier"
    assert not any("order_id" in pair.columns for pair in same.pairs)
    assert any("order_id" in note for note in same.notes)


def test_a_csv_with_dates_as_text_compares_with_a_parquet_file(orders: pd.DataFrame, tmp_path: Path) -> None:
    orders.to_csv(tmp_path / "real.csv", index=False)
    orders.to_parquet(tmp_path / "synthetic.parquet")
    report = evaluate(tmp_path / "real.csv", tmp_path / "synthetic.parquet")
    assert report.columns["day"].kind == "datetime"
    assert alike(report.scores) == pytest.approx({"shape": 1, "trend": 1})
    assert report.tables["real"].name == "real.csv"


def test_frames_of_both_libraries_score_alike(orders: pd.DataFrame, same: Report) -> None:
    assert evaluate(pl.from_pandas(orders), orders).scores == pytest.approx(same.scores)


def test_a_single_column_has_no_trend(orders: pd.DataFrame) -> None:
    report = evaluate(orders[["price"]], orders[["price"]])
    assert alike(report.scores) == {"shape": 1.0}
    assert report.pairs == ()
    assert "Pairs of columns" not in report.to_html()


def test_what_is_left_out_is_said(orders: pd.DataFrame) -> None:
    synthetic = orders.assign(weight=np.nan, tax=0.5, extra=1)
    notes = " ".join(evaluate(orders, synthetic).notes)
    assert "no value there: 'weight'" in notes
    assert "in one of the tables (KS leaves them out): 'weight'" in notes
    assert "pair(s) have no correlation" in notes
    assert "not compared: 'extra'" in notes


@pytest.mark.parametrize("part", ["synthetic", "holdout"])
def test_a_missing_column_is_named(orders: pd.DataFrame, part: str) -> None:
    tables = {"synthetic": orders, "holdout": orders} | {part: orders.drop(columns=["price", "size"])}
    with pytest.raises(DataError, match=rf"the {part} table lacks 2 column\(s\) of the real table: 'size', 'price'"):
        evaluate(orders, [orders, tables["synthetic"]], holdout=tables["holdout"])


def test_one_real_row_needs_a_holdout() -> None:
    one, few = pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises(DataError, match="cannot be split in two"):
        evaluate(one, few)
    assert alike(evaluate(one, few, holdout=few).scores) == {"shape": 0.5}


def test_nothing_but_identifiers_is_an_error() -> None:
    keys = pd.DataFrame({"id": range(100)})
    with pytest.raises(DataError, match="nothing to compare but row identifiers"):
        evaluate(keys, keys)


def test_an_absent_file_is_named(tmp_path: Path, orders: pd.DataFrame) -> None:
    with pytest.raises(FileError, match=r"absent\.csv"):
        evaluate(orders, tmp_path / "absent.csv")


def table(rows: int, seed: int) -> pd.DataFrame:
    """Two tied numbers, a label that they fix in part, and a number that they predict."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    y = x + 0.3 * rng.normal(size=rows)
    label = np.where(x + 0.5 * rng.normal(size=rows) > 0, "up", "down")
    return pd.DataFrame({"x": x, "y": y, "label": label, "sum": x + y + 0.1 * rng.normal(size=rows)})


REAL, FRESH, HELD = table(800, 0), table(800, 1), table(800, 2)
TABLES = {
    "fresh": FRESH,
    "shuffled": REAL.apply(lambda column: column.sample(frac=1, random_state=len(column.name)).to_numpy()),
    "near": REAL.assign(x=REAL.x + 0.001, y=REAL.y + 0.001),
    "copied": REAL,
}


@cache
def evaluated(name: str, target: str = "sum", *, holdout: bool = True) -> Report:
    return evaluate(REAL, TABLES[name], holdout=HELD if holdout else None, target=target)


def test_detection_finds_shuffled_columns_and_not_fresh_rows() -> None:
    assert evaluated("fresh").scores["c2st_auc"] == pytest.approx(0.5, abs=0.05)
    shuffled = evaluated("shuffled")
    assert shuffled.scores["c2st_auc"] > 0.9
    assert shuffled.baselines["independent"]["c2st_auc"] > 0.9
    assert shuffled.baselines["holdout"]["c2st_auc"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("target", ["label", "sum"])
def test_utility_is_high_for_fresh_rows_and_nothing_for_shuffled_ones(target: str) -> None:
    fresh = evaluated("fresh", target)
    assert fresh.scores["tstr"] > 0.9
    assert fresh.scores["tstr"] == pytest.approx(fresh.baselines["holdout"]["tstr"], abs=0.02)
    assert fresh.baselines["independent"]["tstr"] < 0.65
    assert evaluated("shuffled", target).scores["tstr"] < 0.65


def test_without_a_holdout_utility_is_tested_on_a_fifth_of_the_real_table() -> None:
    assert evaluated("fresh", holdout=False).scores["tstr"] > 0.9


def test_an_unknown_target_is_answered_with_its_neighbour() -> None:
    told: list[Progress] = []
    with pytest.raises(DataError, match=r"there is no column 'lable' to predict; did you mean 'label'\?"):
        evaluate(REAL, FRESH, target="lable", progress=told.append)
    assert [each.stage for each in told] == ["reading"]  # before the slow part


def test_memory_is_seen_where_rows_lie_beside_real_ones() -> None:
    assert evaluated("fresh").scores["dcr_share"] == pytest.approx(0.5, abs=0.06)
    assert evaluated("near").scores["dcr_share"] > 0.9
    assert "dcr_share" not in evaluated("fresh", holdout=False).scores


def test_copies_are_counted() -> None:
    half = pd.concat([REAL.head(400), FRESH.head(400)])
    assert evaluate(REAL, half).scores["exact_copies"] == pytest.approx(0.5)
    assert evaluated("fresh").scores["exact_copies"] == 0


@pytest.mark.parametrize(
    ("synthetic", "says"),
    [
        (
            "fresh",
            ["no better than other real rows", "is as good on real rows", "lie no nearer", "No more synthetic rows"],
        ),
        ("shuffled", ["is of no use on real rows"]),
        ("copied", ["lie nearer to the rows they were made from", "copies of a real row"]),
    ],
)
def test_the_page_reads_the_figures(synthetic: str, says: list[str]) -> None:
    page = evaluated(synthetic).to_html()
    for sentence in says:
        assert sentence in page
