from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabgan.report import evaluate
from tabgan.report.model import UNSEEN, likelihood_auc, log_probabilities, training_curves

RECORDS: list[dict[str, Any]] = [
    {"stage": "warm-up", "step": 10, "loss": 2.0, "held_out": 1.5},
    {"stage": "warm-up", "step": 20, "loss": 1.0, "held_out": 1.25},
    {"stage": "game", "step": 0, "gap": 0.0, "c2st": 0.9},
    {"stage": "game", "step": 5, "gap": 0.5, "critic_gradient": 0.25, "generator_gradient": 0.75, "c2st": 0.6},
    {"stage": "game", "restored": 1, "step": 6},
]


class Histogram:
    """A model that has learned how often each label comes, and nothing else."""

    def __init__(self, members: pa.Table) -> None:
        self.history_ = RECORDS
        self.spending_ = None
        self._shares = members["size"].to_pandas().value_counts(normalize=True)

    def score_samples(self, data: pa.Table) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._shares.reindex(data["size"].to_pylist(), fill_value=0.0).to_numpy())


def sizes(text: str) -> pa.Table:
    return pa.table({"size": list(text)})


def test_curves_of_the_fit_have_a_point_a_record() -> None:
    curves = training_curves(RECORDS)
    assert curves["Held-out error of the warm-up (cross-entropy)"] == ((10, 1.5), (20, 1.25))
    assert curves["Wasserstein estimate of the critic (game)"] == ((0, 0.0), (5, 0.5))
    assert curves["Held-out error of the game (AUC of boosted trees, 0.5 is best)"] == ((0, 0.9), (5, 0.6))
    assert len(curves) == 3  # of one point there is no curve


def test_a_label_that_no_fitted_row_has_is_told_for_certain() -> None:
    members = sizes("SSSM")
    found = log_probabilities(Histogram(members), sizes("SMX"))
    assert found.tolist() == [np.log(0.75), np.log(0.25), UNSEEN]


def test_members_are_guessed_by_their_probability() -> None:
    members = sizes("SSSM")
    model = Histogram(members)
    assert likelihood_auc(model, members, sizes("XXXX"), 0).value == 1
    assert likelihood_auc(model, members, members, 0).value == 0.5
    # Pairs of a member and another row: 3 of 4 members are more probable than M, the last is as probable.
    assert likelihood_auc(model, members, sizes("MMMM"), 0).value == 0.75 + 0.25 / 2


def test_the_report_shows_the_fit_and_with_a_holdout_what_the_model_tells() -> None:
    rng = np.random.default_rng(0)
    real, holdout = (pd.DataFrame({"size": rng.choice(list("SML"), 60)}) for _ in range(2))
    model = Histogram(pa.Table.from_pandas(real, preserve_index=False))
    alone, both = evaluate(real, real, model=model), evaluate(real, real, model=model, holdout=holdout)
    assert "likelihood_auc" not in alone.scores
    assert 0.3 < both.scores["likelihood_auc"] < 0.7
    assert both.looked_at["the model"] == 60
    assert "Membership by the model" in both.to_html()
    assert "can be found out with a holdout" not in both.to_html()
    assert "can be found out with a holdout" in alone.to_html()
    assert "Wasserstein estimate of the critic (game)" in alone.to_html()
    assert "Wasserstein estimate" not in evaluate(real, real).to_html()
