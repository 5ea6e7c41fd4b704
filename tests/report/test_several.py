from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tabgan.errors import DataError
from tabgan.progress import Progress
from tabgan.report import Report, evaluate
from tabgan.report.several import joined
from tabgan.report.verdict import Verdict


def judged(report: Report, score: float, scores: dict[str, float]) -> Report:
    return replace(report, scores=scores, verdict=Verdict(score=score, grade="fair", parts={}))


def test_the_worst_table_is_shown_with_median_and_range_of_all(same: Report) -> None:
    reports = [
        judged(same, score, {"shape": shape} | more)
        for score, shape, more in ((0.6, 0.9, {"tstr": 0.5}), (0.5, 0.7, {}), (0.9, 0.8, {"tstr": 0.6}))
    ]
    found = joined(reports)
    assert found.scores == {"shape": 0.7}
    assert found.compared == 3
    assert found.spread == {"overall": (0.6, 0.5, 0.9), "shape": (0.8, 0.7, 0.9)}  # tstr is not known of all


def test_one_table_has_no_range(same: Report) -> None:
    assert joined([same]) is same


def test_several_tables_are_compared_at_once() -> None:
    rng = np.random.default_rng(0)
    real, fresh = (
        pd.DataFrame({"size": rng.choice(list("SML"), 200), "price": rng.normal(size=200)}) for _ in range(2)
    )
    worse = fresh.assign(price=fresh["price"] + 1)
    told: list[Progress] = []
    report = evaluate(real, [fresh, worse], progress=told.append)
    alone = evaluate(real, worse)
    assert report.scores == pytest.approx(alone.scores)
    assert report.spread["shape"][1] == report.scores["shape"] < report.spread["shape"][0]
    assert [each.step for each in told] == list(range(9))
    assert {each.steps for each in told} == {9}
    page = report.to_html()
    assert "Over 2 synthetic tables" in page
    assert "Over 2 synthetic tables" in report.to_markdown()
    assert "Over 2 synthetic tables" not in alone.to_html()


def test_no_table_at_all_is_an_error(orders: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no synthetic table to compare"):
        evaluate(orders, [])
