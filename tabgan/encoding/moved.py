"""Rows that nearly fulfil conditions on columns that follow from others, moved the rest of the way.

A total of exactly 15.30 is rare among drawn rows. The nearest of them need another fare or another tip by a little, and
are otherwise distributed as the ones looked for, the more so the nearer they are: approximate Bayesian computation with
adjusted draws (Beaumont et al. 2002), with the slope that the fact gives. One number of the fact takes what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from tabgan.conditions import Condition
from tabgan.encoding.base import Draw
from tabgan.encoding.derived import Derived
from tabgan.encoding.number import NumberEncoder, nearest_allowed
from tabgan.encoding.plan import Plan
from tabgan.encoding.table import TableEncoder

Rows = tuple[np.ndarray, np.ndarray]
"""Codes and uniforms, `(rows, codes)` each."""


def moved(
    encoder: TableEncoder, rows: Rows, fitting: Rows, wanted: Plan, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes and uniforms of `rows` moved to fulfil `wanted`, and how far they were, `(rows,)`.

    Where a condition leaves a choice of values, those of rows `fitting` it say how often each should come. Rows that
    cannot be moved stay as they are.
    """
    codes, uniforms, far = rows[0].copy(), rows[1].copy(), np.zeros(len(rows[0]))
    derived = {step.column.name: step for step in encoder.relations.steps if isinstance(step, Derived)}
    rng = np.random.default_rng([abs(seed), 6])
    for condition in wanted.conditions:
        name = condition.column.name
        step = derived.get(name)
        if step is None:
            continue
        targets = _numbers(condition, _decoded(encoder, *fitting, wanted, seed)[name])
        table = _decoded(encoder, codes, uniforms, wanted, seed)
        gap = _gap(condition, table[name], targets, rng)
        far += np.abs(gap) / max(float(np.nan_to_num(np.abs(gap)).max(initial=0.0)), 1e-300)
        for number, at, term in _numbers_of(encoder, step):
            todo = np.flatnonzero(np.nan_to_num(gap))
            if not len(todo):
                break
            before = codes[todo, at], uniforms[todo, at]
            _move(number, codes, uniforms, at, todo, step.change(term, table.take(todo), gap[todo]))
            fits = condition.allows(_decoded(encoder, codes[todo], uniforms[todo], wanted, seed)[name])
            codes[todo[~fits], at], uniforms[todo[~fits], at] = (each[~fits] for each in before)
            gap[todo[fits]] = 0.0
    return codes, uniforms, far


def _decoded(encoder: TableEncoder, codes: np.ndarray, uniforms: np.ndarray, wanted: Plan, seed: int) -> pa.Table:
    return encoder.decode(codes, Draw(np.arange(len(codes)), uniforms, seed), wanted.conditions)


def _gap(condition: Condition, values: pa.ChunkedArray, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What must be added to numbers, or to a date's ticks, for the condition to hold; NaN for a missing cell."""
    numbers = _numbers(condition, values)
    if condition.where.values == ():  # a missing cell is looked for
        wanted = np.full(len(numbers), np.nan)
    elif len(targets):
        wanted = rng.choice(targets, len(numbers))
    else:
        wanted = nearest_allowed(numbers, condition)
    return np.where(condition.allows(values), 0.0, wanted - numbers)


def _numbers(condition: Condition, values: pa.ChunkedArray) -> np.ndarray:
    if condition.column.kind != "datetime":
        return condition.column.numbers(values)
    ticks, missing = condition.column.ticks(values)
    return np.where(missing, np.nan, ticks.astype(float))


def _numbers_of(encoder: TableEncoder, step: Derived) -> Iterator[tuple[NumberEncoder, int, str]]:
    """The encoded numbers that a fact's column follows from, the place of each one's code, and its name: the rest
    first, for it ties the least."""
    places = encoder.places()
    for name in (step.rest, step.column.name, *(column.name for _, column in step.terms)):
        number, at = places.get(name, (None, 0))
        if isinstance(number, NumberEncoder):
            yield number, at, name


def _move(
    number: NumberEncoder, codes: np.ndarray, uniforms: np.ndarray, at: int, rows: np.ndarray, by: np.ndarray
) -> None:
    """Add `by` to the numbers of `rows`, those that are there."""
    scale = number.scale_
    rows, by = rows[codes[rows, at] > 0], by[codes[rows, at] > 0]
    old = scale.decode(codes[rows, at] - 1, uniforms[rows, at])
    new = old + by
    codes[rows, at] = scale.encode(new) + 1
    uniforms[rows, at] = scale.along(codes[rows, at] - 1, new)
