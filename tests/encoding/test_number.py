import json

import numpy as np
import pyarrow as pa
import pytest

from tabgan.column import Column
from tabgan.encoding.base import Draw
from tabgan.encoding.number import NumberEncoder
from tabgan.encoding.scale import ATOM_ROWS, BIN_ROWS, MAX_ATOMS, MAX_BINS, PARTS, Scale
from tabgan.schema import Schema

RNG = np.random.default_rng(7)
CONTINUOUS = {
    "normal": (RNG.normal(size=20_000), None),
    "heavy tails": (RNG.standard_cauchy(20_000), None),
    "cents": (RNG.lognormal(3, 1, 20_000).round(2), 2),
    "whole numbers of a wide range": (RNG.integers(0, 10**9, 20_000).astype(float), 0),
}
TIED = {
    "whole numbers": (RNG.integers(0, 200, 20_000).astype(float), 0),
    "geometric": (RNG.geometric(0.01, 20_000).astype(float), 0),
    "multiples of ten": (RNG.integers(0, 300, 20_000) * 10.0, -1),
    "mostly zero": (np.where(RNG.random(20_000) < 0.6, 0, RNG.exponential(1_000, 20_000).round()), 0),
}


def made_from(scale: Scale, numbers: np.ndarray, seed: int = 0) -> np.ndarray:
    return scale.decode(scale.encode(numbers), np.random.default_rng(seed).random(len(numbers)))


def ks_distance(left: np.ndarray, right: np.ndarray) -> float:
    at = np.union1d(left, right)
    return float(np.abs(_share_below(left, at) - _share_below(right, at)).max())


def _share_below(numbers: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(numbers), at, side="right") / len(numbers)


def test_a_short_list_of_common_values_is_all_atoms() -> None:
    scale = Scale.fit(np.repeat([3.0, 1.0, 2.0], 5), 0)
    assert scale.knots[:, 0].tolist() == [1, 2, 3]
    assert scale.is_atom.all()
    assert scale.encode(np.array([2.0, 1.0, 3.0, 2.4, 99.0, -99.0])).tolist() == [1, 0, 2, 1, 2, 0]
    assert scale.decode(np.array([0, 1, 2]), np.array([0.0, 0.5, 0.999])).tolist() == [1, 2, 3]


def test_forty_different_values_are_two_bins_with_their_quantiles() -> None:
    scale = Scale.fit(np.arange(40.0), None)
    assert scale.size == 2
    assert not scale.is_atom.any()
    assert scale.knots[0].tolist() == [0, 2.375, 4.75, 7.125, 9.5, 11.875, 14.25, 16.625, 19]
    assert scale.encode(np.array([0.0, 19.0, 19.4, 19.6, 20.0, 39.0])).tolist() == [0, 0, 0, 1, 1, 1]
    assert scale.decode(np.array([0, 1, 1]), np.array([0.5, 0.0, 0.5 / PARTS])).tolist() == [9.5, 20, 20 + 2.375 / 2]


def test_a_spike_stays_a_spike() -> None:
    numbers = np.concatenate([np.zeros(600), RNG.uniform(1, 1_000, 400)])
    made = made_from(Scale.fit(numbers, None), numbers)
    assert (made == 0).tolist() == (numbers == 0).tolist()
    assert made[600:].min() >= 1


def test_a_spike_among_many_values_stands_out() -> None:
    numbers = np.concatenate([np.arange(1_000.0).repeat(3), np.full(60, 500.0)])
    scale = Scale.fit(numbers, 0)
    assert scale.knots[scale.is_atom, 0].tolist() == [500]
    assert scale.encode(np.array([500.0])).item() == np.flatnonzero(scale.is_atom).item()


def test_no_bin_reaches_across_a_heavy_atom() -> None:
    numbers = np.concatenate([RNG.uniform(-10, -1, 990), np.zeros(200), RNG.uniform(1, 10, 1_010)])
    scale = Scale.fit(numbers, None)
    bins = scale.knots[~scale.is_atom]
    assert not ((bins[:, 0] < 0) & (bins[:, -1] > 0)).any()


