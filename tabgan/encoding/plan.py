"""Conditions on columns -> what sampling needs of them: weights on codes, and uniforms inside bins.

A column that has a code of its own is conditioned exactly. One that is looked up by another column conditions that one.
What follows from others in another way (a sum, a difference) has no code of its own: rows are drawn and looked through,
and the nearest are moved (`moved.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from tabgan.conditions import Condition, Where
from tabgan.encoding.base import ColumnEncoder
from tabgan.encoding.derived import Derived
from tabgan.encoding.lookup import Lookup
from tabgan.encoding.number import NumberEncoder
from tabgan.encoding.table import TableEncoder


@dataclass
class Plan:
    """Conditions in terms of the codes of a table."""

    conditions: list[Condition]
    weights: dict[int, np.ndarray] = field(default_factory=dict)
    """For a conditioned code, `(cardinality,)`: the allowed share of each value."""
    pairs: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    """Which values of two codes of one column may go together, `(cardinality, cardinality)` bool."""
    within: dict[int, np.ndarray] = field(default_factory=dict)
    """Between which uniforms the values of a code's bins are allowed, `(cardinality, 2)`."""

    @property
    def order(self) -> list[int]:
        """The conditioned codes, those that have one allowed value first: with them nothing needs to be weighed."""
        return sorted(self.weights, key=lambda code: (int((self.weights[code] > 0).sum()) > 1, code))


def plan(encoder: TableEncoder, conditions: Sequence[Condition]) -> Plan:
    """What `conditions` mean for the codes of `encoder`. Raises `ConfigError` where one allows nothing."""
    found = Plan(list(conditions))
    encoders = encoder.places()
    derived = {step.column.name: step for step in encoder.relations.steps if isinstance(step, Derived)}
    lookups = {step.column.name: step for step in encoder.relations.steps if isinstance(step, Lookup)}
    for condition in conditions:
        todo = [condition]
        while todo:
            each = todo.pop()
            name = each.column.name
            if name in encoders and name not in derived:
                _restrict(found, *encoders[name], each)
            if name in derived and derived[name].rest in encoders:
                todo += _on_other_end(derived[name], encoders[derived[name].rest][0], each)
            step = lookups.get(name)
            if step is not None and len(step.of) == 1 and step.part is None:
                todo.append(_on_base(step, each))
    return found


def _restrict(found: Plan, encoder: ColumnEncoder, start: int, condition: Condition) -> None:
    restriction = encoder.restrict(condition)
    for i, weights in enumerate(restriction.weights):
        found.weights[start + i] = found.weights.get(start + i, np.ones(len(weights))) * weights
    for (i, j), allowed in restriction.pairs.items():
        pair = start + i, start + j
        found.pairs[pair] = found.pairs.get(pair, np.ones(allowed.shape, dtype=bool)) & allowed
    for i, within in restriction.within.items():
        before = found.within.get(start + i, np.array([[0.0, 1.0]]))
        found.within[start + i] = np.column_stack(
            [np.maximum(before[:, 0], within[:, 0]), np.minimum(before[:, 1], within[:, 1])]
        )


def _on_other_end(step: Derived, rest: ColumnEncoder, condition: Condition) -> list[Condition]:
    """What a condition on a column that is told by a difference says of the one that it differs from: that is no
    farther away than the largest difference. This makes rows that fit likelier, and excludes none."""
    base = step.terms[0][1]
    if step.kind not in ("at_least", "at_most") or not isinstance(rest, NumberEncoder) or base.unit != step.column.unit:
        return []
    values = condition.where.values
    low, high = condition.ends if values is None else (min(values, default=np.inf), max(values, default=-np.inf))
    if not np.isfinite([low, high]).any() or low > high:
        return []
    least, most = rest.scale_.knots[0, 0], rest.scale_.knots[-1, -1]
    step_size = step.step_ if base.kind == "datetime" else 0.0
    reach = (most * max(step_size, 1) + step_size, least * max(step_size, 1) - step_size)
    ends = (low - reach[0], high - reach[1]) if step.kind == "at_least" else (low + reach[1], high + reach[0])
    null = condition.where.null or step.keeps_own_
    low, high = (None if np.isinf(end) else float(end) for end in ends)
    return [Condition(base, Where(low=low, high=high, null=null))]


def _on_base(step: Lookup, condition: Condition) -> Condition:
    """The condition on the column by which another one is looked up."""
    allowed = condition.allows(pa.chunked_array([step.values_]))
    keys = step.keys_[0].take(pa.array(step.cells_[allowed]))
    base = step.of[0]
    known = keys.drop_null()
    cells = pa.chunked_array([known])
    values: list[object] = (base.numbers(cells) if base.kind == "number" else base.labels(cells)).tolist()
    if base.kind == "datetime":
        values = base.ticks(cells)[0].tolist()
    return Condition(base, Where(values=tuple(values), null=len(known) < len(keys)))
