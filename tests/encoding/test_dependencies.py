import numpy as np

from tabgan.encoding import dependencies
from tabgan.encoding.base import Code
from tabgan.encoding.dependencies import find_dependencies


def layout_of(codes: np.ndarray) -> list[Code]:
    return [Code(str(i), int(column.max()) + 1, ordered=False) for i, column in enumerate(codes.T)]


def test_of_a_column_that_another_fixes_only_that_is_possible_and_for_rare_values_too():
    rng = np.random.default_rng(0)
    product = np.minimum(rng.geometric(0.1, 2_000), 60)
    codes = np.stack([product, 1 + product % 3], axis=1)
    allowed = ~find_dependencies(codes, layout_of(codes))[0, 1]
    for value in np.unique(product):
        assert np.flatnonzero(allowed[value]).tolist() == [1 + value % 3]


def test_missing_cells_that_go_together_are_found():
    rng = np.random.default_rng(0)
    codes = rng.integers(1, 9, (2_000, 2))
    codes[rng.random(2_000) < 0.2] = 0
    never = find_dependencies(codes, layout_of(codes))[0, 1]
    assert never[0, 1:].all()
    assert never[1:, 0].all()
    assert not never[1:, 1:].any()


def test_a_handful_of_missing_cells_that_go_together_are_found():
    rng = np.random.default_rng(0)
    codes = rng.integers(1, 9, (5_000, 2))
    codes[rng.choice(5_000, 5, replace=False)] = 0  # by chance once in 10^17
    never = find_dependencies(codes, layout_of(codes))[0, 1]
    assert never[0, 1:].all()
    assert never[1:, 0].all()


def test_a_value_that_always_goes_with_the_same_one_is_found_where_the_column_is_not_fixed():
    rng = np.random.default_rng(0)
    payment, tip = rng.integers(1, 4, 3_000), rng.integers(1, 30, 3_000)
    tip[payment == 2] = 1  # no tip with cash
    never = find_dependencies(np.stack([payment, tip], axis=1), [Code("0", 4, False), Code("1", 30, False)])[0, 1]
    assert never[2, 2:].all()
    assert not never[[1, 3], 1:].any()


def test_chance_is_no_fact():
    codes = np.random.default_rng(0).integers(1, 40, (3_000, 6))  # two pairs of values meet twice on the average
    assert find_dependencies(codes, layout_of(codes)) == {}


def test_a_column_of_hardly_repeated_values_proves_nothing():
    rng = np.random.default_rng(0)
    codes = np.stack([np.arange(1_000), rng.integers(1, 4, 1_000)], axis=1)
    assert find_dependencies(codes, layout_of(codes)) == {}


def test_what_any_row_holds_is_possible_even_where_only_some_rows_are_counted(monkeypatch):
    rng = np.random.default_rng(0)
    codes = np.repeat(rng.integers(1, 4, (4_000, 1)), 2, axis=1)
    codes[1] = (1, 2)  # not among the rows that are counted
    monkeypatch.setattr(dependencies, "MAX_PAIRS", 4_000 * 4 // 2)
    never = find_dependencies(codes, layout_of(codes))[0, 1]
    assert not never[1, 2]
    assert never[2, 1]


def test_few_rows_prove_nothing_unless_they_are_told_to():
    codes = np.random.default_rng(0).permutation(np.repeat([[1, 1], [2, 2], [0, 3]], 4, axis=0))
    assert find_dependencies(codes, layout_of(codes)) == {}
    closed = find_dependencies(codes, layout_of(codes), closed={(0, 1)})[0, 1]
    assert closed[1, 2]
    assert closed[0, 1]
    assert not closed[0, 3]
    linked = find_dependencies(codes, layout_of(codes), linked={(0, 1)})[0, 1]
    assert linked[:, 0].all()
    assert not linked[1:, 1:].any()


def test_nothing_is_impossible_for_codes_that_are_exempt():
    codes = np.repeat(np.random.default_rng(0).integers(1, 4, (4_000, 1)), 2, axis=1)
    assert find_dependencies(codes, layout_of(codes), exempt={(0, 1)}) == {}
