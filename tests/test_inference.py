import numpy as np
import pyarrow as pa
import pytest

from tabgan.inference import (
    DATE_FORMATS,
    KEY_ROWS,
    date_format,
    decimals,
    determines,
    is_key,
    is_monotone,
    named_like_an_id,
)


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "ID",
        "Clothing ID",
        "customer_id",
        "productId",
        "userID",
        "zip",
        "postcode",
        "SKU",
        "item code",
        "areaCode",
    ],
)
def test_names_of_codes_are_known(name: str) -> None:
    assert named_like_an_id(name)


@pytest.mark.parametrize(
    "name", ["paid", "humid", "grid", "monkey", "turkey", "Paid", "decode", "identity", "idle", "price", "id count", ""]
)
def test_words_that_end_like_a_code_are_not_taken_for_one(name: str) -> None:
    assert not named_like_an_id(name)


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2024-01-31", None, "1999-12-01"], "%Y-%m-%d"),
        (["31.01.2024", "01.02.1999"], "%d.%m.%Y"),
        (["01/31/2024", "12/25/2024"], "%m/%d/%Y"),
        (["31/01/2024", "25/12/2024"], "%d/%m/%Y"),
        (["2024-01-31T10:20:30Z"], "%Y-%m-%dT%H:%M:%SZ"),
        (["31 Jan 2024"], "%d %b %Y"),
        (["2024-01-31 10:20:30.125", None], "%Y-%m-%d %H:%M:%S.%3f"),
        (["2024-01-31T10:20:30.000001"], "%Y-%m-%dT%H:%M:%S.%6f"),
        (["2024-01-31 10:20:30.125", "2024-01-31 10:20:30"], None),
        (["1/31/2024"], None),  # would come back as 01/31/2024
        (["2024-01-31", "2024-02-30"], None),
        (["2024-01-31", "soon"], None),
        (["2024-01-31 "], None),
        (["7.5"], None),
    ],
)
def test_a_format_is_taken_where_every_cell_comes_back(cells: list[str | None], form: str | None) -> None:
    assert date_format(pa.chunked_array([pa.array(cells)])) == form


def test_a_bad_date_far_down_is_seen() -> None:
    assert date_format(pa.chunked_array([["2024-01-31"] * 500 + ["2024-13-31"]])) is None


def test_dates_that_are_all_missing_fit_every_format() -> None:
    assert date_format(pa.chunked_array([pa.nulls(3, pa.string())])) == DATE_FORMATS[0]


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        ([1.5, 2.25, np.nan], 2),
        ([1.0, 2.0, np.inf], 0),
        ([0.1 + 0.2], None),
        ([1e-8], 8),
        ([10, 300], -1),
        ([5_000, -12_000], -3),
        ([1e300, 0.5], 1),
        ([1.7e308, 1 / 3], None),
    ],
)
def test_the_fewest_decimals_that_give_the_numbers_back(numbers: list[float], places: int | None) -> None:
    assert decimals(np.array(numbers)) == places


def test_decimals_of_float32_are_those_that_were_meant() -> None:
    assert decimals(np.array([0.1, 7.3, 1e6], dtype=np.float32)) == 1
    assert decimals(np.array([1 / 3], dtype=np.float32)) == 8


def test_many_unique_numbers_in_a_narrow_range_are_keys() -> None:
    assert is_key(np.arange(1_000) + 5, "x")


def test_unique_numbers_from_a_wide_range_may_be_measured() -> None:
    wide = np.arange(1_000) * 10**6
    assert not is_key(wide, "income")  # no collision was due: 1000^2 / (2 * 10^9)
    assert is_key(wide, "income_id")


def test_numbers_that_repeat_and_short_tables_are_no_keys() -> None:
    assert not is_key(np.array([*range(1_000), 0]), "id")
    assert not is_key(np.arange(KEY_ROWS - 1), "id")
    assert is_key(np.arange(KEY_ROWS), "id")


def test_large_keys_are_told_apart_to_the_last_digit() -> None:
    assert is_key(np.arange(2**62, 2**62 + 100), "x")


def test_one_column_determines_another() -> None:
    left = np.array([0, 0, 1, 1, 2, 2])
    assert determines(left, np.array([5, 5, 0, 0, 5, 5]))
    assert not determines(left, np.array([5, 5, 0, 1, 5, 5]))


def test_values_that_come_once_prove_nothing() -> None:
    assert not determines(np.array([0, 1, 2, 3, 3]), np.array([0, 1, 0, 1, 1]))
    assert determines(np.array([0, 1, 2, 3, 3, 4, 4]), np.array([0, 1, 0, 1, 1, 0, 0]))


def test_an_exception_far_down_is_seen() -> None:
    left, right = np.repeat(np.arange(2_000), 2), np.repeat(np.arange(2_000), 2)
    assert determines(left, right)
    right = right.copy()
    right[-1] = 0
    assert not determines(left, right)


def test_bands_of_a_scale_change_seldom_along_it() -> None:
    values = np.arange(100.0)
    assert is_monotone(values, (values // 25).astype(np.int64))
    assert not is_monotone(values, (values % 4).astype(np.int64))
