from itertools import product
from pathlib import Path

import pandas as pd
import torch
from scipy.stats import chisquare

from tabgan import load
from tabgan.encoding.base import Code
from tabgan.model.ratio import LEAVES, DensityRatio
from tabgan.sampling.chosen import CANDIDATES, ChoosingSampler, chosen
from tabgan.sampling.rng import generator as keyed
from tabgan.sampling.sampler import BLOCK_ROWS, UNIT_ROWS
from tests.sampling.test_sampler import CODES, made_sampler


def ratio_of(codes: list[Code], offsets: list[float]) -> DensityRatio:
    """One whose trees say nothing."""
    total = sum(code.cardinality for code in codes)
    return DensityRatio(torch.ones(total, 1, dtype=torch.int32), torch.zeros(1, LEAVES), torch.tensor(offsets), codes)


def test_candidates_are_kept_in_proportion_to_their_weights():
    codes, weights = [Code("a", 3, ordered=False)], [1.0, 2.0, 6.0]
    candidates = torch.randint(3, (30_000, CANDIDATES, 1), generator=keyed("candidates"))
    kept = chosen(candidates, ratio_of(codes, torch.tensor(weights).log().tolist()), keyed("kept"))
    expected = [0.0, 0.0, 0.0]
    for draws in product(range(3), repeat=CANDIDATES):
        for value in draws:
            expected[value] += weights[value] / sum(weights[each] for each in draws) / 3**CANDIDATES
    counts = torch.bincount(kept[:, 0], minlength=3).numpy()
    assert chisquare(counts, [share * 30_000 for share in expected]).pvalue > 0.001


def test_row_i_depends_on_the_seed_and_i_alone():
    sampler = ChoosingSampler(made_sampler(), ratio_of(CODES, torch.linspace(-2, 2, 19).tolist()))
    rows = UNIT_ROWS + BLOCK_ROWS + 7
    large = torch.cat(list(sampler.blocks(rows, 2, seed=5)))
    assert large.shape == (rows, 3)
    assert torch.equal(torch.cat(list(sampler.blocks(700, 2, seed=5))), large[:700])
    assert torch.equal(torch.cat(list(sampler.blocks(rows, 2, seed=5, first=UNIT_ROWS))), large[UNIT_ROWS:])
    assert not torch.equal(torch.cat(list(sampler.blocks(700, 2, seed=6))), large[:700])


def test_no_two_rows_share_candidates():
    """All rows are the likeliest of their own candidates; of shared ones they would be alike."""
    codes = [Code("a", 2_000, ordered=True)]

    class Numbered:
        def blocks(self, rows: int, rounds: int, seed: int, first: int = 0):
            for start in range(first, rows, BLOCK_ROWS):
                yield torch.arange(start, start + BLOCK_ROWS)[:, None] % 2_000

    found = ChoosingSampler(Numbered(), ratio_of(codes, [0.0] * 2_000))  # type: ignore[arg-type]
    blocks = [block[:, 0] for block in found.blocks(2 * BLOCK_ROWS, 1, seed=0)]
    own = torch.arange(BLOCK_ROWS)
    for number, block in enumerate(blocks):
        allowed = torch.stack([(own + (number * CANDIDATES + i) * BLOCK_ROWS) % 2_000 for i in range(CANDIDATES)])
        assert (block == allowed).any(dim=0).all()


def test_rows_from_nothing_under_conditions_and_completed_ones_are_chosen():
    """With a ratio for which L is 20 times as likely as it is made, more are L; but not with other rounds."""
    model = load(Path(__file__).parents[1] / "fixtures" / "format2.tabgan", device="cpu")
    networks, (encoder, code) = model._fitted(), model._encoder.places()["size"]
    values = [None, *encoder.labels_.to_pylist()]
    offsets = [0.0] * sum(each.cardinality for each in model._encoder.codes)
    start = sum(each.cardinality for each in model._encoder.codes[:code])
    offsets[start + values.index("L")] = 3.0
    networks.ratio = ratio_of(model._encoder.codes, offsets)
    networks.rounds = 5
    begun = pd.DataFrame({"paid": [True] * 400})
    shares = [
        (rows["size"] == "L").mean()
        for rows in (
            model.sample(400, rounds=4),
            model.sample(400),
            model.sample(400, where={"age": (20, 60)}),
            model.sample(given=begun),
        )
    ]
    assert all(share > 1.4 * shares[0] for share in shares[1:])
    assert model.describe()["candidates for each row"] == CANDIDATES