@pytest.mark.parametrize("name", [*CONTINUOUS, *TIED])
def test_bins_hold_no_row_of_an_atom_and_enough_rows_of_others(name: str) -> None:
    numbers, decimals = {**CONTINUOUS, **TIED}[name]
    scale = Scale.fit(numbers, decimals)
    assert len(scale.knots) - scale.is_atom.sum() <= MAX_BINS + 2 * 8  # the outermost are halved a few times
    assert scale.is_atom.sum() <= MAX_ATOMS
    places = scale.encode(numbers)
    in_bins = ~scale.is_atom[places]
    assert not np.isin(numbers[in_bins], scale.knots[scale.is_atom, 0]).any()
    rows = np.bincount(places, minlength=scale.size)
    assert rows[~scale.is_atom].min() >= BIN_ROWS
    assert rows[scale.is_atom].min(initial=ATOM_ROWS) >= ATOM_ROWS
    # A number lies in the bin that it is coded as.
    assert (scale.knots[places, 0] <= numbers).all()
    assert (numbers <= scale.knots[places, -1]).all()


@pytest.mark.parametrize("rows", [30, 60, 99, 150])
def test_bins_of_a_short_table_hold_enough_rows_too(rows: int) -> None:
    numbers = RNG.normal(size=rows)
    scale = Scale.fit(numbers, None)
    assert np.bincount(scale.encode(numbers), minlength=scale.size).min() >= BIN_ROWS


@pytest.mark.parametrize("name", [*CONTINUOUS, *TIED])
def test_what_comes_back_has_the_same_quantiles(name: str) -> None:
    """In a bin of 2% of the rows or so, knots at every eighth leave a KS distance of 0.25% and what chance adds."""
    numbers, decimals = {**CONTINUOUS, **TIED}[name]
    assert ks_distance(numbers, made_from(Scale.fit(numbers, decimals), numbers)) < 0.005


@pytest.mark.parametrize("name", [*CONTINUOUS, *TIED])
def test_precision_and_bounds_hold(name: str) -> None:
    numbers, decimals = {**CONTINUOUS, **TIED}[name]
    made = made_from(Scale.fit(numbers, decimals), numbers)
    assert numbers.min() <= made.min()
    assert made.max() <= numbers.max()
    if decimals is not None:
        assert np.array_equal(np.round(made, decimals), made)


def test_bounds_hold_for_the_last_uniform_number_before_one() -> None:
    numbers = RNG.normal(size=500) * 1e-5
    scale = Scale.fit(numbers, None)
    made = scale.decode(np.arange(scale.size), np.full(scale.size, np.nextafter(1, 0)))
    assert made.max() <= numbers.max()


@pytest.mark.parametrize("name", ["normal", "heavy tails"])
def test_no_single_value_of_a_continuous_column_comes_back(name: str) -> None:
    numbers, decimals = CONTINUOUS[name]
    assert not np.isin(made_from(Scale.fit(numbers, decimals), numbers), numbers).any()


def test_a_single_value_on_a_grid_comes_back_no_more_often_than_its_neighbours() -> None:
    numbers = np.unique(RNG.integers(0, 10**5, 2_000)).astype(float)  # each once, one in fifty of the grid
    scale = Scale.fit(numbers, 0)
    hits = np.isin(np.concatenate([made_from(scale, numbers, seed) for seed in range(10)]), numbers).mean()
    assert 0.015 < hits < 0.03


def test_values_of_few_rows_are_no_atoms() -> None:
    scale = Scale.fit(np.concatenate([np.repeat(7.0, 100), [50.0, 60, 70, 80]]), 0)
    assert scale.knots[:, 0].tolist() == [7]  # too few for a bin: they count as their nearest atom
    assert scale.encode(np.array([80.0])).item() == 0


