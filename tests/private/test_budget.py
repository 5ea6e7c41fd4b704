"""What is spent, against a second accountant, against the closed form for one Gaussian look, and against an attack."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from opacus.accountants import PRVAccountant
from scipy.optimize import brentq
from scipy.stats import norm

from tabgan.errors import ConfigError
from tabgan.private.budget import THRESHOLD_SHARE, Budget, composed, plan_looks, plan_steps

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:opacus.*", "ignore::UserWarning:opacus.*")


def _analytic(noise: float, delta: float) -> float:
    """The epsilon of one Gaussian look (Balle and Wang 2018, theorem 8)."""

    def off(epsilon: float) -> float:
        a, b = 1 / (2 * noise), epsilon * noise
        return norm.cdf(a - b) - math.exp(epsilon) * norm.cdf(-a - b) - delta

    return brentq(off, 0.0, 50.0)


@pytest.mark.parametrize("noise", [0.8, 2.0, 5.0])
def test_one_look_costs_what_the_closed_form_says(noise):
    assert composed([(noise, 1.0, 1)], 1e-5) == pytest.approx(_analytic(noise, 1e-5), rel=0.005)


def test_looks_add_up_by_their_squares():
    assert composed([(6.0, 1.0, 9)], 1e-5) == pytest.approx(composed([(2.0, 1.0, 1)], 1e-5), rel=0.005)


@pytest.mark.parametrize("epsilon", [1.0, 10.0])
def test_a_whole_plan_agrees_with_a_second_accountant(epsilon):
    budget = Budget(epsilon)
    plan = plan_steps(plan_looks(budget, looks=33, thresholds=15), steps=600, batch_share=0.15)
    assert 0.99 * epsilon <= plan.epsilon <= epsilon
    other = PRVAccountant()
    other.history = [
        (plan.look_noise / 33**0.5, 1.0, 1),
        (plan.pair_noise, 1.0, 1),
        (plan.step_noise, plan.batch_share, plan.steps),
    ]
    rest = budget.delta * (1 - THRESHOLD_SHARE)
    assert plan.count_epsilon + other.get_epsilon(rest) == pytest.approx(plan.epsilon, rel=0.02)


def test_less_noise_breaks_the_promise():
    plan = plan_steps(plan_looks(Budget(3.0), looks=10, thresholds=5), steps=600, batch_share=0.15)
    assert replace(plan, step_noise=0.9 * plan.step_noise).epsilon > 3.05
    assert replace(plan, look_noise=0.5 * plan.look_noise).epsilon > 3.05
    assert replace(plan, thresholds=0).epsilon < 3.0


def test_a_plan_survives_the_model_file():
    plan = plan_steps(plan_looks(Budget(3.0, 1e-6), looks=10, thresholds=5), steps=10, batch_share=0.15)
    assert type(plan).restore(plan.as_json()) == plan


@pytest.mark.parametrize(
    ("epsilon", "delta", "message"),
    [(0, 1e-5, "epsilon is 0"), (-1, 1e-5, "epsilon is -1"), (3, 0, "delta is 0"), (3, 0.5, "far below 1 / rows")],
)
def test_a_budget_outside_its_range_is_refused(epsilon, delta, message):
    with pytest.raises(ConfigError, match=message):
        Budget(epsilon, delta)


def test_a_budget_that_buys_nothing_is_refused():
    with pytest.raises(ConfigError, match="so small that nothing can be learned"):
        plan_looks(Budget(1e-6), looks=10, thresholds=5)
