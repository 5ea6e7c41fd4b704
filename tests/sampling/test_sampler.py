import pytest
import torch
from scipy.stats import chisquare

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model.generator import Generator, Tables
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.rounds import Rounds, draw
from tabgan.sampling.sampler import BLOCK_ROWS, Sampler, spread_uniforms

CODES = [Code("a", 4, ordered=False), Code("b", 12, ordered=True), Code("c", 3, ordered=False)]


def made_sampler(
    noisy: bool = False,
    impossible: dict[tuple[int, int], torch.Tensor] | None = None,
    frequencies: torch.Tensor | None = None,
) -> Sampler:
    if frequencies is None:
        frequencies = torch.full((19,), 0.2)
    config = ModelConfig(width=16, blocks=1, noise=4)
    network = Generator(CODES, frequencies, config, torch.Generator().manual_seed(0)).requires_grad_(False)
    return Sampler(network, torch.zeros(3, 3), Exclusions(impossible or {}, "cpu"), noisy=noisy)


def rows_of(sampler: Sampler, rows: int, rounds: int, seed: int) -> torch.Tensor:
    return torch.cat(list(sampler.blocks(rows, rounds, seed)))


def test_draws_follow_the_softmax():
    logits = torch.tensor([0.1, 0.2, 0.0, 0.7]).log().expand(20_000, 4)
    uniforms = torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(draw(logits, uniforms), minlength=4)
    assert counts[2] == 0
    assert chisquare(counts[[0, 1, 3]].numpy(), [2_000, 4_000, 14_000]).pvalue > 0.001


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-24])
def test_a_draw_at_the_edge_never_takes_an_impossible_value(uniform):
    logits = torch.tensor([[-1e4, 0.0, 0.0, -1e4]])
    assert draw(logits, torch.tensor([[uniform]])).item() in (1, 2)


@pytest.mark.parametrize("rounds", [1, 2, 3, 9])
@pytest.mark.parametrize("noisy", [False, True])
def test_exactly_as_many_rows_as_asked_within_the_codes(rounds, noisy):
    for rows in (1, BLOCK_ROWS, BLOCK_ROWS + 1):
        codes = rows_of(made_sampler(noisy), rows, rounds, seed=0)
        assert codes.shape == (rows, 3)
        assert (codes >= 0).all()
        assert (codes < torch.tensor([code.cardinality for code in CODES])).all()


def test_a_small_sample_is_the_start_of_a_large_one():
    sampler = made_sampler()
    large = rows_of(sampler, 3 * BLOCK_ROWS, 2, seed=5)
    assert torch.equal(rows_of(sampler, 700, 2, seed=5), large[:700])
    assert not torch.equal(rows_of(sampler, 700, 2, seed=6), large[:700])


def test_blocks_of_one_sample_differ():
    first, second = made_sampler().blocks(2 * BLOCK_ROWS, 2, seed=0)
    assert not torch.equal(first, second)


def test_keys_give_independent_streams_and_equal_keys_equal_ones():
    one, same, other = keyed("rows", 1, 2), keyed("rows", 1, 2), keyed("rows", 12)
    assert torch.equal(torch.rand(4, generator=one), torch.rand(4, generator=same))
    assert not torch.equal(torch.rand(4, generator=same), torch.rand(4, generator=other))


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_values_that_exclude_each_other_never_meet(rounds):
    never = torch.zeros(4, 3, dtype=torch.bool)
    never[1, 0] = never[2, 2] = never[3, 1] = True
    codes = rows_of(made_sampler(impossible={(0, 2): never}), 4_000, rounds, seed=0)
    free = rows_of(made_sampler(), 4_000, rounds, seed=0)
    assert not never[codes[:, 0], codes[:, 2]].any()
    assert never[free[:, 0], free[:, 2]].any()


def test_spread_uniforms_have_one_number_in_each_stratum_and_no_ties_between_columns():
    numbers = spread_uniforms(512, 3, torch.Generator().manual_seed(0))
    assert ((numbers >= 0) & (numbers < 1)).all()
    for column in numbers.T:
        assert torch.equal((column * 512).long().sort().values, torch.arange(512))
    assert torch.corrcoef(numbers.T).fill_diagonal_(0).abs().max() < 0.15


def test_shares_of_a_sample_vary_less_than_independent_draws_would():
    rows = rows_of(made_sampler(), 20 * BLOCK_ROWS, 3, seed=0)
    # A code that is drawn first meets every stratum of its distribution; one that comes later meets it nearly.
    shares = torch.stack([(block[:, 1] <= 5).float().mean() for block in rows.split(BLOCK_ROWS)])
    share = shares.mean()
    assert shares.std() < 0.5 * (share * (1 - share) / BLOCK_ROWS).sqrt()


def test_rows_that_are_alike_get_the_logits_that_each_would_get_alone():
    sampler, codes = made_sampler(), torch.randint(0, 3, (400, 3), generator=torch.Generator().manual_seed(0))
    tables = Tables(sampler.network, torch.float32)
    walk = Rounds(tables, sampler.exclusions, known={0: codes[:, 0], 1: codes[:, 1]})
    walk.look()
    together = walk.logits(2)
    for row in range(0, 400, 40):
        one = Rounds(tables, sampler.exclusions, known={code: codes[row : row + 1, code] for code in (0, 1)})
        one.look()
        assert torch.allclose(one.logits(2)[0], together[row], atol=1e-5)
    assert len(together.unique(dim=0)) > 2


def test_where_others_exclude_all_that_the_table_holds_one_of_these_is_drawn_all_the_same():
    frequencies = torch.full((19,), 0.2)
    frequencies[16] = 0  # no cell of the last column is missing
    nothing = torch.tensor([[False, True, True]])
    impossible = {(0, 2): nothing.expand(4, 3), (1, 2): nothing.expand(12, 3)}
    drawn = rows_of(made_sampler(impossible=impossible, frequencies=frequencies), 10 * BLOCK_ROWS, 3, seed=0)[:, 2]
    assert set(drawn.tolist()) == {1, 2}
