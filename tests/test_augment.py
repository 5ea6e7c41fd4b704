"""The sampler inside imbalanced-learn: its contract, pipelines, and whether it helps."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from tabgan import TrainConfig
from tabgan.augment import SyntheticOverSampler, augment_report

QUICK = TrainConfig(warmup_steps=12, folds=1, game_steps=0, rounds=2)
RNG = np.random.default_rng(4)
ROWS = 600
X = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, ROWS),
        "plan": RNG.choice(["basic", "plus"], ROWS),
        "spend": RNG.gamma(2, 30, ROWS).round(2),
        "visits": pd.array(np.where(RNG.random(ROWS) < 0.1, None, RNG.poisson(3, ROWS)), dtype="Int64"),
    },
    index=np.arange(ROWS) + 50,
)
Y = pd.Series(np.where((X["age"] > 55) & (RNG.random(ROWS) < 0.4), "left", "stays"), index=X.index, name="churn")

EXPECTED_TO_FAIL = {
    "check_samplers_sparse": "sparse matrices have no columns to learn types of",
    "check_samplers_pandas_sparse": "sparse columns are read as dense ones, and come back so",
}


CHECKS = estimator_checks_generator(SyntheticOverSampler(random_state=0, train=QUICK))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("estimator", "check"), list(CHECKS), ids=lambda each: str(each).split("function ")[-1].split(" at ")[0][:50]
)
def test_the_contract_of_imbalanced_learn(estimator, check) -> None:
    if check.func.__name__ in EXPECTED_TO_FAIL:
        pytest.skip(EXPECTED_TO_FAIL[check.func.__name__])
    check(estimator)


def test_rare_classes_get_as_many_rows_and_the_given_ones_stay() -> None:
    rows, labels = SyntheticOverSampler(random_state=0, train=QUICK).fit_resample(X, Y)
    assert labels.value_counts().nunique() == 1
    assert rows.dtypes.to_dict() == X.dtypes.to_dict()
    pd.testing.assert_frame_equal(rows.head(ROWS), X.reset_index(drop=True))
    assert (labels.head(ROWS).to_numpy() == Y.to_numpy()).all()
    new = rows[ROWS:]
    assert set(new["plan"]) <= {"basic", "plus"}
    assert (labels[ROWS:] == "left").all()
    again, _ = SyntheticOverSampler(random_state=0, train=QUICK).fit_resample(X, Y)
    pd.testing.assert_frame_equal(again, rows)


def test_new_rows_are_of_their_class() -> None:
    sampler = SyntheticOverSampler(random_state=0, train=TrainConfig(warmup_steps=400, folds=1, game_steps=0, rounds=4))
    rows, _ = sampler.fit_resample(X, Y)
    real = X["age"][(Y == "left").to_numpy()]
    assert rows["age"][ROWS:].median() == pytest.approx(real.median(), abs=5)
    assert X["age"].median() < real.median() - 10


def test_a_strategy_says_how_many() -> None:
    sampler = SyntheticOverSampler(sampling_strategy={"left": 150, "stays": 600}, random_state=0, train=QUICK)
    _, labels = sampler.fit_resample(X, Y)
    assert labels.value_counts().to_dict() == {"stays": 600, "left": 150}


def test_it_works_in_a_pipeline_and_a_search() -> None:
    numbers = X[["age", "spend"]].to_numpy()
    pipeline = make_pipeline(SyntheticOverSampler(random_state=0, train=QUICK), LogisticRegression())
    search = GridSearchCV(pipeline, {"syntheticoversampler__sampling_strategy": [0.5, 1.0]}, cv=2, scoring="roc_auc")
    search.fit(numbers, Y.to_numpy())
    assert search.best_score_ > 0.6
    assert search.predict(numbers[:7]).shape == (7,)  # rows to predict are neither added to nor changed


def test_the_report_says_whether_it_helps() -> None:
    numbers = X[["age", "spend"]]
    estimator = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    report = augment_report(numbers, Y, estimator, folds=3, sampler=SyntheticOverSampler(random_state=0, train=QUICK))
    assert list(report.index) == [
        "no augmentation",
        "class weights",
        "RandomOverSampler",
        "SMOTE",
        "SyntheticOverSampler",
    ]
    assert report["mean"].between(0.5, 1).all()
    assert report.loc["no augmentation", "lift"] == 0
    assert set(report["helps"][1:]) <= {"yes", "no", "worse"}
    with_labels = augment_report(
        X[["age", "plan"]].astype({"plan": "category"}),
        Y,
        HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype"),
        folds=2,
        sampler=SyntheticOverSampler(train=QUICK),
    )
    assert "SMOTENC" in with_labels.index


def test_without_imbalanced_learn_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['imblearn'] = None; import tabgan.augment"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1].endswith("needs imbalanced-learn: pip install 'tabgan-wgan[augment]'")
