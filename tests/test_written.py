"""Numbers that are text."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabgan.written import SEPARATORS, NumberFormat

FORMATS = {
    "#,##0.00": ["1,234.50", "3.20", "-1,000,000.00"],
    "#,##0": ["1,234", "3", "-12"],
    "0%": ["12%", "5%", "100%"],
    "0.# %": ["12.5 %", "-1 %"],
    "$#,##0.00": ["$1,234.50", "-$3.00"],
    "$-0.#": ["$-3.5", "$1"],
    "#.##0,00 €": ["1.234,50 €", "3,00 €", None],
    "# ##0,0": ["1 234,5", "12,0"],
    "#\u00a0##0,0": ["1\u00a0234,5", "12,0"],
    "#'##0.00": ["1'234.50", "0.05"],
    "USD 0": ["USD 5", "USD 12"],
    "0,##": ["1,5", "2,25", "3"],
}
NUMBERS = {"1,234.50": 1234.5, "12%": 12, "-$3.00": -3, "$-3.5": -3.5, "1.234,50 €": 1234.5, "2,25": 2.25}


@pytest.mark.parametrize("pattern", FORMATS)
def test_the_format_of_numbers_is_told_and_gives_every_cell_back(pattern: str) -> None:
    text = pa.chunked_array([FORMATS[pattern]], pa.string())
    found = NumberFormat.of(text)
    assert str(found) == pattern
    assert NumberFormat.parse(pattern) == found
    numbers = found.read(text)
    assert found.write(numbers.combine_chunks()).to_pylist() == FORMATS[pattern]
    for cell, number in zip(FORMATS[pattern], numbers.to_pylist(), strict=True):
        if cell in NUMBERS:
            assert number == NUMBERS[cell]


@pytest.mark.parametrize(
    "cells",
    [
        ["Q1", "Q2"],
        ["C-00042"],
        ["00012", "7"],
        ["12345", "90210"],
        ["030 123", "123 456"],
        ["1,23,456"],
        ["(5)"],
        ["1-2"],
        ["5 %", "5%"],
        ["$5", "€5"],
        ["1.5.2"],
        ["1st", "2nd"],
        ["12 kg"],
        ["1.10", "1.9"],
        ["+5%"],
        [None],
        [""],
    ],
)
def test_other_text_has_no_format(cells: list[str | None]) -> None:
    assert NumberFormat.of(pa.chunked_array([cells], pa.string())) is None


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30),
    st.sampled_from(["", "$", "€", "USD "]),
    st.sampled_from(["", "%", " €", "\u00a0kr"]),
    st.sampled_from(SEPARATORS),
    st.integers(0, 4),
    st.booleans(),
)
def test_what_is_written_is_read_back(
    numbers: list[int], head: str, tail: str, separators: tuple[str, str], places: int, fixed: bool
) -> None:
    form = NumberFormat(head, tail, *separators, places, fixed or places == 0)
    values = pa.array(np.array(numbers) / 10.0**places)
    text = form.write(values)
    np.testing.assert_allclose(form.read(text).to_pylist(), values.to_pylist(), rtol=1e-12)
    assert form.gives_back(text)


@pytest.mark.parametrize(("wrong", "right"), [("#,##0.0x", "#,##0.00"), ("%d", None), ("#,#0", "#,##0.00")])
def test_a_wrong_pattern_is_answered_with_a_right_one(wrong: str, right: str | None) -> None:
    with pytest.raises(ValueError, match="is no pattern of a number" + (f"; did you mean '{right}'" if right else "")):
        NumberFormat.parse(wrong)