def test_the_last_of_a_list_of_counts_comes_back_if_two_rows_hold_it() -> None:
    counts = np.repeat([0.0, 1, 2, 3, 4, 5], [40, 90, 60, 20, 2, 1])
    scale = Scale.fit(counts, 0)
    assert scale.knots[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert scale.encode(np.array([4.0, 5.0])).tolist() == [4, 4]
    assert Scale.fit(counts / 2, 1).knots[:, 0].tolist() == [0, 0.5, 1, 1.5]  # no whole numbers


def test_both_ends_of_a_list_of_whole_numbers_are_bins_of_their_own() -> None:
    numbers = np.rint(RNG.normal(22, 6, 900))
    scale = Scale.fit(numbers, 0)
    for bin_ in scale.knots[~scale.is_atom]:
        assert ((bin_[0] < numbers) & (numbers < bin_[-1])).mean() < 0.07
    made = made_from(scale, numbers)
    assert np.abs(made - numbers).max() <= 8  # the few rows of an end stay there
    assert np.corrcoef(made, numbers)[0, 1] > 0.995


def test_numbers_in_no_bin_count_as_the_nearest_bin_or_atom() -> None:
    scale = Scale.fit(np.repeat([0.0, 10, 20, 30, 40], [50, 50, 50, 3, 4]), 0)
    assert scale.knots[:, [0, -1]].tolist() == [[0, 0], [10, 10], [20, 20], [30, 40]]
    assert scale.encode(np.array([-3.0, 4, 6, 24, 26, 35, 90])).tolist() == [0, 0, 1, 2, 3, 3, 3]


def test_few_rows_beside_a_heavy_atom_join_the_next_bin() -> None:
    numbers = np.concatenate([RNG.uniform(-10, -1, 10), np.zeros(200), RNG.uniform(1, 10, 500)])
    scale = Scale.fit(numbers, None)
    assert np.bincount(scale.encode(numbers))[~scale.is_atom].min() >= BIN_ROWS


@pytest.mark.parametrize("rows", range(400, 500, 7))
def test_too_few_rows_after_equal_ones_join_the_bin_before(rows: int) -> None:
    numbers = np.arange(rows) // 3 * 1.0  # each value three times, so that bins of twenty rows cannot be even
    assert np.bincount(Scale.fit(numbers, 0).encode(numbers)).min() >= BIN_ROWS


@pytest.mark.parametrize("name", [*CONTINUOUS, *TIED])
def test_the_way_through_a_bin_is_found_back(name: str) -> None:
    numbers, decimals = (CONTINUOUS | TIED)[name]
    scale = Scale.fit(numbers, decimals)
    places = scale.encode(numbers)
    made = scale.decode(places, RNG.random(len(places)))
    again = scale.decode(places, scale.along(places, made))
    np.testing.assert_allclose(again, made, rtol=1e-9, atol=1e-9)


def test_a_scale_survives_its_state() -> None:
    numbers, decimals = TIED["mostly zero"]
    scale = Scale.fit(numbers, decimals)
    twin = Scale.restore(scale.state())
    assert np.array_equal(twin.knots, scale.knots)
    assert np.array_equal(twin.is_atom, scale.is_atom)
    assert twin.decimals == scale.decimals


def test_infinities_count_as_the_ends_and_come_back_finite() -> None:
    values = pa.chunked_array([pa.array([*range(500), float("inf"), float("-inf"), None], pa.float64())])
    column = Schema.infer(pa.table({"x": values}))["x"]
    encoder = NumberEncoder(column, pa.float64()).fit(values)
    codes = encoder.encode(values)[:, 0]
    assert codes[-3:].tolist() == [encoder.scale_.size, 1, 0]
    made = encoder.decode(codes[:, None], Draw(np.arange(503), RNG.random((503, 1)), 0)).to_pylist()
    assert made[-1] is None
    assert 0 <= min(made[:-1]) <= max(made[:-1]) <= 499


def test_float32_keeps_its_decimals() -> None:
    values = pa.chunked_array([pa.array(RNG.uniform(0, 100, 3_000).round(1), pa.float32())])
    column = Schema.infer(pa.table({"x": values}))["x"]
    assert column.precision == 1
    encoder = NumberEncoder(column, pa.float32()).fit(values)
    made = encoder.decode(encoder.encode(values), Draw(np.arange(3_000), RNG.random((3_000, 1)), 0)).to_numpy()
    assert np.array_equal(made.astype(np.float64).round(1).astype(np.float32), made)


def test_durations_in_whole_seconds_stay_whole_seconds() -> None:
    seconds = RNG.integers(0, 10**6, 1_000)
    values = pa.chunked_array([pa.array(seconds * 10**9).view(pa.duration("ns"))])
    column = Schema.infer(pa.table({"x": values}))["x"]
    assert column == Column(name="x", kind="number", dtype="duration[ns]", precision=-9)
    encoder = NumberEncoder(column, values.type).fit(values)
    made = encoder.decode(encoder.encode(values), Draw(np.arange(1_000), RNG.random((1_000, 1)), 0))
    assert not (made.cast(pa.int64()).to_numpy() % 10**9).any()


def test_bins_of_shared_numbers_give_back_only_these() -> None:
    prices = RNG.choice(np.arange(1, 401) - 0.01, 20_000)  # 0.99, 1.99, ...: too many for atoms of their own
    scale = Scale.fit(prices, 2)
    assert not scale.is_atom.all()
    made = made_from(scale, prices)
    assert set(made) <= set(prices)
    assert len(set(made)) > 390
    assert ks_distance(made, prices) < 0.01
    again = Scale.restore(json.loads(json.dumps(scale.state())))
    assert np.array_equal(made, made_from(again, prices))


def test_bins_of_numbers_that_hardly_anyone_shares_give_others() -> None:
    lengths = RNG.normal(size=5_000)
    assert not set(made_from(Scale.fit(lengths, None), lengths)) & set(lengths[1:-1])
