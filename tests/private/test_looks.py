"""Noisy counts, the thresholds of unknown cells, and that no more is asked than was planned."""

from __future__ import annotations

import numpy as np
import pytest

from tabgan.private.budget import Budget, Spending
from tabgan.private.looks import Looks, secret_rng


def _spending(**settings) -> Spending:
    usual = {"count_epsilon": 0.1, "looks": 10**6, "look_noise": 20.0, "thresholds": 10**6, "threshold_delta": 1e-6}
    return Spending(**{"budget": Budget(3.0), "pair_noise": 2.0, **usual, **settings})


def test_counts_have_the_noise_that_was_planned():
    found = Looks(_spending(), np.random.default_rng(0)).known(np.full(20_000, 1_000.0))
    assert found.mean() == pytest.approx(1_000, abs=1)
    assert found.std() == pytest.approx(20, rel=0.03)
    assert (found == np.rint(found)).all()


def test_no_count_is_negative():
    assert Looks(_spending(), np.random.default_rng(0)).known(np.zeros(1_000)).min() == 0


def test_a_label_of_one_row_comes_out_no_more_often_than_promised():
    looks = Looks(_spending(threshold_delta=0.02), np.random.default_rng(0))
    shown = looks.unknown(np.ones(200_000)) > 0
    assert 0.017 < shown.mean() <= 0.0205


def test_a_label_of_many_rows_comes_out():
    assert (Looks(_spending(), np.random.default_rng(0)).unknown(np.full(1_000, 300.0)) > 0).all()


def test_the_number_of_rows_is_about_right_and_never_exact_by_design():
    looks = Looks(_spending(), np.random.default_rng(0))
    found = np.array([looks.rows(5_000) for _ in range(4_000)])
    assert np.abs(found - 5_000).mean() == pytest.approx(10, rel=0.1)  # of Laplace noise this is the scale
    assert looks.rows(1) >= 1


def test_more_looks_than_were_planned_are_an_error():
    looks = Looks(_spending(looks=2, thresholds=1), np.random.default_rng(0))
    looks.unknown(np.ones(3))
    with pytest.raises(RuntimeError, match="more looks than were planned"):
        looks.unknown(np.ones(3))
    looks.known(np.ones(3))
    with pytest.raises(RuntimeError, match="more looks than were planned"):
        looks.known(np.ones(3))


def test_noise_cannot_be_made_again():
    assert secret_rng().random() != secret_rng().random()
