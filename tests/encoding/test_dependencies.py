import numpy as np

from tabgan.encoding import dependencies
from tabgan.encoding.base import Code
from tabgan.encoding.dependencies import find_dependencies


def layout_of(codes: np.ndarray) -> list[Code]:
    return [Code(str(i), int(column.max()) + 1, ordered=False) for i, column in enumerate(codes.T)]


def test_a_column_that_fixes_another_is_found_and_its_rare_values_too():
    rng = np.random.default_rng(0)
    product = np.minimum(rng.geometric(0.1, 2_000), 60)
    codes = np.stack([product, 1 + product % 3], axis=1)
    found = find_dependencies(codes, layout_of(codes))
    assert found.determined == ((0, 1),)
    allowed = ~found.impossible[0, 1]
    for value in np.unique(product):
        assert np.flatnonzero(allowed[value]).tolist() == [1 + value % 3]


def test_missing_cells_that_go_together_are_found():
    rng = np.random.default_rng(0)
    codes = rng.integers(1, 9, (2_000, 2))
    codes[rng.random(2_000) < 0.2] = 0
    found = find_dependencies(codes, layout_of(codes))
    never = found.impossible[0, 1]
    assert never[0, 1:].all()
    assert never[1:, 0].all()
    assert not never[1:, 1:].any()
    assert found.determined == ()


def test_chance_is_no_fact():
    codes = np.random.default_rng(0).integers(1, 40, (3_000, 6))  # two pairs of values meet twice on the average
    found = find_dependencies(codes, layout_of(codes))
    assert found.impossible == {}
    assert found.determined == ()


def test_a_column_of_hardly_repeated_values_proves_nothing():
    rng = np.random.default_rng(0)
    codes = np.stack([np.arange(1_000), rng.integers(1, 4, 1_000)], axis=1)
    assert find_dependencies(codes, layout_of(codes)).determined == ()


def test_a_nearly_constant_column_is_not_fixed_by_every_other():
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(1, 30, 1_000), np.ones(1_000, dtype=np.int64)], axis=1)
    codes[5, 1] = 2
    codes[5, 0] = 31
    assert (0, 1) not in find_dependencies(codes, layout_of(codes)).determined


def test_what_any_row_holds_is_possible_even_where_only_some_rows_are_counted(monkeypatch):
    rng = np.random.default_rng(0)
    codes = np.repeat(rng.integers(1, 4, (4_000, 1)), 2, axis=1)
    codes[1] = (1, 2)  # not among the rows that are counted
    monkeypatch.setattr(dependencies, "MAX_PAIRS", 4_000 * 4 // 2)
    never = find_dependencies(codes, layout_of(codes)).impossible[0, 1]
    assert not never[1, 2]
    assert never[2, 1]


def test_few_rows_prove_nothing():
    codes = np.repeat(np.random.default_rng(0).integers(1, 4, (20, 1)), 2, axis=1)
    assert find_dependencies(codes, layout_of(codes)).impossible == {}
