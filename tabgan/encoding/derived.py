"""A number or date that follows from other columns and a rest: a sum, a product, something close to one of these, a
difference that is never negative, an equal.

The rest is a column of its own, missing where the others say nothing of the value, for then the value is kept too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import Column, as_float, plain
from tabgan.encoding.cells import from_json, to_json
from tabgan.encoding.number import outermost, to_type
from tabgan.encoding.scale import nearest, shared_values
from tabgan.facts import FEW_VALUES, Fact, common, difference, product, remainder, signed_sum
from tabgan.inference import decimals

NAMES = {
    "sum": "remainder",
    "product": "remainder",
    "linear": "remainder",
    "at_least": "difference",
    "at_most": "difference",
    "same": "same",
}

GRID_GAPS = 2.0
"""A number is moved to the nearest that a column of few values holds by so many times their usual distance at most."""


class Derived:
    """The column of a fact that derives it, worked out from the fact's other columns."""

    dropped = False

    def __init__(
        self,
        fact: Fact,
        column: Column,
        of: Sequence[Column],
        minus: Sequence[Column] = (),
        *,
        names: Sequence[str] = (),
        free: Collection[str] = (),
        bounds: Sequence[tuple[Column, str]] = (),
    ) -> None:
        """`names`: those of all columns of the table, which the rest's must differ from; `free`: those that no other
        fact is about; `bounds`: columns that this one is "at_least" or "at_most" as high as by others."""
        self.kind, self.column, self.free = fact.kind, column, set(free)
        self.bounds = bounds if fact.is_near else ()
        self.side = next((side for each, side in bounds if each.name in fact.of), None)
        self.factor, self.offset = fact.factor, fact.offset
        self.is_exact = fact.kind in ("product", "linear") and not fact.remainder
        self.sign = -1 if fact.kind == "at_most" else 1
        weights = fact.weights or [1.0] * len(of)
        self.terms = [*zip(weights, of, strict=True), *((-1.0, each) for each in minus)]
        self.rest = f"{column.name} ({NAMES[fact.kind]})"
        while self.rest in names:
            self.rest += "'"

    def fit(self, table: pa.Table) -> Self:
        """Learn what the rest looks like."""
        values = table[self.column.name]
        self.type_ = table.schema.field(self.column.name).type
        self.step_ = 1
        self.few_: list[float] = []
        self.common_: list[float] = []
        self.grid_: list[float] = []
        gives_back = self.kind == "sum" or self.is_exact
        self.term_ends_ = [_ends(table[term.name]) for _, term in self.terms] if gives_back else []
        if self.column.kind == "datetime":
            ticks, missing = self.column.ticks(values)
            known, second = ticks[~missing], self.column.ticks_a_second
            self.step_ = next(
                step for step in (86_400 * second, 3_600 * second, 60 * second, second, 1) if not (known % step).any()
            )
            self.ends_ = pa.array([known.min(), known.max()], pa.int64())
        else:
            self.ends_ = _ends(values)
        if self.kind == "same":
            self.common_ = common(as_float(plain(values))).tolist()
        if self.kind not in ("sum", "same") and not self.is_exact and self.column.kind == "number":
            self.grid_ = (shared_values(as_float(plain(values).drop_null())) or (np.empty(0), 0))[0].tolist()
        rest, follows = self._split(table)
        if self.kind == "sum":
            complete = ~np.isnan(rest) & ~np.isnan([each for _, each in self._weighted_terms(table)]).any(axis=0)
            few = np.unique(rest[complete])
            self.few_ = few.tolist() if len(few) <= FEW_VALUES else []
        self._set(_rest_column(self.rest, rest, self.kind), keeps_own=not follows.all())
        return self

    def _set(self, rest: Column, keeps_own: bool) -> None:
        kind = pa.bool_() if self.kind == "same" else pa.float64()
        self.parts_ = [(rest, kind)]
        if keeps_own:
            self.parts_.insert(0, (self.column.model_copy(update={"nullable": True}), self.type_))
        self.keeps_own_ = keeps_own

    @property
    def needs(self) -> list[str]:
        """The columns that must be known for the rest to be."""
        return [self.column.name, *(term.name for _, term in self.terms)]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Pairs of columns of which a cell is missing by rule: the base's, the rest's, the value's own."""
        if self.kind == "sum":
            return []
        own = self.column.name
        found = [(own, self.rest)] if self.keeps_own_ else []
        for base in {term.name: None for _, term in self.terms}:
            found += [(base, self.rest)] + ([(base, own)] if self.keeps_own_ else [])
        return found

    def reduce(self, table: pa.Table) -> dict[str, pa.ChunkedArray]:
        """The rest, and the column itself without the cells that follow from others."""
        rest, follows = self._split(table)
        cells = {self.rest: pa.array(rest == 0) if self.kind == "same" else pa.array(rest, mask=np.isnan(rest))}
        if self.keeps_own_:
            values = table[self.column.name].combine_chunks()
            cells[self.column.name] = pc.if_else(pa.array(follows), pa.scalar(None, values.type), values)
        return {name: pa.chunked_array([array]) for name, array in cells.items()}

    def _split(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """The rest, `(rows,)` float64 and NaN where there is none; whether the value follows from it or is missing."""
        if self.column.kind == "datetime":
            ticks, missing = self.column.ticks(table[self.column.name])
            base, unknown = self._date_base(table)
            rest = np.abs(ticks // self.step_ - base).astype(np.float64)
            return np.where(missing | unknown, np.nan, rest), missing | ~unknown
        numbers = as_float(plain(table[self.column.name]))
        missing = np.isnan(numbers)
        if self.kind == "sum":
            return remainder(numbers, self._weighted_terms(table)), np.ones(len(numbers), dtype=bool)
        base = self._number_base(table)
        if self.kind == "same":
            equal = (numbers == base) & ~np.isin(numbers, self.common_)
            return np.where(equal, 0.0, np.nan), missing | equal
        if self.kind in ("product", "linear"):
            rest = difference(numbers, base, self.column.precision)
            return rest, missing | ~np.isnan(rest)
        rest = np.abs(numbers - base)
        places = [column.precision for column in (self.column, self.terms[0][1])]
        if None not in places:
            rest = np.round(rest, max(place for place in places if place is not None))
        return rest, missing | ~np.isnan(rest)

    def _weighted_terms(self, cells: pa.Table | dict[str, pa.Array]) -> list[tuple[float, np.ndarray]]:
        return [(weight, as_float(plain(pa.chunked_array(cells[term.name])))) for weight, term in self.terms]

    def _number_base(self, cells: pa.Table | dict[str, pa.Array]) -> np.ndarray:
        """What the others say of the value: their product or sum, or the other column's numbers, rounded away from
        where the value may not be."""
        terms = self._weighted_terms(cells)
        if self.kind in ("product", "linear"):
            total = product(self.factor, terms) if self.kind == "product" else self.offset + _added(terms)
            return total if self.column.precision is None else np.round(total, self.column.precision)
        return terms[0][1] if self.kind == "same" else self._rounded(terms[0][1], self.terms[0][1], self.kind)

    def _rounded(self, values: np.ndarray, column: Column, side: str) -> np.ndarray:
        """Another column's values, rounded up to where one that is "at_least" as high may be, and down for others."""
        own = self.column.precision
        if own is None or (column.precision is not None and column.precision <= own):
            return values
        scaled = np.round(values * 10.0**own, 6)  # 0.07 * 100 is 7.000000000000001
        return np.asarray((np.ceil(scaled) if side == "at_least" else np.floor(scaled)) / 10.0**own)

    def _date_base(self, cells: pa.Table | dict[str, pa.Array]) -> tuple[np.ndarray, np.ndarray]:
        """The other column's dates in steps of this one, rounded to where the value may be; which are missing."""
        other = self.terms[0][1]
        ticks, missing = other.ticks(pa.chunked_array(cells[other.name]))
        finer, coarser = self.column.ticks_a_second, other.ticks_a_second
        ticks = ticks * max(finer // coarser, 1)
        step = self.step_ * max(coarser // finer, 1)
        return (-(-ticks // step) if self.kind == "at_least" else ticks // step), missing

    def expand(self, cells: dict[str, pa.Array]) -> None:
        """Put the column into `cells`, worked out from the others and the rest.

        Where the other column's range ends beyond this one's, real rows have no value, and so have new ones.
        """
        own = cells[self.column.name] if self.keeps_own_ else pa.nulls(len(cells[self.rest]), self.type_)
        if self.column.kind == "datetime":
            base, unknown = self._date_base(cells)
            ticks, _ = self.column.ticks(pa.chunked_array([own]))
            rest = as_float(pa.chunked_array([cells[self.rest]]))
            follows = ~np.isnan(rest) & ~unknown
            steps = np.where(follows, rest, 0).astype(np.int64)
            ticks = np.where(follows, base + self.sign * steps, self._mirrored(ticks // self.step_, base)) * self.step_
            missing = np.where(follows, self._beyond(base * self.step_), np.asarray(pc.is_null(own)) | unknown)
            first, last = self.ends_.to_pylist()
            found = self.column.from_ticks(np.clip(ticks, first, last), missing, self.type_)
        else:
            numbers = self._sum(cells) if self.kind == "sum" else self._follow(cells, own)
            if self.column.precision is not None:
                numbers = np.round(numbers, self.column.precision)
            missing = np.isnan(numbers)
            for bound, side in self.bounds:
                if bound.name in cells:  # otherwise it is worked out later
                    ends = self._rounded(as_float(plain(pa.chunked_array([cells[bound.name]]))), bound, side)
                    numbers = np.fmax(numbers, ends) if side == "at_least" else np.fmin(numbers, ends)
            found = to_type(np.where(missing, 0.0, numbers), missing, self.ends_).cast(self.type_)
        cells[self.column.name] = pc.if_else(pa.array(missing), own, found)

    def _follow(self, cells: dict[str, pa.Array], own: pa.Array) -> np.ndarray:
        base, own_numbers = self._number_base(cells), as_float(plain(pa.chunked_array([own])))
        if self.kind == "product" and not self.keeps_own_ and np.isnan(base).any():  # no real row divides by 0
            base = np.where(np.isnan(base) & ~_lacks_one(self._weighted_terms(cells)), as_float(self.ends_)[1], base)
        if self.is_exact:
            rest = as_float(pa.chunked_array([cells[self.rest]]))
            return np.where(np.isnan(base + rest), own_numbers, self._within(cells, base, rest))
        if self.kind == "same":
            return np.where(pc.fill_null(cells[self.rest], False), base, self._mirrored(own_numbers, base))
        numbers = base + self.sign * as_float(pa.chunked_array([cells[self.rest]]))
        numbers = np.where(np.isnan(numbers), self._mirrored(own_numbers, base), self._on_grid(numbers, base))
        return np.where(self._beyond(base), np.nan, numbers)

    def _on_grid(self, numbers: np.ndarray, base: np.ndarray) -> np.ndarray:
        """The nearest values that the column holds, where it holds few different ones and one is near; of a difference
        that is never negative on the right side of `base`."""
        grid = np.array(self.grid_)
        if len(grid) < 2:
            return numbers
        at = nearest(grid, numbers)
        if self.kind == "at_least":
            at = np.maximum(at, np.searchsorted(grid, base))
        elif self.kind == "at_most":
            at = np.minimum(at, np.searchsorted(grid, base, side="right") - 1)
        found = grid[np.clip(at, 0, len(grid) - 1)]
        inside = (at >= 0) & (at < len(grid)) & (np.abs(found - numbers) <= GRID_GAPS * np.median(np.diff(grid)))
        return np.where(inside, found, numbers)

    def _mirrored(self, own: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Values of their own that came to lie on the wrong side of the other column's change it."""
        side = self.side if self.kind == "same" else self.kind
        wrong = own < base if side == "at_least" else own > base if side == "at_most" else np.zeros(len(own), bool)
        mirrored: np.ndarray = np.where(wrong, 2 * base - own, own)
        return mirrored

    def _beyond(self, base: np.ndarray) -> np.ndarray:
        """Where the other column leaves no room for a value of this one."""
        if self.kind in ("product", "linear"):
            return np.zeros(len(base), dtype=bool)
        low, high = as_float(self.ends_)
        beyond: np.ndarray = base < low if self.kind == "at_most" else base > high
        return beyond

    def _within(self, cells: dict[str, pa.Array], base: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """`base` and `rest` together. Where that would leave the range, terms change within their own."""
        low, high = as_float(self.ends_)
        numbers: np.ndarray = base + rest
        names = [term.name for _, term in self.terms]
        for (weight, column), ends in zip(self.terms, self.term_ends_, strict=True):
            out = (numbers < low) | (numbers > high)
            if column.name not in self.free or names.count(column.name) > 1 or not out.any():
                continue
            values, wanted = as_float(plain(pa.chunked_array([cells[column.name]]))), np.clip(numbers, low, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                if self.kind == "product":
                    moved = values * ((wanted - rest) / base) ** weight
                else:
                    moved = values + (wanted - numbers) / weight
            places = 10.0 ** (9 if column.precision is None else column.precision)
            scaled, up = np.round(moved * places, 6), (wanted > numbers) == (weight > 0)
            changed = np.clip(np.where(up, np.ceil(scaled), np.floor(scaled)) / places, *as_float(ends))
            changed = np.where(out & np.isfinite(changed), changed, values)
            cells[column.name] = _as_cells(changed, ends)
            base = self._number_base(cells)
            numbers = np.where(out, base + rest, numbers)
        return numbers

    def _sum(self, cells: dict[str, pa.Array]) -> np.ndarray:
        terms = self._weighted_terms(cells)
        rest = as_float(pa.chunked_array([cells[self.rest]])).copy()
        if self.few_:
            few = np.array(self.few_)
            complete = ~np.isnan(rest) & ~_lacks_one(terms)
            rest[complete] = few[nearest(few, rest[complete])]
        numbers: np.ndarray = signed_sum(terms) + rest
        self._give_back(cells, terms, numbers)
        return numbers

    def _give_back(
        self, cells: dict[str, pa.Array], terms: list[tuple[float, np.ndarray]], numbers: np.ndarray
    ) -> None:
        """Change terms within their own ranges where the sum would leave its range, and `numbers` with them."""
        low, high = as_float(self.ends_)
        for (sign, column), (_, values), ends in zip(self.terms, terms, self.term_ends_, strict=True):
            excess = numbers - np.clip(numbers, low, high)
            coarse = column.precision is not None and (
                self.column.precision is None or column.precision < self.column.precision
            )
            if column.name not in self.free or coarse or not np.nan_to_num(excess).any():
                continue
            changed = np.clip(values - sign * np.nan_to_num(excess), *as_float(ends))
            if column.precision is not None:
                changed = np.round(changed, column.precision)
            numbers += sign * np.nan_to_num(changed - values)
            cells[column.name] = _as_cells(changed, ends)

    def agree(self, table: pa.Table, given: pa.Table) -> pa.Table:
        """`table`, in which the one term that is missing in `given` is worked out from a value that is given."""
        if self.kind == "same":
            return table
        names = [term.name for _, term in self.terms]
        there = {name: ~np.asarray(pc.is_null(plain(given[name]))) for name in [self.column.name, *names]}
        lacking = np.sum([~there[name] for name in names], axis=0)
        for _, term in self.terms:
            rows = there[self.column.name] & ~there[term.name] & (lacking == 1)
            if not rows.any():
                continue
            wanted, made = (self._exact(self.column, each[self.column.name]) for each in (given, table))
            if self.kind in ("product", "linear"):
                made = np.where(np.isnan(made), self._number_base(table), made)
            values = self._exact(term, table[term.name])
            moved = values + self.change(term.name, table, wanted - made)
            moved = np.where(rows & np.isfinite(moved), moved, values)
            at = table.column_names.index(term.name)
            table = table.set_column(at, table.schema.field(at), self._written(term, moved, table[term.name]))
        return table

    def change(self, name: str, table: pa.Table, gap: np.ndarray) -> np.ndarray:
        """By how much `name`, the rest, a term or the column itself, must change for the column, a number or a date's
        ticks as in `table`, to change by `gap`, `(rows,)` each."""
        terms = {term.name: (weight, term) for weight, term in self.terms}
        if name not in terms:
            return np.asarray(gap / self.step_ * (self.sign if name == self.rest else 1))
        weight, term = terms[name]
        if self.kind != "product":
            return np.asarray(gap / weight)
        values, made = self._exact(term, table[name]), self._exact(self.column, table[self.column.name])
        times = [each.name for _, each in self.terms].count(name)
        with np.errstate(divide="ignore", invalid="ignore"):
            change = values * ((1 + gap / made) ** (weight / times) - 1)
        return np.where(np.isfinite(change) | np.isnan(values + gap), change, 0.0)

    @staticmethod
    def _exact(column: Column, values: pa.ChunkedArray) -> np.ndarray:
        """Numbers, or a date's ticks, NaN where missing."""
        if column.kind == "datetime":
            ticks, missing = column.ticks(values)
            return np.where(missing, np.nan, ticks.astype(float))
        return as_float(plain(values))

    @staticmethod
    def _written(column: Column, numbers: np.ndarray, before: pa.ChunkedArray) -> pa.Array:
        missing = np.isnan(numbers)
        if column.kind == "datetime":
            return column.from_ticks(np.nan_to_num(numbers).astype(np.int64), missing, before.type)
        if column.precision is not None:
            numbers = np.round(numbers, column.precision)
        ends = outermost(pa.chunked_array([pa.array(numbers[~missing]).cast(before.type, safe=False)]))
        return _as_cells(numbers, ends)

    def state(self) -> dict[str, Any]:
        """What `fit` learned, as JSON."""
        return {
            "step": self.step_,
            "ends": to_json(self.ends_),
            "term_ends": [to_json(ends) for ends in self.term_ends_],
            "few": self.few_,
            "common": self.common_,
            "grid": self.grid_,
            "rest": self.parts_[-1][0].model_dump(),
            "keeps_own": self.keeps_own_,
        }

    def restore(self, state: dict[str, Any], arrow_schema: pa.Schema) -> Self:
        """Undo `state`."""
        self.type_ = arrow_schema.field(self.column.name).type
        self.step_, self.few_, self.common_ = state["step"], state["few"], state["common"]
        self.grid_ = state["grid"]
        self.ends_ = from_json(state["ends"], pa.int64() if self.column.kind == "datetime" else self.type_)
        types = [arrow_schema.field(term.name).type for _, term in self.terms]
        self.term_ends_ = [from_json(ends, kind) for ends, kind in zip(state["term_ends"], types, strict=False)]
        self._set(Column(**state["rest"]), state["keeps_own"])
        return self


def _as_cells(numbers: np.ndarray, ends: pa.Array) -> pa.Array:
    """Numbers, NaN where missing, as cells of the type of `ends` and between these."""
    return to_type(np.nan_to_num(numbers), np.isnan(numbers), ends).cast(ends.type)


def _added(terms: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """The sum of weighted terms, missing where one is."""
    return np.asarray(sum(weight * values for weight, values in terms))


def _lacks_one(terms: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """Where one of the terms is missing."""
    return np.asarray(np.isnan([values for _, values in terms]).any(axis=0))


def _ends(values: pa.ChunkedArray) -> pa.Array:
    """The lowest and the highest value."""
    return outermost(plain(values).drop_null())


def _rest_column(name: str, rest: np.ndarray, kind: str) -> Column:
    """What the rest is: nothing to learn, two things, or numbers."""
    if kind == "same":
        return Column(name=name, kind="boolean", dtype="bool")
    known = rest[~np.isnan(rest)]
    missing = len(known) < len(rest)
    sorts = len(np.unique(known)) + missing
    return Column(
        name=name,
        kind="constant" if sorts < 2 else "category" if sorts == 2 else "number",
        dtype="double",
        nullable=missing,
        precision=decimals(known) if sorts > 2 else None,
    )
