"""Numbers rows so that equal rows have equal numbers: what copies, repeats and rare combinations are counted by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tabgan.report.columns import Codes, ComparableTable


def row_ids(tables: Sequence[ComparableTable], columns: Sequence[int] | None = None) -> list[Codes]:
    """For each table `(rows,)` int64: two rows of any of the tables have the same number where they are equal, cell by
    cell, in `columns` (by default in all). A missing cell equals a missing cell."""
    import pandas as pd

    ids = np.zeros(sum(table.rows for table in tables), dtype=np.int64)
    for i in range(len(tables[0].columns)) if columns is None else columns:
        cells, distinct = pd.factorize(np.concatenate([table.values[i] for table in tables]), use_na_sentinel=False)
        ids = pd.factorize(ids * len(distinct) + cells)[0].astype(np.int64)
    return np.split(ids, np.cumsum([table.rows for table in tables])[:-1])
