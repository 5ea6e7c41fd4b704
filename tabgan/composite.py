"""Samples whose composite keys stay unique: rows are taken as they come, and in the end pairs that are left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from tabgan.encoding.unique import UniqueRows
from tabgan.errors import ConfigError
from tabgan.sampling.sampler import BLOCK_ROWS

LEAST_NEW = 0.1
"""Where a smaller share of a block has new pairs, those that are left are looked up instead of waited for."""
MOST_BARREN = 100
"""So many blocks without a new pair are waited for, where it is not known which pairs are left."""


def unique_tables(
    n: int, tables: Iterable[pa.Table], walk: UniqueRows, completed: Callable[[pa.Table, int], pa.Table]
) -> Iterator[pa.Table]:
    """`n` rows of `tables`, which never end, without those that repeat a pair.

    `completed`: whole rows from given pairs and the number of the first row. Row i depends on the rows before it alone.
    Raises `ConfigError` where there are no more pairs.
    """
    made = drawn = barren = 0
    left = None
    for block in _blocks(tables):
        kept = walk.keep(block).slice(0, n - made)
        yield kept
        made, drawn = made + kept.num_rows, drawn + block.num_rows
        if made == n:
            return
        barren = 0 if kept.num_rows else barren + 1
        left = walk.left() if kept.num_rows < LEAST_NEW * block.num_rows else None
        if left is not None or barren == MOST_BARREN:
            break
    for begun in _blocks([] if left is None else [left]):
        kept = walk.keep(completed(begun, drawn)).slice(0, n - made)
        yield kept
        made, drawn = made + kept.num_rows, drawn + begun.num_rows
        if made == n:
            return
    raise ConfigError(
        f"only {made:,} of {n:,} rows could be made: the columns that are unique together (see `tabgan info`) have no "
        "more values; ask for fewer rows, or switch the fact off in the schema."
    )


def _blocks(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        for first in range(0, table.num_rows, BLOCK_ROWS):
            yield table.slice(first, BLOCK_ROWS)
