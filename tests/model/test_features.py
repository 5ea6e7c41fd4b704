import torch

from tabgan.encoding.base import Code
from tabgan.model.features import Features

ROWS = 200


def table(codes: list[Code]) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes of which every value occurs, and how often each does."""
    rng = torch.Generator().manual_seed(0)
    drawn = torch.stack([torch.randint(code.cardinality, (ROWS,), generator=rng) for code in codes], dim=1)
    counts = [torch.bincount(drawn[:, i], minlength=code.cardinality) for i, code in enumerate(codes)]
    return drawn, torch.cat(counts) / ROWS


MIXED = [Code("x", 21, True), Code("label", 5, False), Code("flag", 2, False), Code("y", 9, True)]


def test_every_feature_is_zero_on_the_average_and_of_codes_that_are_not_known():
    codes, frequencies = table(MIXED)
    features = Features(MIXED, frequencies, 100)
    found = features(codes, torch.ones(1, 4, dtype=torch.bool))
    assert found.shape == (ROWS, 2 + 4 + 1 + 2)  # scores and missing cells of two numbers, four of five labels, a flag
    assert found.mean(dim=0).abs().max() < 1e-5
    without = features(codes, torch.tensor([[True, False, True, True]]))
    assert (without[:, features.of_code[1]] == 0).all()
    assert (without[:, features.of_code[0]] == found[:, features.of_code[0]]).all()


def test_codes_put_one_after_the_other_have_the_features_of_all():
    codes, frequencies = table(MIXED)
    features = Features(MIXED, frequencies, 100)
    found = features(codes, torch.ones(1, 4, dtype=torch.bool))
    x = torch.zeros(1, features.count)
    for some in ([2, 0], [3], [1]):
        x = features.put(x, some, [codes[:, code] for code in some])
    assert (x == found).all()
    weights = [torch.nn.functional.one_hot(codes[:, i], code.cardinality).float() for i, code in enumerate(MIXED)]
    torch.testing.assert_close(features.put(torch.zeros(1, features.count), range(4), weights), found)


def test_where_there_is_room_for_one_or_two_labels_of_a_code_only_codes_of_so_many_have_features():
    codes = [Code(str(i), 11, True) for i in range(100)] + [Code(str(i), 6, False) for i in range(50)]
    codes += [Code(str(i), 3, False) for i in range(50)]
    frequencies = torch.cat([torch.full((code.cardinality,), 1 / code.cardinality) for code in codes])
    features = Features(codes, frequencies, 2_000)  # 200 features of numbers leave two for each label code
    assert not any(map(features.has, range(100, 150)))
    assert all(map(features.has, range(150, 200)))
    assert features.count == 200 + 50 * 2


def test_numbers_alone_may_have_more_features():
    codes = [Code(str(i), 11, True) for i in range(600)] + [Code("label", 3, False)]
    frequencies = torch.tensor([*[0.0, *[0.1] * 10] * 600, 0.5, 0.3, 0.2])
    assert Features(codes, frequencies, 2_000).count == 600
    assert Features(codes, frequencies, 400).count == 400
