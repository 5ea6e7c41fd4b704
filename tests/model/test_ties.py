import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model import copula as copula_module
from tabgan.model.copula import Copula
from tabgan.model.generator import Generator
from tabgan.model.ties import Ties, _factor
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.sampler import Sampler

ROWS, PLACES = 20_000, 40
X, Y, GAPS, LABEL, LONE = range(5)
LAYOUT = [
    Code("x", PLACES + 1, True),
    Code("y", PLACES + 1, True),
    Code("gaps", PLACES + 1, True),
    Code("label", 6, False),
    Code("lone", 4, False),
]
XY, XG, YG = 0.8, -0.5, -0.6


def made_codes() -> torch.Tensor:
    """Three tied numbers, of which one is missing where the first is high; a label that names the first one's fifth, in
    an order that is not the alphabet's; and a label that depends on nothing."""
    rng = np.random.default_rng(0)
    numbers = rng.multivariate_normal(np.zeros(3), [[1, XY, XG], [XY, 1, YG], [XG, YG, 1]], ROWS)
    ranks = np.argsort(np.argsort(numbers, axis=0), axis=0)
    places = 1 + ranks * PLACES // ROWS
    places[(numbers[:, 0] > 0.5) & (rng.random(ROWS) < 0.8), 2] = 0
    label = np.array([3, 1, 5, 2, 4])[ranks[:, 0] * 5 // ROWS]
    return torch.from_numpy(np.column_stack([places, label, rng.integers(1, 4, ROWS)]))


CODES = made_codes()
FREQUENCIES = torch.cat([torch.bincount(CODES[:, i], minlength=code.cardinality) for i, code in enumerate(LAYOUT)])
FREQUENCIES = FREQUENCIES / ROWS


def untrained() -> Generator:
    """It draws every code by its frequencies, whatever is known but for what the copula says."""
    config = ModelConfig(width=16, blocks=1, noise=4)
    network = Generator(LAYOUT, FREQUENCIES, config, torch.Generator().manual_seed(0)).requires_grad_(False)
    torch.nn.init.zeros_(network.heads.own)
    torch.nn.init.zeros_(network.heads.shared)
    network.start_from(CODES)
    return network


NETWORK = untrained()


def drawn_in_one_round(network: Generator, *, noisy: bool = False) -> torch.Tensor:
    sampler = Sampler(network, torch.zeros(5, 5), Exclusions({}, "cpu"), noisy=noisy)
    return torch.cat(list(sampler.blocks(ROWS, 1, seed=0)))


def correlation(codes: torch.Tensor, a: int, b: int) -> float:
    both = codes[(codes[:, a] > 0) & (codes[:, b] > 0)]
    return float(np.corrcoef(both[:, a], both[:, b])[0, 1])


def test_numbers_of_one_round_go_together_as_in_the_table():
    made = drawn_in_one_round(NETWORK)
    assert correlation(made, X, Y) == pytest.approx(correlation(CODES, X, Y), abs=0.03)
    assert correlation(made, Y, GAPS) == pytest.approx(correlation(CODES, Y, GAPS), abs=0.1)
    for i, code in enumerate(LAYOUT):  # and each keeps its shares
        shares = [torch.bincount(codes[:, i], minlength=code.cardinality) / ROWS for codes in (made, CODES)]
        torch.testing.assert_close(*shares, atol=0.01, rtol=0)


def test_missing_cells_and_labels_are_tied_to_numbers():
    made = drawn_in_one_round(NETWORK)
    for codes in (CODES, made):
        assert codes[codes[:, GAPS] == 0, X].float().mean() > codes[codes[:, GAPS] > 0, X].float().mean() + 10
        means = [float(codes[codes[:, LABEL] == label, X].float().mean()) for label in (3, 1, 5, 2, 4)]
        assert means == sorted(means)
        assert means[-1] - means[0] > 20


def test_what_depends_on_nothing_is_not_tied():
    made = drawn_in_one_round(NETWORK)
    assert abs(correlation(made, X, LONE)) < 0.05


def test_without_ties_and_with_shared_noise_codes_are_drawn_independently():
    free = untrained()
    torch.nn.init.zeros_(free.ties.directions)
    assert abs(correlation(drawn_in_one_round(free), X, Y)) < 0.03
    assert abs(correlation(drawn_in_one_round(NETWORK, noisy=True), X, Y)) < 0.03


def test_given_a_number_the_others_keep_their_partial_correlation():
    """By the textbook's formula for three normal numbers."""
    layout = [*LAYOUT[:2], Code("z", PLACES + 1, True)]
    rng = np.random.default_rng(1)
    numbers = rng.multivariate_normal(np.zeros(3), [[1, XY, XG], [XY, 1, YG], [XG, YG, 1]], 100_000)
    codes = torch.from_numpy(1 + np.argsort(np.argsort(numbers, axis=0), axis=0) * PLACES // len(numbers))
    frequencies = torch.cat([torch.bincount(codes[:, i], minlength=PLACES + 1) for i in range(3)]) / len(codes)
    copula = Copula(layout, frequencies)
    copula.fit(codes)
    ties = Ties(copula)
    ties.fit(copula, frequencies)
    tie = ties.of(copula, [0, 0, 1], [0, 1])
    assert tie is not None
    assert tie.codes == [0, 1]
    assert tie.orders == {}
    partial = (XY - XG * YG) / ((1 - XG**2) * (1 - YG**2)) ** 0.5
    assert (tie.factor @ tie.factor.T)[0, 1] == pytest.approx(partial, abs=0.02)
    assert ties.of(copula, [0, 1, 1], [0]) is None  # one code alone has nothing to be tied to


def test_factors_say_about_what_pairs_say(monkeypatch):
    monkeypatch.setattr(copula_module, "MOST_PAIRED", 3)
    factored = untrained()
    assert factored.copula.is_factored
    for known in ([0, 0, 0, 0, 0], [0, 0, 1, 0, 0]):
        one, other = (network.ties.of(network.copula, known, [X, Y]) for network in (NETWORK, factored))
        assert one is not None
        assert other is not None
        assert other.factor[1, 0] == pytest.approx(float(one.factor[1, 0]), abs=0.1)


def test_tied_numbers_are_uniform_each():
    tie = NETWORK.ties.of(NETWORK.copula, [0] * 5, [X, GAPS, LABEL])
    assert tie is not None
    before = torch.rand(20_000, 5, generator=torch.Generator().manual_seed(0))
    tied = tie.tied(before)
    torch.testing.assert_close(tied[:, [Y, LONE]], before[:, [Y, LONE]], rtol=0, atol=0)
    for code in tie.codes:
        assert kstest(tied[:, code].numpy(), "uniform").pvalue > 0.001


def test_numbers_at_the_edges_stay_in_range():
    tie = NETWORK.ties.of(NETWORK.copula, [0] * 5, [X, Y])
    assert tie is not None
    tied = tie.tied(torch.tensor([[0.0] * 5, [1 - 2**-24] * 5]))
    assert (tied >= 0).all()
    assert (tied < 1).all()


@given(st.lists(st.floats(-0.98, 0.98), min_size=6, max_size=6))
def test_any_correlations_get_a_factor_and_possible_ones_their_own(numbers):
    correlation = torch.eye(4, dtype=torch.double)
    above = torch.triu_indices(4, 4, offset=1)
    correlation[above[0], above[1]] = correlation[above[1], above[0]] = torch.tensor(numbers, dtype=torch.double)
    factor = _factor(correlation.clone())
    got = factor @ factor.T
    torch.testing.assert_close(got.diagonal(), torch.ones(4), atol=1e-5, rtol=0)
    if torch.linalg.eigvalsh(correlation)[0] > 1e-6:
        torch.testing.assert_close(got, correlation.float(), atol=1e-5, rtol=0)
    else:  # all are made smaller alike
        assert (got.abs() <= correlation.abs() + 1e-5).all()


def test_numbers_that_are_none_tie_nothing():
    """As a damaged model file may have them."""
    assert torch.equal(_factor(torch.full((3, 3), torch.nan)), torch.eye(3))
