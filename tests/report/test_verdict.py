import re

import numpy as np
import pandas as pd
import pytest

from tabgan.report import Report, evaluate
from tabgan.report.verdict import find_alarms, judge


def table(rows: int, seed: int) -> pd.DataFrame:
    """Tied numbers and labels."""
    rng = np.random.default_rng(seed)
    x = rng.gamma(3, 10, rows)
    size = np.where(x + rng.normal(0, 5, rows) > 30, "large", "small")
    return pd.DataFrame(
        {
            "price": np.round(x, 2),
            "weight": np.round(x / 3 + rng.normal(0, 1, rows), 2),
            "size": size,
            "paid": x + rng.normal(0, 15, rows) > 25,
            "colour": rng.choice(["red", "green", "blue"], rows, p=[0.6, 0.3, 0.1]),
        }
    )


REAL, HELD, FRESH = table(1_200, 0), table(1_200, 1), table(1_200, 2)


def about(report: Report) -> set[str]:
    return {alarm.about for alarm in report.alarms}


def test_fresh_real_rows_raise_no_alarm_and_stand_at_the_ceiling() -> None:
    report = evaluate(REAL, FRESH, holdout=HELD, target="size")
    assert report.alarms == ()
    assert report.verdict.grade == "excellent"
    assert set(report.verdict.parts) == {"columns", "pairs", "detection", "use", "diversity", "privacy"}
    for name in ("shape", "dependence", "knn_precision", "knn_recall", "c2st_auc", "membership_auc", "singled_out"):
        assert report.scores[name] == pytest.approx(report.baselines["holdout"][name], abs=0.05)


@pytest.mark.parametrize("holdout", [HELD, None], ids=["holdout", "two tables alone"])
def test_a_copy_of_the_real_table_raises_a_privacy_alarm(holdout: pd.DataFrame | None) -> None:
    report = evaluate(REAL, REAL.sample(frac=1, random_state=0), holdout=holdout)
    assert about(report) == {"privacy"}
    assert report.verdict.score < 0.3
    assert report.scores["nndr"] == 0
    if holdout is not None:
        assert report.scores["membership_auc"] > 0.95


def test_shuffled_columns_raise_alarms_on_ties_and_detection() -> None:
    rng = np.random.default_rng(0)
    report = evaluate(REAL, REAL.apply(lambda column: rng.permutation(column)), holdout=HELD)
    assert {"trend", "detection"} <= about(report)
    assert report.verdict.grade == "poor"
    assert report.scores["logistic_auc"] < 0.6 < report.scores["c2st_auc"]  # and so the logistic one flatters


def test_one_row_repeated_raises_a_diversity_alarm() -> None:
    report = evaluate(REAL, REAL.iloc[[5] * 1_200], holdout=HELD)
    assert "diversity" in about(report)
    assert report.scores["most_repeated"] == 1_200
    assert report.verdict.grade == "poor"


def test_a_row_that_is_repeated_among_good_ones_is_seen() -> None:
    report = evaluate(REAL, pd.concat([FRESH.head(1_100), FRESH.iloc[[0] * 100]]))
    assert [alarm.about for alarm in report.alarms] == ["diversity"]
    assert "Among 600 synthetic rows one occurs" in report.alarms[0].text
    assert report.verdict.score <= 0.49


def test_a_column_shifted_by_5_percent_is_named_first() -> None:
    shifted = REAL.assign(weight=REAL["weight"] * 1.05).sample(frac=1, random_state=0)
    report = evaluate(REAL, shifted)
    similarity = {name: score.similarity or 0 for name, score in report.columns.items()}
    assert min(similarity, key=similarity.__getitem__) == "weight"
    assert max(report.importance, key=report.importance.__getitem__) == "weight"
    page = report.to_html()
    assert re.findall(r'<a href="#column-\d+">([^<]+)</a>', page)[0] == "weight"
    assert re.findall(r'<span class="name">([^<]+)</span><span class="bar telling"', page)[0] == "weight"


def test_the_overall_score_is_the_geometric_mean_of_its_parts() -> None:
    scores = {"shape": 0.95, "dependence": 0.93, "c2st_auc": 0.6}
    baselines = {"holdout": {"shape": 0.99, "dependence": 0.98, "c2st_auc": 0.4}, "independent": {"dependence": 0.9}}
    verdict = judge(scores, baselines, ())
    assert verdict.parts == pytest.approx({"columns": 0.6, "pairs": 3 / 8, "detection": 0.8})
    assert verdict.score == pytest.approx((0.6 * 3 / 8 * 0.8) ** (1 / 3))
    assert verdict.grade == "fair"


def test_an_alarm_caps_the_overall_score() -> None:
    scores, baselines = {"shape": 1.0, "exact_copies": 0.1}, {"holdout": {"shape": 1.0}, "independent": {}}
    alarms = find_alarms(scores, baselines, {}, {"privacy": 1_000})
    assert [alarm.about for alarm in alarms] == ["privacy"]
    assert judge(scores, baselines, ()).grade == "excellent"
    assert judge(scores, baselines, alarms).score == 0.49


def test_a_part_that_fails_is_not_made_up_for_by_others() -> None:
    scores, baselines = {"shape": 1.0, "dependence": 0.9}, {"holdout": {"shape": 1.0, "dependence": 1.0}}
    assert judge(scores, baselines | {"independent": {"dependence": 0.9}}, ()).score == 0
