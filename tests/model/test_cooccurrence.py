import math

import pytest
import torch

from tabgan.encoding.base import Code
from tabgan.model.cooccurrence import Pooling, cooccurrence, mutual_information, split_by_dependence


def frequencies_of(codes: torch.Tensor, layout: list[Code]) -> torch.Tensor:
    counts = [torch.bincount(codes[:, i], minlength=code.cardinality) for i, code in enumerate(layout)]
    return torch.cat(counts) / len(codes)


def information_of(codes: torch.Tensor, layout: list[Code], most: int = 32) -> torch.Tensor:
    pooling = Pooling(layout, frequencies_of(codes, layout), most)
    return mutual_information(cooccurrence(codes, pooling), pooling.layout, len(codes))


def test_the_table_holds_the_share_of_rows_of_each_pair():
    layout = [Code("a", 3, False), Code("b", 3, False)]
    codes = torch.tensor([[1, 1], [1, 2], [2, 2], [2, 2]])
    table = cooccurrence(codes, Pooling(layout, frequencies_of(codes, layout), 32), block_rows=3)
    assert table[1:3, 4:6].tolist() == [[0.25, 0.25], [0, 0.5]]
    assert table.diagonal().tolist() == [0, 0.5, 0.5, 0, 0.25, 0.75]


def test_mutual_information_of_a_copy_is_its_entropy_less_chance():
    codes = torch.tensor([[1, 1], [2, 2]] * 500)
    found = information_of(codes, [Code("a", 3, False), Code("b", 3, False)])
    assert found[0, 1].item() == pytest.approx(math.log(2) - 1 / 2000, abs=1e-5)
    assert found[0, 0].item() == 0


def test_independent_codes_have_no_information_in_spite_of_chance():
    rng = torch.Generator().manual_seed(0)
    codes = torch.randint(1, 21, (1000, 2), generator=rng)
    layout = [Code("a", 21, False), Code("b", 21, False)]
    assert information_of(codes, layout)[0, 1].item() < 0.05  # chance alone: 19 * 19 / 2000 = 0.18


def test_pooling_keeps_missing_apart_and_neighbours_together():
    layout = [Code("price", 101, ordered=True)]
    pooled = Pooling(layout, torch.full((101,), 1 / 101), 11).index
    assert pooled[0] == 0
    assert (pooled[1:] > 0).all()
    assert pooled.diff().min() >= 0
    assert pooled.unique().numel() == 11


def test_pooling_keeps_the_commonest_labels_apart():
    frequencies = torch.tensor([0.0, 0.1, 0.4, 0.05, 0.45])
    pooled = Pooling([Code("label", 5, ordered=False)], frequencies, 4).index
    assert pooled[4] != pooled[2]
    assert pooled[1] == pooled[3]


def test_codes_that_tell_of_each_other_go_to_different_rounds():
    information = torch.zeros(6, 6)
    for one, other in ((0, 1), (2, 3), (4, 5)):
        information[one, other] = information[other, one] = 1.0
    groups = split_by_dependence(information, 2)
    assert sorted(code for group in groups for code in group) == list(range(6))
    for one, other in ((0, 1), (2, 3), (4, 5)):
        assert not any(one in group and other in group for group in groups)


def test_no_round_is_empty_and_there_are_no_more_rounds_than_codes():
    assert [len(group) for group in split_by_dependence(torch.zeros(4, 4), 4)] == [1, 1, 1, 1]
    assert len(split_by_dependence(torch.zeros(3, 3), 10)) == 3
