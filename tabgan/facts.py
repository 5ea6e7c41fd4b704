"""Hard facts of a table: what holds in every row, and the arithmetic of it. They are found by `find_facts`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from tabgan.column import Part

FEW_VALUES, FEW_SHARE = 20, 0.98
"""A remainder of a sum is one of so many values in so large a share of the rows."""
COMMON_SHARE, LEAST_COMMON = 0.01, 5
"""A value of more than this share of the rows is common, if it has more than a few rows."""


class Fact(BaseModel):
    """One fact: `column` follows from the columns in `of`, and of a sum those in `minus` are taken away.

    - `sum`: `column` is the sum, up to a remainder of few values if `remainder`; missing terms count as 0.
    - `product`: `column` is `factor` times the product of those in `of`, divided by those in `minus`, but for rounding;
      only close to it if `remainder`. A column that is there twice is squared.
    - `linear`: `column` is `offset` and the sum of those in `of`, each times its weight in `weights`, but for rounding;
      only close to it if `remainder`.
    - `at_least`, `at_most`: `column` is never below (above) the one in `of`, and is learned as the difference.
    - `same`: `column` equals the one in `of` in a good share of the rows, far more often than by chance.
    - `order`: `column` is never below the one in `of`, and both are learned as they are.
    - `fixed`: equal values in `of`, one column or two or a `part` of a date, always go with equal values in `column`.
    - `missing`: `column` is missing wherever the one in `of` is.
    - `unique`: no two rows are equal both in `column` and in the one in `of`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sum", "product", "linear", "at_least", "at_most", "same", "order", "fixed", "missing", "unique"]
    column: str
    of: tuple[str, ...]
    minus: tuple[str, ...] = ()
    part: Part | None = None
    """Of `fixed`: the part of the date in `of` that fixes the column."""
    remainder: bool = False
    factor: float = 1.0
    """Of `product`: the number that it is multiplied by."""
    weights: tuple[float, ...] = ()
    """Of `linear`: by what each column in `of` is multiplied."""
    offset: float = 0.0
    """Of `linear`: the number that is added."""
    keep: bool = True
    """Whether new rows are made to keep it."""

    @model_validator(mode="after")
    def _has_its_columns(self) -> Fact:
        if self.kind in ("sum", "product", "linear"):
            if not self.of + self.minus:
                raise ValueError(f"a fact of kind {self.kind} has a column in `of` or `minus`")
        elif self.minus or not 1 <= len(self.of) <= (2 if self.kind == "fixed" else 1):
            raise ValueError(
                f"a fact of kind {self.kind} has one column in `of`, and none in `minus`; `fixed` may have two"
            )
        return self

    @model_validator(mode="after")
    def _has_a_weight_for_each_column(self) -> Fact:
        if len(self.weights) != (len(self.of) if self.kind == "linear" else 0) or not all(self.weights):
            raise ValueError("a fact of kind linear, and no other, has as many weights, none 0, as columns in `of`")
        return self

    def __str__(self) -> str:
        of = " + ".join(self.of)
        signed = " - ".join([of, *self.minus]) if of else "-" + " - ".join(self.minus)
        match self.kind:
            case "sum":
                return f"{self.column} = {signed}" + (" + one of a few values" if self.remainder else "")
            case "linear":
                terms = [_weighted(weight, name) for weight, name in zip(self.weights, self.of, strict=True)]
                said = " + ".join([*terms, *([f"{self.offset:.6g}"] if self.offset else [])]).replace("+ -", "- ")
                return f"{self.column} {'is close to' if self.remainder else '='} {said}"
            case "product":
                factors = " * ".join([*([f"{self.factor:.6g}"] if self.factor != 1 or not of else []), *self.of])
                return f"{self.column} {'is close to' if self.remainder else '='} {' / '.join([factors, *self.minus])}"
            case "at_least" | "order":
                return f"{self.column} >= {of}"
            case "at_most":
                return f"{self.column} <= {of}"
            case "same":
                return f"{self.column} often equals {of}"
            case "fixed" if self.part:
                return f"the {self.part} of {of} fixes {self.column}"
            case "fixed":
                return f"{' and '.join(self.of)} {'fix' if len(self.of) > 1 else 'fixes'} {self.column}"
            case "missing":
                return f"{self.column} is missing wherever {of} is"
            case "unique":
                return f"{self.column} and {of} are unique together"

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the fact is about."""
        return (self.column, *self.of, *self.minus)

    @property
    def derives(self) -> bool:
        """Whether `column` can be worked out from the others and a remainder."""
        return self.kind in ("sum", "product", "linear", "at_least", "at_most", "same")

    @property
    def is_near(self) -> bool:
        """Whether `column` is only close to what the others say."""
        return self.kind in ("product", "linear") and self.remainder


def _weighted(weight: float, name: str) -> str:
    return {1.0: name, -1.0: f"-{name}"}.get(weight, f"{weight:.6g} * {name}")


def without_circles(found: Iterable[Fact], before: Iterable[Fact]) -> list[Fact]:
    """Of `found`, in order, those that derive a column once and never, by way of others, from itself."""
    follows = {fact.column: set(fact.columns[1:]) for fact in before}
    kept = []
    for fact in found:
        if fact.column in follows:
            continue
        reached, new = set(), set(fact.columns[1:])
        while new:
            reached |= new
            new = set().union(*(follows.get(name, set()) for name in new)) - reached
        if fact.column not in reached:
            follows[fact.column] = set(fact.columns[1:])
            kept.append(fact)
    return kept


def remainder(values: np.ndarray, terms: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """`values` less the signed `terms`, all `(rows,)`; missing terms count as 0. What rounding leaves is taken off."""
    base = signed_sum(terms)
    return _rounded(values - base, float(np.nanmax(np.abs(values), initial=0)))


def signed_sum(terms: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """The sum of signed terms, of which missing ones count as 0."""
    total: np.ndarray = sum((sign * np.nan_to_num(values, nan=0.0) for sign, values in terms), start=np.zeros(1))
    return total


def product(factor: float, terms: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """`factor` times each of the terms, all `(rows,)`, to its power; NaN where one is missing or would divide by 0."""
    total = np.full(1, factor)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for power, values in terms:
            total = total * values**power
    return np.where(np.isfinite(total), total, np.nan)


def difference(values: np.ndarray, base: np.ndarray, places: int | None) -> np.ndarray:
    """`values` less `base`, which is rounded to their decimal `places`, or, where these are None, to nine digits."""
    if places is None:
        return _rounded(values - base, float(np.nanmax(np.abs(values), initial=0)))
    return np.round(values - np.round(base, places), places) + 0.0


def _rounded(rest: np.ndarray, largest: float) -> np.ndarray:
    digits = 9 - int(np.ceil(np.log10(max(largest, 1e-12))))
    return np.round(rest, max(digits, 0)) + 0.0  # no -0.0


def mostly_common(values: np.ndarray) -> bool:
    """Whether most rows hold common values, which have codes of their own: worked out from another column, they would
    lose how often each of them comes."""
    counts = np.unique(values[~np.isnan(values)], return_counts=True)[1]
    often = counts > max(COMMON_SHARE * len(values), LEAST_COMMON)
    return bool(counts[often].sum() > counts.sum() / 2)


def common(values: np.ndarray) -> np.ndarray:
    """Values of so many rows that another column's being the same says little."""
    found, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return found[counts > COMMON_SHARE * len(values)]
