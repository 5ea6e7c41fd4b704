"""Columns of which one is never below the other: where draws inside overlapping bins cross, they change places."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def in_order(cells: dict[str, pa.Array], pairs: Sequence[tuple[str, str]]) -> dict[str, pa.Array]:
    """`cells` with every pair `(low, high)` in order.

    Both stay within their own ranges: the lowest of the one is not above the lowest of the other, nor are the highest.
    """
    cells = dict(cells)
    for _ in range(len(pairs) + 1):  # of a chain of n columns each moves n places at most
        moved = False
        for low, high in pairs:
            crossed = pc.fill_null(pc.greater(cells[low], cells[high]), False)
            if not pc.any(crossed).as_py():
                continue
            moved = True
            a, b = cells[low], cells[high]
            cells[low] = pc.if_else(crossed, b.cast(a.type, safe=False), a)
            cells[high] = pc.if_else(crossed, a.cast(b.type, safe=False), b)
        if not moved:
            break
    return cells
