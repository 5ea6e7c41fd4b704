"""The privacy budget: how much noise each look at the rows needs, so that all of them together keep the promise.

What is promised is (epsilon, delta)-differential privacy for adding or removing one row (Dwork and Roth 2014, "The
algorithmic foundations of differential privacy", definition 2.4). The number of rows is asked first and by itself; all
that follows may depend on the answer, since the promises of both add up. The rest is composed by the privacy loss
distribution (Koskela et al. 2020) as Google's dp-accounting works it out, an upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from tabgan.errors import ConfigError

DELTA = 1e-5
"""By default: with more than 100,000 rows ask for less."""
COUNT_SHARE = 0.02
"""Of epsilon, for the number of rows."""
LOOK_SHARE, PAIR_SHARE = 0.15, 0.25
"""Of the squared signal-to-noise ratio that the rest of the budget allows a single look, for the histograms of columns
and for the tables of pairs: these ratios add up (Dong et al. 2022, "Gaussian differential privacy", corollary 3.3). The
steps of the descent get what is left."""
THRESHOLD_SHARE = 0.1
"""Of delta, for labels that come out although one row alone holds them."""
INTERVAL = 1e-3
"""Privacy losses are rounded up to multiples of this: of 600 steps epsilon is too high by 0.0003, ten times faster than
by default."""
PRECISION = 1e-3
"""To which share noise is worked out."""
MOST_NOISE = 1e4
"""A budget that needs more noise than this leaves nothing to learn."""


@dataclass(frozen=True)
class Budget:
    """What is promised."""

    epsilon: float
    delta: float = DELTA

    def __post_init__(self) -> None:
        if not 0 < self.epsilon <= 100:
            raise ConfigError(f"epsilon is {self.epsilon}; use a number above 0, such as 3 (at most 100).")
        if not 0 < self.delta <= 1e-3:
            raise ConfigError(f"delta is {self.delta}; use a number above 0 and far below 1 / rows, such as 1e-5.")


@dataclass(frozen=True)
class Spending:
    """What was asked of the rows and with how much noise, so that anybody can work out the promise again."""

    budget: Budget
    count_epsilon: float
    """Of the number of rows, with Laplace noise of scale 1 / this."""
    looks: int
    """Histograms, in each of which a row counts once."""
    look_noise: float
    """The standard deviation of the noise on every count."""
    thresholds: int
    """Histograms whose labels were not known beforehand."""
    threshold_delta: float
    """Of each of these: the chance that a label of one row comes out."""
    pair_noise: float
    """The standard deviation of the noise on the counts of pairs, in units of what one row moves all of them."""
    steps: int = 0
    batch_share: float = 0.0
    """The chance of each row to be in a batch, in each step by itself."""
    step_noise: float = 0.0
    """The standard deviation of the noise on a batch's gradient, in units of the norm to which a row's is clipped."""

    @property
    def epsilon(self) -> float:
        """The epsilon that is spent in all at the budget's delta."""
        rest = self.budget.delta - self.thresholds * self.threshold_delta
        events = [(self.pair_noise, 1.0, 1)]
        if self.looks:
            events.append((self.look_noise / self.looks**0.5, 1.0, 1))
        if self.steps:
            events.append((self.step_noise, self.batch_share, self.steps))
        return self.count_epsilon + composed(events, rest)

    def as_json(self) -> dict[str, Any]:
        """What the model file keeps."""
        return asdict(self)

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Spending:
        """Undo `as_json`."""
        return cls(**{**state, "budget": Budget(**state["budget"])})


def composed(events: list[tuple[float, float, int]], delta: float) -> float:
    """The epsilon of Gaussian looks, each (noise, share of the rows that it sees, times), one after the other.

    Raises `ConfigError` where dp-accounting is not installed."""
    try:
        from dp_accounting import dp_event, pld
    except ImportError:
        raise ConfigError("epsilon needs dp-accounting; install it by pip install 'tabgan-wgan[privacy]'.") from None
    accountant = pld.PLDAccountant(value_discretization_interval=INTERVAL)
    for noise, share, times in events:
        look = dp_event.GaussianDpEvent(noise)
        accountant.compose(look if share >= 1 else dp_event.PoissonSampledDpEvent(share, look), times)
    return float(accountant.get_epsilon(delta))


def plan_looks(budget: Budget, looks: int, thresholds: int) -> Spending:
    """The noise of `looks` histograms, of which `thresholds` have labels that were not known beforehand, and that of
    the pairs."""
    count_epsilon = COUNT_SHARE * budget.epsilon
    rest = budget.delta * (1 - THRESHOLD_SHARE)
    alone = _least_noise(lambda noise: composed([(noise, 1.0, 1)], rest), budget.epsilon - count_epsilon)
    return Spending(
        budget=budget,
        count_epsilon=count_epsilon,
        looks=looks,
        look_noise=alone * (looks / LOOK_SHARE) ** 0.5,
        thresholds=thresholds,
        threshold_delta=budget.delta * THRESHOLD_SHARE / max(1, thresholds),
        pair_noise=alone / PAIR_SHARE**0.5,
    )


def plan_steps(spent: Spending, steps: int, batch_share: float) -> Spending:
    """`spent`, and so many steps with the least noise that what is left of the budget allows."""

    def planned(noise: float) -> Spending:
        return replace(spent, steps=steps, batch_share=batch_share, step_noise=noise)

    return planned(_least_noise(lambda noise: planned(noise).epsilon, spent.budget.epsilon))


def _least_noise(epsilon_of: Callable[[float], float], epsilon: float) -> float:
    """The least noise, to `PRECISION`, at which no more than `epsilon` is spent."""
    low, high = 0.2, 1.0
    while epsilon_of(high) > epsilon:
        low, high = high, 2 * high
        if high > MOST_NOISE:
            raise ConfigError(f"epsilon {epsilon:g} is so small that nothing can be learned; ask for more.")
    while high / low > 1 + PRECISION:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if epsilon_of(middle) <= epsilon else (middle, high)
    return high
