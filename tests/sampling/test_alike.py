import torch
from hypothesis import given
from hypothesis import strategies as st

from tabgan.sampling.alike import STEP, Alike

CODES = st.integers(1, 600).flatmap(
    lambda rows: st.lists(
        st.tuples(st.lists(st.integers(0, 3), min_size=rows, max_size=rows), st.sampled_from([4, 2**40])),
        min_size=1,
        max_size=6,
    )
)


@given(CODES)
def test_rows_are_of_one_kind_exactly_where_they_hold_the_same_codes(codes: list[tuple[list[int], int]]) -> None:
    alike = Alike()
    for values, cardinality in codes:
        alike.put(torch.tensor(values), cardinality)
    rows = list(zip(*(values for values, _ in codes), strict=True))
    kinds = alike.kinds()
    if kinds is None:
        assert -(-len(set(rows)) // STEP) * STEP > 0.9 * len(rows)
        return
    assert [rows[first] for first in kinds.first[kinds.of_row].tolist()] == rows
    assert len(set(kinds.of_row.tolist())) == len(set(rows))
    assert len(kinds.first) == -(-len(set(rows)) // STEP) * STEP


def test_rows_that_hardly_share_codes_are_not_followed_any_more() -> None:
    alike = Alike()
    alike.put(torch.arange(100), 100)
    assert alike.kinds() is None
    alike.put(torch.zeros(100, dtype=torch.long), 2)
    assert alike.kinds() is None


def test_nothing_is_known_of_no_codes_and_of_weights() -> None:
    assert Alike().kinds() is None
    alike = Alike()
    alike.put(torch.full((5, 2), 0.5), 2)
    assert alike.kinds() is None
